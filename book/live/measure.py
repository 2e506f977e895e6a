"""Measure the engine of a built book in headless Chromium: bytes, times, memory.

    python book/live/measure.py _build/html [STEM ...]

For each chapter a browser of its own: from the click to what the chapter shows first, the same
again in the page, processor time of the page's process, and the most memory that it held (Linux).
"""

from __future__ import annotations

import argparse
import shutil
import time
from pathlib import Path
from typing import Any

import browser
from playwright.sync_api import sync_playwright

STEMS = sorted(path.stem for path in (browser.ROOT / "notebooks").glob("*.md"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("site", type=Path)
    parser.add_argument("stems", nargs="*", default=STEMS)
    arguments = parser.parse_args()
    with browser.serve(arguments.site) as address, sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        for stem in arguments.stems:
            chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            measure(chromium, address, stem)
            chromium.close()


def measure(chromium: Any, address: str, stem: str) -> None:
    page = browser.open_engine(chromium, address)
    session = chromium.new_browser_cdp_session()
    cells = browser.cells_of(stem, part="data", rows="rows.csv")
    said = [f"{stem:12}{page.evaluate('afterfitEngine.bytes') / 1e6:6.2f} MB"]
    for when in ("first run", "again"):
        before, start = processor_time(session), time.perf_counter()
        found = page.evaluate(browser.RUN, cells)
        seconds = time.perf_counter() - start
        after = processor_time(session)
        pid = max(after, key=lambda one: after[one] - before.get(one, 0.0))
        first = next(one["at"] for one in found["shown"] if one.get("data")) / 1000
        used = after[pid] - before.get(pid, 0.0)
        said.append(f"{when}: {first:.2f} s to the first output, {seconds:.2f} s, {used:.2f} CPU s")
    status = Path(f"/proc/{pid}/status").read_text()
    said.append(f"{int(status.split('VmHWM:')[1].split()[0]) / 1024:.0f} MiB")
    print("; ".join(said), flush=True)


def processor_time(session: Any) -> dict[int, float]:
    """Return the processor time of each process that shows a page, by its number."""
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    return {one["id"]: one["cpuTime"] for one in processes if one["type"] == "renderer"}


if __name__ == "__main__":
    main()
