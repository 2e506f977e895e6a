"""The API pages: a table with a line for each name, and below it what numpydoc makes of them.

A page asks for it by a line `<!-- api: MODULE -->`. Functions come before classes that one makes,
and those before results that one is given.
"""

import importlib
import inspect
import re
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from docutils import nodes
from docutils.parsers.rst.states import Inliner
from sphinx import addnodes
from sphinx.application import Sphinx

import afterfit

MARK = re.compile(r"^<!-- api: (\w+) -->$", flags=re.MULTILINE)
METHODS_OF_OTHERS = re.compile(r"set_\w+_request|get_metadata_routing")


def write_page(app: Sphinx, document: str, source: list[str]) -> None:
    source[0] = MARK.sub(lambda mark: entries(app, mark[1]), source[0])


def entries(app: Sphinx, name: str) -> str:
    """Return Markdown: the module's docstring, its table, and its entries."""
    module = importlib.import_module(f"afterfit.{name}")
    app.env.note_dependency(str(module.__file__))
    chapter = Path(app.srcdir, f"notebooks/{name}.md")
    is_chapter = chapter.exists()
    if is_chapter:
        app.env.note_dependency(str(chapter))
    sections = read_sections(chapter) if is_chapter else {}
    head = ["| Name | What it does |", "|---|---|"]
    if is_chapter:
        head = ["| Name | What it does | In the chapter |", "|---|---|---|"]
    names = ordered(module)
    rows = [row(module, one, sections if is_chapter else None, name) for one in names]
    directives = [
        f".. auto{'class' if inspect.isclass(getattr(module, one)) else 'function'}:: {one}"
        + ("\n   :members:\n" if inspect.isclass(getattr(module, one)) else "\n")
        for one in names
    ]
    rst = [f".. py:module:: afterfit.{name}", "", inspect.getdoc(module) or ""]
    return "\n".join(
        [
            *(
                "```{eval-rst}",
                *rst,
                "```",
                "",
                ":::{table}",
                ":class: api",
                *head,
                *rows,
                ":::",
                "",
            ),
            *("```{eval-rst}", f".. py:currentmodule:: afterfit.{name}", "", *directives, "```"),
        ]
    )


def ordered(module: ModuleType) -> list[str]:
    """Return the public names: functions, classes to make, results, then errors and warnings."""
    return sorted(module.__all__, key=lambda name: (kind(getattr(module, name)), name.lower()))


def kind(thing: Any) -> int:
    if not inspect.isclass(thing):
        return 0
    if issubclass(thing, Exception):
        return 3
    is_result = hasattr(thing, "__dataclass_fields__") or thing.__name__.endswith("Display")
    return 2 if is_result else 1


def row(module: ModuleType, name: str, sections: dict[str, str] | None, stem: str) -> str:
    thing = getattr(module, name)
    said = re.sub(r"`+([^`]+)`+", r"`\1`", (inspect.getdoc(thing) or "").split("\n\n")[0])
    said = " ".join(said.split()).replace("|", "\\|")
    cells = [f"{{py:obj}}`~afterfit.{stem}.{name}`", said]
    if sections is not None:
        found = next((title for title, text in sections.items() if mentions(text, name)), None)
        anchor = "" if found is None else nodes.make_id(found)
        cells.append(f"{{afterfit-section}}`{stem}/{anchor}/{found}`" if found else "")
    return f"| {' | '.join(cells)} |"


def mentions(text: str, name: str) -> bool:
    return bool(re.search(rf"\b{name}\b", text))


def read_sections(chapter: Path) -> dict[str, str]:
    """Return the text of each section of a chapter by its title."""
    parts = re.split(r"^## (.+)$", chapter.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


# --- names in docstrings ---


@cache
def public_names() -> dict[str, str]:
    """Return where each public name is documented, by the ways in which docstrings write it."""
    found: dict[str, str] = {}
    for stem in afterfit.__all__:
        module = importlib.import_module(f"afterfit.{stem}")
        for name in module.__all__:
            thing = getattr(module, name)
            members = [name]
            if inspect.isclass(thing):
                members += [
                    f"{name}.{m}" for m in vars(thing) if inspect.isfunction(vars(thing)[m])
                ]
            for member in members:
                if METHODS_OF_OTHERS.fullmatch(member.rpartition(".")[2]) or "._" in member:
                    continue
                full = f"afterfit.{stem}.{member}"
                for way in (member, f"{stem}.{member}", full):
                    found.setdefault(way, full)
    return found


def name_role(
    role: str, raw: str, text: str, line: int, inliner: Inliner, options: Any = None,
    content: Any = None,
) -> tuple[list[nodes.Node], list[nodes.system_message]]:  # fmt: skip
    """Link what stands in single backticks where it is a public name; else it is an argument."""
    env = inliner.document.settings.env
    name = text.removesuffix("()").lstrip("~")
    module, owner = (env.ref_context.get(key) or "" for key in ("py:module", "py:class"))
    ways = [f"{module}.{owner}.{name}" if owner else "", f"{module}.{name}", name]
    target = next((public_names()[way] for way in ways if way in public_names()), None)
    shown = nodes.literal(text=text.lstrip("~"))
    if target is None:
        return [shown], []
    link = addnodes.pending_xref(
        "", shown, refdomain="py", reftype="obj", reftarget=target, refexplicit=True,
        refwarn=False, refdoc=env.docname,
    )  # fmt: skip
    return [link], []


def section_role(
    role: str, raw: str, text: str, line: int, inliner: Inliner, options: Any = None,
    content: Any = None,
) -> tuple[list[nodes.Node], list[nodes.system_message]]:  # fmt: skip
    from afterfit_book.chapters import chapter_link

    stem, anchor, title = text.split("/", 2)
    return [chapter_link(title, stem, anchor)], []


def skip_requests(
    app: Sphinx, what: str, name: str, member: object, skip: bool, options: object
) -> bool | None:
    """Leave out the methods that scikit-learn gives every estimator for metadata routing."""
    return True if METHODS_OF_OTHERS.fullmatch(name) else None


def setup(app: Sphinx) -> None:
    app.add_role("afterfit-name", name_role)
    app.add_role("afterfit-section", section_role)
    app.connect("source-read", write_page)
    app.connect("autodoc-skip-member", skip_requests)
