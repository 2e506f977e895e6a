"""The site around the pages: its version, and the buttons that lead to source and downloads.

One setting governs all links to the repository: `Repository` under `[project.urls]` in
pyproject.toml. While it is unset, there are none.
"""

import datetime
import subprocess
import tomllib
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

from afterfit_book.chapters import CHAPTERS, EXECUTED

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


def add_buttons(
    app: Sphinx, page: str, template: str, context: Context, doctree: nodes.document | None
) -> None:
    if "header_buttons" in context:
        context["header_buttons"] = [
            button for button in context["header_buttons"] if button["label"] != "download-buttons"
        ]
        context["header_buttons"][:0] = buttons(app, page, context, doctree)


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
            link(
                "Executed", f"{root}/{stem}{EXECUTED}", "fas fa-image", "download-executed-button"
            ),
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


# --- links to other sites ---

DOI = "https://doi.org/"


def ask_the_registry(app: Sphinx, address: str) -> str | None:
    """Return where the registry of DOIs says whether it knows one; publishers refuse robots."""
    return address.replace(DOI, DOI + "api/handles/", 1) if address.startswith(DOI) else None


def setup(app: Sphinx) -> None:
    app.connect("config-inited", say_version)
    app.connect("html-page-context", add_buttons, priority=900)
    app.connect("linkcheck-process-uri", ask_the_registry)
