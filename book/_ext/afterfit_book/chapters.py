"""What pages of the book take from the chapters: cards with a figure, old names, the way home."""

import base64
import datetime
import hashlib
import os
import re
from pathlib import Path

import nbformat
import yaml
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective
from sphinx_design.grids import GridItemCardDirective

CHAPTERS = "book/chapters/"
# A row of the table under "What has changed"; tests/test_chapters.py runs both of its ends.
CHANGE = re.compile(r"^\| `(.+?)` \| `(.+?)` \| `(.+?)` \|$", flags=re.MULTILINE)
SUFFIXES = {"image/svg+xml": "svg", "image/png": "png"}

# Old code fails in few ways; a reader who holds a message finds its kind first.
KINDS = {
    "cannot import name": "A name is gone from its module",
    "No module named": "A module is gone",
    "has no attribute": "An attribute is gone",
    "": "An argument, a type or a value is no longer accepted",
}


def stems(source: str | Path) -> list[str]:
    """Return the chapters' stems in the order of the table of contents."""
    toc = (Path(source) / "_toc.yml").read_text(encoding="utf-8")
    return re.findall(rf"{CHAPTERS}(\w+)\.ipynb", toc)


def title(source: str | Path, stem: str) -> str:
    """Return the question that is the chapter's title, without markup."""
    text = (Path(source) / f"notebooks/{stem}.md").read_text(encoding="utf-8")
    heading = re.search(r"^# (.+)$", text, flags=re.MULTILINE)
    if heading is None:
        raise ValueError(f"notebooks/{stem}.md has no title")
    return heading[1].replace("`", "").replace("*", "").replace("$", "")


# --- cards ---


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


# --- "You came with an error message" ---


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


def chapter_link(text: str, stem: str, anchor: str = "") -> addnodes.pending_xref:
    """Return a link to a place in a chapter, resolved for whatever builder writes it."""
    return addnodes.pending_xref(
        "",
        nodes.inline(text=text),
        refdomain="",
        reftype="afterfit-chapter",
        reftarget=CHAPTERS + stem,
        refanchor=anchor,
        refexplicit=True,
    )


def resolve_chapter_link(
    app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, content: nodes.Element
) -> nodes.reference | None:
    if node["reftype"] != "afterfit-chapter" or node["reftarget"] not in env.found_docs:
        return None
    document = node.get("refdoc", env.docname)
    address = app.builder.get_relative_uri(document, node["reftarget"])
    if node["refanchor"]:
        address += "#" + node["refanchor"]
    return nodes.reference("", "", content, refuri=address, internal=True)


# --- "Take it along" ---


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
        for text, suffix, rest in (("as notebook", "ipynb", " · "), ("as text", "md", ". ")):
            address = f"../../notebooks/{stem}.{suffix}"
            line += nodes.reference(text=text, refuri=address, internal=True)
            line += nodes.Text(rest)
        line += nodes.Text("Both run outside the book as they are, where the package is installed.")
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
    app.add_directive("chapter-card", ChapterCard)
    app.add_directive("error-messages", ErrorMessages)
    app.add_transform(TakeItAlong)
    app.connect("missing-reference", resolve_chapter_link)
