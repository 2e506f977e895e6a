"""Sweeps: what they cost beyond their runs, and how they scale."""

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
import papermill
from _harness import Report

from afterfit import runs
from afterfit.runs import _execute

N_SHORT = 40
N_MANY = 1000
N_THREADS = 64
SLEEP = 2.0

CELLS = (
    "seed: int = 0",
    "import random, time\n\nfrom afterfit import runs\n\n"
    "end = time.process_time() + 1.0\nwhile time.process_time() < end:\n    pass\n"
    "runs.record(x=random.Random(seed).random())",
)


def write_notebook(path):
    cells = [nbformat.v4.new_code_cell(cell) for cell in CELLS]
    cells[0].metadata["tags"] = ["parameters"]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    return path


def sleep_elsewhere(notebook, contents, names, parameters, timeout, package):
    """A run that only sleeps, in place of papermill."""
    time.sleep(SLEEP)
    return _execute.Outcome("ok", SLEEP, notebook, {"x": parameters["seed"]})


def overhead_of_a_run(notebook, rounds=5):
    """Return seconds of papermill by itself, and of a run of ours beyond its papermill."""
    content = json.loads(notebook.read_text())
    seconds = {"papermill": [], "overhead": []}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            start = time.perf_counter()
            papermill.execute_notebook(
                str(notebook), f"{folder}/out.ipynb", {"seed": 1}, progress_bar=False
            )
            seconds["papermill"].append(time.perf_counter() - start)
            start = time.perf_counter()
            outcome = _execute.run_elsewhere(
                json.dumps(content).encode(), [], [], {"seed": 1}, None, _execute.package_digest()
            )
            seconds["overhead"].append(time.perf_counter() - start - outcome.seconds)
    return {name: statistics.median(times) for name, times in seconds.items()}


def main():
    from distributed import Client

    report = Report("runs")
    folder = Path(tempfile.mkdtemp())
    notebook = write_notebook(folder / "short.ipynb")

    single = overhead_of_a_run(notebook)
    report.note(
        "one run, beside papermill by itself",
        goal="overhead under 0.1 s",
        papermill_seconds=single["papermill"],
        overhead_seconds=single["overhead"],
    )

    start = time.perf_counter()
    table = runs.sweep(notebook, {"seed": range(N_SHORT)}, folder / "short", n_workers=2)
    wall = time.perf_counter() - start
    assert (table["status"] == "ok").all()
    half = table["seconds"].sum() / 2
    report.note(
        f"a sweep of {N_SHORT} short runs on two workers",
        goal="at most 1.25 times half the sum of the runs' own seconds",
        wall_seconds=wall,
        half_the_sum_seconds=half,
        ratio=wall / half,
    )

    _execute.run_elsewhere = sleep_elsewhere  # from here on, runs only sleep
    with Client(
        processes=False,
        n_workers=4,
        threads_per_worker=N_THREADS // 4,
        dashboard_address="127.0.0.1:0",
    ) as client:
        start = time.perf_counter()
        runs.sweep(notebook, {"seed": range(N_MANY)}, folder / "many", scheduler=client)
        wall = time.perf_counter() - start
    ideal = N_MANY * SLEEP / N_THREADS
    report.note(
        f"{N_MANY} runs that sleep {SLEEP:g} s on {N_THREADS} worker threads",
        goal="efficiency above 0.9",
        wall_seconds=wall,
        ideal_seconds=ideal,
        efficiency=ideal / wall,
    )

    command = [sys.executable, "-m", "afterfit", "sweep", str(notebook)]
    command += ["--out", str(folder / "many"), "--grid", f"seed=0:{N_MANY}"]
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    report.note(
        f"the command for a finished sweep of {N_MANY} runs, again",
        goal="under 3 seconds",
        seconds=time.perf_counter() - start,
    )
    report.save()
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
