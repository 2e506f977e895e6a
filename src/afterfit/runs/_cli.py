"""Run a chapter on your own data: once, as a page to send, or many times, as a table."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

# What the exit code says.
OK, RUNS_FAILED, NOT_DONE = 0, 1, 2
STOPPED = 128  # plus the number of the signal, as a shell says it

_AS_WRITTEN = argparse.RawDescriptionHelpFormatter

# So many failures are listed at the end.
MAX_LISTED = 50

EXAMPLES = """\
examples:
  afterfit run notebooks/agreement.ipynb -p data=my.csv true_column=class --rows labels.csv
  afterfit report notebooks/agreement.ipynb -p data=my.csv true_column=class -o report.html
  afterfit sweep notebooks/agreement.ipynb --grid seed=0:20 n=100,1000 --out runs/

`afterfit run --help` and so on explain each;
`papermill --help-notebook notebooks/agreement.ipynb` lists the parameters of a notebook.
"""

RUN_EXAMPLE = """\
example:
  afterfit run notebooks/agreement.ipynb -o out.ipynb --rows labels.csv \\
    -p data=my.csv true_column=class 'feature_columns=[height,weight]' part=data

exit codes: 0 the notebook is written; 1 the run failed; 2 something was wrong before it.
"""

REPORT_EXAMPLE = """\
example:
  afterfit report notebooks/agreement.ipynb -o report.html \\
    -p data=my.csv true_column=class 'feature_columns=[height,weight]'

exit codes: 0 the page is written; 1 the run failed; 2 something was wrong before it.
"""

SWEEP_EXAMPLE = """\
example: 20 seeds, two sample sizes, two files, so 80 runs
  afterfit sweep notebooks/agreement.ipynb --out runs/ \\
    --grid seed=0:20 n=100,1000 data=a.csv,b.csv

The table is runs/table.csv; runs/index.html shows it. The same command, given again, goes on with
what is missing, and tries again what failed.

