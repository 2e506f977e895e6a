"""The contingency table, from labels, posteriors or counts: what every measure is a function of."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from afterfit._labels import encode_labels, one_dimensional
from afterfit._validation import as_float_array, check_matrix, check_same_length, column_names

# A table of at most this many cells is counted cell by cell, and in blocks of this many rows, so
# that both stay in the processor's cache. In a larger one only the cells that hold rows are kept.
_MAX_SMALL_TABLE = 1 << 16
_BLOCK_ROWS = 1 << 16

# `contingency_table`, which shows the empty cells too, gives at most this many (2 GB).
_MAX_CELLS = 1 << 28

# How far the posteriors of a row may be from a sum of 1: float32 of a thousand components.
_SUM_TOLERANCE = 1e-4

# The kinds of NumPy arrays that hold labels of a type as they are; huge integers would be rounded.
_ARRAY_KINDS = {int: "iu", float: "f", bool: "b", str: "U"}


def contingency_table(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, noise_label: Any = None
) -> pd.DataFrame:
    """Return how many rows each class has in each cluster.

    Every other function of this module takes the result in place of the labels.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_classes)
        The class of each row: labels of any hashable type, or the probability of each class.
    y_pred : array-like of shape (n_samples,) or (n_samples, n_clusters)
        The cluster of each row: labels of any hashable type, or posterior probabilities, of which
        each cluster gets its share of the row.
    sample_weight : array-like of shape (n_samples,), optional
        How many rows each row stands for, not negative.
    noise_label : hashable, optional
        The label in `y_pred` of rows that are in no cluster, such as HDBSCAN's -1: they are left
        out. `separate_noise` makes each of them a cluster of its own instead.

    Returns
    -------
    pandas.DataFrame of shape (n_classes, n_clusters)
        Counts; the index holds the classes and the columns the clusters, each sorted (an ordered
        categorical by its categories), or in order of appearance if they cannot be sorted.
        Categories that no row has are left out. Counts are integers where all are whole.

    Raises
    ------
    ValueError
        If the two differ in length or in their index, are empty, or hold a missing label, if rows
        of posteriors do not sum to 1, or if the table would have more than 268,435,456 cells.
    TypeError
        If a label is not hashable.

    Examples
    --------
    >>> contingency_table(["cat", "cat", "dog"], [1, 2, 2])
    y_pred  1  2
    y_true
    cat     1  1
    dog     0  1
    >>> contingency_table(["cat", "dog"], np.array([[0.9, 0.1], [0.2, 0.8]]))
    y_pred    0    1
    y_true
    cat     0.9  0.1
    dog     0.2  0.8
    """
    table = read_table(y_true, y_pred, sample_weight, noise_label)
    return pd.DataFrame(
        full_counts(table),
        index=_label_index(table.class_labels, "y_true"),
        columns=_label_index(table.cluster_labels, "y_pred"),
    )


def separate_noise(y_pred: Any, noise_label: Hashable = -1) -> NDArray[np.intp]:
    """Return clusters as integers, each row of noise in a cluster of its own.

    The other reading of noise, leaving its rows out, is the argument `noise_label` of the measures.

    Parameters
    ----------
    y_pred : array-like of shape (n_samples,)
        The cluster of each row: labels of any hashable type. It is not changed.
    noise_label : hashable, default=-1
        The label of rows that are in no cluster.

    Returns
    -------
    numpy.ndarray of shape (n_samples,)
        The clusters, numbered from 0 in the order of their labels, then the rows of noise.

    Raises
    ------
    ValueError
        If `y_pred` is empty or holds a missing label.

    Examples
    --------
    >>> separate_noise([0, 0, -1, 1, -1]).tolist()
    [0, 0, 2, 1, 3]
    """
    codes, labels = encode_labels(y_pred, "y_pred")
    is_noise = codes == (labels.index(noise_label) if noise_label in labels else -1)
    alone = np.where(is_noise, len(labels) + np.cumsum(is_noise), codes)
    numbered: NDArray[np.intp] = np.unique(alone, return_inverse=True)[1]
    return numbered


# --- for the other rooms ---


class Table(NamedTuple):
    """The cells of a contingency table that hold rows, and the labels of its two sides."""

    classes: NDArray[np.intp]
    clusters: NDArray[np.intp]
    counts: NDArray[Any]  # int64 where all are whole, else float64
    class_labels: list[Hashable]
    cluster_labels: list[Hashable]
    noise_share: float = 0.0  # of the rows, left out as noise

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.class_labels), len(self.cluster_labels)

    @property
    def is_whole(self) -> bool:
        return self.counts.dtype.kind == "i"

    @property
    def n_rows(self) -> float:
        return float(self.counts.sum())

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

    @property
    def is_identity(self) -> bool:
        """Whether both labellings make the same groups."""
        return self.shape == (self.counts.size, self.counts.size)


def read_table(
    y_true: Any, y_pred: Any = None, sample_weight: Any = None, noise_label: Any = None
) -> Table:
    """Return the table of two labellings, or of the counts that stand in place of the first."""
    if isinstance(y_true, Table):
        return y_true
    if y_pred is None:
        if sample_weight is not None:
            raise ValueError("`sample_weight` needs labels: a contingency table holds its weights.")
        table = _read_counts(y_true)
    else:
        table = _count(y_true, y_pred, sample_weight)
    return table if noise_label is None else _without_noise(table, noise_label)


def whole_table(table: Table, what: str) -> Table:
    """Return the table if all its counts are whole, or raise: `what` is done with rows."""
    if not table.is_whole:
        count = table.counts[table.counts != np.rint(table.counts)][0]
        raise ValueError(
            f"{what} must be given whole numbers of rows, got {count:g} rows in a cell. Of "
            "posteriors take the most probable cluster, `np.argmax(y_pred, axis=1)`; of weights, "
            "whole ones."
        )
    return table


def full_counts(table: Table) -> NDArray[Any]:
    """Return the table with its empty cells."""
    n_classes, n_clusters = table.shape
    if n_classes * n_clusters > _MAX_CELLS:
        raise ValueError(
            f"`y_true` has {n_classes:,} and `y_pred` {n_clusters:,} distinct labels: a table of "
            f"{n_classes * n_clusters:,} cells; at most {_MAX_CELLS:,} are accepted."
        )
    counts = np.zeros(table.shape, dtype=table.counts.dtype)
    counts[table.classes, table.clusters] = table.counts
    return counts


def label_array(labels: Sequence[Hashable]) -> NDArray[Any]:
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


def check_same_index(**arguments: Any) -> None:
    """Raise if those of the arguments that are of pandas differ in their index."""
    indexed = {n: v for n, v in arguments.items() if isinstance(v, pd.Series | pd.DataFrame)}
    for name, values in list(indexed.items())[1:]:
        first, reference = next(iter(indexed.items()))
        if not values.index.equals(reference.index):
            ours, other = reference.index.tolist(), values.index.tolist()
            row = next((i for i, label in enumerate(ours) if label != other[i]), 0)
            raise ValueError(
                f"`{first}` and `{name}` must have the same index, got {ours[row]!r} and "
                f"{other[row]!r} in row {row}. To align them by index pass "
                f"`{name}.reindex({first}.index)`, to take them in the order in which they stand "
                f"`{name}.to_numpy()`."
            )


# --- counting labels ---


def _count(y_true: Any, y_pred: Any, sample_weight: Any) -> Table:
    given = {"y_true": y_true, "y_pred": y_pred}
    true, pred = (v if _is_matrix(v) else one_dimensional(v, name) for name, v in given.items())
    weights = None if sample_weight is None else _read_weights(sample_weight)
    check_same_length(
        y_true=true, y_pred=pred, **({} if weights is None else {"sample_weight": weights})
    )
    check_same_index(**given, sample_weight=sample_weight)
    if _is_matrix(true) or _is_matrix(pred):
        return _share_rows(true, pred, weights)
    table = _count_integers(true, pred, weights)
    if table is None:
        classes, class_labels = encode_labels(true, "y_true")
        clusters, cluster_labels = encode_labels(pred, "y_pred")
        table = _count_codes(classes, clusters, weights, class_labels, cluster_labels)
    return table if weights is None else _used_labels(table)


def _count_codes(
    classes: NDArray[np.intp],
    clusters: NDArray[np.intp],
    weights: NDArray[np.float64] | None,
    class_labels: list[Hashable],
    cluster_labels: list[Hashable],
) -> Table:
    n_classes, n_clusters = len(class_labels), len(cluster_labels)
    if n_classes * n_clusters <= _MAX_SMALL_TABLE:
        counts = _small_counts(classes, clusters, weights, (0, 0), (n_classes, n_clusters))
        cells = np.nonzero(counts)
        return Table(cells[0], cells[1], counts[cells], class_labels, cluster_labels)
    # On a 32-bit platform intp is too narrow for the number of a cell.
    cell_of_row, codes = pd.factorize(classes.astype(np.int64) * n_clusters + clusters, sort=True)
    counts = _as_whole(np.bincount(cell_of_row, weights))
    classes, clusters = (c.astype(np.intp) for c in np.divmod(codes[counts > 0], n_clusters))
    return Table(classes, clusters, counts[counts > 0], class_labels, cluster_labels)


def _count_integers(y_true: Any, y_pred: Any, weights: Any) -> Table | None:
    """Count integer arrays of small range without looking labels up; None for anything else."""
    for labels in (y_true, y_pred):
        is_integer = isinstance(labels, np.ndarray) and np.can_cast(labels.dtype, np.int64)
        if not is_integer or labels.dtype == bool or labels.size == 0:
            return None
    lows = int(y_true.min()), int(y_pred.min())
    n_true, n_pred = int(y_true.max()) - lows[0] + 1, int(y_pred.max()) - lows[1] + 1
    if n_true * n_pred > _MAX_SMALL_TABLE:
        return None
    counts = _small_counts(y_true, y_pred, weights, lows, (n_true, n_pred))
    classes, clusters = np.nonzero(counts)
    used_true, classes_used = np.unique(classes, return_inverse=True)
    used_pred, clusters_used = np.unique(clusters, return_inverse=True)
    return Table(
        classes_used,
        clusters_used,
        counts[classes, clusters],
        [lows[0] + int(i) for i in used_true],
        [lows[1] + int(j) for j in used_pred],
    )


def _small_counts(
    classes: NDArray[Any],
    clusters: NDArray[Any],
    weights: NDArray[np.float64] | None,
    lows: tuple[int, int],
    shape: tuple[int, int],
) -> NDArray[Any]:
    """Return all cells of the table of two integer arrays that start at `lows`."""
    counts = np.zeros(shape[0] * shape[1], dtype=np.int64 if weights is None else np.float64)
    for start in range(0, len(classes), _BLOCK_ROWS):
        rows = slice(start, start + _BLOCK_ROWS)
        block = np.subtract(classes[rows], lows[0], dtype=np.int64, casting="unsafe")
        block *= shape[1]
        block += clusters[rows].astype(np.int64) - lows[1]
        counts += np.bincount(
            block, None if weights is None else weights[rows], minlength=counts.size
        )
    return _as_whole(counts).reshape(shape)


def _as_whole(counts: NDArray[Any]) -> NDArray[Any]:
    """Return counts as integers if they are."""
    return counts.astype(np.int64) if np.array_equal(counts, np.rint(counts)) else counts


# --- weights, posteriors, counts ---


def _is_matrix(labels: Any) -> bool:
    return len(getattr(labels, "shape", ())) == 2 and hasattr(labels, "__array__")


def _read_weights(sample_weight: Any) -> NDArray[np.float64]:
    weights = as_float_array(sample_weight, "sample_weight")
    if weights.ndim != 1 or not np.isfinite(weights).all():
        got = f"shape {weights.shape}" if weights.ndim != 1 else "missing or infinite ones"
        raise ValueError(f"`sample_weight` must be one finite number for each row, got {got}.")
    return _not_negative(weights, "sample_weight")


def _not_negative(values: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    if (values < 0).any():
        raise ValueError(
            f"`{name}` must not be negative, got {values[values < 0].flat[0]:g} "
            f"in {int((values < 0).sum())} place(s)."
        )
    if not values.sum() > 0:
        raise ValueError(f"`{name}` must have a positive sum, got 0.")
    return values


def _share_rows(y_true: Any, y_pred: Any, weights: NDArray[np.float64] | None) -> Table:
    """Return the table of rows of which each class and each cluster has a share."""
    (true, class_labels), (pred, cluster_labels) = (
        _memberships(y_true, "y_true"),
        _memberships(y_pred, "y_pred"),
    )
    if weights is not None:
        true = true.multiply(weights[:, None])
    return _from_matrix(true.T @ pred, class_labels, cluster_labels)


def _memberships(labels: Any, name: str) -> tuple[Any, list[Hashable]]:
    """Return the share of each row in each label, as a sparse matrix, and the labels."""
    from scipy.sparse import csr_array

    if not _is_matrix(labels):
        codes, names = encode_labels(labels, name)
        ones = np.ones(codes.size)
        return csr_array((ones, (np.arange(codes.size), codes))), names
    columns = column_names(labels, name) or list(range(labels.shape[1]))
    if len(columns) == 1:
        _check_one_column(labels, columns[0], name)
    shares = _not_negative(check_matrix(labels, name), name)
    wrong = np.flatnonzero(np.abs(shares.sum(axis=1) - 1) > _SUM_TOLERANCE)
    if wrong.size:
        raise ValueError(
            f"`{name}` with two dimensions must hold posterior probabilities, which sum to 1 in "
            f"each row; got a sum of {shares[wrong[0]].sum():g} in row {wrong[0]} "
            f"({wrong.size} row(s) in all)."
        )
    return csr_array(shares), columns


def _check_one_column(labels: Any, column: Hashable, name: str) -> None:
    """Raise if a single column holds labels rather than the posteriors of a single cluster."""
    values = np.asarray(labels)[:, 0]
    if any(not isinstance(value, float | int) or value != 1 for value in values.tolist()):
        how = f"`{name}[{column!r}]`" if hasattr(labels, "columns") else f"`{name}.ravel()`"
        raise ValueError(
            f"`{name}` must have one dimension, got shape {values.shape[0], 1}; pass the column "
            f"itself: {how}."
        )


def _read_counts(table: Any) -> Table:
    """Return the table that is given in place of two labellings."""
    from scipy.sparse import csr_array, issparse

    shape = np.shape(table)
    if len(shape) != 2:
        raise ValueError(
            "`y_pred` is missing. Without it the first argument must be a contingency table with "
            f"two dimensions (n_classes, n_clusters), got shape {shape}."
        )
    matrix = csr_array(table) if issparse(table) else csr_array(check_matrix(table, "y_true"))
    check_matrix(matrix.data.reshape(1, -1) if matrix.nnz else np.zeros((1, 1)), "y_true")
    _not_negative(matrix.data, "y_true")
    class_labels = list(table.index) if isinstance(table, pd.DataFrame) else list(range(shape[0]))
    cluster_labels = column_names(table, "y_true") or list(range(shape[1]))
    return _from_matrix(matrix, class_labels, cluster_labels)


def _from_matrix(
    matrix: Any, class_labels: list[Hashable], cluster_labels: list[Hashable]
) -> Table:
    matrix = matrix.tocsr()
    matrix.sum_duplicates()  # and sorts the cells
    matrix.eliminate_zeros()
    cells = matrix.tocoo()
    classes, clusters = (codes.astype(np.intp) for codes in cells.coords)
    counts = _as_whole(cells.data.astype(np.float64))
    return _used_labels(Table(classes, clusters, counts, class_labels, cluster_labels))


# --- labels that are left out ---


def _without_noise(table: Table, noise_label: Hashable) -> Table:
    if noise_label not in table.cluster_labels:
        return table
    stays = table.clusters != table.cluster_labels.index(noise_label)
    if not stays.any():
        raise ValueError(f"`y_pred` must hold clusters, got noise ({noise_label!r}) in every row.")
    share = float(table.counts[~stays].sum()) / table.n_rows
    cells = {name: getattr(table, name)[stays] for name in ("classes", "clusters", "counts")}
    return _used_labels(table._replace(**cells, noise_share=share))


def _used_labels(table: Table) -> Table:
    """Return the table without labels that no row has."""
    used_true, classes = np.unique(table.classes, return_inverse=True)
    used_pred, clusters = np.unique(table.clusters, return_inverse=True)
    return table._replace(
        classes=classes,
        clusters=clusters,
        class_labels=[table.class_labels[i] for i in used_true],
        cluster_labels=[table.cluster_labels[j] for j in used_pred],
    )


def _label_index(labels: list[Hashable], name: str) -> pd.Index[Any]:
    return pd.Index(label_array(labels), name=name, tupleize_cols=False)
