"""Sweeps: what they cost beyond their runs, and how they scale."""

import json
import os
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
from afterfit.runs import _execute, _kernels

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


NOTEBOOKS = {
    "an empty notebook": "",
    "a notebook that imports what chapters import": "from afterfit import datasets, mixture, runs\n"
    "import matplotlib.pyplot as plt, scipy.stats, sklearn.mixture, statsmodels.api",
}


def write_notebook(path, *code):
    cells = [nbformat.v4.new_code_cell(cell) for cell in (CELLS[0], *(code or CELLS[1:]))]
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


def compare_with_papermill(report, folder):
    """One run with its kernel forked from a warm process, beside papermill by itself."""
    with _kernels.shared() as warmed:
        warmed()
        for name, code in NOTEBOOKS.items():
            path = write_notebook(folder / "compared.ipynb", code)
            content = json.loads(path.read_text())

            def ours(content=content):
                outcome = _execute.run_here(content, {"seed": 1}, folder=folder)
                assert outcome.status == "ok", outcome.error

            def by_papermill(path=path):
                out = str(folder / "out.ipynb")
                papermill.execute_notebook(str(path), out, {"seed": 1}, progress_bar=False)

            report.compare(name, ours, {"papermill": by_papermill}, goal="at least 3 times as fast")


def short_sweep_seconds(notebook, out):
    start = time.perf_counter()
    table = runs.sweep(notebook, {"seed": range(N_SHORT)}, out, n_workers=2)
    assert (table["status"] == "ok").all()
    return time.perf_counter() - start


def main():
    from distributed import Client

    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"  # papermill by itself takes this Python, too
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

    compare_with_papermill(report, folder)

    # Each of these runs computes for one second, which no kernel can save.
    os.environ[_kernels.ADDRESS] = ""  # every kernel started by itself
    cold = short_sweep_seconds(notebook, folder / "cold")
    del os.environ[_kernels.ADDRESS]
    warm = short_sweep_seconds(notebook, folder / "warm")
    work = N_SHORT * 1.0 / 2
    report.note(
        f"a sweep of {N_SHORT} short runs on two workers",
        goal="beyond the runs' own second, a third of what kernels started by themselves take",
        wall_seconds=warm,
        without_a_warm_process=cold,
        own_work_seconds=work,
        times_as_fast=cold / warm,
        times_as_fast_beyond_own_work=(cold - work) / (warm - work),
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
