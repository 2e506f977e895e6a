"""Checks at the door of the public functions: what they refuse, they name.

Tables of any library come in here: pandas, and whatever narwhals reads (polars, pyarrow, modin,
cuDF, its own frames, anything that speaks Arrow). What a public function does with its `X`:

- `check_matrix(X, "X")` for a finite float64 array of two dimensions, `as_float_array(X, "X")` for
  any shape with missing values as NaN. Text, dates and categories are refused by column.
- `column_names(X, "X")` for the names of its columns, None for an array: for labels of axes.
- `check_columns(X, names, "X")` to refuse other columns than those of a fit, or another order.
- `as_pandas(X, "X")` where the cells are wanted as they are (categories, formulas): a table of
  whichever library as a DataFrame, anything else as it came.

A table of which the rows are not in memory (a LazyFrame, dask) is refused by all of them.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
from narwhals.dependencies import is_dask_dataframe
from narwhals.exceptions import DuplicateError
from numpy.typing import NDArray

# How many offending columns, rows or values an error lists before it says "and N more".
MAX_LISTED = 5

# NumPy casts these to float64 without a word: a text that looks like a number, days since 1970.
NO_NUMBERS = (str, bytes, np.datetime64, np.timedelta64)


def check_matrix(
    X: Any, name: str = "X", *, min_rows: int = 1, axes: str = "(n_samples, n_features)"
) -> NDArray[np.float64]:
    """Return `X` as a finite float64 array with two dimensions, named by `axes`, or raise."""
    columns = column_names(X, name)
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


def nearest(wanted: str, candidates: Sequence[str], cutoff: float = 0.6) -> str:
    """Return a sentence with the candidates that are spelt alike, or nothing."""
    near = difflib.get_close_matches(wanted, candidates, n=3, cutoff=cutoff)
    return f" Nearest: {', '.join(near)}." if near else ""


def what_it_holds(estimator: Any) -> str:
    """Return how to get at the model in a search or a frozen estimator; "" for all others."""
    if hasattr(estimator, "refit") and hasattr(estimator, "estimator"):  # a search over parameters
        return "Pass what it found, its `.best_estimator_` (with `refit=True`)."
    if type(estimator).__name__ == "FrozenEstimator":
        return "Pass what it holds, its `.estimator`."
    return ""


def as_float_array(X: Any, name: str) -> NDArray[np.float64]:
    """Return `X` as a float64 array of any shape, missing values as NaN, or raise."""
    if isinstance(X, pd.DataFrame):
        return _numbers_of_pandas(X, name)
    if isinstance(X, pd.Series) and pd.api.types.is_numeric_dtype(X.dtype):
        return _numbers_of_pandas(X.to_frame(), name)[:, 0]
    native = _read(X, name)
    if isinstance(native, nw.DataFrame):
        return _numbers_of_table(native, name)
    if isinstance(native, nw.Series):
        return _numbers_of_column(native, f"`{name}` must be numeric, got dtype {native.dtype}.")
    array, missing = _as_array(X, name)
    if np.iscomplexobj(array):
        raise TypeError(f"`{name}` must be real, got complex numbers.")
    if array.dtype.kind not in "biufO":
        raise _not_numeric(X, array, name)
    try:
        if array.dtype == object:
            array = _numbers_of_cells(np.where(missing, np.nan, array))
        numbers = np.asarray(array, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise _not_numeric(X, array, name) from None
    return np.where(missing, np.nan, numbers) if np.any(missing) else numbers


def column_names(X: Any, name: str = "X") -> list[Any] | None:
    """Return the names of the columns of a table, of whichever library; None for an array."""
    if isinstance(X, pd.DataFrame):
        return list(X.columns)
    native = _read(X, name)
    return native.columns if isinstance(native, nw.DataFrame) else None


def check_columns(X: Any, fitted: Any, name: str = "X") -> None:
    """Raise if the columns of a table are not those of the fit in their order.

    Arrays have no names, and a fit on an array knows none (`fitted` is None): then nothing is to
    be compared.
    """
    given = None if fitted is None else column_names(X, name)
    if given is None or given == list(fitted):
        return
    fitted = np.asarray(fitted, dtype=object).tolist()
    lacking = [repr(column) for column in fitted if column not in given]
    added = [repr(column) for column in given if column not in fitted]
    if lacking:
        detail = f"It lacks {listing(lacking)}."
    elif added:
        detail = f"It also has {listing(added)}: drop what was not fitted."
    else:
        how = "loc[:, names]" if hasattr(X, "loc") else "select(names)"
        detail = f"Take `{name}.{how}` with `names` those of the fit (`feature_names_in_`)."
    raise ValueError(
        f"`{name}` must have the columns of the fit, in their order: "
        f"{listing([repr(column) for column in fitted])}; "
        f"got {listing([repr(column) for column in given])}. {detail}"
    )


def as_pandas(X: Any, name: str = "X") -> Any:
    """Return a table of any library as a pandas DataFrame, a column of one as a Series.

    Numbers, text, dates and categories stay what they are, and an enumeration keeps its order;
    whole numbers among which some are missing become pandas' nullable integers. Anything else,
    pandas itself among it, is returned as it came.
    """
    if isinstance(X, pd.DataFrame | pd.Series):
        return X
    native = _read(X, name)
    if isinstance(native, nw.Series):
        return _pandas_column(native)
    if not isinstance(native, nw.DataFrame):
        return X
    columns = {column.name: _pandas_column(column) for column in native.iter_columns()}
    return pd.DataFrame(columns, index=pd.RangeIndex(len(native)))


def _read(X: Any, name: str) -> Any:
    """Return a narwhals DataFrame or Series of what another library holds, else `X` itself."""
    if isinstance(X, np.ndarray | list | tuple):  # looking for a library takes its time
        return X
    is_own = isinstance(X, nw.DataFrame | nw.LazyFrame | nw.Series)
    if not is_own and is_dask_dataframe(X):
        raise TypeError(
            f"`{name}` must be in memory, got a table of dask. Pass `{name}.compute()`."
        )
    try:
        native = nw.from_native(X, pass_through=True, allow_series=True)
        if native is X and not is_own and hasattr(X, "__arrow_c_stream__"):
            native = nw.from_arrow(X, backend="pyarrow")
    except DuplicateError as error:
        detail = " ".join(str(error).split())
        raise ValueError(f"`{name}` must have columns of different names. {detail}.") from None
    if isinstance(native, nw.LazyFrame):
        raise TypeError(
            f"`{name}` must be in memory, got a {type(X).__name__}. Pass `{name}.collect()`."
        )
    return native


def _numbers_of_pandas(table: pd.DataFrame, name: str) -> NDArray[np.float64]:
    # By position: columns of one name are allowed.
    is_number = [
        pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_complex_dtype(dtype)
        for dtype in table.dtypes
    ]
    _refuse_columns(list(table.columns), list(table.dtypes), is_number, name)
    return np.asarray(table.to_numpy(dtype=np.float64, na_value=np.nan))


def _numbers_of_table(table: Any, name: str) -> NDArray[np.float64]:
    types = list(table.schema.values())
    _refuse_columns(table.columns, types, [_holds_numbers(dtype) for dtype in types], name)
    array = np.empty(table.shape)
    for j, column in enumerate(table.iter_columns()):
        array[:, j] = column.to_numpy()
    return array


def _numbers_of_column(column: Any, refusal: str) -> NDArray[np.float64]:
    if not _holds_numbers(column.dtype):
        raise TypeError(refusal)
    return np.asarray(column.to_numpy(), dtype=np.float64)


def _holds_numbers(dtype: Any) -> bool:
    return bool(dtype.is_numeric() or dtype == nw.Boolean)


def _refuse_columns(
    names: Sequence[Any], types: Sequence[Any], is_number: Sequence[bool], name: str
) -> None:
    columns = zip(names, types, is_number, strict=True)
    text = [f"{column!r} ({dtype})" for column, dtype, good in columns if not good]
    if text:
        raise TypeError(f"`{name}` must be numeric; these columns are not: {listing(text)}.")


def _as_array(X: Any, name: str) -> tuple[NDArray[Any], Any]:
    """Return `X` as an array of NumPy's choice, and where it is masked, which means missing."""
    missing = np.ma.getmaskarray(X) if isinstance(X, np.ma.MaskedArray) else False
    try:
        return np.asarray(np.ma.getdata(X) if isinstance(X, np.ma.MaskedArray) else X), missing
    except ValueError:
        raise ValueError(f"`{name}` must have rows of equal length.") from None
    except (TypeError, RuntimeError, BufferError) as error:
        pass_on = error
    try:  # dates beside numbers have no common type
        return np.asarray(X, dtype=object), missing
    except (TypeError, RuntimeError, BufferError, ValueError):
        raise TypeError(
            f"`{name}` must be an array that NumPy can read, or a table: {pass_on}."
        ) from None


