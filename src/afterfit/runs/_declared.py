"""The parameters that a notebook declares, and values checked against them before it runs."""

from __future__ import annotations

import ast
import hashlib
import io
import json
import re
import tokenize
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from afterfit import datasets
from afterfit._validation import nearest
from afterfit.runs._parameters import ParameterError, has_type, unknown
from afterfit.runs._records import joined, read_notebook

# A parameter of such a name is a file of the reader's, unless its value names a bundled data set.
_FILE_NAME = re.compile(r"(^|_)(data|file|path)$")

# A parameter of such a name names columns of the data.
_COLUMN_NAME = re.compile(r"_columns?$")

# Lines that are IPython's own.
_OWN_LINES = re.compile(r"(?m)^[%!].*")

# Types that values are checked against; a value of another type is the notebook's business.
_CHECKED = re.compile(r"(Optional\[|list\[)*(bool|int|float|str|list)\]*")


@dataclass(frozen=True)
class Parameter:
    """One line of the parameters' cell: ``name: annotation = default  # help``.

    `annotation` and `help` are empty where the line has none.
    """

    name: str
    annotation: str
    default: Any
    help: str = ""

    @property
    def is_file(self) -> bool:
        return bool(_FILE_NAME.search(self.name))


def read(path: str | Path) -> dict[str, Any]:
    """Return a notebook as its JSON; what is no local path is read by papermill."""
    if "://" in str(path):
        return _read_elsewhere(str(path))
    local = Path(path).expanduser()
    if not local.is_file():
        raise FileNotFoundError(f"`notebook` must be a notebook: there is no file {str(local)!r}.")
    return read_notebook(local, "notebook")


def _read_elsewhere(address: str) -> dict[str, Any]:
    from papermill.iorw import load_notebook_node

    try:
        return dict(json.loads(json.dumps(load_notebook_node(address))))
    except Exception as error:  # each kind of address has a library of its own, with its errors
        raise ValueError(
            f"`notebook` must be a notebook that papermill can read, got {address!r} "
            f"({type(error).__name__}: {error})."
        ) from None


def digest(notebook: Mapping[str, Any]) -> str:
    """Return what a run of the notebook depends on, hashed: no outputs, no counts, no ids."""
    cells = [
        [cell["cell_type"], source_of(cell), cell.get("metadata", {}).get("tags", [])]
        for cell in notebook["cells"]
    ]
    metadata = notebook.get("metadata", {})
    kernel = metadata.get("kernelspec", {}).get("name")
    kind = [metadata["afterfit"]] if "afterfit" in metadata else []
    return hashlib.sha256(json.dumps([cells, kernel, *kind]).encode()).hexdigest()


def source_of(cell: Mapping[str, Any]) -> str:
    return joined(cell["source"])


def declared(notebook: Mapping[str, Any]) -> dict[str, Parameter]:
    """Return name -> parameter of the first cell tagged `parameters`, as papermill finds it."""
    for cell in notebook["cells"]:
        if "parameters" in cell.get("metadata", {}).get("tags", []):
            return _of_cell(source_of(cell))
    return {}


def check(name: str, value: Any, known: Mapping[str, Parameter]) -> Any:
    """Return the value, an integer for a float as a float; raise if it does not fit."""
    if name not in known:
        raise ParameterError(unknown(name, dict.fromkeys(known, "")))
    annotation = known[name].annotation
    if not annotation:
        return value
    if not has_type(value, annotation):
        hint = ""
        if annotation.startswith("list") and has_type([value], annotation):
            hint = " One run takes a whole list: [[...], [...]] from Python, [a,b],[c] as text."
        raise ParameterError(f"`{name}` must be {annotation}, got {value!r}.{hint}")
    is_float = annotation in ("float", "Optional[float]") and isinstance(value, int)
    return float(value) if is_float else value


def local_file(parameter: Parameter, value: Any) -> Path | None:
    """Return the file that a value names, None if it names none; raise if it is missing."""
    if not parameter.is_file or not isinstance(value, str) or not value:
        return None
    if "://" in value or value in datasets.names():
        return None
    path = Path(value).expanduser()
    if not path.is_file():
        around = [str(each) for each in path.parent.iterdir()] if path.parent.is_dir() else []
        near = nearest(value, [*datasets.names(), *around])
        raise FileNotFoundError(
            f"`{parameter.name}` must be a bundled data set ({', '.join(datasets.names())}) or a "
            f"file; there is no file {value!r} (looked from {str(Path.cwd())!r}).{near}"
        )
    return path


def check_columns(passed: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Raise if a column that was passed (``..._column``, ``..._columns``) is not in the data."""
    wanted = {
        name: [value] if isinstance(value, str) else value
        for name, value in passed.items()
        if _COLUMN_NAME.search(name) and value
    }
    data = values.get("data")
    if not wanted or not isinstance(data, str) or "://" in data:
        return
    there = columns_of(data, *(values.get(name) or "" for name in ("separator", "decimal")))
    for name, columns in wanted.items():
        for column in columns:
            if column not in there:
                near = nearest(repr(column), [repr(each) for each in there])
                raise ParameterError(
                    f"`{name}` names the column {column!r}, which {data!r} does not have.{near}"
                )


@lru_cache(maxsize=64)
def columns_of(data: str, separator: str, decimal: str) -> tuple[str, ...]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", datasets.TableWarning)  # the runs themselves say it
        table = datasets.load_table(data, separator=separator, decimal=decimal)
    return tuple(map(str, table.columns))


def _of_cell(source: str) -> dict[str, Parameter]:
    found = {}
    source = _OWN_LINES.sub("", source)
    said = _comments(source)
    for statement in _statements(source):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            annotation = _plain_annotation(statement.annotation)
            name, value = statement.target.id, statement.value
        elif isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            annotation, name, value = "", statement.targets[0].id, statement.value
        else:
            continue
        default = _literal(value)
        help_text = said.get(statement.end_lineno or 0, "")
        found[name] = Parameter(name, annotation or _type_of(default), default, help_text)
    return found


def _comments(source: str) -> dict[int, str]:
    """Return the comment of each line that has one."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError):  # `_statements` says what is wrong
        return {}
    return {t.start[0]: t.string.strip("# ") for t in tokens if t.type == tokenize.COMMENT}


def _statements(source: str) -> list[ast.stmt]:
    try:
        return ast.parse(source).body
    except SyntaxError as error:
        line = (error.text or "").strip()
        raise ParameterError(
            "`notebook` must have parameters that Python can read, got the line "
            f"{line!r} in the cell tagged `parameters`."
        ) from None


def _plain_annotation(node: ast.expr) -> str:
    """Return a type as `runs` writes it, empty if it is none of those that can be checked."""
    text = ast.unparse(node).strip("'\"").replace("typing.", "")
    if text.endswith(" | None"):
        text = f"Optional[{text.removesuffix(' | None')}]"
    return text if _CHECKED.fullmatch(text) else ""


def _literal(node: ast.expr | None) -> Any:
    """Return the value of a literal; of any other expression its text, which stands for it."""
    if node is None:
        return None
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ast.unparse(node)


def _type_of(default: Any) -> str:
    """Return the type that a parameter without an annotation has by its default, if plain."""
    plain = (bool, int, float, str)
    return type(default).__name__ if type(default) in plain else ""
