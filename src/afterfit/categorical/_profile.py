"""Clusters of a table looked at: silhouettes of its rows, shares of categories by cluster."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from afterfit._labels import encode_labels
from afterfit._validation import check_integer
from afterfit.categorical._silhouette import silhouettes
from afterfit.categorical._tables import (
    CategoryTable,
    check_sample_weight,
    check_whole_weights,
    encode_table,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# The columns of a profile beside those of the clusters.
OWN_COLUMNS = ("cramers_v", "all")


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
    table, codes, names, weight = _check_silhouette(X, labels, sample_weight)
    return silhouettes(table.codes, table.sizes, codes, len(names), weight)


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
    table, codes, names, weight = _check_silhouette(X, labels, sample_weight)
    values = silhouettes(table.codes, table.sizes, codes, len(names), weight)
    return float(np.average(values, weights=weight))


def cluster_profile(
    X: Any, labels: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> pd.DataFrame:
    """Return the share of each category in each cluster, telling columns first.

    Parameters
    ----------
    X : DataFrame or array of shape (n_samples, n_features)
        Categories of any type; a missing value is a category of its own.
    labels : array-like of shape (n_samples,)
        The cluster of each row, of any type.
    sample_weight : array-like of shape (n_samples,), optional
        Frequency weights: a row of weight w counts as w equal rows.

    Returns
    -------
    pandas.DataFrame
        One row for each category of each column (index levels ``column`` and ``category``), the
        columns of `X` in decreasing order of Cramer's V with the clusters. ``cramers_v`` is that
        V, between 0 (the column says nothing about the cluster) and 1; ``all`` the share among
        all rows, and then there is one column of shares, adding up to 1 for each column of `X`,
        for each cluster.

    Raises
    ------
    TypeError, ValueError
        If the shapes do not fit or a label is missing.

    References
    ----------
    Cramer, H. (1946). Mathematical Methods of Statistics. Princeton University Press, 282.

    Examples
    --------
    >>> X = [["red", "round"], ["red", "square"], ["blue", "round"], ["blue", "square"]]
    >>> cluster_profile(X, ["a", "a", "b", "b"])
                     cramers_v  all    a    b
    column category
    0      blue            1.0  0.5  0.0  1.0
           red             1.0  0.5  1.0  0.0
    1      round           0.0  0.5  0.5  0.5
           square          0.0  0.5  0.5  0.5
    """
    table = encode_table(X, missing="category")
    weight = check_sample_weight(sample_weight, table.n_rows)
    codes, names = encoded_labels(labels, table.n_rows)
    return profile_of(table, codes, names, weight)


def plot_profile(
    X: Any,
    labels: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    n_columns: int = 6,
    ax: Axes | None = None,
) -> Axes:
    """Return the axes of the category shares by cluster, as a table of shades and percentages.

    Parameters
    ----------
    X : DataFrame or array of shape (n_samples, n_features)
        Categories of any type; a missing value is a category of its own.
    labels : array-like of shape (n_samples,)
        The cluster of each row, of any type.
    sample_weight : array-like of shape (n_samples,), optional
        Frequency weights: a row of weight w counts as w equal rows.
    n_columns : int, default=6
        How many columns of `X` to show, those that tell the clusters apart best.
    ax : matplotlib Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib Axes
        The axes that were drawn in.

    Raises
    ------
    TypeError, ValueError
        If the shapes do not fit or a label is missing.

    See Also
    --------
    cluster_profile : The numbers.

    Examples
    --------
    >>> X = [["red", "round"], ["red", "square"], ["blue", "round"], ["blue", "square"]]
    >>> ax = plot_profile(X, ["a", "a", "b", "b"])
    >>> ax.get_xlabel()
    'cluster (cells: % of its rows)'
    >>> import matplotlib.pyplot as plt
    >>> plt.close(ax.figure)
    """
    from afterfit.categorical._drawing import draw_profile

    n_columns = check_integer(n_columns, "n_columns", low=1)
    return draw_profile(cluster_profile(X, labels, sample_weight=sample_weight), n_columns, ax)


def plot_silhouettes(
    X: Any, labels: ArrayLike, *, sample_weight: ArrayLike | None = None, ax: Axes | None = None
) -> Axes:
    """Return the axes of the matching silhouettes of all rows, sorted within each cluster.

    Parameters
    ----------
    X : DataFrame or array of shape (n_samples, n_features)
        Categories of any type; a missing value is a category of its own.
    labels : array-like of shape (n_samples,)
        The cluster of each row, of any type; two clusters at least.
    sample_weight : array-like of shape (n_samples,), optional
        Frequency weights, whole numbers: a row of weight w counts as w equal rows.
    ax : matplotlib Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib Axes
        The axes that were drawn in.

    Raises
    ------
    TypeError, ValueError
        If the shapes do not fit, a label is missing, or there are fewer than two clusters.

    See Also
    --------
    matching_silhouette_samples : The numbers.

    Examples
    --------
    >>> X = [["red", "round"], ["red", "square"], ["blue", "round"], ["blue", "square"]]
    >>> ax = plot_silhouettes(X, ["a", "a", "b", "b"])
    >>> ax.get_xlabel()
    'silhouette (matching distance)'
    >>> import matplotlib.pyplot as plt
    >>> plt.close(ax.figure)
    """
    from afterfit.categorical._drawing import draw_silhouettes

    table, codes, names, weight = _check_silhouette(X, labels, sample_weight)
    values = silhouettes(table.codes, table.sizes, codes, len(names), weight)
    return draw_silhouettes(values, codes, names, weight, ax)


def profile_of(
    table: CategoryTable,
    labels: NDArray[np.int64],
    names: list[Hashable],
    weight: NDArray[np.float64] | None,
) -> pd.DataFrame:
    """Return the profile that `cluster_profile` documents."""
    taken = [name for name in OWN_COLUMNS if name in names]
    if taken:
        raise ValueError(
            f"`labels` must not name a cluster {taken[0]!r}, which is a column of the profile."
        )
    strengths, parts, index = [], [], []
    for j, (codes, level) in enumerate(zip(table.codes, table.levels, strict=True)):
        cells = codes.astype(np.int64) * len(names) + labels
        flat = np.bincount(cells, weight, minlength=len(level) * len(names))
        counts = flat.reshape(len(level), len(names)).astype(np.float64)
        in_cluster, in_all = counts.sum(axis=0), counts.sum(axis=1)
        shares = np.divide(counts, in_cluster, out=np.zeros_like(counts), where=in_cluster > 0)
        strength = np.full(len(level), _cramers_v(counts))
        parts.append(np.column_stack([strength, in_all / in_all.sum(), shares]))
        strengths.append(-round(strength[0], 12))
        label = j if table.names is None else table.names[j]
        index.append([(label, category) for category in level])
    order = np.argsort(strengths, kind="stable")
    rows = pd.MultiIndex.from_tuples(
        [row for j in order for row in index[j]], names=["column", "category"]
    )
    columns = pd.Index([*OWN_COLUMNS, *names], tupleize_cols=False)
    return pd.DataFrame(np.concatenate([parts[j] for j in order]), rows, columns)


def _cramers_v(counts: NDArray[np.float64]) -> float:
    """Return Cramer's V of a table of counts; 0 where it has a single row or column."""
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    less = min(counts.shape) - 1
    if less == 0:
        return 0.0
    total = counts.sum()
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / total
    return float(np.sqrt(((counts - expected) ** 2 / expected).sum() / total / less))


