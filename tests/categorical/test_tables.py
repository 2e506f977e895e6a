"""Tests of tables as codes: each expected number says where it comes from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from afterfit.categorical import KModes, _tables, cluster_profile


def test_streaming_keeps_the_result(monkeypatch, latent_classes):
    # Rows packed again in every pass, and rows that are not merged, give the same clusters.
    X, _ = latent_classes(3000, 10, 3, 3, 0.3, 1)
    expected = KModes(3, init="cao").fit(X)
    monkeypatch.setattr(_tables, "LAZY_ROWS", 100)
    lazy = KModes(3, init="cao").fit(X)
    assert lazy.cost_ == expected.cost_
    assert (lazy.labels_ == expected.labels_).all()
    monkeypatch.setattr(_tables, "MERGE_TRIAL_ROWS", 500)
    unmerged = KModes(3, init="cao").fit(X)
    assert unmerged.cost_ == expected.cost_
    assert (unmerged.labels_ == expected.labels_).all()


@pytest.mark.parametrize("n_values", [2, 40])
def test_merging_block_by_block_counts_every_row(n_values, monkeypatch):
    X = np.random.default_rng(0).integers(n_values, size=(2000, 3))
    table = _tables.encode_table(X)
    packed = _tables.pack(table.codes, table.sizes)
    at_once = _tables.merge_equal_rows(packed)
    monkeypatch.setattr(_tables, "MERGE_TRIAL_ROWS", 300)
    in_parts = _tables.merge_equal_rows(packed)
    assert in_parts.total == at_once.total == 2000
    rows, counts = np.unique(X, axis=0, return_counts=True)
    if n_values == 2:  # 8 distinct rows: merged
        assert (in_parts.weights == counts[np.lexsort(rows.T[::-1])]).all()
    else:  # nearly all different: kept as they come
        assert in_parts.n_units == 2000


def test_a_pandas_categorical_keeps_its_order_and_loses_what_is_not_there():
    order = ["none", "small", "large"]
    X = pd.DataFrame({"size": pd.Categorical(["large", "small"], categories=order)})
    model = KModes(1).fit(X)
    assert model.categories_[0].tolist() == ["small", "large"]
    assert model.cluster_centroids_.tolist() == [["small"]]  # the first of equally frequent ones
    assert model.predict(X.astype(str)).tolist() == [0, 0]
    levels = cluster_profile(X, [0, 1]).index.get_level_values("category")
    assert levels.tolist() == ["small", "large"]


@pytest.mark.parametrize("convert", [pd.Series, lambda column: column.astype("category")])
def test_columns_are_encoded_in_blocks(convert, monkeypatch):
    # numpy.unique sorts the values and says which one each row has.
    monkeypatch.setattr(_tables, "BLOCK_ROWS", 100)
    column = pd.Series(np.random.default_rng(0).choice([-3, 7, 900], size=1234))
    levels, codes = np.unique(column, return_inverse=True)
    table = _tables.encode_table(convert(column).to_frame())
    assert table.levels[0].tolist() == levels.tolist()
    assert table.codes[0].tolist() == codes.tolist()


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [
        ("int8", -128, 128),
        ("uint8", 3, 7),
        ("int16", -300, 9),
        ("uint16", 5, 305),  # more than 256 codes, of the column's own type
        ("int64", -(2**63), 2**63),  # too far apart for a look-up
        ("uint64", 2**63, 2**64),
        ("uint64", 2**63, 2**63 + 9),  # near each other, and past int64
        ("uint64", 2**63 - 3, 2**63 + 3),
    ],
)
def test_integers_of_any_type_are_encoded_in_their_order(dtype, low, high):
    # numpy.unique sorts the values and says which one each row has.
    rng = np.random.default_rng(0)
    X = rng.integers(low, high, size=(3000, 2), dtype=dtype)
    table = _tables.encode_table(X)
    for j, column in enumerate(X.T):
        levels, codes = np.unique(column, return_inverse=True)
        assert table.levels[j].tolist() == levels.tolist()
        assert table.codes[j].tolist() == codes.tolist()


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ([10, "b", 9, "a"], [9, 10, "a", "b"]),  # sorted by type, and then by value
        (["1", 1], [1, "1"]),  # a number is not its text
        ([(1, "a"), ("a", 1)], [(1, "a"), ("a", 1)]),  # no order: as they appear
    ],
)
def test_categories_of_several_types_are_kept_apart(column, expected):
    model = KModes(len(column)).fit(pd.DataFrame({"p": column}, dtype=object))
    assert model.categories_[0].tolist() == expected
    assert model.cost_ == 0
    if not isinstance(column[0], tuple):
        cells = KModes(len(column)).fit([[cell] for cell in column])
        assert cells.categories_[0].tolist() == expected


def test_rows_that_differ_in_one_of_many_columns_are_different_rows():
    # More combinations than a 64-bit integer tells apart.
    X = np.random.default_rng(0).integers(2, size=(50, 100))
    X[1] = X[0]
    X[1, 0] = 1 - X[0, 0]
    assert KModes(50, n_init=1).fit(X).cost_ == 0


def test_encoded_arrays_are_not_copied():
    X = np.asfortranarray(np.tile(np.arange(4, dtype=np.uint8), (5, 1)).T)
    table = _tables.encode_table(X)
    assert all(np.shares_memory(code, X) for code in table.codes)


def test_null_tables_keep_the_margins_and_the_number_of_rows(latent_classes):
    X, _ = latent_classes(200, 5, 3, 2, 0.2, 0)
    table = _tables.encode_table(X)
    weight = np.arange(200) % 3.0
    packed = _tables.pack(table.codes, table.sizes, weight)
    null = _tables.independent(packed, np.random.default_rng(0))
    assert null.total == weight.sum()
    drawn = null.rows(np.arange(null.n_units))
    counts = np.ones(null.n_units) if null.weights is None else null.weights
    for j in range(5):
        expected = np.bincount(X[:, j], weight)
        assert (np.bincount(drawn[:, j], counts) == expected).all()


def test_bootstrap_samples():
    # Efron (1979): a share 1 - 1 / e of the rows is drawn, here 632 of 1,000 (standard error 10).
    rng = np.random.default_rng(0)
    codes = np.arange(1000, dtype=np.int64)
    packed = _tables.pack([codes], np.array([1000]))
    sample = _tables.sampled(packed, 1000, rng, replace=True)
    assert sample.total == 1000
    assert abs(sample.n_units - 632) < 50
    # Weights are odds: 900 of 1,000 draws are expected of the first unit (standard error 9.5).
    packed = _tables.pack([codes[:2]], np.array([2]), np.array([9.0, 1.0]))
    assert abs(_tables.sampled(packed, 1000, rng).weights[0] - 900) < 50
