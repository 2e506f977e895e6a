"""Checks at the door of the public functions: what they refuse, they name."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# How many offending columns, rows or values an error lists before it says "and N more".
MAX_LISTED = 5


def check_matrix(
    X: Any, name: str = "X", *, min_rows: int = 1, axes: str = "(n_samples, n_features)"
) -> NDArray[np.float64]:
    """Return `X` as a finite float64 array with two dimensions, named by `axes`, or raise."""
    columns = list(X.columns) if isinstance(X, pd.DataFrame) else None
    array = as_float_array(X, name)
    if array.ndim != 2:
        hint = (
            " For one feature, reshape it with `.reshape(-1, 1)`, for one sample with "
            "`.reshape(1, -1)`."
            if array.ndim == 1
            else ""
        )
        raise ValueError(
            f"`{name}` must have two dimensions {axes}, got shape {array.shape}.{hint}"
        )
    n_rows, n_columns = array.shape
    if n_rows < min_rows or n_columns == 0:
        raise ValueError(
            f"`{name}` must have at least {min_rows} row(s) and 1 column, got shape {array.shape}."
        )
    finite = np.isfinite(array)
    if not finite.all():
        bad = np.flatnonzero(~finite.all(axis=0))
        counts = (~finite).sum(axis=0)[bad]
        labels = [repr(columns[j]) if columns is not None else str(j) for j in bad]
        listed = listing(
            [f"{label} ({count})" for label, count in zip(labels, counts, strict=True)]
        )
        raise ValueError(
            f"`{name}` must be finite, got missing or infinite values in column(s) {listed}."
        )
    return array


def check_integer(value: Any, name: str, *, low: int, high: int | None = None) -> int:
    """Return `value` as an int with low <= value <= high, or raise."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, Integral):
        raise TypeError(f"`{name}` must be an integer, got {value!r}.")
    number = int(value)
    if number < low or (high is not None and number > high):
        accepted = f"at least {low}" if high is None else f"between {low} and {high}"
        raise ValueError(f"`{name}` must be {accepted}, got {value!r}.")
    return number


def check_real(
    value: Any, name: str, *, low: float = -np.inf, high: float = np.inf, closed: bool = True
) -> float:
    """Return `value` as a float within [low, high] (or (low, high) if not `closed`), or raise."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        raise TypeError(f"`{name}` must be a number, got {value!r}.")
    number = float(value)
    inside = low <= number <= high if closed else low < number < high
    if not inside:  # NaN is never inside
        brackets = "[]" if closed else "()"
        raise ValueError(
            f"`{name}` must lie in {brackets[0]}{low:g}, {high:g}{brackets[1]}, got {value!r}."
        )
    return number


def check_choice(value: Any, name: str, choices: Sequence[str]) -> str:
    """Return `value` if it is one of the `choices`, or raise."""
    if not isinstance(value, str) or value not in choices:
        accepted = ", ".join(repr(choice) for choice in choices)
        raise ValueError(f"`{name}` must be one of {accepted}, got {value!r}.")
    return value


def check_same_length(**arguments: Any) -> int:
    """Return the common number of rows of the named arguments, or raise."""
    lengths = {name: len(value) for name, value in arguments.items()}
    if len(set(lengths.values())) > 1:
        got = ", ".join(f"`{name}` has {length}" for name, length in lengths.items())
        raise ValueError(f"All must have the same number of rows: {got}.")
    return next(iter(lengths.values()))


def check_random_state(random_state: Any) -> np.random.Generator:
    """Return a Generator from None, an int, a SeedSequence, a Generator or a RandomState.

    None gives fresh entropy; NumPy's global random state is never touched.
    """
    if isinstance(random_state, np.random.RandomState):
        return np.random.default_rng(random_state.randint(2**32, size=4, dtype=np.uint64))
    try:
        return np.random.default_rng(random_state)
    except (TypeError, ValueError) as error:
        raise type(error)(
            "`random_state` must be None, a non-negative integer, a numpy Generator or a "
            f"RandomState, got {random_state!r}."
        ) from None


def listing(items: Sequence[Any]) -> str:
    """Return the first few items, comma-separated, and how many more there are."""
    shown = ", ".join(str(item) for item in items[:MAX_LISTED])
    more = len(items) - MAX_LISTED
    return f"{shown} and {more} more" if more > 0 else shown


def as_float_array(X: Any, name: str) -> NDArray[np.float64]:
    """Return `X` as a float64 array of any shape, missing values as NaN, or raise."""
    if isinstance(X, pd.DataFrame):
        # By position: columns of one name are allowed.
        text = [
            column
            for column, dtype in X.dtypes.items()
            if not pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_complex_dtype(dtype)
        ]
        if text:
            listed = listing([repr(column) for column in text])
            raise TypeError(f"`{name}` must be numeric; these columns are not: {listed}.")
        return np.asarray(X.to_numpy(dtype=np.float64, na_value=np.nan))
    if isinstance(X, np.ma.MaskedArray):
        X = np.ma.filled(X.astype(np.float64), np.nan)  # what is masked is missing
    try:
        array = np.asarray(X)
    except ValueError:
        raise ValueError(f"`{name}` must have rows of equal length.") from None
    if np.iscomplexobj(array):
        raise TypeError(f"`{name}` must be real, got complex numbers.")
    got = f"dtype {array.dtype}" if array.ndim > 0 else type(X).__name__
    hint = " Make it dense with `.toarray()`." if hasattr(X, "toarray") else ""
    refusal = TypeError(f"`{name}` must be numeric, got {got}.{hint}")
    # A cast would take the text "1.5" for a number, and a date for a count of days.
    has_text = array.dtype == object and any(isinstance(cell, str | bytes) for cell in array.flat)
    if array.dtype.kind not in "biufO" or has_text:
        raise refusal
    try:
        return np.asarray(array, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise refusal from None
