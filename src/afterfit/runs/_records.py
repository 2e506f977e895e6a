"""Chapters as runs: checked parameters in, typed records out; once, or a thousand times.

A chapter states its parameters in one cell and checks them in the next (`check_parameters`). What
it finds it records (`record`): the prose of the book refers to a record by its name, and whoever
collects runs reads the same values back, typed (`read_records`). `sweep` runs a chapter for each
row of a grid of parameters, here or on a Dask cluster; `report` makes a page of one run.
"""

from __future__ import annotations

import ast
import difflib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from afterfit._validation import check_integer, check_real

__all__ = [
    "ParameterError",
    "book_style",
    "check_parameters",
    "read_records",
    "record",
    "report",
    "sweep",
]

# The output format of MyST-NB's `glue`, which took it from scrapbook: the prefix keeps a recorded
# output from being shown, the name in the metadata is what the prose refers to.
_PREFIX = "application/papermill.record/"
_TYPED = _PREFIX + "application/json"

# The first line of the cell in which papermill passes parameters.
_INJECTED = "# Parameters"


class ParameterError(ValueError):
    """A parameter of a chapter is unknown, of the wrong type or out of its range."""

    __module__ = "afterfit.runs"  # where tracebacks say it is from

    def _render_traceback_(self) -> list[str]:
        # IPython asks the exception itself: the sentence says all, a traceback would hide it.
        return [f"{type(self).__name__}: {self}"]


