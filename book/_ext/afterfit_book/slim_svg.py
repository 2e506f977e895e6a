"""Smaller figures: what matplotlib drew as SVG, the same to the eye, in about half the bytes.

Matplotlib writes absolute coordinates with six digits, a name for every group, and at every mark
the style that its symbol has already. This writes each of them once, and as short as it can be.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import count, product
from string import ascii_lowercase, ascii_uppercase

OF_MATPLOTLIB = '<g id="figure_1">'
IDLE = re.compile(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->|<metadata>.*?</metadata>", re.DOTALL)

# Digits after the point of a coordinate in points; a figure is shown at most 1.7 times that size.
DIGITS = 2
# In a long curve half a tenth of a point is lost in the width of the line.
LONG = 400  # characters
DIGITS_OF_LONG = 1
# Glyphs are given 64 times as large as they are drawn.
DIGITS_OF_GLYPHS = 0

GLYPH = re.compile(r'(?<= d=")([^"]*)(?=" transform="scale\(0\.015625\)")')
CURVE = re.compile(r'(?<= d=")[ML][^"]*')
COMMAND = re.compile(r"([MLQCz])([^MLQCz]*)")
DECIMAL = re.compile(r"-?\d+\.\d+")
PLACE = re.compile(r'(?<= [xy]=")-?\d+\.\d+(?=")|(?<=translate\()[^)]*')

REFERENCE = re.compile(r'(href="#|url\(#)([^")]+)')
NAME = re.compile(r' id="([^"]+)"')
STYLE = re.compile(r' style="([^"]*)"')
SYMBOL = re.compile(r'<path id="([^"]+)"[^>]* style="([^"]*)"/>')
MARK = re.compile(r'(<use href="#([^"]+)"[^>]*) style="([^"]*)"/>')
GROUP = re.compile(r"(</?g\b[^>]*>)")
MARKS = r"(?:<(?:use|path)\b[^<>]*/>)+</g>"
ALIKE = re.compile(
    rf'<g clip-path="(url\(#\w+\))">{MARKS}(?:<g clip-path="\1">{MARKS})+',
)
OF_ONE_CLASS = re.compile(
    r'(<g clip-path="[^"]*")>((?:<use [^<>]* class="(\w+)"/>)(?:<use [^<>]* class="\3"/>)+)</g>'
)


def slim_figure(svg: str) -> str:
    """Return matplotlib's SVG in fewer bytes, and any other SVG as it is."""
    if OF_MATPLOTLIB not in svg:
        return svg
    svg = re.sub(r">\s+<", "><", IDLE.sub("", svg)).strip()
    svg = svg.replace(' xmlns:xlink="http://www.w3.org/1999/xlink"', "")
    svg = svg.replace("xlink:href", "href")
    return in_one_group(
        without_idle_groups(with_classes(with_short_names(with_short_numbers(svg))))
    )


# --- numbers ---


def with_short_numbers(svg: str) -> str:
    svg = GLYPH.sub(lambda glyph: relative(glyph[0], DIGITS_OF_GLYPHS), svg)
    svg = CURVE.sub(lambda curve: relative(curve[0], digits_of(curve[0])), svg)
    return PLACE.sub(
        lambda place: DECIMAL.sub(lambda one: written(rounded(one[0], DIGITS), DIGITS), place[0]),
        svg,
    )


def digits_of(path: str) -> int:
    return DIGITS_OF_LONG if len(path) > LONG else DIGITS


def relative(path: str, digits: int) -> str:
    """Return a path with each point seen from the one before it, on a grid of so many digits."""
    tokens: list[str] = []
    meant = ""
    for letter, lengths in steps(path, digits):
        if letter != meant:
            tokens.append(letter)
        tokens += [written(length, digits) for length in lengths]
        meant = "l" if letter == "m" else letter  # a letter that is meant anyway is left out
    return joined(tokens)


def steps(path: str, digits: int) -> list[tuple[str, list[int]]]:
    """Return each command of a path with its lengths, in units of the last digit."""
    found: list[tuple[str, list[int]]] = []
    start = here = (0, 0)
    for command, numbers in COMMAND.findall(path):
        values = [rounded(number, digits) for number in numbers.split()]
        points = list(zip(values[::2], values[1::2], strict=True))
        lengths = [one - other for point in points for one, other in zip(point, here, strict=True)]
        here = points[-1] if points else start
        if command == "M":
            start = here
        add(found, command.lower(), lengths)
    return found


