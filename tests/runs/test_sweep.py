"""Sweeps: on a real scheduler whose workers die, stopped and taken up again, on wrong grids."""

import _thread
import gc
import io
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pandas as pd
import psutil
import pytest
from bs4 import BeautifulSoup

import afterfit
from afterfit import runs
from afterfit.runs import _cli, _cluster, _declared, _execute, _folder, _grid, _index, _sweep

# Every kind of run in one notebook. A worker that starts a kernel is the kernel's parent, or the
# parent of the warm process that the kernel was forked from.
PARAMETERS = """mode: str = "fine"
seed: int = 0
level: float = 0.5
names: list[str] = ["a"]
data: str = ""
folder: str = ""
"""
CODE = """import os, signal, time
from pathlib import Path
import psutil
from afterfit import runs

runs.check_parameters(globals(), seed=range(1000))
runs.record(double=2 * seed, text=f"<b>{seed}", table_of=[seed, "x"], fraction=seed / 7)
runs.record(threads=os.environ["OMP_NUM_THREADS"], kernel_folder=os.getcwd())
parent = psutil.Process().parent()
is_forked = any(part.endswith("_warm.py") for part in parent.cmdline())
runs.record(is_forked=is_forked)
if data:
    runs.record(lines=len(Path(data).read_text().splitlines()), data_name=data)
if mode == "fail":
    raise ValueError(f"seed {seed} is\\nnot liked")
if mode == "hang":
    time.sleep(600)
if mode == "kill the kernel":
    os.kill(os.getpid(), signal.SIGKILL)
if mode == "kill the worker" and not (marker := Path(folder) / "killed").exists():
    marker.touch()
    (parent.parent() if is_forked else parent).kill()
    time.sleep(600)
if mode == "slow":
    time.sleep(0.3)
"""


def write_notebook(path, *cells, parameters=PARAMETERS):
    code = [nbformat.v4.new_code_cell(cell) for cell in (parameters, *cells)]
    code[0].metadata["tags"] = ["parameters"]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=code, metadata={"kernelspec": kernel})
    nbformat.write(notebook, path)
    return path


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    return write_notebook(tmp_path_factory.mktemp("notebook") / "study.ipynb", CODE)


# --- a real scheduler and two workers, each a process of its own ---

# The one that hangs keeps a worker until its time is over; the other does the rest, and dies.
MODES = ["hang", "fine", "fail", "kill the kernel", "kill the worker"]
TIMEOUT = 12  # several times what a kernel takes to start
FILES = {"a.csv": "x\n1\n2\n", "sub/a.csv": "x\n1\n"}


def start(*command, cwd):
    return subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=cwd,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module")
def cluster_sweep(notebook, tmp_path_factory):
    """The table and folder of a sweep in which all goes wrong that can."""
    base = tmp_path_factory.mktemp("cluster")
    for name, content in FILES.items():
        (base / name).parent.mkdir(exist_ok=True)
        (base / name).write_text(content)
    address_file = base / "scheduler.json"
    loopback = ["--host", "127.0.0.1"]
    options = [*loopback, "--port", "0", "--no-dashboard", "--scheduler-file", str(address_file)]
    processes = [start("distributed.cli.dask_scheduler", *options, cwd=base)]
    for number in (1, 2):
        place = base / f"worker-{number}"  # what a worker sees of the disk is not the client's
        place.mkdir()
        options = ["--nthreads", "1", "--no-nanny", "--no-dashboard", *loopback]
        options += ["--scheduler-file", str(address_file)]
        processes.append(start("distributed.cli.dask_worker", *options, cwd=place))
    try:
        deadline = time.monotonic() + 60
        while not address_file.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        address = json.loads(address_file.read_text())["address"]
        data = [str(base / name) for name in FILES]
        rows = [{"mode": mode, "folder": str(base)} for mode in MODES]
        rows[1:2] = [{"mode": "fine", "seed": 3, "data": path} for path in data]
        out = base / "runs"
        table = runs.sweep(notebook, rows, out, scheduler=address, timeout=TIMEOUT)
        yield table.set_index("mode"), out, processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_runs_that_fail_hang_or_die_are_told_apart(cluster_sweep):
    table, _, _ = cluster_sweep
    assert table["status"].to_dict() == {
        "fine": "ok",
        "fail": "failed",
        "hang": "timeout",
        "kill the kernel": "failed",
        "kill the worker": "ok",
    }
    assert table.loc["fail", "error"] == "ValueError: seed 0 is not liked"
    assert table.loc["hang", "error"] == f"stopped at the time limit of {TIMEOUT} s, in cell [3]"
    assert "the kernel died, in cell [3]" in table.loc["kill the kernel", "error"]
    assert TIMEOUT <= table.loc["hang", "seconds"] < 300, "it would have slept for 600"


def test_a_killed_workers_run_is_done_elsewhere(cluster_sweep):
    table, _out, processes = cluster_sweep
    killed = [process.wait(5) for process in processes[1:] if process.poll() is not None]
    assert killed == [-signal.SIGKILL]
    assert table.loc["kill the worker", "double"] == 0
    kernels = [
        process
        for process in psutil.process_iter(["cmdline", "ppid"])
        if "ipykernel_launcher" in " ".join(process.info["cmdline"] or [])
        and process.info["ppid"] in (1, processes[1].pid, processes[2].pid)
    ]
    _, alive = psutil.wait_procs(kernels, timeout=5)
    assert not alive, "a kernel outlived its worker"


def test_files_travel_and_the_executed_notebooks_come_back(cluster_sweep):
    table, out, _ = cluster_sweep
    assert table.loc["fine", "lines"].tolist() == [3, 2]
    assert table.loc["fine", "data_name"].tolist() == ["a.csv", "a.csv"]
    for name in table["notebook"]:
        executed = nbformat.read(out / name, as_version=4)
        nbformat.validate(executed)
        assert executed.metadata.papermill.parameters
    record = runs.read_records(out / table.loc["fine", "notebook"].iloc[0])
    assert record["table_of"] == [3, "x"]
    assert record["threads"] == "1"
    assert not Path(record["kernel_folder"]).exists(), "each run has a folder that goes with it"


