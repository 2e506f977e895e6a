"""The Makefile on a copy of the repository with two tiny chapters: what it builds, and when."""

import os
import re
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import jupytext
import pytest
import yaml

ROOT = Path(__file__).parents[1]

TINY = """---
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# Tiny {name}

```{{code-cell}} ipython3
from afterfit import runs

runs.record(name="{name}")
{code}
```
"""


@pytest.fixture
def house(tmp_path, warm):
    return write_house(tmp_path / "house")


def write_house(house):
    """Copy the repository, with the chapters `one` and `two`, to share this environment."""
    ignore = shutil.ignore_patterns(
        ".*", "_build", "chapters", "__pycache__", "results", "tests", "*.csv", "*.gz"
    )
    shutil.copytree(ROOT, house, ignore=ignore)
    (house / "tests").mkdir()
    (house / ".venv").symlink_to(environment())
    for path in [*house.glob("notebooks/*.md"), *house.glob("notebooks/*.ipynb")]:
        path.unlink()
    for name in ("one", "two"):
        write_chapter(house, name)
    toc = {
        "format": "jb-book",
        "root": "book/bibliography",
        "chapters": [{"file": f"book/chapters/{name}.ipynb"} for name in ("one", "two")],
    }
    (house / "_toc.yml").write_text(yaml.safe_dump(toc))
    # The bibliography of chapters that are not here: its page only has to be a page.
    (house / "book/bibliography.md").write_text("# Bibliography\n")
    return house


def environment():
    """The environment that make made and that runs this test."""
    path = ROOT / ".venv"
    assert (path / "installed").exists(), "run the tests with `make test`"
    return path


def write_chapter(house, name, code=""):
    (house / f"notebooks/{name}.md").write_text(TINY.format(name=name, code=code))


def make(house, *targets, **variables):
    process = started(house, *targets, *(f"{name}={value}" for name, value in variables.items()))
    stdout, stderr = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


