"""The site around the pages: version, links to the repository, what search engines and phones ask.

One setting governs all links to the repository: `Repository` under `[project.urls]` in
pyproject.toml. One governs what needs the site's address: `html: baseurl` in _config.yml.
While they are unset, nothing of it is shown.
"""

import copy
import datetime
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from html import escape
from io import BytesIO
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import quote, urlsplit

import nbformat
import yaml
from afterfit_book.chapters import CHAPTERS, stems, title
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

Context = dict[str, Any]
BRANCH = "main"
# Where the workflow puts the notebooks with a first cell that installs the package.
COLAB_BRANCH = "notebooks"


# --- settings ---


def project(source: str | Path) -> dict[str, Any]:
    return tomllib.loads(Path(source, "pyproject.toml").read_text(encoding="utf-8"))["project"]


def repository(source: str | Path) -> str:
    """Return the repository's address, without a slash or `.git` at its end, or nothing."""
    address = project(source).get("urls", {}).get("Repository", "").strip()
    return address.rstrip("/").removesuffix(".git")


def on_github(address: str) -> str:
    """Return OWNER/NAME if the repository is on GitHub, else nothing."""
    parts = urlsplit(address)
    return parts.path.strip("/") if parts.netloc == "github.com" else ""


def built_from(source: str | Path) -> tuple[str, datetime.date]:
    """Return what the book was built from, in words, and the date of it.

    In a clone, version, commit and its date. Elsewhere (a zip, a release) the version and the date
    of its release.
    """
    released = yaml.safe_load(Path(source, "CITATION.cff").read_text(encoding="utf-8"))
    version = f"Version {project(source)['version']}"
    commit = git(source, "log", "-1", "--format=%h %cs")
    if not commit or not Path(source, ".git").exists():
        return version, datetime.date.fromisoformat(str(released["date-released"]))
    name, day = commit.split()
    changed = " and local changes" if git(source, "status", "--porcelain") else ""
    return f"{version}, commit {name}{changed}", datetime.date.fromisoformat(day)


def git(source: str | Path, *arguments: str) -> str:
    """Return what git says, or nothing where there is no git, or no repository."""
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=source, capture_output=True, text=True, check=False, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def day_text(day: datetime.date) -> str:
    return f"{day.day} {day:%B %Y}"


def say_version(app: Sphinx, config: Config) -> None:
    words, day = built_from(app.srcdir)
    options = config.html_theme_options
    options["extra_footer"] = (
        f"<p>{escape(words)} ({day_text(day)}). {options.get('extra_footer', '')}</p>"
    )


# --- each page ---


def page_context(
    app: Sphinx, page: str, template: str, context: Context, doctree: nodes.document | None
) -> None:
    if "header_buttons" in context:
        context["header_buttons"] = [
            button for button in context["header_buttons"] if button["label"] != "download-buttons"
        ]
        context["header_buttons"][:0] = buttons(app, page, context, doctree)
    if app.config.html_baseurl and doctree is not None:
        context["metatags"] = context.get("metatags", "") + social_tags(app, page, context, doctree)


def buttons(
    app: Sphinx, page: str, context: Context, doctree: nodes.document | None
) -> Iterator[Context]:
    """Yield the buttons on top of a page: launch, edit, download."""
    stem = page.removeprefix(CHAPTERS) if page.startswith(CHAPTERS) else ""
    address = repository(app.srcdir)
    launch = list(launch_buttons(on_github(address), stem))
    if launch:
        yield group("Open this chapter to run it", "fas fa-rocket", "launch-buttons", launch)
    if address:
        sources = [link("Repository", address, "fas fa-code-branch", "source-repository-button")]
        if on_github(address) and doctree is not None:
            path = f"notebooks/{stem}.md" if stem else f"{page}.md"
            edit = f"{address}/edit/{BRANCH}/{path}"
            sources.append(link("Edit this page", edit, "fas fa-pencil", "source-edit-button"))
        yield group("Source of the book", "fas fa-code", "source-buttons", sources)
    if stem:
        root = context["pathto"]("notebooks", 1)
        downloads = [
            link("Notebook", f"{root}/{stem}.ipynb", "fas fa-book", "download-notebook-button"),
            link("Text", f"{root}/{stem}.md", "fas fa-file", "download-text-button"),
            printer(),
        ]
        yield group("Download this chapter", "fas fa-download", "download-buttons", downloads)


