"""Measure the engine of a built book in headless Chromium: bytes, times, memory.

    python book/live/measure.py _build/html [STEM ...] [--rounds 3] [--save]

For each chapter a browser of its own, round by round: from the click to what the chapter shows
first, the same again in the page, processor time of the page's process, and the most memory that
it held (Linux). The least of the rounds is taken: other work on the machine only adds to it, and
its load is noted. With --save all goes to the page of benchmarks.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import browser
from playwright.sync_api import sync_playwright

sys.path[:0] = [str(browser.ROOT / "benchmarks"), str(browser.ROOT / "book/_ext")]

from _harness import Report  # noqa: E402
from afterfit_book.live_form import FIRST  # noqa: E402

STEMS = sorted(path.stem for path in (browser.ROOT / "notebooks").glob("*.md"))
# What is measured of a chapter on the table with which its form begins; the goal for 1,500 rows.
MEASURED = {
    "seconds from the click to the first output": "3",
    "seconds of processor time until all is shown": "",
    "seconds to the first output, again in the page": "",
    "seconds until all is shown, again in the page": "0.5",
    "most memory of the page, in MiB": "500",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("site", type=Path)
    parser.add_argument("stems", nargs="*", default=STEMS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--save", action="store_true")
    arguments = parser.parse_args()
    rows: dict[str, list[list[float]]] = defaultdict(list)
    with browser.serve(arguments.site) as address, sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        for _ in range(arguments.rounds):
            for stem in arguments.stems:
                chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
                page = browser.open_engine(chromium, address)
                rows[stem].append(measure(chromium, page, stem))
                transferred, versions = page.evaluate(
                    "[afterfitEngine.bytes, afterfitEngine.versions]"
                )
                versions["Chromium"] = chromium.version
                chromium.close()
    report = Report("live")
    report.note("megabytes that are transferred, once", goal="26", all=transferred / 1e6)
    for place, (what, goal) in enumerate(MEASURED.items()):
        least = {stem: min(row[place] for row in found) for stem, found in rows.items()}
        report.note(what, goal=goal, **least)
    if arguments.save:
        report.save(
            title="Python in the page",
            machine=f"one machine with {os.cpu_count()} cores, {platform.machine()}, whose load by "
            f"this and other work was {os.getloadavg()[2]:.1f}",
            python=versions.pop("python"),
            versions=versions,
        )


def measure(chromium: Any, page: Any, stem: str) -> list[float]:
    """Return what `MEASURED` names, of one chapter in a fresh browser."""
    session = chromium.new_browser_cdp_session()
    cells = browser.cells_of(stem, part="data", rows="rows.csv", **FIRST.get(stem, {}))
    before = processor_time(session)
    runs = [page.evaluate(browser.RUN, cells)]
    after = processor_time(session)
    runs.append(page.evaluate(browser.RUN, cells))
    pid = max(after, key=lambda one: after[one] - before.get(one, 0.0))
    first, again = (next(one["at"] for one in run["shown"] if one.get("data")) for run in runs)
    status = Path(f"/proc/{pid}/status").read_text()
    return [
        first / 1000,
        after[pid] - before.get(pid, 0.0),
        again / 1000,
        runs[1]["all"] / 1000,
        int(status.split("VmHWM:")[1].split()[0]) / 1024,
    ]


def processor_time(session: Any) -> dict[int, float]:
    """Return the processor time of each process that shows a page, by its number."""
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    return {one["id"]: one["cpuTime"] for one in processes if one["type"] == "renderer"}


if __name__ == "__main__":
    main()
