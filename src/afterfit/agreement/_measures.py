"""How well clusters agree with known classes: purity and what it leaves out.

Every measure is a function of the contingency table n[c, k], the number of rows of class c in
cluster k, so that the names of labels and the order of rows never matter.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import count
from numbers import Real
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from afterfit._labels import as_written, encode_labels, one_dimensional
from afterfit._plotting import pyplot
from afterfit._validation import check_integer, check_random_state, check_real

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "AdjustedScore",
    "BCubed",
    "adjust_for_chance",
    "agreement_table",
    "bcubed",
    "contingency_table",
    "f_measure",
    "inverse_purity",
    "match_labels",
    "matched_accuracy",
    "pairwise_f_measure",
    "plot_contingency_table",
    "purity",
]

# A table of at most this many cells is counted cell by cell, and in blocks of this many rows, so
# that both stay in the processor's cache. In a larger one only the cells that hold rows are kept.
_MAX_SMALL_TABLE = 1 << 16
_BLOCK_ROWS = 1 << 16

# Up to this many cells the best matching is searched in the full table, beyond it among the cells
# that hold rows.
_MAX_FULL_MATCHING = 1 << 22

# `contingency_table`, which shows the empty cells too, gives at most this many (2 GB).
_MAX_CELLS = 1 << 28

# The kinds of NumPy arrays that hold labels of a type as they are; huge integers would be rounded.
_ARRAY_KINDS = {int: "iu", float: "f", bool: "b", str: "U"}

# Resampled scores that differ from the observed one by rounding only count as ties.
_TIE_TOLERANCE = 1e-12


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


@dataclass(frozen=True)
class AdjustedScore:
    """A score beside what chance gives, from `adjust_for_chance`.

    Parameters
    ----------
    observed : float
        The score of the labels as they are.
    expected : float
        Its mean over random permutations of `y_pred`.
    adjusted : float
        (observed - expected) / (1 - expected): 0 at chance, 1 at perfect agreement.
    pvalue : float
        Share of permutations, the observed order included, that score at least as high.
    standard_error : float
        Standard error of `expected`.
    n_resamples : int
        Number of permutations.
    """

    observed: float
    expected: float
    adjusted: float
    pvalue: float
    standard_error: float
    n_resamples: int


def contingency_table(y_true: Any, y_pred: Any) -> pd.DataFrame:
    """Return how many rows each class has in each cluster.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        The class of each row: labels of any hashable type.
    y_pred : array-like of shape (n_samples,)
        The cluster of each row: labels of any hashable type.

    Returns
    -------
    pandas.DataFrame of shape (n_classes, n_clusters)
        Counts; the index holds the classes and the columns the clusters, each sorted (an ordered
        categorical by its categories), or in order of appearance if they cannot be sorted.
        Categories that no row has are left out.

    Raises
    ------
    ValueError
        If the two differ in length, are empty, or hold a missing label, or if the table would
        have more than 268,435,456 cells.
    TypeError
        If a label is not hashable.

    Examples
    --------
    >>> contingency_table(["cat", "cat", "dog"], [1, 2, 2])
    y_pred  1  2
    y_true
    cat     1  1
    dog     0  1
    """
    table = _count(y_true, y_pred)
    return pd.DataFrame(
        _full_counts(table),
        index=_label_index(table.class_labels, "y_true"),
        columns=_label_index(table.cluster_labels, "y_pred"),
    )


def purity(y_true: Any, y_pred: Any) -> float:
    """Return the share of rows that have the most common class of their cluster.

    In (0, 1], higher is better; not symmetric. It never falls when a cluster is split, and is 1
    when every row is a cluster of its own: compare it at equal numbers of clusters only, or use
    `adjust_for_chance`.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        The class of each row: labels of any hashable type.
    y_pred : array-like of shape (n_samples,)
        The cluster of each row: labels of any hashable type.

    Returns
    -------
    float
        sum_k max_c n[c, k] / n.

    Raises
    ------
    ValueError
        If the two differ in length, are empty, or hold a missing label.

    References
    ----------
    Manning, C. D., Raghavan, P. and Schuetze, H. (2008). Introduction to Information Retrieval.
    Cambridge University Press, section 16.3.

    Examples
    --------
    >>> purity(["x", "x", "x", "o", "o"], [1, 1, 1, 1, 2])
    0.8
    """
    table = _count(y_true, y_pred)
    return _largest(table.counts, table.clusters) / table.n_rows


def inverse_purity(y_true: Any, y_pred: Any) -> float:
    """Return the share of rows that are in the most common cluster of their class.

    In (0, 1], higher is better: `purity` with the roles exchanged. It is 1 when everything is in
    one cluster.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        The class of each row: labels of any hashable type.
    y_pred : array-like of shape (n_samples,)
        The cluster of each row: labels of any hashable type.

    Returns
    -------
    float
        sum_c max_k n[c, k] / n.

    Raises
    ------
    ValueError
        If the two differ in length, are empty, or hold a missing label.

    References
    ----------
    Amigo, E., Gonzalo, J., Artiles, J. and Verdejo, F. (2009). A comparison of extrinsic
    clustering evaluation metrics based on formal constraints. Information Retrieval 12, 461-486.

    Examples
    --------
    >>> inverse_purity(["x", "x", "x", "o", "o"], [1, 1, 1, 1, 2])
    0.8
    """
    table = _count(y_true, y_pred)
    return _largest(table.counts, table.classes) / table.n_rows


def f_measure(y_true: Any, y_pred: Any, *, beta: float = 1.0) -> float:
    """Return the class-matched F measure: each class with the cluster that finds it best.

    In (0, 1], higher is better; not symmetric. A cluster may serve several classes.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        The class of each row: labels of any hashable type.
    y_pred : array-like of shape (n_samples,)
        The cluster of each row: labels of any hashable type.
    beta : float, default=1.0
        How many times as much recall counts as precision; positive.

    Returns
    -------
    float
        sum_c (n_c / n) max_k F_beta(c, k), with precision n[c, k] / n_k and recall n[c, k] / n_c.

    Raises
    ------
    ValueError
        If the two differ in length, are empty, or hold a missing label, or `beta` is not positive.

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
    table = _count(y_true, y_pred)
    f = _f_beta(table.counts, table.class_size_of_cell, table.cluster_size_of_cell, beta)
    return _largest(f * table.class_size_of_cell, table.classes) / table.n_rows


