"""The index page of a sweep's folder: its table, and how each number varies."""

from __future__ import annotations

import io
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from afterfit.runs._folder import RESERVED
from afterfit.runs._page import DARK, document, in_both_lights

# The page shows so many rows; all of them are in table.csv and table.parquet.
MAX_ROWS = 2000
# A cell shows so many characters, and has the rest as its tooltip.
MAX_CHARACTERS = 60
# Points beyond this number are drawn as a picture inside the figure.
MAX_POINTS = 500
# Beyond this, the length of an axis may be no float.
MAX_DRAWN = 1e300
# A parameter of text with more values than this is no axis.
MAX_LABELS = 30

# The table is sorted by the column whose head is pressed, and shows the rows that hold a text.
SCRIPT = """
const table = document.querySelector("table"), body = table.tBodies[0];
const value = (row, i) => row.cells[i].dataset.value ?? row.cells[i].textContent;
for (const button of table.tHead.querySelectorAll("button")) {
  button.onclick = () => {
    const head = button.parentElement, i = head.cellIndex;
    const down = head.ariaSort === "ascending", rows = [...body.rows];
    for (const each of table.tHead.rows[0].cells) each.removeAttribute("aria-sort");
    head.ariaSort = down ? "descending" : "ascending";
    const order = (a, b) => a === "" ? (b === "" ? 0 : 1) : b === "" ? -1 : (down ? -1 : 1)
      * (isNaN(a) || isNaN(b) ? a.localeCompare(b) : a - b);
    rows.sort((a, b) => order(value(a, i), value(b, i)));
    body.append(...rows);
  };
}
const filter = document.querySelector("input"), count = document.querySelector("output");
filter.oninput = () => {
  const wanted = filter.value.toLowerCase();
  let shown = 0;
  for (const row of body.rows) {
    row.hidden = !row.textContent.toLowerCase().includes(wanted);
    shown += !row.hidden;
  }
  count.textContent = wanted ? `${shown} of ${body.rows.length}` : "";
};
"""

STYLE = """
th button { all: unset; cursor: pointer; font-weight: bold; }
th button:focus-visible { outline: 2px solid; }
th[aria-sort=ascending] button::after { content: " \\2191"; }
th[aria-sort=descending] button::after { content: " \\2193"; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .6rem; border-bottom: 1px solid #8884; text-align: right; }
.scroll { overflow-x: auto; max-height: 30rem; }
thead th { position: sticky; top: 0; background: Canvas; }
tr.failed td { background: #d5522a2e; }
td { white-space: nowrap; }
figure { margin: 1.5rem 0; } figure img { max-width: 100%; }
"""


def page(table: pd.DataFrame, varying: Sequence[str], title: str) -> str:
    """Return the page as HTML; every name and value in it is text, whatever it holds."""
    counts = table["status"].value_counts()
    summary = ", ".join(f"{count} {status}" for status, count in counts.items())
    axes = [name for name in varying if _is_axis(table[name])]
    numeric = [
        name
        for name in table
        if name not in {*varying, *RESERVED}
        and _is_number(table[name])
        and table[name].nunique() > 1
    ]
    figures = [_figure_of(table, record, axes) for record in numeric] if axes else []
    body = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{len(table)} runs: {escape(summary)}. The table is also in "
        '<a href="table.csv">table.csv</a> and <a href="table.parquet">table.parquet</a>.</p>',
        '<p><label>Rows that hold <input type="search"></label> <output></output></p>',
        _table(table),
        "<h2>Records against the parameters that vary</h2>" if figures else "",
        *figures,
    ]
    return document(title, "\n".join(body), style=STYLE, scripts=[SCRIPT])


def _is_number(column: pd.Series[Any]) -> bool:
    is_bool = pd.api.types.is_bool_dtype(column.dtype)
    return bool(is_bool or pd.api.types.is_numeric_dtype(column.dtype))


def _is_axis(column: pd.Series[Any]) -> bool:
    n_values = column.nunique()
    return n_values > 1 and (_is_number(column) or n_values <= MAX_LABELS)


