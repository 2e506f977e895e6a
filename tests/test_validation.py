"""The door that all techniques share: tables of any library, and what is no number."""

import datetime as dt
from decimal import Decimal

import dask.dataframe
import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from numpy.testing import assert_array_equal

from afterfit._labels import encode_labels
from afterfit._validation import (
    as_float_array,
    as_pandas,
    check_columns,
    check_matrix,
    column_names,
)

LIBRARIES = {
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "pyarrow": pa.table,
    "pyarrow batch": pa.record_batch,
    "narwhals": lambda columns: nw.from_native(pl.DataFrame(columns)),
}
DAY = dt.date(2020, 1, 1)
everywhere = pytest.mark.parametrize("make", LIBRARIES.values(), ids=LIBRARIES)


# Numbers.


@everywhere
@given(
    values=st_numpy.arrays(
        st.sampled_from([np.float64, np.float32, np.int16, np.uint64, np.bool_]),
        st.tuples(st.integers(1, 5), st.integers(1, 4)),
    )
)
def test_a_table_is_its_numbers_and_its_names(make, values):
    names = [f"column {j}" for j in range(values.shape[1])]
    table = make({name: values[:, j].copy() for j, name in enumerate(names)})
    expected = values.astype(np.float64)
    assert_array_equal(as_float_array(table, "X"), expected)
    assert as_float_array(table, "X").dtype == np.float64
    assert column_names(table) == names
    if np.isfinite(expected).all():
        assert_array_equal(check_matrix(table), expected)


@everywhere
def test_missing_values_are_nan_and_counted_by_column(make):
    table = make({"a": [1, None], "b": [True, None], "c": [1.5, 2.5]})
    if make is pd.DataFrame:  # as objects otherwise
        table = table.astype({"b": "boolean"})
    expected = [[1, 1, 1.5], [np.nan, np.nan, 2.5]]
    assert_array_equal(as_float_array(table, "X"), expected)
    with pytest.raises(
        ValueError, match=r"`X` must be finite.*in column\(s\) 'a' \(1\), 'b' \(1\)"
    ):
        check_matrix(table)


@pytest.mark.parametrize(
    "column",
    [
        pl.Series([1, None]),
        pl.Series([Decimal(1), None]),
        pd.Series([1, None], dtype="Int64"),
        pd.Series([True, None], dtype="boolean"),
        pa.chunked_array([[1.0], [None]]),
        pa.array([1, None]),
        np.ma.array([1, 7], mask=[False, True]),
        np.ma.array([1, "x"], mask=[False, True], dtype=object),
        [1, None],
        [1, pd.NA],
    ],
)
def test_a_column_with_a_missing_value(column):
    assert_array_equal(as_float_array(column, "y"), [1.0, np.nan])


def test_pandas_columns_of_one_name_are_told_apart_by_position():
    table = pd.DataFrame([[1.0, 2.0]], columns=["a", "a"])
    assert_array_equal(check_matrix(table), [[1.0, 2.0]])
    twice = pa.table([[1.0], [2.0]], names=["a", "a"])
    with pytest.raises(ValueError, match=r"`X` must have columns of different names.*'a' 2 times"):
        check_matrix(twice)


# What is no number.


@everywhere
@pytest.mark.parametrize(
    "column", [[DAY], ["1.5"], [dt.timedelta(1)], [dt.datetime(2020, 1, 1)], [dt.time(1)]]
)
def test_dates_and_text_are_refused_by_column(make, column):
    table = make({"number": [1.0], "other": column})
    with pytest.raises(TypeError, match=r"`X` must be numeric; these columns are not: 'other' \("):
        as_float_array(table, "X")


@pytest.mark.parametrize("values", [["a"], [DAY]])
@pytest.mark.parametrize("make", [pl.Series, lambda values: pa.chunked_array([values])])
def test_a_column_that_is_no_number(make, values):
    with pytest.raises(TypeError, match=r"`y` must be numeric, got dtype (String|Date)\."):
        as_float_array(make(values), "y")


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([[np.datetime64("2020-01-01"), 1.0]], r"with np\.datetime64\('2020-01-01'\) in row 0, co"),
        ([[1.0, np.timedelta64(1, "D")]], r"with np\.timedelta64\(1,'D'\) in row 0, column 1"),
        ([[1.0, DAY]], r"with datetime\.date\(2020, 1, 1\) in row 0, column 1"),
        ([1.0, 1.0, None, Decimal(1), pd.NA, {}], r"with \{\} in row 5"),
        ([[1], [10**400]], r"with 10000.* in row 1, column 0"),
        (np.array([["1.5", 2]], dtype=object), r"with '1\.5' in row 0, column 0"),
        (np.ma.array(["1.5"], mask=[False]), r"got dtype <U3"),
        (np.ma.array(np.array([DAY], "M8[D]"), mask=[True]), r"got dtype datetime64\[D\]"),
        (np.ma.array([1.0, "2"], mask=[True, False], dtype=object), r"with '2' in row 1"),
        (pd.Series(["a"]), r"must be numeric"),
        ({"a": [1.0]}, r"got dict\. Make a table of it, as by `pandas\.DataFrame`"),
    ],
)
def test_cells_that_are_no_numbers(X, message):
    with pytest.raises(TypeError, match=f"`X` must be numeric, .*{message}|{message}"):
        as_float_array(X, "X")


def test_the_advice_on_a_dict_helps():
    assert_array_equal(check_matrix(pd.DataFrame({"a": [1.0]})), [[1.0]])


