"""The command `afterfit`: many runs of a chapter, or a page of one."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import Any

# What the exit code says.
OK, RUNS_FAILED, NOT_DONE, INTERRUPTED = 0, 1, 2, 130

# A dry run lists so many runs, and counts the rest; so many failures are listed at the end.
MAX_LISTED = 50

EPILOG = """
exit codes: 0 all runs are done; 1 some failed; 2 nothing was started, or it could not go on.
The same command goes on with what is missing, and tries again what failed.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except KeyboardInterrupt:
        _say("stopped; what is done is kept, and the same command goes on from there")
        return INTERRUPTED
    except (OSError, ValueError, TypeError, ModuleNotFoundError) as error:
        text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        _say(f"afterfit: {text}")
        return NOT_DONE


def _parser() -> argparse.ArgumentParser:
    from afterfit import __version__

    parser = argparse.ArgumentParser(prog="afterfit", description=__doc__)
    parser.add_argument("--version", action="version", version=f"afterfit {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_sweep(commands)
    _add_report(commands)
    return parser


def _add_sweep(commands: Any) -> None:
    sweep = commands.add_parser(
        "sweep",
        help="run a notebook for each row of a grid of parameters",
        description="Run a notebook for each row of a grid of parameters, side by side.",
        epilog=EPILOG,
    )
    sweep.set_defaults(command=_sweep)
    add = sweep.add_argument
    add("notebook", help="the notebook, such as notebooks/agreement.ipynb")
    add("--out", required=True, metavar="DIR", help="the folder for the table and the notebooks")
    add(
        "--grid",
        required=True,
        nargs="+",
        action="extend",
        metavar="NAME=VALUES",
        help="values such as seed=0:20 n=100,1000 data=a.csv,b.csv (all combinations), "
        "or a YAML, JSON or CSV file (a row a run)",
    )
    add("--workers", type=int, metavar="N", help="worker processes here; one a processor")
    add("--scheduler", metavar="ADDRESS", help="a Dask scheduler to use, as tcp://host:8786")
    add("--timeout", type=float, metavar="SECONDS", help="stop a run after this time")
    add("--retries", type=int, default=0, metavar="N", help="try a failed run again so often")
    add("--dry-run", action="store_true", help="list the runs, and run nothing")
    add(
        "--dashboard",
        nargs="?",
        const="127.0.0.1:8787",
        metavar="HOST:PORT",
        help="serve Dask's dashboard (needs bokeh)",
    )


def _add_report(commands: Any) -> None:
    report = commands.add_parser(
        "report",
        help="make one HTML file of a notebook run with your parameters",
        description="Run a notebook, and make one HTML file of it that needs nothing else.",
    )
    report.set_defaults(command=_report)
    add = report.add_argument
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
    add("-o", "--out", default="report.html", metavar="FILE", help="the file to write")


def _sweep(options: argparse.Namespace) -> int:
    from afterfit import _sweep, runs

    runs._check_sweep(options.workers, options.timeout, options.retries)
    planned = _sweep.plan(options.notebook, options.grid)
    n_runs = len(planned.jobs)
    if planned.n_duplicates:
        _say(f"{planned.n_duplicates} runs are the same as others and are run once")
    if options.dry_run:
        for job in planned.jobs[:MAX_LISTED]:
            print(_described(job.row))
        more = n_runs - MAX_LISTED
        print(f"... and {more} more" if more > 0 else f"{n_runs} runs")
        return OK
    start = time.monotonic()
    table = _sweep.sweep(
        planned,
        options.out,
        scheduler=options.scheduler,
        n_workers=options.workers,
        timeout=options.timeout,
        retries=options.retries,
        dashboard=options.dashboard,
        say=_say,
    )
    failed = [
        (job, error)
        for job, status, error in zip(planned.jobs, table["status"], table["error"], strict=True)
        if status != "ok"
    ]
    for job, error in failed[:MAX_LISTED]:
        _say(f"failed: {_described(job.row)}: {error}")
    if len(failed) > MAX_LISTED:
        _say(f"... and {len(failed) - MAX_LISTED} more that failed")
    took = f"{time.monotonic() - start:.0f} s"
    _say(f"{n_runs - len(failed)} of {n_runs} runs are done ({took}): {options.out}/table.csv")
    return RUNS_FAILED if failed else OK


def _report(options: argparse.Namespace) -> int:
    from afterfit import _grid, _notebook_parameters, _report

    known = _notebook_parameters.declared(_notebook_parameters.read(options.notebook))
    parameters = {}
    for item in options.parameter:
        name, text = _grid.assignment(item)
        if name not in known:
            _notebook_parameters.check(name, text, known)
        parameters[name] = _grid.parse(text, known[name])
    try:
        _say(f"written: {_report.report(options.notebook, parameters, options.out)}")
    except RuntimeError as error:
        _say(f"failed: {error}")
        return RUNS_FAILED
    return OK


def _described(row: Any) -> str:
    return " ".join(f"{name}={value}" for name, value in row.items()) or "(as it stands)"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
