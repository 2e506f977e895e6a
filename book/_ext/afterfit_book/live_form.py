"""The form of "Try it on your own table", from the cells of a chapter: its parameters as fields.

A field is named as its parameter and explained by the comment of its line. Ranges and choices are
those that the chapter checks; it checks them itself, and says so in its own sentences.
"""

import ast
import csv
import gzip
import json
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from html import escape
from importlib import resources
from typing import Any

from afterfit import datasets
from afterfit.runs._declared import Parameter, declared

# Endings of files that `datasets.load_table` reads.
ACCEPTED = ".csv,.tsv,.txt,.gz,.bz2,.xz,.zip,.xlsx,.jsonl,.parquet,.feather"

FILE_HELP = "CSV, or another form that <code>load_table</code> reads; it stays on this machine"
# With what a form begins where the chapter's own table takes long in a page: one of 101 rows.
FIRST: dict[str, dict[str, Any]] = {"categorical": {"data": "zoo", "truth_column": "type"}}
# How the reader's file is written, where that cannot be found out.
READING = ("separator", "decimal", "missing")
PART_HELP = "what is run: all of the chapter, or what concerns your table only"

COMMAND = """<details class="live-command"><summary>The same as a command</summary>
<p>For a terminal, from the root of the repository, where <code>pip install '.[chapters]'</code> has
installed the package. If your file is in another folder, write that before its name.</p>
<div class="live-fields">{fields}</div>
<p class="live-label">With papermill</p>
{papermill}
<p class="live-label">The same with this package's own command</p>
{afterfit}
</details>"""

Limits = dict[str, Any]
Cell = dict[str, Any]


def form(stem: str, cells: list[Cell]) -> str:
    """Return the form: the table, the parameters that concern it, and the command."""
    known = declared({"cells": [{**cell, "metadata": cell} for cell in cells if "source" in cell]})
    limits, used = what_is_checked(cells), names_read(cells)
    asked = sorted(
        (parameter for name, parameter in known.items() if name not in ("data", "part", "rows")),
        key=lambda parameter: (parameter.name == "seed", not is_column(parameter)),
    )

    def fields(chosen: Iterable[Parameter]) -> str:
        return "\n".join(field(stem, one, limits.get(one.name)) for one in chosen)

    about_file = fields(one for one in asked if one.name in READING)

    only_command = [
        labelled(f"live-{stem}-part", "part", PART_HELP, choices("live-part", ["data", "all"])),
        labelled(
            f"live-{stem}-rows", "rows", known["rows"].help,
            '<input type="text" class="live-rows" value="rows.csv" spellcheck="false">',
        ),
        fields(one for one in asked if one.name not in used),
    ]  # fmt: skip
    command = COMMAND.format(
        fields="\n".join(only_command), papermill=code("papermill"), afterfit=code("afterfit")
    )
    return f"""<form class="live-form" novalidate="novalidate" autocomplete="off">
<p class="live-title">Try it on your own table</p>
<p class="live-about"></p>
{table_fields(stem, known["data"], about_file)}
<fieldset><legend>Parameters</legend><div class="live-fields">
{fields(one for one in asked if one.name in used - {*READING})}
</div></fieldset>
<p class="live-actions">{button("run", "submit")}{button("stop", text="Stop")}</p>
<progress class="live-progress" aria-label="Progress" max="1" hidden="hidden"></progress>
<p class="live-status" role="status"></p>
{command}
</form>
<section class="live-result" aria-label="Result" hidden="hidden"></section>"""


# --- what the chapter knows of its parameters ---


def is_column(parameter: Parameter) -> bool:
    return parameter.name.endswith(("_column", "_columns"))


def what_is_checked(cells: list[Cell]) -> Limits:
    """Return the ranges and choices that the chapter's `check_parameters` states outright."""
    found: Limits = {}
    for tree in trees(cell for cell in cells if "setup" in cell["tags"]):
        for call in ast.walk(tree):
            if not isinstance(call, ast.Call) or ast.unparse(call.func) != "runs.check_parameters":
                continue
            for keyword in call.keywords:
                code = compile(ast.Expression(keyword.value), "<limits>", "eval")
                try:
                    limits = eval(code, {"__builtins__": {"range": range}})
                except NameError:  # they depend on the table
                    continue
                found.setdefault(str(keyword.arg), limits)
    return found