def _numbers_of_cells(array: NDArray[Any]) -> NDArray[Any]:
    if any(isinstance(cell, NO_NUMBERS) for cell in array.flat):
        raise TypeError  # to be named by `_not_numeric`
    return np.where(pd.isna(array), np.nan, array)  # NumPy does not know pandas' missing value


def _not_numeric(X: Any, array: NDArray[Any], name: str) -> TypeError:
    """Return the error that names the first cell that is no number, or the type of all."""
    hint = " Make it dense with `.toarray()`." if hasattr(X, "toarray") else ""
    if array.ndim == 0:
        hint = " Make a table of it, as by `pandas.DataFrame`." if isinstance(X, dict) else hint
        return TypeError(f"`{name}` must be numeric, got {type(X).__name__}.{hint}")
    got = f"dtype {array.dtype}"
    if array.dtype == object:
        place, cell = next(item for item in np.ndenumerate(array) if not _is_number(item[1]))
        axes = zip(("row", "column"), place, strict=False)
        got += f" with {cell!r} in {', '.join(f'{axis} {i}' for axis, i in axes)}"
    return TypeError(f"`{name}` must be numeric, got {got}.{hint}")


def _is_number(cell: Any) -> bool:
    if isinstance(cell, NO_NUMBERS):
        return False
    try:
        float(cell)
    except (TypeError, ValueError, OverflowError):
        return cell is None or cell is pd.NA
    return True


def _pandas_column(column: Any) -> pd.Series:
    """Return a column of another library as pandas holds it."""
    dtype = column.dtype
    if dtype == nw.Enum:
        return pd.Series(pd.Categorical(column.to_list(), dtype.categories, ordered=True))
    if dtype.is_integer() and column.null_count():
        return pd.Series(column.to_list(), dtype="Int64" if dtype.is_signed_integer() else "UInt64")
    if dtype.is_numeric() or dtype == nw.Date:
        return pd.Series(column.to_numpy())
    # By way of Python's own objects: a missing cell is None there, whatever the library.
    return pd.Series(column.to_list())
