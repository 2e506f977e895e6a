"""One HTML file of a run: the executed notebook through the book's own tools, then inlined.

MyST-NB and Sphinx render it as they render the book. What a page of the book takes from other
pages (terms, references) is put at its end, and what it would load is put into it.
"""

from __future__ import annotations

import base64
import io
import json
import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from datetime import datetime
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

from afterfit.runs import _declared, _execute
from afterfit.runs._files import write
from afterfit.runs._page import document

# The Markdown of the book, see _config.yml.
MYST = ["amsmath", "colon_fence", "deflist", "dollarmath", "substitution", "tasklist"]

# Tags under which a cell's code is folded or not shown already.
FOLDED = {"hide-input", "hide-cell", "remove-input", "remove-cell"}

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
dt { font-weight: 600; }
/* The text cites by author and year: no other labels. */
.citation .label, .citation .backrefs { display: none; }
.citation p { padding-left: 1.5rem; text-indent: -1.5rem; margin: .4rem 0; }
.admonition:not(details) { border-left: .25rem solid var(--link); padding: .1rem 1rem; }
/* As in the book: in the dark, what was drawn on white keeps its hues. */
@media screen and (prefers-color-scheme: dark) {
  :root { --text: #ced6dd; --muted: #9ca6af; --link: #7ab3ff; --line: #48566b;
    --page: #121212; }
  img, pre { filter: invert(.93) hue-rotate(180deg); }
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
    source = _declared.read(notebook)
    known = _declared.declared(source)
    passed = {
        name: _declared.check(name, value, known) for name, value in (parameters or {}).items()
    }
    for name, value in passed.items():
        _declared.local_file(known[name], value)
    output = _writable(output)
    outcome = _execute.run_here(source, passed, folder=Path.cwd())
    if outcome.status != "ok" or outcome.notebook is None:
        kept = output.with_suffix(".failed.ipynb")
        write(kept, outcome.notebook or json.dumps(source).encode())
        raise RuntimeError(f"{outcome.error} (the notebook as far as it got: {kept})")
    values = {name: passed.get(name, parameter.default) for name, parameter in known.items()}
    executed = json.loads(outcome.notebook)
    page = render(executed, values, name=str(notebook), books=_books_folder(notebook))
    write(output, page.encode())
    return output


def render(
    executed: dict[str, Any],
    parameters: Mapping[str, Any],
    *,
    name: str = "",
    books: Path | None = None,
) -> str:
    """Return the page of an executed notebook."""
    from bs4 import BeautifulSoup

    with tempfile.TemporaryDirectory(prefix="afterfit-") as scratch:
        folder = Path(scratch)
        (folder / "source").mkdir()
        references = books / "references.bib" if books is not None else None
        has_references = references is not None and references.is_file()
        if references is not None and has_references:
            (folder / "source/references.bib").write_bytes(references.read_bytes())
        prepared = _prepared(executed, _terms(books), has_references)
        (folder / "source/report.ipynb").write_text(json.dumps(prepared), encoding="utf-8")
        _build(folder, has_references)
        html = folder / "html"
        soup = BeautifulSoup((html / "report.html").read_text(encoding="utf-8"), "html.parser")
        body = soup.find("div", class_="body")
        _make_passive(body)
        _inline_images(body, html)
        style = _styles(html) + STYLE
    for link in body.find_all("a", class_="headerlink"):
        link.decompose()
    del body["role"]
    body["class"] = ["no-mathjax"]  # mathematics is what MyST marked, not what data look like
    _add_facts(soup, body, parameters, executed, name)
    heading = body.find("h1")
    title = heading.get_text().strip() if heading else name or "Report"
    scripts = [_MATHJAX, _mathjax()] if body.find(class_="math") else []
    return document(title, str(body), style=style, scripts=scripts)


# --- what goes in ---


def _writable(output: str | Path) -> Path:
    """Return where the page is to be; raise before anything is run if it cannot be written."""
    path = Path(output).expanduser()
    if "://" in str(output) or path.is_dir():
        raise ValueError(f"`output` must be a file of this machine, got {str(output)!r}.")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"`output` must be in a folder that is there, got {str(path)!r}.")
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(f"`output` must be in a folder of yours, got {str(path)!r}.")
    return path


def _need_the_books_tools() -> None:
    for module in ("myst_nb", "sphinxcontrib.bibtex", "sphinx-mathjax-offline"):
        try:
            import_module(module)
        except ModuleNotFoundError:
            raise ModuleNotFoundError(
                f"a report needs the book's tools ({module} is not installed): "
                "pip install 'afterfit[chapters,book]'"
            ) from None


def _books_folder(notebook: str | Path) -> Path | None:
    """Return the folder with the book's terms and references, if the notebook is of the book."""
    if "://" in str(notebook):
        return None
    folder = Path(notebook).expanduser().resolve().parent.parent / "book"
    return folder if folder.is_dir() else None


def _terms(books: Path | None) -> dict[str, str]:
    """Return term -> definition of the book's glossary."""
    glossary = books / "glossary.md" if books is not None else None
    if glossary is None or not glossary.is_file():
        return {}
    text = glossary.read_text(encoding="utf-8")
    block = re.search(r"```\{glossary\}\n(.*?)\n```", text, flags=re.DOTALL)
    entries = re.split(r"\n\s*\n", block[1].strip("\n")) if block else []
    return {entry.split("\n")[0].strip(): entry.partition("\n")[2] for entry in entries}


def _prepared(
    executed: Mapping[str, Any], terms: Mapping[str, str], has_references: bool
) -> dict[str, Any]:
    """Return the notebook with its code folded, and with what it refers to at its end."""
    cells = []
    for cell in executed["cells"]:
        text = _declared.source_of(cell)
        tags = list(cell["metadata"].get("tags", []))
        changed = {**cell, "metadata": {**cell["metadata"], "tags": tags}}
        if cell["cell_type"] == "markdown":
            changed["source"] = _without_other_pages(text, terms, has_references)
        elif cell["cell_type"] == "code" and not FOLDED & set(tags):
            tags.append("hide-input")
        cells.append(changed)
    texts = [cell["source"] for cell in cells if cell["cell_type"] == "markdown"]
    end = []
    if has_references and any("{cite" in text for text in texts):
        end.append("```{bibliography}\n:filter: docname in docnames\n```")
    used = _used_terms(texts, terms)
    if used:
        entries = "\n\n".join(f"{term}\n{terms[term]}" for term in used)
        end.append(f"## Terms\n\n```{{glossary}}\n{entries}\n```")
    cells += [{"cell_type": "markdown", "metadata": {}, "source": text} for text in end]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    return {**executed, "cells": cells}


_ROLE = re.compile(r"\{(doc|term|cite:[a-z]+)\}`([^`<]*?)\s*(?:<([^`>]*)>)?`")


def _without_other_pages(text: str, terms: Mapping[str, str], has_references: bool) -> str:
    """Show as plain text what refers to a page that a report does not have."""
    names = {term.lower() for term in terms}

    def plain(match: re.Match[str]) -> str:
        role, shown, target = match.groups()
        known = (
            has_references
            if role.startswith("cite")
            else role == "term" and (target or shown).lower() in names
        )
        return match[0] if known else shown

    return _ROLE.sub(plain, text)


def _used_terms(texts: Iterable[str], terms: Mapping[str, str]) -> list[str]:
    """Return the terms that the texts use, and those that their definitions use."""
    by_name = {term.lower(): term for term in terms}
    used: set[str] = set()
    waiting = list(texts)
    while waiting:
        for role, shown, target in _ROLE.findall(waiting.pop()):
            term = by_name.get((target or shown).lower()) if role == "term" else None
            if term is not None and term not in used:
                used.add(term)
                waiting.append(terms[term])
    return sorted(used, key=str.lower)


def _build(folder: Path, has_references: bool) -> None:
    """Render `source/report.ipynb` into `html` as the book would."""
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    settings = {
        "extensions": ["myst_nb", "sphinx_design", "sphinxcontrib.bibtex"],
        "bibtex_bibfiles": ["references.bib"] if has_references else [],
        "bibtex_reference_style": "author_year",
        "bibtex_default_style": "alpha",
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


def _inline_images(body: Any, html: Path) -> None:
    kinds = {".svg": "svg+xml", ".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".gif": "gif"}
    for image in body.find_all("img", src=True):
        path = (html / image["src"]).resolve()
        if path.is_relative_to(html.resolve()) and path.is_file() and path.suffix in kinds:
            content = base64.b64encode(path.read_bytes()).decode()
            image["src"] = f"data:image/{kinds[path.suffix]};base64,{content}"


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
    text = path.read_text(encoding="utf-8").replace("\r\n", "\n")
    return text.replace("</script", "<\\/script").replace("<!--", "<\\!--")


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
