"""One HTML file of a run: the executed notebook through the book's own tools, then inlined.

MyST-NB and Sphinx render it as they render the book, and what a page would load is put into it.
"""

from __future__ import annotations

import io
import json
import re
import sys
import tempfile
from collections.abc import Mapping
from datetime import datetime
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

from afterfit.runs._arrange import is_chapter
from afterfit.runs._files import write
from afterfit.runs._page import DARK, address, document, in_both_lights, unpacking
from afterfit.runs._run import run, writable

# The Markdown of the book, see _config.yml.
MYST = ["amsmath", "colon_fence", "deflist", "dollarmath", "substitution", "tasklist"]

# Tags under which a cell's code is folded or not shown already.
FOLDED = {"hide-input", "hide-cell", "remove-input", "remove-cell"}

# Cells of a chapter that show nothing: the page begins with the answer.
BEFORE_THE_ANSWER = {"parameters", "injected-parameters", "setup"}

# What a reader needs to know to get the same numbers again.
PACKAGES = (
    "afterfit",
    "numpy",
    "scipy",
    "pandas",
    "scikit-learn",
    "statsmodels",
    "kmodes",
    "matplotlib",
    "papermill",
)

# Elements that act; a report is to be read.
_ACTIVE = ("script", "iframe", "object", "embed", "form", "base", "meta", "link", "template")

_MATHJAX = """window.MathJax = {
  options: {processHtmlClass: "math", ignoreHtmlClass: "no-mathjax", enableMenu: false},
  svg: {fontCache: "local"}
};"""

STYLE = """
:root { --text: #212529; --muted: #555; --link: #0a58ca; --line: #ccc; --page: #fff; }
body { background: var(--page); color: var(--text); }
a { color: var(--link); }
img { max-width: 100%; height: auto; }
figure { margin: 1.5rem 0; } figure img { width: 100%; max-width: 38rem; }
figcaption p { margin: .5rem 0; } .caption-number { font-style: italic; }
table { border: 0; border-collapse: collapse; margin: 1rem 0; }
th, td { padding: .2rem .7rem; border: 0; border-bottom: 1px solid var(--line);
  text-align: left; }
.facts td { overflow-wrap: anywhere; }
.cell { margin: 1rem 0; }
.cell, .math, .cell_output, .scroll { overflow-x: auto; max-width: 100%; }
.highlight { background: none; }
pre { background: #f6f8fa; color: #212529; padding: .6rem; border-radius: 4px; }
:not(pre) > code { overflow-wrap: anywhere; }
details > summary { cursor: pointer; color: var(--muted); } summary p { margin: 0; }
.admonition:not(details) { border-left: .25rem solid var(--link); padding: .1rem 1rem; }
/* Figures are drawn for the dark as well; other pictures, drawn on white, keep their hues. */
@media screen and (prefers-color-scheme: dark) {
  :root { --text: #ced6dd; --muted: #9ca6af; --link: #7ab3ff; --line: #48566b;
    --page: #121212; }
  :not(picture) > img, pre { filter: invert(.93) hue-rotate(180deg); }
}
"""


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
    _need_the_books_tools()
    path = writable(output)
    done = run(notebook, parameters or {}, path)
    print("the page is being written", file=sys.stderr, flush=True)
    write(path, render(done.notebook, done.parameters, name=str(notebook)).encode())
    return path


def render(executed: dict[str, Any], parameters: Mapping[str, Any], *, name: str = "") -> str:
    """Return the page of an executed notebook, its prose resolved."""
    from bs4 import BeautifulSoup

    with tempfile.TemporaryDirectory(prefix="afterfit-") as scratch:
        folder = Path(scratch)
        (folder / "source").mkdir()
        source = folder / "source/report.ipynb"
        source.write_text(json.dumps(_prepared(executed)), encoding="utf-8")
        _build(folder)
        html = folder / "html"
        soup = BeautifulSoup((html / "report.html").read_text(encoding="utf-8"), "html.parser")
        body = soup.find("div", class_="body")
        _make_passive(body)
        _inline_images(soup, body, html)
        style = _styles(html) + STYLE
    for link in body.find_all("a", class_="headerlink"):
        link.decompose()
    for cell in body.find_all("div", class_="cell"):
        if not cell.get_text(strip=True) and cell.find("img") is None:
            cell.decompose()  # nothing of it is shown, and it would leave a gap
    del body["role"]
    body["class"] = ["no-mathjax"]  # mathematics is what MyST marked, not what data look like
    _add_facts(soup, body, parameters, executed, name)
    heading = body.find("h1")
    title = heading.get_text().strip() if heading else name or "Report"
    mathjax = [_mathjax()] if body.find(class_="math") else []
    scripts = [_MATHJAX, *map(unpacking, mathjax)] if mathjax else []
    return document(title, str(body), style=style, scripts=scripts, unpacked=mathjax)


# --- what goes in ---


