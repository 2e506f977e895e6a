"""What `sweep` and `report` share: what cannot be run is said before anything starts."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from afterfit import runs


@pytest.mark.parametrize("function", [runs.sweep, runs.report])
def test_what_cannot_be_run_is_said_before_anything_starts(function, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(FileNotFoundError, match=r"there is no file '.*none.ipynb'"):
        function(tmp_path / "none.ipynb", {}, out)
    (tmp_path / "no.ipynb").write_text("[]")
    with pytest.raises(ValueError, match="must be a Jupyter notebook"):
        function(tmp_path / "no.ipynb", {}, out)
    notebook = Path(__file__).parents[2] / "notebooks/agreement.ipynb"
    with pytest.raises(runs.ParameterError, match="`sead` is not a parameter"):
        function(notebook, {"sead": 1}, out)
    assert not out.exists()


def test_the_book_shows_the_sweep_that_make_runs():
    root = Path(__file__).parents[2]
    grid = re.search(r"--grid (.*?) \\\n", (root / "Makefile").read_text())[1]
    assert f"--grid {grid}\n" in (root / "book/running.md").read_text()
    pair = [root / "notebooks/sync.py", "--check", root / "book/sweep/found_k.md"]
    subprocess.run([sys.executable, *map(str, pair)], check=True)