def pairwise_f_measure(y_true: Any, y_pred: Any, *, beta: float = 1.0) -> float:
    """Return the F measure of the decision, for each pair of rows, to put both in one cluster.

    In [0, 1], higher is better; symmetric for `beta` = 1.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        The class of each row: labels of any hashable type.
    y_pred : array-like of shape (n_samples,)
        The cluster of each row: labels of any hashable type.
    beta : float, default=1.0
        How many times as much recall counts as precision; positive.

    Returns
    -------
    float
        F_beta over pairs; 1 if neither labelling puts any two rows together.

    Raises
    ------
    ValueError
        If the two differ in length, are empty, or hold a missing label, or `beta` is not positive.

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
    table = _count(y_true, y_pred)
    together_in_both = _n_pairs(table.counts)
    together_in_class = _n_pairs(table.class_sizes)
    together_in_cluster = _n_pairs(table.cluster_sizes)
    if together_in_both == 0:
        return 1.0 if together_in_class == together_in_cluster == 0 else 0.0
    return float(_f_beta(together_in_both, together_in_class, together_in_cluster, beta))


def bcubed(y_true: Any, y_pred: Any) -> BCubed:
    """Return B-cubed precision, recall and F: agreement as a row sees it, averaged over rows.

    Each in (0, 1], higher is better. Exchanging the arguments exchanges precision and recall.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        The class of each row: labels of any hashable type.
    y_pred : array-like of shape (n_samples,)
        The cluster of each row: labels of any hashable type.

    Returns
    -------
    BCubed
        precision = sum n[c, k]^2 / n_k / n; recall = sum n[c, k]^2 / n_c / n; f, their harmonic
        mean.

    Raises
    ------
    ValueError
        If the two differ in length, are empty, or hold a missing label.

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
    table = _count(y_true, y_pred)
    squares = table.counts.astype(np.float64) ** 2
    precision = float((squares / table.cluster_size_of_cell).sum() / table.n_rows)
    recall = float((squares / table.class_size_of_cell).sum() / table.n_rows)
    return BCubed(precision, recall, 2 * precision * recall / (precision + recall))


