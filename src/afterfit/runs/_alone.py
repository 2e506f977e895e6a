"""An executed notebook that stands alone: what its prose refers to is written into it.

In the book, MyST-NB resolves the roles of the prose. Elsewhere nothing does, so values, citations,
terms and numbers of figures become text and links here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from afterfit.runs._arrange import as_text, markdown
from afterfit.runs._book import Book, Work
from afterfit.runs._declared import source_of
from afterfit.runs._records import decode, encoded_records, shown

_ROLE = re.compile(r"\{(glue:text|cite:[a-z]+|term|doc|numref|ref)\}`([^`]*)`")
_TARGET = re.compile(r"(.*?)\s*<([^>]*)>", flags=re.DOTALL)
_DIRECTIVE = re.compile(
    r"^([`:]{3,})\{([\w:-]+)\} *([^\n]*)\n(?::[\w-]+:[^\n]*\n)*(.*?)^\1 *$",
    flags=re.DOTALL | re.MULTILINE,
)

# What stands for a value where the run did not get so far.
NOT_COMPUTED = "(not computed)"

# The cell below a figure that has its caption, where nothing else shows it.
CAPTION = "caption"

# Cells of these tags have their code folded in the book, or not shown.
FOLDED = {"hide-input", "hide-cell", "remove-input", "remove-cell", "setup"}


def resolved(notebook: Mapping[str, Any], book: Book) -> dict[str, Any]:
    """Return an executed notebook whose prose and captions hold no role any more.

    Works that are cited and terms that are used are listed at its end.
    """
    prose = _Prose(notebook, book)
    cells = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell = {**cell, "source": prose.of(source_of(cell))}
        elif caption := _caption(cell):
            settings = cell["metadata"]["mystnb"]
            figure = {**settings["figure"], "caption": prose.of(caption)}
            metadata = {**cell["metadata"], "mystnb": {**settings, "figure": figure}}
            cell = {**cell, "metadata": metadata}
        cells.append(cell)
    end = [markdown(text, number) for number, text in enumerate(prose.end()) if text]
    return {**notebook, "cells": [*cells, *end]}


def for_jupyter(notebook: Mapping[str, Any]) -> dict[str, Any]:
    """Return a resolved notebook as Jupyter shows it: code folded as in the book, figures with
    their captions, directives as text."""
    cells = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell = {**cell, "source": _DIRECTIVE.sub(_quoted, source_of(cell))}
        elif FOLDED & {*cell["metadata"].get("tags", [])}:
            jupyter = {**cell["metadata"].get("jupyter", {}), "source_hidden": True}
            cell = {**cell, "metadata": {**cell["metadata"], "jupyter": jupyter}}
        cells.append(cell)
        if _is_figure(cell):
            number = sum(_is_figure(each) for each in cells)
            text = f"**Fig. {number}.** {_caption(cell)}"
            cells.append(markdown(text, f"caption-{number}", CAPTION))
    return {**notebook, "cells": cells}


class _Prose:
    """Writes into a text what its roles refer to, and remembers what it has cited and named."""

    def __init__(self, notebook: Mapping[str, Any], book: Book) -> None:
        self.values = {name: decode(value) for name, value in encoded_records(notebook).items()}
        self.book, self.cited, self.used = book, {}, {}
        figures = [cell for cell in notebook["cells"] if _is_figure(cell)]
        names = [cell["metadata"]["mystnb"]["figure"].get("name") for cell in figures]
        self.figures = {name: f"Fig. {number}" for number, name in enumerate(names, 1)}
        self.terms = {term.lower(): term for term in book.terms}

    cited: dict[str, Work]
    used: dict[str, str]

    def of(self, text: str) -> str:
        return _ROLE.sub(lambda match: self._role(match[1], match[2]), text)

    def end(self) -> list[str]:
        """Return the works that were cited and the terms that were used, as texts."""
        waiting = list(self.used)
        for term in waiting:  # a definition may use further terms
            self.used[term] = self.of(self.book.terms[term])
            waiting += [other for other in self.used if other not in waiting]
        terms = [f"- **{term}**: {self.used[term]}" for term in sorted(self.used, key=str.lower)]
        works = sorted(self.cited.values(), key=lambda work: work.line)
        lines = [f"- {as_text(work.line)} {_link(work)}".rstrip() for work in works]
        return [
            "\n".join([f"**{title}**\n", *items])
            for title, items in (("Terms", terms), ("Works cited", lines))
            if items
        ]

    def _role(self, role: str, content: str) -> str:
        if role == "glue:text":
            return self._value(content)
        if role.startswith("cite:"):
            return self._citation(role, content)
        explicit = _TARGET.fullmatch(content)
        shown, target = (explicit[1], explicit[2]) if explicit else (content, content)
        if role == "term" and target.lower() in self.terms:
            self.used.setdefault(self.terms[target.lower()], "")
        if role == "numref":
            return self.figures.get(target, "a figure of the book")
        return shown

    def _value(self, content: str) -> str:
        """Return a record as MyST-NB shows it: in its format if it is a number, else as text."""
        name, _, layout = content.partition(":")
        if name not in self.values:
            return NOT_COMPUTED
        value = self.values[name]
        if layout and isinstance(value, int | float):
            return format(value, layout)
        return as_text(shown(value)["text/plain"])

    def _citation(self, role: str, content: str) -> str:
        keys = [key.strip() for key in content.split(",")]
        named = []
        for key in keys:
            work = self.book.works.get(key)
            if work is None:
                named.append(key)
                continue
            self.cited[key] = work
            text = f"{work.who}, {work.year}" if role == "cite:p" else f"{work.who} ({work.year})"
            named.append(f"[{text}]({work.address})" if work.address else text)
        return f"({'; '.join(named)})" if role == "cite:p" else ", ".join(named)


def _caption(cell: Mapping[str, Any]) -> str:
    return str(cell["metadata"].get("mystnb", {}).get("figure", {}).get("caption", ""))


def _is_figure(cell: Mapping[str, Any]) -> bool:
    has_image = any(
        mime.startswith("image/") for out in cell.get("outputs", []) for mime in out.get("data", {})
    )
    return has_image and bool(_caption(cell))


def _link(work: Work) -> str:
    return f"<{work.address}>" if work.address else ""


def _quoted(match: re.Match[str]) -> str:
    """Return a directive as a quotation, under its name and title."""
    _, name, title, body = match.groups()
    if name == "math":
        return f"$$\n{body}$$"
    head = f"**{title.strip() or name.capitalize()}**\n\n" if name != "chosen-numbers" else ""
    return "\n".join(f"> {line}".rstrip() for line in f"{head}{body.strip()}".splitlines())
