"""The end of each chapter: its notebook, its text, and how to cite it."""

import datetime
from pathlib import Path

import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

from afterfit_book.chapters import CHAPTERS, EXECUTED, title


class TakeItAlong(SphinxTransform):
    """Close each chapter with its notebook, its text, and how to cite it."""

    default_priority = 200

    def apply(self) -> None:
        document = self.env.docname
        if not document.startswith(CHAPTERS):
            return
        stem = document.removeprefix(CHAPTERS)
        if not Path(self.env.srcdir, f"notebooks/{stem}.md").exists():
            return
        chapter = next(iter(self.document.findall(nodes.section)), None)
        if chapter is None:
            return
        citation = Path(self.env.srcdir, "CITATION.cff")
        self.env.note_dependency(str(citation))
        section = nodes.section(ids=["take-it-along"], names=["take it along"])
        section += nodes.title(text="Take it along")
        line = nodes.paragraph(text="This chapter ")
        forms = (
            ("as notebook", ".ipynb", " · "),
            ("as text", ".md", " · "),
            ("executed, to be read", EXECUTED, ". "),
        )
        for text, ending, rest in forms:
            address = f"../../notebooks/{stem}{ending}"
            line += nodes.reference(text=text, refuri=address, internal=True)
            line += nodes.Text(rest)
        line += nodes.Text(
            "The first two run outside the book as they are, where the package is installed."
        )
        section += line
        section += nodes.paragraph(text="To cite this chapter:")
        entry = bibtex(citation, stem, title(self.env.srcdir, stem), self.config.html_baseurl)
        section += nodes.literal_block(entry, entry, language="bibtex")
        chapter += section


def bibtex(citation: Path, stem: str, question: str, base: str) -> str:
    """Return a BibTeX entry for a chapter, from CITATION.cff."""
    facts = yaml.safe_load(citation.read_text(encoding="utf-8"))
    released = datetime.date.fromisoformat(str(facts["date-released"]))
    author = " and ".join("{" + person["name"] + "}" for person in facts["authors"])
    lines = {
        "author": author,
        "title": "{" + question + "}",
        "booktitle": "{" + facts["title"] + "}",
        "year": f"{released.year}",
        "note": f"Version {facts['version']}",
    }
    if base:
        lines["url"] = f"{base.rstrip('/')}/{CHAPTERS}{stem}.html"
    width = max(map(len, lines))
    body = ",\n".join(f"  {name:<{width}} = {{{value}}}" for name, value in lines.items())
    return f"@incollection{{afterfit-{stem},\n{body}\n}}"


def setup(app: Sphinx) -> None:
    app.add_transform(TakeItAlong)