def matched_accuracy(y_true: Any, y_pred: Any) -> float:
    """Return the share of rows in the right cluster under the best one-to-one matching.

    In (0, 1], higher is better; symmetric. Also called (Hungarian) clustering accuracy. Classes
    and clusters may differ in number: those left over count as wrong.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        The class of each row: labels of any hashable type.
    y_pred : array-like of shape (n_samples,)
        The cluster of each row: labels of any hashable type.

    Returns
    -------
    float
        max over one-to-one matchings of sum n[c, matched k] / n.

    Raises
    ------
    ValueError
        If the two differ in length, are empty, or hold a missing label.

    See Also
    --------
    match_labels : The matching itself.

    References
    ----------
    Kuhn, H. W. (1955). The Hungarian method for the assignment problem. Naval Research Logistics
    Quarterly 2, 83-97.

    Examples
    --------
    >>> matched_accuracy(["x", "x", "x", "o", "o"], [1, 1, 1, 1, 2])
    0.8
    """
    table = _count(y_true, y_pred)
    return int(table.counts[_matched_cells(table)].sum()) / table.n_rows


def match_labels(y_true: Any, y_pred: Any) -> NDArray[Any]:
    """Return `y_pred` renamed: each cluster gets the name of the class that it is matched with.

    The matching is that of `matched_accuracy`. A cluster that is matched with no class (there are
    more clusters than classes, or they share no row) gets a name that no class has: the integers
    after the largest class if all classes are integers, else ``"unmatched "`` and its own label.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        The class of each row: labels of any hashable type.
    y_pred : array-like of shape (n_samples,)
        The cluster of each row: labels of any hashable type. It is not changed.

    Returns
    -------
    numpy.ndarray of shape (n_samples,)
        Labels of the type of the classes.

    Raises
    ------
    ValueError
        If the two differ in length, are empty, or hold a missing label.

    Examples
    --------
    >>> match_labels(["x", "x", "o", "o"], [7, 7, 3, 5]).tolist()
    ['x', 'x', 'o', 'unmatched 5']
    >>> match_labels([-1, -1, 0, 1], [2, 2, 1, 0]).tolist()
    [-1, -1, 0, 1]
    """
    labels = _encode(y_true, y_pred)
    table = _count_codes(labels)
    matched = _matched_cells(table)
    class_of = dict(zip(table.clusters[matched], table.classes[matched], strict=True))
    unmatched = _unused_names(labels.class_labels)
    names = [
        labels.class_labels[class_of[k]] if k in class_of else unmatched(cluster)
        for k, cluster in enumerate(labels.cluster_labels)
    ]
    return _label_array(names)[labels.clusters]


