"""Time and peak memory of ours and its peers, side by side in one run.

Every `bench_STEM.py` builds its data first, then calls `Report.compare` once for each case; the
rounds of ours and of the peers alternate, so that a slow moment of the machine meets both.
`python benchmarks/bench_STEM.py` prints the table and writes `benchmarks/results/STEM.json`.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import platform
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
LEAST_SECONDS = 0.02  # a shorter call is repeated: one alone mostly measures a cold cache
PACKAGES = ("numpy", "scipy", "pandas", "scikit-learn", "statsmodels", "kmodes")


class Report:
    """The cases of one stem; `save` writes them with the machine and the versions."""

    def __init__(self, stem: str) -> None:
        self.stem = stem
        self.cases: list[dict[str, object]] = []

    def compare(
        self,
        case: str,
        ours: Callable[[], object],
        peers: Mapping[str, Callable[[], object]],
        *,
        goal: str,
        rounds: int = 5,
        n: int | None = None,
        scale_peers: float = 1.0,
    ) -> dict[str, float]:
        """Measure `ours` and each of `peers`; return peer -> its seconds / seconds of ours.

        `goal` is what we hold ourselves to, or empty. `n` is the problem size: cases of the same
        name but for n are drawn as growth. `scale_peers` multiplies a peer's seconds, where it ran
        on a stated fraction of the work.
        """
        contenders = {"afterfit": ours, **peers}
        seconds: dict[str, list[float]] = {name: [] for name in contenders}
        for function in contenders.values():
            if rounds > 1:
                function()  # warm caches and lazy imports
        peaks: dict[str, float] = {}
        for _ in range(rounds):
            for name, function in contenders.items():
                factor = 1.0 if name == "afterfit" else scale_peers
                if rounds > 1 or sys.platform != "linux":
                    seconds[name].append(factor * _seconds(function))
                    continue
                # A long call is made once: on Linux its memory is read off without slowing it.
                once: list[float] = []
                peaks[name] = peak_megabytes(lambda f=function, s=once: s.append(_seconds(f)))
                seconds[name].append(factor * once[0])
        medians = {name: statistics.median(times) for name, times in seconds.items()}
        for name in contenders.keys() - peaks.keys():
            peaks[name] = peak_megabytes(contenders[name])
        ratios = {name: medians[name] / medians["afterfit"] for name in peers}
        self.cases.append(
            {
                "case": case,
                "goal": goal,
                "n": n,
                "seconds": medians,
                "peak_megabytes": peaks,
                "peer_over_ours": ratios,
            }
        )
        _print_case(case, goal, medians, peaks)
        return ratios

    def note(self, case: str, *, goal: str, **numbers: float) -> None:
        """Keep numbers that are no comparison of calls (an import time, an exponent)."""
        self.cases.append({"case": case, "goal": goal, "numbers": numbers})
        print(f"\n{case}{_said(goal)}")
        for name, number in numbers.items():
            print(f"  {name:<44}{number:>12.4g}")

    def save(self, **about: object) -> None:
        """Write the cases to `benchmarks/results/STEM.json`; `about` says more, or otherwise."""
        RESULTS.mkdir(exist_ok=True)
        document = {
            "stem": self.stem,
            "measured": datetime.now(UTC).strftime("%Y-%m-%d"),
            "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
            "python": platform.python_version(),
            "versions": {package: version(package) for package in PACKAGES},
            "cases": self.cases,
            **about,
        }
        path = RESULTS / f"{self.stem}.json"
        path.write_text(json.dumps(document, indent=1) + "\n")
        print(f"\nwritten: {path}")


def peak_megabytes(function: Callable[[], object]) -> float:
    """Return by how many megabytes (1e6 bytes) the process grew at most while `function` ran."""
    gc.collect()
    if sys.platform == "linux":
        # What was freed goes back to the system: memory used again would not show as growth.
        ctypes.CDLL(None).malloc_trim(0)
    reset = Path("/proc/self/clear_refs")
    if sys.platform == "linux" and os.access(reset, os.W_OK):
        reset.write_text("5")  # the high-water mark starts again from here (proc(5))
        before = _status_kilobytes("VmRSS")
        function()
        return max(0.0, (_status_kilobytes("VmHWM") - before) * 1024 / 1e6)
    tracemalloc.start()
    function()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def _seconds(function: Callable[[], object]) -> float:
    """Return the seconds of a call: the median of as many as `LEAST_SECONDS` hold, or of one."""
    gc.collect()
    calls: list[float] = []
    while sum(calls) < LEAST_SECONDS:
        start = time.perf_counter()
        function()
        calls.append(time.perf_counter() - start)
    return statistics.median(calls)


def _status_kilobytes(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    raise KeyError(field)


def _said(goal: str) -> str:
    return f"  (goal: {goal})" if goal else ""


def _print_case(
    case: str, goal: str, medians: Mapping[str, float], peaks: Mapping[str, float]
) -> None:
    print(f"\n{case}{_said(goal)}")
    for name, seconds in medians.items():
        ratio = seconds / medians["afterfit"]
        print(f"  {name:<44}{seconds:>12.4g} s {ratio:>10.2f} x {peaks[name]:>10.1f} MB")
