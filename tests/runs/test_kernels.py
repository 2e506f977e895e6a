"""Kernels from a warm process: the same results, nothing of one run in another, the same end."""

import json
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import nbformat
import psutil
import pytest

from afterfit.runs import _execute, _kernels, _warm

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="kernels are forked on Linux only"
)

# All that a run could see of the process it was forked from.
STATE = """
import glob, locale, os, re, resource, signal, sys, threading, warnings
import numpy as np
import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
from afterfit import runs
def open_now(process):
    files = glob.glob(f"/proc/{process}/fd/*")
    return {os.readlink(file) for file in files if os.path.lexists(file)}
state = {
    "path": sys.path, "launcher": os.path.basename(sys.argv[0]), "options": sys.argv[1::2],
    "flags": repr(sys.flags), "folder": os.getcwd(), "umask": os.umask(0o022),
    "threads": sorted(re.sub(r"\\d+", "", each.name) for each in threading.enumerate()),
    # Their number changes from moment to moment, with the connections of the kernel's channels.
    "inherited": sorted(
        name for name in open_now("self") & open_now(os.getppid()) if re.match("socket|pipe", name)
    ),
    "signals": [repr(signal.getsignal(n)) for n in (signal.SIGINT, signal.SIGCHLD, signal.SIGTERM)],
    "mask": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    "variables": sorted(f"{k}={v}" for k, v in os.environ.items() if k not in UNLIKE),
    "rc": sorted(f"{k}={v}" for k, v in mpl.rcParams.items()), "backend": mpl.get_backend(),
    "figures": plt.get_fignums(), "locale": locale.setlocale(locale.LC_ALL), "main": __name__,
    "leader": [os.getpgrp() == os.getpid(), os.getsid(0) == os.getpid()],
    "limits": resource.getrlimit(resource.RLIMIT_NOFILE), "mode": pd.options.display.max_rows,
    "input": os.read(0, 1),
}
runs.record(**{name: repr(value) for name, value in state.items()})
runs.record(draw=float(np.random.uniform()), parent=os.getppid())
""".replace("UNLIKE", repr({"JPY_PARENT_PID", "AFTERFIT_WARM", "JPY_SESSION_NAME"}))

# What a run might do to those that come after it.
POLLUTE = """
import os, sys, threading, time
import numpy as np, matplotlib as mpl, matplotlib.pyplot as plt, pandas as pd
np.random.seed(1); np.mean = None
mpl.rcParams["lines.linewidth"] = 17; plt.figure()
pd.options.display.max_rows = 3
os.environ["LEAK"] = "1"; os.chdir("/"); os.umask(0); sys.path.insert(0, "/leak")
opened = [open(os.devnull) for _ in range(20)]
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
"""

RESULTS = """
import matplotlib.pyplot as plt, numpy as np, pandas as pd
from sklearn.mixture import GaussianMixture
from afterfit import datasets, mixture, runs
runs.book_style()
X = datasets.load_table("faithful")[["eruptions", "waiting"]]
model = GaussianMixture(2, random_state=seed).fit(X)
runs.record(density=mixture.log_density(model, X), table=pd.DataFrame(model.means_))
plt.plot(mixture.log_density(model, X))
plt.show()
print(model); X.head()
print(pd.DataFrame(np.ones((2, 30))))  # as wide as a kernel lets it be, not a terminal
"""


def notebook_of(code):
    cells = [nbformat.v4.new_code_cell(cell) for cell in ("seed: int = 0", textwrap.dedent(code))]
    cells[0].metadata["tags"] = ["parameters"]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return json.loads(
        nbformat.writes(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}))
    )


def run(code, folder, **options):
    return _execute.run_here(notebook_of(code), {"seed": 3}, folder=folder, **options)