def adjust_for_chance(
    metric: Callable[[Any, Any], float],
    y_true: Any,
    y_pred: Any,
    *,
    n_resamples: int = 999,
    random_state: Any = None,
) -> AdjustedScore:
    """Return a score beside its mean under random permutations of `y_pred`, and a p-value.

    A permutation keeps the sizes of all classes and clusters and breaks their relation: what the
    score still reaches, it reaches by chance.

    Parameters
    ----------
    metric : callable
        ``metric(y_true, y_pred) -> float``, higher is better, 1 at perfect agreement: any measure
        of this module or of `sklearn.metrics`. It is called with integer codes of the labels, so
        it must not depend on their names.
    y_true : array-like of shape (n_samples,)
        The class of each row: labels of any hashable type.
    y_pred : array-like of shape (n_samples,)
        The cluster of each row: labels of any hashable type.
    n_resamples : int, default=999
        Number of permutations, at least 1.
    random_state : None, int, numpy.random.Generator or numpy.random.RandomState
        Source of the permutations; None draws anew each time.

    Returns
    -------
    AdjustedScore
        observed, expected, adjusted, pvalue, standard_error, n_resamples. Where chance alone
        gives 1 (there is one class only, say), adjusted is 1 for identical partitions and 0 for
        others, as scikit-learn's adjusted Rand index has it.

    Raises
    ------
    ValueError
        If the labels differ in length, are empty, or hold a missing label, or if `metric` returns
        a value that is not finite or is above 1.
    TypeError
        If `metric` is not callable, or returns something that is not a number.

    References
    ----------
    Hubert, L. and Arabie, P. (1985). Comparing partitions. Journal of Classification 2, 193-218,
    equation 4. Phipson, B. and Smyth, G. K. (2010). Permutation p-values should never be zero.
    Statistical Applications in Genetics and Molecular Biology 9, article 39.

    Examples
    --------
    >>> y_true = ["x"] * 99 + ["o"]
    >>> y_pred = [1] * 50 + [2] * 50
    >>> score = adjust_for_chance(purity, y_true, y_pred, n_resamples=99, random_state=0)
    >>> score.observed, round(score.expected, 6), score.adjusted
    (0.99, 0.99, 0.0)
    """
    if not callable(metric):
        raise TypeError(f"`metric` must be a function of (y_true, y_pred), got {metric!r}.")
    n_resamples = check_integer(n_resamples, "n_resamples", low=1)
    rng = check_random_state(random_state)
    labels = _encode(y_true, y_pred)
    classes, clusters = labels.classes, labels.clusters
    observed = _score(metric, classes, clusters)
    scores = np.array(
        [_score(metric, classes, rng.permutation(clusters)) for _ in range(n_resamples)]
    )
    expected = observed + float(np.mean(scores - observed))  # exact where all are equal
    as_high = int((scores >= observed - _TIE_TOLERANCE).sum())
    spread = float(scores.std(ddof=1)) if n_resamples > 1 else float("inf")
    return AdjustedScore(
        observed=observed,
        expected=expected,
        adjusted=_adjusted(observed, expected, labels),
        pvalue=(1 + as_high) / (1 + n_resamples),
        standard_error=spread / n_resamples**0.5,
        n_resamples=n_resamples,
    )


def agreement_table(y_true: Any, y_pred: Any) -> pd.DataFrame:
    """Return all measures of agreement in one table, with the question that each answers.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        The class of each row: labels of any hashable type.
    y_pred : array-like of shape (n_samples,)
        The cluster of each row: labels of any hashable type.

    Returns
    -------
    pandas.DataFrame
        One row a measure: ``value`` (1 is best), ``at chance`` ("0" for measures whose mean over
        random labels is 0, else how it behaves) and ``question``.

    Raises
    ------
    ValueError
        If the two differ in length, are empty, or hold a missing label.

    See Also
    --------
    adjust_for_chance : Puts any of them beside what chance gives.

    Examples
    --------
    >>> table = agreement_table(["x", "x", "x", "o", "o"], [1, 1, 1, 1, 2])
    >>> table.loc[["purity", "adjusted Rand index"], "value"].round(3).tolist()
    [0.8, 0.231]
    """
    from sklearn import metrics

    classes, clusters = _encode(y_true, y_pred)[:2]
    scores = bcubed(classes, clusters)
    grows, varies = "grows with the clusters", "above 0"
    rows = {
        "purity": (purity(classes, clusters), grows, "Does a cluster hold one class?"),
        "inverse purity": (
            inverse_purity(classes, clusters),
            "falls with the clusters",
            "Does a class stay in one cluster?",
        ),
        "F measure": (
            f_measure(classes, clusters),
            varies,
            "Is there, for each class, a cluster that finds it?",
        ),
        "B-cubed precision": (scores.precision, grows, "Of a row's cluster, how much is like it?"),
        "B-cubed recall": (
            scores.recall,
            "falls with the clusters",
            "Of the rows like it, how many are in its cluster?",
        ),
        "B-cubed F": (scores.f, varies, "Both at once"),
        "matched accuracy": (
            matched_accuracy(classes, clusters),
            varies,
            "With one cluster for each class, how many rows are right?",
        ),
        "pairwise F measure": (
            pairwise_f_measure(classes, clusters),
            varies,
            "Are pairs put together of one class, and pairs of one class together?",
        ),
        "Rand index": (
            metrics.rand_score(classes, clusters),
            varies,
            "Of all pairs, how many are treated alike?",
        ),
        "adjusted Rand index": (
            metrics.adjusted_rand_score(classes, clusters),
            "0",
            "Pairs treated alike, beyond chance?",
        ),
        "mutual information, normalised": (
            metrics.normalized_mutual_info_score(classes, clusters),
            grows,
            "How much does one labelling tell of the other?",
        ),
        "mutual information, adjusted": (
            metrics.adjusted_mutual_info_score(classes, clusters),
            "0",
            "How much does it tell, beyond chance?",
        ),
        "V-measure": (
            metrics.v_measure_score(classes, clusters),
            grows,
            "Homogeneous and complete? (the normalised mutual information by another name)",
        ),
    }
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["value", "at chance", "question"])
    return table.astype({"value": "float64"}).rename_axis("measure")