exit codes: 0 all runs are done; 1 some failed; 2 nothing was started, or it could not go on;
130 stopped by Ctrl-C (143 by kill).
"""

SWEEP_STOPPED = "stopped; what is done is kept, and the same command goes on from there"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        with _stopping_once():
            return int(options.command(options))
    except KeyboardInterrupt as stop:
        _say(options.stopped)
        return int(STOPPED + (stop.args or [signal.SIGINT])[0])
    except (OSError, ValueError, TypeError, ModuleNotFoundError) as error:
        _say(f"afterfit: {_reason(error)}")
        return NOT_DONE


def _parser() -> argparse.ArgumentParser:
    from afterfit import __version__

    parser = argparse.ArgumentParser(
        prog="afterfit", description=__doc__, epilog=EXAMPLES, formatter_class=_AS_WRITTEN
    )
    parser.set_defaults(command=lambda _: _help(parser), stopped="stopped")
    parser.add_argument("--version", action="version", version=f"afterfit {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND")
    _add_sweep(commands)
    _add_run(commands)
    _add_report(commands)
    return parser


def _help(parser: argparse.ArgumentParser) -> int:
    parser.print_help()
    return NOT_DONE


def _add_sweep(commands: Any) -> None:
    sweep = commands.add_parser(
        "sweep",
        help="run a notebook for each row of a grid of parameters",
        description="Run a notebook for each row of a grid of parameters, side by side, and gather "
        "in a table\nwhat each run recorded.",
        epilog=SWEEP_EXAMPLE,
        formatter_class=_AS_WRITTEN,
    )
    sweep.set_defaults(command=_sweep, stopped=SWEEP_STOPPED)
    add = sweep.add_argument
    add("notebook", help="the notebook, such as notebooks/agreement.ipynb")
    add("--out", required=True, metavar="DIR", help="the folder for the table and the notebooks")
    add(
        "--grid",
        required=True,
        nargs="+",
        action="extend",
        metavar="NAME=VALUES",
        help="values of parameters, all combinations: seed=0:20 (from 0 to 19), n=100,1000, "
        "data=a.csv,b.csv; or a YAML, JSON or CSV file, a row for each run",
    )
    add("--workers", type=int, metavar="N", help="run N at a time (default: one a processor)")
    add(
        "--scheduler",
        metavar="ADDRESS",
        help="run on a cluster: the address of its Dask scheduler, such as tcp://host:8786",
    )
    add("--timeout", type=float, metavar="SECONDS", help="stop a run after this time")
    add("--retries", type=int, default=0, metavar="N", help="try a failed run N times more")
    add("--dry-run", action="store_true", help="list the runs, and run nothing")
    add(
        "--dashboard",
        nargs="?",
        const="127.0.0.1:8787",
        metavar="HOST:PORT",
        help="serve a page that shows the workers at work (needs bokeh; default: none)",
    )


def _add_run(commands: Any) -> None:
    run = commands.add_parser(
        "run",
        help="run a notebook with your parameters",
        description="Run a notebook; the executed one stands alone, your data first.",
        epilog=RUN_EXAMPLE,
        formatter_class=_AS_WRITTEN,
    )
    run.set_defaults(command=_run)
    _add_parameters(run, "out.ipynb")
    run.add_argument(
        "--rows",
        metavar="FILE",
        help="write one row for each row of your table, as CSV or Parquet (a chapter's "
        "parameter `rows`)",
    )


def _add_report(commands: Any) -> None:
    report = commands.add_parser(
        "report",
        help="make one HTML file of a notebook run with your parameters",
        description="Run a notebook, and make one HTML file of it that needs nothing else.",
        epilog=REPORT_EXAMPLE,
        formatter_class=_AS_WRITTEN,
    )
    report.set_defaults(command=_report)
    _add_parameters(report, "report.html")


def _add_parameters(parser: Any, output: str) -> None:
    add = parser.add_argument
    add("notebook", help="the notebook, such as notebooks/agreement.ipynb")
    add(
        "-p",
        "--parameter",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter, such as data=my.csv or feature_columns=[height,weight]",
    )
    add(
        "-o",
        "--out",
        default=output,
        metavar="FILE",
        help=f"the file to write (default: {output})",
    )


def _sweep(options: argparse.Namespace) -> int:
    from afterfit.runs import _sweep

    _sweep.check_options(options.workers, options.timeout, options.retries)
    planned = _sweep.plan(options.notebook, options.grid)
    if planned.n_duplicates:
        _say(f"given more than once, run once: {planned.n_duplicates} of the grid's rows")
    if options.dry_run:
        return _dry_run(planned, options.out)
    start = time.monotonic()
    table = _sweep.carry_out(
        planned,
        options.out,
        scheduler=options.scheduler,
        n_workers=options.workers,
        timeout=options.timeout,
        retries=options.retries,
        dashboard=options.dashboard,
        say=_say,
    )
    took = f"{time.monotonic() - start:.0f} s"
    out = Path(options.out)
    n_done = int((table["status"] == "ok").sum())
    _say(f"{n_done:,} of {_counted(len(table))} done ({took}): {out / 'table.csv'}")
    return _list_failures(planned, table, out)


def _dry_run(planned: Any, out: str) -> int:
    from afterfit.runs import _sweep

    done = _sweep.done(planned, out)
    lines = [_described(job.row) + ("  (done)" if job.key in done else "") for job in planned.jobs]
    lines.append(_counted(len(planned.jobs)) + (f", {len(done)} of them done" if done else ""))
    _print("\n".join(lines), sys.stdout)
    return OK


def _list_failures(planned: Any, table: Any, out: Path) -> int:
    failed = table.assign(job=planned.jobs)[table["status"] != "ok"]
    for job, error, notebook in failed[["job", "error", "notebook"]].head(MAX_LISTED).values:
        kept = f" ({out / notebook})" if notebook else ""
        _say(f"failed: {_described(job.row)}: {error}{kept}")
    if len(failed) > MAX_LISTED:
        _say(f"... and {len(failed) - MAX_LISTED} more that failed")
    return RUNS_FAILED if len(failed) else OK


@contextmanager
def _stopping_once() -> Iterator[None]:
    """Let Ctrl-C and kill stop a command in order, and let no second one disturb that order."""

    def stop(number: int, _: Any) -> None:
        if not asked:
            asked.append(number)
            raise KeyboardInterrupt(number)

    def ask_again(dropped: Any) -> None:
        # Python drops what is raised while the garbage collector runs a callback (Dask has one).
        if asked and dropped.exc_type is KeyboardInterrupt:
            threading.Timer(0.05, os.kill, (os.getpid(), asked.pop())).start()
        else:
            hook(dropped)

    asked: list[int] = []
    before: dict[int, Any] = {}
    hook = sys.unraisablehook
    if threading.current_thread() is threading.main_thread():
        before |= {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM)}
        sys.unraisablehook = ask_again
    try:
        yield
    finally:
        sys.unraisablehook = hook
        for each, handler in before.items():
            # Once stopped, the program ends, and that is not disturbed either.
            signal.signal(each, signal.SIG_IGN if asked else handler)


def _run(options: argparse.Namespace) -> int:
    from afterfit.runs import _run

    rows = {} if options.rows is None else {"rows": options.rows}
    return _written(_run.run_to, options, rows)


def _report(options: argparse.Namespace) -> int:
    from afterfit.runs import _report

    return _written(_report.report, options, {})


def _written(make: Callable[..., Path], options: argparse.Namespace, more: dict[str, Any]) -> int:
    """Make one file of a run with the parameters that were given."""
    from afterfit.runs import _declared, _grid

    known = _declared.declared(_declared.read(options.notebook))
    parameters = dict(more)
    for item in options.parameter:
        name, text = _grid.assignment(item)
        if name not in known:
            _declared.check(name, text, known)
        parameters[name] = _grid.parse(text, known[name])
    try:
        _say(f"running {options.notebook}")
        _say(f"written: {make(options.notebook, parameters, options.out)}")
    except RuntimeError as error:
        _say(f"failed: {error}")
        return RUNS_FAILED
    return OK


def _described(row: Any) -> str:
    return " ".join(f"{name}={value}" for name, value in row.items()) or "(as it stands)"


def _counted(n_runs: int) -> str:
    return "1 run" if n_runs == 1 else f"{n_runs:,} runs"


def _reason(error: Exception) -> str:
    if not isinstance(error, OSError) or not error.strerror:
        return str(error)
    return f"{error.strerror}: {error.filename!r}" if error.filename else error.strerror


def _say(text: str) -> None:
    _print(text, sys.stderr)


def _print(text: str, stream: TextIO) -> None:
    try:
        print(text, file=stream, flush=True)
    except BrokenPipeError:  # whoever read it has seen enough; what is at work goes on
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
