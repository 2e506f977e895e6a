"""Counting: labels of every kind, weights, posteriors, tables, noise."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import coo_array
from sklearn import metrics

from afterfit import agreement

labellings = st.lists(
    st.tuples(st.integers(-2, 3), st.sampled_from("abcd")), min_size=1, max_size=30
).map(lambda pairs: tuple(map(list, zip(*pairs, strict=True))))


# --- labels of every kind ---

KINDS = {
    "list of str": lambda codes: [f"class {code}" for code in codes],
    "str array": lambda codes: np.array([f"class {code}" for code in codes]),
    "object array": lambda codes: np.array([f"class {code}" for code in codes], dtype=object),
    "NumPy's variable text": lambda codes: np.array(list(map(str, codes)), np.dtypes.StringDType()),
    "big-endian integers": lambda codes: np.array(codes, dtype=">i4"),
    "big-endian Series": lambda codes: pd.Series(np.array(codes, dtype=">f8")),
    "int8": lambda codes: np.array(codes, dtype=np.int8) - 3,
    "uint64": lambda codes: np.array(codes, dtype=np.uint64) + np.uint64(2**63),
    "wide integers": lambda codes: np.array(codes, dtype=np.int64) * 10**12 - 5 * 10**11,
    "bool": lambda codes: np.array(codes) > 0,
    "float": lambda codes: np.array(codes) / 2,
    "tuples": lambda codes: [(code, str(code)) for code in codes],
    "mixed types": lambda codes: [code if code else "zero" for code in codes],
    "Series, other index": lambda codes: pd.Series(codes, index=np.arange(len(codes))[::-1]),
    "text Series": lambda codes: pd.Series([f"c{code}" for code in codes]),
    "Categorical": lambda codes: pd.Categorical([f"c{code}" for code in codes]),
    "Categorical, unused": lambda codes: pd.Categorical(codes, categories=[9, 2, 1, 0]),
    "Series of Categorical": lambda codes: pd.Series(pd.Categorical(codes)),
    "Index": lambda codes: pd.Index(codes),
    "dates": lambda codes: pd.Series(pd.to_datetime([f"2026-01-0{code + 1}" for code in codes])),
    "date array": lambda codes: np.datetime64("2026-01-01", "ns") + np.array(codes),
    "strided": lambda codes: np.repeat(np.array(codes), 2)[::2],
    "NumPy scalars": lambda codes: list(np.array(codes)),
    "nullable integers": lambda codes: pd.array(codes, dtype="Int64"),
    "Series of nullable text": lambda codes: pd.Series(codes).astype("string"),
    "Arrow integers": lambda codes: pd.array(codes, dtype="int64[pyarrow]"),
    "sparse": lambda codes: pd.arrays.SparseArray(codes),
    "MultiIndex": lambda codes: pd.MultiIndex.from_arrays([[7] * len(codes), codes]),
    "masked array, no mask": lambda codes: np.ma.array(codes),
    "array protocol": lambda codes: Tensor(codes),
}


class Tensor:
    """What other libraries' arrays have in common: NumPy can read them."""

    def __init__(self, codes):
        self.codes = codes

    def __array__(self, dtype=None, copy=None):
        return np.array(self.codes, dtype=dtype)


@pytest.mark.parametrize("kind", KINDS)
def test_labels_of_any_hashable_type(kind):
    codes = [0, 0, 1, 1, 2, 2, 2, 0]
    clusters = [1, 1, 1, 0, 0, 0, 2, 2]
    labels = KINDS[kind](codes)
    if kind == "bool":
        codes = [int(code > 0) for code in codes]
    expected = metrics.cluster.contingency_matrix(codes, clusters)
    for y_true, y_pred, table in (
        (labels, clusters, expected),
        (np.array(clusters), labels, expected.T),
    ):
        counts = agreement.contingency_table(y_true, y_pred).to_numpy()
        rows = sorted(map(tuple, counts.tolist()))
        assert sorted(map(sorted, rows)) == sorted(map(sorted, table.tolist()))
        assert agreement.purity(y_true, y_pred) == table.max(axis=0).sum() / 8


def test_table_keeps_the_labels():
    table = agreement.contingency_table(pd.Categorical(["b", "a", "b"]), [(1, 2), (0, 1), (1, 2)])
    assert table.index.tolist() == ["a", "b"]
    assert table.columns.tolist() == [(0, 1), (1, 2)]
    assert (table.index.name, table.columns.name) == ("y_true", "y_pred")
    assert table.to_numpy().tolist() == [[1, 0], [0, 2]]
    flags = np.array([True, False])
    assert agreement.contingency_table(flags, flags).index.dtype == bool