def plot_contingency_table(y_true: Any, y_pred: Any, *, ax: Axes | None = None) -> Axes:
    """Draw the contingency table as a heat map, clusters in the order of the classes they match.

    Colour is the share of the class (row) in the cluster; each cell shows its count. Matched
    cells, as `match_labels` has them, are framed.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        The class of each row: labels of any hashable type.
    y_pred : array-like of shape (n_samples,)
        The cluster of each row: labels of any hashable type.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on.

    Raises
    ------
    ValueError
        If the two differ in length, are empty, or hold a missing label.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> ax = plot_contingency_table(["x", "x", "o"], [1, 1, 2])
    >>> ax.get_xlabel()
    'cluster (y_pred)'
    >>> plt.close(ax.figure)
    """
    plt = pyplot()

    table = _count(y_true, y_pred)
    matched = _matched_cells(table)
    class_of = dict(zip(table.clusters[matched], table.classes[matched], strict=True))
    n_classes, n_clusters = table.shape
    order = sorted(range(n_clusters), key=lambda k: class_of.get(k, n_classes))
    counts = _full_counts(table)[:, order]
    shares = counts / counts.sum(axis=1, keepdims=True)
    if ax is None:
        _, ax = plt.subplots()
    image = ax.imshow(shares, vmin=0, vmax=1, cmap="Blues", aspect="auto")
    ax.figure.colorbar(image, ax=ax, label="share of the class")
    for (c, k), n_rows in np.ndenumerate(counts):
        color = "white" if shares[c, k] > 0.5 else "black"
        ax.text(k, c, f"{n_rows:,}", ha="center", va="center", color=color)
    for position, k in enumerate(order[: len(class_of)]):
        corner = (position - 0.46, class_of[k] - 0.46)
        ax.add_patch(plt.Rectangle(corner, 0.92, 0.92, fill=False, lw=2, ec="black"))
    ax.set_xticks(range(n_clusters), [as_written(table.cluster_labels[k]) for k in order])
    ax.set_yticks(range(n_classes), [as_written(label) for label in table.class_labels])
    ax.set_xlabel("cluster (y_pred)")
    ax.set_ylabel("class (y_true)")
    ax.spines[:].set_visible(False)
    return ax


# --- counting ---


class _Labels(NamedTuple):
    """Both labellings as codes: row i has class `class_labels[classes[i]]`."""

    classes: NDArray[np.int64]
    clusters: NDArray[np.int64]
    class_labels: list[Hashable]
    cluster_labels: list[Hashable]


class _Table(NamedTuple):
    """The cells of a contingency table that hold rows, and the labels of its two sides."""

    classes: NDArray[np.int64]
    clusters: NDArray[np.int64]
    counts: NDArray[np.int64]
    class_labels: list[Hashable]
    cluster_labels: list[Hashable]

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.class_labels), len(self.cluster_labels)

    @property
    def n_rows(self) -> int:
        return int(self.counts.sum())

    @property
    def class_sizes(self) -> NDArray[np.float64]:
        return np.bincount(self.classes, self.counts).astype(np.float64)

    @property
    def cluster_sizes(self) -> NDArray[np.float64]:
        return np.bincount(self.clusters, self.counts).astype(np.float64)

    @property
    def class_size_of_cell(self) -> NDArray[np.float64]:
        return self.class_sizes[self.classes]

    @property
    def cluster_size_of_cell(self) -> NDArray[np.float64]:
        return self.cluster_sizes[self.clusters]


