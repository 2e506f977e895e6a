"""How to get the package: from the site itself, in one line, above every short answer.

The site offers the wheel that `downloads` builds. pip takes it from the site's address where that
is known: from `html: baseurl` in _config.yml, or from the page itself, by the script. A page on
disk offers the file.
"""

from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective

from afterfit_book.chapters import CHAPTERS
from afterfit_book.site import project

FOLDER = "downloads"


def wheel_name(source: str | Path) -> str:
    """Return the name of the wheel's file, as the standard of wheels makes it."""
    facts = project(source)
    return f"{facts['name']}-{facts['version']}-py3-none-any.whl"


def command(env: BuildEnvironment) -> str:
    """Return the line that installs the package with all that the short answers need."""
    name = wheel_name(env.srcdir)
    base = (env.config.html_baseurl or "").rstrip("/")
    if base:
        return f'pip install "afterfit[plot] @ {base}/{FOLDER}/{name}"'
    return f'pip install "{name}[plot]"'


def install_nodes(env: BuildEnvironment, up: str) -> nodes.container:
    """Return the line, under the file that it installs; `up` leads to the site's root."""
    name = wheel_name(env.srcdir)
    box = nodes.container(classes=["install"])
    line = nodes.paragraph(text="The package: ")
    address = f"{up}{FOLDER}/{name}"
    line += nodes.reference("", "", nodes.inline(text=name), refuri=address, internal=True)
    line += nodes.Text(", then")
    box += line
    text = command(env)
    box += nodes.literal_block(text, text, language="bash")
    return box


class Install(SphinxDirective):
    """Show how to get the package."""

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(Path(self.env.srcdir, "pyproject.toml")))
        return [install_nodes(self.env, "../" * self.env.docname.count("/"))]


class BeforeShortAnswers(SphinxTransform):
    """Say above each short answer how to get what it imports, and below how to do without."""

    default_priority = 190

    def apply(self) -> None:
        document = self.env.docname
        if not document.startswith(CHAPTERS):
            return
        stem = document.removeprefix(CHAPTERS)
        for section in self.document.findall(nodes.section):
            if "short-answer" in section["ids"]:
                section.insert(1, install_nodes(self.env, "../../"))
                self.add_without(section, Path(self.env.srcdir, f"book/without/{stem}.py"))
                return

    def add_without(self, section: nodes.section, path: Path) -> None:
        """Put below the first code of a short answer the few lines that do without the package."""
        if not path.exists():
            return
        self.env.note_dependency(str(path))
        code = path.read_text(encoding="utf-8").strip()
        box = nodes.container(classes=["without"])
        box += nodes.paragraph(text="Without the package:")
        box += nodes.literal_block(code, code, language="python")
        shown = [position for position, child in enumerate(section.children) if is_shown(child)]
        place = shown[0] if shown else len(section) - 1
        while place + 1 in shown:  # the code may stand in several cells
            place += 1
        section.insert(place + 1, box)


def is_shown(node: nodes.Node) -> bool:
    """Return whether a node is a cell of code that is not folded."""
    classes = node.get("classes", []) if isinstance(node, nodes.container) else []
    return "cell" in classes and not any(name.startswith("tag_hide") for name in classes)


def setup(app: Sphinx) -> None:
    app.add_directive("install", Install)
    app.add_transform(BeforeShortAnswers)
