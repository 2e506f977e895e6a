"""Grids of parameters: from the command line, from a file, from Python; a row for each run."""

from __future__ import annotations

import csv
import io
import itertools
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from glob import glob, has_magic
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from afterfit.runs._declared import Parameter, check
from afterfit.runs._parameters import ParameterError

# More runs than any cluster finishes: most likely a slip, and the list itself would fill memory.
MAX_RUNS = 1_000_000

# What stands for None in text.
_NONE = ("", "null", "None")

_SUFFIXES = (".yaml", ".yml", ".json", ".csv")

Row = dict[str, Any]


def rows_of(grid: Any, known: Mapping[str, Parameter]) -> list[Row]:
    """Return one mapping of checked parameters a run, in the order of the grid.

    `grid` is a mapping name -> values (all combinations), a sequence of mappings or a DataFrame
    (a row for each run), the path of a YAML, JSON or CSV file, or a list of texts as on the command
    line: ``name=values`` or a file, combined with each other.
    """
    if isinstance(grid, str | Path):
        grid = [str(grid)]
    if isinstance(grid, pd.DataFrame):
        _check_distinct(list(grid.columns))
        grid = [_without_missing(row) for row in grid.to_dict("records")]
    if isinstance(grid, Mapping):
        return _checked(_product(_with_files(_values_by_name(grid), known)), known)
    if not isinstance(grid, Sequence):
        raise TypeError(
            "`grid` must be a mapping of names to values, a sequence of mappings, a DataFrame, "
            f"a file or texts such as 'seed=0:20', got {grid!r}."
        )
    if not grid:
        raise ParameterError("`grid` must have at least one run, got none.")
    if all(isinstance(row, Mapping) for row in grid):
        return _checked([dict(row) for row in grid], known)
    if not all(isinstance(item, str) for item in grid):
        raise TypeError("`grid` must hold mappings only or texts only, got a mixture.")
    factors = [_factor(item, known) for item in grid]
    names = [name for factor in factors for name in {name: 0 for row in factor for name in row}]
    _check_distinct(names)
    _check_size(math.prod(map(len, factors)))
    combined = [
        {name: value for row in rows for name, value in row.items()}
        for rows in itertools.product(*factors)
    ]
    return _checked(combined, known)


def parse(text: str, parameter: Parameter) -> Any:
    """Return the value that a text stands for, by the type of its parameter."""
    annotation = parameter.annotation
    if annotation.startswith("Optional["):
        if text in _NONE:
            return None
        annotation = annotation[len("Optional[") : -1]
    try:
        return _parse(text, annotation)
    except (ValueError, InvalidOperation):
        is_list = annotation.startswith("list") and not text.startswith("[")
        hint = f" Write a list in brackets: {parameter.name}=[{text}]." if is_list else ""
        raise ParameterError(
            f"`{parameter.name}` must be {parameter.annotation}, got {text!r}.{hint}"
        ) from None


def assignment(item: str) -> tuple[str, str]:
    """Return name and text of ``name=text``."""
    name, sign, text = item.partition("=")
    if not sign or not name.isidentifier():
        raise ParameterError(
            f"{item!r} is no parameter: write name=value, or name a {_listed(_SUFFIXES)} file."
        )
    return name, text


def _listed(items: Sequence[str]) -> str:
    return f"{', '.join(items[:-1])} or {items[-1]}"


def _checked(rows: list[Row], known: Mapping[str, Parameter]) -> list[Row]:
    return [{name: check(name, _plain(row[name]), known) for name in row} for row in rows]


