"""Records: what is recorded is read again, typed."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from afterfit import runs
from afterfit.runs import _records


@pytest.fixture(scope="module")
def shell():
    """A running IPython, as in a notebook."""
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


def recorded(tmp_path, **values):
    """Record into a notebook file and read it back."""
    with capture_output() as captured:
        runs.record(**values)
    outputs = [
        {"output_type": "display_data", "data": output.data, "metadata": output.metadata}
        for output in captured.outputs
    ]
    path = tmp_path / "run.ipynb"
    cells = [{"cell_type": "markdown"}, {"cell_type": "code", "outputs": outputs}]
    path.write_text(json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5}))
    return runs.read_records(path)


SCALARS = [
    True,
    False,
    0,
    -7,
    2**70,
    1.0,
    0.1,
    1e-300,
    float("inf"),
    float("-inf"),
    "text",
    "",
    "007",
    "<script>alert('é')</script>",
    None,
]


@pytest.mark.parametrize("value", SCALARS, ids=repr)
def test_scalars_come_back_typed(shell, tmp_path, value):
    back = recorded(tmp_path, value=value)["value"]
    assert back == value
    assert type(back) is type(value)


def test_nan_comes_back(shell, tmp_path):
    assert math.isnan(recorded(tmp_path, value=float("nan"))["value"])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float64(0.25), 0.25),
        (np.int8(3), 3),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        ((1, 2), [1, 2]),
        (np.array(5), 5),
        (np.arange(3), [0, 1, 2]),
        (np.eye(2), [[1.0, 0.0], [0.0, 1.0]]),
        ([1, "a", None, [True, 0.5]], [1, "a", None, [True, 0.5]]),
    ],
)
def test_numpy_and_lists_come_back_as_pythons(shell, tmp_path, value, expected):
    back = recorded(tmp_path, value=value)["value"]
    assert back == expected
    assert type(back) is type(expected)


TABLES = {
    "numbers and text": pd.DataFrame({"k": [1, 2], "cost": [0.5, np.nan], "text": ["a", "b"]}),
    "named text index": pd.DataFrame({"x": [1.5]}, index=pd.Index(["row"], name="measure")),
    "float index": pd.DataFrame({"x": [True, False]}, index=pd.Index([0.1, 0.2], name="rho")),
    "small types": pd.DataFrame({"a": np.int8([1]), "b": np.float32([0.1]), "c": [True]}),
    "integer columns": pd.DataFrame([[1, 2], [3, 4]]),
    "no rows": pd.DataFrame({"a": np.zeros(0), "b": np.zeros(0, int)}),
    "mixed column": pd.DataFrame({"a": pd.Series([1, "x", None], dtype=object)}),
    "missing text": pd.DataFrame({"a": ["x", None]}),
    "named columns": pd.DataFrame([[1]], columns=pd.Index(["a"], name="cluster")),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_come_back(shell, tmp_path, name):
    pd.testing.assert_frame_equal(recorded(tmp_path, table=TABLES[name])["table"], TABLES[name])


@pytest.mark.parametrize("name", ["value", None, np.int64(3)])
def test_series_come_back(shell, tmp_path, name):
    series = pd.Series([1.0, np.inf], index=["a", "b"], name=name)
    pd.testing.assert_series_equal(recorded(tmp_path, series=series)["series"], series)


@example([math.inf, -math.inf])  # JSON has no word for them
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda children: st.lists(children, max_size=3),
        max_leaves=8,
    )
)
def test_anything_of_these_types_survives_the_encoding(value):
    encoded = json.loads(json.dumps(_records.encode(value, "value"), allow_nan=False))
    back = _records.decode(encoded)
    assert back == value
    assert repr(back) == repr(value)  # types too: 1 is not 1.0 nor True


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": 1}, "`value` is a dict and cannot be recorded"),
        ({1}, "is a set"),
        (1 + 2j, "is a complex"),
        (object(), "is a object"),
        ([1, {2}], "is a set"),
        (pd.Timestamp("2026-01-01"), "is a Timestamp"),
        (np.datetime64("2026-01-01", "ns"), r"is a datetime64\[ns\]"),
        (np.array([1], "timedelta64[ns]"), r"is a timedelta64\[ns\]"),
        (np.array([(1, 2.0)], [("a", int), ("b", float)]), "and cannot be recorded"),
        (pd.DataFrame({"d": pd.to_datetime(["2026-01-01"])}), "is a Timestamp"),
        (
            pd.DataFrame({"c": pd.Categorical([0], [1, 0])}),
            "would not be read as it is.*'c' category",
        ),
        (pd.DataFrame({"a": [1]}, index=pd.MultiIndex.from_tuples([(1, 2)])), "MultiIndex"),
        (pd.Series({(1, 2): 1.0}), "MultiIndex"),
    ],
)
def test_what_cannot_be_kept_is_an_error(value, message):
    with pytest.raises(TypeError, match=message):
        runs.record(value=value)


def test_nothing_is_recorded_if_one_value_cannot_be(shell):
    with capture_output() as captured, pytest.raises(TypeError):
        runs.record(good=1, bad={})
    assert captured.outputs == []


def test_prose_sees_numbers_and_escaped_tables(shell):
    with capture_output() as captured:
        runs.record(x=np.float64(0.5), table=pd.DataFrame({"<b>": ["<script>"]}))
    number, table = (output.data for output in captured.outputs)
    prefix = "application/papermill.record/"  # MyST-NB's and scrapbook's
    assert number[prefix + "text/plain"] == "0.5"
    assert "<script>" not in table[prefix + "text/html"]
    assert [output.metadata["scrapbook"]["name"] for output in captured.outputs] == ["x", "table"]


@pytest.mark.parametrize("content", ["", "no json", "[]", '{"nbformat": 4}'])
def test_read_records_of_what_is_no_notebook(tmp_path, content):
    path = tmp_path / "x.ipynb"
    path.write_text(content)
    with pytest.raises(ValueError, match="`path` must be a Jupyter notebook"):
        runs.read_records(path)


def test_read_records_of_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        runs.read_records(tmp_path / "none.ipynb")


def test_book_style_is_readable_and_reproducible():
    import matplotlib.pyplot as plt

    with plt.rc_context():
        runs.book_style()
        assert plt.rcParams["svg.hashsalt"] == "afterfit"
        assert plt.rcParams["font.size"] >= 12
