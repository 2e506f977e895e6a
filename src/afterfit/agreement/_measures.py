"""How pure clusters are, and whether they find the classes: purity, F measures, B-cubed.

Every measure is a function of the contingency table n[c, k], the number of rows of class c in
cluster k, so that the names of labels and the order of rows never matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from afterfit._validation import check_real
from afterfit.agreement._table import Table, read_table, whole_table


@dataclass(frozen=True)
class BCubed:
    """The B-cubed scores of a clustering.

    Parameters
    ----------
    precision : float
        Mean over rows of the share of their cluster that has their class, in (0, 1].
    recall : float
        Mean over rows of the share of their class that is in their cluster, in (0, 1].
    f : float
        Harmonic mean of the two, in (0, 1].
    """

    precision: float
    recall: float
    f: float


def purity(
    y_true: Any, y_pred: Any = None, *, sample_weight: Any = None, noise_label: Any = None
) -> float:
    """Return the share of rows that have the most common class of their cluster.

    In (0, 1], higher is better; not symmetric. It never falls when a cluster is split, and is 1
    when every row is a cluster of its own: compare it at equal numbers of clusters only, or use
    `adjust_for_chance`.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_classes)
        The class of each row, or its probabilities. Without `y_pred`, a contingency table of
        shape (n_classes, n_clusters): array, DataFrame or SciPy sparse.
    y_pred : array-like of shape (n_samples,) or (n_samples, n_clusters), optional
        The cluster of each row, or its posterior probabilities.
    sample_weight : array-like of shape (n_samples,), optional
        How many rows each row stands for.
    noise_label : hashable, optional
        Rows with this label in `y_pred` are left out.

    Returns
    -------
    float
        sum_k max_c n[c, k] / n.

    Raises
    ------
    ValueError
        If the input is refused as by `contingency_table`.

    References
    ----------
    Manning, C. D., Raghavan, P. and Schuetze, H. (2008). Introduction to Information Retrieval.
    Cambridge University Press, section 16.3.

    Examples
    --------
    >>> purity(["x", "x", "x", "o", "o"], [1, 1, 1, 1, 2])
    0.8
    """
    table = read_table(y_true, y_pred, sample_weight, noise_label)
    return _largest(table.counts, table.clusters) / table.n_rows


def inverse_purity(
    y_true: Any, y_pred: Any = None, *, sample_weight: Any = None, noise_label: Any = None
) -> float:
    """Return the share of rows that are in the most common cluster of their class.

    In (0, 1], higher is better: `purity` with the roles exchanged. It is 1 when everything is in
    one cluster.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_classes)
        The class of each row, or its probabilities. Without `y_pred`, a contingency table of
        shape (n_classes, n_clusters): array, DataFrame or SciPy sparse.
    y_pred : array-like of shape (n_samples,) or (n_samples, n_clusters), optional
        The cluster of each row, or its posterior probabilities.
    sample_weight : array-like of shape (n_samples,), optional
        How many rows each row stands for.
    noise_label : hashable, optional
        Rows with this label in `y_pred` are left out.

    Returns
    -------
    float
        sum_c max_k n[c, k] / n.

    Raises
    ------
    ValueError
        If the input is refused as by `contingency_table`.

    References
    ----------
    Amigo, E., Gonzalo, J., Artiles, J. and Verdejo, F. (2009). A comparison of extrinsic
    clustering evaluation metrics based on formal constraints. Information Retrieval 12, 461-486.

    Examples
    --------
    >>> inverse_purity(["x", "x", "x", "o", "o"], [1, 1, 1, 1, 2])
    0.8
    """
    table = read_table(y_true, y_pred, sample_weight, noise_label)
    return _largest(table.counts, table.classes) / table.n_rows


def f_measure(
    y_true: Any,
    y_pred: Any = None,
    *,
    beta: float = 1.0,
    sample_weight: Any = None,
    noise_label: Any = None,
) -> float:
    """Return the class-matched F measure: each class with the cluster that finds it best.

    In (0, 1], higher is better; not symmetric. A cluster may serve several classes.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_classes)
        The class of each row, or its probabilities. Without `y_pred`, a contingency table of
        shape (n_classes, n_clusters): array, DataFrame or SciPy sparse.
    y_pred : array-like of shape (n_samples,) or (n_samples, n_clusters), optional
        The cluster of each row, or its posterior probabilities.
    beta : float, default=1.0
        How many times as much recall counts as precision; positive.
    sample_weight : array-like of shape (n_samples,), optional
        How many rows each row stands for.
    noise_label : hashable, optional
        Rows with this label in `y_pred` are left out.

    Returns
    -------
    float
        sum_c (n_c / n) max_k F_beta(c, k), with precision n[c, k] / n_k and recall n[c, k] / n_c.

    Raises
    ------
    ValueError
        If the input is refused as by `contingency_table`, or `beta` is not positive.

    See Also
    --------
    pairwise_f_measure : The F measure of decisions about pairs of rows.

    References
    ----------
    Larsen, B. and Aone, C. (1999). Fast and effective text mining using linear-time document
    clustering. KDD '99, 16-22.

    Examples
    --------
    >>> round(f_measure(["x", "x", "x", "o", "o"], [1, 1, 1, 1, 2]), 4)
    0.781
    """
    beta = check_real(beta, "beta", low=0, closed=False)
    table = read_table(y_true, y_pred, sample_weight, noise_label)
    f = _f_beta(table.counts, table.class_size_of_cell, table.cluster_size_of_cell, beta)
    return _largest(f * table.class_size_of_cell, table.classes) / table.n_rows


def pairwise_f_measure(
    y_true: Any,
    y_pred: Any = None,
    *,
    beta: float = 1.0,
    sample_weight: Any = None,
    noise_label: Any = None,
) -> float:
    """Return the F measure of the decision, for each pair of rows, to put both in one cluster.

    In [0, 1], higher is better; symmetric for `beta` = 1.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_classes)
        The class of each row, or its probabilities. Without `y_pred`, a contingency table of
        shape (n_classes, n_clusters): array, DataFrame or SciPy sparse.
    y_pred : array-like of shape (n_samples,) or (n_samples, n_clusters), optional
        The cluster of each row, or its posterior probabilities.
    beta : float, default=1.0
        How many times as much recall counts as precision; positive.
    sample_weight : array-like of shape (n_samples,), optional
        How many rows each row stands for.
    noise_label : hashable, optional
        Rows with this label in `y_pred` are left out.

    Returns
    -------
    float
        F_beta over pairs; 1 if neither labelling puts any two rows together.

    Raises
    ------
    ValueError
        If the input is refused as by `contingency_table`, or `beta` is not positive.

    See Also
    --------
    f_measure : Matches each class with a cluster.

    References
    ----------
    Manning, C. D., Raghavan, P. and Schuetze, H. (2008). Introduction to Information Retrieval.
    Cambridge University Press, section 16.3.

    Examples
    --------
    >>> round(pairwise_f_measure(["x", "x", "x", "o", "o"], [1, 1, 1, 1, 2]), 4)
    0.6
    """
    beta = check_real(beta, "beta", low=0, closed=False)
    table = whole_table(read_table(y_true, y_pred, sample_weight, noise_label), "Pairs of rows")
    both, in_class, in_cluster = _pairs_together(table)
    if both == 0:
        return float(table.is_identity)
    return float(_f_beta(both, in_class, in_cluster, beta))


def bcubed(
    y_true: Any, y_pred: Any = None, *, sample_weight: Any = None, noise_label: Any = None
) -> BCubed:
    """Return B-cubed precision, recall and F: agreement as a row sees it, averaged over rows.

    Each in (0, 1], higher is better. Exchanging the arguments exchanges precision and recall.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_classes)
        The class of each row, or its probabilities. Without `y_pred`, a contingency table of
        shape (n_classes, n_clusters): array, DataFrame or SciPy sparse.
    y_pred : array-like of shape (n_samples,) or (n_samples, n_clusters), optional
        The cluster of each row, or its posterior probabilities.
    sample_weight : array-like of shape (n_samples,), optional
        How many rows each row stands for.
    noise_label : hashable, optional
        Rows with this label in `y_pred` are left out.

    Returns
    -------
    BCubed
        precision = sum n[c, k]^2 / n_k / n; recall = sum n[c, k]^2 / n_c / n; f, their harmonic
        mean.

    Raises
    ------
    ValueError
        If the input is refused as by `contingency_table`.

    References
    ----------
    Bagga, A. and Baldwin, B. (1998). Entity-based cross-document coreferencing using the vector
    space model. COLING-ACL '98, 79-85. The F of Amigo et al. (2009).

    Examples
    --------
    >>> scores = bcubed(["x", "x", "x", "o", "o"], [1, 1, 1, 1, 2])
    >>> round(scores.precision, 3), round(scores.recall, 3)
    (0.7, 0.8)
    """
    table = read_table(y_true, y_pred, sample_weight, noise_label)
    squares = table.counts.astype(np.float64) ** 2
    precision = float((squares / table.cluster_size_of_cell).sum() / table.n_rows)
    recall = float((squares / table.class_size_of_cell).sum() / table.n_rows)
    return BCubed(precision, recall, 2 * precision * recall / (precision + recall))


# --- of a table ---


def _largest(values: NDArray[Any], groups: NDArray[np.intp]) -> float:
    """Return the sum over groups of the largest of their values, none of which is negative."""
    largest = np.zeros(groups.max() + 1, dtype=values.dtype)
    np.maximum.at(largest, groups, values)
    return float(largest.sum())


def _f_beta(true_positives: Any, positives: Any, found: Any, beta: float) -> Any:
    """Return F_beta of counts above 0: their weighted harmonic mean, safe for any beta."""
    weight = 1 / (1 + beta * beta)
    return true_positives / (positives + weight * (found - positives))


def pair_indices(table: Table) -> tuple[float, float, float]:
    """Return the Fowlkes-Mallows, the Rand and the adjusted Rand index of whole counts."""
    if table.is_identity:
        return 1.0, 1.0, 1.0
    both, in_class, in_cluster = _pairs_together(table)
    pairs = table.n_rows * (table.n_rows - 1) / 2
    mean, chance = (in_class + in_cluster) / 2, in_class * in_cluster / pairs
    fowlkes_mallows = both / (in_class**0.5 * in_cluster**0.5) if both else 0.0
    return fowlkes_mallows, 1 - 2 * (mean - both) / pairs, (both - chance) / (mean - chance)


def _pairs_together(table: Table) -> tuple[float, float, float]:
    """Return how many pairs of rows share class and cluster, class, and cluster."""
    sizes = table.counts.astype(np.float64), table.class_sizes, table.cluster_sizes
    both, in_class, in_cluster = (float((size * (size - 1)).sum() / 2) for size in sizes)
    return both, in_class, in_cluster