def _plain(value: Any) -> Any:
    """Return NumPy's scalars and arrays, tuples and paths as what a notebook is passed."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def _without_missing(row: Mapping[Any, Any]) -> Row:
    return {
        str(name): value
        for name, value in row.items()
        if not (pd.api.types.is_scalar(value) and pd.isna(value))
    }


def _values_by_name(grid: Mapping[Any, Any]) -> dict[str, list[Any]]:
    by_name = {}
    for name, values in grid.items():
        is_many = isinstance(values, Iterable) and not isinstance(values, str | bytes | Mapping)
        by_name[str(name)] = list(values) if is_many else [values]
        if not by_name[str(name)]:
            raise ParameterError(f"`{name}` must have at least one value in the grid, got none.")
    return by_name


def _product(by_name: Mapping[str, Sequence[Any]]) -> list[Row]:
    _check_size(math.prod(map(len, by_name.values())))
    return [
        dict(zip(by_name, values, strict=True)) for values in itertools.product(*by_name.values())
    ]


def _check_distinct(names: Sequence[Any]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ParameterError(f"`{name}` is given twice in the grid; give it once.")


def _check_size(n_runs: int) -> None:
    if n_runs > MAX_RUNS:
        raise ParameterError(f"`grid` must have at most {MAX_RUNS:,} runs, got {n_runs:,}.")


# --- texts and files ---


def _factor(item: str, known: Mapping[str, Parameter]) -> list[Row]:
    if "=" not in item and item.lower().endswith(_SUFFIXES):
        return _of_file(Path(item).expanduser(), known)
    name, text = assignment(item)
    return [{name: value} for value in _values(name, text, known)]


def _values(name: str, text: str, known: Mapping[str, Parameter]) -> list[Any]:
    """Return the values of ``a,b,c``, in which numbers may be ranges ``first:end[:step]``."""
    if name not in known:
        check(name, text, known)
    values: list[Any] = []
    for part in _split(text):
        if _is_number(known[name]) and ":" in part:
            values += _range(part, known[name])
        else:
            values += files_of(parse(part, known[name]), known[name])
    return values


def _with_files(by_name: dict[str, list[Any]], known: Mapping[str, Parameter]) -> dict[str, Any]:
    return {
        name: [value for one in values for value in files_of(one, known[name])]
        if name in known
        else values
        for name, values in by_name.items()
    }


def files_of(value: Any, parameter: Parameter) -> list[Any]:
    """Return the files that a pattern such as ``folder/*.csv`` stands for, in the order of their
    names; any other value as it is."""
    if not (parameter.is_file and isinstance(value, str) and has_magic(value)):
        return [value]
    if "://" in value or Path(value).expanduser().exists():
        return [value]
    found = sorted(glob(str(Path(value).expanduser())))
    if not found:
        raise FileNotFoundError(
            f"`{parameter.name}` must be files that are there, and none is like {value!r} (looked "
            f"from {str(Path.cwd())!r})."
        )
    return found


def _range(text: str, parameter: Parameter) -> list[Any]:
    """Return the numbers of a range as Python counts: the first included, the end not."""
    parts = text.split(":")
    try:
        first, end, step = (Decimal(part) for part in [*parts, "1"][:3])
        valid = len(parts) in (2, 3) and step != 0 and 0 < (end - first) / step < math.inf
    except InvalidOperation:
        valid = False
    if not valid:
        raise ParameterError(
            f"`{parameter.name}` has the range {text!r}; write first:end or first:end:step (the "
            "end is not included), with at least one number in it."
        )
    size = math.ceil((end - first) / step)
    _check_size(size)
    return [parse(str(first + i * step), parameter) for i in range(size)]


def _split(text: str) -> list[str]:
    """Split at commas outside of brackets and double quotes; the quotes themselves go."""
    parts, depth, quoted = [""], 0, False
    for character in text:
        if character == '"':
            quoted = not quoted
            if depth == 0:
                continue
        if not quoted:
            depth += (character == "[") - (character == "]")
        if character == "," and depth == 0 and not quoted:
            parts.append("")
        else:
            parts[-1] += character
    if quoted or depth != 0:
        raise ParameterError(
            f"{text!r} has a bracket or a double quote without its partner; text that has one "
            "stands in double quotes."
        )
    return parts


def _parse(text: str, annotation: str) -> Any:
    if annotation.startswith("list"):
        if not (text.startswith("[") and text.endswith("]")):
            raise ValueError
        inner = text[1:-1].strip()
        item = annotation[len("list[") : -1] or "str"
        return [_parse(part.strip(), item) for part in _split(inner)] if inner else []
    if annotation == "bool":
        return {"true": True, "false": False}.get(text.lower(), text)
    if annotation == "int":
        return int(text)
    if annotation == "float":
        return float(text)
    if annotation == "str":
        return text
    import yaml  # a type of the notebook's own: guessed, as papermill's -y does

    return yaml.safe_load(text)


def _of_file(path: Path, known: Mapping[str, Parameter]) -> list[Row]:
    """Return the runs in a file: a row each, or (YAML, JSON) name -> values, all combinations."""
    if not path.is_file():
        raise FileNotFoundError(f"`grid` names the file {str(path)!r}, which does not exist.")
    try:
        content = _content(path)
    except (ValueError, csv.Error) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise ParameterError(f"`grid` cannot be read from {str(path)!r}: {reason}.") from None
    if isinstance(content, Mapping):
        by_name = {
            name: [
                value
                for one in values
                for value in (_values(name, one, known) if _is_range(name, one, known) else [one])
            ]
            for name, values in _values_by_name(content).items()
        }
        return [_parsed(row, known) for row in _product(_with_files(by_name, known))]
    if isinstance(content, list) and content and all(isinstance(row, dict) for row in content):
        return [_parsed(row, known) for row in content]
    raise ParameterError(
        f"`grid` must hold rows (a mapping a run) or names with lists of values; {str(path)!r} "
        "holds neither."
    )


def _is_number(parameter: Parameter) -> bool:
    return parameter.annotation.removeprefix("Optional[").rstrip("]") in ("int", "float")


def _is_range(name: str, value: Any, known: Mapping[str, Parameter]) -> bool:
    return name in known and _is_number(known[name]) and isinstance(value, str) and ":" in value


def _content(path: Path) -> Any:
    text = path.read_text(encoding="utf-8-sig")
    if path.suffix.lower() == ".json":
        return json.loads(text, object_pairs_hook=_distinct)
    if path.suffix.lower() == ".csv":
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        if any(len(line) != len(lines[0]) for line in lines if line):
            raise ValueError("its lines have different numbers of cells")
        _check_distinct(lines[0] if lines else [])
        # An empty cell leaves the parameter at the notebook's own value.
        return [
            {name: cell for name, cell in zip(lines[0], line, strict=True) if cell}
            for line in lines[1:]
            if line
        ]
    import yaml

    class Loader(yaml.BaseLoader):  # type: ignore[misc]
        # All scalars as text, to be read by the parameter's type: no is text, 1:20 a range.
        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            _check_distinct([key.value for key, _ in node.value])
            return super().construct_mapping(node, deep)

    try:
        return yaml.load(text, Loader=Loader)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None


def _distinct(pairs: Sequence[tuple[str, Any]]) -> Row:
    _check_distinct([name for name, _ in pairs])
    return dict(pairs)


def _parsed(row: Mapping[str, Any], known: Mapping[str, Parameter]) -> Row:
    return {
        str(name): _parsed_value(value, known[name]) if name in known else value
        for name, value in row.items()
    }


def _parsed_value(value: Any, parameter: Parameter) -> Any:
    if isinstance(value, list) and parameter.annotation.startswith("list["):
        inner = Parameter(parameter.name, parameter.annotation[len("list[") : -1], None)
        return [_parsed_value(item, inner) for item in value]
    return parse(value, parameter) if isinstance(value, str) else value
