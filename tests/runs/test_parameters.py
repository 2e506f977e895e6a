"""Parameters: wrong ones stop a chapter early, in a sentence."""

import re
import shlex

import pytest
import yaml
from papermill.cli import _resolve_type

from afterfit import runs

CELL = """seed: int = 1  # the seed
data: str = "penguins"  # a name or path
columns: list[str] = ["a"]  # some columns
level: float = 0.5  # a level
maybe: Optional[str] = None  # or nothing
codes: list = []  # text and numbers
levels: list[float] = []  # some levels
fast: bool = False  # or not
"""


def check(injected="", **accepted):
    """Run the parameters' cell, papermill's cell and the check, as IPython would."""
    from typing import Optional

    namespace = {"Optional": Optional}
    exec(CELL, namespace)
    exec(injected, namespace)
    namespace["In"] = ["", CELL, "import numpy as np", *([injected] if injected else [])]
    runs.check_parameters(namespace, **accepted)


def test_parameters_as_declared_pass():
    check()
    check("# Parameters\ncodes = [-999, '?', 1.5]\n")
    check("# Parameters\nseed = 3\ncolumns = ['x', 'y']\nlevel = 1\nmaybe = 'x'\nfast = True\n")
    check(level=(0, 1), seed=range(5), data=["penguins", "zoo"], maybe=["x"])
    check(level=(0.5, 0.5))


@pytest.mark.parametrize(
    ("injected", "accepted", "message"),
    [
        ("sed = 3", {}, "`sed` is not a parameter of this chapter. Nearest: seed."),
        ("zzzzz = 3", {}, "`zzzzz` is not a parameter of this chapter. Its parameters are `seed`"),
        ("seed = 'x'", {}, "`seed` must be int, got 'x'"),
        ("seed = True", {}, "`seed` must be int, got True"),
        ("seed = 1.0", {}, "`seed` must be int, got 1.0"),
        ("data = 1234", {}, "`data` must be str, got 1234. With papermill, .* `-r data 1234`"),
        ("columns = 'a'", {}, r"`columns` must be list\[str\], got 'a'"),
        ("columns = ['a', 1]", {}, r"`columns` must be list\[str\]"),
        ("codes = [None]", {}, r"`codes` must be list, got \[None\]"),
        ("levels = 'high'", {}, r"pass a list as `-y 'levels: \[1, 2\]'`"),
        ("level = 'high'", {}, "`level` must be float, got 'high'"),
        ("level = None", {}, "`level` must be float, got None"),
        ("maybe = 1", {}, r"`maybe` must be Optional\[str\], got 1"),
        ("fast = 1", {}, "`fast` must be bool, got 1"),
        ("seed = 9", {"seed": range(5)}, "`seed` must be between 0 and 4, got 9"),
        ("level = 2", {"level": (0, 1)}, r"`level` must lie in \[0, 1\], got 2"),
        ("level = float('nan')", {"level": (0, 1)}, "got nan"),
        ("data = 'x'", {"data": ["zoo"]}, "`data` must be one of 'zoo', got 'x'"),
        ("columns = ['b']", {"columns": ["a"]}, "`columns` must be one of 'a', got 'b'"),
    ],
)
def test_wrong_parameters_are_named(injected, accepted, message):
    with pytest.raises(runs.ParameterError, match=message):
        check(f"# Parameters\n{injected}\n", **accepted)


@pytest.mark.parametrize(
    ("passed", "meant"),
    [
        (["-p", "columns", "a"], ["a"]),
        (["-p", "columns", "height,body mass"], ["height", "body mass"]),
        (["-p", "columns", "[height, weight]"], ["height", "weight"]),
        (["-y", "columns: [2019, 2020]"], ["2019", "2020"]),
        (["-p", "columns", "it's"], ["it's"]),
        (["-p", "codes", "-999"], ["-999"]),
    ],
)
def test_a_list_that_is_none_is_refused_with_the_option_that_passes_one(passed, meant):
    """The advice, followed with papermill's own readers of `-p` and `-y`, is accepted."""
    option, *given = passed
    name = given[0].partition(":")[0]
    value = yaml.safe_load(given[0])[name] if option == "-y" else _resolve_type(given[1])
    with pytest.raises(runs.ParameterError, match="With papermill, pass a list as") as refused:
        check(f"# Parameters\n{name} = {value!r}\n")
    option, text = shlex.split(re.search("`(-y .*)`", str(refused.value))[1])
    assert (option, yaml.safe_load(text)) == ("-y", {name: meant})
    check(f"# Parameters\n{name} = {yaml.safe_load(text)[name]!r}\n")


def test_the_cell_that_counts_is_the_last_one_run():
    # Interactive use: the parameters' cell was edited and run again after papermill's.
    namespace = {"a": 1, "In": ["", "b: int = 0", "# Parameters\nc = 1\n", "a: int = 1"]}
    runs.check_parameters(namespace)


def test_parameters_of_a_plain_script():
    runs.check_parameters({"n": 3, "__annotations__": {"n": int}})
    with pytest.raises(runs.ParameterError, match="`xs` must be list"):
        runs.check_parameters({"xs": 3, "__annotations__": {"xs": list[int]}})


def test_an_unknown_type_is_the_authors_mistake():
    with pytest.raises(TypeError, match="A parameter's type must be one of"):
        runs.check_parameters({"n": 3, "__annotations__": {"n": "dict"}})


def test_ipython_shows_a_sentence_instead_of_a_traceback():
    error = runs.ParameterError("`n` must be int.")
    assert error._render_traceback_() == ["ParameterError: `n` must be int."]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("out.xlsx", "`rows` must be empty or a file whose name ends in .csv or .parquet"),
        ("no/such/folder/out.csv", "`rows` must be in a folder that is there, got 'no/such"),
    ],
)
def test_where_rows_cannot_be_written_is_said_before_they_are_computed(rows, message):
    with pytest.raises(runs.ParameterError, match=message):
        runs.check_parameters({"rows": rows, "__annotations__": {"rows": str}})
    runs.check_parameters({"rows": "", "__annotations__": {"rows": str}})