def test_a_run_records_the_same_wherever_it_is_done(cluster_sweep, notebook, tmp_path):
    table, _, _ = cluster_sweep
    content = json.loads(notebook.read_text())
    here = _execute.run_here(content, {"seed": 3}, folder=tmp_path)
    there = table.loc["fine"].iloc[0]
    assert here.status == "ok"
    assert here.records["fraction"] == there["fraction"]
    assert here.records["threads"] == there["threads"] == "1"
    assert json.dumps(here.records["table_of"]) == there["table_of"]


def test_a_failed_run_keeps_its_traceback_and_what_it_had_recorded(cluster_sweep):
    table, out, _ = cluster_sweep
    name = table.loc["fail", "notebook"]
    assert table.loc["fail", "double"] == 0
    kept = json.loads((out / "records" / f"{Path(name).stem}.json").read_text())
    assert "raise ValueError" in kept["traceback"]
    assert "\x1b" not in kept["traceback"]
    outputs = [
        output
        for cell in nbformat.read(out / name, as_version=4).cells
        for output in cell.get("outputs", [])
    ]
    assert outputs[-1]["ename"] == "ValueError"


def test_the_table_is_typed_and_in_the_order_of_the_grid(cluster_sweep):
    table, out, _ = cluster_sweep
    assert table.index.tolist() == ["hang", "fine", *MODES[1:]]
    kept = pd.read_parquet(out / "table.parquet").set_index("mode")
    pd.testing.assert_frame_equal(kept, table)
    assert str(table["double"].dtype) == "Int64"
    assert str(table["fraction"].dtype) == "float64"
    assert table.loc["fine", "table_of"].iloc[0] == '[3, "x"]'
    assert pd.read_csv(out / "table.csv").shape == (6, table.shape[1] + 1)


# --- stopped, and taken up again ---


def sweep_command(notebook, out, *options):
    grid = ["--grid", "seed=0:5", "mode=slow", "--workers", "2"]
    command = [sys.executable, "-m", "afterfit", "sweep", str(notebook), "--out", str(out)]
    return [*command, *grid, *options]


