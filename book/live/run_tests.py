"""Run the package's own tests in the Python of the page: `make test-wasm`.

    python book/live/run_tests.py _build/live/fetched _build/live/tests [tests/cca ...]

Every test that can run there runs, in headless Chromium; what cannot stands with its reason in
`not-in-wasm.toml`, and nothing else is left out.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import shutil
import sys
import tomllib
import zipfile
from collections import Counter
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import browser
import build
from playwright.sync_api import Error, sync_playwright

ROOT = Path(__file__).parents[2]

# What tests need beyond the book: Python alone, of this environment. Hypothesis has a compiled part
# of late; an older one, fetched by its hash, is Python alone.
TEST_PACKAGES = (
    "pytest",
    "pluggy",
    "iniconfig",
    "pygments",
    "sortedcontainers",
    "array_api_strict",
)
HYPOTHESIS = "hypothesis-6.131.0-py3-none-any.whl"
TOLD = "TOLD "
# Of the wheel's library: what the published one leaves out.
OF_LIBRARY = (
    "attr/",
    "attrs/",
    "pdb.pyc",
    "_pyrepl/",
    "bs4/",
    "soupsieve/",
    "yaml/",
    "formulaic/",
    "interface_meta/",
)
FOLDERS = ("src", "tests", "notebooks")
FILES = (
    "pyproject.toml",
    "benchmarks/results/gamma_glm_coverage.csv",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fetched", type=Path)
    parser.add_argument("site", type=Path)
    parser.add_argument("paths", nargs="*", default=["src", "tests"])
    arguments = parser.parse_args()
    left_out = tomllib.loads((build.HERE / "not-in-wasm.toml").read_text(encoding="utf-8"))
    make_site(arguments.fetched, arguments.site)
    counts: Counter[str] = Counter()
    with browser.serve(arguments.site) as address, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = None
        for file in files_of_tests(arguments.paths):
            reasons = left_out["files"]
            reason = next((reasons[p] for p in reasons if fnmatch.fnmatch(file, p)), None)
            if reason:
                print(f"{file}: left out: {reason}")
                continue
            page = page or browser.open_engine(chromium, address)
            if not told(page, file, left_out, counts):
                page = None  # what stopped Python inside leaves it in no known state
    print(said(counts))
    return min(counts["failed"], 1)


def files_of_tests(paths: list[str]) -> list[str]:
    found = []
    for path in map(Path, paths):
        pattern = "*.py" if path.parts[0] == "src" else "test_*.py"
        files = [path] if path.suffix else sorted((ROOT / path).rglob(pattern))
        found += [file.resolve().relative_to(ROOT).as_posix() for file in files]
    return [file for file in found if ">>>" in (ROOT / file).read_text() or "/test_" in file]


def told(page: Any, file: str, left_out: dict[str, Any], counts: Counter[str]) -> bool:
    """Run one file; print what did not pass, count all; return whether Python is still sound."""
    deselected = [name for name in left_out["tests"] if name.startswith(f"{file}::")]
    source = f"import in_wasm\nin_wasm.run({file!r}, {list(left_out['absent'])!r}, {deselected!r})"
    try:
        found = page.evaluate(browser.RUN, [{"source": source, "tags": ["setup"]}])
    except Error as error:
        found = {"error": str(error), "shown": []}
    text = "".join(one.get("text") or "" for one in found["shown"])
    tests = [json.loads(line.split(TOLD, 1)[1]) for line in text.splitlines() if TOLD in line]
    for name, when, outcome, why in tests:
        if outcome != "passed":
            print(f"{outcome}: {name} ({when})\n{why}")
    mine = Counter(outcome for _, _, outcome, _ in tests)
    if found["error"] or not tests:
        mine["failed"] += 1
        print(f"failed: {file}\n{found['error']}\n{text[-3000:]}")
    counts.update(mine)
    print(f"{file}: {said(mine)}", flush=True)
    return not found["error"]


def said(counts: Counter[str]) -> str:
    return ", ".join(f"{n} {outcome}" for outcome, n in sorted(counts.items()))


def make_site(fetched: Path, site: Path) -> None:
    """Write what the page loads, as it is published, with the tests and what they need."""
    wheel = zipfile.ZipFile(fetched / build.WHEEL)
    parts = build.contents(wheel)
    parts["book.pack"] = build.pack([*build.book_files(), *house(fetched)])
    store = fetched / "compressed"
    level = {"book.pack": 1}
    decoder = build.decoder_files(fetched / build.DECODER)
    zipped = {
        name: build.compressed(data, store, level.get(name, 22)) for name, data in parts.items()
    }
    build.SETTINGS["args"] = ["/usr/local/bin/python.wasm", "/house/src", "/packages", "/kernel"]
    build.install(zipped, decoder, build.manifest(wheel), site / "_static/live", file_url=False)
    build.write_licences(wheel, decoder, site / "_static/live/licences")


def house(fetched: Path) -> Iterator[tuple[str, bytes]]:
    for name in FOLDERS:
        yield from build.folder(ROOT / name, f"/house/{name}")
    yield "/packages/in_wasm.py", (build.HERE / "in_wasm.py").read_bytes()
    for name in FILES:
        yield f"/house/{name}", (ROOT / name).read_bytes()
    for package in TEST_PACKAGES:
        yield from build.installed(package)
        version = metadata.version(package)
        meta = f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n"
        yield f"/packages/{package}-{version}.dist-info/METADATA", meta.encode()
    hypothesis = zipfile.ZipFile(fetched / HYPOTHESIS)
    library = build.library_of(zipfile.ZipFile(fetched / build.WHEEL))
    for archive, wanted in ((hypothesis, ("hypothesis/", "_hypothesis")), (library, OF_LIBRARY)):
        for name in archive.namelist():
            if name.startswith(wanted) and not name.endswith("/"):
                yield f"/packages/{name}", archive.read(name)


if __name__ == "__main__":
    sys.exit(main())
