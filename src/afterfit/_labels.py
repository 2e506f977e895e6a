"""Labels of rows: as integer codes, and as text in figures."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from afterfit._validation import as_pandas, listing

# Integer labels that span less than this are counted instead of looked up.
COUNTED_SPAN = 1 << 16


def as_written(label: Any) -> str:
    """Return a label as text that matplotlib shows as it is: dollar signs begin no formula."""
    return str(label).replace("$", r"\$")


def encode_labels(labels: Any, name: str) -> tuple[NDArray[np.intp], list[Hashable]]:
    """Return integer codes and the distinct labels, sorted where they can be."""
    values = one_dimensional(labels, name)
    if isinstance(values, np.ndarray) and values.dtype.kind in "iu" and len(values):
        low, high = int(values.min()), int(values.max())
        if high - low < COUNTED_SPAN:
            return _counted(values, low)
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
    except (TypeError, NotImplementedError) as error:  # the second from pyarrow
        raise TypeError(f"`{name}` must hold hashable labels ({error}).") from None
    distinct = [_as_python(label) for label in uniques.tolist()]
    is_ordered = isinstance(uniques, pd.Categorical) and uniques.ordered
    order = _sorted_positions(uniques.codes if is_ordered else uniques, distinct)
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    return rank[codes], [distinct[i] for i in order]


def one_dimensional(labels: Any, name: str) -> Any:
    """Return labels as a NumPy or pandas array of one dimension."""
    # Also since pyarrow's way to NumPy takes a missing category for the last one.
    labels = as_pandas(labels, name)
    if isinstance(labels, pd.MultiIndex):
        labels = labels.to_flat_index()  # of tuples
    if isinstance(labels, pd.Series | pd.Index):
        labels = labels.array
    if isinstance(labels, np.ma.MaskedArray):
        masked = np.ma.getmaskarray(labels)
        labels = np.array(labels, dtype=object)
        labels[masked] = None  # so that it counts as missing
    if isinstance(labels, pd.arrays.NumpyExtensionArray):
        labels = labels.to_numpy()
    if isinstance(labels, pd.api.extensions.ExtensionArray):
        return labels
    if hasattr(labels, "__array__"):
        array = np.asarray(labels)
        if array.ndim != 1:
            raise ValueError(
                f"`{name}` must have one dimension, got shape {array.shape}; "
                "pass one column, for instance with `.ravel()`."
            )
        if not array.dtype.isnative:  # pandas reads the machine's own byte order only
            array = array.astype(array.dtype.newbyteorder("="))
        return pd.array(array) if array.dtype.kind in "mM" else array
    if isinstance(labels, str | bytes) or not isinstance(labels, Sequence):
        raise TypeError(
            f"`{name}` must be a list, an array or a pandas Series of labels, "
            f"got {type(labels).__name__}."
        )
    # An object array, so that tuples and labels of mixed types stay as they are.
    return np.fromiter(labels, dtype=object, count=len(labels))


def _as_python(label: Any) -> Hashable:
    """Return a NumPy scalar as Python's, other labels as they are."""
    is_scalar = isinstance(label, (np.number, np.bool_, np.character))  # faster than a union
    plain: Hashable = label.item() if is_scalar else label
    return plain


def _sorted_positions(keys: Any, labels: list[Any]) -> NDArray[np.intp]:
    """Return the order of labels, by keys of theirs that NumPy can sort or by themselves."""
    if isinstance(keys, np.ndarray) and keys.dtype != object:
        return np.argsort(keys)
    try:
        return np.array(sorted(range(len(labels)), key=labels.__getitem__))
    except TypeError:  # labels of several types: in order of appearance
        return np.arange(len(labels))


def _counted(values: NDArray[np.integer], low: int) -> tuple[NDArray[np.intp], list[Hashable]]:
    """Return what `encode_labels` returns for integers that are close to each other, faster."""
    # Differences of narrow integers do not fit their own type.
    wide = np.subtract(values, values.dtype.type(low), dtype=np.int64, casting="unsafe")
    shifted = wide.astype(np.intp, copy=False)  # below COUNTED_SPAN; NumPy counts no wider ones
    present = np.bincount(shifted) > 0
    rank = np.cumsum(present, dtype=np.intp) - 1
    return rank[shifted], [low + above for above in np.flatnonzero(present).tolist()]
