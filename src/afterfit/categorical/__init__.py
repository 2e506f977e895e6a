"""Clusters of categories: k-modes at full speed, an exact silhouette, and how many clusters.

The matching distance of two rows is the number of columns in which they differ. For it the mean
distance of a row to a cluster follows from the cluster's category counts, so the exact silhouette
takes time and memory linear in the number of rows, where the textbook's takes the square.
"""

from afterfit.categorical._kmodes import KModes
from afterfit.categorical._n_clusters import NClustersResult, choose_n_clusters
from afterfit.categorical._profile import (
    cluster_profile,
    matching_silhouette_samples,
    matching_silhouette_score,
    plot_profile,
    plot_silhouettes,
)

__all__ = [
    "KModes",
    "NClustersResult",
    "choose_n_clusters",
    "cluster_profile",
    "matching_silhouette_samples",
    "matching_silhouette_score",
    "plot_profile",
    "plot_silhouettes",
]