def record(**values: Any) -> None:
    """Keep values in the output of the running cell, for the prose and for collectors of runs.

    In the book, the role ``glue:text`` and the name of a value show it in the text. `read_records`
    reads the values of an executed notebook back. Outside IPython the values are only checked.

    Parameters
    ----------
    **values : bool, int, float, str, None, list, numpy.ndarray, pandas.DataFrame or pandas.Series
        What to keep, by name. NumPy scalars come back as Python's; tuples and arrays come back as
        (nested) lists; a Series comes back as a Series, a DataFrame as a DataFrame with the same
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
    encoded = {name: _encode(value, name) for name, value in values.items()}
    display = _notebook_display()
    if display is None:
        return
    for name, value in values.items():
        bundle = {f"{_PREFIX}{mime}": text for mime, text in _shown(value).items()}
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
    encoded = _encoded_records(_read_notebook(path))
    return {name: _decode(value) for name, value in encoded.items()}


def check_parameters(
    namespace: Mapping[str, Any], **accepted: range | tuple[float, float] | Sequence[str]
) -> None:
    """Stop a chapter at its second cell if a parameter is unknown, ill-typed or out of range.

    The first cell declares each parameter on a line of its own, ``name: type = value  # help``;
    the cell that papermill adds behind it may change the values, and nothing else.

    Parameters
    ----------
    namespace : Mapping
        The notebook's ``globals()``.
    **accepted : range, (low, high) or list of str
        What a parameter may be beyond its type: a range of integers, an interval of numbers with
        its ends, or a choice of strings.

    Raises
    ------
    ParameterError
        A sentence that names the parameter, its value and what is accepted; for an unknown
        parameter, the nearest known ones.

    Examples
    --------
    >>> n: int = 10
    >>> check_parameters({"n": n, "__annotations__": {"n": int}}, n=range(50, 1001))
    Traceback (most recent call last):
    ...
    afterfit.runs.ParameterError: `n` must be between 50 and 1000, got 10.
    """
    declared, injected = _declared_and_injected(namespace)
    for name in injected:
        if name not in declared:
            raise ParameterError(_unknown(name, declared))
    for name, annotation in declared.items():
        _check_type(name, namespace[name], annotation)
    for name, limits in accepted.items():
        _check_limits(name, namespace[name], limits)


def book_style() -> None:
    """Draw figures as the book does: sharp, legible on a phone, the same on every build.

    Sets matplotlib's style to ``afterfit.book`` (a palette that readers who confuse red and green
    can tell apart) and, in a notebook, its format to SVG without a date.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> with plt.rc_context():
    ...     book_style()
    ...     plt.rcParams["svg.hashsalt"]
    'afterfit'
    """
    import matplotlib.pyplot as plt

    plt.style.use("afterfit.book")
    if _notebook_display() is not None:
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        # Without a date, and with the size that the style says.
        set_matplotlib_formats("svg", metadata={"Date": None}, bbox_inches=None)


def sweep(
    notebook: str | Path,
    grid: Any,
    out_dir: str | Path,
    *,
    scheduler: Any = None,
    n_workers: int | None = None,
    timeout: float | None = None,
    retries: int = 0,
    dashboard: str | None = None,
) -> pd.DataFrame:
    """Return a table with a row for each run of a notebook over a grid of parameters.

    What is in `out_dir` from an earlier call is not run again if it went well and nothing that it
    depends on has changed: the notebook, its parameters, the content of the data, this package.

    Parameters
    ----------
    notebook : str or pathlib.Path
        The notebook; its parameters are in a cell tagged ``parameters``.
    grid : mapping, sequence of mappings, pandas.DataFrame, str, pathlib.Path or sequence of str
        A mapping of names to values: all combinations. A sequence of mappings or a DataFrame: a
        row a run. A YAML, JSON or CSV file, or texts as on the command line, such as
        ``["seed=0:20", "n=100,1000"]``. What appears twice is run once.
    out_dir : str or pathlib.Path
        The folder for ``table.parquet``, ``table.csv``, ``index.html``, the executed notebooks
        and the records. It is made if it is not there.
    scheduler : str or distributed.Client, optional
        The address of a Dask scheduler whose workers have this package; they need no shared disk.
        By default worker processes on this machine, reached by loopback only. Where they are
        started from a script, its calls stand under ``if __name__ == "__main__":``.
    n_workers : int, optional
        Number of those worker processes. By default, one a processor.
    timeout : float, optional
        Seconds after which a run is stopped. By default, none.
    retries : int, default 0
        How often a run that failed is tried again.
    dashboard : str, optional
        Where to serve Dask's dashboard, such as ``"127.0.0.1:8787"``. By default, nowhere.

    Returns
    -------
    pandas.DataFrame
        In the order of the grid: the parameters that it names, everything recorded, ``status``
        ("ok", "failed" or "timeout"), ``seconds``, ``error`` and ``notebook``, the path of the
        executed notebook in `out_dir`. Lists and tables that were recorded are JSON.

    Raises
    ------
    ParameterError
        If a parameter is unknown or has the wrong type; nothing is run then.
    FileNotFoundError
        If the notebook, a file of the grid or a file of data is missing; nothing is run then.
    BlockingIOError
        If another sweep is at work in `out_dir`.
    OSError
        If nothing can be written there. What is done stays.
    ConnectionError
        If the scheduler or its workers cannot be reached, or have another version of this package.

    See Also
    --------
    read_records : Reads all that one executed notebook recorded, tables as tables.

    Examples
    --------
    Everything is checked before anything is run:

    >>> sweep("notebooks/agreement.ipynb", {"sead": range(20)}, "runs")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    afterfit.runs.ParameterError: `sead` is not a parameter of this chapter. ... `seed`? ...

    Forty runs and their table, in a script (``if __name__ == "__main__":``, since worker processes
    import it)::

        table = sweep("notebooks/agreement.ipynb", {"seed": range(20), "n": [100, 1000]}, "runs")
        table.groupby("n")["purity"].agg(["mean", "std"])
    """
    from afterfit.runs import _sweep

    _check_sweep(n_workers, timeout, retries)
    planned = _sweep.plan(notebook, grid)
    return _sweep.sweep(
        planned,
        out_dir,
        scheduler=scheduler,
        n_workers=n_workers,
        timeout=timeout,
        retries=retries,
        dashboard=dashboard,
    )


def report(
    notebook: str | Path,
    parameters: Mapping[str, Any] | None = None,
    output: str | Path = "report.html",
) -> Path:
    """Return the path of one HTML file: a chapter run with these parameters, as in the book.

    The file holds all that it shows, figures and mathematics included, and can be read without a
    network. The code is folded; the parameters and the versions stand at the end.

    Parameters
    ----------
    notebook : str or pathlib.Path
        The notebook; its parameters are in a cell tagged ``parameters``.
    parameters : mapping, optional
        Values by name; the notebook's own for the rest.
    output : str or pathlib.Path, default "report.html"
        The file to write.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ParameterError
        If a parameter is unknown or has the wrong type; nothing is run then.
    FileNotFoundError
        If the notebook or the file of data is missing; nothing is run then.
    RuntimeError
        If the run fails; the message has its error, and where the notebook was kept.
    ModuleNotFoundError
        If the book's tools are not installed (``pip install 'afterfit[chapters,book]'``).

    Examples
    --------
    >>> report("notebooks/agreement.ipynb", {"data": "my.csv"}, "report.html")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    FileNotFoundError: ...there is no file 'my.csv'...

    With the file in its place, one HTML file of the chapter on it::

        report("notebooks/agreement.ipynb", {"data": "my.csv", "true_column": "class"}, "my.html")
    """
    from afterfit.runs import _report

    return _report.report(notebook, dict(parameters or {}), output)


# --- sweeps ---


def _check_sweep(n_workers: int | None, timeout: float | None, retries: int) -> None:
    if n_workers is not None:
        check_integer(n_workers, "n_workers", low=1)
    if timeout is not None:
        check_real(timeout, "timeout", low=0, closed=False)
    check_integer(retries, "retries", low=0)


# --- records ---


def _notebook_display() -> Callable[..., Any] | None:
    """Return IPython's display function inside a notebook, None elsewhere."""
    try:
        from IPython.core.interactiveshell import InteractiveShell
        from IPython.display import display
    except ImportError:
        return None
    return display if InteractiveShell.initialized() else None