def test_categories_keep_their_order_and_unused_ones_are_left_out():
    sizes = pd.Categorical(["low", "high", "low"], ["none", "low", "high"], ordered=True)
    for labels in (sizes, pd.Series(sizes), pd.Index(sizes)):
        assert agreement.contingency_table(labels, [0, 0, 1]).index.tolist() == ["low", "high"]
    unordered = sizes.as_unordered()
    assert agreement.contingency_table(unordered, [0, 0, 1]).index.tolist() == ["high", "low"]


def test_dates_stay_dates():
    days = np.array(["2026-01-02", "2026-01-01"], dtype="datetime64[ns]")
    table = agreement.contingency_table(days, [0, 1])
    assert table.index.tolist() == [pd.Timestamp("2026-01-01"), pd.Timestamp("2026-01-02")]


def test_labels_are_never_rounded():
    # A float64, which NumPy would take for 0 and 2**64 - 1 together, holds neither neighbour.
    huge = [0, 2**64 - 1, 2**64 - 2]
    for labels in (huge, np.array(huge, dtype=np.uint64)):
        table = agreement.contingency_table(labels, [0, 1, 2])
        assert table.index.tolist() == [0, 2**64 - 2, 2**64 - 1]
        assert agreement.match_labels(labels, ["a", "b", "c"]).tolist() == huge


def test_numpy_scalars_in_a_list_are_labels_like_any_other():
    y_true = list(np.array([0, 0, 1, 1, 1]))
    assert agreement.match_labels(y_true, [5, 5, 1, 1, 0]).tolist() == [0, 0, 1, 1, 2]


def test_labels_that_cannot_be_sorted_stay_in_order_of_appearance():
    assert agreement.contingency_table(["b", 1, "a"], [0, 0, 0]).index.tolist() == ["b", 1, "a"]


@pytest.mark.parametrize("n", [1, 1000, 200_000])
def test_integers_are_counted_as_scikit_learn_counts_them(n):
    # Beyond one block, negative labels, gaps in the range.
    rng = np.random.default_rng(0)
    y_true = rng.choice([-5, -1, 0, 17], size=n)
    y_pred = rng.integers(-3, 40, size=n)
    expected = metrics.cluster.contingency_matrix(y_true, y_pred)
    table = agreement.contingency_table(y_true, y_pred)
    assert np.array_equal(table, expected)
    assert np.array_equal(table.index, np.unique(y_true))
    assert np.array_equal(table.columns, np.unique(y_pred))


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64])
def test_integers_at_both_ends_of_their_range(dtype):
    ends = np.array([np.iinfo(dtype).max, np.iinfo(dtype).min, np.iinfo(dtype).max], dtype)
    for y_true, y_pred in ((ends, np.array([1, 2, 2])), (np.array([1, 2, 2]), ends)):
        table = agreement.contingency_table(y_true, y_pred)
        assert table.index.tolist() == sorted(set(y_true.tolist()))
        assert table.columns.tolist() == sorted(set(y_pred.tolist()))
        rows = sorted(zip(y_true.tolist(), y_pred.tolist(), strict=True))
        assert [cell for cell, n in table.stack().items() if n == 1] == rows


def test_inputs_are_never_changed():
    y_true, y_pred = np.array([-1, 0, 1, 1]), np.array([1, 0, 0, 1])
    copies = y_true.copy(), y_pred.copy()
    y_true.flags.writeable = y_pred.flags.writeable = False
    agreement.purity(y_true, y_pred, noise_label=0)
    agreement.confidence_interval(agreement.purity, y_true, y_pred, n_resamples=2)
    agreement.separate_noise(y_pred, 0)
    agreement.match_labels(y_true, y_pred)
    agreement.agreement_table(y_true, y_pred)
    agreement.adjust_for_chance(agreement.purity, y_true, y_pred, n_resamples=2, random_state=0)
    assert np.array_equal(y_true, copies[0])
    assert np.array_equal(y_pred, copies[1])


def test_negative_classes_are_not_merged():
    # The popular loop renumbers in place and makes one class of -1, 0 and 1.
    assert agreement.purity(np.array([-1, -1, 0, 0, 1, 1]), np.array([0, 1, 0, 1, 0, 1])) == 1 / 3


# --- bad input ---


