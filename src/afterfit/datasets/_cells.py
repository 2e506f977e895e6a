"""Cells of text as numbers, where that loses nothing; and what was found out on the way."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from afterfit._validation import check_choice

# Cells that mean "missing" in any column. "None" is not among them: it is a common category.
MISSING = ("", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "null", "NULL")

# Cells that mean "missing" where all others are numbers; elsewhere they may be categories.
MISSING_AMONG_NUMBERS = frozenset(("none", "None", "NONE", "-", "--", ".", "?"))

# What is read as a number. A leading zero makes a code of it (007, 0123), and codes stay text.
_NUMBER = re.compile(r"[+-]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]?inf", re.ASCII)
_INTEGER = re.compile(r"[+-]?(?:0|[1-9]\d*)", re.ASCII)

# Digits that a float64 always keeps; longer integers are identifiers and stay text.
_EXACT_DIGITS = 15

# A number with a comma where this sign can be nothing but decimal, and where it may group digits.
_DECIMAL_COMMA = re.compile(r"[+-]?(?:0|[1-9]\d*),\d*", re.ASCII)
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(?:([,.' \u00a0\u202f])\d{3})(?:\1\d{3})*", re.ASCII)
_SIGNS = re.compile(r"^(?P<before>[$€£¥] ?)?(?P<number>[^$€£¥%]+?)(?P<after> ?[$€£¥%])?$")


class TableWarning(UserWarning):
    """Say what was found out about a file, or what in it looks as if it were not meant."""

    __module__ = "afterfit.datasets"  # where it is imported from


@dataclass
class Reading:
    """How a file is read: what the reader said of it, and what was found out."""

    separator: str
    decimal: str
    missing: tuple[str, ...]  # cells, as they are written
    found: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, separator: str, decimal: str, missing: Sequence[str | float]) -> Reading:
        """Return the reading that a caller asked for, or raise."""
        separator = "\t" if separator == r"\t" else separator  # so a shell passes a tab
        if not isinstance(separator, str) or len(separator) > 1:
            raise ValueError(
                "`separator` must be one character, or empty so that it is found out, "
                f"got {separator!r}."
            )
        check_choice(decimal, "decimal", ("", ".", ","))
        if separator and separator == decimal:
            raise ValueError(f"`separator` and `decimal` must differ, got {decimal!r} for both.")
        if isinstance(missing, str):
            raise TypeError(f"`missing` must be a list of cells, got the text {missing!r}.")
        return cls(separator, decimal, tuple(map(str, missing)))

    def without_codes(self, column: pd.Series[Any]) -> pd.Series[Any]:
        """Return a column without the numbers that mean "missing", however they are written."""
        codes = [float(cell) for cell in self.missing if is_number(cell)]
        is_bool = pd.api.types.is_bool_dtype(column.dtype)
        if not codes or is_bool or not pd.api.types.is_numeric_dtype(column.dtype):
            return column
        return column.mask(column.isin(codes))

    def warn(self, source: str) -> None:
        """Say what was found out, in one warning."""
        if self.found:
            told = "; ".join(self.found)
            warnings.warn(f"{source!r}: {told}.", TableWarning, stacklevel=3)

    def way_out(self, texts: pd.Series[Any]) -> str:
        """Return what helps to read these cells as numbers, or nothing."""
        cells = [str(cell).strip() for cell in texts]
        bare = [signed["number"] if (signed := _SIGNS.match(cell)) else cell for cell in cells]
        grouped = [cell for cell in bare if _GROUPED.fullmatch(cell)]
        if not self.decimal and grouped and all(is_number(c) or c in grouped for c in bare):
            return (
                " A comma or point in them may group digits or begin decimals: say `decimal` "
                "('.' or ',')."
            )
        few = sorted(set(cells))
        if len(few) <= 3 and len(cells) < 20:
            return f" If they mean that the value is missing, pass `missing`: {few!r}."
        return ""


def is_number(cell: str) -> bool:
    """Say whether a cell is written as a number."""
    return _NUMBER.fullmatch(cell) is not None


def typed(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column of text as numbers or booleans where that loses nothing."""
    cells = [cell for cell in column.tolist() if isinstance(cell, str)]
    is_whole = len(cells) == len(column)
    if not cells:
        return column.astype("float64")
    if not is_number(cells[0]) and cells[0] not in MISSING_AMONG_NUMBERS:
        if is_whole and set(cells) <= {"True", "False"}:  # most texts are known by their first cell
            return column == "True"
        return column
    odd = {cell for cell in cells if not is_number(cell)}
    if odd:
        if not odd <= MISSING_AMONG_NUMBERS or len(odd) == len(set(cells)):
            return column
        return typed(column.mask(column.isin(odd)))
    if not all(map(_INTEGER.fullmatch, cells)):
        return column.astype("float64")
    if max(map(len, cells)) > _EXACT_DIGITS and max(map(_n_digits, cells)) > _EXACT_DIGITS:
        return column
    return column.astype("int64" if is_whole else "float64")


