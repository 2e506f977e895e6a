"""Files that are written whole or not at all; and what a chapter says of each row, as a file."""

from __future__ import annotations

import io
import os
import tempfile
from contextlib import suppress
from pathlib import Path

import pandas as pd

from afterfit.runs._parameters import check_rows

# A file that is being written.
PART = ".*.part"

# What the column of row numbers is called where the index has no name.
_ROW = "row"


def write_rows(frame: pd.DataFrame, path: str) -> None:
    """Write what a chapter found for each row of a table: a CSV or Parquet file.

    The index is the first column ("row" if it has no name), so that a row is found again in the
    table that it is of, where others were left out.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row for each row of the reader's table, with that table's index.
    path : str
        Where to write, by the ending of its name ``.csv`` or ``.parquet``; a file that is there is
        replaced. Empty: nothing is written.

    Raises
    ------
    ParameterError
        If the name has another ending, or its folder is not there.
    TypeError
        If `frame` is no DataFrame, or has a MultiIndex.
    ValueError
        If two columns, or a column and the index, have one name.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import pandas as pd
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "clusters.csv"
    >>> write_rows(pd.DataFrame({"cluster": [1, 0]}, index=[0, 3]), str(path))
    >>> print(path.read_text(), end="")
    row,cluster
    0,1
    3,0
    """
    if not isinstance(frame, pd.DataFrame) or isinstance(frame.index, pd.MultiIndex):
        kind = type(frame.index if isinstance(frame, pd.DataFrame) else frame).__name__
        raise TypeError(f"`frame` must be a DataFrame with a simple index, got a {kind}.")
    check_rows("path", path)
    if not path:
        return
    index = frame.index if frame.index.name is not None else frame.index.rename(_ROW)
    names = [str(name) for name in (index.name, *frame.columns)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"`frame` must have columns of distinct names, got {twice[0]!r} twice.")
    table = frame.set_axis(index).set_axis(names[1:], axis=1).reset_index()
    content = io.BytesIO()
    if path.lower().endswith(".csv"):
        table.to_csv(content, index=False)
    else:
        table.to_parquet(content, index=False)
    write(Path(path).expanduser(), content.getvalue())


def write(path: Path, content: bytes) -> None:
    """Write a file so that a reader finds the old one or the new one, and never a part."""
    prefix, suffix = PART.split("*")
    descriptor, temporary = tempfile.mkstemp(prefix=prefix, suffix=suffix, dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        if hasattr(os, "umask"):  # WebAssembly knows no modes
            os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