@pytest.mark.parametrize("function", [as_float_array, as_pandas, column_names])
def test_rows_that_are_not_in_memory(function):
    lazy = pl.LazyFrame({"a": [1.0]})
    with pytest.raises(TypeError, match=r"got a LazyFrame\. Pass `X\.collect\(\)`"):
        function(lazy, "X")
    assert len(function(lazy.collect(), "X")) == 1
    lazy = dask.dataframe.from_pandas(pd.DataFrame({"a": [1.0]}), npartitions=1)
    with pytest.raises(TypeError, match=r"got a table of dask\. Pass `X\.compute\(\)`"):
        function(lazy, "X")
    assert len(function(lazy.compute(), "X")) == 1


def test_an_array_that_numpy_cannot_read():
    class OnADevice:
        def __array__(self, dtype=None, copy=None):
            raise TypeError("can't convert cuda:0 device type tensor to numpy")

    with pytest.raises(TypeError, match=r"`X` must be an array that NumPy can read.*cuda:0"):
        as_float_array(OnADevice(), "X")


# Names.


@everywhere
def test_columns_are_compared_with_those_of_the_fit(make):
    columns = {"a": [1.0], "b": [2.0], "c": [3.0]}
    table = make(columns)
    check_columns(table, np.array(["a", "b", "c"], dtype=object))
    check_columns(table, None)
    check_columns([[1.0, 2.0, 3.0]], ["a", "b"])
    with pytest.raises(ValueError, match=r"got 'a', 'b', 'c'\. It lacks 'z'"):
        check_columns(table, ["a", "b", "z"])
    with pytest.raises(ValueError, match=r"'a', 'b'; got 'a', 'b', 'c'\. It also has 'c': drop"):
        check_columns(table, ["a", "b"])
    message = r"`X` must have the columns of the fit, in their order: 'c', 'a', 'b'; got 'a', 'b'"
    with pytest.raises(ValueError, match=message):
        check_columns(table, ["c", "a", "b"])


@everywhere
def test_the_advice_on_the_order_of_columns_helps(make):
    X, names = make({"a": [1.0], "b": [2.0]}), ["b", "a"]
    with pytest.raises(ValueError, match="columns of the fit") as caught:
        check_columns(X, names)
    advice = str(caught.value).split("Take `")[1].split("`")[0]
    check_columns(eval(advice), names)


@pytest.mark.parametrize("X", [np.eye(2), [[1.0]], pl.Series([1.0]), pd.Series([1.0]), None, 3])
def test_what_has_no_columns_has_no_names(X):
    assert column_names(X) is None


# Cells as they are.


@pytest.mark.parametrize("make", [pl.DataFrame, lambda columns: pl.DataFrame(columns).to_arrow()])
def test_a_table_as_pandas_keeps_what_its_cells_are(make):
    big = 2**62 + 1
    table = as_pandas(
        make(
            {
                "text": ["x", None],
                "level": pl.Series(["lo", "hi"], dtype=pl.Categorical),
                "lost": pl.Series(["lo", None], dtype=pl.Categorical),
                "whole": [big, None],
                "share": [0.5, None],
                "day": [DAY, None],
                "flag": [True, None],
            }
        )
    )
    assert table["text"].tolist()[0] == "x"
    assert table["level"].tolist() == ["lo", "hi"]
    assert table["whole"].tolist() == [big, pd.NA]
    assert table["day"][0] == pd.Timestamp(DAY)
    assert table["flag"][0] is True
    n_missing = table.isna().sum().to_dict()
    assert n_missing.pop("level") == 0
    assert set(n_missing.values()) == {1}


def test_an_enumeration_keeps_its_order():
    sizes = pl.Series(["large", "small"], dtype=pl.Enum(["small", "large"]))
    column = as_pandas(pl.DataFrame({"size": sizes}))["size"]
    assert column.cat.ordered
    assert column.cat.categories.tolist() == ["small", "large"]
    assert as_pandas(sizes).cat.categories.tolist() == ["small", "large"]


@pytest.mark.parametrize("X", [pd.DataFrame({"a": [1]}), pd.Series([1]), np.eye(2), [[1]], 3])
def test_everything_else_stays_what_it_is(X):
    assert as_pandas(X) is X


# Labels.


@pytest.mark.parametrize(
    "labels",
    [
        np.array([7, 300, 7]),
        pl.Series(["a", "b", "a"]),
        pl.Series(["a", "b", "a"], dtype=pl.Categorical),
        pa.chunked_array([["a", "b"], ["a"]]),
    ],
)
def test_labels_are_counted_on_a_machine_of_32_bits(labels, narrow_indices):
    codes, distinct = encode_labels(labels, "labels")
    assert codes.tolist() == [0, 1, 0]
    assert len(distinct) == 2


@pytest.mark.parametrize(
    "labels",
    [
        pa.chunked_array([pa.array(["a", None, "b"]).dictionary_encode()]),
        pl.Series(["a", None, "b"], dtype=pl.Categorical),
        pl.Series([1, None, 2]),
        pa.array(["a", None, "b"]).dictionary_encode(),
    ],
    ids=["pyarrow categories", "polars categories", "polars integers", "pyarrow array"],
)
def test_a_missing_label_is_no_label(labels):
    # pyarrow's ChunkedArray.to_numpy takes the missing category for the last one.
    with pytest.raises(ValueError, match=r"got 1 missing label\(s\), in row\(s\) 1"):
        encode_labels(labels, "labels")


def test_labels_of_an_enumeration_keep_its_order():
    sizes = pl.Series(["large", "small", "large"], dtype=pl.Enum(["small", "large"]))
    codes, distinct = encode_labels(sizes, "sizes")
    assert distinct == ["small", "large"]
    assert codes.tolist() == [1, 0, 1]
