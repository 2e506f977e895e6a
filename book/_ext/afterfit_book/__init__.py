"""What the book needs beyond Jupyter Book: the page on the data, and no script from elsewhere.

The other files here: `chapters` (what pages take from chapters), `benchmarks`
(the page on speed), `bibliography` (its labels), `site` (version, downloads,
links to the repository), `finish` (the last touch on the written pages), and
`figures` (smaller figures).
"""

import importlib.metadata
import platform
import re
import tomllib
import zlib
from pathlib import Path
from typing import Any

from afterfit_book import benchmarks, bibliography, chapters, finish, site
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.docutils import SphinxDirective

from afterfit import datasets

PARTS = (
    benchmarks,
    bibliography,
    chapters,
    site,
    finish,
)


class BundledData(SphinxDirective):
    """List the bundled data sets with size, description, source, licence and reference."""

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(datasets.__file__)
        return [self.section(datasets.describe(name)) for name in datasets.names()]

    def section(self, dataset: datasets.Dataset) -> nodes.section:
        table = datasets.load_table(dataset.name)
        section = nodes.section(ids=[f"data-{dataset.name.replace('_', '-')}"])
        title = nodes.title()
        title += [nodes.literal(text=dataset.name), nodes.Text(f": {dataset.title}")]
        section += title
        section += nodes.paragraph(text=dataset.description)
        facts = {
            "Size": f"{table.shape[0]:,} rows, {table.shape[1]} columns",
            "Missing cells": f"{int(table.isna().to_numpy().sum()):,}",
            "Source": dataset.source,
            "Licence": dataset.licence,
            "Reference": dataset.reference,
        }
        section += nodes.definition_list(
            "",
            *(
                nodes.definition_list_item(
                    "", nodes.term(text=name), nodes.definition("", nodes.paragraph(text=fact))
                )
                for name, fact in facts.items()
            ),
            classes=["facts"],
        )
        self.state.document.note_explicit_target(section)
        return section


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
        return [benchmarks.table(head, rows)]


def row(requirement: str, use: str) -> list[str]:
    name = re.split(r"[<>=!~ ]", requirement, maxsplit=1)[0]
    return [name, importlib.metadata.version(name), requirement.removeprefix(name), use]


def without_thebe(app: Sphinx, _: Config) -> None:
    """Take out live code cells, which load their script from another host.

    Jupyter Book always adds sphinx-thebe, and has no setting against it.
    """
    for listeners in app.events.listeners.values():
        for listener in list(listeners):
            if listener.handler.__module__ == "sphinx_thebe":
                app.disconnect(listener.id)


def skip_requests(
    app: Sphinx, what: str, name: str, member: object, skip: bool, options: object
) -> bool | None:
    """Leave out the methods that scikit-learn gives every estimator for metadata routing."""
    return True if re.fullmatch(r"set_\w+_request|get_metadata_routing", name) else None


def fingerprint() -> int:
    """Return a number of these files: pages made by older ones are redone when it changes."""
    content = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    return zlib.crc32(content)


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("config-inited", without_thebe, priority=0)
    app.connect("autodoc-skip-member", skip_requests)
    app.add_directive("bundled-data", BundledData)
    app.add_directive("versions", Versions)
    for part in PARTS:
        part.setup(app)
    return {
        "env_version": fingerprint(),
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
