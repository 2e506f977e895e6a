"""The folder of a sweep: what is done, kept so that nothing but a whole file is ever seen.

    table.parquet, table.csv   a row for each run
    index.html                 the table and its plots, to be opened in a browser
    notebooks/KEY.ipynb        each executed notebook
    rows/KEY.csv               what each run wrote of its rows, if `rows` asked for that
    records/KEY.json           each run: parameters, records, status, seconds, error

KEY is a hash of all that a run depends on. A run is done when its file in `records` is there;
it is written last, after its notebook.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from afterfit.runs._files import PART, write
from afterfit.runs._records import decode

# Columns of the table that are no parameter and no record.
RESERVED = ("status", "seconds", "error", "notebook")

# What is kept of each run, at least.
_FIELDS = {"status", "records", "seconds", "error", "notebook", "notebook_size"}

# A spreadsheet takes text that begins so for a formula, and would run it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

# Integers below these fit.
_INT64, _FLOAT64 = 2**63, 2**1023

Run = dict[str, Any]


class SweepFolder:
    """Where the runs of a sweep are kept."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser()
        if "://" in str(path) or (self.path.exists() and not self.path.is_dir()):
            raise ValueError(f"`out_dir` must be a folder of this machine, got {str(path)!r}.")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Make the folder and keep other sweeps out of it while this one works."""
        import fcntl

        with self._explained():
            for part in ("notebooks", "records", "rows"):
                (self.path / part).mkdir(parents=True, exist_ok=True)
            lock = (self.path / ".lock").open("a+")
        with lock:
            try:
                # The lock goes with the process, however it ends: none is ever left behind.
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                raise BlockingIOError(
                    f"another sweep ({lock.read().strip() or 'unknown'}) is at work in "
                    f"{str(self.path)!r}; wait for it, or give this one another folder."
                ) from None
            with self._explained():
                lock.truncate(0)
                lock.write(f"process {os.getpid()}")
                lock.flush()
                for unfinished in [*self.path.glob(PART), *self.path.glob(f"*/{PART}")]:
                    unfinished.unlink()  # a sweep was killed while it wrote this
            yield

    def read(self, key: str) -> Run | None:
        """Return a run that was kept, None if there is none (or no whole one)."""
        try:
            run: Run = json.loads((self.path / "records" / f"{key}.json").read_bytes())
        except (OSError, ValueError):
            return None
        whole = isinstance(run, dict) and run.keys() >= _FIELDS
        if not whole or self._size(run["notebook"]) != run["notebook_size"]:
            return None
        rows = run.get("rows_file", "")
        return run if not rows or (self.path / rows).is_file() else None

    def _size(self, name: str) -> int | None:
        """Return the size of a notebook that was kept; a power cut may have shortened it."""
        try:
            return (self.path / name).stat().st_size if name else 0
        except OSError:
            return None

    def keep(
        self, key: str, run: Mapping[str, Any], notebook: bytes | None, rows: bytes | None = None
    ) -> Run:
        """Write a run: first its rows and its notebook, then its record, each whole or not."""
        name = f"notebooks/{key}.ipynb" if notebook is not None else ""
        kept = {**run, "notebook": name, "notebook_size": len(notebook or b"")}
        with self._explained():
            if rows is not None:
                kept["rows_file"] = f"rows/{key}{Path(run['parameters']['rows']).suffix.lower()}"
                write(self.path / kept["rows_file"], rows)
            if notebook is not None:
                write(self.path / name, notebook)
            write(self.path / "records" / f"{key}.json", json.dumps(kept).encode())
        return kept

    def write_tables(self, table: pd.DataFrame) -> None:
        """Write the table, whole, as Parquet (exact) and CSV (safe to open in a spreadsheet)."""
        import io

        parquet = io.BytesIO()
        table.to_parquet(parquet, index=False)
        with self._explained():
            write(self.path / "table.parquet", parquet.getvalue())
            write(self.path / "table.csv", without_formulas(table).to_csv(index=False).encode())

    def write_index(self, page: str) -> None:
        with self._explained():
            write(self.path / "index.html", page.encode(errors="backslashreplace"))

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or str(error)
            raise type(error)(
                error.errno,
                f"cannot write into {str(self.path)!r} ({reason}); what is done stays readable, "
                "and the same command goes on from there",
            ) from error


def table_of(rows: Sequence[Mapping[str, Any]], kept: Sequence[Run | None]) -> pd.DataFrame:
    """Return the table: parameters, status, error, records, seconds and notebook of each run.

    Records that differ between runs stand before those that do not, numbers before the rest.
    Numbers, booleans and text have columns of their type; lists, tables and mixtures are JSON. A
    record whose name is taken is called "NAME (recorded)", a parameter "NAME (parameter)".
    """
    parameters = parameter_columns(rows)
    recorded = list(dict.fromkeys(name for run in kept if run for name in run["records"]))
    taken = {*parameters, *RESERVED}
    records = {
        f"{name} (recorded)" if name in taken else name: _column(
            [run["records"].get(name) if run else None for run in kept]
        )
        for name in recorded
    }
    missing = {"status": "missing", "seconds": None, "error": "", "notebook": ""}
    how = {name: _column([(run or missing)[name] for run in kept]) for name in RESERVED}
    columns = {name: _column([row.get(key) for row in rows]) for key, name in parameters.items()}
    columns |= {name: how[name] for name in ("status", "error")}
    columns |= {name: records[name] for name in sorted(records, key=lambda n: _place(records[n]))}
    columns |= {name: how[name] for name in ("seconds", "notebook")}
    return pd.DataFrame(columns)


def _place(column: pd.Series[Any]) -> tuple[bool, bool]:
    """Return where a record stands: what varies first, and of that the numbers."""
    is_constant = len(column) > 1 and column.nunique(dropna=False) < 2
    return is_constant, not pd.api.types.is_numeric_dtype(column.dtype)


def parameter_columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the parameters in their order, and the column of the table that each has."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: f"{name} (parameter)" if name in RESERVED else name for name in names}


def without_formulas(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with an apostrophe before text that a spreadsheet would run."""

    def harmless(value: Any) -> Any:
        return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value

    texts = [name for name in table if pd.api.types.is_string_dtype(table[name].dtype)]
    safe = table.assign(**{name: table[name].map(harmless) for name in texts})
    return safe.rename(columns=harmless)


def _column(values: Sequence[Any]) -> pd.Series[Any]:
    decoded = [_number(value) for value in values]
    present = [value for value in decoded if value is not None]
    if present and all(isinstance(value, bool) for value in present):
        return pd.Series(decoded, dtype="boolean")
    if present and all(type(value) is int and abs(value) < _INT64 for value in present):
        return pd.Series(decoded, dtype="Int64")
    if all(
        type(value) is float or (type(value) is int and abs(value) < _FLOAT64) for value in present
    ):
        return pd.Series(decoded, dtype="float64")
    texts = [None if value is None else _as_text(value) for value in decoded]
    return pd.Series(texts, dtype="str")


def _number(value: Any) -> Any:
    """Return a recorded NaN or infinity as the float it is; all else as it was."""
    return decode(value) if isinstance(value, dict) and "$float" in value else value


def _as_text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.encode(errors="backslashreplace").decode()  # half a character fits in no file
