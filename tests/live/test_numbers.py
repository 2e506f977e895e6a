"""The engine of `make live` in headless Chromium: its numbers are those of a native run.

Only where `make live` has put it into the built book; elsewhere these tests are skipped and say so.
"""

import json
import math
import sys
import tempfile
from pathlib import Path

import nbformat
import papermill
import pytest

from afterfit.runs import _kernels, _records

ROOT = Path(__file__).parents[2]
HTML = ROOT / "_build/html"
ENGINE = HTML / "_static/live/engine.js"
STEMS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.md"))
HAS_ENGINE = ENGINE.exists() and ENGINE.read_text(encoding="utf-8").startswith(
    "const AFTERFIT_LIVE"
)

sys.path.insert(0, str(ROOT / "book/live"))

import browser as live  # noqa: E402

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not HAS_ENGINE, reason="no engine in the built book: run `make live`"),
]

# How far a number may be from the native one, relatively. Exceptions, with their reasons:
TOLERANCE = 1e-9
EXCEPTIONS: dict[tuple[str, str], tuple[float, str]] = {}


@pytest.fixture(scope="module")
def page(browser):
    with live.serve(HTML) as address:
        page = live.open_engine(browser, address)
        yield page
        page.context.close()


@pytest.mark.parametrize("stem", STEMS)
def test_numbers_are_those_of_a_native_run(page, stem, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # as in the page: sums in the same order
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    cells = live.cells_of(stem, part="data", rows="rows.csv")
    found = page.evaluate(live.RUN, cells)
    assert found["error"] is None
    here = {name: json.loads(data["application/json"]) for name, data in found["records"].items()}
    native = native_records(cells, tmp_path / "out.ipynb")
    assert list(here) == list(native)
    far = [
        f"{stem}: {name}{place}: {theirs!r} natively, {ours!r} here"
        for name in native
        for place, theirs, ours in pairs(native[name], here[name])
        if not is_near(theirs, ours, EXCEPTIONS.get((stem, name), (TOLERANCE, ""))[0])
    ]
    assert far == []
    lines = (tmp_path / "rows.csv").read_text(encoding="utf-8").splitlines()
    written = found["rows"]["rows.csv"].splitlines()
    assert len(written) == len(lines)
    assert written[0] == lines[0]


def native_records(cells, path):
    """Run the cells that answer for a table in a notebook's kernel; return what they record."""
    wanted = {"parameters", "injected-parameters", "setup", "data"}
    notebook = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "", "language": "python"}}
    )
    for cell in cells:
        if wanted & set(cell["tags"]):
            source = nbformat.v4.new_code_cell(cell["source"], metadata={"tags": cell["tags"]})
            notebook.cells.append(source)
    nbformat.write(notebook, path)
    with tempfile.TemporaryDirectory() as scratch:
        manager = _kernels.manager(scratch)
        papermill.execute_notebook(path, path, progress_bar=False, kernel_manager_class=manager)
    return _records.encoded_records(nbformat.read(path, as_version=4))


def pairs(one, other, place=""):
    """Yield (place, leaf, leaf) of two values of JSON; None for what only one of them has."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in one | other:
            yield from pairs(one.get(key), other.get(key), f"{place}.{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for i, (a, b) in enumerate(zip(one, other, strict=True)):
            yield from pairs(a, b, f"{place}[{i}]")
    else:
        yield place, one, other


def is_near(one, other, tolerance):
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=tolerance, abs_tol=1e-12)
    return one == other and type(one) is type(other)
