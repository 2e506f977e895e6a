"""`load_table`: the table that a chapter asks for, with the columns as it needs them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from afterfit._validation import check_integer, listing, nearest
from afterfit.datasets._bundled import describe, names
from afterfit.datasets._cells import Reading, is_number, numbers_of
from afterfit.datasets._files import ENDINGS, read_file
from afterfit.datasets._suspects import warn_of_suspects

# What a caller may pass for columns: names, or names under the parameter that they were given as.
Columns = Sequence[str] | Mapping[str, Sequence[str]]


def load_table(
    source: str | Path,
    columns: Columns | None = None,
    *,
    numeric: Columns = (),
    min_complete: int = 0,
    separator: str = "",
    decimal: str = "",
    missing: Sequence[str | float] = (),
) -> pd.DataFrame:
    """Return a bundled data set, or the table in a reader's file.

    Columns of text become numbers where every cell is one, booleans where every cell is True or
    False, and stay text elsewhere: a code such as 007 keeps its zeros. What a file's writer left
    open is found out where that is certain and said in a `TableWarning`: the separator, a decimal
    comma, comment lines, row names without a name, thousands separators, currency and percent
    signs in columns that must be numeric. Codes that look like missing values (-999) and a last row
    of totals are kept, with a warning.

    Parameters
    ----------
    source : str or pathlib.Path
        The name of a bundled data set (see `names`), or the path of a file: text
        (``.csv``, ``.tsv``, ``.txt``, also compressed or alone in a ``.zip``), ``.xlsx``,
        ``.jsonl``, ``.parquet`` or ``.feather``. Text is UTF-8 or UTF-16 with column names in its
        first line; of a workbook the first sheet is read.
    columns : sequence of str or mapping of str to sequence of str, optional
        The columns to keep, in this order. All by default. A mapping groups them by the
        parameter that they were given as, which errors then name.
    numeric : sequence of str or mapping of str to sequence of str, optional
        Columns that must hold finite numbers only, missing cells apart.
    min_complete : int, default 0
        How many rows at least must have a value in every column that is kept.
    separator : str, default ""
        What stands between the cells of a line of text: one character, a tab also as ``\\t``. Found
        out by default.
    decimal : {"", ".", ","}, default ""
        The decimal sign of a text. Found out by default.
    missing : sequence of str or float, optional
        Cells that mean "missing", besides empty ones, NA, N/A, n/a, #N/A, NaN, nan, null and NULL.
        In a column whose other cells are numbers, none, None, ``-``, ``.`` and ``?`` mean it too;
        there, a number means all ways of writing it.

    Returns
    -------
    pandas.DataFrame
        At least one row; the index counts rows from 0.

    Raises
    ------
    FileNotFoundError
        If `source` is neither a bundled name nor a file; the message has the nearest names.
    ValueError
        If the file cannot be read as what its name says, has no rows, has two columns of one
        name, lacks a column, holds text or infinities where `numeric` asks for numbers, or has too
        few complete rows; or if `columns` has a name twice.

    Warns
    -----
    TableWarning
        If something about the file was found out, or looks as if it were not meant.

    Examples
    --------
    >>> load_table("faithful").shape
    (272, 2)
    >>> load_table("penguins", columns=["species", "body_mass_g"]).head(2)
      species  body_mass_g
    0  Adelie       3750.0
    1  Adelie       3800.0
    """
    if not isinstance(source, str | Path):
        raise TypeError(f"`source` must be a name or a path, got {source!r}.")
    wanted = None if columns is None else _named(columns, "columns")
    numbers = _named(numeric, "numeric")
    check_integer(min_complete, "min_complete", low=0)
    reading = Reading.of(separator, decimal, missing)
    if source in names():
        path = resources.files("afterfit") / "data" / describe(str(source)).file
        with resources.as_file(path) as local:
            table = read_file(local, reading)
    else:
        table = read_file(_existing(Path(source).expanduser()), reading)
    if len(table) == 0:
        raise ValueError(f"{str(source)!r} has no rows: it holds only its header.")
    kept = table if wanted is None else _select(table, wanted, source)
    kept = kept.apply(reading.without_codes) if reading.missing else kept.copy()
    for argument, name in numbers:
        column = _select(table, [(argument, name)], source)[name]
        column = reading.without_codes(numbers_of(column, reading))
        _check_numeric(column, argument, name, source, reading)
        if name in kept:
            kept[name] = column
    _check_complete(kept, min_complete, source)
    if source not in names():
        warn_of_suspects(kept, table.iloc[-1], reading)
        reading.warn(str(source))
    return kept


def _named(columns: Columns, argument: str) -> list[tuple[str, str]]:
    """Return (parameter, column) pairs of the columns that were asked for."""
    groups = columns if isinstance(columns, Mapping) else {argument: columns}
    for parameter, asked in groups.items():
        if isinstance(asked, str):
            raise TypeError(f"`{parameter}` must be a list of names, got the text {asked!r}.")
    pairs = [(parameter, name) for parameter, asked in groups.items() for name in asked]
    doubled = [name for name, count in Counter(name for _, name in pairs).items() if count > 1]
    if doubled:
        parameter = " and ".join(f"`{name}`" for name in groups)
        listed = listing([repr(name) for name in doubled])
        raise ValueError(f"{parameter} must be distinct, got more than one of {listed}.")
    return pairs


def _existing(path: Path) -> Path:
    if path.is_file():
        return path
    kind = "a folder" if path.is_dir() else "no such file"
    around = [str(other) for other in path.parent.iterdir()] if path.parent.is_dir() else []
    raise FileNotFoundError(
        f"{str(path)!r} is {kind} (looked from {str(Path.cwd())!r}); name a bundled data set "
        f"({', '.join(names())}) or the path of a file that ends in {', '.join(ENDINGS)}."
        f"{nearest(str(path), [*names(), *around])}"
    )


def _select(
    table: pd.DataFrame, columns: Sequence[tuple[str, str]], source: str | Path
) -> pd.DataFrame:
    held = [str(name) for name in table.columns]
    for parameter, name in columns:
        if name not in table.columns:
            raise ValueError(
                f"`{parameter}` names {name!r}, which {str(source)!r} does not have."
                f"{nearest(str(name), [repr(column) for column in held], cutoff=0.4)} It has "
                f"{listing([repr(column) for column in held])}."
            )
    return table[[name for _, name in columns]]


def _check_numeric(
    column: pd.Series[Any], parameter: str, name: str, source: str | Path, reading: Reading
) -> None:
    where = f"column {name!r} of {str(source)!r}"
    where += "" if parameter == "numeric" else f" (`{parameter}`)"
    if pd.api.types.is_numeric_dtype(column.dtype):
        infinite = np.isinf(column.to_numpy(dtype=np.float64, na_value=np.nan))
        if infinite.any():
            raise ValueError(
                f"{where} must hold finite numbers, but "
                f"{infinite.sum()} of its {len(column)} cells are infinite, the first in row "
                f"{column.index[infinite][0]} (counted from 0)."
            )
        return
    if column.isna().all():
        return  # whether enough is left is another question
    is_text = column.map(lambda cell: not is_number(str(cell))) & column.notna()
    texts = column[is_text] if is_text.any() else column.dropna()
    raise ValueError(
        f"{where} must hold numbers, but {len(texts)} of its "
        f"{len(column)} cells do not, such as {texts.iloc[0]!r} in row {texts.index[0]} (counted "
        f"from 0).{reading.way_out(texts)}"
    )


def _check_complete(table: pd.DataFrame, min_complete: int, source: str | Path) -> None:
    n_complete = int(table.notna().all(axis="columns").sum())
    if n_complete >= min_complete:
        return
    empty = [repr(name) for name in table if table[name].isna().all()]
    hint = f" No row has a value in {listing(empty)}." if empty else ""
    raise ValueError(
        f"{str(source)!r} must have at least {min_complete} rows with a value in each of "
        f"{listing([repr(name) for name in table])}; it has {n_complete} of {len(table)}.{hint}"
    )