def _count(y_true: Any, y_pred: Any) -> _Table:
    true, pred = one_dimensional(y_true, "y_true"), one_dimensional(y_pred, "y_pred")
    _check_lengths(true, pred)
    return _count_integers(true, pred) or _count_codes(_encode(true, pred))


def _count_codes(labels: _Labels) -> _Table:
    n_classes, n_clusters = len(labels.class_labels), len(labels.cluster_labels)
    if n_classes * n_clusters <= _MAX_SMALL_TABLE:
        counts = _small_counts(labels.classes, labels.clusters, 0, 0, n_classes, n_clusters)
        classes, clusters = np.nonzero(counts)
        cell_counts = counts[classes, clusters]
    else:
        cell_of_row, cells = pd.factorize(labels.classes * n_clusters + labels.clusters, sort=True)
        classes, clusters = np.divmod(cells, n_clusters)
        cell_counts = np.bincount(cell_of_row)
    return _Table(classes, clusters, cell_counts, labels.class_labels, labels.cluster_labels)


def _count_integers(y_true: Any, y_pred: Any) -> _Table | None:
    """Count integer arrays of small range without looking labels up; None for anything else."""
    for labels in (y_true, y_pred):
        is_integer = isinstance(labels, np.ndarray) and np.can_cast(labels.dtype, np.int64)
        if not is_integer or labels.dtype == bool or labels.size == 0:
            return None
    low_true, low_pred = int(y_true.min()), int(y_pred.min())
    n_true, n_pred = int(y_true.max()) - low_true + 1, int(y_pred.max()) - low_pred + 1
    if n_true * n_pred > _MAX_SMALL_TABLE:
        return None
    counts = _small_counts(y_true, y_pred, low_true, low_pred, n_true, n_pred)
    cells = np.nonzero(counts)
    used_true, classes = np.unique(cells[0], return_inverse=True)
    used_pred, clusters = np.unique(cells[1], return_inverse=True)
    return _Table(
        classes,
        clusters,
        counts[cells],
        [low_true + int(i) for i in used_true],
        [low_pred + int(j) for j in used_pred],
    )


def _small_counts(
    classes: NDArray[Any],
    clusters: NDArray[Any],
    low_class: int,
    low_cluster: int,
    n_classes: int,
    n_clusters: int,
) -> NDArray[np.int64]:
    """Return all cells of the table of two integer arrays that start at `low_...`."""
    counts = np.zeros(n_classes * n_clusters, dtype=np.int64)
    for start in range(0, len(classes), _BLOCK_ROWS):
        rows = slice(start, start + _BLOCK_ROWS)
        block = np.subtract(classes[rows], low_class, dtype=np.int64, casting="unsafe")
        block *= n_clusters
        block += clusters[rows].astype(np.int64) - low_cluster
        counts += np.bincount(block, minlength=counts.size)
    return counts.reshape(n_classes, n_clusters)


def _full_counts(table: _Table) -> NDArray[np.int64]:
    """Return the table with its empty cells."""
    n_classes, n_clusters = table.shape
    if n_classes * n_clusters > _MAX_CELLS:
        raise ValueError(
            f"`y_true` has {n_classes:,} and `y_pred` {n_clusters:,} distinct labels: a table of "
            f"{n_classes * n_clusters:,} cells; at most {_MAX_CELLS:,} are accepted."
        )
    counts = np.zeros(table.shape, dtype=np.int64)
    counts[table.classes, table.clusters] = table.counts
    return counts


# --- labels as codes ---


def _encode(y_true: Any, y_pred: Any) -> _Labels:
    classes, class_labels = encode_labels(y_true, "y_true")
    clusters, cluster_labels = encode_labels(y_pred, "y_pred")
    _check_lengths(classes, clusters)
    return _Labels(classes, clusters, class_labels, cluster_labels)


def _check_lengths(y_true: Any, y_pred: Any) -> None:
    if len(y_true) != len(y_pred):
        raise ValueError(
            f"`y_true` and `y_pred` must have one label for each row: `y_true` has {len(y_true)}, "
            f"`y_pred` has {len(y_pred)}."
        )


# --- measures of a table ---


