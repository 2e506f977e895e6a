"""Cards on the welcome page: a chapter's question, its short answer, and the figure of it."""

import base64
import hashlib
import os
from pathlib import Path

import nbformat
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx_design.grids import GridItemCardDirective

SUFFIXES = {"image/svg+xml": "svg", "image/png": "png"}


class ChapterCard(GridItemCardDirective):
    """A card for a chapter: its question, its short answer, and the figure of that answer.

    The figure is read from the executed chapter on every build, so it cannot go stale. It is stored
    under the name that MyST-NB gives it (the hash of its content): one file serves both pages.
    """

    required_arguments = 1
    optional_arguments = 0
    option_spec = {  # noqa: RUF012  (docutils' convention)
        **GridItemCardDirective.option_spec,
        "question": directives.unchanged_required,
        "figure": directives.unchanged,
    }

    def run_with_defaults(self) -> list[nodes.Node]:
        document = self.arguments[0]
        notebook = Path(self.env.srcdir, "book", f"{document}.ipynb")
        self.env.note_dependency(str(notebook))
        path, alt = self.figure(notebook)
        self.arguments = [self.options.pop("question")]
        folder = Path(self.env.doc2path(self.env.docname)).parent
        self.options |= {
            "img-top": os.path.relpath(path, folder),
            "img-alt": alt,
            "link": document,
            "link-type": "doc",
        }
        return super().run_with_defaults()

    def figure(self, notebook: Path) -> tuple[Path, str]:
        """Return file and alternative text of the figure with that name, or of the first one."""
        wanted = self.options.pop("figure", None)
        for cell in nbformat.read(notebook, as_version=4).cells:
            settings = cell.metadata.get("mystnb", {})
            name = settings.get("figure", {}).get("name")
            if name is None or wanted not in (None, name):
                continue
            for output in cell.get("outputs", []):
                for mime, suffix in SUFFIXES.items():
                    if mime in output.get("data", {}):
                        data = as_bytes(output["data"][mime], mime)
                        return self.stored(data, suffix), settings["image"]["alt"]
        raise self.error(f"{notebook} has no figure{f' {wanted}' if wanted else ''}")

    def stored(self, data: bytes, suffix: str) -> Path:
        path = Path(self.env.app.outdir).parent / "jupyter_execute"
        path = path / f"{hashlib.sha256(data).hexdigest()}.{suffix}"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return path


def as_bytes(content: str, mime: str) -> bytes:
    """Return an output's content as MyST-NB writes it to a file."""
    if mime == "image/png":
        return base64.b64decode(content)
    return os.linesep.join(content.splitlines()).encode()


def setup(app: Sphinx) -> None:
    app.add_directive("chapter-card", ChapterCard)
