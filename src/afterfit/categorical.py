"""Clusters of categories: k-modes at full speed, an exact silhouette, and how many clusters.

The matching distance of two rows is the number of columns in which they differ. For it the mean
distance of a row to a cluster follows from the cluster's category counts, so the exact silhouette
takes time and memory linear in the number of rows, where the textbook's takes the square.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClusterMixin, clone
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from afterfit._categories import (
    CategoryTable,
    Packed,
    check_sample_weight,
    check_whole_weights,
    encode_like,
    encode_table,
    merge_equal_rows,
    pack,
)
from afterfit._kmodes import Engine
from afterfit._kmodes_search import cao_modes, search
from afterfit._silhouette import silhouettes
from afterfit._validation import (
    check_choice,
    check_integer,
    check_random_state,
)

__all__ = [
    "KModes",
    "matching_silhouette_samples",
    "matching_silhouette_score",
]

INITS = ("huang", "cao", "random")


def matching_silhouette_samples(
    X: Any, labels: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Return the silhouette of every row by the matching distance, exactly.

    The silhouette of a row is (b - a) / max(a, b): a is its mean distance to the other rows of
    its cluster, b the least mean distance to the rows of another cluster. It lies between -1 and
    1; above 0 the row is nearer to its own cluster.

    Parameters
    ----------
    X : DataFrame or array of shape (n_samples, n_features)
        Categories of any type; a missing value is a category of its own.
    labels : array-like of shape (n_samples,)
        The cluster of each row, of any type; two clusters at least.
    sample_weight : array-like of shape (n_samples,), optional
        Frequency weights, whole numbers: a row of weight w counts as w equal rows. A row of
        weight 0 counts for nobody, and is itself compared with all rows of its cluster.

    Returns
    -------
    ndarray of shape (n_samples,)
        The silhouettes; 0 for a row that is alone in its cluster, as in scikit-learn.

    Raises
    ------
    TypeError, ValueError
        If the shapes do not fit, a label is missing, or there are fewer than two clusters.

    See Also
    --------
    matching_silhouette_score : Their mean.

    Notes
    -----
    The sum of the distances of a row to the rows of a cluster is, column by column, the cluster's
    weight less the weight of its rows with the same category: time and memory are linear in the
    number of rows. The values are those of ``sklearn.metrics.silhouette_samples`` with
    ``metric="hamming"`` on integer codes, which needs the distances of all pairs.

    References
    ----------
    Rousseeuw, P. J. (1987). Silhouettes: a graphical aid to the interpretation and validation of
    cluster analysis. Journal of Computational and Applied Mathematics 20, 53-65.

    Examples
    --------
    >>> X = [["red", "round"], ["red", "square"], ["blue", "oval"], ["blue", "flat"]]
    >>> matching_silhouette_samples(X, ["a", "a", "b", "b"])
    array([0.5, 0.5, 0.5, 0.5])
    """
    table, codes, n_clusters, weight = _check_silhouette(X, labels, sample_weight)
    return silhouettes(table.codes, table.sizes, codes, n_clusters, weight)


