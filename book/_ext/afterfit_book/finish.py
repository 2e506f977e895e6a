"""The last touch on the written pages: names for screen readers, and no byte that is not used.

Everything here may run again on pages that were finished before.
"""

import re
from html import escape
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from afterfit._dark import dark_figure
from afterfit_book.definitions import read_definitions, with_definitions
from afterfit_book.policy import with_policy
from afterfit_book.slim_svg import slim_figure
from afterfit_book.styles import slim_styles

# A figure on its own page of light, and the same in the dark: only one is shown, and loaded.
FIGURE = re.compile(
    r'<img (?P<before>[^>]*?)src="(?P<name>[^"]*_images/[^"]*)\.svg"(?P<after>[^>]*)>'
)
DARK = "-dark.svg"

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
# Boxes that a script folds, which no page of this book has either: its own are HTML's.
TOGGLE_STYLE = re.compile(r'\s*<link[^>]*href="[^"]*togglebutton\.css[^"]*"\s*/?>')
TOGGLE_SCRIPTS = re.compile(
    r'\s*<script[^>]*src="[^"]*togglebutton\.js[^"]*"></script>'
    r"|\s*<script>(?:let toggle|var togglebutton)[^<]*</script>"
)
# Names, punctuation and space in code: their colour is that of code anyhow.
PLAIN = re.compile(r'<span class="(?:n|nn|p|w)">([^<]*)</span>')
ALIKE = re.compile(r'<span class="(\w\w?)">[^<]*</span>(?:<span class="\1">[^<]*</span>)+')
# The number of a chapter belongs in its contents, not in the name that a search engine shows.
NUMBERED_TITLE = re.compile(r"(<title>)\d+\. ")
# numpydoc makes labels of references in docstrings unique, and forgets some when it undoes that.
HASHED_LABEL = re.compile(r"<span>\[R[0-9a-f]{12}-(\d+)\]</span>")
# A formula and the comma behind it stay on one line. What a cell recorded has a true minus before
# a number, and powers of ten as a journal writes them.
COMMA = re.compile(
    r'(?<!<span class="unbroken">)(<span class="math notranslate nohighlight">[^<]*</span>[.,;:)]+)'
)
RECORDED = re.compile(r'(?<=<span class="pasted-text">)[^<]+')
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
    html = FIGURE.sub(in_both_lights, html)
    for idle in (THEBE_STYLE, ICON_SCRIPT, TABS_SCRIPT, TOGGLE_STYLE, TOGGLE_SCRIPTS):
        html = idle.sub("", html)
    html = ALIKE.sub(as_one, PLAIN.sub(r"\1", html))
    html = NUMBERED_TITLE.sub(r"\1", html)
    html = COMMA.sub(r'<span class="unbroken">\1</span>', html)
    html = RECORDED.sub(lambda text: as_printed(text[0]), html)
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


def as_printed(recorded: str) -> str:
    """Return a recorded text with a true minus before a number, and with powers of ten."""
    text = re.sub(r"^-(?=[\d.])", "−", recorded)
    return re.sub(
        r"(?<=\d)e([-+]\d+)\b",
        lambda power: f"\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}10<sup>{int(power[1])}</sup>".replace(
            "-", "−"
        ),
        text,
    )


def in_both_lights(figure: re.Match[str]) -> str:
    """Return a picture for the light and one for the dark, as the style sheet shows them."""
    if "in-the-" in figure[0]:
        return figure[0]
    attributes = figure["before"] + figure["after"].rstrip("/ ")
    attributes = re.sub(r'\s*\b(?:class|loading)="[^"]*"', "", f" {attributes}")
    classes = "".join(re.findall(r'class="([^"]*)"', figure[0]))
    return "".join(
        f'<img class="{f"{classes} in-the-{light}".strip()}" src="{figure["name"]}{suffix}"'
        f'{attributes.rstrip()} loading="lazy"/>'
        for light, suffix in (("light", ".svg"), ("dark", DARK))
    )


SOURCE = re.compile(r'(?<=<img )(?=[^>]*src="[^"]*_images/([^"/]+\.svg)")(?![^>]*\bwidth=)')
VIEW = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')


def with_sizes(html: str, sizes: dict[str, tuple[int, int]]) -> str:
    """Return the page with the shape of each figure: its place is kept while it loads."""
    return SOURCE.sub(lambda image: 'width="{}" height="{}" '.format(*sizes[image[1]]), html)


def read_sizes(folder: Path) -> dict[str, tuple[int, int]]:
    """Return width and height of each figure, in pixels."""
    sizes = {}
    for path in folder.glob("_images/*.svg"):
        if view := VIEW.search(path.read_text(encoding="utf-8")[:2000]):
            sizes[path.name] = (round(float(view[1]) / 0.75), round(float(view[2]) / 0.75))
    return sizes


def as_one(spans: re.Match[str]) -> str:
    text = re.sub(r"<[^>]*>", "", spans[0])
    return f'<span class="{spans[1]}">{text}</span>'


def finish(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.name != "html":
        return
    folder = Path(app.outdir)
    for path in folder.glob("_images/*.svg"):
        if not path.name.endswith(DARK):
            figure = slim_figure(path.read_text(encoding="utf-8"))
            path.write_text(figure, encoding="utf-8")
            path.with_name(path.stem + DARK).write_text(dark_figure(figure), encoding="utf-8")
    sizes = read_sizes(folder)
    definitions = read_definitions(folder / "book/glossary.html")
    for path in folder.rglob("*.html"):
        if "_static" in path.relative_to(folder).parts:
            continue
        before = path.read_text(encoding="utf-8")
        after = with_sizes(finished(path.name, before), sizes)
        after = with_policy(with_definitions(after, definitions))
        if after != before:
            path.write_text(after, encoding="utf-8")
    slim_styles(folder)


def first_page(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    """Return the first page, to be written again: without a page, Sphinx copies no new styles."""
    return [env.config.root_doc]


def setup(app: Sphinx) -> None:
    app.connect("env-get-outdated", first_page)
    app.connect("build-finished", finish, priority=900)
