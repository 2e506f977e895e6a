"""Many runs of a notebook on a Dask scheduler: which are to be done, and doing them."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

import pandas as pd

from afterfit.runs import _declared, _execute, _folder, _grid
from afterfit.runs._execute import Outcome
from afterfit.runs._folder import Run, SweepFolder

# A run in flight is a few kilobytes at the scheduler; so many a thread keep every worker busy.
IN_FLIGHT = 4

# So many data files are held by the cluster at once; of more, some are sent again.
MAX_FILES = 64

# Seconds to wait for the first worker of a scheduler that was named.
PATIENCE = 60.0

# While runs come in, the table is written anew after this many times what writing it takes.
TABLE_SHARE = 20


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


def plan(notebook: str | Path, grid: Any) -> Plan:
    """Return what a sweep would run; raise if any of it cannot be run."""
    content = _declared.read(notebook)
    known = _declared.declared(content)
    rows = _grid.rows_of(grid, known)
    defaults = {name: parameter.default for name, parameter in known.items()}
    base = [_declared.digest(content), _execute.package_digest()]
    jobs: dict[str, Job] = {}
    for row in rows:
        passed, identity = dict(row), {**defaults, **row}
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
    name = str(notebook).rpartition("/")[2]
    return Plan(name, content, tuple(jobs.values()), len(rows) - len(jobs))


def sweep(
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
            workers = min(n_workers or _cores(), len(todo))
            with _client(scheduler, workers, dashboard, say) as client, _bar(len(todo)) as bar:
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
        self.kept[job.key] = self.folder.keep(job.key, run, outcome.notebook)
        if time.monotonic() >= self._next_table:
            self.write_table()

    def table(self) -> pd.DataFrame:
        jobs = self.planned.jobs
        return _folder.table_of([job.row for job in jobs], [self.kept[j.key] for j in jobs])

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


# --- the cluster ---


@contextmanager
def _client(
    scheduler: Any, n_workers: int, dashboard: str | None, say: Callable[[str], None]
) -> Iterator[Any]:
    """Give a Dask client: of the scheduler that was named, or of a cluster made for the sweep."""
    import dask
    from distributed import Client

    quiet = {"distributed.admin.large-graph-warning-threshold": "1 TB"}  # files travel on purpose
    with dask.config.set(quiet), _silent("distributed.client"):
        if isinstance(scheduler, Client):
            _check_workers(scheduler)
            yield scheduler
        elif scheduler is not None:
            with _connected(scheduler) as client:
                _check_workers(client)
                say(f"{len(client.nthreads())} workers at {scheduler}")
                yield client
        else:
            with (
                _local_cluster(n_workers, dashboard) as cluster,
                Client(cluster, set_as_default=False) as client,
            ):
                if dashboard is not None:
                    say(f"dashboard: {cluster.dashboard_link}")
                yield client


@contextmanager
def _silent(name: str) -> Iterator[None]:
    """Keep a logger quiet: that a scheduler is gone is said once, in a sentence."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _connected(address: str) -> Any:
    from distributed import Client

    try:
        return Client(address, set_as_default=False, timeout=PATIENCE / 4)
    except (OSError, ValueError, TimeoutError) as error:
        reason = str(error)  # the error itself would keep a half-made client alive
    raise ConnectionError(f"no scheduler answers at {address!r} ({reason}).")


def _local_cluster(n_workers: int, dashboard: str | None) -> Any:
    """Return worker processes on this machine, one thread each, reached by loopback only."""
    import dask
    from distributed import LocalCluster

    settings: dict[str, list[str]] = {"distributed.worker.http.routes": []}
    if dashboard is None:
        settings["distributed.scheduler.http.routes"] = []
    with dask.config.set(settings), ThreadPoolExecutor(1, initializer=_deaf) as thread:
        making = thread.submit(
            LocalCluster,
            n_workers=n_workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            # The port of a server without pages, if there is to be no dashboard.
            scheduler_kwargs={
                "dashboard": dashboard is not None,
                "dashboard_address": dashboard or "127.0.0.1:0",
            },
            memory_limit=0,  # what needs memory is the kernels, which are not its processes
            silence_logs=logging.CRITICAL,
        )
        try:
            return making.result()
        except KeyboardInterrupt:
            with suppress(RuntimeError):  # its workers may have been stopped, too
                making.result().close()  # only what is whole can be closed
            raise


def _deaf() -> None:
    """Keep Ctrl-C from this thread and from all that it starts: it is for the client, which then
    stops the workers in order."""
    resource_tracker.ensure_running()  # it would let Ctrl-C in again, were it started later
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _check_workers(client: Any) -> None:
    """Wait for a worker, and refuse workers with another version of the package."""
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError:
        raise ConnectionError(
            f"the scheduler {client.scheduler.address!r} has no worker, after {PATIENCE:g} s."
        ) from None
    ours = _execute.package_digest()
    theirs = client.run(_execute.package_digest, on_error="return")
    other = {address: digest for address, digest in theirs.items() if digest != ours}
    if other:
        address, digest = next(iter(other.items()))
        raise ConnectionError(
            f"{len(other)} of {len(theirs)} workers have another afterfit ({address} has {digest}, "
            f"here is {ours}); install the same everywhere."
        )


class _Bar:
    """Progress on a terminal; in a log, nothing."""

    def __init__(self, bar: Any) -> None:
        self._bar, self._failed = bar, 0

    def add(self, status: str) -> None:
        self._failed += status != "ok"
        self._bar.set_postfix_str(f"{self._failed} failed", refresh=False)
        self._bar.update()


@contextmanager
def _bar(total: int) -> Iterator[_Bar]:
    from tqdm import tqdm

    layout = "{n} of {total} runs{postfix} |{bar}| {elapsed}, {remaining} left"
    with tqdm(total=total, disable=None, bar_format=layout, postfix="0 failed") as bar:
        yield _Bar(bar)


def _cores() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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
