"""The page "You came with an error message": the old names of all chapters, by message."""

import re
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from afterfit_book.chapters import chapter_link, stems, title

# A row of the table under "What has changed"; tests/test_chapters.py runs both of its ends.
CHANGE = re.compile(r"^\| `(.+?)` \| `(.+?)` \| `(.+?)` \|$", flags=re.MULTILINE)

# Old code fails in few ways; a reader who holds a message finds its kind first.
KINDS = {
    "cannot import name": "A name is gone from its module",
    "No module named": "A module is gone",
    "has no attribute": "An attribute is gone",
    "": "An argument, a type or a value is no longer accepted",
}


class ErrorMessages(SphinxDirective):
    """Gather the rows of all tables under "What has changed", by kind of message."""

    def run(self) -> list[nodes.Node]:
        found: dict[tuple[str, str, str], list[str]] = {}
        self.env.note_dependency(str(Path(self.env.srcdir, "_toc.yml")))
        for stem in stems(self.env.srcdir):
            path = Path(self.env.srcdir, f"notebooks/{stem}.md")
            self.env.note_dependency(str(path))
            text = path.read_text(encoding="utf-8").split("## What has changed")[1]
            for row in CHANGE.findall(text.split("\n## ")[0]):
                found.setdefault(row, []).append(stem)
        sections = []
        for mark, heading in KINDS.items():
            rows = [row for row in found if kind(row[1]) == mark]
            if not rows:
                continue
            section = nodes.section(ids=[nodes.make_id(heading)])
            section += nodes.title(text=heading)
            for row in sorted(rows, key=lambda row: row[1].lower()):
                section += self.entry(row, found[row])
            self.state.document.note_explicit_target(section)
            sections.append(section)
        return sections

    def entry(self, row: tuple[str, str, str], where: list[str]) -> nodes.container:
        old, message, new = row
        entry = nodes.container(classes=["error-message"])
        entry += nodes.paragraph("", "", nodes.literal(text=message), classes=["message"])
        for label, code in (("Old", old), ("Now", new)):
            line = nodes.paragraph(classes=["change"])
            line += nodes.inline(text=label, classes=["label"])
            line += [nodes.Text(" "), nodes.literal(text=code)]
            entry += line
        links = nodes.paragraph(text="Chapter: ", classes=["where"])
        for position, stem in enumerate(where):
            if position:
                links += nodes.Text(" · ")
            links += chapter_link(title(self.env.srcdir, stem), stem, "what-has-changed")
        entry += links
        return entry


def kind(message: str) -> str:
    """Return the key of `KINDS` to which a message belongs."""
    return next(mark for mark in KINDS if mark in message)


def setup(app: Sphinx) -> None:
    app.add_directive("error-messages", ErrorMessages)