def wait_for_records(out, count, process):
    deadline = time.monotonic() + 90
    while len(list(out.glob("records/*.json"))) < count:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def handlers():
    """The signals that stop a command; one that was stopped leaves them ignored, as it ends."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield before
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_stop_that_python_drops_is_asked_for_again(handlers):
    # What a callback of the garbage collector raises is printed and dropped, Ctrl-C included.
    def callback(phase, _):
        if phase == "start" and not asked:
            asked.append(phase)
            signal.raise_signal(signal.SIGINT)

    def sweep():
        with _cli._stopping_once():
            gc.collect()
            time.sleep(10)

    asked, hook = [], sys.unraisablehook
    gc.callbacks.append(callback)
    try:
        with pytest.raises(KeyboardInterrupt):
            sweep()
    finally:
        gc.callbacks.remove(callback)
    assert asked
    assert sys.unraisablehook is hook


def test_stopped_by_ctrl_c_killed_and_taken_up_again(notebook, tmp_path):
    out = tmp_path / "runs"
    command = sweep_command(notebook, out)
    pipes = {"stderr": subprocess.PIPE, "text": True}
    first = subprocess.Popen(command, start_new_session=True, **pipes)
    wait_for_records(out, 1, first)

    family = psutil.Process(first.pid).children(recursive=True)
    connections = []
    for process in [psutil.Process(first.pid), *family]:
        with suppress(psutil.NoSuchProcess):  # a kernel that has done its run by now
            connections += process.net_connections()
    listening = {each.laddr.ip for each in connections if each.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}
    with pytest.raises(BlockingIOError, match=rf"another sweep \(process {first.pid}\) is at work"):
        runs.sweep(notebook, {"seed": 1}, out)

    while first.poll() is None:  # as a terminal does: to the whole group; and as the impatient do
        os.killpg(first.pid, signal.SIGINT)
        time.sleep(0.1)
    said = first.communicate(timeout=30)[1]
    assert first.returncode == _cli.STOPPED + signal.SIGINT, said
    assert said.strip() == _cli.SWEEP_STOPPED
    assert not psutil.wait_procs(family, timeout=10)[1], "a process outlived the sweep"
    assert {"ok", "missing"} == set(pd.read_csv(out / "table.csv")["status"])

    done = {path: path.stat().st_mtime_ns for path in out.glob("records/*.json")}
    second = subprocess.Popen(command, start_new_session=True, **pipes)
    wait_for_records(out, len(done) + 1, second)
    family = psutil.Process(second.pid).children(recursive=True)
    second.kill()
    second.communicate(timeout=10)
    assert not psutil.wait_procs(family, timeout=15)[1], "a process outlived its client"

    done |= {path: path.stat().st_mtime_ns for path in out.glob("records/*.json")}
    third = subprocess.run(command, capture_output=True, text=True, check=False)
    assert third.returncode == _cli.OK, third.stderr
    assert f"{len(done)} of 5 runs are done already" in third.stderr
    assert len(third.stderr.splitlines()) == 2, "quiet in a log"
    after = {path: path.stat().st_mtime_ns for path in out.glob("records/*.json")}
    assert len(after) == 5
    assert after | done == after, "a run that was done was done again"
    assert not list(out.rglob("*.part")), "a part of a file was left behind"
    table = pd.read_parquet(out / "table.parquet")
    assert table["double"].tolist() == [0, 2, 4, 6, 8]
    assert table["is_forked"].all() or not sys.platform.startswith("linux")


def test_stopped_while_the_workers_start(notebook, tmp_path):
    # What is half made is finished first, and the workers are deaf to Ctrl-C from the beginning.
    pipes = {"stderr": subprocess.PIPE, "text": True}
    sweep = subprocess.Popen(sweep_command(notebook, tmp_path), start_new_session=True, **pipes)
    client = psutil.Process(sweep.pid)
    while not (family := client.children(recursive=True)):
        time.sleep(0.01)
    time.sleep(0.3)
    while sweep.poll() is None:
        os.killpg(sweep.pid, signal.SIGINT)
        time.sleep(0.1)
    assert sweep.communicate()[1].strip() == _cli.SWEEP_STOPPED
    assert sweep.returncode == _cli.STOPPED + signal.SIGINT
    assert not psutil.wait_procs(family, timeout=10)[1], "a process outlived the sweep"


def test_a_cluster_that_was_half_made_is_closed(monkeypatch, handlers):
    class Cluster:
        def __init__(self, **_):
            time.sleep(0.2)  # the client waits by now
            _thread.interrupt_main()
            time.sleep(0.2)
            self.whole = True

        def close(self):
            closed.append(self.whole)

    closed = []
    signal.signal(signal.SIGINT, signal.default_int_handler)
    monkeypatch.setattr("distributed.LocalCluster", Cluster)
    with pytest.raises(KeyboardInterrupt):
        _cluster._local_cluster(1, None)
    assert closed == [True]


@pytest.mark.parametrize(
    ("command", "said"), [("sweep", _cli.SWEEP_STOPPED), ("report", "stopped")]
)
def test_a_command_is_stopped_in_order_and_only_once(
    command, said, tmp_path, monkeypatch, capsys, handlers
):
    def stopped(_):
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)  # while what the first began is not finished
        raise KeyboardInterrupt(signal.SIGTERM)

    monkeypatch.setattr(_cli, f"_{command}", stopped)
    options = ["--out", str(tmp_path), *(["--grid", "seed=1"] if command == "sweep" else [])]
    assert _cli.main([command, "study.ipynb", *options]) == _cli.STOPPED + signal.SIGTERM == 143
    assert capsys.readouterr().err.strip() == said
    ignored = dict.fromkeys(handlers, signal.SIG_IGN)
    assert {number: signal.getsignal(number) for number in handlers} == ignored, "as it ends, too"


def test_handlers_are_put_back_where_nothing_was_stopped(handlers, capsys):
    assert _cli.main([]) == _cli.NOT_DONE
    assert {number: signal.getsignal(number) for number in handlers} == handlers


def test_who_stops_reading_stops_no_sweep(monkeypatch):
    # As in `afterfit sweep ... 2>&1 | head -1`, before the first run is done.
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        _cli._say("nobody reads this")
        _cli._say("nor this")


def test_progress_in_a_log_is_a_line_now_and_then(monkeypatch):
    said = []
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with _sweep._bar(4000, said.append) as bar:
        bar.add("failed")
        assert said == [], "it has just begun"
        bar._start = bar._said = time.monotonic() - 60
        bar.add("ok")
        bar.add("ok")
    assert said == ["2 of 4,000 runs, 1 failed, about 1999 min left"]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_is_shown_on_a_terminal_and_not_in_a_log(monkeypatch):
    for stream, shown in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr(sys, "stderr", stream)
        with _sweep._bar(4, print) as bar:
            bar.add("ok")
            bar.add("timeout")
        assert ("2 of 4 runs, 1 failed" in stream.getvalue()) == shown
        assert (stream.getvalue() != "") == shown


# --- what is done, and what is not: with workers in this process, and runs that cost nothing ---


@pytest.fixture(scope="module")
def client():
    from distributed import Client

    with Client(
        processes=False, n_workers=2, threads_per_worker=2, dashboard_address="127.0.0.1:0"
    ) as client:
        yield client


CALLS = []


def stand_in(notebook, contents, names, parameters, timeout, package):
    """What the workers call instead of papermill: what comes of it follows from `seed`."""
    CALLS.append(parameters)
    seed = parameters.get("seed", 0)
    if seed >= 100 and len(CALLS) < seed - 100:  # 103: only the third call goes well
        return _execute.Outcome("failed", 0.1, notebook, {"seed": seed}, error="ValueError: no")
    if seed == 99:
        return _execute.Outcome("failed", 0.1, notebook, error="ParameterError: no")
    if seed == 98:
        raise MemoryError("of the worker")
    return _execute.Outcome("ok", 0.1, notebook, {"double": 2 * seed, "size": len(contents)})


@pytest.fixture
def executed(monkeypatch):
    """The parameters of what was executed."""
    monkeypatch.setattr(_execute, "run_elsewhere", stand_in)
    CALLS.clear()
    return CALLS


def test_a_second_sweep_does_only_what_is_missing(client, executed, notebook, tmp_path):
    table = runs.sweep(notebook, {"seed": range(4)}, tmp_path, scheduler=client)
    assert sorted(call["seed"] for call in executed) == [0, 1, 2, 3]
    assert table["double"].tolist() == [0, 2, 4, 6]
    again = runs.sweep(notebook, {"seed": range(6)}, tmp_path, scheduler=client)
    assert sorted(call["seed"] for call in executed) == [0, 1, 2, 3, 4, 5]
    assert again["seed"].tolist() == [0, 1, 2, 3, 4, 5]
    before = (tmp_path / "table.csv").stat().st_mtime_ns
    runs.sweep(notebook, ["seed=0:6"], tmp_path, scheduler=client)
    assert len(executed) == 6
    assert (tmp_path / "table.csv").stat().st_mtime_ns == before, "nothing was to do"


def slower_first(notebook, contents, names, parameters, timeout, package):
    seed = parameters["seed"]
    time.sleep(0.05 * (4 - seed))
    CALLS.append(seed)
    return _execute.Outcome("ok", 0.1, notebook, {"half": seed / 2})


def test_the_table_does_not_depend_on_workers_or_order(
    client, executed, notebook, tmp_path, monkeypatch
):
    monkeypatch.setattr(_execute, "run_elsewhere", slower_first)
    table = runs.sweep(notebook, {"seed": range(4)}, tmp_path / "a", scheduler=client)
    assert executed != [0, 1, 2, 3], "four threads, the first run slowest"
    again = runs.sweep(notebook, {"seed": [3, 2, 1, 0]}, tmp_path / "b", scheduler=client)
    again = again.sort_values("seed", ignore_index=True)
    pd.testing.assert_frame_equal(table, again)


def test_what_a_crash_has_left_is_cleared_and_done_again(client, executed, notebook, tmp_path):
    table = runs.sweep(notebook, {"seed": [0, 1]}, tmp_path, scheduler=client)
    (tmp_path / "records/.x.part").write_text("half of a rec")
    (tmp_path / ".y.part").write_text("")
    (tmp_path / table["notebook"][1]).write_text("")  # a power cut: the name, without content
    runs.sweep(notebook, {"seed": [0, 1]}, tmp_path, scheduler=client)
    assert [call["seed"] for call in executed[2:]] == [1]
    assert not list(tmp_path.rglob("*.part"))


def test_tables_that_a_crash_left_behind_the_others_are_written_anew(
    client, executed, notebook, tmp_path
):
    runs.sweep(notebook, {"seed": [0, 1]}, tmp_path, scheduler=client)
    files = [tmp_path / "table.csv", tmp_path / "index.html"]
    written = [file.read_text() for file in files]
    for file in files:
        file.write_text("of an earlier sweep")
        time.sleep(0.02)
        (tmp_path / "table.parquet").touch()  # the first that is written was the last
        runs.sweep(notebook, {"seed": [0, 1]}, tmp_path, scheduler=client)
        assert [file.read_text() for file in files] == written
    assert len(executed) == 2


def test_a_file_that_changes_while_a_sweep_is_at_work_stops_it(
    client, executed, notebook, tmp_path, monkeypatch
):
    data = tmp_path / "a.csv"
    data.write_text("x\n1\n")
    planned = _sweep.plan(notebook, {"data": [str(data)]})
    data.write_text("x\n2\n")
    with pytest.raises(ValueError, match=r"the file '.*a.csv' has changed since the sweep began"):
        _sweep.carry_out(planned, tmp_path / "out", scheduler=client)
    assert not executed, "what was planned is not what would be run"


def test_a_run_depends_on_every_file_of_the_package(tmp_path, monkeypatch):
    assert Path(afterfit.__file__).parent == _execute.PACKAGE
    monkeypatch.setattr(_execute, "PACKAGE", tmp_path)
    digest = _execute.package_digest.__wrapped__
    seen = {digest()}
    for name, content in [("a.py", "1"), ("a.py", "2"), ("wing/b.py", "2"), ("data/c.csv", "2")]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
        seen.add(digest())
    assert len(seen) == 5


def test_done_is_decided_by_content(client, executed, tmp_path, monkeypatch):
    path = write_notebook(tmp_path / "n.ipynb", CODE)
    data = tmp_path / "a.csv"
    data.write_text("x\n1\n")

    def n_executed(grid):
        before = len(executed)
        runs.sweep(path, grid, tmp_path / "out", scheduler=client)
        return len(executed) - before

    grid = {"seed": [0], "data": [str(data)]}
    assert n_executed(grid) == 1
    assert n_executed(grid) == 0
    assert n_executed({"data": [data], "level": 0.5}) == 0, "a path, and the defaults"
    data.touch()
    assert n_executed(grid) == 0
    data.write_text("x\n2\n")
    assert n_executed(grid) == 1, "other data"
    write_notebook(path, CODE)
    assert n_executed(grid) == 0, "the same cells under new ids"
    write_notebook(path, CODE + "\n1\n")
    assert n_executed(grid) == 1, "another notebook"
    monkeypatch.setattr(_execute, "package_digest", lambda: "another version")
    assert n_executed(grid) == 1, "another package"
    kept = next(iter((tmp_path / "out/records").iterdir()))
    for record in (tmp_path / "out/records").iterdir():
        record.write_bytes(kept.read_bytes()[:50])
    assert n_executed(grid) == 1, "records that are not whole"


def test_duplicates_are_run_once(client, executed, notebook, tmp_path, capsys):
    grid = [{"seed": 1}, {"seed": 2}, {"seed": 1, "level": 0.5}, {"seed": np.int64(2)}]
    grid += [{"seed": 3, "level": 1}, {"seed": 3, "level": 1.0}]
    table = runs.sweep(notebook, grid, tmp_path, scheduler=client)
    assert sorted(call["seed"] for call in executed) == [1, 2, 3]
    assert table["seed"].tolist() == [1, 2, 3]


def test_failures_are_retried_but_not_refusals(client, executed, notebook, tmp_path):
    table = runs.sweep(notebook, {"seed": [103]}, tmp_path / "a", scheduler=client, retries=2)
    assert table["status"].tolist() == ["ok"]
    executed.clear()
    table = runs.sweep(notebook, {"seed": [200]}, tmp_path / "b", scheduler=client, retries=2)
    assert (len(executed), table["status"].tolist()) == (3, ["failed"])
    executed.clear()
    runs.sweep(notebook, {"seed": [99]}, tmp_path / "c", scheduler=client, retries=2)
    assert len(executed) == 1, "a chapter that refuses its parameters refuses them again"
    executed.clear()
    table = runs.sweep(notebook, {"seed": [98, 1]}, tmp_path / "d", scheduler=client)
    assert table["error"].tolist() == ["MemoryError: of the worker", ""]
    table = runs.sweep(notebook, {"seed": [98, 1]}, tmp_path / "d", scheduler=client)
    assert len(executed) == 3, "what failed is tried again, what went well is not"


def test_exit_code_and_failures_come_last(client, executed, notebook, tmp_path, capsys):
    address = client.scheduler.address
    command = ["sweep", str(notebook), "--out", str(tmp_path), "--scheduler", address, "--grid"]
    assert _cli.main([*command, "seed=1,2"]) == _cli.OK
    assert _cli.main([*command, "seed=1,99,2"]) == _cli.RUNS_FAILED
    said = capsys.readouterr().err.strip().splitlines()
    assert said[-2].startswith("2 of 3 runs done")
    kept = next(tmp_path.glob("notebooks/*"))
    assert said[-1].startswith(f"failed: seed=99: ParameterError: no ({kept.parent}/")
    assert _cli.main([*command, "seed=1,5", "--dry-run"]) == _cli.OK
    assert capsys.readouterr().out == "seed=1  (done)\nseed=5\n2 runs, 1 of them done\n"


@pytest.mark.parametrize(("number", "words"), [(28, "No space left"), (30, "Read-only")])
def test_a_disk_that_takes_no_more(
    client, executed, notebook, tmp_path, monkeypatch, capsys, number, words
):
    runs.sweep(notebook, {"seed": [0, 1]}, tmp_path, scheduler=client)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(_folder.os, "replace", refuse)
    with pytest.raises(OSError, match=f"cannot write into .*{words}.* stays readable"):
        runs.sweep(notebook, {"seed": range(9)}, tmp_path, scheduler=client)
    monkeypatch.undo()
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert after == before, "what was done is as it was, and nothing else was left"


def test_a_folder_that_cannot_be_made(notebook, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    command = ["sweep", str(notebook), "--out", str(tmp_path / "file/x"), "--grid", "seed=1"]
    assert _cli.main(command) == _cli.NOT_DONE
    assert "cannot write into" in capsys.readouterr().err


def test_a_worker_with_another_package_is_refused(client, notebook, tmp_path, monkeypatch):
    monkeypatch.setattr(client, "run", lambda function, on_error: {"tcp://far": "0.0.1+abc"})
    with pytest.raises(ConnectionError, match=r"1 of 1 workers have another afterfit \(tcp://far"):
        runs.sweep(notebook, {"seed": [1]}, tmp_path, scheduler=client)
    lacking = ModuleNotFoundError("No module named 'afterfit'")
    monkeypatch.setattr(client, "run", lambda function, on_error: {"tcp://far": lacking})
    with pytest.raises(ConnectionError, match=r"tcp://far has No module named 'afterfit'"):
        runs.sweep(notebook, {"seed": [1]}, tmp_path, scheduler=client)
    outcome = _execute.run_elsewhere(b"{}", [], [], {}, None, "0.0.1+abc")
    assert "install the same on all machines" in outcome.error


def test_a_scheduler_that_is_not_there(notebook, tmp_path, monkeypatch):
    monkeypatch.setattr(_cluster, "PATIENCE", 2)
    with pytest.raises(ConnectionError, match=r"no scheduler answers at 'tcp://127\.0\.0\.1:9'"):
        runs.sweep(notebook, {"seed": [1]}, tmp_path, scheduler="tcp://127.0.0.1:9")


def test_a_scheduler_that_is_lost():
    with pytest.raises(ConnectionError, match="the scheduler is gone; what is done is kept"):
        _sweep._outcome(SimpleNamespace(status="cancelled"), None)


# --- grids ---


@pytest.fixture(scope="module")
def known(notebook):
    return _declared.declared(_declared.read(notebook))


def test_parameters_are_read_from_the_notebook(known):
    assert {name: (p.annotation, p.default) for name, p in known.items()} == {
        "mode": ("str", "fine"),
        "seed": ("int", 0),
        "level": ("float", 0.5),
        "names": ("list[str]", ["a"]),
        "data": ("str", ""),
        "folder": ("str", ""),
    }


def test_what_is_no_file_of_the_readers_does_not_travel(notebook, known):
    planned = _sweep.plan(notebook, {"data": ["zoo", "s3://bucket/a.csv"]})
    assert [job.files for job in planned.jobs] == [(), ()]
    is_file = {"data": True, "my_file": True, "metadata": False, "path_length": False}
    for name, expected in is_file.items():
        assert _declared.Parameter(name, "str", "").is_file == expected


def test_a_run_depends_on_tags_and_on_the_kernel(notebook):
    content = _declared.read(notebook)
    before = _declared.digest(content)
    content["cells"][1]["metadata"]["tags"] = ["parameters"]
    tagged = _declared.digest(content)
    content["metadata"]["kernelspec"]["name"] = "ir"
    assert len({before, tagged, _declared.digest(content)}) == 3


def test_parameters_of_a_notebook_of_ones_own(tmp_path):
    lines = """%matplotlib inline
