"""Shared information of two labellings, and what of it chance gives, in near-linear time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from afterfit.agreement._table import Table, read_table, whole_table

# Pairs of sizes are summed in blocks of this many, and terms in blocks of about this many.
_BLOCK_PAIRS = 1 << 16
_BLOCK_TERMS = 1 << 20

# Terms of the expectation are left out where their probabilities sum to less than exp(-41).
_LOG_TAIL = 41.0


def adjusted_mutual_information(
    y_true: Any, y_pred: Any = None, *, sample_weight: Any = None, noise_label: Any = None
) -> float:
    """Return the mutual information of classes and clusters, adjusted for chance.

    At most 1, 0 on average for random labels of the same sizes; symmetric. It is scikit-learn's
    `adjusted_mutual_info_score`, in a time that grows with the rows and not with the product of
    the numbers of classes and clusters.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        The class of each row. Without `y_pred`, a contingency table of shape
        (n_classes, n_clusters): array, DataFrame or SciPy sparse.
    y_pred : array-like of shape (n_samples,), optional
        The cluster of each row.
    sample_weight : array-like of shape (n_samples,), optional
        How many rows each row stands for: whole numbers.
    noise_label : hashable, optional
        Rows with this label in `y_pred` are left out.

    Returns
    -------
    float
        (I - E I) / ((H(classes) + H(clusters)) / 2 - E I), with the mutual information I, the
        entropies H, and the expectation over all permutations of one labelling; 1 for identical
        partitions.

    Raises
    ------
    ValueError
        If the input is refused as by `contingency_table`, or counts are not whole.

    Notes
    -----
    The expectation is a sum over pairs of a class and a cluster, but a term depends on their sizes
    alone, and n rows have at most sqrt(2 n) groups of different sizes: at most 2 n terms are left.
    Each is E[K log K] of a hypergeometric count K, summed where K has any probability to speak of.

    References
    ----------
    Vinh, N. X., Epps, J. and Bailey, J. (2010). Information theoretic measures for clusterings
    comparison. Journal of Machine Learning Research 11, 2837-2854.

    Examples
    --------
    >>> round(adjusted_mutual_information(["x", "x", "x", "o", "o"], [1, 1, 1, 1, 2]), 4)
    0.1473
    """
    table = read_table(y_true, y_pred, sample_weight, noise_label)
    whole_table(table, "Adjusted mutual information")
    if table.is_identity:
        return 1.0
    information, of_classes, of_clusters = _entropies(table)
    expected = _expected_information(table)
    return (information - expected) / ((of_classes + of_clusters) / 2 - expected)


# --- for the table of all measures ---


def homogeneity_completeness_v(table: Table) -> tuple[float, float, float]:
    """Return the mutual information over the entropy of classes, of clusters, and their mean."""
    information, of_classes, of_clusters = _entropies(table)
    homogeneity, completeness, v = (
        information / entropy if entropy > 0 else 1.0
        for entropy in (of_classes, of_clusters, (of_classes + of_clusters) / 2)
    )
    return homogeneity, completeness, v


def _entropies(table: Table) -> tuple[float, float, float]:
    """Return the mutual information and the entropies of classes and of clusters, in nats."""
    n = table.n_rows
    ratio = table.counts / table.class_size_of_cell * (n / table.cluster_size_of_cell)
    information = float((table.counts / n * np.log(ratio)).sum())
    of_classes, of_clusters = (
        float(-(sizes / n * np.log(sizes / n)).sum())
        for sizes in (table.class_sizes, table.cluster_sizes)
    )
    return max(information, 0.0), of_classes, of_clusters


# --- the expectation ---


def _expected_information(table: Table) -> float:
    """Return the mean mutual information over all permutations of one labelling.

    Of a class of size a and a cluster of size b it is (a b / n^2) (E log(1 + K) - log(a b / n)),
    with K hypergeometric: the rows of a - 1 among b - 1 of n - 1, once one row is in both.
    """
    n = table.n_rows
    a, a_times = np.unique(table.class_sizes, return_counts=True)
    b, b_times = np.unique(table.cluster_sizes, return_counts=True)
    total = 0.0
    for start in range(0, a.size * b.size, _BLOCK_PAIRS):
        i, j = np.divmod(np.arange(start, min(start + _BLOCK_PAIRS, a.size * b.size)), b.size)
        in_both = a[i] * b[j] / n
        excess = _mean_log(a[i] - 1, b[j] - 1, n - 1) - np.log(in_both)
        total += float((a_times[i] * b_times[j] * in_both / n * excess).sum())
    return total


def _mean_log(
    marked: NDArray[np.float64], drawn: NDArray[np.float64], n: float
) -> NDArray[np.float64]:
    """Return E log(1 + K) of hypergeometric K: how many of `drawn` among n are `marked`."""
    mean = marked * drawn / max(n, 1)
    variance = mean * (1 - marked / max(n, 1))
    # Bernstein's inequality, which holds for these counts as for sums of independent ones.
    reach = _LOG_TAIL / 3 + np.sqrt((_LOG_TAIL / 3) ** 2 + 2 * _LOG_TAIL * variance)
    low = np.maximum(np.maximum(0, marked + drawn - n), np.floor(mean - reach))
    high = np.minimum(np.minimum(marked, drawn), np.ceil(mean + reach))
    result = np.empty(mean.size)
    # Together go those that need about as many terms.
    widths = np.exp2(np.ceil(np.log2(high - low + 1))).astype(np.int64)
    for width in np.unique(widths):
        alike = np.flatnonzero(widths == width)
        for part in np.array_split(alike, -(-alike.size * width // _BLOCK_TERMS)):
            k = low[part, None] + np.arange(width)
            # From one probability to the next; 0 beyond the last, whatever the ratio says.
            up = (marked[part, None] - k) * (drawn[part, None] - k)
            down = (k + 1) * (n - marked[part, None] - drawn[part, None] + k + 1)
            inside = k[:, 1:] <= high[part, None]
            ratio = np.where(inside, up[:, :-1], 1) / np.where(inside, down[:, :-1], 1)
            logs = np.zeros(k.shape)
            np.cumsum(np.log(ratio), axis=1, out=logs[:, 1:])
            probability = np.exp(logs - logs.max(axis=1, keepdims=True))
            probability[:, 1:] *= inside
            result[part] = (probability * np.log1p(k)).sum(axis=1) / probability.sum(axis=1)
    return result
