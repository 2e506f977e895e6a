"""What a run found, in the output of its cells: written for the prose, read back typed."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

# The output format of MyST-NB's `glue`, which took it from scrapbook: the prefix keeps a recorded
# output from being shown, the name in the metadata is what the prose refers to.
_PREFIX = "application/papermill.record/"
_TYPED = _PREFIX + "application/json"


def record(**values: Any) -> None:
    """Keep values in the output of the running cell, for the prose and for collectors of runs.

    In the book, the role ``glue:text`` and the name of a value show it in the text. `read_records`
    reads the values of an executed notebook back. Outside IPython the values are only checked.

    Parameters
    ----------
    **values : bool, int, float, str, None, list, numpy.ndarray, pandas.DataFrame or pandas.Series
        What to keep, by name. NumPy scalars are read as Python's; tuples and arrays are read as
        (nested) lists; a Series is read as a Series, a DataFrame as a DataFrame with the same
        columns, dtypes and index.

    Raises
    ------
    TypeError
        If a value could not be read back as it was: other types, dates, a MultiIndex,
        categories in an order of their own. The message names the value.

    See Also
    --------
    read_records : Reads the values back.

    Examples
    --------
    >>> record(purity=0.93, measures=["purity", "inverse purity"])
    >>> record(when=set())
    Traceback (most recent call last):
    ...
    TypeError: `when` is a set and cannot be recorded; record a bool, int, float, str, None, \
list, array, Series or DataFrame.
    """
    encoded = {name: encode(value, name) for name, value in values.items()}
    display = notebook_display()
    if display is None:
        return
    for name, value in values.items():
        bundle = {f"{_PREFIX}{mime}": text for mime, text in shown(value).items()}
        bundle[_TYPED] = json.dumps(encoded[name])  # Jupyter wants the text of it here
        display(bundle, raw=True, metadata={"scrapbook": {"name": name, "mime_prefix": _PREFIX}})


def read_records(path: str | Path) -> dict[str, Any]:
    """Return what an executed notebook recorded, by name, in the types that were recorded.

    Parameters
    ----------
    path : str or pathlib.Path
        An executed notebook (``.ipynb``).

    Returns
    -------
    dict
        Name -> value, in the order of recording; empty if nothing was recorded. A name recorded
        twice has its last value.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not a notebook.

    See Also
    --------
    record : Records the values.

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "empty.ipynb"
    >>> _ = path.write_text(json.dumps({"cells": [], "nbformat": 4}))
    >>> read_records(path)
    {}
    """
    encoded = encoded_records(read_notebook(path))
    return {name: decode(value) for name, value in encoded.items()}


def encoded_records(notebook: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an executed notebook recorded, by name, as JSON."""
    outputs = [
        output
        for cell in notebook["cells"]
        for output in cell.get("outputs", [])
        if "scrapbook" in output.get("metadata", {}) and _TYPED in output.get("data", {})
    ]
    return {
        output["metadata"]["scrapbook"]["name"]: json.loads(joined(output["data"][_TYPED]))
        for output in outputs
    }


def notebook_display() -> Callable[..., Any] | None:
    """Return IPython's display function inside a notebook, None elsewhere."""
    try:
        from IPython.core.interactiveshell import InteractiveShell
        from IPython.display import display
    except ImportError:
        return None
    return display if InteractiveShell.initialized() else None


def joined(text: str | list[str]) -> str:
    """Return a notebook's text, which its file may hold as a list of lines."""
    return text if isinstance(text, str) else "".join(text)


def read_notebook(path: str | Path, argument: str = "path") -> dict[str, Any]:
    try:
        notebook = json.loads(Path(path).read_text(encoding="utf-8"))
        if isinstance(notebook["cells"], list):
            return dict(notebook)
    except (ValueError, KeyError, TypeError):
        pass
    raise ValueError(
        f"`{argument}` must be a Jupyter notebook (.ipynb, format 4), got {str(path)!r}."
    )


def encode(value: Any, name: str) -> Any:
    """Return `value` in JSON's types; what JSON lacks becomes an object with one `$key`."""
    if isinstance(value, np.generic | np.ndarray) and value.dtype.kind not in "biufUOT":
        raise _not_recorded(value.dtype, name)  # dates, say, would become integers
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$float": repr(value)}
    if isinstance(value, np.ndarray):
        return encode(value.tolist(), name)
    if isinstance(value, list | tuple):
        return [encode(item, name) for item in value]
    if isinstance(value, pd.Series):
        return {
            "$series": _encode_table(value.to_frame(), name),
            "$name": encode(value.name, name),
        }
    if isinstance(value, pd.DataFrame):
        return {"$table": _encode_table(value, name)}
    raise _not_recorded(type(value).__name__, name)


def decode(value: Any) -> Any:
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "$float" in value:
        return float(value["$float"])
    if "$series" in value:
        return _decode_table(value["$series"]).iloc[:, 0].rename(decode(value["$name"]))
    return _decode_table(value["$table"])


def _not_recorded(kind: Any, name: str) -> TypeError:
    return TypeError(
        f"`{name}` is a {kind} and cannot be recorded; record a bool, int, float, str, None, list, "
        "array, Series or DataFrame."
    )


def _encode_table(table: pd.DataFrame, name: str) -> dict[str, Any]:
    if isinstance(table.index, pd.MultiIndex) or isinstance(table.columns, pd.MultiIndex):
        raise TypeError(f"`{name}` has a MultiIndex; record it after `.reset_index()`.")
    encoded = {
        "columns": encode(table.columns.tolist(), name),
        "columns_name": encode(table.columns.name, name),
        "dtypes": [str(dtype) for dtype in table.dtypes],
        "data": [encode(table.iloc[:, j].tolist(), name) for j in range(table.shape[1])],
        "index": encode(table.index.tolist(), name),
        "index_name": encode(table.index.name, name),
        "index_dtype": str(table.index.dtype),
    }
    try:
        pd.testing.assert_frame_equal(_decode_table(encoded), table, check_exact=True)
    except (AssertionError, TypeError, ValueError):
        dtypes = ", ".join(f"{column!r} {dtype}" for column, dtype in table.dtypes.items())
        raise TypeError(
            f"`{name}` would not be read as it is (dtypes: {dtypes}); record columns of numbers, "
            "booleans and text."
        ) from None
    return encoded


def _decode_table(encoded: Mapping[str, Any]) -> pd.DataFrame:
    index = pd.Index(
        decode(encoded["index"]), dtype=encoded["index_dtype"], name=encoded["index_name"]
    )
    columns = [
        pd.Series(decode(data), dtype=dtype, index=index)
        for data, dtype in zip(encoded["data"], encoded["dtypes"], strict=True)
    ]
    table = pd.concat(columns, axis=1) if columns else pd.DataFrame(index=index)
    table.columns = pd.Index(decode(encoded["columns"]), name=encoded["columns_name"])
    return table


def shown(value: Any) -> dict[str, str]:
    """Return what the prose shows of a value: text, and for a table also HTML (escaped)."""
    if isinstance(value, pd.Series):
        value = value.to_frame()
    if isinstance(value, pd.DataFrame):
        return {"text/plain": value.to_string(), "text/html": value.to_html(border=0)}
    if isinstance(value, list | tuple | np.ndarray):
        return {"text/plain": ", ".join(str(item) for item in np.ravel(np.asarray(value, object)))}
    return {"text/plain": str(value)}