def add(found: list[tuple[str, list[int]]], letter: str, lengths: list[int]) -> None:
    """Add a command; lines along an axis have letters of their own, and go on in one."""
    before, last = found[-1] if found else ("", [0])
    if letter == "l" and lengths[0] * lengths[1] == 0:
        letter = "h" if lengths[1] == 0 else "v"
        lengths = [sum(lengths)]
        if lengths == [0] and before not in ("m", "z"):  # nothing to draw
            return
        if letter == before and last[0] * lengths[0] > 0:
            last[0] += lengths[0]
            return
    found.append((letter, lengths))


def rounded(number: str, digits: int) -> int:
    return round(float(number) * 10**digits)


def written(units: int, digits: int) -> str:
    text = f"{units / 10**digits:.{digits}f}"
    if digits:
        text = text.rstrip("0").rstrip(".")
    return re.sub(r"^(-?)0\.", r"\1.", text)


def joined(tokens: Iterable[str]) -> str:
    """Return letters and numbers in a row, with a space only where two numbers would merge."""
    text, before = [], ""
    for token in tokens:
        apart = token[0] == "-" or (token[0] == "." and "." in before)
        if before and not before.isalpha() and not token.isalpha() and not apart:
            text.append(" ")
        text.append(token)
        before = token
    return "".join(text)


# --- names and styles ---


def with_short_names(svg: str) -> str:
    """Rename what is referred to, the most often first; take away all other names."""
    often = Counter(name for _, name in REFERENCE.findall(svg))
    new = words(ascii_lowercase)
    short = {name: next(new) for name, _ in often.most_common()}
    svg = NAME.sub(lambda name: f' id="{short[name[1]]}"' if name[1] in short else "", svg)
    return REFERENCE.sub(lambda reference: reference[1] + short[reference[2]], svg)


def with_classes(svg: str) -> str:
    """Say each style once: a mark has its symbol's, and what is used twice becomes a class."""
    svg = STYLE.sub(lambda style: f' style="{tight(style[1])}"', svg)
    own = dict(SYMBOL.findall(svg))
    svg = MARK.sub(
        lambda mark: f"{mark[1]}/>" if own.get(mark[2]) == mark[3] else mark[0],
        svg,
    )
    often = Counter(STYLE.findall(svg))
    new = words(ascii_uppercase)
    classes = {style: next(new) for style, times in often.most_common() if times > 1}
    svg = STYLE.sub(
        lambda style: f' class="{classes[style[1]]}"' if style[1] in classes else style[0], svg
    )
    rules = "".join(f".{name}{{{style}}}" for style, name in classes.items())
    return svg.replace("</style>", rules + "</style>", 1)


def in_one_group(svg: str) -> str:
    """Put marks that follow each other, and are clipped alike, into one group."""
    svg = ALIKE.sub(lambda run: run[0].replace(f'</g><g clip-path="{run[1]}">', ""), svg)
    # Marks inherit what their group has; opacity alone is another thing for a group.
    faint = set(re.findall(r"\.(\w+)\{[^}]*opacity", svg))
    return OF_ONE_CLASS.sub(
        lambda group: (
            group[0]
            if group[3] in faint
            else f'{group[1]} class="{group[3]}">{group[2]}</g>'.replace(
                f' class="{group[3]}"/>', "/>"
            )
        ),
        svg,
    )


def tight(style: str) -> str:
    return re.sub(r"\s*([:;])\s*", r"\1", style).rstrip(";")


def words(letters: str) -> Iterator[str]:
    """Yield a, b, ..., z, aa, ab, ..."""
    for length in count(1):
        yield from map("".join, product(letters, repeat=length))


def without_idle_groups(svg: str) -> str:
    """Take away the groups that have no attributes left."""
    kept, is_idle = [], []
    for piece in GROUP.split(svg):
        if piece == "</g>":
            if is_idle.pop():
                continue
        elif piece == "<g/>":
            continue
        elif piece.startswith("<g") and GROUP.fullmatch(piece) and not piece.endswith("/>"):
            is_idle.append(piece == "<g>")
            if is_idle[-1]:
                continue
        kept.append(piece)
    return "".join(kept).replace("</defs><defs>", "").replace("<defs/>", "")
