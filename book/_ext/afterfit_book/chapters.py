"""What the book knows of its chapters: their stems, their titles, and how to link to them."""

import re
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

CHAPTERS = "book/chapters/"

# How the name of a chapter's executed notebook ends, beside the one to be run.
EXECUTED = "-executed.ipynb"


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


def short_name(source: str | Path, stem: str) -> str:
    """Return the chapter's name in the table of contents."""
    toc = (Path(source) / "_toc.yml").read_text(encoding="utf-8")
    named = re.search(rf"{CHAPTERS}{stem}\.ipynb\n\s+title: (.+)", toc)
    return named[1] if named else title(source, stem)


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


def setup(app: Sphinx) -> None:
    app.connect("missing-reference", resolve_chapter_link)