def started(house, *arguments):
    variables = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    return subprocess.Popen(
        ["make", "--no-print-directory", *arguments],
        cwd=house,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def twice_built(tmp_path_factory):
    """A house in which two began to build the book at once, and what they said."""
    house = write_house(tmp_path_factory.mktemp("built") / "house")
    both = [started(house, "book") for _ in range(2)]
    said = ["".join(process.communicate()) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    return house, said


@pytest.fixture
def built(twice_built, tmp_path, warm):
    """A house of one's own whose book is built."""
    return shutil.copytree(twice_built[0], tmp_path / "house", symlinks=True)


def executed_at(house):
    return {path.stem: path.stat().st_mtime_ns for path in house.glob("book/chapters/*.ipynb")}


def test_builds_one_at_a_time(twice_built):
    house, said = twice_built
    assert sum("another make is at work here" in text for text in said) == 1
    for name in ("one", "two"):
        executed = sum(f"executing notebooks/{name}.ipynb" in text for text in said)
        assert executed == 1, "one of them had nothing to do"
        assert (house / f"_build/html/book/chapters/{name}.html").exists()
    assert "Executing" not in "".join(said), "bars of cells in a log"


def test_rebuilds_only_what_changed(built):
    house, first = built, executed_at(built)
    assert set(first) == {"one", "two"}
    done = make(house, "book")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The book is ready" not in done.stdout, "nothing changed, and the book was built again"
    assert executed_at(house) == first, "nothing changed, and a chapter was executed again"

    time.sleep(0.02)
    write_chapter(house, "two", "print('changed')")
    done = make(house, "book")
    assert done.returncode == 0, done.stdout + done.stderr
    second = executed_at(house)
    assert second["one"] == first["one"]
    assert second["two"] > first["two"]
    assert "changed" in (house / "_build/html/book/chapters/two.html").read_text()

    time.sleep(0.02)
    with (house / "book/_static/afterfit.css").open("a") as styles:
        styles.write("body { --of-the-test: 1 }")
    assert make(house, "book").returncode == 0
    assert "--of-the-test" in (house / "_build/html/_static/afterfit.css").read_text()
    assert executed_at(house) == second, "styles changed, and a chapter was executed again"

    time.sleep(0.02)
    (house / "src/afterfit/mixture.py").touch()
    (house / "src/afterfit/runs/_sweep.py").touch()
    (house / "src/afterfit/one.py").touch()
    assert make(house, "chapters").returncode == 0
    third = executed_at(house)
    assert third["one"] > second["one"], "its technique changed"
    assert third["two"] == second["two"], "another technique changed"

    time.sleep(0.02)
    (house / "src/afterfit/_validation.py").touch()
    assert make(house, "chapters").returncode == 0
    fourth = executed_at(house)
    assert all(fourth[name] > third[name] for name in fourth), "what all share changed"


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.md")), ids=lambda p: p.stem)
def test_make_knows_what_a_chapter_imports(path):
    text = path.read_text()
    imported = set(re.findall(r"from afterfit\.(\w+)", text))
    for names in re.findall(r"from afterfit import (.+)", text):
        imported |= {name.split(" as ")[0].strip() for name in names.split(",")}
    needs = re.search(
        rf"^NEEDS_{path.stem} *:= (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE
    )
    known = {path.stem, "datasets", "runs", *(needs[1].split() if needs else [])}
    assert imported <= known


def test_a_failed_chapter_is_shown_and_kept_and_never_published(built):
    house = built
    write_chapter(house, "two", "nonsense = 1 / 0")
    done = make(house, "book")
    assert done.returncode != 0
    shown = done.stdout + done.stderr
    assert "nonsense = 1 / 0" in shown
    assert "ZeroDivisionError: division by zero" in shown
    assert "_build/failed/two.ipynb" in shown
    kept = jupytext.read(house / "_build/failed/two.ipynb")
    assert any(
        output.get("ename") == "ZeroDivisionError"
        for cell in kept.cells
        for output in cell.get("outputs", [])
    )
    assert not (house / "book/chapters/two.ipynb").exists(), "a stale chapter could be published"
    assert not (house / "_build/html").exists(), "the old book could be published"

    time.sleep(0.02)
    write_chapter(house, "two", "print('mended')")
    assert make(house, "book").returncode == 0
    assert "mended" in (house / "_build/html/book/chapters/two.html").read_text()
    assert not (house / "_build/failed/two.ipynb").exists()


def test_a_warning_of_the_book_is_a_failure(house):
    text = house / "notebooks/two.md"
    text.write_text(text.read_text() + "\nSee {term}`a term that no glossary has`.\n")
    done = make(house, "book")
    assert done.returncode != 0
    assert "term not in glossary" in done.stdout + done.stderr
    assert not (house / "_build/html").exists()


def test_the_one_edited_last_wins(house):
    assert make(house, "sync").returncode == 0
    notebook = house / "notebooks/one.ipynb"
    before = notebook.read_text()
    assert make(house, "sync").returncode == 0
    assert notebook.read_text() == before, "nothing changed, and the notebook did"

    time.sleep(0.02)
    cells = jupytext.read(notebook)
    cells.cells[0].source = "# Edited in Jupyter"
    jupytext.write(cells, notebook)
    assert make(house, "sync").returncode == 0
    assert "# Edited in Jupyter" in (house / "notebooks/one.md").read_text()

    time.sleep(0.02)
    write_chapter(house, "one")
    assert make(house, "sync").returncode == 0
    assert notebook.read_text() == before

    notebook.unlink()
    assert make(house, "sync").returncode == 0
    assert notebook.read_text() == before, "the ids of its cells are made from its cells"


def script(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.parametrize(
    ("python", "sentence"),
    [
        (
            'case "$*" in --version) echo Python 3.9.2;; *version_info*) exit 1;; esac',
            "Python 3.9.2 is too old: install Python 3.11 or newer",
        ),
        (
            f'case "$*" in *ensurepip*) exit 1;; esac; exec {sys.executable} "$@"',
            "lacks its venv module: install it (on Debian and Ubuntu: apt install python3-venv)",
        ),
        (None, "install Python 3.11 or newer, or name one"),
    ],
    ids=["too old", "no venv", "no python"],
)
def test_what_is_missing_is_said_in_a_sentence(house, python, sentence):
    (house / ".venv").unlink()
    name = house / "no-such-python" if python is None else script(house / "python", python)
    done = make(house, "book", PYTHON=name)
    assert done.returncode != 0
    said = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert len(said) == 1
    assert sentence in said[0]
    assert not (house / ".venv/installed").exists()


def test_help_lists_the_targets(house):
    shown = make(house, "help").stdout
    for target in ("book", "test", "serve", "sync", "lint", "bench", "clean"):
        assert f"make {target} " in shown