def matching_silhouette_score(
    X: Any, labels: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    """Return the mean silhouette by the matching distance, between -1 and 1, higher is better.

    Parameters
    ----------
    X : DataFrame or array of shape (n_samples, n_features)
        Categories of any type; a missing value is a category of its own.
    labels : array-like of shape (n_samples,)
        The cluster of each row, of any type; two clusters at least.
    sample_weight : array-like of shape (n_samples,), optional
        Frequency weights, whole numbers: a row of weight w counts as w equal rows.

    Returns
    -------
    float
        The mean over rows of `matching_silhouette_samples`, weighted.

    Raises
    ------
    TypeError, ValueError
        If the shapes do not fit, a label is missing, or there are fewer than two clusters.

    Examples
    --------
    >>> X = [["red", "round"], ["red", "square"], ["blue", "oval"], ["blue", "flat"]]
    >>> matching_silhouette_score(X, ["a", "a", "b", "b"])
    0.5
    """
    table, codes, n_clusters, weight = _check_silhouette(X, labels, sample_weight)
    values = silhouettes(table.codes, table.sizes, codes, n_clusters, weight)
    return float(np.average(values, weights=weight))


class KModes(ClusterMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """Return an estimator of k-modes clusters: each has a mode, the categories nearest to its rows.

    The cost is the sum over rows of the matching distance to the nearest mode: the number of
    cells that differ. Equal rows are counted once, and rows of weight w as w equal rows.

    Parameters
    ----------
    n_clusters : int, default=8
        The number of clusters, from 1 to the number of distinct rows.
    init : {"huang", "cao", "random"}, default="huang"
        How a start is made. "huang": categories drawn from the columns, each mode then moved to
        its nearest free row (Huang 1998). "cao": dense rows far apart (Cao et al. 2009); there is
        only one such start, so `n_init` does not matter. "random": distinct rows drawn at random.
    n_init : int, default=10
        The number of starts; the best counts.
    max_iter : int, default=100
        The greatest number of iterations of a start.
    missing : {"error", "category"}, default="error"
        What a missing value is: an error that counts them by column, or a category of its own.
    random_state : int, numpy Generator or RandomState, optional
        Where randomness comes from; an integer makes the fit reproducible.

    Attributes
    ----------
    labels_ : ndarray of shape (n_samples,)
        The cluster of each row, from 0: that of the nearest mode.
    cluster_centroids_ : ndarray of shape (n_clusters, n_features)
        The modes, in the categories of `X`.
    cost_ : float
        The weighted number of cells that differ from their row's mode.
    n_iter_ : int
        The number of iterations over all rows in the best start.
    categories_ : list of ndarray
        The categories of each column, sorted; a missing one last, as NaN.
    n_features_in_ : int
        The number of columns of `X`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where `X` is a DataFrame with text for names.

    See Also
    --------
    matching_silhouette_score : How well the clusters keep apart.

    Notes
    -----
    *Ties.* Of equally near modes the one with the smaller label takes the row; of equally
    frequent categories the first in sorted order becomes the mode (kmodes' rules too).
    *Empty clusters.* A cluster that loses all its rows starts again at the row farthest from its
    mode, so none of the clusters is empty in the end.
    *Search.* Huang's iteration stops early where many rows are equally near to two modes. Here
    each start goes on with exact changes of single categories, and the best start with modes
    that are moved to other rows: the cost is that of a far greater number of plain starts. On
    large tables the search runs on a sample of rows, and the iteration on all rows ends it.

    References
    ----------
    Huang, Z. (1998). Extensions to the k-means algorithm for clustering large data sets with
    categorical values. Data Mining and Knowledge Discovery 2, 283-304.

    Cao, F., Liang, J. & Bai, L. (2009). A new initialization method for categorical data
    clustering. Expert Systems with Applications 36, 10223-10228.

    Examples
    --------
    >>> X = [["red", "round"], ["red", "oval"], ["red", "round"], ["blue", "flat"]]
    >>> model = KModes(n_clusters=2, random_state=0).fit(X)
    >>> model.cost_
    1.0
    >>> print(model.cluster_centroids_[model.labels_[0]])
    ['red' 'round']
    """

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: str = "huang",
        n_init: int = 10,
        max_iter: int = 100,
        missing: str = "error",
        random_state: Any = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.missing = missing
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> KModes:
        """Return the estimator, fitted to the rows of `X`.

        Parameters
        ----------
        X : DataFrame or array of shape (n_samples, n_features)
            Categories of any type.
        y : None
            Ignored; scikit-learn's convention.
        sample_weight : array-like of shape (n_samples,), optional
            Frequency weights: a row of weight w counts as w equal rows, one of weight 0 is
            labelled and has no say.

        Returns
        -------
        KModes
            The estimator itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter is out of range, a value is missing (unless ``missing="category"``), or
            there are more clusters than distinct rows.
        """
        n_init = check_integer(self.n_init, "n_init", low=1)
        n_clusters = check_integer(self.n_clusters, "n_clusters", low=1)
        max_iter = check_integer(self.max_iter, "max_iter", low=1)
        init = check_choice(self.init, "init", INITS)
        rng = check_random_state(self.random_state)
        table = encode_table(X, missing=self.missing)
        validate_data(self, X, skip_check_array=True)
        weight = check_sample_weight(sample_weight, table.n_rows)
        packed = pack(table.codes, table.sizes, weight)
        units = merge_equal_rows(packed)
        _check_enough_rows(n_clusters, units)
        start = cao_modes(table.codes, packed, n_clusters) if init == "cao" else init
        found = search(
            units, n_clusters, init=start, n_init=n_init, max_iter=max_iter, rng=rng
        )
        self.labels_ = Engine(packed).labels(found.modes)
        self.cost_ = found.cost
        self.n_iter_ = found.n_iter
        self.cluster_centroids_ = table.decode(found.modes)
        self.categories_ = list(table.levels)
        self._modes = found.modes
        return self

    def predict(self, X: Any) -> NDArray[np.int32]:
        """Return the cluster of each row of `X`: that of the nearest mode.

        Parameters
        ----------
        X : DataFrame or array of shape (n_samples, n_features)
            Categories; one that was not there in `fit` differs from every mode.

        Returns
        -------
        ndarray of shape (n_samples,)
            The labels, from 0; the smaller one where two modes are equally near.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        TypeError, ValueError
            If `X` has other columns than in `fit`, or a missing value where none is allowed.
        """
        check_is_fitted(self)
        validate_data(self, X, skip_check_array=True, reset=False)
        known = CategoryTable(codes=(), levels=tuple(self.categories_))
        table = encode_like(X, known, missing=self.missing)
        packed = pack(table.codes, table.sizes + 1)  # one place more for an unknown category
        return Engine(packed).labels(self._modes)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        tags.input_tags.allow_nan = self.missing == "category"
        return tags


def _check_silhouette(
    X: Any, labels: Any, sample_weight: Any
) -> tuple[CategoryTable, NDArray[np.int64], int, NDArray[np.float64] | None]:
    table = encode_table(X, missing="category")
    array = np.asarray(labels) if hasattr(labels, "__array__") else np.asarray(labels, object)
    if array.shape != (table.n_rows,):
        raise ValueError(
            f"`labels` must have one label for each of the {table.n_rows} row(s) of `X`, got "
            f"shape {array.shape}."
        )
    codes, names = pd.factorize(array)
    if (codes < 0).any():
        raise ValueError(
            f"`labels` must not be missing, got {int((codes < 0).sum())} missing label(s)."
        )
    weight = check_sample_weight(sample_weight, table.n_rows)
    check_whole_weights(weight)
    present = len(names) if weight is None else np.unique(codes[weight > 0]).size
    if present < 2:
        raise ValueError(
            f"`labels` must name at least 2 clusters (with rows of positive weight), got {present}."
        )
    return table, codes, len(names), weight


def _check_enough_rows(n_clusters: int, units: Packed) -> None:
    if n_clusters > units.n_units:
        raise ValueError(
            f"`n_clusters` must be between 1 and the number of distinct rows ({units.n_units}), "
            f"got {n_clusters}."
        )
