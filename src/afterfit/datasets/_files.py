"""Files as R, pandas and Excel write them: pandas reads, this finds out how."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from afterfit._validation import listing
from afterfit.datasets._cells import MISSING, Reading, decimal_of, typed, with_decimal_points

TEXTS = (".csv", ".tsv", ".tab", ".txt")
COMPRESSIONS = {".gz": "gzip", ".bz2": "bz2", ".xz": "xz", ".zip": "zip", ".zst": "zstd"}
ENDINGS = (".csv", ".tsv", ".txt", ".xlsx", ".jsonl", ".parquet", ".feather")

# Separators that are tried, in the order in which one of several possible ones is taken.
SEPARATORS = (",", ";", "\t", "|")

# How many lines of a text show how it is made.
LINES = 100

BYTE_ORDER_MARKS = (
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
)


def read_file(path: Path, reading: Reading) -> pd.DataFrame:
    """Return the table in a file, its columns typed; note in `reading` what was found out."""
    endings = [ending.lower() for ending in path.suffixes]
    compression = COMPRESSIONS.get(endings[-1] if endings else "")
    kind = "".join(endings[-2:-1] if compression else endings[-1:])
    if compression == "zip" and not kind:
        kind = ".csv"
    if kind in TEXTS:
        return _read_text(path, kind, compression, reading)
    if reading.separator:
        raise ValueError(
            f"`separator` is for text, and {path.name!r} is none: leave it empty, "
            f"got {reading.separator!r}."
        )
    readers: dict[str, Callable[[Path, Reading], pd.DataFrame]] = {
        ".xlsx": _read_workbook,
        ".xlsm": _read_workbook,
        ".jsonl": _read_json_lines,
        ".ndjson": _read_json_lines,
        ".parquet": _read_arrow,
        ".pq": _read_arrow,
        ".feather": _read_arrow,
    }
    if kind not in readers:
        raise ValueError(
            f"{path.name!r} is no file that can be read: its name must end in "
            f"{', '.join(ENDINGS)}; save the table in one of these formats."
        )
    return readers[kind](path, reading)


# --- text ---


def _read_text(path: Path, kind: str, compression: str | None, reading: Reading) -> pd.DataFrame:
    head, encoding = _head_of(path, compression)
    if not "".join(head).strip():
        raise ValueError(f"{str(path)!r} is empty: it has not even a header.")
    skipped, separator = _layout(head, kind, reading)
    names_missing = _names_one_less(head[skipped:], separator)
    try:
        cells = pd.read_csv(
            path,
            sep=separator,
            skiprows=skipped,
            header=None,
            names=range(_width(head[skipped:], separator)) if names_missing else None,
            dtype=str,
            keep_default_na=False,
            na_values=[*MISSING, *reading.missing],
            encoding=encoding,
            skipinitialspace=True,
            compression=compression,
            low_memory=False,
        )
    except (UnicodeDecodeError, UnicodeError) as error:
        raise _not_unicode(path, error) from None
    except (pd.errors.ParserError, OSError, EOFError, ValueError) as error:
        raise _unreadable(path, "text", error) from None
    header, body = cells.iloc[0], cells.iloc[1:].reset_index(drop=True)
    if names_missing:
        header = pd.Series([np.nan, *header.iloc[:-1]])
    decimal = reading.decimal
    if not decimal and separator != ",":
        texts = (column.dropna().iloc[:LINES] for _, column in body.items())
        decimal = decimal_of([cell for column in texts for cell in column])
    return _finish(header, body, path, reading, decimal)


def _head_of(path: Path, compression: str | None) -> tuple[list[str], str]:
    """Return the first lines of a text, and its encoding."""
    try:
        if compression == "zip":
            _check_one_file(path)
        with pd.io.common.get_handle(path, "rb", is_text=False, compression=compression) as opened:
            start = opened.handle.read(1 << 16)
    except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
        raise _unreadable(path, "text", error) from None
    encoding = next((name for mark, name in BYTE_ORDER_MARKS if start.startswith(mark)), "utf-8")
    try:
        text = start.decode(encoding, errors="strict")
    except UnicodeDecodeError as error:
        if error.start < len(start) - 4:  # else a character was cut at the end
            raise _not_unicode(path, error) from None
        text = start[: error.start].decode(encoding)
    if "\0" in text:
        raise ValueError(f"{str(path)!r} is no readable text: it holds null characters.")
    lines = text.splitlines()
    return (lines if len(start) < 1 << 16 else lines[:-1] or lines)[:LINES], encoding


def _layout(head: list[str], kind: str, reading: Reading) -> tuple[int, str]:
    """Return how many lines to skip, and the separator."""
    skipped = 0
    separator = reading.separator
    declared = re.fullmatch(r'"?sep=(.)"?', head[0].strip(), flags=re.IGNORECASE)
    if declared or head[0].strip().lower() in ("sep=", "sep=\t"):
        skipped, separator = 1, separator or (declared[1] if declared else "\t")
    while skipped < len(head) - 1 and _is_comment(head, skipped):
        skipped += 1
    if skipped > (1 if declared else 0):
        reading.found.append(f"{skipped} line(s) before the header were left out")
    if not separator:
        separator = _separator(head[skipped:], kind)
        usual = "\t" if kind in (".tsv", ".tab") else ","
        if separator != usual:
            shown = {"\t": "a tab"}.get(separator, repr(separator))
            reading.found.append(f"the separator is {shown}")
    return skipped, separator


def _is_comment(head: list[str], k: int) -> bool:
    """Say whether line k begins with # and has other cells than the lines below have."""
    if not head[k].lstrip().startswith("#"):
        return False
    below = next((line for line in head[k + 1 :] if not line.lstrip().startswith("#")), "")
    widths = [{len(_split([line], sign)[0]) for line in (head[k], below)} for sign in SEPARATORS]
    return not any(len(width) == 1 and width != {1} for width in widths)


