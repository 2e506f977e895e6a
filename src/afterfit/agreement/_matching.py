"""One cluster for each class: the best one-to-one matching, and clusters renamed by it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from afterfit._labels import encode_labels
from afterfit.agreement._table import Table, label_array, read_table

# A round that finds less than this share of the cells leaves the rest to a general algorithm.
_LEAST_PROGRESS = 0.01

# Up to this many cells the best matching is searched in the full table, beyond it among the cells
# that hold rows.
_MAX_FULL_MATCHING = 1 << 22


def matched_accuracy(
    y_true: Any, y_pred: Any = None, *, sample_weight: Any = None, noise_label: Any = None
) -> float:
    """Return the share of rows in the right cluster under the best one-to-one matching.

    In (0, 1], higher is better; symmetric. Also called (Hungarian) clustering accuracy. Classes
    and clusters may differ in number: those left over count as wrong.

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
        max over one-to-one matchings of sum n[c, matched k] / n.

    Raises
    ------
    ValueError
        If the input is refused as by `contingency_table`.

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
    table = read_table(y_true, y_pred, sample_weight, noise_label)
    matched = matched_cells(table, np.arange(table.shape[1]))
    return float(table.counts[matched].sum()) / table.n_rows


def match_labels(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, noise_label: Any = None
) -> NDArray[Any]:
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
    sample_weight : array-like of shape (n_samples,), optional
        How many rows each row stands for.
    noise_label : hashable, optional
        Rows with this label in `y_pred` are matched with no class and keep it.

    Returns
    -------
    numpy.ndarray of shape (n_samples,)
        Labels of the type of the classes.

    Raises
    ------
    ValueError
        If the input is refused as by `contingency_table`, or is no labels.

    Notes
    -----
    Of several best matchings one is taken by the counts of the clusters and, where these are equal
    too, by the order in which they first appear; the names of the clusters are never asked.

    Examples
    --------
    >>> match_labels(["x", "x", "o", "o"], [7, 7, 3, 5]).tolist()
    ['x', 'x', 'o', 'unmatched 5']
    >>> match_labels([-1, -1, 0, 1], [2, 2, 1, 0]).tolist()
    [-1, -1, 0, 1]
    """
    if len(getattr(y_pred, "shape", ())) == 2 and y_pred.shape[1] != 1:
        raise ValueError(
            "`y_pred` must be labels, got posteriors; take the most probable cluster with "
            "`np.argmax(y_pred, axis=1)`."
        )
    table = read_table(y_true, y_pred, sample_weight, noise_label)
    clusters, cluster_labels = encode_labels(y_pred, "y_pred")
    order = tie_order(table, y_pred)
    class_of = {
        table.cluster_labels[table.clusters[cell]]: table.class_labels[table.classes[cell]]
        for cell in matched_cells(table, order)
    }
    unmatched = _unused_names(encode_labels(y_true, "y_true")[1])
    names = {noise_label: noise_label}
    for cluster in [*(table.cluster_labels[k] for k in order), *cluster_labels]:
        if cluster not in names:
            names[cluster] = class_of[cluster] if cluster in class_of else unmatched(cluster)
    return label_array([names[cluster] for cluster in cluster_labels])[clusters]


# --- the matching ---


def tie_order(table: Table, y_pred: Any = None) -> NDArray[np.intp]:
    """Return the clusters in an order that their names have no part in.

    By a random mark for each class, summed over the rows of the cluster, and where it is equal by
    the first row of the cluster, if `y_pred` are labels.
    """
    marks = np.random.default_rng(0).random(table.shape[0])
    content = np.bincount(table.clusters, table.counts * marks[table.classes])
    first = np.arange(table.shape[1])
    if y_pred is not None and len(np.shape(y_pred)) == 1:
        codes, labels = encode_labels(y_pred, "y_pred")
        row_of = dict(zip(labels, np.unique(codes, return_index=True)[1], strict=True))
        first = np.array([row_of[label] for label in table.cluster_labels])
    return np.lexsort((first, content))


def matched_cells(table: Table, order: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the cells that the best one-to-one matching picks; ties go by `order`."""
    rank = np.empty(order.size, dtype=np.intp)
    rank[order] = np.arange(order.size)
    cells = np.lexsort((rank[table.clusters], table.classes))
    chosen = []
    while cells.size:
        classes, clusters = table.classes[cells], rank[table.clusters[cells]]
        counts = table.counts[cells]
        # A cell that holds no fewer rows than the largest others of its class and its cluster
        # together is part of a best matching: in one without it, exchanging those two for it and
        # what they leave loses nothing.
        others = _largest_other(counts, classes) + _largest_other(counts, clusters)
        sure = np.flatnonzero(counts >= others)
        sure = sure[np.unique(classes[sure], return_index=True)[1]]
        sure = sure[np.unique(clusters[sure], return_index=True)[1]]
        if sure.size < _LEAST_PROGRESS * cells.size:
            chosen.append(cells[_solve(classes, clusters, counts)])
            break
        chosen.append(cells[sure])
        taken = np.isin(classes, classes[sure]) | np.isin(clusters, clusters[sure])
        cells = cells[~taken]
    return np.concatenate(chosen)


def _largest_other(values: NDArray[Any], groups: NDArray[np.intp]) -> NDArray[Any]:
    """Return for each value the largest of the others of its group, 0 if there are none."""
    order = np.lexsort((values, groups))
    sorted_groups, sorted_values = groups[order], values[order]
    last = np.flatnonzero(np.append(np.diff(sorted_groups) > 0, True))
    size = np.diff(last, prepend=-1)
    other = np.repeat(sorted_values[last], size)
    other[last] = np.where(size > 1, sorted_values[last - 1], 0)
    result = np.empty_like(other)
    result[order] = other
    return result


def _solve(
    classes: NDArray[np.intp], clusters: NDArray[np.intp], counts: NDArray[Any]
) -> NDArray[np.intp]:
    """Return the cells of a best matching by an algorithm that finds it in any table."""
    from scipy.optimize import linear_sum_assignment
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    classes, clusters = (np.unique(c, return_inverse=True)[1] for c in (classes, clusters))
    n_classes, n_clusters = classes.max() + 1, clusters.max() + 1
    if n_classes * n_clusters <= _MAX_FULL_MATCHING:
        full = coo_array((counts, (classes, clusters))).toarray()
        rows, columns = linear_sum_assignment(full, maximize=True)
    else:
        # Without the empty cells. A class may also take a cluster of its own that has no row: so
        # every class finds a partner, as the solver demands, and 1 more for each changes no order.
        every = np.arange(n_classes)
        weights = np.concatenate([counts + 1, np.ones(n_classes)])
        ends = np.append(classes, every), np.append(clusters, n_clusters + every)
        graph = coo_array((weights, ends)).tocsr()
        rows, columns = min_weight_full_bipartite_matching(graph, maximize=True)
    cluster_of = np.full(n_classes, -1)
    cluster_of[rows] = columns
    return np.flatnonzero(cluster_of[classes] == clusters)


# --- names ---


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