def _need_the_books_tools() -> None:
    for module in ("myst_nb", "sphinx_design", "sphinx-mathjax-offline"):
        try:
            import_module(module)
        except ModuleNotFoundError:
            raise ModuleNotFoundError(
                f"a report needs the book's tools ({module} is not installed): "
                "pip install 'afterfit[chapters,book]'"
            ) from None


def _prepared(executed: Mapping[str, Any]) -> dict[str, Any]:
    """Return the notebook with its code folded; a chapter's parameters stand at the end."""
    cells = []
    for number, cell in enumerate(executed["cells"]):
        tags = {*cell["metadata"].get("tags", [])}
        if is_chapter(executed) and tags & BEFORE_THE_ANSWER:
            tags |= {"remove-input"}
        elif cell["cell_type"] == "code" and not FOLDED & tags:
            tags |= {"hide-input"}
        metadata = {**cell["metadata"], "tags": sorted(tags)}
        cells.append({**cell, "metadata": metadata, "id": f"cell-{number}"})
    return {**executed, "cells": cells}


def _build(folder: Path) -> None:
    """Render `source/report.ipynb` into `html` as the book would."""
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    settings = {
        "extensions": ["myst_nb", "sphinx_design"],
        "root_doc": "report",
        "html_theme": "basic",
        "html_copy_source": False,
        "numfig": True,
        "nb_execution_mode": "off",
        "nb_mime_priority_overrides": [["html", "image/svg+xml", 0]],
        "myst_enable_extensions": MYST,
        "language": "en",
    }
    with patch_docutils(), docutils_namespace():
        app = Sphinx(
            srcdir=folder / "source",
            confdir=None,
            outdir=folder / "html",
            doctreedir=folder / "doctrees",
            buildername="html",
            confoverrides=settings,
            status=None,
            warning=io.StringIO(),
        )
        app.build()


# --- what comes out ---


def _make_passive(body: Any) -> None:
    """Take out what would act: scripts, frames, handlers, addresses that are code."""
    for element in body.find_all(_ACTIVE):
        element.decompose()
    for element in body.find_all(True):
        for name, value in list(element.attrs.items()):
            text = re.sub(r"[\s\x00-\x1f]", "", str(value)).lower()
            is_code = text.startswith(("javascript:", "vbscript:", "data:text"))
            if name.lower().startswith("on") or is_code or name.lower() == "srcdoc":
                del element[name]


def _inline_images(soup: Any, body: Any, html: Path) -> None:
    kinds = {".svg": "svg", ".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".gif": "gif"}
    for image in body.find_all("img", src=True):
        path = (html / image["src"]).resolve()
        if path.is_relative_to(html.resolve()) and path.is_file() and path.suffix in kinds:
            if path.suffix == ".svg":
                image["src"], dark = in_both_lights(path.read_bytes())
                if dark:
                    source = soup.new_tag("source", attrs={"media": DARK, "srcset": dark})
                    image.wrap(soup.new_tag("picture")).insert(0, source)
            else:
                image["src"] = address(path.read_bytes(), kinds[path.suffix])


def _styles(html: Path) -> str:
    """Return the style sheets of code, cells and panels, without what they would load."""
    patterns = ("pygments.css", "mystnb*.css", "sphinx-design*.css", "design-style*.css")
    found = {path for pattern in patterns for path in (html / "_static").rglob(pattern)}
    found |= set((html / "_sphinx_design_static").glob("*.css"))
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(found))
    return re.sub(r"@import[^;]*;|url\([^)]*\)", "", text).replace("</", "<\\/")


def _mathjax() -> str:
    """Return MathJax with its fonts and extensions in one script."""
    package = import_module("sphinx-mathjax-offline")
    path = Path(str(package.__file__)).parent / "static/mathjax/tex-svg-full.js"
    return path.read_text(encoding="utf-8").replace("\r\n", "\n")


def _add_facts(
    soup: Any, body: Any, parameters: Mapping[str, Any], executed: Mapping[str, Any], name: str
) -> None:
    """Add the parameters and the versions; all of it is text, whatever it holds."""
    run = executed["metadata"].get("papermill", {})
    facts = {"notebook": name, "executed": _time(run.get("end_time"))}
    facts["Python"] = executed["metadata"].get("language_info", {}).get("version", "")
    for package in PACKAGES:
        try:
            facts[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    section = soup.new_tag("section", id="parameters-and-versions")
    heading = soup.new_tag("h2")
    heading.string = "Parameters and versions"
    section.append(heading)
    shown = {key: repr(value) for key, value in parameters.items()}
    for title, rows in (("Parameter", shown), ("Made with", facts)):
        section.append(_table(soup, title, rows))
    body.append(section)


def _table(soup: Any, title: str, rows: Mapping[str, str]) -> Any:
    table = soup.new_tag("table", attrs={"class": "facts"})
    for key, value in {title: "", **rows}.items():
        line = soup.new_tag("tr")
        for text in (key, value):
            cell = soup.new_tag("th" if key == title and not value else "td")
            cell.string = str(text)
            line.append(cell)
        table.append(line)
    return table


def _time(text: str | None) -> str:
    return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M UTC") if text else ""