def _check_silhouette(
    X: Any, labels: Any, sample_weight: Any
) -> tuple[CategoryTable, NDArray[np.int64], list[Hashable], NDArray[np.float64] | None]:
    table = encode_table(X, missing="category")
    weight = check_sample_weight(sample_weight, table.n_rows)
    check_whole_weights(weight)
    codes, names = codes_of_labels(labels, table.n_rows, weight)
    return table, codes, names, weight


def codes_of_labels(
    labels: Any, n_rows: int, weight: NDArray[np.float64] | None
) -> tuple[NDArray[np.int64], list[Hashable]]:
    """Return labels as 0, 1, ... and their names; two clusters at least must have weight."""
    codes, names = encoded_labels(labels, n_rows)
    present = len(names) if weight is None else np.unique(codes[weight > 0]).size
    if present < 2:
        raise ValueError(
            f"`labels` must name at least 2 clusters (with rows of positive weight), got {present}."
        )
    return codes, names


def encoded_labels(labels: Any, n_rows: int) -> tuple[NDArray[np.int64], list[Hashable]]:
    codes, names = encode_labels(labels, "labels")
    if len(codes) != n_rows:
        raise ValueError(
            f"`labels` must have one label for each of the {n_rows} row(s) of `X`, got "
            f"{len(codes)}."
        )
    return codes, names
