"""Many runs of a notebook on a Dask scheduler: which are to be done, and doing them."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from afterfit._validation import check_integer, check_real
from afterfit.runs import _cluster, _declared, _execute, _folder, _grid
from afterfit.runs._alone import for_jupyter, resolved
from afterfit.runs._arrange import is_chapter
from afterfit.runs._book import Book, book_of
from afterfit.runs._execute import Outcome
from afterfit.runs._folder import Run, SweepFolder
from afterfit.runs._parameters import ParameterError, check_rows

# A run in flight is a few kilobytes at the scheduler; so many a thread keep every worker busy.
IN_FLIGHT = 4

# So many data files are held by the cluster at once; of more, some are sent again.
MAX_FILES = 64

# While runs come in, the table is rewritten after this many times what writing it takes.
TABLE_SHARE = 20


def sweep(
    notebook: str | Path,
    grid: Any,
    out_dir: str | Path,
    *,
    scheduler: Any = None,
    n_workers: int | None = None,
    timeout: float | None = None,
    retries: int = 0,
    dashboard: str | None = None,
) -> pd.DataFrame:
    """Return a table with a row for each run of a notebook over a grid of parameters.

    What is in `out_dir` from an earlier call is not run again if it went well and nothing that it
    depends on has changed: the notebook, its parameters, the content of the data, this package.

    Parameters
    ----------
    notebook : str or pathlib.Path
        The notebook; its parameters are in a cell tagged ``parameters``.
    grid : mapping, sequence of mappings, pandas.DataFrame, str, pathlib.Path or sequence of str
        A mapping of names to values: all combinations. A sequence of mappings or a DataFrame: one
        row for each run. A YAML, JSON or CSV file, or texts as on the command line, such as
        ``["seed=0:20", "n=100,1000"]``. What appears twice is run once.
    out_dir : str or pathlib.Path
        The folder for ``table.parquet``, ``table.csv``, ``index.html``, the executed notebooks
        and the records. It is made if it is not there.
    scheduler : str or distributed.Client, optional
        The address of a Dask scheduler whose workers have this package; they need no shared disk.
        By default worker processes on this machine, reached by loopback only. Where they are
        started from a script, its calls stand under ``if __name__ == "__main__":``.
    n_workers : int, optional
        Number of those worker processes. By default, one a processor.
    timeout : float, optional
        Seconds after which a run is stopped. By default, none.
    retries : int, default 0
        How often a run that failed is tried again.
    dashboard : str, optional
        Where to serve Dask's dashboard, such as ``"127.0.0.1:8787"``. By default, nowhere.

    Returns
    -------
    pandas.DataFrame
        In the order of the grid: the parameters that it names, everything recorded, ``status``
        ("ok", "failed" or "timeout"), ``seconds``, ``error`` and ``notebook``, the path of the
        executed notebook in `out_dir`; of a grid with ``rows="rows.csv"``, the path of the rows
        that each run wrote. Lists and tables that were recorded are JSON.

    Raises
    ------
    ParameterError
        If a parameter is unknown or has the wrong type; nothing is run then.
    FileNotFoundError
        If the notebook, a file of the grid or a file of data is missing; nothing is run then.
    BlockingIOError
        If another sweep is at work in `out_dir`.
    OSError
        If nothing can be written there. What is done stays.
    ConnectionError
        If the scheduler or its workers cannot be reached, or have another version of this package.

    See Also
    --------
    read_records : Reads all that one executed notebook recorded, tables as tables.

    Examples
    --------
    Everything is checked before anything is run:

    >>> sweep("notebooks/agreement.ipynb", {"sead": range(20)}, "runs")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    afterfit.runs.ParameterError: `sead` is not a parameter of this chapter. ...

    Forty runs and their table, in a script (``if __name__ == "__main__":``, since worker processes
    import it)::

        table = sweep("notebooks/agreement.ipynb", {"seed": range(20), "n": [100, 1000]}, "runs")
        table.groupby("n")["purity"].agg(["mean", "std"])
    """
    check_options(n_workers, timeout, retries)
    return carry_out(
        plan(notebook, grid),
        out_dir,
        scheduler=scheduler,
        n_workers=n_workers,
        timeout=timeout,
        retries=retries,
        dashboard=dashboard,
    )


def check_options(n_workers: int | None, timeout: float | None, retries: int) -> None:
    if n_workers is not None:
        check_integer(n_workers, "n_workers", low=1)
    if timeout is not None:
        check_real(timeout, "timeout", low=0, closed=False)
    check_integer(retries, "retries", low=0)


@dataclass(frozen=True)
class Job:
    """One run: its row of the grid, what the notebook is passed, and the files that go along."""

    key: str
    row: Mapping[str, Any]
    passed: Mapping[str, Any]
    files: tuple[tuple[Path, str, str], ...]  # path here, its hash, name there


@dataclass(frozen=True)
class Plan:
    """A checked sweep: each distinct run once, in the order of the grid."""

    name: str
    notebook: Mapping[str, Any]
    jobs: tuple[Job, ...]
    n_duplicates: int
    book: Book


def plan(notebook: str | Path, grid: Any) -> Plan:
    """Return what a sweep would run; raise if any of it cannot be run."""
    content = _declared.read(notebook)
    known = _declared.declared(content)
    rows = _grid.rows_of(grid, known)
    for row in rows:
        _check_rows_of_a_sweep(row.get("rows") or "")
    defaults = {name: parameter.default for name, parameter in known.items()}
    base = [_declared.digest(content), _execute.package_digest()]
    jobs: dict[str, Job] = {}
    for row in rows:
        passed, identity = dict(row), {**defaults, **row}
        _declared.check_columns(row, identity)
        files: list[tuple[Path, str, str]] = []
        for name, value in identity.items():
            path = _declared.local_file(known[name], value)
            if path is not None:
                there = _name_there(path, [name for *_, name in files])
                files.append((path, _hash(path), there))
                passed[name], identity[name] = there, {"file": there, "content": _hash(path)}
        text = json.dumps([base, identity], sort_keys=True, default=str)
        key = hashlib.sha256(text.encode()).hexdigest()[:20]
        jobs.setdefault(key, Job(key, row, passed, tuple(files)))
    _hash.cache_clear()
    _declared.columns_of.cache_clear()
    name = str(notebook).rpartition("/")[2]
    return Plan(name, content, tuple(jobs.values()), len(rows) - len(jobs), book_of(notebook))


def _check_rows_of_a_sweep(name: str) -> None:
    check_rows("rows", name)
    if Path(name).name != name:
        raise ParameterError(
            "`rows` must be a name without a folder in a sweep, such as 'rows.csv', got "
            f"{name!r}: the file of each run is put into `rows` of the sweep's folder."
        )


def carry_out(
    planned: Plan,
    out_dir: str | Path,
    *,
    scheduler: Any = None,
    n_workers: int | None = None,
    timeout: float | None = None,
    retries: int = 0,
    dashboard: str | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> pd.DataFrame:
    """Do what is missing of a plan, and return the table of all its runs."""
    folder = SweepFolder(out_dir)
    with folder.locked():
        state = _State(planned, folder)
        todo = state.todo()
        n_runs = len(planned.jobs)
        if len(todo) < n_runs:
            say(f"{n_runs - len(todo):,} of {n_runs:,} runs are done already")
        if todo:
            workers = min(n_workers or _cluster.n_processors(), len(todo))
            with (
                _cluster.client_of(scheduler, workers, len(todo), dashboard, say) as client,
                _bar(len(todo), say) as bar,
            ):
                engine = _Engine(client, planned.notebook, timeout)
                try:
                    _run_all(engine, todo, retries, state, bar)
                finally:
                    state.write_table()
        return state.finish(changed=bool(todo))


def done(planned: Plan, out_dir: str | Path) -> set[str]:
    """Return the keys of the runs of a plan that need not be done again."""
    state = _State(planned, SweepFolder(out_dir))
    return {job.key for job in planned.jobs} - {job.key for job in state.todo()}


class _State:
    """What is done of a plan, in memory and in its folder."""

    def __init__(self, planned: Plan, folder: SweepFolder) -> None:
        self.planned, self.folder = planned, folder
        self.kept: dict[str, Run | None] = {job.key: folder.read(job.key) for job in planned.jobs}
        self._next_table = 0.0

    def todo(self) -> list[Job]:
        """Return the runs that are missing, and those that failed."""
        return [
            job
            for job in self.planned.jobs
            if (run := self.kept[job.key]) is None or run["status"] != "ok"
        ]

    def keep(self, job: Job, outcome: Outcome, attempts: int) -> None:
        run = {
            "parameters": dict(job.row),
            "records": dict(outcome.records),
            "status": outcome.status,
            "seconds": outcome.seconds,
            "error": outcome.error,
            "traceback": outcome.traceback,
            "attempts": attempts,
            "worker": outcome.worker,
        }
        notebook = self._alone(outcome.notebook)
        self.kept[job.key] = self.folder.keep(job.key, run, notebook, outcome.rows)
        if time.monotonic() >= self._next_table:
            self.write_table()

    def _alone(self, notebook: bytes | None) -> bytes | None:
        if notebook is None or not is_chapter(self.planned.notebook):
            return notebook
        done = for_jupyter(resolved(json.loads(notebook), self.planned.book))
        return json.dumps(done, indent=1).encode()

    def table(self) -> pd.DataFrame:
        kept = [self.kept[job.key] for job in self.planned.jobs]
        rows = [
            {**job.row, "rows": run["rows_file"]} if run and "rows_file" in run else job.row
            for job, run in zip(self.planned.jobs, kept, strict=True)
        ]
        return _folder.table_of(rows, kept)

    def write_table(self) -> None:
        start = time.monotonic()
        self.folder.write_tables(self.table())
        spent = time.monotonic() - start
        self._next_table = time.monotonic() + max(1.0, TABLE_SHARE * spent)

    def finish(self, *, changed: bool) -> pd.DataFrame:
        """Write table and index page, unless both say already what there is to say."""
        table = self.table()
        path = self.folder.path
        shown = [path / "table.parquet", path / "table.csv", path / "index.html"]  # as written
        try:
            written = [file.stat().st_mtime_ns for file in shown]
            said = written == sorted(written) and pd.read_parquet(shown[0]).equals(table)
        except (OSError, ValueError):
            said = False
        if changed or not said:
            from afterfit.runs._index import page

            self.folder.write_tables(table)
            rows = [job.row for job in self.planned.jobs]
            varying = list(_folder.parameter_columns(rows).values())
            title = f"{path.resolve().name}: runs of {self.planned.name}"
            self.folder.write_index(page(table, varying, title))
        return table


class _Engine:
    """Submits runs to a Dask client. The notebook and the files travel as tasks of their own,
    so that the scheduler sends them again if the worker that had them is gone."""

    def __init__(self, client: Any, notebook: Mapping[str, Any], timeout: float | None) -> None:
        self.client, self.timeout = client, timeout
        self._notebook = self._carry(json.dumps(notebook).encode())
        self._file = lru_cache(MAX_FILES)(lambda *file: self._carry(_content(*file)))
        self._n_submitted = 0

    def submit(self, job: Job) -> Any:
        names = [name for *_, name in job.files]
        contents = [self._file(path, digest) for path, digest, _ in job.files]
        self._n_submitted += 1
        return self.client.submit(
            _execute.run_elsewhere,
            self._notebook,
            contents,
            names,
            dict(job.passed),
            self.timeout,
            _execute.package_digest(),
            pure=False,
            # Of one group, as Dask reads keys, and in order: such tasks wait at the scheduler until
            # a worker is free, and each worker takes the first of them.
            key=f"run-{self._n_submitted}-{job.key}",
            priority=-self._n_submitted,
        )

    def _carry(self, content: bytes) -> Any:
        return self.client.submit(_execute.carry, content, pure=False)


def _run_all(engine: _Engine, todo: Sequence[Job], retries: int, state: _State, bar: Any) -> None:
    from distributed import as_completed

    waiting = iter(todo)
    in_flight: dict[str, tuple[Job, int]] = {}
    arriving = as_completed(loop=engine.client.loop, with_results=True, raise_errors=False)

    def submit(job: Job, attempt: int) -> None:
        future = engine.submit(job)
        in_flight[future.key] = (job, attempt)
        arriving.add(future)

    n_threads = sum(engine.client.nthreads().values())
    for _, job in zip(range(max(64, IN_FLIGHT * n_threads)), waiting, strict=False):
        submit(job, 1)
    for future, result in arriving:
        job, attempt = in_flight.pop(future.key)
        outcome = _outcome(future, result)
        # A chapter that refuses its parameters refuses them again.
        refused = outcome.error.startswith("ParameterError")
        if outcome.status != "ok" and attempt <= retries and not refused:
            submit(job, attempt + 1)
            continue
        state.keep(job, outcome, attempt)
        bar.add(outcome.status)
        following = next(waiting, None)
        if following is not None:
            submit(following, 1)


def _outcome(future: Any, result: Any) -> Outcome:
    """Return what came of a run, also if it was the worker or Dask that failed."""
    if future.status == "finished":
        return result if isinstance(result, Outcome) else Outcome("failed", 0.0, error=repr(result))
    if future.status == "error":
        error = future.exception()
        return Outcome(
            "failed", 0.0, error=f"{type(error).__name__}: {' '.join(str(error).split())}"
        )
    raise ConnectionError(
        "the scheduler is gone; what is done is kept, and the same command goes on from there."
    )


class _Bar:
    """Progress: on a terminal a bar, in a log a line now and then."""

    def __init__(self, bar: Any, total: int, say: Callable[[str], None]) -> None:
        self._bar, self._total, self._say = bar, total, say
        self._done = self._failed = 0
        self._start = self._said = time.monotonic()

    def add(self, status: str) -> None:
        self._done += 1
        self._failed += status != "ok"
        self._bar.set_postfix_str(f"{self._failed} failed", refresh=False)
        self._bar.update()
        now = time.monotonic()
        is_due = now - self._said >= _execute.SAID_EVERY and self._done < self._total
        if self._bar.disable and is_due:
            left = (now - self._start) / self._done * (self._total - self._done)
            self._say(
                f"{self._done:,} of {self._total:,} runs, {self._failed} failed, about "
                f"{left / 60:.0f} min left"
            )
            self._said = now


@contextmanager
def _bar(total: int, say: Callable[[str], None]) -> Iterator[_Bar]:
    from tqdm import tqdm

    layout = "{n} of {total} runs{postfix} |{bar}| {elapsed}, {remaining} left"
    with tqdm(total=total, disable=None, bar_format=layout, postfix="0 failed") as bar:
        yield _Bar(bar, total, say)


# --- files ---


@cache
def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _content(path: Path, digest: str) -> bytes:
    """Return the content of a file, which must be what the sweep was planned with."""
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != digest:
        raise ValueError(
            f"the file {str(path)!r} has changed since the sweep began; start it again."
        )
    return content


def _name_there(path: Path, taken: Sequence[str]) -> str:
    """Return the name that a file has in the folder of a run: its own, alone in a subfolder if
    two files have the same."""
    if path.name not in taken:
        return path.name
    return next(name for i in range(2, len(taken) + 3) if (name := f"{i}/{path.name}") not in taken)