@pytest.mark.parametrize(
    ("y_true", "y_pred", "error", "message"),
    [
        ([1, 2], [1], ValueError, "`y_true` has 2, `y_pred` has 1"),
        (np.array([1, 2]), np.array([1]), ValueError, "`y_true` has 2, `y_pred` has 1"),
        ([], [], ValueError, "`y_true` must have at least one label, got none"),
        (
            ["a", None, "b"],
            [1, 2, 3],
            ValueError,
            r"`y_true` .* 1 missing label\(s\), in row\(s\) 1",
        ),
        ([1.0, 2.0], [np.nan, np.nan], ValueError, r"`y_pred` .* 2 missing .* 0, 1"),
        (pd.Series(["a", pd.NA]), ["a", "b"], ValueError, "1 missing"),
        (pd.Categorical(["a", None]), [1, 2], ValueError, "1 missing"),
        ([None] * 9, range(9), ValueError, "0, 1, 2, 3, 4 and 4 more"),
        (
            np.array([[1], [2]]),
            [1, 2],
            ValueError,
            r"`y_true` must have one dimension, got shape \(2, 1\).*`y_true.ravel\(\)`",
        ),
        (np.ma.array([1, 2], mask=[True, False]), [1, 2], ValueError, r"1 missing .* row\(s\) 0"),
        (pd.array([1, None, None], dtype="Int64"), [1, 2, 3], ValueError, "2 missing .* 1, 2"),
        (
            pd.DataFrame({"class": ["a", "b"]}),
            [1, 2],
            ValueError,
            r"got shape \(2, 1\).*`y_true\['class'\]`",
        ),
        ("ab", [1, 2], TypeError, "`y_true` must be a list, an array or a pandas Series"),
        (b"ab", [1, 2], TypeError, "got bytes"),
        (5, [1, 2], TypeError, "got int"),
        ([[1], [2]], [1, 2], TypeError, "`y_true` must hold hashable labels"),
        (
            pd.Series([[1], [2]], dtype=pd.ArrowDtype(pa.list_(pa.int64()))),
            [1, 2],
            TypeError,
            "`y_true` must hold hashable labels",
        ),
    ],
)
def test_bad_labels_are_named(y_true, y_pred, error, message):
    for function in (agreement.purity, agreement.agreement_table, agreement.match_labels):
        with pytest.raises(error, match=message):
            function(y_true, y_pred)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([1, 2],), ValueError, r"`y_pred` is missing.*contingency table.*got shape \(2,\)"),
        ((5,), ValueError, r"contingency table.*got shape \(\)"),
        (([[1, -2]],), ValueError, "`y_true` must not be negative, got -2 in 1 place"),
        (([[0, 0]],), ValueError, "`y_true` must have a positive sum, got 0"),
        (([[1, np.nan]],), ValueError, r"`y_true` must be finite.*column\(s\) 1"),
        ((coo_array([[1.0, np.nan]]),), ValueError, "`y_true` must be finite"),
        ((coo_array([[1, -2]]),), ValueError, "`y_true` must not be negative, got -2"),
        ((pd.DataFrame({"k": ["x"]}),), TypeError, "`y_true` must be numeric.*'k'"),
        (([0, 1], [[0.9, 0.2], [0.5, 0.5]]), TypeError, "`y_pred` must hold hashable labels"),
        (
            ([0, 1, 1], np.array([[0.5, 0.5], [0.9, 0.2], [0.9, 0.9]])),
            ValueError,
            r"`y_pred` .* posterior probabilities.* sum of 1\.1 in row 1 \(2 row\(s\) in all\)",
        ),
        (([0, 1], np.array([[1.5, -0.5], [1, 0]])), ValueError, "must not be negative, got -0.5"),
        (([0, 1], np.array([[np.nan, 1], [1, 0]])), ValueError, "`y_pred` must be finite"),
        (([0, 1], np.array([[1.0, 0.0]])), ValueError, "`y_true` has 2, `y_pred` has 1"),
        ((np.array([["a", "b"], ["a", "b"]]), [0, 1]), TypeError, "`y_true` must be numeric"),
        ((coo_array(np.eye(2)), [0, 1]), TypeError, "`y_true` must be a list, an array or"),
    ],
)
def test_bad_tables_and_posteriors(arguments, error, message):
    with pytest.raises(error, match=message):
        agreement.purity(*arguments)


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        ([1], ValueError, "`y_pred` has 2, `sample_weight` has 1"),
        ([1, -1], ValueError, "`sample_weight` must not be negative, got -1 in 1 place"),
        ([0, 0], ValueError, "`sample_weight` must have a positive sum"),
        ([1, np.nan], ValueError, "`sample_weight` must be one finite number.*missing or infinite"),
        (["a", "b"], TypeError, "`sample_weight` must be numeric"),
        (np.ones((2, 1)), ValueError, r"`sample_weight` must be one .* got shape \(2, 1\)"),
        (3, ValueError, r"`sample_weight` must be one .* got shape \(\)"),
    ],
)
def test_bad_weights(weights, error, message):
    for posteriors in ([0, 1], np.eye(2)):
        with pytest.raises(error, match=message):
            agreement.purity([0, 1], posteriors, sample_weight=weights)