def names_read(cells: list[Cell]) -> set[str]:
    """Return the names that cells read: a parameter that none reads is not about the table."""
    return {
        node.id
        for tree in trees(cell for cell in cells if "parameters" not in cell["tags"])
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }


def trees(cells: Any) -> list[ast.Module]:
    return [ast.parse(cell["source"]) for cell in cells if "source" in cell]


@cache
def bundled_columns(name: str) -> list[str]:
    """Return the columns of a bundled table, from the first line of its file."""
    with resources.as_file(resources.files("afterfit") / "data") as folder:
        path = folder / datasets.describe(name).file
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as file:
            return next(csv.reader(file))


# --- fields ---


def table_fields(stem: str, data: Parameter, about_file: str) -> str:
    """Return what chooses the table: a file, or the name of one that comes with the book."""
    first = FIRST.get(stem, {}).get("data", data.default)
    options = "".join(
        f'<option value="{name}" data-columns="{escape(chr(10).join(bundled_columns(name)))}"'
        f"{selected(name == first)}>{name}</option>"
        for name in datasets.names()
    )
    file = f'<input type="file" class="live-file" accept="{ACCEPTED}">'
    bundled = f'<select class="live-data" data-own="{data.default}">{options}</select>'
    return f"""<fieldset><legend>Table</legend><div class="live-fields">
{labelled(f"live-{stem}-file", "A file of yours", FILE_HELP, file)}
{labelled(f"live-{stem}-data", "Or one of the book's", "for a first try", bundled)}
</div><p class="live-actions">{button("read")}{button("forget", text="Take away the file")}</p>
<p class="live-table" role="status"></p>
<details class="live-reading"><summary>How the file is written</summary>
<div class="live-fields">{about_file}</div></details></fieldset>"""


def field(stem: str, parameter: Parameter, limits: Any) -> str:
    """Return the field of a parameter, with its type and default for the script."""
    first = FIRST.get(stem, {}).get(parameter.name, parameter.default)
    attributes = (
        f'data-name="{parameter.name}" data-type="{parameter.annotation}" '
        f'data-default="{escape(json.dumps(parameter.default))}" '
        f'data-first="{escape(json.dumps(first))}"'
    )
    help_text = escape(parameter.help + said(limits), quote=False)
    key = f"live-{stem}-{parameter.name}"
    inner = control(replace(parameter, default=first), limits)
    return labelled(key, parameter.name, help_text, inner, attributes)


def labelled(key: str, name: str, help_text: str, inner: str, attributes: str = "") -> str:
    about = f' id="{key}" aria-describedby="{key}-help"'
    tag, rest = inner.split(" ", 1)
    return (
        f'<div class="live-field" {attributes}><label for="{key}">{name}</label>'
        f'<span class="live-help" id="{key}-help">{help_text}</span>{tag}{about} {rest}</div>'
    )


def said(limits: Any) -> str:
    if isinstance(limits, range):
        return f" ({limits.start:,} to {limits.stop - 1:,})"
    return f" ({limits[0]:g} to {limits[1]:g})" if isinstance(limits, tuple) else ""


def control(parameter: Parameter, limits: Any) -> str:
    value = parameter.default
    if parameter.annotation == "bool":
        return choices("live-value", ["True", "False"], str(value))
    if isinstance(limits, list):
        return choices("live-value", limits, value)
    if isinstance(value, list):
        lines = escape("\n".join(map(str, value)))
        return f'<textarea class="live-value" rows="2" spellcheck="false">\n{lines}</textarea>'
    if parameter.annotation in ("int", "float"):
        mode = "numeric" if parameter.annotation == "int" else "decimal"
        return f'<input type="text" class="live-value" inputmode="{mode}" value="{value}">'
    shown = escape(value)
    return f'<input type="text" class="live-value" spellcheck="false" value="{shown}">'


def choices(kind: str, options: list[str], chosen: str = "") -> str:
    inner = "".join(
        f"<option{selected(option == chosen)}>{escape(option)}</option>" for option in options
    )
    return f'<select class="{kind}">{inner}</select>'


def selected(is_chosen: bool) -> str:
    return ' selected="selected"' if is_chosen else ""


def code(name: str) -> str:
    return (
        f'<div class="live-code"><pre class="live-{name}"></pre><button type="button" '
        f'class="live-copy" aria-label="Copy the {name} command">Copy</button></div>'
    )


def button(name: str, kind: str = "button", text: str = "") -> str:
    return f'<button type="{kind}" class="live-{name}" hidden="hidden">{text}</button>'
