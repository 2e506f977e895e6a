"""One run: papermill executes a notebook in a folder of its own, and what came of it goes back.

This is what travels to the workers, which need the package and no shared disk.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from afterfit.runs._arrange import arranged
from afterfit.runs._records import encoded_records

# How much is kept of what a kernel that died wrote to its standard error.
MAX_LAST_WORDS = 10_000

# Seconds between two lines about progress in a log.
SAID_EVERY = 30.0

# What a run depends on, beyond its notebook and its data: all files of the package.
PACKAGE = Path(__file__).parents[1]

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass(frozen=True)
class Outcome:
    """What came of a run: the executed notebook as far as it got, and what it recorded.

    `status` is "ok", "failed" or "timeout"; `error` is one line, `traceback` all of it.
    """

    status: str
    seconds: float
    notebook: bytes | None = None
    records: Mapping[str, Any] = field(default_factory=dict)  # as JSON, see `_records.encode`
    error: str = ""
    traceback: str = ""
    worker: str = ""
    rows: bytes | None = None  # the file that its parameter `rows` asked for


@lru_cache(maxsize=1)
def package_digest() -> str:
    """Return the version of the package and a hash of its files."""
    from afterfit import __version__

    content = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            content.update(f"{path.relative_to(PACKAGE).as_posix()}\0".encode())
            content.update(path.read_bytes())
    return f"{__version__}+{content.hexdigest()[:16]}"


def carry(content: bytes) -> bytes:
    """Return a file's content: as a task of its own it can be sent again to another worker."""
    return content


def run_elsewhere(
    notebook: bytes,
    contents: Sequence[bytes],
    names: Sequence[str],
    parameters: Mapping[str, Any],
    timeout: float | None,
    package: str,
) -> Outcome:
    """Execute a notebook that came with its files, in a temporary folder."""
    logging.getLogger("papermill").setLevel(logging.CRITICAL)  # the outcome says all
    if package_digest() != package:
        return Outcome(
            "failed",
            0.0,
            error=f"this worker has afterfit {package_digest()}, the sweep was started with "
            f"{package}; install the same on all machines",
            worker=_here(),
        )
    with tempfile.TemporaryDirectory(prefix="afterfit-", ignore_cleanup_errors=True) as folder:
        for name, content in zip(names, contents, strict=True):
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        with _event_loop():
            outcome = run_here(json.loads(notebook), parameters, folder=folder, timeout=timeout)
        rows = Path(folder, parameters.get("rows") or "none")
        return replace(outcome, rows=rows.read_bytes() if rows.is_file() else None)


def run_here(
    notebook: Mapping[str, Any],
    parameters: Mapping[str, Any],
    *,
    folder: str | Path,
    timeout: float | None = None,
    shows_progress: bool = False,
) -> Outcome:
    """Execute a notebook, its kernel working in `folder`; what fails is told, not raised."""
    watch = _Watch(timeout)
    with tempfile.TemporaryDirectory(prefix="afterfit-", ignore_cleanup_errors=True) as scratch:
        source, executed = Path(scratch) / "notebook.ipynb", Path(scratch) / "executed.ipynb"
        source.write_text(json.dumps({**notebook, "cells": arranged(notebook, parameters)}))
        log = Path(scratch) / "kernel.log"
        start = time.perf_counter()
        error, traceback = _executed(
            source, executed, parameters, folder, watch, log, shows_progress
        )
        seconds = time.perf_counter() - start
        result = _result(executed)
        last_words = log.read_text(errors="replace")[-MAX_LAST_WORDS:]
    if watch.expired:
        traceback = ""
        error = f"stopped at the time limit of {timeout:g} s{_where(result)}"
    elif "kernel died" in error.lower():
        error = f"the kernel died{_where(result)}: killed, out of memory or crashed"
        traceback = last_words
    return Outcome(
        status="timeout" if watch.expired else "failed" if error else "ok",
        seconds=seconds,
        notebook=None if result is None else json.dumps(result, indent=1).encode(),
        records={} if result is None else encoded_records(result),
        error=_one_line(error),
        traceback=_ANSI.sub("", traceback),
        worker=_here(),
    )


