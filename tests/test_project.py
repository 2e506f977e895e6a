"""The house: whole grid, settings that agree, every public name documented, tested and shown."""

import importlib
import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup

import afterfit

ROOT = Path(__file__).parents[1]
STEMS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.md"))
MODULES = [name for name in afterfit.__all__ if name not in ("datasets", "runs")]

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = PYPROJECT["project"]["optional-dependencies"]


def room(pattern, stem):
    """Return the one file or the folder of a stem, as the pattern has it, or fail."""
    folder, name = (ROOT / pattern.format(stem)).parent, (ROOT / pattern.format(stem)).name
    found = [place for place in (folder / name, folder / stem) if place.exists()]
    assert len(found) == 1, f"{stem}: one file or one folder, found {found}"
    return found[0]


def text_of_tests(stem):
    """Return the text of all tests of a stem."""
    place = room("tests/test_{}.py", stem)
    return "".join(path.read_text() for path in sorted(place.rglob("*.py")) or [place])


def requirement(text):
    """Return name and bounds of a requirement, the name as the registries spell it."""
    name, bounds = re.fullmatch(r"([A-Za-z0-9_.-]+?)\s*([<>=!~].*)?", text).groups()
    return re.sub(r"[-_.]+", "-", name).lower(), bounds or ""


# --- the grid ---


@pytest.mark.parametrize("stem", STEMS)
def test_each_stem_has_its_room(stem):
    assert room("src/afterfit/{}.py", stem)
    assert "def test_" in text_of_tests(stem)
    for place in (
        f"notebooks/{stem}.ipynb",
        f"benchmarks/bench_{stem}.py",
        f"benchmarks/results/{stem}.json",
        f"book/api/{stem}.md",
    ):
        assert (ROOT / place).exists(), place
    toc = (ROOT / "_toc.yml").read_text()
    assert f"book/chapters/{stem}.ipynb" in toc
    assert f"book/api/{stem}" in toc
    assert f"chapters/{stem}" in (ROOT / "book/welcome.md").read_text()


def test_every_module_has_a_chapter():
    assert sorted(MODULES) == STEMS


# --- public names ---


def public_objects():
    for module in afterfit.__all__:
        for name in importlib.import_module(f"afterfit.{module}").__all__:
            yield pytest.param(module, name, id=f"{module}.{name}")


@pytest.mark.parametrize(("module", "name"), list(public_objects()))
def test_every_public_name_has_a_page_a_test_and_a_mention(module, name):
    page = BeautifulSoup((ROOT / f"_build/html/book/api/{module}.html").read_text(), "html.parser")
    assert page.find(id=f"afterfit.{module}.{name}"), "no entry on the API page"
    thing = getattr(importlib.import_module(f"afterfit.{module}"), name)
    is_result = inspect.isclass(thing) and hasattr(thing, "__dataclass_fields__")
    if is_result or (inspect.isclass(thing) and issubclass(thing, Exception)):
        return  # users meet these through the functions that make them
    word = re.compile(rf"\b{name}\b")
    assert word.search(text_of_tests(module)), "no test"
    assert "Examples\n" in inspect.getdoc(thing), "no example"
    shown_in = ["book/running.md", "book/data.md", "book/_ext/afterfit_book/data.py"]
    if module in STEMS:
        shown_in = [f"notebooks/{module}.md"]
    else:
        shown_in += [f"notebooks/{stem}.md" for stem in STEMS]
    assert any(word.search((ROOT / path).read_text()) for path in shown_in), "no mention"


@pytest.mark.parametrize("module", afterfit.__all__)
def test_all_lists_what_is_public(module):
    loaded = importlib.import_module(f"afterfit.{module}")
    defined = {
        name
        for name, thing in vars(loaded).items()
        if not name.startswith("_")
        and str(getattr(thing, "__module__", None)).startswith(loaded.__name__)
        and (inspect.isfunction(thing) or inspect.isclass(thing))
    }
    assert defined <= set(loaded.__all__)
    assert loaded.__all__ == sorted(loaded.__all__)


def test_import_is_cheap():
    code = (
        "import sys, afterfit; heavy = {'numpy', 'pandas', 'scipy', 'sklearn', 'matplotlib'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == "[]"


@pytest.mark.parametrize("module", afterfit.__all__)
def test_no_module_loads_matplotlib_before_it_plots(module):
    code = f"import sys, afterfit.{module}; print('matplotlib' in sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == "False"


def test_unknown_attributes_are_errors():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = afterfit.nothing
    assert set(afterfit.__all__) <= set(dir(afterfit))


# --- settings that must agree ---


def test_the_version_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == PYPROJECT["project"]["version"] == afterfit.__version__


def test_conda_environment_agrees_with_pyproject():
    wanted = PYPROJECT["project"]["dependencies"] + EXTRAS["chapters"]
    expected = dict(map(requirement, wanted))
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    conda = dict(requirement(item) for item in environment["dependencies"] if isinstance(item, str))
    assert conda.pop("python") == PYPROJECT["project"]["requires-python"]
    conda["matplotlib"] = conda.pop("matplotlib-base")  # conda-forge's name without a GUI toolkit
    for tool in ("pip", "jupyterlab"):  # what pip users bring themselves
        conda.pop(tool)
    assert conda == expected


@pytest.mark.parametrize(
    ("lock", "extras"),
    [
        ("requirements.lock", ("chapters", "book", "test")),
        ("benchmarks/requirements.lock", ("chapters", "test", "bench")),
    ],
)
def test_locks_hold_every_dependency_with_hashes_and_no_address(lock, extras):
    text = (ROOT / lock).read_text()
    locked = {}
    for line in re.findall(r"^[a-zA-Z0-9].*", text, flags=re.MULTILINE):
        name, version = re.match(r"([\w.-]+)==([\w.]+)", line).groups()
        locked[requirement(name)[0]] = version
    wanted = PYPROJECT["project"]["dependencies"] + [item for e in extras for item in EXTRAS[e]]
    assert {requirement(item)[0] for item in wanted} <= set(locked)
    assert "://" not in text
    assert "index-url" not in text
    assert "find-links" not in text
    entries = re.split(r"^(?=[a-zA-Z0-9])", text, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in entry for entry in entries)


def test_readme_and_ci_call_the_same_commands():
    readme = (ROOT / "README.md").read_text()
    assert "make book" in readme
    assert "make test" in readme
    assert "make test" in (ROOT / ".ci/run").read_text()
    assert "bash .ci/run" in (ROOT / ".github/workflows/book.yml").read_text()


@pytest.mark.parametrize(("ci", "outcome"), [("", "1 skipped"), ("true", "1 error")])
def test_without_a_browser(ci, outcome, tmp_path):
    # A reader without Chromium is told what was skipped; where CI runs, that is a failure.
    name = "test_at_every_width_in_the_light_and_in_the_dark[book/welcome.html]"
    test = f"tests/test_browser.py::{name}"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", test],
        cwd=ROOT,
        env={"PATH": str(tmp_path), "CI": ci, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome in done.stdout
    assert "Install it (on Debian: apt install chromium)" in "\n".join(
        done.stdout.splitlines()[-6:]
    )
