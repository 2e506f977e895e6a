"""Try it on your own table: on each chapter's page and on one of its own, a form and its cells.

The form is made from the cell tagged `parameters`; what it runs are the chapter's own cells tagged
`parameters`, `setup` and `data`, which the page carries as JSON, and nothing else. The scripts are
in `book/live/static/live/`: without an engine they write the command for the reader's terminal.
"""

import json
import re
from functools import cache
from html import escape
from importlib import metadata
from pathlib import Path
from platform import python_version
from typing import Any

from docutils import nodes
from markdown_it import MarkdownIt
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective

from afterfit._dark import PALETTE, of_colour_maps
from afterfit.runs import _alone, _arrange
from afterfit.runs._book import book_of
from afterfit.runs._declared import read, source_of
from afterfit.runs._report import PACKAGES
from afterfit_book.chapters import CHAPTERS, chapter_link, stems, title
from afterfit_book.live_form import form

TAGS = {"parameters", "setup", "data"}
# In the order in which they need each other.
SCRIPTS = ("engine", "command", "table", "dark", "result", "fields", "form")
# Around what stands for a value until there is one: characters that no text has.
VALUE = re.compile("\ue000([^:\ue001]*):?([^\ue001]*)\ue001")
# Formats of values that the page's script can write as Python does.
FORMATS = re.compile(r"(,?\.\d+[f%]|,)?")

Cell = dict[str, Any]


class _Places(_alone._Prose):
    """The prose with a place for each value, which the run on the reader's table gives."""

    def _value(self, content: str) -> str:
        return f"\ue000{content}\ue001"


def own_cells(executed: Path) -> list[Cell]:
    """Return the cells of a chapter that answer for a reader's table, as the page needs them.

    Code as it is, with its tags, and its figure's caption and alternative text; text as HTML, with
    places for its values.
    """
    notebook = read(executed)
    chosen = [c for c in notebook["cells"] if TAGS & {*c.get("metadata", {}).get("tags", [])}]
    prose = _Places({**notebook, "cells": chosen}, book_of(executed.parent))
    return [_shown(cell, prose) for cell in chosen]


def question(executed: Path) -> str:
    """Return the question that a run on a reader's table has in its title."""
    head, _, asked = source_of(_arrange._title(read(executed)["cells"], "table")).partition(": ")
    return asked or head


def _shown(cell: Cell, prose: _Places) -> Cell:
    tags = cell["metadata"]["tags"]
    if cell["cell_type"] == "markdown":
        text = re.sub(r"\A## .*\n*", "", source_of(cell))  # the heading of its section stays
        return {"tags": tags, "html": as_html(prose.of(text))}
    settings = cell["metadata"].get("mystnb", {})
    figure = {
        "caption": as_html(prose.of(settings.get("figure", {}).get("caption", "").strip())),
        "alt": " ".join(settings.get("image", {}).get("alt", "").split()),
    }
    return {"tags": tags, "source": source_of(cell)} | {k: v for k, v in figure.items() if v}


def as_html(text: str) -> str:
    return VALUE.sub(_place, MarkdownIt("commonmark", {"html": False}).enable("table").render(text))


def _place(value: re.Match[str]) -> str:
    name, layout = value.groups()
    if not FORMATS.fullmatch(layout):
        raise ValueError(f"The page's script cannot write {name} as {layout!r}; see result.js.")
    return f'<span class="live-number" data-name="{name}" data-format="{layout}"></span>'


@cache
def versions() -> str:
    """Return what the book was built with, for the line of versions."""
    found = {"Python": python_version()}
    for package in PACKAGES:
        found[package] = metadata.version(package)
    return json.dumps(found)


@cache  # a chapter's page shows it, and the page of all
def form_html(source: Path, stem: str) -> str:
    """Return the form of a chapter and its cells. It is hidden until a script is at work."""
    executed = source / f"{CHAPTERS}{stem}.ipynb"
    cells = own_cells(executed)
    content = json.dumps(cells, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    return (
        f'<div class="live" id="live-{stem}" data-stem="{stem}" '
        f'data-title="{escape(title(source, stem))}" data-question="{escape(question(executed))}" '
        f'data-versions="{escape(versions())}" '
        f'hidden="hidden">\n{form(stem, cells)}\n'
        f'<script type="application/json" class="live-cells">{content}</script>\n</div>'
    )


class InChapters(SphinxTransform):
    """Close the section "Run it on your own data" with the form."""

    default_priority = 195

    def apply(self) -> None:
        document = self.env.docname
        stem = document.removeprefix(CHAPTERS)
        source = Path(self.env.srcdir)
        if stem == document or not (source / f"{document}.ipynb").exists():
            return
        for section in self.document.findall(nodes.section):
            if "run-it-on-your-own-data" in section["ids"]:
                section += nodes.raw("", form_html(source, stem), format="html")
                return


class Live(SphinxDirective):
    """Show the forms of all chapters; without JavaScript their commands."""

    def run(self) -> list[nodes.Node]:
        source = Path(self.env.srcdir)
        found: list[nodes.Node] = []
        for stem in stems(source):
            executed = source / f"{CHAPTERS}{stem}.ipynb"
            if not executed.exists():
                continue
            self.env.note_dependency(str(executed))
            box = nodes.container(classes=["live-static"])
            link = chapter_link(title(source, stem), stem, "run-it-on-your-own-data")
            box += nodes.paragraph("", "", link)
            command = first_command(source / f"notebooks/{stem}.md")
            box += nodes.literal_block(command, command, language="bash")
            found += [box, nodes.raw("", form_html(source, stem), format="html")]
        return found


def first_command(chapter: Path) -> str:
    """Return the first command of a chapter's section "Run it on your own data"."""
    section = chapter.read_text(encoding="utf-8").split("## Run it on your own data")[1]
    command = re.search(r"```bash\n(.*?)\n```", section, flags=re.DOTALL)
    if command is None:
        raise ValueError(f"{chapter.name} says no command under 'Run it on your own data'")
    return command[1]


def add_scripts(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Give a page with a form its scripts and its style."""
    if doctree is None or not any(map(holds_form, doctree.findall(nodes.raw))):
        return
    app.add_css_file("live/live.css")
    for name in SCRIPTS:
        app.add_js_file(f"live/{name}.js", loading_method="defer")
    colours = json.dumps(PALETTE | of_colour_maps(), separators=(",", ":"))
    app.add_js_file(None, body=colours, type="application/json", id="live-colours")


def holds_form(raw: nodes.raw) -> bool:
    return raw.astext().startswith('<div class="live"')


def setup(app: Sphinx) -> None:
    app.add_directive("live", Live)
    app.add_transform(InChapters)
    app.connect("html-page-context", add_scripts)
