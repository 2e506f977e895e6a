"""The last touch on the written pages: names for screen readers, and no byte that is not used.

The theme brings styles for every component it knows and two thousand icons. A page of this book
uses a fraction. Everything here may run again on pages that were finished before.
"""

import logging
import re
from collections.abc import Callable, Iterator
from html import escape
from io import BytesIO
from pathlib import Path

from afterfit_book.figures import slim_figure
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

# --- pages ---

SUMMARY = re.compile(
    r'(<a class="[^"]*reference [^"]*" href="[^"]*">(?P<name>[^<]*)</a>\s*'
    r"(?:<details[^>]*>\s*)?)<summary>"
)
# The icons also come as a font; the script would draw them once more.
ICON_SCRIPT = re.compile(r'\s*<script[^>]*src="[^"]*scripts/fontawesome\.js[^"]*"></script>')
# Left over from live code cells, which this book has none of.
THEBE_STYLE = re.compile(r'\s*<link[^>]*href="[^"]*sphinx-thebe\.css[^"]*"\s*/?>')
# Tabs that can be clicked, which no page of this book has.
TABS_SCRIPT = re.compile(r'\s*<script[^>]*src="[^"]*design-tabs\.js[^"]*"></script>')
# Names, punctuation and space in code: their colour is that of code anyhow.
PLAIN = re.compile(r'<span class="(?:n|nn|p|w)">([^<]*)</span>')
ALIKE = re.compile(r'<span class="(\w\w?)">[^<]*</span>(?:<span class="\1">[^<]*</span>)+')
# numpydoc makes labels of references in docstrings unique, and forgets some when it undoes that.
HASHED_LABEL = re.compile(r"<span>\[R[0-9a-f]{12}-(\d+)\]</span>")
# Only the search page searches; the field on other pages leads there.
SEARCH_SCRIPTS = re.compile(
    r'\s*<script[^>]*src="[^"]*(?:searchtools|language_data|searchindex)\.js[^"]*"[^>]*></script>'
)


def finished(page: str, html: str) -> str:
    """Return the page with its faults mended and without scripts that it does not use."""
    html = SUMMARY.sub(
        lambda match: f'{match[1]}<summary aria-label="Pages in {escape(match["name"].strip())}">',
        html,
    )
    for idle in (THEBE_STYLE, ICON_SCRIPT, TABS_SCRIPT):
        html = idle.sub("", html)
    html = ALIKE.sub(as_one, PLAIN.sub(r"\1", html))
    html = HASHED_LABEL.sub(r"<span>[\1]</span>", html)
    if page not in ("search.html", "genindex.html"):
        html = SEARCH_SCRIPTS.sub("", html)
    # The first is deprecated in ARIA 1.3; in a list without items the second is an error.
    html = html.replace(' role="doc-biblioentry"', "").replace(
        '<div role="list" class="citation-list">', '<div class="citation-list">'
    )
    # One viewport is enough.
    return re.sub(
        r'(<meta name="viewport" content="width=device-width, initial-scale=1"\s*/>)'
        r'(?=.*name="viewport")',
        "",
        html,
        flags=re.DOTALL,
    )


def as_one(spans: re.Match[str]) -> str:
    text = re.sub(r"<[^>]*>", "", spans[0])
    return f'<span class="{spans[1]}">{text}</span>'


# --- styles ---

TOKEN = re.compile(
    r"/\*.*?\*/"
    r'|"(?:\\.|[^"\\])*"'
    r"|'(?:\\.|[^'\\])*'"
    r"|url\([^\"')]*\)"
    r"|[{};]"
    r"|[^{};\"'/u]+|.",
    flags=re.DOTALL,
)
NESTED = ("@media", "@supports", "@layer", "@container")
CLASS = re.compile(r"\.(-?[A-Za-z_][\w-]*)")
WORD = re.compile(r"-?[A-Za-z_][\w-]*")


def rules(css: str) -> Iterator[tuple[str, str]]:
    """Yield (what stands before the braces, what stands between them); (statement, "") without."""
    prelude: list[str] = []
    body: list[str] = []
    depth = 0
    for match in TOKEN.finditer(css):
        token = match[0]
        if token.startswith("/*"):
            continue
        if token == "}":
            depth -= 1
            if depth == 0:
                yield "".join(prelude).strip(), "".join(body)
                prelude, body = [], []
                continue
        if depth:
            body.append(token)
        elif token == ";":
            yield "".join(prelude).strip() + ";", ""
            prelude = []
        elif token != "{":
            prelude.append(token)
        if token == "{":
            depth += 1