def _table(table: pd.DataFrame) -> str:
    shown = table.head(MAX_ROWS)
    head = "".join(
        f'<th scope="col"><button type="button">{_cell(name)}</button></th>' for name in shown
    )
    lines = [
        f'<tr class="{"ok" if status == "ok" else "failed"}">'
        + "".join(
            f"<td{_exact(value)}>{_linked(name, value)}</td>"
            for name, value in zip(shown, row, strict=True)
        )
        + "</tr>"
        for status, row in zip(
            shown["status"], shown.astype(object).itertuples(index=False, name=None), strict=True
        )
    ]
    more = len(table) - len(shown)
    rest = f"<p>{more} more runs are in the files.</p>" if more else ""
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="Runs"><table><thead><tr>{head}'
        f"</tr></thead><tbody>{''.join(lines)}</tbody></table></div>{rest}"
    )


def _linked(name: str, value: Any) -> str:
    if name == "notebook" and value:
        return f'<a href="{escape(value)}">open</a>'
    return _cell(value)


def _exact(value: Any) -> str:
    """Return what a number is sorted by, where the cell shows less of it."""
    return f' data-value="{value!r}"' if isinstance(value, float) and not np.isnan(value) else ""


def _cell(value: Any) -> str:
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return ""
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    if len(text) <= MAX_CHARACTERS:
        return escape(text)
    return f'<span title="{escape(text[:1000])}">{escape(text[:MAX_CHARACTERS])}…</span>'


def _figure_of(table: pd.DataFrame, record: str, axes: Sequence[str]) -> str:
    """Return a record against each varying parameter, points and means, as an image."""
    import matplotlib.style
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    # Names come from the notebook and from the reader: no formulas in them.
    with (
        rc_context({"text.parse_math": False, "svg.hashsalt": "afterfit"}),
        matplotlib.style.context("afterfit.book"),
    ):
        figure = Figure(figsize=(4.2 * len(axes), 3.2), layout="constrained")
        panels = figure.subplots(1, len(axes), sharey=True, squeeze=False)[0]
        for panel, axis in zip(panels, axes, strict=True):
            _draw(panel, table[axis], table[record])
            panel.set_xlabel(_short(axis), parse_math=False)
        panels[0].set_ylabel(_short(record), parse_math=False)
        drawn = io.BytesIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    light, dark = in_both_lights(drawn.getvalue())
    text = f"{record} against {', '.join(axes)}: each run, and the mean of the runs at each value"
    return (
        f'<figure><picture><source media="{DARK}" srcset="{dark}">'
        f'<img alt="{escape(text)}" src="{light}"></picture>'
        f"<figcaption>{escape(text)}.</figcaption></figure>"
    )


def _draw(panel: Any, x: pd.Series[Any], y: pd.Series[Any]) -> None:
    y = y.astype("Float64").astype("float64")
    keep = (y.abs() < MAX_DRAWN) & x.notna()
    x, y = x[keep], y[keep]
    if _is_number(x):
        keep = x.astype("float64").abs() < MAX_DRAWN
        x, y = x[keep], y[keep]
        if pd.api.types.is_integer_dtype(x.dtype):
            panel.xaxis.get_major_locator().set_params(integer=True)
    else:
        labels = list(dict.fromkeys(x))
        x = x.map({label: position for position, label in enumerate(labels)})
        panel.set_xticks(range(len(labels)), [_short(label) for label in labels], rotation=20)
        for tick in panel.get_xticklabels():
            tick.set_parse_math(False)
    x = x.astype("float64")
    panel.plot(x, y, "o", alpha=0.5, rasterized=len(x) > MAX_POINTS)
    means = y.groupby(x).mean()
    panel.plot(means.index, means, "-")


def _short(name: Any) -> str:
    text = "".join(character if character.isprintable() else " " for character in str(name))
    return text if len(text) <= 30 else text[:29] + "…"
