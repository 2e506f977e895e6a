"""Tables of a notebook as a good journal prints them; the frames behind them stay as they are.

One row of heads, thin rules, decimals under each other, a true minus, a dash for what is not
there, no p-value of zero, and words in place of this package's names in code.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from html import escape
from typing import Any

# Names of this package, as columns and rows of its tables have them. A reader's own stay.
WORDS = {
    "corrected_aic": "AIC, corrected",
    "debiased_cka": "debiased CKA",
    "gap_standard_error": "standard error of the gap",
    "hotelling_lawley": "Hotelling–Lawley trace",
    "latent_classes": "latent classes",
    "linear_cka": "linear CKA",
    "mean_cca": "mean CCA",
    "ml": "maximum likelihood",
    "ml_corrected": "maximum likelihood, corrected",
    "monte_carlo": "Monte Carlo",
    "n_clusters": "number of clusters",
    "n_rows": "rows",
    "pillai": "Pillai's trace",
    "pwcca": "PWCCA",
    "roy": "Roy's root",
    "roy_pvalue": "p-value, Roy",
    "svcca": "SVCCA",
    "wilks": "Wilks' lambda",
    "wilks_pvalue": "p-value, Wilks",
}
DASH, MINUS = "–", "−"
PVALUE = re.compile(r"\bp\b|p-?values?\b|pvalue", flags=re.IGNORECASE)
NUMBER = re.compile(r"-?(\d+(\.\d+)?(e[-+]\d+)?|∞)%?")
MOST_DIGITS = 6


def table_html(frame: Any) -> str | None:
    """Return a DataFrame as HTML, or None where pandas' own is better: of what it shortens."""
    import pandas as pd

    rows, columns = pd.get_option("display.max_rows"), pd.get_option("display.max_columns")
    if len(frame) > (rows or len(frame)) or frame.shape[1] > (columns or frame.shape[1]):
        return None
    shown = [_column(frame.iloc[:, place]) for place in range(frame.shape[1])]
    named = any(name is not None for name in frame.index.names)
    numbered = not named and isinstance(frame.index, pd.RangeIndex)
    stubs = [] if numbered else [_label(label) for label in frame.index]
    lines = _heads(frame, is_number=[cells[1] for cells in shown], has_stub=bool(stubs))
    lines.append("<tbody>")
    for place in range(len(frame)):
        stub = f'<th scope="row">{escape(stubs[place])}</th>' if stubs else ""
        lines.append(f"<tr>{stub}{''.join(cells[0][place] for cells in shown)}</tr>")
    lines.append("</tbody>")
    return '<table class="dataframe journal">\n' + "\n".join(lines) + "\n</table>"


def _heads(frame: Any, *, is_number: Sequence[bool], has_stub: bool) -> list[str]:
    """Return the head: one row, and above it one that joins columns where they have two levels."""
    levels = frame.columns.nlevels
    lines = ["<thead>"]
    for level in range(levels):
        labels = [_label(label) for label in frame.columns.get_level_values(level)]
        cells = [f'<th scope="col">{escape(_corner(frame, level))}</th>'] if has_stub else []
        place = 0
        while place < len(labels):
            end = place + 1
            while level < levels - 1 and end < len(labels) and labels[end] == labels[place]:
                end += 1
            span = f' colspan="{end - place}"' if end > place + 1 else ""
            side = ' style="text-align: right"' if is_number[place] and not span else ""
            cells.append(f'<th scope="col"{span}{side}>{escape(labels[place])}</th>')
            place = end
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return [*lines, "</thead>"]


def _corner(frame: Any, level: int) -> str:
    """Return what the rows are called, in the last row of heads; else what the columns are."""
    names = [name for name in frame.index.names if name is not None]
    if level == frame.columns.nlevels - 1 and names:
        return ", ".join(_label(name) for name in names)
    name = frame.columns.names[level]
    return "" if name is None else _label(name)


def _label(label: Any) -> str:
    if isinstance(label, tuple):
        return ", ".join(_label(part) for part in label)
    if isinstance(label, float):
        return _minus(f"{label:.6g}")
    return _minus(_cell(label))