def _largest(values: NDArray[Any], groups: NDArray[np.int64]) -> float:
    """Return the sum over groups of the largest of their values, none of which is negative."""
    largest = np.zeros(groups.max() + 1, dtype=values.dtype)
    np.maximum.at(largest, groups, values)
    return float(largest.sum())


def _f_beta(true_positives: Any, positives: Any, found: Any, beta: float) -> Any:
    """Return F_beta of counts above 0: their weighted harmonic mean, safe for any beta."""
    weight = 1 / (1 + beta * beta)
    return true_positives / (positives + weight * (found - positives))


def _n_pairs(sizes: NDArray[Any]) -> float:
    sizes = sizes.astype(np.float64)
    return float((sizes * (sizes - 1)).sum() / 2)


def _matched_cells(table: _Table) -> NDArray[np.int64]:
    """Return the positions of the cells that the best one-to-one matching picks."""
    n_classes, n_clusters = table.shape
    match = _match_all if n_classes * n_clusters <= _MAX_FULL_MATCHING else _match_sparse
    classes, clusters = match(table)
    cluster_of = np.full(n_classes, -1)
    cluster_of[classes] = clusters
    return np.flatnonzero(cluster_of[table.classes] == table.clusters)


def _match_all(table: _Table) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    from scipy.optimize import linear_sum_assignment

    classes, clusters = linear_sum_assignment(_full_counts(table), maximize=True)
    return classes, clusters


def _match_sparse(table: _Table) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Match without the empty cells: a class may also take a cluster of its own that has no row.

    So every class finds a partner, as the solver demands, and 1 more for each changes no order.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    n_classes, n_clusters = table.shape
    every = np.arange(n_classes)
    weights = np.concatenate([table.counts + 1.0, np.ones(n_classes)])
    rows = np.concatenate([table.classes, every])
    columns = np.concatenate([table.clusters, n_clusters + every])
    graph = csr_array((weights, (rows, columns)), shape=(n_classes, n_clusters + n_classes))
    classes, clusters = min_weight_full_bipartite_matching(graph, maximize=True)
    return classes, clusters


# --- chance ---


def _score(
    metric: Callable[[Any, Any], Any], classes: NDArray[np.int64], clusters: NDArray[np.int64]
) -> float:
    value = metric(classes, clusters)
    if not isinstance(value, Real):
        raise TypeError(
            f"`metric` must return a number, got {type(value).__name__}; of several scores, pass a "
            "function that returns one, such as `lambda y_true, y_pred: bcubed(y_true, y_pred).f`."
        )
    if not value <= 1 + _TIE_TOLERANCE or value == -np.inf:
        raise ValueError(
            f"`metric` must be at most 1 (at perfect agreement) and not missing, got {value!r}."
        )
    return float(value)


def _adjusted(observed: float, expected: float, labels: _Labels) -> float:
    if expected < 1 - _TIE_TOLERANCE:
        return (observed - expected) / (1 - expected)
    table = _count_codes(labels)
    return 1.0 if table.shape == (table.counts.size, table.counts.size) else 0.0


# --- names of labels ---


def _label_index(labels: list[Hashable], name: str) -> pd.Index[Any]:
    return pd.Index(_label_array(labels), name=name, tupleize_cols=False)


def _label_array(labels: Sequence[Hashable]) -> NDArray[Any]:
    """Return labels as an array of their own type; of objects where they have none in common."""
    types = {type(label) for label in labels}
    if len(types) == 1 and types <= _ARRAY_KINDS.keys():
        array = np.array(labels)
        if array.dtype.kind in _ARRAY_KINDS[types.pop()]:
            return array
    array = np.empty(len(labels), dtype=object)
    for i, label in enumerate(labels):
        array[i] = label
    return array


def _unused_names(classes: list[Hashable]) -> Callable[[Hashable], Hashable]:
    """Return a function that names an unmatched cluster as no class is named."""
    integers = [label for label in classes if type(label) is int]
    if len(integers) == len(classes):
        following = count(max(integers) + 1)
        return lambda cluster: next(following)
    taken = set(classes)

    def name(cluster: Hashable) -> Hashable:
        candidate = f"unmatched {cluster}"
        while candidate in taken:
            candidate += "'"
        taken.add(candidate)
        return candidate

    return name
