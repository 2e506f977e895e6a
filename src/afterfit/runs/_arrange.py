"""The answer first: what a run on the reader's data shows, and in which order.

Cells of a chapter are tagged ``parameters``, ``setup`` (what every run needs) and ``data`` (the
answer for the table that `data` names). All other cells are the book's own example.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from afterfit.runs._declared import declared, source_of

Cell = dict[str, Any]

# A notebook with this key in its metadata is a chapter, and may be rearranged.
MARK = "afterfit"

_FIRST = ("parameters", "injected-parameters", "setup")

_EXAMPLE = """## The book's example

From here on the chapter stands as in the book. Its data are the book's own: nothing below is about
{name}. (A run with `part="data"` leaves it out.)"""


def is_chapter(notebook: Mapping[str, Any]) -> bool:
    return MARK in notebook.get("metadata", {})


def arranged(notebook: Mapping[str, Any], passed: Mapping[str, Any] | None = None) -> list[Cell]:
    """Return a chapter's cells in the order of a run with these parameters.

    Without `passed`, the parameters are those that papermill has put into the notebook. On the
    reader's data their title comes first, then the cells for them, then the rest as the book's
    example, which ``part="data"`` leaves out.
    """
    cells: list[Cell] = list(notebook["cells"])
    known = declared(notebook)
    values = _injected(cells) if passed is None else dict(passed)
    data = [cell for cell in cells if _is_tagged(cell, "data")]
    if not is_chapter(notebook) or not data or "data" not in known:
        return cells
    only_data = values.get("part", "all") == "data"
    if values.get("data", known["data"].default) == known["data"].default and not only_data:
        return cells
    first = [cell for name in _FIRST for cell in cells if _is_tagged(cell, name)]
    rest = [cell for cell in cells if cell not in first and cell not in data]
    name = Path(str(values.get("data", known["data"].default))).name
    answer = [_title(cells, name), *first, *_without_section(data)]
    return answer if only_data else [*answer, *_example(rest, name)]


# What has a meaning in Markdown or MyST; at the beginning of a line, some more have.
_MARKS = re.compile(r"[\\`*_{}\[\]<>#|$&~^]|\A[-+=:]|\A\d+(?=[.)])")


def as_text(text: str) -> str:
    """Return Markdown that shows a text as it is, whatever it holds."""
    return _MARKS.sub(
        lambda match: "".join(f"&#{ord(character)};" for character in match[0]),
        " ".join(text.split()),
    )


def markdown(text: str, number: int | str, *tags: str) -> Cell:
    return {
        "cell_type": "markdown",
        "id": f"afterfit-{number}",
        "metadata": {"tags": list(tags)},
        "source": text,
    }


def _is_tagged(cell: Mapping[str, Any], name: str) -> bool:
    return name in cell.get("metadata", {}).get("tags", [])


def _injected(cells: Sequence[Cell]) -> dict[str, Any]:
    """Return the parameters that papermill has put behind the notebook's own."""
    values = {}
    for cell in cells:
        if _is_tagged(cell, "injected-parameters"):
            for statement in ast.parse(source_of(cell)).body:
                if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                    try:
                        values[statement.targets[0].id] = ast.literal_eval(statement.value)
                    except ValueError:  # float("nan"), say: no name of a file
                        continue
    return values


def _title(cells: Sequence[Cell], name: str) -> Cell:
    """Return the title: the file, and the chapter's question, which stands in bold below its own
    title (or is that title)."""
    text = "\n".join(source_of(cell) for cell in cells if cell["cell_type"] == "markdown")
    found = re.search(r"^# (.+)\n+(?:\*\*(.+?\?)\*\*)?", text, flags=re.MULTILINE)
    question = (found[2] or found[1]) if found else ""
    return markdown(f"# {as_text(name)}: {question}" if question else f"# {as_text(name)}", "title")


def _without_section(data: Sequence[Cell]) -> list[Cell]:
    """Return the cells without the heading of the section that they stand in."""
    cells = []
    for cell in data:
        if cell["cell_type"] == "markdown":
            text = re.sub(r"\A## .*\n*", "", source_of(cell))
            cell = {**cell, "source": text}
        if cell["cell_type"] != "markdown" or cell["source"].strip():
            cells.append(cell)
    return cells


def _example(rest: Sequence[Cell], name: str) -> list[Cell]:
    """Return the rest under a heading of its own; sections of which nothing is left are gone."""
    cells = [markdown(_EXAMPLE.format(name=as_text(name)), "example")]
    texts = [_demoted(cell) if cell["cell_type"] == "markdown" else None for cell in rest]
    for i, (cell, text) in enumerate(zip(rest, texts, strict=True)):
        following = texts[i + 1] if i + 1 < len(rest) else "### "
        if text is None:
            cells.append(cell)
        elif text and not (_is_heading(text) and (following or "").startswith("### ")):
            cells.append({**cell, "source": text})
    return cells


def _is_heading(text: str) -> bool:
    return text.startswith("### ") and "\n" not in text.strip()


def _demoted(cell: Cell) -> str:
    """Return a text of the chapter with its title gone and its headings a level lower."""
    text = re.sub(r"\A# .*\n*", "", source_of(cell))
    pieces = re.split(r"(^`{3,}.*?^`{3,}|^~{3,}.*?^~{3,})", text, flags=re.DOTALL | re.MULTILINE)
    pieces[::2] = [re.sub(r"^(#+ )", r"#\1", piece, flags=re.MULTILINE) for piece in pieces[::2]]
    return "".join(pieces)