def _column(column: Any) -> tuple[list[str], bool]:
    """Return the cells of a column, and whether they are numbers."""
    values = column.tolist()
    has_words = any(isinstance(value, str) for value in values)  # then no two cells are alike
    texts = [_cell(value, _digits([value] if has_words else values)) for value in values]
    if PVALUE.search(_label(column.name)):
        texts = [_no_zero(text) for text in texts]
    if not _are_numbers(values, texts):
        return [_text_cell(text) for text in texts], False
    after = [_room_after_point(text) for text in texts]
    cells = []
    for text, used in zip(texts, after, strict=True):
        room = max(after) - used
        padding = f"; padding-right: calc(0.5rem + {room:g}ch)" if room else ""
        style = f"text-align: right; white-space: nowrap{padding}"
        cells.append(f'<td style="{style}">{_power(escape(text))}</td>')
    return cells, True


def _text_cell(text: str) -> str:
    """Return a cell of a column that is not numbers; what it has of numbers looks like them."""
    if _is_number(text):
        return f"<td>{_power(escape(text))}</td>"
    signed = re.sub(r"^-(?=\d)", MINUS, escape(text))
    whole = ' style="white-space: nowrap"' if "±" in text else ""
    return f"<td{whole}>{signed}</td>"


def _digits(values: Sequence[Any]) -> int | None:
    """Return how many digits after the point show a column of floats; None: three that count."""
    floats = [value for value in values if isinstance(value, float) and math.isfinite(value)]
    if any(value and abs(value) < 10.0**-MOST_DIGITS for value in floats):
        return None
    texts = [f"{value:.{MOST_DIGITS}f}".rstrip("0").partition(".")[2] for value in floats]
    return max(map(len, texts), default=0)


def _cell(value: Any, digits: int | None = None) -> str:
    import pandas as pd

    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value is pd.NA or value is pd.NaT or value != value or value == "":
        return DASH
    if isinstance(value, float):
        text = f"{value:.3g}" if digits is None else f"{value:.{digits}f}"
        if math.isfinite(value) and abs(value) >= 10_000:
            text = f"{value:,.{digits or 0}f}"
        return text.removeprefix("-") if not text.strip("-0.") else text.replace("inf", "∞")
    if isinstance(value, int):
        return f"{value:,d}" if abs(value) >= 10_000 else f"{value:d}"
    return WORDS.get(str(value), str(value))


def _are_numbers(values: Sequence[Any], texts: Sequence[str]) -> bool:
    if any(isinstance(value, bool) for value in values):
        return False
    plain = [text.replace(",", "").lstrip("<≤ ") for text in texts if text != DASH]
    return bool(plain) and all(NUMBER.fullmatch(text) for text in plain)


def _no_zero(text: str) -> str:
    """Return a p-value of 0.000 as what it is, below the last digit shown; and a bound as ≤."""
    if text.startswith("at most "):
        return text.replace("at most", "≤")
    if re.fullmatch(r"0\.0+", text):
        return f"< {text[:-1]}1"
    is_tiny = NUMBER.fullmatch(text) and "e-" in text and float(text) < 0.001
    return "< 0.001" if is_tiny or text == "0" else text


def _is_number(text: str) -> bool:
    return NUMBER.fullmatch(text) is not None


def _minus(text: str) -> str:
    return text.replace("-", MINUS, 1) if _is_number(text) else text


def _power(text: str) -> str:
    """Return a number with a true minus, and 1.7e-16 as a journal writes it."""
    number, e, power = text.replace("-", MINUS).partition("e")
    if not e:
        return number
    sign = MINUS if power.startswith(MINUS) else ""
    digits = power.lstrip("+" + MINUS).lstrip("0")
    return f"{number} × 10<sup>{sign}{digits}</sup>" if digits else number


def _room_after_point(text: str) -> float:
    """Return how wide a number's part from the point on is, in digits."""
    rest, e, power = re.sub(r"^[^.e%]*", "", text).partition("e")
    times_ten = 5.0 + 0.75 * len(power.lstrip("+0").replace("-0", "-")) if e else 0.0
    return len(rest) - 0.5 * rest.startswith(".") + times_ten