def _separator(lines: list[str], kind: str) -> str:
    """Return the separator with which all lines have the same number of cells, more than one."""
    order = ("\t", *SEPARATORS) if kind in (".tsv", ".tab") else SEPARATORS
    for exact in (True, False):
        for sign in order:
            widths = [len(cells) for cells in _split(lines, sign) if cells]
            below = set(widths[1:]) or {widths[0]}
            same = len(below) == 1 and max(below) - widths[0] in ((0,) if exact else (0, 1))
            if same and widths[0] > 1:
                return sign
    return order[0]


def _split(lines: Sequence[str], separator: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO("\n".join(lines)), delimiter=separator)) or [[]]


def _width(lines: Sequence[str], separator: str) -> int:
    return max(len(cells) for cells in _split(lines, separator))


def _names_one_less(lines: Sequence[str], separator: str) -> bool:
    """Say whether the header has one name less than the lines below have cells, as R writes it."""
    widths = [len(cells) for cells in _split(lines, separator) if cells]
    return len(widths) > 1 and set(widths[1:]) == {widths[0] + 1}


def _check_one_file(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        files = [name for name in archive.namelist() if not name.endswith("/")]
    if len(files) != 1:
        raise ValueError(f"it holds {len(files)} files, {listing(files)}; pack one")


def _not_unicode(path: Path, error: UnicodeError) -> ValueError:
    start = getattr(error, "start", 0)
    return ValueError(
        f"{str(path)!r} must be text in UTF-8, but has other bytes at position {start}. Save it as "
        "UTF-8 (in Excel: CSV UTF-8)."
    )


# --- other formats ---


def _read_workbook(path: Path, reading: Reading) -> pd.DataFrame:
    try:
        with pd.ExcelFile(path) as workbook:
            sheets = workbook.sheet_names
            cells = pd.read_excel(workbook, header=None, dtype=object, keep_default_na=False)
    except ImportError:
        raise ImportError(
            f"{str(path)!r} needs openpyxl: pip install 'afterfit[chapters]', or save the sheet as "
            "CSV UTF-8."
        ) from None
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise _unreadable(path, "workbook", error) from None
    if cells.empty:
        raise ValueError(f"{str(path)!r} is empty: its sheet {sheets[0]!r} has not even a header.")
    if len(sheets) > 1:
        reading.found.append(f"of {len(sheets)} sheets the first was read, {sheets[0]!r}")
    text = _as_text(cells, reading)
    return _finish(
        text.iloc[0], text.iloc[1:].reset_index(drop=True), path, reading, reading.decimal
    )


def _read_json_lines(path: Path, reading: Reading) -> pd.DataFrame:
    try:
        table = pd.read_json(path, lines=True, dtype=False)
    except (OSError, ValueError) as error:
        raise _unreadable(path, "file of JSON lines", error) from None
    nested = [
        name for name in table if table[name].map(lambda cell: isinstance(cell, list | dict)).any()
    ]
    if nested:
        raise ValueError(
            f"{str(path)!r} must hold one value a name in each line; {listing(nested)} hold lists "
            "or objects."
        )
    text = _as_text(table, reading)
    names = pd.Series([str(name) for name in table])
    return _finish(names, text, path, reading, reading.decimal)


def _as_text(cells: pd.DataFrame, reading: Reading) -> pd.DataFrame:
    """Return cells of mixed types as a text file would hold them."""

    def written(cell: Any) -> Any:
        if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
            return str(int(cell))
        return cell if cell is None or cell is pd.NaT or cell != cell else str(cell)

    text = cells.astype(object).map(written)
    text = text.mask(text.isin([*MISSING, *reading.missing]))
    return text.astype("str")


def _read_arrow(path: Path, reading: Reading) -> pd.DataFrame:
    is_feather = path.suffix.lower() == ".feather"
    try:
        table = pd.read_feather(path) if is_feather else pd.read_parquet(path)
        is_count = isinstance(table.index, pd.RangeIndex) and table.index.name is None
        table = table.reset_index(drop=is_count)
    except (OSError, ValueError) as error:
        raise _unreadable(path, "Feather file" if is_feather else "Parquet file", error) from None
    table = table.rename(columns=str)
    for name in table.columns[table.dtypes == "object"]:
        if table[name].dropna().map(lambda cell: isinstance(cell, Decimal)).all():
            table[name] = table[name].astype("float64")
    for name in table.columns[
        table.dtypes.map(lambda dtype: isinstance(dtype, pd.CategoricalDtype))
    ]:
        values = table[name].cat.categories
        if is_numeric_dtype(values.dtype):  # a dictionary-encoded column of numbers
            whole = values.dtype if table[name].notna().all() else "float64"
            table[name] = table[name].astype(whole)
    for name in table.columns[[not is_numeric_dtype(dtype) for dtype in table.dtypes]]:
        if reading.missing:
            table[name] = table[name].mask(table[name].astype("str").isin(list(reading.missing)))
    return table


def _unreadable(path: Path, kind: str, error: Exception) -> ValueError:
    reason = str(error).strip().removeprefix("Error tokenizing data. C error: ")
    return ValueError(f"{str(path)!r} is no readable {kind} ({reason}).")


# --- names and types ---


def _finish(
    header: pd.Series[Any], body: pd.DataFrame, path: Path, reading: Reading, decimal: str
) -> pd.DataFrame:
    """Return the body with the header's names, its columns typed."""
    body.columns = pd.RangeIndex(body.shape[1])
    names, kept = _names(header, body, path, reading)
    columns = [body[position] for position in kept]
    if decimal == ",":
        pointed = [with_decimal_points(column) for column in columns]
        changed = any(new is not old for new, old in zip(pointed, columns, strict=True))
        if changed and not reading.decimal:
            reading.found.append("the decimal sign is a comma")
        columns = pointed
    return pd.DataFrame(
        dict(zip(names, map(typed, columns), strict=True)), index=pd.RangeIndex(len(body))
    )


def _names(
    header: pd.Series[Any], body: pd.DataFrame, path: Path, reading: Reading
) -> tuple[list[str], list[int]]:
    """Return the columns' names and positions, after what has no name was looked at."""
    unnamed = np.flatnonzero(header.isna().to_numpy()).tolist()
    kept = list(range(len(header)))
    names = [str(name) for name in header]
    if unnamed and len(header) > 1:
        if unnamed[-1] == len(header) - 1 and body[unnamed[-1]].isna().all():
            kept.remove(unnamed.pop())  # each line ends with a separator
        if unnamed and unnamed[0] == 0:
            unnamed.pop(0)
            if _counts_rows(body[0]):
                kept.remove(0)
                reading.found.append("the first column has no name and counts rows: left out")
            else:
                names[0] = "row_name"
                reading.found.append("the first column has no name: called 'row_name'")
    if unnamed:
        numbers = listing([k + 1 for k in unnamed])
        raise ValueError(
            f"{str(path)!r} must name every column in its first line; it has no name for "
            f"column number {numbers}."
        )
    names = [names[k] for k in kept]
    doubled = [repr(name) for name, count in Counter(names).items() if count > 1]
    if doubled:
        raise ValueError(
            f"{str(path)!r} must have distinct column names, but has more than one of "
            f"{listing(doubled)}."
        )
    return names, kept


def _counts_rows(column: pd.Series[Any]) -> bool:
    """Say whether a column of text counts 0, 1, 2, ... or 1, 2, 3, ..."""
    cells = column.tolist()
    return any(cells == [str(k) for k in range(low, low + len(cells))] for low in (0, 1))
