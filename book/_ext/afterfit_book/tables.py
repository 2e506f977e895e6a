"""Tables that directives make: numbers to the right, words to the left."""

import re
from collections.abc import Sequence
from html import escape

from docutils import nodes

NUMBER = re.compile(r"[-−–]?[\d,.]*\d( ?(s|ms|µs|ns|MB|%))?|–?")


def folded(summary: str, content: list[nodes.Node]) -> list[nodes.Node]:
    """Return what is shown only when its summary is clicked; print shows all of it."""
    opening = f"<details class='folded'><summary>{escape(summary)}</summary>"
    return [
        nodes.raw("", opening, format="html"),
        *content,
        nodes.raw("", "</details>", format="html"),
    ]


def table(
    head: list[str], rows: list[list[str]], classes: Sequence[str] = ("measured",)
) -> nodes.table:
    result = nodes.table(classes=list(classes))
    group = nodes.tgroup(cols=len(head))
    group += [nodes.colspec(colwidth=1) for _ in head]
    numbers = [all(map(NUMBER.fullmatch, column)) for column in zip(*rows, strict=True)]
    header, body = nodes.thead(), nodes.tbody()
    for part, lines in ((header, [head]), (body, rows)):
        for line in lines:
            row = nodes.row()
            for cell, is_number in zip(line, numbers, strict=True):
                row += nodes.entry(
                    "", nodes.paragraph(text=cell), classes=["number"] if is_number else []
                )
            part += row
    group += [header, body]
    result += group
    return result