def _encoded_records(notebook: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an executed notebook recorded, by name, as JSON."""
    outputs = [
        output
        for cell in notebook["cells"]
        for output in cell.get("outputs", [])
        if "scrapbook" in output.get("metadata", {}) and _TYPED in output.get("data", {})
    ]
    return {
        output["metadata"]["scrapbook"]["name"]: json.loads(_joined(output["data"][_TYPED]))
        for output in outputs
    }


def _encode(value: Any, name: str) -> Any:
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
        return _encode(value.tolist(), name)
    if isinstance(value, list | tuple):
        return [_encode(item, name) for item in value]
    if isinstance(value, pd.Series):
        return {
            "$series": _encode_table(value.to_frame(), name),
            "$name": _encode(value.name, name),
        }
    if isinstance(value, pd.DataFrame):
        return {"$table": _encode_table(value, name)}
    raise _not_recorded(type(value).__name__, name)


def _not_recorded(kind: Any, name: str) -> TypeError:
    return TypeError(
        f"`{name}` is a {kind} and cannot be recorded; record a bool, int, float, str, None, list, "
        "array, Series or DataFrame."
    )


def _encode_table(table: pd.DataFrame, name: str) -> dict[str, Any]:
    if isinstance(table.index, pd.MultiIndex) or isinstance(table.columns, pd.MultiIndex):
        raise TypeError(f"`{name}` has a MultiIndex; record it after `.reset_index()`.")
    encoded = {
        "columns": _encode(table.columns.tolist(), name),
        "columns_name": _encode(table.columns.name, name),
        "dtypes": [str(dtype) for dtype in table.dtypes],
        "data": [_encode(table.iloc[:, j].tolist(), name) for j in range(table.shape[1])],
        "index": _encode(table.index.tolist(), name),
        "index_name": _encode(table.index.name, name),
        "index_dtype": str(table.index.dtype),
    }
    try:
        pd.testing.assert_frame_equal(_decode_table(encoded), table, check_exact=True)
    except (AssertionError, TypeError, ValueError):
        dtypes = ", ".join(f"{column!r} {dtype}" for column, dtype in table.dtypes.items())
        raise TypeError(
            f"`{name}` would not come back as it is (dtypes: {dtypes}); record columns of numbers, "
            "booleans and text."
        ) from None
    return encoded


def _decode(value: Any) -> Any:
    if isinstance(value, list):
        return [_decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "$float" in value:
        return float(value["$float"])
    if "$series" in value:
        return _decode_table(value["$series"]).iloc[:, 0].rename(_decode(value["$name"]))
    return _decode_table(value["$table"])


def _decode_table(encoded: Mapping[str, Any]) -> pd.DataFrame:
    index = pd.Index(
        _decode(encoded["index"]), dtype=encoded["index_dtype"], name=encoded["index_name"]
    )
    columns = [
        pd.Series(_decode(data), dtype=dtype, index=index)
        for data, dtype in zip(encoded["data"], encoded["dtypes"], strict=True)
    ]
    table = pd.concat(columns, axis=1) if columns else pd.DataFrame(index=index)
    table.columns = pd.Index(_decode(encoded["columns"]), name=encoded["columns_name"])
    return table


def _shown(value: Any) -> dict[str, str]:
    """Return what the prose shows of a value: text, and for a table also HTML (escaped)."""
    if isinstance(value, pd.Series):
        value = value.to_frame()
    if isinstance(value, pd.DataFrame):
        return {"text/plain": value.to_string(), "text/html": value.to_html(border=0)}
    if isinstance(value, list | tuple | np.ndarray):
        return {"text/plain": ", ".join(str(item) for item in np.ravel(np.asarray(value, object)))}
    return {"text/plain": str(value)}


def _joined(text: str | list[str]) -> str:
    """Return a notebook's text, which its file may hold as a list of lines."""
    return text if isinstance(text, str) else "".join(text)


def _read_notebook(path: str | Path, argument: str = "path") -> dict[str, Any]:
    try:
        notebook = json.loads(Path(path).read_text(encoding="utf-8"))
        if isinstance(notebook["cells"], list):
            return dict(notebook)
    except (ValueError, KeyError, TypeError):
        pass
    raise ValueError(
        f"`{argument}` must be a Jupyter notebook (.ipynb, format 4), got {str(path)!r}."
    )


# --- parameters ---


def _declared_and_injected(namespace: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    """Return name -> type as text of the declared parameters, and the names papermill passed."""
    declared: dict[str, str] = {}
    injected: list[str] = []
    for source in namespace.get("In", []):  # the cells that IPython ran, in order
        if source.startswith(_INJECTED):
            injected = [target.id for target in _assigned(source) if isinstance(target, ast.Name)]
        else:
            cell = _annotations(source)
            if cell:
                declared, injected = cell, []
    if not declared:  # a plain script
        annotations = namespace.get("__annotations__", {})
        declared = {
            name: annotation if isinstance(annotation, str) else _type_text(annotation)
            for name, annotation in annotations.items()
        }
    return declared, injected


def _annotations(source: str) -> dict[str, str]:
    """Return name -> type of a cell that holds annotated assignments only, else nothing."""
    try:
        body = ast.parse(source).body
    except SyntaxError:  # a magic
        return {}
    found = {
        statement.target.id: ast.unparse(statement.annotation)
        for statement in body
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
    }
    imports = sum(isinstance(statement, ast.ImportFrom | ast.Import) for statement in body)
    return found if len(found) + imports == len(body) else {}


def _assigned(source: str) -> list[ast.expr]:
    return [
        target
        for statement in ast.parse(source).body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
    ]


def _type_text(annotation: Any) -> str:
    text = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    return text.replace("typing.", "")


def _unknown(name: str, declared: Mapping[str, str]) -> str:
    near = difflib.get_close_matches(name, declared, n=1)
    hint = f" Did you mean `{near[0]}`?" if near else ""
    known = ", ".join(f"`{known}`" for known in declared)
    all_of_them = f"Its parameters are {known}." if known else "No cell of it is tagged parameters."
    return f"`{name}` is not a parameter of this chapter.{hint} {all_of_them}"


def _check_type(name: str, value: Any, annotation: str) -> None:
    if _has_type(value, annotation):
        return
    hint = ""
    if annotation == "str":
        hint = f" With papermill, pass text that looks like a number as `-r {name} {value}`."
    raise ParameterError(f"`{name}` must be {annotation}, got {value!r}.{hint}")


def _has_type(value: Any, annotation: str) -> bool:
    if annotation.startswith("Optional["):
        return value is None or _has_type(value, annotation[len("Optional[") : -1])
    if annotation.startswith("list["):
        item = annotation[len("list[") : -1]
        return isinstance(value, list) and all(_has_type(element, item) for element in value)
    if annotation == "bool":
        return isinstance(value, bool)
    types = {"int": int, "float": int | float, "str": str}
    if annotation not in types:
        raise TypeError(
            f"A parameter's type must be one of int, float, str, bool, list[...] and "
            f"Optional[...], got {annotation!r}."
        )
    return isinstance(value, types[annotation]) and not isinstance(value, bool)


def _check_limits(
    name: str, value: Any, limits: range | tuple[float, float] | Sequence[str]
) -> None:
    items = value if isinstance(value, list) else [value]
    for item in items:
        if item is None:
            continue
        if isinstance(limits, range):
            if item not in limits:
                raise ParameterError(
                    f"`{name}` must be between {limits.start} and {limits.stop - 1}, got {item!r}."
                )
        elif isinstance(limits, tuple):
            if not limits[0] <= item <= limits[1]:
                raise ParameterError(
                    f"`{name}` must lie in [{limits[0]:g}, {limits[1]:g}], got {item!r}."
                )
        elif item not in limits:
            accepted = ", ".join(repr(choice) for choice in limits)
            raise ParameterError(f"`{name}` must be one of {accepted}, got {item!r}.")
