"""Arrays of any library that follows the array API standard, computed on the device they lie on.

`is_foreign` says whether a value is one; NumPy's own, frames and lists go through `_validation`.
`open_array` and `check_foreign_matrix` check it once, at the door, `check_same_device` several
together. `as_float64` turns it, or a block of its rows, into float64 where it lies. What is small
comes over by `to_numpy` and goes back by `like`.
"""

from __future__ import annotations

from typing import Any

import array_api_compat as compat
import array_api_compat.numpy as compat_numpy
import numpy as np
from numpy.typing import NDArray

from afterfit._validation import listing

# In the words of the standard; float16 and bfloat16 are outside it and count as real floating.
REAL_KINDS = ("bool", "integral", "real floating")
# Rows are looked at in blocks of about this many values.
BLOCK_VALUES = 2**22


def is_foreign(value: Any) -> bool:
    """Return whether `value` is an array of a library other than NumPy that computes at once."""
    if isinstance(value, np.ndarray):
        return False
    return bool(compat.is_array_api_obj(value)) and not (
        compat.is_numpy_array(value)  # its scalars
        or compat.is_dask_array(value)
        or compat.is_pydata_sparse_array(value)
    )


def namespace(array: Any) -> Any:
    """Return the functions of the array's library, as the standard would have them."""
    if isinstance(array, np.ndarray):
        return compat_numpy
    return compat.array_namespace(array)


def open_array(value: Any, name: str) -> Any:
    """Return a foreign array that can be computed in float64, cut off from gradients.

    Where its library has no float64 (jax unless it is told to) and the array lies in the memory
    of the CPU, a NumPy array is returned.
    """
    array = value.detach() if hasattr(value, "detach") else value
    xp, device = namespace(array), compat.device(array)
    if not xp.isdtype(array.dtype, REAL_KINDS):
        raise TypeError(f"`{name}` must be real numbers, got dtype {array.dtype}.")
    if "float64" in xp.__array_namespace_info__().dtypes(device=device, kind="real floating"):
        return array
    if getattr(device, "platform", None) == "cpu":
        return np.asarray(array, dtype=np.float64)
    raise TypeError(
        f"`{name}` must lie where numbers of 64 bits are computed, got {_place(array)}, which has "
        "none (enabled). Enable them, or move it to another device."
    )


def check_foreign_matrix(array: Any, name: str, *, min_rows: int = 1) -> Any:
    """Return an opened array if it has two dimensions and only finite numbers, or raise."""
    check_foreign_shape(array, name, min_rows=min_rows)
    refuse_missing(array, name)
    return array


def check_foreign_shape(array: Any, name: str, *, min_rows: int = 1) -> Any:
    """Return an opened array if it has two dimensions, or raise."""
    shape = tuple(array.shape)
    if len(shape) != 2:
        raise ValueError(
            f"`{name}` must have two dimensions (n_samples, n_features), got shape {shape}."
        )
    if shape[0] < min_rows or shape[1] == 0:
        raise ValueError(
            f"`{name}` must have at least {min_rows} row(s) and 1 column, got shape {shape}."
        )
    return array


def refuse_missing(array: Any, name: str) -> None:
    """Raise if a matrix holds numbers that are not finite."""
    xp, (n_rows, n_columns) = namespace(array), array.shape
    counts = np.zeros(n_columns, dtype=np.int64)
    size = max(1, BLOCK_VALUES // n_columns)
    for start in range(0, n_rows, size):
        finite = xp.isfinite(as_float64(array[start : min(start + size, n_rows), ...]))
        if not xp.all(finite):
            counts += to_numpy(~finite).sum(axis=0)
    bad = np.flatnonzero(counts)
    if len(bad):
        listed = listing([f"{j} ({counts[j]})" for j in bad])
        raise ValueError(
            f"`{name}` must be finite, got missing or infinite values in column(s) {listed}."
        )


def check_same_device(**arrays: Any) -> None:
    """Raise unless the arrays are all of one library and lie on one device."""
    if all(isinstance(array, np.ndarray) for array in arrays.values()):
        return
    places = {name: _place(array) for name, array in arrays.items()}
    if len(set(places.values())) > 1:
        got = ", ".join(f"`{name}` is of {place}" for name, place in places.items())
        raise ValueError(f"All must be of one library and lie on one device: {got}.")


def as_float64(array: Any) -> Any:
    """Return the numbers in float64, of the same library and on the same device."""
    if isinstance(array, np.ndarray):
        return array.astype(np.float64, copy=False)
    xp = namespace(array)
    return xp.astype(array, xp.float64, copy=False)


def to_numpy(array: Any) -> NDArray[Any]:
    """Return what is small in the memory of the CPU, as NumPy has it."""
    if isinstance(array, np.ndarray):
        return array
    for to_host in ("cpu", "get"):  # torch's and cupy's
        if hasattr(array, to_host):
            array = getattr(array, to_host)()
    try:
        return np.asarray(array)
    except RuntimeError:  # array-api-strict, whose devices are no memory of the CPU
        return np.from_dlpack(array, device="cpu", copy=True)


def like(values: NDArray[Any], reference: Any) -> Any:
    """Return `values` of NumPy in the library and on the device of `reference`."""
    if isinstance(reference, np.ndarray):
        return values
    return namespace(reference).asarray(np.array(values), device=compat.device(reference))


def take(array: Any, rows: NDArray[np.intp]) -> Any:
    """Return some rows, by their positions."""
    return namespace(array).take(array, like(rows, array), axis=0)


def epsilon(array: Any) -> float:
    """Return the relative spacing of the numbers as they are stored, at least that of float64."""
    finest = float(np.finfo(np.float64).eps)
    xp = namespace(array)
    if not xp.isdtype(array.dtype, "real floating"):
        return finest
    return max(float(xp.finfo(array.dtype).eps), finest)


def _place(array: Any) -> str:
    return (
        f"{namespace(array).__name__.removeprefix('array_api_compat.')} on {compat.device(array)}"
    )
