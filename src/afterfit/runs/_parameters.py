"""The parameters of a chapter: checked in the cell behind them, before anything uses them."""

from __future__ import annotations

import ast
import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from afterfit._validation import nearest

# The first line of the cell in which papermill passes parameters.
_INJECTED = "# Parameters"

# Files of rows are written in these formats.
_ROWS_SUFFIXES = (".csv", ".parquet")


class ParameterError(ValueError):
    """A parameter of a chapter is unknown, of the wrong type or out of its range."""

    __module__ = "afterfit.runs"  # where tracebacks say it is from

    def _render_traceback_(self) -> list[str]:
        # IPython asks the exception itself: the sentence says all, a traceback would hide it.
        return [f"{type(self).__name__}: {self}"]


def check_parameters(
    namespace: Mapping[str, Any], **accepted: range | tuple[float, float] | Sequence[str]
) -> None:
    """Stop a chapter behind its parameters if one is unknown, ill-typed or out of range.

    The cell tagged ``parameters`` declares each on a line of its own,
    ``name: type = value  # help``; the cell that papermill adds behind it may change the values,
    and nothing else. A parameter ``rows: str`` is where `write_rows` will write: it must be empty,
    or a CSV or Parquet file in a folder that is there.

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
            raise ParameterError(unknown(name, declared))
    for name, annotation in declared.items():
        _check_type(name, namespace[name], annotation)
        if (name, annotation) == ("rows", "str"):
            check_rows(name, namespace[name])
    for name, limits in accepted.items():
        _check_limits(name, namespace[name], limits)


def check_rows(name: str, path: str) -> None:
    """Raise unless rows can be written there: empty, or a CSV or Parquet file in a folder."""
    if path and not path.lower().endswith(_ROWS_SUFFIXES):
        raise ParameterError(
            f"`{name}` must be empty or a file whose name ends in .csv or .parquet, got {path!r}."
        )
    folder = Path(path).expanduser().parent
    if path and not folder.is_dir():
        raise ParameterError(
            f"`{name}` must be in a folder that is there, got {path!r} (looked from "
            f"{str(Path.cwd())!r})."
        )


def unknown(name: str, declared: Mapping[str, str]) -> str:
    known = ", ".join(f"`{known}`" for known in declared)
    all_of_them = f"Its parameters are {known}." if known else "No cell of it is tagged parameters."
    near = nearest(name, list(declared))
    return f"`{name}` is not a parameter of this chapter.{near} {all_of_them}"


def has_type(value: Any, annotation: str) -> bool:
    if annotation.startswith("Optional["):
        return value is None or has_type(value, annotation[len("Optional[") : -1])
    if annotation.startswith("list["):
        item = annotation[len("list[") : -1]
        return isinstance(value, list) and all(has_type(element, item) for element in value)
    if annotation == "list":  # of text and numbers
        return isinstance(value, list) and all(
            isinstance(item, str | float | int) for item in value
        )
    if annotation == "bool":
        return isinstance(value, bool)
    types = {"int": int, "float": int | float, "str": str}
    if annotation not in types:
        raise TypeError(
            f"A parameter's type must be one of int, float, str, bool, list, list[...] and "
            f"Optional[...], got {annotation!r}."
        )
    return isinstance(value, types[annotation]) and not isinstance(value, bool)


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


def _check_type(name: str, value: Any, annotation: str) -> None:
    if has_type(value, annotation):
        return
    hint = ""
    if annotation == "str":
        hint = f" With papermill, pass text that looks like a number as `-r {name} {value}`."
    elif annotation.startswith("list"):
        hint = f" With papermill, pass a list as {_as_option(name, value, annotation)}."
    raise ParameterError(f"`{name}` must be {annotation}, got {value!r}.{hint}")


def _as_option(name: str, value: Any, annotation: str) -> str:
    """Return what passes a value as a list: the items that it seems to hold, or how they stand."""
    items = value.strip("[] ").split(",") if isinstance(value, str) else value
    items = items if isinstance(items, list) else [items]
    if annotation in ("list", "list[str]"):
        shown = ", ".join(json.dumps(str(item).strip(), ensure_ascii=False) for item in items)
    else:
        shown = "1, 2"
    return f"`-y {shlex.quote(f'{name}: [{shown}]')}`"


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
