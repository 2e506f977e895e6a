"""Style sheets without what no page uses.

The theme brings styles for every component it knows and two thousand icons. A page of this book
uses a fraction.
"""

import logging
import re
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from pathlib import Path

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
VARIABLE = re.compile(r"--[\w-]+")
# Where a variable is given a value; one with a quotation stays.
VALUE = re.compile(r"(?<=[{;])(--[\w-]+)\s*:[^;{}\"']*(?:;|(?=\}))")


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


def without_idle_variables(sheets: list[str], elsewhere: set[str]) -> list[str]:
    """Return style sheets without the values of variables that nothing asks for."""
    while True:
        asked = {name for css in sheets for name in VARIABLE.findall(VALUE.sub(asks, css))}
        kept = partial(value_if_asked, asked=asked | elsewhere)
        slimmer = [VALUE.sub(kept, css) for css in sheets]
        if slimmer == sheets:
            return sheets
        sheets = slimmer


def value_if_asked(value: re.Match[str], asked: set[str]) -> str:
    return value[0] if value[1] in asked else ""


def asks(value: re.Match[str]) -> str:
    """Return what the value of a variable asks for, without its own name."""
    return value[0].removeprefix(value[1])


def slim_styles(folder: Path) -> None:
    """Slim the theme's style sheets by the words of all pages and scripts."""
    words: set[str] = set()
    variables: set[str] = set()
    pages = [path for path in folder.rglob("*.html") if "_static" not in path.parts]
    scripts = [
        path
        for path in (folder / "_static").rglob("*.js")
        if "mathjax" not in path.parts and "fontawesome" not in path.name
    ]
    for path in (*pages, *scripts):
        text = path.read_text(encoding="utf-8")
        words.update(WORD.findall(text))
        variables.update(VARIABLE.findall(text))
    paths = [path for path in (folder / "_static").rglob("*.css") if "mathjax" not in path.parts]
    sheets = [slim(path.read_text(encoding="utf-8"), words.__contains__) for path in paths]
    for path, slimmer in zip(paths, without_idle_variables(sheets, variables), strict=True):
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
