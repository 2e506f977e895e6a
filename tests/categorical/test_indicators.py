"""Tests of rows as indicators, and of scores: each expected number says where it comes from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from afterfit.categorical import _indicators, _tables


def units_of(X, weight=None):
    table = _tables.encode_table(X, missing="category")
    packed = _tables.pack(table.codes, table.sizes, weight)
    return _tables.merge_equal_rows(packed)


@pytest.mark.parametrize(("rows", "charged"), [([30, 10], [30, 10]), ([38, 2], [38, 10])])
def test_a_class_is_charged_for_ten_rows_at_least(rows, charged):
    table = _indicators.Indicators([np.arange(40) % 2], None)
    expected = (np.log(charged).sum() - np.log(40)) / 2
    assert table.charge(np.array(rows, dtype=float)) == pytest.approx(expected)


def test_standard_errors_between_two_models_by_hand():
    # Vuong (1989), formula 3.1 with the corrected statistic: differences 1, 1, 4 (weights 2, 1):
    # total 6, variance 2 * 1 + 4 = 6 about the mean 2, times n / (n - 1).
    a = _indicators.Score(np.array([1.0, 4.0]), 6.0)
    b = _indicators.Score(np.zeros(2), 0.0)
    assert a.errors_above(b, np.array([2.0, 1.0])) == pytest.approx(6 / np.sqrt(6 * 3 / 2))
    assert a.errors_above(a, np.ones(2)) == 0
    same = _indicators.Score(np.array([2.0, 2.0]), 4.0)
    assert same.errors_above(b, np.ones(2)) == np.inf


def test_indicators_of_one_property_are_read_as_the_property():
    rng = np.random.default_rng(0)
    X = rng.integers(4, size=(300, 3))
    plain = _indicators.plain_columns(units_of(X))
    for options in ({}, {"drop_first": True}):
        hot = pd.get_dummies(pd.DataFrame(X).astype(str), **options)
        columns = _indicators.plain_columns(units_of(hot))
        assert len(columns) == 3
        # The rows come in another order: compare how often the categories come together.
        for codes, other in zip(columns, plain, strict=True):
            assert sorted(np.bincount(codes)) == sorted(np.bincount(other))
    # Indicators that overlap are properties of their own, and so are rare ones that do not happen
    # to: 300 rows with shares of 0.1 would overlap three times.
    overlapping = rng.integers(2, size=(300, 3))
    assert len(_indicators.plain_columns(units_of(overlapping))) == 3
    rare = np.zeros((300, 2), dtype=int)
    rare[:30, 0], rare[30:60, 1] = 1, 1
    assert len(_indicators.plain_columns(units_of(rare))) == 2


def test_copies_and_constants_count_once():
    X = np.array([[0, 0, "a", 1, 5, 3], [1, 1, "c", 1, 5, 4], [2, 2, "b", 0, 5, 3]])
    X = np.vstack([X, [2, 2, "b", 1, 5, 3]])
    columns = _indicators.plain_columns(units_of(X))
    assert [sorted(np.bincount(codes)) for codes in columns] == [[1, 1, 2], [1, 3], [1, 3]]
    # Where nothing else is left they are all there is: rows of two patterns.
    assert len(_indicators.plain_columns(units_of([["a", "x", 0]] * 3 + [["b", "y", 1]] * 3))) == 3