def launch_buttons(name: str, stem: str) -> Iterator[Context]:
    if not (name and stem):
        return
    path = quote(f"notebooks/{stem}.ipynb", safe="")
    binder = f"https://mybinder.org/v2/gh/{name}/{BRANCH}?labpath={path}"
    colab = f"https://colab.research.google.com/github/{name}/blob/{COLAB_BRANCH}/{stem}.ipynb"
    yield link("Binder", binder, "fas fa-play", "launch-binder-button")
    yield link("Colab", colab, "fas fa-play", "launch-colab-button")


def group(tooltip: str, icon: str, label: str, members: list[Context]) -> Context:
    return {"type": "group", "tooltip": tooltip, "icon": icon, "label": label, "buttons": members}


def link(text: str, url: str, icon: str, label: str) -> Context:
    return {
        "type": "link", "text": text, "url": url, "icon": icon, "label": label, "tooltip": text,
    }  # fmt: skip


def printer() -> Context:
    return {
        "type": "javascript", "javascript": "window.print()", "text": "Print",
        "icon": "fas fa-print", "label": "print-button", "tooltip": "Print",
    }  # fmt: skip


# --- what needs the site's address ---


def absolute(app: Sphinx, path: str) -> str:
    return f"{app.config.html_baseurl.rstrip('/')}/{path}"


def summary(doctree: nodes.document) -> str:
    """Return the page's first paragraph, cut at a word's end as search engines show it."""
    for paragraph in doctree.findall(nodes.paragraph):
        text = re.sub(r"\s+", " ", paragraph.astext()).strip()
        if len(text) > 40:
            return text if len(text) <= 200 else text[:199].rsplit(" ", 1)[0] + " …"
    return ""


def card_name(page: str) -> str:
    return f"_static/cards/{page.removeprefix('book/').replace('/', '-')}.png"


def social_tags(app: Sphinx, page: str, context: Context, doctree: nodes.document) -> str:
    heading = re.sub(r"<[^>]+>", "", context.get("title", "")) or app.config.html_title
    tags = {
        "og:type": "article",
        "og:site_name": app.config.html_title,
        "og:title": heading,
        "og:description": summary(doctree),
        "og:url": absolute(app, f"{page}.html"),
        "og:image": absolute(app, card_name(page)),
        "og:image:width": "1200",
        "og:image:height": "630",
        "og:image:alt": heading,
    }
    write_card(Path(app.outdir, card_name(page)), heading, app.config.html_title)
    properties = "".join(
        f'\n<meta property="{name}" content="{escape(text)}" />' for name, text in tags.items()
    )
    return properties + '\n<meta name="twitter:card" content="summary_large_image" />'


def write_card(path: Path, heading: str, book: str) -> None:
    """Write the picture that shows a link to a page: its title, 1200 by 630 pixels."""
    import textwrap

    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(12, 6.3), facecolor="#14345b")
    lines = "\n".join(textwrap.wrap(heading.replace("$", r"\$"), 30))
    size = 44 if lines.count("\n") < 4 else 34
    figure.text(0.07, 0.56, lines, color="white", fontsize=size, va="center", fontweight="bold")
    figure.text(0.07, 0.09, book, color="#f0b64a", fontsize=26)
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = BytesIO()
    figure.savefig(buffer, dpi=100, format="png", metadata={"Software": None})
    plt.close(figure)
    path.write_bytes(buffer.getvalue())


def write_sitemap(app: Sphinx) -> None:
    _, day = built_from(app.srcdir)
    urls = "".join(
        f"  <url><loc>{escape(absolute(app, page + '.html'))}</loc><lastmod>{day}</lastmod></url>\n"
        for page in sorted(app.env.found_docs)
    )
    Path(app.outdir, "sitemap.xml").write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{urls}</urlset>\n',
        encoding="utf-8",
    )


# --- files beside the pages ---


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


# --- links to other sites ---

DOI = "https://doi.org/"


def ask_the_registry(app: Sphinx, address: str) -> str | None:
    """Return where the registry of DOIs says whether it knows one; publishers refuse robots."""
    return address.replace(DOI, DOI + "api/handles/", 1) if address.startswith(DOI) else None


def finish(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.name != "html":
        return
    copy_notebooks(app)
    write_not_found(app)
    if app.config.html_baseurl:
        write_sitemap(app)


def setup(app: Sphinx) -> None:
    app.connect("config-inited", say_version)
    app.connect("html-page-context", page_context, priority=900)
    app.connect("linkcheck-process-uri", ask_the_registry)
    app.connect("build-finished", finish)
