"""The page on the environment: what the book was built with."""

import importlib.metadata
import platform
import re
import tomllib
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from afterfit_book.tables import table


class Versions(SphinxDirective):
    """List what the book was built with: each dependency, its bounds and its version."""

    def run(self) -> list[nodes.Node]:
        path = Path(self.env.srcdir, "pyproject.toml")
        for name in ("pyproject.toml", "requirements.lock"):
            self.env.note_dependency(str(Path(self.env.srcdir, name)))
        project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
        extras = project["optional-dependencies"]
        uses = [("package", project["dependencies"])]
        uses += [(use, extras[use]) for use in ("chapters", "book", "test")]
        rows = [["Python", platform.python_version(), project["requires-python"], "all"]]
        rows += [row(wanted, use) for use, items in uses for wanted in items]
        head = ["what", "installed", "allowed", "needed by"]
        return [table(head, rows)]


def row(requirement: str, use: str) -> list[str]:
    name = re.split(r"[<>=!~ ]", requirement, maxsplit=1)[0]
    return [name, importlib.metadata.version(name), requirement.removeprefix(name), use]


def setup(app: Sphinx) -> None:
    app.add_directive("versions", Versions)