def _executed(
    source: Path,
    executed: Path,
    parameters: Mapping[str, Any],
    folder: str | Path,
    watch: _Watch,
    log: Path,
    shows_progress: bool,
) -> tuple[str, str]:
    """Let papermill execute a file; return its error and the traceback, empty without one."""
    import papermill
    from nbclient.exceptions import DeadKernelError

    from afterfit.runs._kernels import manager

    try:
        with watch, log.open("w+b") as stderr:
            papermill.execute_notebook(
                str(source),
                str(executed),
                engine_name="nbclient",  # what else a chapter needs is done here
                parameters=dict(parameters),
                # A bar is for a terminal: in a log a line now and then.
                progress_bar={"disable": None} if shows_progress else False,
                on_cell_complete=_said_in_a_log(source) if shows_progress else None,
                kernel_manager_class=manager(str(log.parent), log=stderr, started=watch.started),
                resources={"metadata": {"path": str(folder)}},
            )
    except papermill.PapermillExecutionError as stop:
        error = f"{stop.ename}: {stop.evalue}" if stop.evalue else stop.ename
        return error, "\n".join(stop.traceback)
    except DeadKernelError as stop:
        return str(stop) or "kernel died", ""
    except Exception as stop:  # whatever it was: the other runs go on
        return (error := f"{type(stop).__name__}: {stop}"), error
    return "", ""


def _said_in_a_log(source: Path) -> Callable[..., None] | None:
    """Return what says now and then how far a run is, where standard error is no terminal."""
    if sys.stderr.isatty():
        return None
    n_cells = len(json.loads(source.read_bytes())["cells"])
    start = said = time.monotonic()

    def say(cell: Any, cell_index: int) -> None:
        nonlocal said
        now = time.monotonic()
        if now - said >= SAID_EVERY:
            said = now
            done = f"{cell_index + 1} of {n_cells} cells, {now - start:.0f} s"
            print(done, file=sys.stderr, flush=True)

    return say


def _result(executed: Path) -> dict[str, Any] | None:
    """Return an executed notebook without the folder that it was executed in."""
    if not executed.exists():
        return None
    result: dict[str, Any] = json.loads(executed.read_bytes())
    for name in ("input_path", "output_path"):
        result["metadata"]["papermill"].pop(name, None)
    return result


@contextmanager
def _event_loop() -> Iterator[None]:
    """Close the loop that nbclient makes in this thread: a worker would collect one a run."""
    from jupyter_core.utils import ensure_event_loop

    loop = ensure_event_loop()
    try:
        yield
    finally:
        loop.close()


class _Watch:
    """Kills the kernel of a run when its time is over."""

    def __init__(self, timeout: float | None) -> None:
        self.expired = False
        self._kernel: int | None = None
        self._lock = threading.Lock()
        self._timer = None if timeout is None else threading.Timer(timeout, self._expire)

    def __enter__(self) -> None:
        if self._timer is not None:
            self._timer.daemon = True
            self._timer.start()

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        with self._lock:
            self._kernel = None

    def started(self, process: int) -> None:
        with self._lock:
            self._kernel = process
            if self.expired:
                self._kill()

    def _expire(self) -> None:
        with self._lock:
            self.expired = True
            self._kill()

    def _kill(self) -> None:
        if self._kernel is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._kernel, signal.SIGKILL)  # the kernel leads a group of its own


def _where(executed: Mapping[str, Any] | None) -> str:
    """Return in which cell a run was stopped, by the number that Jupyter would show."""
    code = [cell for cell in (executed or {"cells": []})["cells"] if cell["cell_type"] == "code"]
    for number, cell in enumerate(code, 1):
        started = cell["metadata"].get("papermill", {}).get("start_time")
        if started and "shell.execute_reply" not in cell["metadata"].get("execution", {}):
            return f", in cell [{number}]"
    return ""


def _one_line(text: str) -> str:
    return " ".join(_ANSI.sub("", text).split())[:1000]


def _here() -> str:
    try:
        from distributed import get_worker

        return str(get_worker().address)
    except (ImportError, ValueError):
        return ""