def slim(css: str, is_used: Callable[[str], bool]) -> str:
    """Return the style sheet without the rules that only match classes which no page has."""
    kept = []
    for prelude, body in rules(css):
        if prelude.startswith(NESTED):
            body = slim(body, is_used)
            if body:
                kept.append(f"{prelude}{{{body}}}")
        elif prelude.startswith("@"):
            kept.append(prelude if prelude.endswith(";") else f"{prelude}{{{body}}}")
        else:
            selectors = [one for one in split(prelude) if may_match(one, is_used)]
            if selectors:
                kept.append(f"{','.join(selectors)}{{{body}}}")
    return "".join(kept)


def split(selectors: str) -> list[str]:
    """Split at the commas that are not in brackets."""
    parts, depth, current = [], 0, ""
    for character in selectors:
        depth += (character in "([") - (character in ")]")
        if character == "," and depth == 0:
            parts.append(current.strip())
            current = ""
        else:
            current += character
    return [*parts, current.strip()]


def may_match(selector: str, is_used: Callable[[str], bool]) -> bool:
    if "\\" in selector:
        return True
    while "(" in selector:  # what stands in :not(), :is() and the like decides nothing here
        shorter = re.sub(r"\([^()]*\)", "", selector)
        if shorter == selector:
            return True
        selector = shorter
    selector = re.sub(r"\[[^\]]*\]", "", selector)
    return all(map(is_used, CLASS.findall(selector)))


def slim_styles(folder: Path) -> None:
    """Slim the theme's style sheets by the words of all pages and scripts."""
    words: set[str] = set()
    pages = [path for path in folder.rglob("*.html") if "_static" not in path.parts]
    scripts = [
        path
        for path in (folder / "_static").rglob("*.js")
        if "mathjax" not in path.parts and "fontawesome" not in path.name
    ]
    for path in (*pages, *scripts):
        words.update(WORD.findall(path.read_text(encoding="utf-8")))
    for path in (folder / "_static").rglob("*.css"):
        if "mathjax" in path.parts:
            continue
        css = path.read_text(encoding="utf-8")
        slimmer = slim(css, words.__contains__)
        if "Font Awesome" in slimmer:
            slimmer = with_fewer_icons(slimmer, path)
        path.write_text(slimmer, encoding="utf-8")


# --- icons ---

ICON = re.compile(r'--fa:"\\([0-9a-f]+)"')
SET_BY_CODE = re.compile(r'content:"\\([0-9a-f]{4})"')
FACE = re.compile(
    r"url\([^)]*\.woff2[^)]*\) format\([^)]*\),\s*(url\(([^)]*/fa-[a-z0-9-]+\.ttf)[^)]*\))"
)


def with_fewer_icons(css: str, path: Path) -> str:
    """Cut the icon fonts of a style sheet down to the icons that are left in it."""
    from fontTools import subset
    from fontTools.ttLib import TTFont

    logging.getLogger("fontTools").setLevel(logging.WARNING)
    icons = {int(code, 16) for code in (*ICON.findall(css), *SET_BY_CODE.findall(css))}
    for _, address in FACE.findall(css):
        font_path = (path.parent / address).resolve()
        font = TTFont(font_path, recalcTimestamp=False)
        subsetter = subset.Subsetter(subset.Options(layout_features=[]))
        subsetter.populate(unicodes=icons)
        subsetter.subset(font)
        buffer = BytesIO()
        font.save(buffer)
        font_path.write_bytes(buffer.getvalue())
        font_path.with_suffix(".woff2").unlink(missing_ok=True)
    return FACE.sub(r"\1", css)


def finish(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.name != "html":
        return
    folder = Path(app.outdir)
    for path in folder.rglob("*.html"):
        if "_static" in path.relative_to(folder).parts:
            continue
        before = path.read_text(encoding="utf-8")
        after = finished(path.name, before)
        if after != before:
            path.write_text(after, encoding="utf-8")
    slim_styles(folder)
    for path in folder.glob("_images/*.svg"):
        path.write_text(slim_figure(path.read_text(encoding="utf-8")), encoding="utf-8")


def first_page(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    """Return the first page, to be written again: without a page, Sphinx copies no new styles."""
    return [env.config.root_doc]


def setup(app: Sphinx) -> None:
    app.connect("env-get-outdated", first_page)
    app.connect("build-finished", finish, priority=900)
