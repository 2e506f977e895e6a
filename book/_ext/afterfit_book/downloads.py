"""Files beside the pages: package, notebooks and texts to take along, a page for lost links.

A notebook comes as it is, to be run, and executed, to be read: then values, citations and terms are
text and links in it, as in a reader's own run.
"""

import copy
import shutil
import subprocess
import sys
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

import nbformat
from sphinx.application import Sphinx

from afterfit.runs._alone import for_jupyter, resolved
from afterfit.runs._book import book_of
from afterfit_book.chapters import CHAPTERS, EXECUTED, stems, title
from afterfit_book.install import FOLDER, wheel_name
from afterfit_book.site import repository


def write_not_found(app: Sphinx) -> None:
    """Write 404.html, with links from the site's root: it may be shown for any path."""
    template = Path(app.srcdir, "book/_templates/404.html.in")
    root = urlsplit(app.config.html_baseurl or "/").path.rstrip("/") + "/"
    links = "\n".join(
        f'      <li><a href="{CHAPTERS}{stem}.html">{escape(title(app.srcdir, stem))}</a></li>'
        for stem in stems(app.srcdir)
        if CHAPTERS + stem in app.env.found_docs
    )
    page = Template(template.read_text(encoding="utf-8")).substitute(
        root=root, book=app.config.html_title, chapters=links
    )
    Path(app.outdir, "404.html").write_text(page, encoding="utf-8")


def copy_notebooks(app: Sphinx) -> None:
    """Put each chapter's notebook and text beside the pages, for download and for Colab."""
    folder = Path(app.outdir, "notebooks")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    address = repository(app.srcdir)
    for document in sorted(app.env.found_docs):
        source = Path(app.srcdir, "notebooks", document.removeprefix(CHAPTERS))
        if not document.startswith(CHAPTERS) or not source.with_suffix(".ipynb").exists():
            continue
        shutil.copyfile(source.with_suffix(".md"), folder / f"{source.name}.md")
        notebook = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
        if address:
            notebook = with_installation(notebook, address)
        nbformat.write(notebook, folder / f"{source.name}.ipynb")
        executed = nbformat.read(Path(app.srcdir, f"{document}.ipynb"), as_version=4)
        nbformat.write(standing_alone(executed, source), folder / f"{source.name}{EXECUTED}")


def standing_alone(executed: nbformat.NotebookNode, source: Path) -> nbformat.NotebookNode:
    """Return an executed chapter that needs no book, without the times of this build."""
    done = nbformat.from_dict(for_jupyter(resolved(executed, book_of(source))))
    for part in (done, *done.cells):
        part.metadata.pop("papermill", None)
        part.metadata.pop("execution", None)
    return done


def with_installation(notebook: nbformat.NotebookNode, address: str) -> nbformat.NotebookNode:
    """Return the notebook with a first cell that says how to install the package."""
    notebook = copy.deepcopy(notebook)
    cell = nbformat.v4.new_code_cell(
        "# In Colab, or wherever the package is missing, take away the # and run this first.\n"
        f'# %pip install -q "afterfit[chapters] @ git+{address}"',
        id="install",
    )
    notebook.cells.insert(0, cell)
    return notebook


def build_wheel(app: Sphinx) -> None:
    """Build the package as a wheel; the same sources give the same bytes."""
    folder = Path(app.outdir, FOLDER)
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=app.srcdir, capture_output=True, text=True, check=False)
    if not (folder / wheel_name(app.srcdir)).exists():
        raise RuntimeError(f"The wheel was not built: {done.stdout}{done.stderr}")


def finish(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.name == "html":
        build_wheel(app)
        copy_notebooks(app)
        write_not_found(app)


def setup(app: Sphinx) -> None:
    app.connect("build-finished", finish)