def test_a_table_holds_its_weights():
    with pytest.raises(ValueError, match="`sample_weight` needs labels"):
        agreement.purity([[1, 2], [3, 4]], sample_weight=[1, 2])


# --- two indexes ---


def test_series_with_other_indexes_are_refused():
    y_true = pd.Series(["a", "b", "a"], index=[4, 7, 9])
    y_pred = pd.Series([1, 2, 1], index=[7, 4, 9])
    message = (
        "`y_true` and `y_pred` must have the same index, got 4 and 7 in row 0. To align them by "
        r"index pass `y_pred.reindex\(y_true.index\)`, to take .* `y_pred.to_numpy\(\)`"
    )
    for function in (agreement.purity, agreement.match_labels, agreement.plot_contingency_table):
        with pytest.raises(ValueError, match=message):
            function(y_true, y_pred)
    # What the error advises.
    assert agreement.purity(y_true, y_pred.reindex(y_true.index)) == 2 / 3
    assert agreement.purity(y_true, y_pred.to_numpy()) == 1
    assert agreement.purity(y_true, list(y_pred)) == 1


def test_weights_and_posteriors_with_other_indexes_are_refused():
    y_true, weights = pd.Series(["a", "b"]), pd.Series([1, 2], index=[5, 6])
    posteriors = pd.DataFrame(np.eye(2), index=["r", "s"])
    with pytest.raises(ValueError, match=r"`y_true` and `sample_weight` .* got 0 and 5 in row 0"):
        agreement.purity(y_true, [0, 1], sample_weight=weights)
    with pytest.raises(ValueError, match=r"`y_pred` and `sample_weight` .* got 'r' and 5"):
        agreement.purity([0, 1], posteriors, sample_weight=weights)
    with pytest.raises(ValueError, match=r"`y_true` and `y_other` .* got 0 and 5"):
        agreement.compare_clusterings(agreement.purity, y_true, [0, 1], weights)


def test_labels_that_have_no_partner_are_missing():
    y_true, y_pred = pd.Series([0, 0, 1]), pd.Series([5, 5, 6], index=[0, 1, 3])
    with pytest.raises(ValueError, match=r"`y_pred` .* 1 missing label\(s\), in row\(s\) 2"):
        agreement.purity(y_true, y_pred.reindex(y_true.index))


# --- weights, posteriors, tables ---


def test_names_of_posteriors_and_of_tables_are_kept():
    posteriors = pd.DataFrame({"low": [0.9, 0.2], "high": [0.1, 0.8]})
    table = agreement.contingency_table(["x", "y"], posteriors)
    assert (table.index.tolist(), table.columns.tolist()) == (["x", "y"], ["low", "high"])
    assert table.to_numpy().tolist() == [[0.9, 0.1], [0.2, 0.8]]


def test_whole_weights_give_whole_counts():
    table = agreement.contingency_table(["x", "y", "z"], [0, 1, 1], sample_weight=[2.0, 3, 0])
    assert table.to_numpy().tolist() == [[2, 0], [0, 3]]  # z stands for no row
    assert set(table.dtypes) == {np.dtype("int64")}
    halves = agreement.contingency_table(["x", "y"], [0, 1], sample_weight=[0.5, 3])
    assert halves.to_numpy().tolist() == [[0.5, 0], [0, 3]]


def test_one_component_has_one_cluster():
    # What GaussianMixture(1).predict_proba gives; labels that are all 1 say the same.
    assert agreement.purity(["a", "a", "b"], np.ones((3, 1))) == 2 / 3


@given(labellings, st.integers(0, 99))
def test_counts_of_posteriors_by_loops(labels, seed):
    y_true, _ = labels
    rng = np.random.default_rng(seed)
    posteriors = rng.dirichlet([0.5, 1, 2], size=len(y_true))
    weights = rng.uniform(0.1, 3, size=len(y_true))
    table = agreement.contingency_table(y_true, posteriors, sample_weight=weights)
    for c in table.index:
        for k in table.columns:
            share = sum(
                w * p[k] for t, p, w in zip(y_true, posteriors, weights, strict=True) if t == c
            )
            assert table.loc[c, k] == pytest.approx(share, rel=1e-12)
