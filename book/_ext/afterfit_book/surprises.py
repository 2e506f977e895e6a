"""The page of surprises: what libraries do where a good guess is wrong, from book/surprises.toml.

Each row names the script in findings/ that shows it; the scripts lie beside the pages.
"""

import shutil
import tomllib
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective

from afterfit_book.chapters import CHAPTERS, chapter_link, short_name, stems

PAGE = "book/surprises"
RUNNING = "running"  # what concerns notebooks and tables in general
Row = dict[str, str]


def read_rows(source: str | Path) -> list[Row]:
    text = Path(source, f"{PAGE}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)["surprise"]


def groups(source: str | Path) -> dict[str, list[Row]]:
    """Return the rows by chapter, in the order of the chapters, the general ones last."""
    rows = read_rows(source)
    return {
        chapter: found
        for chapter in [*stems(source), RUNNING]
        if (found := [row for row in rows if row["chapter"] == chapter])
    }


class Surprises(SphinxDirective):
    """List all surprises, chapter by chapter."""

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(Path(self.env.srcdir, f"{PAGE}.toml")))
        return [self.section(chapter, rows) for chapter, rows in groups(self.env.srcdir).items()]

    def section(self, chapter: str, rows: list[Row]) -> nodes.section:
        heading = "Tables and notebooks"
        if chapter != RUNNING:
            heading = short_name(self.env.srcdir, chapter)
        section = nodes.section(ids=[chapter.replace("_", "-")])
        section += nodes.title(text=heading)
        for row in rows:
            section += self.entry(row)
        self.state.document.note_explicit_target(section)
        return section

    def entry(self, row: Row) -> nodes.container:
        entry = nodes.container(classes=["surprise"])
        head = nodes.paragraph(classes=["package"])
        head += nodes.strong(text=row["package"])
        script = f"../findings/{row['script']}"
        shown = nodes.literal(text=row["script"])
        head += [nodes.Text(" · "), nodes.reference("", "", shown, refuri=script, internal=True)]
        entry += head
        for label, name in (("Expected", "expected"), ("Seen", "seen"), ("Instead", "instead")):
            part = nodes.container(classes=["part"])
            self.state.nested_parse(
                StringList([f"*{label}:* {row[name]}"]), self.content_offset, part
            )
            entry += part
        return entry


class LinkToSurprises(SphinxTransform):
    """Close a chapter's "When it misleads" with the way to what libraries do about it."""

    default_priority = 195

    def apply(self) -> None:
        document = self.env.docname
        if not document.startswith(CHAPTERS) or PAGE not in self.env.found_docs:
            return
        self.env.note_dependency(str(Path(self.env.srcdir, f"{PAGE}.toml")))
        stem = document.removeprefix(CHAPTERS)
        rows = groups(self.env.srcdir).get(stem, [])
        for section in self.document.findall(nodes.section):
            if "when-it-misleads" in section["ids"] and rows:
                line = nodes.paragraph(text="What libraries do here against a good guess: ")
                link = chapter_link(f"{len(rows)} surprises", stem, stem.replace("_", "-"))
                link["reftarget"] = PAGE
                line += [link, nodes.Text(", each with a script that shows it.")]
                section += line


def copy_scripts(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.name != "html" or PAGE not in app.env.found_docs:
        return
    folder = Path(app.outdir, "findings")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in sorted({row["script"] for row in read_rows(app.srcdir)}):
        shutil.copyfile(Path(app.srcdir, "findings", name), folder / name)


def setup(app: Sphinx) -> None:
    app.add_directive("surprises", Surprises)
    app.add_transform(LinkToSurprises)
    app.connect("build-finished", copy_scripts)
