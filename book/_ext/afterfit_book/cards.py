"""Cards on the welcome page: a chapter's question, its short answer, and a small picture."""

import os
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx_design.grids import GridItemCardDirective

from afterfit_book import thumbnails


class ChapterCard(GridItemCardDirective):
    """A card for a chapter. Its picture is drawn when the page is read, so it cannot go stale."""

    required_arguments = 1
    optional_arguments = 0
    option_spec = {  # noqa: RUF012  (docutils' convention)
        **GridItemCardDirective.option_spec,
        "question": directives.unchanged_required,
        "alt": directives.unchanged_required,
    }

    def run_with_defaults(self) -> list[nodes.Node]:
        document = self.arguments[0]
        picture = self.stored(document.rpartition("/")[2])
        self.arguments = [self.options.pop("question")]
        folder = Path(self.env.doc2path(self.env.docname)).parent
        self.options |= {
            "img-top": os.path.relpath(picture, folder),
            "img-alt": self.options.pop("alt"),
            "link": document,
            "link-type": "doc",
        }
        return super().run_with_defaults()

    def stored(self, stem: str) -> Path:
        path = Path(self.env.app.outdir).parent / f"cards/card-{stem}.svg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(thumbnails.draw(stem))
        self.env.note_dependency(thumbnails.__file__)
        return path


def setup(app: Sphinx) -> None:
    app.add_directive("chapter-card", ChapterCard)