def run_cold(code, folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(_kernels.ADDRESS, "")
        return run(code, folder)


def is_forked(outcome):
    """Whether the run's kernel was the child of another process than this one."""
    return outcome.records["parent"] != os.getpid()


def test_nothing_leaks_into_a_run(warm, tmp_path):
    assert run(POLLUTE, tmp_path).status == "ok"
    first, second = run(STATE, tmp_path), run(STATE, tmp_path)
    expected = run_cold(STATE, tmp_path)
    assert is_forked(first)
    assert is_forked(second)
    assert not is_forked(expected)
    for name in expected.records.keys() - {"draw", "parent"}:
        assert first.records[name] == expected.records[name], name
        assert second.records[name] == expected.records[name], name
    draws = {outcome.records["draw"] for outcome in (first, second, expected)}
    assert len(draws) == 3, "the global random state of the parent is that of all its kernels"


def test_results_are_the_same_to_the_last_byte(warm, tmp_path):
    outcomes = [run(RESULTS, tmp_path), run_cold(RESULTS, tmp_path)]
    outputs = [
        [cell.get("outputs") for cell in json.loads(outcome.notebook)["cells"]]
        for outcome in outcomes
    ]
    assert [outcome.status for outcome in outcomes] == ["ok", "ok"]
    assert json.dumps(outcomes[0].records) == json.dumps(outcomes[1].records)
    assert json.dumps(outputs[0]) == json.dumps(outputs[1])
    assert "<svg" in json.dumps(outputs[0])


def test_threads_of_other_libraries_survive_the_fork(warm, tmp_path):
    # Of these, polars and pyarrow have threads of their own.
    code = """
    import os
    import numpy as np, polars as pl, pyarrow as pa, pyarrow.parquet as pq
    from joblib import Parallel, delayed
    from afterfit import runs
    table = pl.DataFrame({"a": np.arange(10**5) % 7, "b": np.ones(10**5)})
    counted = table.lazy().group_by("a").agg(pl.col("b").sum()).collect()
    pq.write_table(pa.table({"a": np.arange(10**5)}), "a.parquet")
    n_read = pq.read_table("a.parquet", use_threads=True).num_rows
    squares = Parallel(n_jobs=2)(delayed(pow)(i, 2) for i in range(4))
    runs.record(total=counted["b"].sum(), n_read=n_read, squares=squares, parent=os.getppid())
    """
    outcome = run(code, tmp_path)
    assert outcome.error == ""
    assert is_forked(outcome)
    assert outcome.records["total"] == outcome.records["n_read"] == 10**5
    assert outcome.records["squares"] == [0, 1, 4, 9]


def test_what_a_kernel_leaves_for_its_end_is_done(warm, tmp_path):
    code = """
    import atexit
    from pathlib import Path
    atexit.register(Path("left.txt").touch)
    unfinished = open("flushed.txt", "w")
    unfinished.write("all of it")
    """
    assert run(code, tmp_path).status == "ok"
    assert (tmp_path / "left.txt").exists()
    assert (tmp_path / "flushed.txt").read_text() == "all of it"


DEATHS = {
    "killed": ("os.kill(os.getpid(), 9)", "the kernel died, in cell [3]", None),
    "exits": ("os._exit(3)", "the kernel died, in cell [3]", None),
    "hangs": ("time.sleep(600)", "stopped at the time limit of 3 s, in cell [3]", 3),
    "fails": ("1 / 0", "ZeroDivisionError: division by zero", None),
}


@pytest.mark.parametrize("way", DEATHS)
def test_a_kernel_ends_as_any_other(warm, tmp_path, way):
    end, error, timeout = DEATHS[way]
    code = f"""
    import json, os, subprocess, time
    from pathlib import Path
    child = subprocess.Popen(["sleep", "600"])
    Path("pids").write_text(json.dumps([os.getppid(), child.pid, os.getpid()]))
    os.write(2, b"last words")
    {end}
    """
    outcome = run(code, tmp_path, timeout=timeout)
    assert outcome.error.startswith(error)
    if "died" in error:
        assert "last words" in outcome.traceback
    parent, *pids = json.loads((tmp_path / "pids").read_text())
    assert parent != os.getpid()
    left = [process for process in psutil.process_iter() if process.pid in pids]
    assert not psutil.wait_procs(left, timeout=5)[1], "a process is still there"


# --- the ends of others ---

STARTER = """
import json, sys
from afterfit.runs import _execute, _kernels
if sys.argv[1] == "shared":
    context = _kernels.shared()
    context.__enter__()()
else:
    next(_kernels._asked)
    _kernels.address()
    _kernels._own[0].wait()
_execute.run_here(json.load(open(sys.argv[2])), {}, folder=sys.argv[3])
"""
TELL_AND_SLEEP = """
import os, time
from pathlib import Path
Path("kernel.part").write_text(str(os.getpid()))
Path("kernel.part").rename("kernel")
time.sleep(600)
"""


@pytest.mark.parametrize("way", ["shared", "own"])
def test_all_end_with_the_process_that_asked_for_them(tmp_path, way):
    notebook = tmp_path / "n.ipynb"
    notebook.write_text(json.dumps(notebook_of(TELL_AND_SLEEP)))
    command = [sys.executable, "-c", STARTER, way, str(notebook), str(tmp_path)]
    environment = {k: v for k, v in os.environ.items() if k != _kernels.ADDRESS}
    process = subprocess.Popen(command, env=environment)
    deadline = time.monotonic() + 120
    while not (tmp_path / "kernel").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    family = psutil.Process(process.pid).children(recursive=True)
    assert int((tmp_path / "kernel").read_text()) in [each.pid for each in family]
    assert any("_warm.py" in " ".join(each.cmdline()) for each in family)
    process.kill()
    process.wait()
    assert not psutil.wait_procs(family, timeout=10)[1], "a process outlived its client"


def test_a_warm_process_that_was_killed_is_replaced(tmp_path, monkeypatch):
    monkeypatch.delenv(_kernels.ADDRESS, raising=False)
    monkeypatch.setattr(_kernels, "_asked", iter(range(1, 100)))
    code = """
    import os, signal
    from afterfit import runs
    runs.record(parent=os.getppid())
    if seed == 4:
        os.kill(os.getppid(), signal.SIGKILL)
        import time; time.sleep(600)
    """
    _kernels.address()
    _kernels._own[0].wait()
    first = run(code, tmp_path)
    killed = _execute.run_here(notebook_of(code), {"seed": 4}, folder=tmp_path)
    between = run(code, tmp_path)  # it does not wait for the next one
    _kernels._own[0].wait()
    again = run(code, tmp_path)
    assert between.status == "ok"
    assert [first.status, killed.status, again.status] == ["ok", "failed", "ok"]
    assert "the kernel died" in killed.error
    assert is_forked(again)
    assert again.records["parent"] != first.records["parent"]
    _kernels._own.pop().stop()


# --- where a kernel is started as ever ---

ASK_PARENT = """
import os
from afterfit import runs
runs.record(parent=os.getppid())
"""


def test_a_first_kernel_is_not_worth_a_warm_process(tmp_path, monkeypatch):
    monkeypatch.delenv(_kernels.ADDRESS, raising=False)
    monkeypatch.setattr(_kernels, "_asked", iter(range(100)))
    assert not is_forked(run(ASK_PARENT, tmp_path))
    assert not _kernels._own


WITHOUT = {
    "no fork": lambda patch, folder: patch.setattr(_kernels.sys, "platform", "darwin"),
    "nobody there": lambda patch, folder: patch.setenv(_kernels.ADDRESS, str(folder / "none")),
    "a setting of matplotlib's": lambda patch, folder: (folder / "matplotlibrc").touch(),
    "another environment": lambda patch, folder: patch.setenv("PYTHONUTF8", "1"),
}


@pytest.mark.parametrize("way", WITHOUT)
def test_without_a_warm_process_all_is_as_ever(warm, tmp_path, monkeypatch, way):
    if way == "no fork":
        monkeypatch.delenv(_kernels.ADDRESS)
    WITHOUT[way](monkeypatch, tmp_path)
    outcome = run(ASK_PARENT, tmp_path)
    assert outcome.status == "ok"
    assert not is_forked(outcome)


def test_a_python_that_has_other_threads_is_not_forked(monkeypatch):
    served = []
    monkeypatch.setattr(_warm, "KERNEL", ["no_such_module"])
    monkeypatch.setattr(_warm, "LIBRARIES", [])
    monkeypatch.setattr(_warm, "Server", lambda *_: served.append)
    monkeypatch.setattr(_warm, "threads", lambda: {"jemalloc_bg_thd", "pool"})
    monkeypatch.setattr(_warm.sys, "path", ["first", *sys.path])
    monkeypatch.setattr(_warm.gc, "freeze", lambda: None)
    monkeypatch.setenv("MPLBACKEND", "agg")
    _warm.main("")
    assert served == []


def test_the_warm_process_has_no_thread_but_known_ones(warm, tmp_path):
    parent = run(ASK_PARENT, tmp_path).records["parent"]
    tasks = [task for task in Path(f"/proc/{parent}/task").iterdir() if task.name != str(parent)]
    assert {(task / "comm").read_text().strip() for task in tasks} <= _warm.FORKED_WELL