from typing import Optional
a: float | None = 0.5
b: "Optional[list[str]]" = None
c: dict = {"x": 1}
d = 3
e = None
f = False
"""
    path = write_notebook(tmp_path / "own.ipynb", "1", parameters=lines)
    own = _declared.declared(_declared.read(path))
    texts = ["a=1,null", "b=[x]", "c={x: 2}", "d=4", "e=[1, 2]", "f=true"]
    expected = {"b": ["x"], "c": {"x": 2}, "d": 4, "e": [1, 2], "f": True}
    assert _grid.rows_of(texts, own) == [{"a": 1.0, **expected}, {"a": None, **expected}]
    with pytest.raises(runs.ParameterError, match=r"`a` must be Optional\[float\], got 'x'"):
        _grid.rows_of(["a=x"], own)
    assert _grid.rows_of(["f=False,True"], own) == [{"f": False}, {"f": True}]
    with pytest.raises(runs.ParameterError, match="`f` must be bool, got '1'"):
        _grid.rows_of(["f=1"], own)


@pytest.mark.parametrize(
    ("texts", "rows"),
    [
        (["seed=0:3"], [{"seed": 0}, {"seed": 1}, {"seed": 2}]),
        (["seed=5,1:7:3"], [{"seed": 5}, {"seed": 1}, {"seed": 4}]),
        (["seed=3:0:-2"], [{"seed": 3}, {"seed": 1}]),
        (["level=0:0.3:0.1"], [{"level": 0.0}, {"level": 0.1}, {"level": 0.2}]),
        (
            ["seed=1,2", "mode=x,007"],
            [
                {"seed": 1, "mode": "x"},
                {"seed": 1, "mode": "007"},
                {"seed": 2, "mode": "x"},
                {"seed": 2, "mode": "007"},
            ],
        ),
        (["names=[a,b],[c],[]"], [{"names": ["a", "b"]}, {"names": ["c"]}, {"names": []}]),
        (['mode="a,b",C:\\x'], [{"mode": "a,b"}, {"mode": "C:\\x"}]),
        (['names=["a,b", c]'], [{"names": ["a,b", "c"]}]),
        (["mode="], [{"mode": ""}]),
        (["level=1"], [{"level": 1.0}]),
    ],
)
def test_texts_of_a_grid(known, texts, rows):
    assert _grid.rows_of(texts, known) == rows


def test_a_pattern_stands_for_files(known, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("b.csv", "a.csv", "c.txt", "[x].csv"):
        (tmp_path / name).write_text("x\n1\n")
    expected = [{"data": name} for name in ("[x].csv", "a.csv", "b.csv")]
    (tmp_path / "g.json").write_text('{"data": ["*.csv"]}')
    for grid in (["data=*.csv"], {"data": "*.csv"}, "g.json"):
        assert _grid.rows_of(grid, known) == expected
    assert _grid.rows_of(["data=[x].csv"], known) == expected[:1], "there is a file of that name"
    assert _grid.rows_of(["mode=*.csv"], known) == [{"mode": "*.csv"}], "no file at all"
    with pytest.raises(FileNotFoundError, match=r"`data` must be files .* none is like '\*.xyz'"):
        _grid.rows_of(["data=*.xyz"], known)


COLUMNS = (
    'data: str = "penguins"\nx_column: str = "year"\ny_columns: list[str] = []\nrows: str = ""\n'
)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"x_column": "hight"}, "`x_column` names the column 'hight', which .*m.csv' does not ha"),
        ({"x_column": "heigth"}, "Nearest: 'height'."),
        ({"y_columns": ["height", "no"]}, "`y_columns` names the column 'no'"),
        ({"rows": "some/out.csv"}, "`rows` must be in a folder that is there"),
        ({"rows": "/tmp/out.csv"}, "`rows` must be a name without a folder in a sweep"),
        ({"rows": "out.xlsx"}, "`rows` must be empty or a file whose name ends in .csv"),
    ],
)
def test_columns_are_checked_before_the_start(tmp_path, row, message):
    path = write_notebook(tmp_path / "n.ipynb", "1", parameters=COLUMNS)
    (tmp_path / "m.csv").write_text("height;weight\n1,5;2\n2,5;3\n")
    data = {"data": str(tmp_path / "m.csv")}
    assert len(_sweep.plan(path, [data, {**data, "x_column": "height"}]).jobs) == 2
    with pytest.raises(runs.ParameterError, match=message):
        _sweep.plan(path, [{**data, **row}])


ROWS = [{"seed": 1, "mode": "no"}, {"seed": 20, "mode": "007"}]


@pytest.mark.parametrize(
    ("name", "content", "rows"),
    [
        ("g.csv", "seed,mode\n1,no\n20,007\n", ROWS),
        ("g.csv", "\ufeffseed,level\n1,\n2,0.5", [{"seed": 1}, {"seed": 2, "level": 0.5}]),
        ("g.csv", 'seed,mode\n1,"a\nb\u2028"\n', [{"seed": 1, "mode": "a\nb\u2028"}]),
        ("g.json", json.dumps(ROWS), ROWS),
        ("g.yaml", "- seed: 1\n  mode: no\n- {seed: 20, mode: 007}\n", ROWS),
        (
            "g.yml",
            "seed: 1:3\nmode: [no]\n",
            [{"seed": 1, "mode": "no"}, {"seed": 2, "mode": "no"}],
        ),
        ("g.json", '{"seed": [1, "4:6"]}', [{"seed": 1}, {"seed": 4}, {"seed": 5}]),
        ("g.yaml", "names: [[a, b], [c]]", [{"names": ["a", "b"]}, {"names": ["c"]}]),
    ],
)
def test_files_of_a_grid(known, tmp_path, name, content, rows):
    (tmp_path / name).write_text(content)
    assert _grid.rows_of(str(tmp_path / name), known) == rows
    crossed = _grid.rows_of([str(tmp_path / name), "folder=x,y"], known)
    assert len(crossed) == 2 * len(rows)


def test_a_data_frame_is_a_grid(known):
    frame = pd.DataFrame({"seed": [1, 2], "mode": ["a", None]})
    assert _grid.rows_of(frame, known) == [{"seed": 1, "mode": "a"}, {"seed": 2}]


def test_lists_of_numpys_scalars_are_lists(known):
    (row,) = _grid.rows_of({"names": [list(np.array(["a", "b"]))]}, known)
    assert repr(row) == "{'names': ['a', 'b']}"


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({"sead": [1]}, "`sead` is not a parameter of this chapter. Nearest: seed."),
        (["sead=1"], "`sead` is not a parameter"),
        ({"seed": ["1"]}, "`seed` must be int, got '1'"),
        ({"seed": [True]}, "`seed` must be int, got True"),
        (["seed=1.5"], "`seed` must be int, got '1.5'"),
        (["level=high"], "`level` must be float, got 'high'"),
        (
            {"names": ["a", "b"]},
            r"`names` must be list\[str\], got 'a'. One run takes a whole list",
        ),
        (["names=a"], r"`names` must be list\[str\], got 'a'"),
        ({"seed": []}, "`seed` must have at least one value"),
        (["seed=1", "seed=2"], "`seed` is given twice"),
        (["seed=3:1"], "`seed` has the range '3:1'"),
        (["seed=3:3"], "`seed` has the range '3:3'"),
        (["seed=0:3:0"], "`seed` has the range '0:3:0'"),
        (["seed=0:9:3:1"], "`seed` has the range '0:9:3:1'"),
        (["level=0:inf"], "`level` has the range '0:inf'"),
        (['mode=5" pipe'], "'5\" pipe' has a bracket or a double quote without its partner"),
        (["mode=[a,b"], r"'\[a,b' has a bracket or"),
        (["mode=a],b"], "'a],b' has a bracket or"),
        (pd.DataFrame([[1, 2]], columns=["seed", "seed"]), "`seed` is given twice"),
        (["seed=0:9999999"], "at most 1,000,000 runs, got 9,999,999"),
        (["seed=0:2000", "level=0:2000"], "at most 1,000,000 runs, got 4,000,000"),
        (["seed"], "'seed' is no parameter: write name=value"),
        ({"data": ["none.csv"]}, "there is no file 'none.csv'"),
        (["none.yaml"], "`grid` names the file 'none.yaml', which does not exist"),
        (3, "`grid` must be a mapping"),
        ([1, 2], "`grid` must hold mappings only or texts only"),
        ([], "`grid` must have at least one run, got none"),
        (pd.DataFrame({"seed": []}), "`grid` must have at least one run, got none"),
    ],
)
def test_wrong_grids_are_named_and_nothing_is_run(notebook, tmp_path, grid, message):
    with pytest.raises((ValueError, TypeError, FileNotFoundError), match=message):
        runs.sweep(notebook, grid, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("g.yaml", "a: [1"),
        ("g.json", "{"),
        ("g.csv", "a,b\n1\n"),
        ("g.csv", 'seed\n"1\n'),
        ("g.yaml", "3"),
        ("g.csv", "seed,seed\n1,2\n"),
        ("g.json", '{"seed": 1, "seed": 2}'),
        ("g.yaml", "seed: 1\nseed: 2"),
    ],
)
def test_files_that_are_no_grid(known, tmp_path, name, content):
    (tmp_path / name).write_text(content)
    with pytest.raises(runs.ParameterError, match=r"`grid` (cannot be read|must hold)"):
        _grid.rows_of(str(tmp_path / name), known)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ("seed: int = 0 +", "got the line 'seed: int = 0 .' in the cell tagged `parameters`"),
        ("", "`seed` is not a parameter of this chapter. No cell of it is tagged parameters."),
    ],
)
def test_notebooks_whose_parameters_cannot_be_read(tmp_path, parameters, message):
    path = write_notebook(tmp_path / "own.ipynb", "1", parameters=parameters)
    with pytest.raises(runs.ParameterError, match=message):
        runs.sweep(path, {"seed": [1]}, tmp_path / "out")


def test_addresses_are_papermills_business(tmp_path, monkeypatch):
    from papermill import iorw

    class Handler:
        def read(self, path):
            content = write_notebook(tmp_path / "own.ipynb", CODE).read_text()
            return {"s3://bucket/own.ipynb": content}[path]

    monkeypatch.setattr(iorw.papermill_io, "_handlers", [("s3://", Handler())])
    content = _declared.read("s3://bucket/own.ipynb")
    assert _declared.declared(content)["level"].default == 0.5
    with pytest.raises(ValueError, match=r"papermill can read, got 's3://no.ipynb' \(KeyError"):
        runs.sweep("s3://no.ipynb", {"seed": [1]}, tmp_path / "out")


@pytest.mark.parametrize("out", ["s3://bucket/runs", "study.ipynb"])
def test_the_folder_must_be_one_of_this_machine(notebook, out):
    out = out if "://" in out else notebook
    with pytest.raises(ValueError, match="`out_dir` must be a folder of this machine, got"):
        runs.sweep(notebook, {"seed": [1]}, out)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"retries": -1}, "`retries` must be at least 0"),
        ({"n_workers": 0}, "`n_workers` must be at least 1"),
        ({"timeout": 0}, "`timeout` must lie in"),
    ],
)
def test_wrong_options_are_named(notebook, tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        runs.sweep(notebook, {"seed": [1]}, tmp_path / "out", **options)


def test_a_dry_run_lists_the_runs_and_runs_nothing(notebook, tmp_path, capsys):
    command = ["sweep", str(notebook), "--out", str(tmp_path / "out"), "--dry-run"]
    assert _cli.main([*command, "--grid", "seed=0:2,1", "mode=a"]) == _cli.OK
    said = capsys.readouterr()
    assert said.out == "seed=0 mode=a\nseed=1 mode=a\n2 runs\n"
    assert said.err == "given more than once, run once: 1 of the grid's rows\n"
    assert not (tmp_path / "out").exists()


# --- tables and pages of hostile things ---

HOSTILE = [
    "<script>alert(1)</script>",
    "=HYPERLINK(1)",
    "$\\bad$",
    '"><img src=x onerror=alert(2)>',
]


def test_nothing_of_the_readers_is_alive_in_tables_and_pages(
    client, notebook, tmp_path, monkeypatch
):
    def stand_in(notebook, contents, names, parameters, timeout, package):
        mode = parameters["mode"]
        records = {mode: parameters["seed"] / 3, "text": mode, "list": [mode], "seed": 7}
        status = "failed" if mode.startswith("=") else "ok"
        return _execute.Outcome(status, 0.1, notebook, records, error=f"ValueError: {mode}")

    monkeypatch.setattr(_execute, "run_elsewhere", stand_in)
    grid = {"mode": HOSTILE, "seed": [0, 1]}
    table = runs.sweep(notebook, grid, tmp_path / "<i>out", scheduler=client)
    assert table["seed (recorded)"].tolist() == [7] * 8
    assert pd.read_parquet(tmp_path / "<i>out/table.parquet")["mode"].tolist()[2] == HOSTILE[1]
    cells = pd.read_csv(tmp_path / "<i>out/table.csv")
    assert cells["mode"].tolist()[2] == "'=HYPERLINK(1)", "a spreadsheet would run it"
    assert "'=HYPERLINK(1)" in cells.columns
    page = BeautifulSoup((tmp_path / "<i>out/index.html").read_text(), "html.parser")
    assert not page.find_all("i")
    assert [script.get_text() for script in page("script")] == [_index.SCRIPT], "and it is ours"
    assert all(image["src"].startswith("data:image/svg+xml;base64,") for image in page("img"))
    assert len(page("img")) == 4, "of records that vary: the other is 7 in all runs"
    assert all(image["alt"] for image in page("img"))
    assert HOSTILE[0] in page.get_text()
    for tag in page.find_all(True):
        assert not [name for name in tag.attrs if name.startswith("on")]
    assert len(page.find("tbody")("tr")) == 8
    assert len(page("tr", class_="failed")) == 2


def test_numbers_keep_their_kinds_in_the_table():
    rows = [{"seed": 1}, {"seed": 2}, {"seed": 3}]
    records = [
        {"big": 2**70, "flag": True, "mixed": 1, "x": {"$float": "nan"}, "none": None},
        {"big": 1, "flag": False, "mixed": "a", "x": 1.5, "none": None},
    ]
    kept = [
        {"records": r, "status": "ok", "seconds": 1, "error": "", "notebook": ""} for r in records
    ]
    table = _folder.table_of(rows, [*kept, None])
    assert table["status"].tolist() == ["ok", "ok", "missing"]
    assert table["big"].tolist()[:2] == [float(2**70), 1.0]
    assert table["flag"].tolist()[:2] == [True, False]
    assert table["mixed"].tolist()[:2] == ["1", "a"]
    assert np.isnan(table["x"][0])
    assert table["x"][1] == 1.5
    assert table["none"].isna().all()


def test_what_varies_stands_first_in_the_table():
    records = [
        {"text": "x", "rows": {"$list": []}, "book": 0.5, "list": [seed], "found": seed}
        for seed in range(3)
    ]
    kept = [
        {"records": r, "status": "ok", "seconds": 1, "error": "", "notebook": "n"} for r in records
    ]
    rows = [{"seed": seed, "n": 100} for seed in range(3)]
    parameters, how = ["seed", "n"], ["status", "error"]
    constants = ["book", "text", "rows"]
    expected = [*parameters, *how, "found", "list", *constants, "seconds", "notebook"]
    assert list(_folder.table_of(rows, kept)) == expected
    one = list(_folder.table_of(rows[:1], kept[:1]))
    assert one[4:6] == ["book", "found"], "of one run nothing is known to vary"


@pytest.mark.browser
def test_the_index_page_is_sorted_and_filtered(browser, tmp_path):
    table = pd.DataFrame(
        {"seed": [1, 10, 9], "status": ["ok", "failed", "ok"], "found": [2e-9, np.nan, 1 / 3]}
    )
    for name in ("error", "notebook"):
        table[name] = ""
    (tmp_path / "index.html").write_text(_index.page(table, ["seed"], "study"))
    shown = browser.new_page()
    complaints = []
    shown.on("console", lambda m: m.type == "error" and complaints.append(m.text))
    shown.goto((tmp_path / "index.html").as_uri())

    def first_column():
        return shown.locator("tbody tr:visible td:first-child").all_inner_texts()

    shown.get_by_role("button", name="seed").click()
    assert first_column() == ["1", "9", "10"], "as numbers"
    shown.get_by_role("button", name="seed").click()
    assert first_column() == ["10", "9", "1"]
    shown.get_by_role("button", name="found").focus()
    shown.keyboard.press("Enter")
    assert first_column() == ["1", "9", "10"], "what is missing comes last"
    assert shown.locator("th[aria-sort=ascending]").inner_text().startswith("found")
    shown.get_by_label("Rows that hold").fill("FAILED")
    assert first_column() == ["10"]
    assert shown.locator("output").inner_text() == "1 of 3"
    assert complaints == []
    shown.close()


def test_what_fits_in_no_file_does_not_stop_a_sweep(tmp_path):
    # An integer beyond the floats, half a character (of a file name that is no text), and numbers
    # between which matplotlib finds no ticks.
    records = [{"x": 10**400, "half": "\ud800", "y": 1e308}, {"x": 1, "half": "a", "y": -1e308}]
    kept = [
        {"records": r, "status": "ok", "seconds": 1, "error": "", "notebook": ""} for r in records
    ]
    table = _folder.table_of([{"level": 1e308}, {"level": -1e308}], kept)
    assert table["x"].tolist() == [str(10**400), "1"]
    assert table["half"].tolist() == ["\\ud800", "a"]
    _folder.SweepFolder(tmp_path).write_tables(table)
    assert pd.read_parquet(tmp_path / "table.parquet").equals(table)
    assert "<img" in _index.page(table, ["level"], "study")


def test_parameters_with_names_of_the_tables_own_columns():
    run = {"records": {"x": 1}, "status": "ok", "seconds": 0.5, "error": "", "notebook": ""}
    rows = [{"seed": 3, "error": 0.1}]
    table = _folder.table_of(rows, [run])
    assert table[["error (parameter)", "error"]].values.tolist() == [[0.1, ""]]
    assert list(_folder.parameter_columns(rows).values()) == ["seed", "error (parameter)"]


def test_the_command_has_an_entry_point_and_says_its_version(capsys):
    import tomllib

    import afterfit

    pyproject = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert pyproject["project"]["scripts"] == {"afterfit": "afterfit.runs._cli:main"}
    with pytest.raises(SystemExit, match="0"):
        _cli.main(["--version"])
    assert capsys.readouterr().out.strip() == f"afterfit {afterfit.__version__}"


def test_a_missing_file_is_named_with_the_nearest_one(tmp_path):
    (tmp_path / "birds.csv").write_text("a\n1\n")
    parameter = _declared.Parameter("data", "str", "")
    with pytest.raises(FileNotFoundError, match=r"no file .*Nearest: .*birds\.csv"):
        _declared.local_file(parameter, str(tmp_path / "bird.csv"))
