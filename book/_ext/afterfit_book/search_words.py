"""Words under which readers search for a page that uses others, from book/search.toml."""

import tomllib
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform


class SearchWords(SphinxTransform):
    """Give a page its words, as keywords, which Sphinx's search reads."""

    default_priority = 210

    def apply(self) -> None:
        path = Path(self.env.srcdir, "book/search.toml")
        words = tomllib.loads(path.read_text(encoding="utf-8")).get(self.env.docname)
        if words:
            single = ", ".join(" ".join(words).split())  # the search knows single words only
            self.document += nodes.meta(name="keywords", content=single, lang="en")
            self.env.note_dependency(str(path))


def setup(app: Sphinx) -> None:
    app.add_transform(SearchWords)
