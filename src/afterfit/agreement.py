"""How well clusters agree with known classes: purity and what it leaves out.

Every measure is a function of the contingency table n[c, k], the number of rows of class c in
cluster k, so that the names of labels and the order of rows never matter.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from afterfit._validation import check_integer, check_random_state, check_real, listing

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

# Integer labels are counted in place of being looked up when their range has at most this many
# values, and in blocks of this many rows, so that a block stays in the processor's cache.
_MAX_DIRECT_RANGE = 1 << 16
_BLOCK_ROWS = 1 << 16

# A contingency table may have at most this many cells (2 GB).
_MAX_CELLS = 1 << 28

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
        Counts; the index holds the classes and the columns the clusters, each sorted, or in order
        of appearance if they cannot be sorted.

    Raises
    ------
    ValueError
        If the two differ in length, are empty, or hold a missing label.
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
    counts, classes, clusters = _count(y_true, y_pred)
    return pd.DataFrame(
        counts,
        index=_label_index(classes, "y_true"),
        columns=_label_index(clusters, "y_pred"),
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
    Cambridge University Press, equation 16.1.

    Examples
    --------
    >>> purity(["x", "x", "x", "o", "o"], [1, 1, 1, 1, 2])
    0.8
    """
    counts, _, _ = _count(y_true, y_pred)
    return _purity(counts)


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
    counts, _, _ = _count(y_true, y_pred)
    return _purity(counts.T)


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
    counts, _, _ = _count(y_true, y_pred)
    class_sizes = counts.sum(axis=1, keepdims=True)
    cluster_sizes = counts.sum(axis=0, keepdims=True)
    f = (1 + beta**2) * counts / (cluster_sizes + beta**2 * class_sizes)
    return float((class_sizes[:, 0] * f.max(axis=1)).sum() / counts.sum())


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
    Cambridge University Press, equation 16.4.

    Examples
    --------
    >>> round(pairwise_f_measure(["x", "x", "x", "o", "o"], [1, 1, 1, 1, 2]), 4)
    0.6
    """
    beta = check_real(beta, "beta", low=0, closed=False)
    counts, _, _ = _count(y_true, y_pred)
    together_in_both = _n_pairs(counts)
    together_in_class = _n_pairs(counts.sum(axis=1))
    together_in_cluster = _n_pairs(counts.sum(axis=0))
    denominator = together_in_cluster + beta**2 * together_in_class
    return (1 + beta**2) * together_in_both / denominator if denominator else 1.0


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
    counts, _, _ = _count(y_true, y_pred)
    squares = counts.astype(np.float64) ** 2
    n = counts.sum()
    precision = float((squares.sum(axis=0) / counts.sum(axis=0)).sum() / n)
    recall = float((squares.sum(axis=1) / counts.sum(axis=1)).sum() / n)
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
    counts, _, _ = _count(y_true, y_pred)
    rows, columns = _matching(counts)
    return float(counts[rows, columns].sum() / counts.sum())


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
    counts, classes, clusters = _count(y_true, y_pred)
    matched = {k: c for c, k in zip(*_matching(counts), strict=True) if counts[c, k] > 0}
    unmatched = _unused_names(classes)
    names = [
        classes[matched[k]] if k in matched else unmatched(cluster)
        for k, cluster in enumerate(clusters)
    ]
    codes, _ = _encode_labels(y_pred, "y_pred")
    return _label_array(names)[codes]


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
        of this module or of `sklearn.metrics`. It is called with integer codes of the labels.
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
        If the labels differ in length, are empty, or hold a missing label.
    TypeError
        If `metric` is not callable.

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
    classes, _ = _encode_labels(y_true, "y_true")
    clusters, _ = _encode_labels(y_pred, "y_pred")
    _check_lengths(classes, clusters)
    observed = float(metric(classes, clusters))
    scores = np.array([metric(classes, rng.permutation(clusters)) for _ in range(n_resamples)])
    expected = observed + float(np.mean(scores - observed))  # exact where all are equal
    as_high = int((scores >= observed - _TIE_TOLERANCE).sum())
    spread = float(scores.std(ddof=1)) if n_resamples > 1 else float("inf")
    return AdjustedScore(
        observed=observed,
        expected=expected,
        adjusted=_adjusted(observed, expected, classes, clusters),
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

    classes, _ = _encode_labels(y_true, "y_true")
    clusters, _ = _encode_labels(y_pred, "y_pred")
    _check_lengths(classes, clusters)
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
            "Of the pairs put together, are they of one class?",
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
    cells stand on the diagonal and are framed.

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
    import matplotlib.pyplot as plt

    table = contingency_table(y_true, y_pred)
    counts = table.to_numpy()
    rows, columns = _matching(counts)
    order = [int(column) for column in columns] + sorted(set(range(counts.shape[1])) - set(columns))
    counts = counts[:, order]
    shares = counts / counts.sum(axis=1, keepdims=True)
    if ax is None:
        _, ax = plt.subplots()
    image = ax.imshow(shares, vmin=0, vmax=1, cmap="Blues", aspect="auto")
    ax.figure.colorbar(image, ax=ax, label="share of the class")
    for (c, k), n_rows in np.ndenumerate(counts):
        color = "white" if shares[c, k] > 0.5 else "black"
        ax.text(k, c, f"{n_rows:,}", ha="center", va="center", color=color)
    for position, c in enumerate(rows):
        frame = plt.Rectangle((position - 0.46, c - 0.46), 0.92, 0.92, fill=False, lw=2, ec="black")
        ax.add_patch(frame)
    ax.set_xticks(range(len(order)), [str(table.columns[k]) for k in order])
    ax.set_yticks(range(len(table)), [str(label) for label in table.index])
    ax.set_xlabel("cluster (y_pred)")
    ax.set_ylabel("class (y_true)")
    ax.spines[:].set_visible(False)
    return ax


# --- counting ---


def _count(y_true: Any, y_pred: Any) -> tuple[NDArray[np.int64], list[Hashable], list[Hashable]]:
    """Return the contingency table and the labels of its rows and columns."""
    direct = _count_integers(y_true, y_pred)
    if direct is not None:
        return direct
    classes, class_labels = _encode_labels(y_true, "y_true")
    clusters, cluster_labels = _encode_labels(y_pred, "y_pred")
    _check_lengths(classes, clusters)
    n_classes, n_clusters = len(class_labels), len(cluster_labels)
    if n_classes * n_clusters > _MAX_CELLS:
        raise ValueError(
            f"`y_true` has {n_classes:,} and `y_pred` {n_clusters:,} distinct labels: a table of "
            f"{n_classes * n_clusters:,} cells; at most {_MAX_CELLS:,} are accepted."
        )
    counts = _joint_counts(classes, clusters, 0, 0, n_classes, n_clusters)
    return counts, class_labels, cluster_labels


def _count_integers(
    y_true: Any, y_pred: Any
) -> tuple[NDArray[np.int64], list[Hashable], list[Hashable]] | None:
    """Count integer arrays of small range without looking labels up; None for anything else."""
    for labels in (y_true, y_pred):
        is_plain = isinstance(labels, np.ndarray) and labels.ndim == 1 and labels.size > 0
        if not is_plain or not np.can_cast(labels.dtype, np.int64) or labels.dtype == bool:
            return None
    _check_lengths(y_true, y_pred)
    low_true, low_pred = int(y_true.min()), int(y_pred.min())
    n_rows, n_columns = int(y_true.max()) - low_true + 1, int(y_pred.max()) - low_pred + 1
    if n_rows * n_columns > min(_MAX_DIRECT_RANGE, 16 * len(y_true) + 64):
        return None
    counts = _joint_counts(y_true, y_pred, low_true, low_pred, n_rows, n_columns)
    rows, columns = counts.any(axis=1), counts.any(axis=0)
    return (
        counts[np.ix_(rows, columns)],
        [low_true + int(i) for i in np.flatnonzero(rows)],
        [low_pred + int(j) for j in np.flatnonzero(columns)],
    )


def _joint_counts(
    classes: NDArray[Any],
    clusters: NDArray[Any],
    low_class: int,
    low_cluster: int,
    n_classes: int,
    n_clusters: int,
) -> NDArray[np.int64]:
    counts = np.zeros(n_classes * n_clusters, dtype=np.int64)
    # Wide tables pay for each block's bincount: let a block be at least as long as the table.
    step = max(_BLOCK_ROWS, counts.size)
    for start in range(0, len(classes), step):
        block = np.subtract(
            classes[start : start + step], low_class, dtype=np.int64, casting="unsafe"
        )
        block *= n_clusters
        block += clusters[start : start + step].astype(np.int64) - low_cluster
        counts += np.bincount(block, minlength=counts.size)
    return counts.reshape(n_classes, n_clusters)


def _encode_labels(labels: Any, name: str) -> tuple[NDArray[np.int64], list[Hashable]]:
    """Return integer codes and the distinct labels, sorted where they can be."""
    values = _one_dimensional(labels, name)
    missing = np.asarray(pd.isna(values))
    if missing.any():
        rows = np.flatnonzero(missing)
        raise ValueError(
            f"`{name}` must have a label for every row, got {rows.size} missing label(s), "
            f"in row(s) {listing(rows.tolist())}."
        )
    if len(values) == 0:
        raise ValueError(f"`{name}` must have at least one label, got none.")
    try:
        codes, uniques = pd.factorize(values)
    except TypeError as error:
        raise TypeError(f"`{name}` must hold hashable labels ({error}).") from None
    distinct = list(uniques.tolist() if hasattr(uniques, "tolist") else uniques)
    try:
        order = sorted(range(len(distinct)), key=lambda i: distinct[i])
    except TypeError:  # labels of several types: in order of appearance
        order = list(range(len(distinct)))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank[codes], [distinct[i] for i in order]


def _one_dimensional(labels: Any, name: str) -> Any:
    if isinstance(labels, pd.Series | pd.Index | pd.Categorical):
        return labels.array if not isinstance(labels, pd.Categorical) else labels
    if isinstance(labels, np.ndarray):
        if labels.ndim != 1:
            raise ValueError(
                f"`{name}` must have one dimension, got shape {labels.shape}; "
                "pass one column, for instance with `.ravel()`."
            )
        return labels
    if isinstance(labels, str | bytes) or not isinstance(labels, Sequence):
        raise TypeError(
            f"`{name}` must be a list, an array or a pandas Series of labels, "
            f"got {type(labels).__name__}."
        )
    # An object array, so that tuples and labels of mixed types stay as they are.
    return np.fromiter(labels, dtype=object, count=len(labels))


def _check_lengths(y_true: Any, y_pred: Any) -> None:
    if len(y_true) != len(y_pred):
        raise ValueError(
            f"`y_true` and `y_pred` must have one label for each row: `y_true` has {len(y_true)}, "
            f"`y_pred` has {len(y_pred)}."
        )


# --- measures of a table ---


def _purity(counts: NDArray[np.int64]) -> float:
    return float(counts.max(axis=0).sum() / counts.sum())


def _n_pairs(sizes: NDArray[np.int64]) -> float:
    sizes = sizes.astype(np.float64)
    return float((sizes * (sizes - 1)).sum() / 2)


def _matching(counts: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(counts, maximize=True)
    return rows, columns


def _adjusted(
    observed: float, expected: float, classes: NDArray[np.int64], clusters: NDArray[np.int64]
) -> float:
    if expected < 1 - _TIE_TOLERANCE:
        return (observed - expected) / (1 - expected)
    counts, _, _ = _count(classes, clusters)
    identical = counts.shape[0] == counts.shape[1] == np.count_nonzero(counts)
    return 1.0 if identical else 0.0


# --- names of labels ---


def _label_index(labels: list[Hashable], name: str) -> pd.Index[Any]:
    return pd.Index(_label_array(labels), name=name, tupleize_cols=False)


def _label_array(labels: Sequence[Hashable]) -> NDArray[Any]:
    """Return labels as an array of their own type; of objects where they have none in common."""
    types = {type(label) for label in labels}
    if len(types) == 1 and types <= {int, float, bool, str}:
        return np.array(labels)
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