def with_decimal_points(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column of text with decimal commas as points, where every cell is a number so."""
    cells = column.dropna()
    is_decimal = cells.map(lambda cell: _DECIMAL_COMMA.fullmatch(cell) is not None)
    is_plain = cells.map(is_number) | cells.isin(MISSING_AMONG_NUMBERS)
    if not is_decimal.any() or not (is_decimal | is_plain).all():
        return column
    return column.str.replace(",", ".", regex=False)


def decimal_of(cells: Sequence[str]) -> str:
    """Return the decimal sign of cells where it is certain, else nothing."""
    commas = [cell for cell in cells if _DECIMAL_COMMA.fullmatch(cell)]
    if any(is_number(cell) and "." in cell and not _GROUPED.fullmatch(cell) for cell in cells):
        return "."
    return "," if any(not _GROUPED.fullmatch(cell) for cell in commas) else ""


def numbers_of(column: pd.Series[Any], reading: Reading) -> pd.Series[Any]:
    """Return a column that must be numeric without currency, percent and grouping signs.

    The column is returned as it is where not all cells are numbers of one such form.
    """
    if pd.api.types.is_numeric_dtype(column.dtype) or column.isna().all():
        return column
    cells = column.dropna()
    if not cells.map(lambda cell: isinstance(cell, str)).all():
        return column
    parts = cells.str.strip().str.extract(_SIGNS)
    signs = (parts["before"].fillna("") + parts["after"].fillna("")).str.strip()
    bare = parts["number"].fillna("")
    groups, decimal = _grouping(bare, reading.decimal)
    if signs.nunique() != 1 or groups is None:
        return column
    plain = bare.str.replace(f"[{groups}]", "", regex=True) if groups else bare
    plain = plain.str.replace(decimal, ".", regex=False) if decimal == "," else plain
    numbers = typed(plain.reindex(column.index))
    if not pd.api.types.is_numeric_dtype(numbers.dtype):
        return column
    sign = signs.iloc[0]
    what = [f"the sign {sign}"] if sign else []
    what += ["what groups digits"] if groups else []
    if what:
        in_percent = " (numbers are in percent)" if sign == "%" else ""
        reading.found.append(f"in {column.name!r}, {' and '.join(what)} was left out{in_percent}")
    return numbers


def _grouping(cells: pd.Series[Any], decimal: str) -> tuple[str | None, str]:
    """Return the signs that group digits and the decimal sign, or None where that is uncertain."""
    if cells.map(is_number).all():
        return "", "."
    for point, comma in ((".", ","), (",", ".")):
        if decimal not in ("", point):
            continue
        signs = f"{comma}' \u00a0\u202f"
        body = rf"[+-]?(?:\d+|[1-9]\d{{0,2}}(?:[{signs}]\d{{3}})+)(?:{re.escape(point)}\d*)?"
        if not cells.str.fullmatch(body).all():
            continue
        # Twice the grouping sign, or both signs in one cell: no other reading is left.
        both = rf".*[{comma}].*[{comma}{re.escape(point)}].*|.*[' \u00a0\u202f].*"
        if decimal == point or cells.str.fullmatch(both).any():
            return signs, point
    return None, ""


def _n_digits(cell: str) -> int:
    return sum(character.isdecimal() for character in cell)
