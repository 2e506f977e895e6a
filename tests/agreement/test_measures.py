"""`afterfit.agreement` against published values, scikit-learn, and brute force over rows."""

from itertools import permutations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from afterfit import agreement

# Manning, Raghavan & Schuetze (2008), figure 16.4: three clusters of crosses, circles, diamonds.
MANNING_TRUE = list("xxxxxo" + "xooood" + "xxddd")
MANNING_PRED = [1] * 6 + [2] * 6 + [3] * 5

MEASURES = {
    "purity": agreement.purity,
    "inverse_purity": agreement.inverse_purity,
    "f_measure": agreement.f_measure,
    "pairwise_f_measure": agreement.pairwise_f_measure,
    "matched_accuracy": agreement.matched_accuracy,
    "bcubed precision": lambda y_true, y_pred: agreement.bcubed(y_true, y_pred).precision,
    "bcubed recall": lambda y_true, y_pred: agreement.bcubed(y_true, y_pred).recall,
    "bcubed f": lambda y_true, y_pred: agreement.bcubed(y_true, y_pred).f,
}
SYMMETRIC = ("pairwise_f_measure", "matched_accuracy", "bcubed f")

labellings = st.lists(
    st.tuples(st.integers(-2, 3), st.sampled_from("abcd")), min_size=1, max_size=30
).map(lambda pairs: tuple(map(list, zip(*pairs, strict=True))))

every_measure = pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES.keys())


# --- published values ---


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        # Book's text: purity 0.71 (= 12/17), RI 0.68, F1 0.48, F5 0.456, NMI 0.36; the
        # other rows from the same counts by hand or by scikit-learn, see reference-values.
        (agreement.purity, 12 / 17),
        (agreement.inverse_purity, 0.7059),
        (agreement.matched_accuracy, 0.7059),
        (agreement.pairwise_f_measure, 0.4762),
        (lambda t, p: agreement.pairwise_f_measure(t, p, beta=5), 0.4561),
        (agreement.f_measure, 0.7069),
        (lambda t, p: agreement.bcubed(t, p).precision, 0.5843),
        (lambda t, p: agreement.bcubed(t, p).recall, 0.5676),
        # By hand, 2 (149/255) (193/340) / (149/255 + 193/340); the harmonic mean of the two
        # rounded values above is 0.5758.
        (lambda t, p: agreement.bcubed(t, p).f, 0.57586),
    ],
)
def test_figure_16_4_of_manning(score, expected):
    assert score(MANNING_TRUE, MANNING_PRED) == pytest.approx(expected, abs=5e-5)


def test_table_of_all_measures_on_figure_16_4():
    table = agreement.agreement_table(MANNING_TRUE, MANNING_PRED)
    expected = {
        "purity": 0.7059,
        "inverse purity": 0.7059,
        "F measure": 0.7069,
        "B-cubed precision": 0.5843,
        "B-cubed recall": 0.5676,
        "B-cubed F": 0.5759,
        "matched accuracy": 0.7059,
        "pairwise F measure": 0.4762,
        "Rand index": 0.6765,
        "adjusted Rand index": 0.2429,
        "mutual information, normalised": 0.3646,
        "mutual information, adjusted": 0.2602,
        "V-measure": 0.3646,
    }
    assert table["value"].round(4).to_dict() == expected


def test_table_says_truly_how_each_measure_behaves_at_chance():
    rng = np.random.default_rng(6)
    y_true = rng.integers(3, size=200)
    few, many = (
        agreement.agreement_table(y_true, rng.integers(k, size=200))["value"] for k in (2, 30)
    )
    table = agreement.agreement_table(y_true, y_true)
    assert (table.index.name, *table.columns) == ("measure", "value", "at chance", "question")
    holds = {
        "0": abs(few) + abs(many) < 0.04,
        "above 0": np.minimum(few, many) > 0.04,
        "grows with the clusters": few < many - 0.04,
        "falls with the clusters": few > many + 0.04,
    }
    for measure, behaviour in table["at chance"].items():
        assert holds[behaviour][measure], measure


def test_purity_of_a_rare_class_is_no_merit():
    # Reference value: 99 of one label and 1 of another in two clusters of 50: purity 0.99.
    y_true, y_pred = ["a"] * 99 + ["b"], [0] * 50 + [1] * 50
    assert agreement.purity(y_true, y_pred) == 0.99
    assert agreement.matched_accuracy(y_true, y_pred) == 0.51  # 50 + 1 by hand


# --- brute force ---


@given(labellings)
def test_contingency_table_counts_rows(labels):
    y_true, y_pred = labels
    table = agreement.contingency_table(y_true, y_pred)
    assert list(table.index) == sorted(set(y_true))
    assert list(table.columns) == sorted(set(y_pred))
    for c in table.index:
        for k in table.columns:
            assert table.loc[c, k] == sum((t, p) == (c, k) for t, p in zip(*labels, strict=True))


@given(labellings)
def test_purity_by_counting_rows(labels):
    y_true, y_pred = labels
    right = 0
    for cluster in set(y_pred):
        members = [t for t, p in zip(y_true, y_pred, strict=True) if p == cluster]
        right += max(members.count(label) for label in members)
    assert agreement.purity(y_true, y_pred) == pytest.approx(right / len(y_true), abs=1e-12)


@given(labellings)
def test_bcubed_by_looking_from_every_row(labels):
    rows = list(zip(*labels, strict=True))
    precision, recall = [], []
    for true, pred in rows:
        both = sum(t == true and p == pred for t, p in rows)
        precision.append(both / sum(p == pred for _, p in rows))
        recall.append(both / sum(t == true for t, _ in rows))
    scores = agreement.bcubed(*labels)
    assert scores.precision == pytest.approx(np.mean(precision), abs=1e-12)
    assert scores.recall == pytest.approx(np.mean(recall), abs=1e-12)


@given(labellings, st.sampled_from([0.5, 1.0, 2.0]))
def test_f_measure_by_loops(labels, beta):
    y_true, y_pred = map(np.array, labels)
    total = 0.0
    for c in set(y_true.tolist()):
        best = 0.0
        for k in set(y_pred.tolist()):
            both = np.sum((y_true == c) & (y_pred == k))
            precision, recall = both / np.sum(y_pred == k), both / np.sum(y_true == c)
            if both:
                f = (1 + beta**2) * precision * recall / (beta**2 * precision + recall)
                best = max(best, f)
        total += np.mean(y_true == c) * best
    assert agreement.f_measure(y_true, y_pred, beta=beta) == pytest.approx(total, abs=1e-12)


@given(labellings, st.sampled_from([0.5, 1.0, 5.0]))
def test_pairwise_f_measure_from_scikit_learns_pairs(labels, beta):
    # sklearn counts ordered pairs: [[apart in both, ...], [..., together in both]].
    (_, false_positive), (false_negative, true_positive) = metrics.cluster.pair_confusion_matrix(
        *map(_codes, labels)
    )
    weighted = (1 + beta**2) * true_positive
    total = weighted + beta**2 * false_negative + false_positive
    expected = weighted / total if total else 1.0
    found = agreement.pairwise_f_measure(*labels, beta=beta)
    assert found == pytest.approx(expected, abs=1e-12)


@given(labellings)
def test_matched_accuracy_tries_every_matching(labels):
    counts = agreement.contingency_table(*labels).to_numpy()
    if counts.shape[0] > counts.shape[1]:
        counts = counts.T
    best = max(
        sum(counts[c, k] for c, k in enumerate(chosen))
        for chosen in permutations(range(counts.shape[1]), counts.shape[0])
    )
    found = agreement.matched_accuracy(*labels)
    assert found == pytest.approx(best / len(labels[0]), abs=1e-12)


# --- what must hold for every measure ---


@every_measure
@given(labels=labellings)
def test_in_the_unit_interval(measure, labels):
    assert 0 <= measure(*labels) <= 1


@every_measure
@given(labels=labellings)
def test_one_on_identical_partitions_under_other_names(measure, labels):
    y_true, _ = labels
    assert measure(y_true, [f"cluster {label}" for label in y_true]) == pytest.approx(1, abs=1e-12)


@every_measure
@given(labels=labellings, seed=st.integers(0, 99))
def test_names_and_order_do_not_matter(measure, labels, seed):
    y_true, y_pred = labels
    order = np.random.default_rng(seed).permutation(len(y_true))
    renamed = [{"a": (1, 2), "b": "z", "c": 0.5, "d": frozenset()}[y_pred[i]] for i in order]
    shuffled = [-7 * y_true[i] for i in order]
    assert measure(shuffled, renamed) == pytest.approx(measure(y_true, y_pred), abs=1e-12)


@pytest.mark.parametrize("name", SYMMETRIC)
@given(labels=labellings)
def test_symmetric(name, labels):
    y_true, y_pred = labels
    measure = MEASURES[name]
    assert measure(y_true, y_pred) == pytest.approx(measure(y_pred, y_true), abs=1e-12)


@given(labellings)
def test_exchanging_the_arguments(labels):
    y_true, y_pred = labels
    assert agreement.inverse_purity(y_true, y_pred) == agreement.purity(y_pred, y_true)
    forth, back = agreement.bcubed(y_true, y_pred), agreement.bcubed(y_pred, y_true)
    assert (forth.precision, forth.recall) == pytest.approx((back.recall, back.precision))


@given(labellings, st.integers(0, 99))
def test_purity_never_falls_when_a_cluster_is_split(labels, seed):
    y_true, y_pred = labels
    halves = np.random.default_rng(seed).integers(2, size=len(y_pred)).tolist()
    split = list(zip(y_pred, halves, strict=True))
    assert agreement.purity(y_true, split) >= agreement.purity(y_true, y_pred)


def test_every_measure_of_the_module_is_in_the_lists_above():
    no_measures = {"adjust_for_chance", "agreement_table", "contingency_table", "match_labels"}
    functions = {name for name in agreement.__all__ if name[0].islower()}
    tested = {name.split()[0] for name in MEASURES}
    assert functions - no_measures - {"plot_contingency_table"} == tested


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
    "wide integers": lambda codes: np.array(codes) * 10**12 - 5 * 10**11,
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
    for measure in MEASURES.values():
        measure(y_true, y_pred)
    agreement.match_labels(y_true, y_pred)
    agreement.agreement_table(y_true, y_pred)
    agreement.adjust_for_chance(agreement.purity, y_true, y_pred, n_resamples=2, random_state=0)
    assert np.array_equal(y_true, copies[0])
    assert np.array_equal(y_pred, copies[1])


def test_negative_classes_are_not_merged():
    # The popular loop renumbers in place and makes one class of -1, 0 and 1.
    assert agreement.purity(np.array([-1, -1, 0, 0, 1, 1]), np.array([0, 1, 0, 1, 0, 1])) == 1 / 3


# --- large tables ---


@pytest.fixture
def as_if_large(monkeypatch):
    """Count every table as one that is too large to be held with its empty cells."""

    def switch():
        monkeypatch.setattr(agreement._measures, "_MAX_SMALL_TABLE", 0)
        monkeypatch.setattr(agreement._measures, "_MAX_FULL_MATCHING", 0)

    return switch


@pytest.mark.parametrize("n", [1, 5, 40, 400])
def test_a_large_table_gives_what_a_small_one_gives(n, as_if_large):
    rng = np.random.default_rng(n)
    shapes = [(3, 3), (9, 4), (2, 30), (20, 20)]
    tables = [(rng.integers(k, size=n), rng.integers(m, size=n)) for k, m in shapes]
    small = [[measure(*labels) for measure in MEASURES.values()] for labels in tables]
    as_if_large()
    large = [[measure(*labels) for measure in MEASURES.values()] for labels in tables]
    assert large == small


def test_as_many_clusters_as_rows():
    # Every class holds two rows, each a cluster of its own.
    n = 30_000
    y_true, y_pred = np.arange(n) // 2, np.arange(n) * 10**6
    assert agreement.purity(y_true, y_pred) == 1
    assert agreement.inverse_purity(y_true, y_pred) == 0.5
    assert agreement.matched_accuracy(y_true, y_pred) == 0.5
    assert agreement.bcubed(y_true, y_pred) == agreement.BCubed(1.0, 0.5, 2 / 3)
    assert agreement.f_measure(y_true, y_pred) == pytest.approx(2 / 3, abs=1e-12)
    assert agreement.pairwise_f_measure(y_true, y_pred) == 0
    with pytest.raises(ValueError, match="a table of 450,000,000 cells"):
        agreement.contingency_table(y_true, y_pred)


# --- matching ---


def test_match_labels_renames_by_the_best_matching():
    renamed = agreement.match_labels(MANNING_TRUE, MANNING_PRED)
    assert renamed.tolist() == ["x"] * 6 + ["o"] * 6 + ["d"] * 5
    accuracy = agreement.matched_accuracy(MANNING_TRUE, MANNING_PRED)
    assert np.mean(renamed == np.array(MANNING_TRUE)) == pytest.approx(accuracy)


def test_match_labels_with_more_clusters_than_classes():
    assert agreement.match_labels([0, 0, 1, 1, 1], [5, 5, 1, 1, 0]).tolist() == [0, 0, 1, 1, 2]
    named = agreement.match_labels(["a", "a", "unmatched 7", "b"], [1, 7, 2, 3])
    assert named[0] != named[1]
    assert set(named) - {"a", "b", "unmatched 7"} in ({"unmatched 7'"}, {"unmatched 1"})


@pytest.mark.parametrize(
    ("y_true", "y_pred", "expected"),
    [
        ([1, 1, "a", 1], ["p", "p", "q", "r"], [1, 1, "a", "unmatched r"]),
        ([True, True, False, True], ["p", "p", "q", "r"], [True, True, False, "unmatched r"]),
        (["a", "a", "a", "a"], ["p", "p", 7, "7"], ["a", "a", "unmatched 7", "unmatched 7'"]),
    ],
)
def test_names_of_unmatched_clusters(y_true, y_pred, expected):
    assert agreement.match_labels(y_true, y_pred).tolist() == expected


def test_match_labels_with_fewer_clusters_than_classes():
    assert agreement.match_labels(["a", "b", "b", "c"], [0, 1, 1, 1]).tolist() == list("abbb")


def test_a_cluster_that_shares_no_row_with_a_class_is_not_named_after_it():
    # Cluster q holds class 0 only, which p finds better: it must not be called 1.
    renamed = agreement.match_labels([0, 0, 0, 0, 1], ["p", "p", "p", "q", "p"])
    assert renamed.tolist() == [0, 0, 0, 2, 0]


@given(labellings)
def test_match_labels_reaches_the_matched_accuracy(labels):
    y_true, y_pred = labels
    renamed = agreement.match_labels(y_true, y_pred)
    share = np.mean([a == b for a, b in zip(renamed.tolist(), y_true, strict=True)])
    assert share == pytest.approx(agreement.matched_accuracy(y_true, y_pred))
    assert len(set(renamed.tolist())) == len(set(y_pred))


# --- chance ---


@every_measure
def test_chance_is_the_mean_over_all_permutations(measure):
    y_true, y_pred = [0, 0, 0, 1, 1, 2], [1, 1, 0, 0, 0, 0]
    all_scores = np.array([measure(y_true, order) for order in permutations(y_pred)])
    score = agreement.adjust_for_chance(measure, y_true, y_pred, n_resamples=2000, random_state=1)
    assert score.observed == measure(y_true, y_pred)
    exact = all_scores.mean()
    assert score.expected == pytest.approx(exact, abs=4 * score.standard_error)
    assert score.standard_error == pytest.approx(all_scores.std() / 2000**0.5, rel=0.1)
    assert score.adjusted == pytest.approx((score.observed - exact) / (1 - exact), abs=0.03)
    at_least = np.mean(all_scores >= score.observed - 1e-12)
    # Binomial(2000, p), four standard deviations.
    assert score.pvalue == pytest.approx(at_least, abs=4 * (0.25 / 2000) ** 0.5)


def test_the_adjustment_of_given_scores():
    scores = iter([0.5, 0.1, 0.5, 0.2, 0.8])  # the observed one, then those of four orders
    score = agreement.adjust_for_chance(
        lambda *_: next(scores), [0, 1], [0, 1], n_resamples=4, random_state=0
    )
    assert (score.observed, score.n_resamples) == (0.5, 4)
    assert score.expected == pytest.approx(0.4)  # 1.6 / 4
    assert score.adjusted == pytest.approx(0.1 / 0.6)
    assert score.pvalue == 3 / 5  # the observed order, 0.5 and 0.8
    assert score.standard_error == pytest.approx((0.3 / 3) ** 0.5 / 2)  # squares sum to 0.3


def test_scores_that_differ_by_rounding_only_are_equal():
    def adjust(*scores):
        given = iter(scores)
        return agreement.adjust_for_chance(
            lambda *_: next(given), [0, 1], [0, 1], n_resamples=len(scores) - 1, random_state=0
        )

    assert adjust(0.1 + 0.2, 0.3, 0.3).pvalue == 1
    assert adjust(1 - 1e-15, 1 - 1e-15).adjusted == 1  # as at 1, of identical partitions
    assert adjust(1 + 1e-15, 0.5).observed == 1 + 1e-15
    assert adjust(0.5, 0.5).standard_error == np.inf  # one permutation tells no spread


def test_only_the_clusters_are_permuted():
    orders = []

    def metric(classes, clusters):
        orders.append((tuple(classes), tuple(clusters)))
        return 0.5

    score = agreement.adjust_for_chance(metric, list("aabb"), [1, 2, 3, 4], random_state=0)
    assert (score.n_resamples, len(orders)) == (999, 1000)
    assert {classes for classes, _ in orders} == {(0, 0, 1, 1)}
    assert {clusters for _, clusters in orders} == set(permutations(range(4)))


def test_adjusting_the_rand_index_gives_the_adjusted_rand_index():
    # Hubert and Arabie's expectation in closed form, by scikit-learn.
    rng = np.random.default_rng(3)
    y_true = rng.integers(3, size=200)
    y_pred = np.where(rng.uniform(size=200) < 0.5, y_true, rng.integers(3, size=200))
    score = agreement.adjust_for_chance(
        metrics.rand_score, y_true, y_pred, n_resamples=500, random_state=4
    )
    slope = 1 / (1 - score.expected)
    expected = metrics.adjusted_rand_score(y_true, y_pred)
    assert score.adjusted == pytest.approx(expected, abs=4 * slope * score.standard_error)
    assert score.pvalue == 1 / 501


def test_pvalues_are_uniform_when_there_is_nothing_to_find():
    rng = np.random.default_rng(5)
    pvalues = np.array(
        [
            agreement.adjust_for_chance(
                agreement.pairwise_f_measure,
                rng.integers(3, size=120),
                rng.integers(4, size=120),
                n_resamples=39,
                random_state=rng,
            ).pvalue
            for _ in range(300)
        ]
    )
    # Binomial(300, p) at p = 0.05 and 0.5, four standard deviations.
    assert np.mean(pvalues <= 0.05) == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 300))
    assert np.mean(pvalues <= 0.5) == pytest.approx(0.5, abs=4 * np.sqrt(0.25 / 300))


@pytest.mark.parametrize(
    ("y_true", "y_pred", "adjusted"),
    [([1, 1, 1], [2, 2, 2], 1.0), ([1, 1, 1], [1, 2, 3], 0.0), ([0], ["a"], 1.0)],
)
def test_where_chance_alone_gives_one(y_true, y_pred, adjusted):
    # As scikit-learn's adjusted Rand index decides the same degenerate cases.
    score = agreement.adjust_for_chance(
        agreement.purity, y_true, y_pred, n_resamples=9, random_state=0
    )
    assert (score.expected, score.adjusted, score.pvalue) == (1.0, adjusted, 1.0)
    assert metrics.adjusted_rand_score(y_true, list(map(str, y_pred))) == adjusted


def test_where_chance_alone_gives_one_from_the_other_side():
    score = agreement.adjust_for_chance(
        agreement.inverse_purity, [1, 2, 3], [1, 1, 1], n_resamples=9, random_state=0
    )
    assert (score.expected, score.adjusted) == (1.0, 0.0)
    assert metrics.adjusted_rand_score([1, 2, 3], [1, 1, 1]) == 0


def test_random_state_reproduces():
    first, again, other = (
        agreement.adjust_for_chance(
            agreement.purity, MANNING_TRUE, MANNING_PRED, n_resamples=50, random_state=seed
        )
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first.expected != other.expected


# --- the figure ---


def test_plot_orders_clusters_by_their_classes():
    import matplotlib.pyplot as plt

    ax = agreement.plot_contingency_table(["a", "a", "b", "b", "b"], [2, 2, 0, 0, 1])
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["2", "0", "1"]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["a", "b"]
    assert [text.get_text() for text in ax.texts] == ["2", "0", "0", "0", "2", "1"]
    assert len(ax.patches) == 2
    plt.close(ax.figure)


def test_plot_frames_what_match_labels_matches():
    # Cluster q shares no row with class 1: it is named after no class, and nothing of it framed.
    import matplotlib.pyplot as plt

    ax = agreement.plot_contingency_table([0, 0, 0, 0, 1], ["p", "p", "p", "q", "p"])
    (frame,) = ax.patches
    assert np.floor(frame.get_xy()).tolist() == [-1, -1]  # around the cell of class 0 and p
    plt.close(ax.figure)


def test_plot_shows_shares_of_classes_and_labels_as_they_are():
    import matplotlib.pyplot as plt

    y_true = ["a$b$"] * 1500 + ["c"] * 10
    y_pred = ["$1$"] * 1200 + ["2"] * 300 + ["$1$"] * 4 + ["2"] * 6
    ax = agreement.plot_contingency_table(y_true, y_pred)
    (image,) = ax.images
    np.testing.assert_allclose(image.get_array(), [[0.8, 0.2], [0.4, 0.6]])
    assert image.get_clim() == (0, 1)
    assert image.colorbar.ax.get_ylabel() == "share of the class"
    shown = [(text.get_text(), text.get_color()) for text in ax.texts]
    assert shown == [("1,200", "white"), ("300", "black"), ("4", "black"), ("6", "white")]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == [r"\$1\$", "2"]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == [r"a\$b\$", "c"]
    plt.close(ax.figure)


def test_plot_uses_the_axes_it_is_given():
    import matplotlib.pyplot as plt

    fig, ax = plt.subplots()
    assert agreement.plot_contingency_table([0, 1], [1, 0], ax=ax) is ax
    plt.close(fig)


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
            np.ones((2, 1)),
            [1, 2],
            ValueError,
            r"`y_true` must have one dimension, got shape \(2, 1\)",
        ),
        (np.ma.array([1, 2], mask=[True, False]), [1, 2], ValueError, r"1 missing .* row\(s\) 0"),
        (pd.array([1, None, None], dtype="Int64"), [1, 2, 3], ValueError, "2 missing .* 1, 2"),
        (pd.DataFrame({"class": [1, 2]}), [1, 2], ValueError, r"got shape \(2, 1\)"),
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
        ({"n_resamples": 0}, ValueError, "`n_resamples` must be at least 1, got 0"),
        ({"n_resamples": 1.5}, TypeError, "`n_resamples` must be an integer, got 1.5"),
        ({"random_state": -1}, ValueError, "`random_state` must be None"),
        ({"metric": "purity"}, TypeError, "`metric` must be a function"),
        ({"metric": agreement.bcubed}, TypeError, "must return a number, got BCubed; .*lambda"),
        ({"metric": lambda *_: np.nan}, ValueError, "must be at most 1 .* got nan"),
        ({"metric": lambda *_: 1.5}, ValueError, "must be at most 1 .* got 1.5"),
        ({"metric": lambda *_: -np.inf}, ValueError, "must be at most 1 .* got -inf"),
    ],
)
def test_bad_arguments_of_the_adjustment(arguments, error, message):
    arguments = {"metric": agreement.purity, "y_true": [0, 1], "y_pred": [0, 1], **arguments}
    with pytest.raises(error, match=message):
        agreement.adjust_for_chance(**arguments)


def test_beta_weighs_precision_against_recall_to_the_end():
    # Class "x" is found by cluster 1 with precision 3/4 and recall 1; "o" by 2 with 1 and 1/2.
    y_true, y_pred = ["x", "x", "x", "o", "o"], [1, 1, 1, 1, 2]
    assert agreement.f_measure(y_true, y_pred, beta=1e-200) == pytest.approx(0.6 * 0.75 + 0.4)
    assert agreement.f_measure(y_true, y_pred, beta=1e200) == pytest.approx(0.6 + 0.4 / 2)
    # Of 6 pairs put together 3 belong together, of the 4 pairs that do 3 are put together.
    assert agreement.pairwise_f_measure(y_true, y_pred, beta=1e-200) == 0.5
    assert agreement.pairwise_f_measure(y_true, y_pred, beta=1e200) == 0.75


@pytest.mark.parametrize("beta", [0, -1, np.nan, np.inf])
def test_bad_beta(beta):
    for measure in (agreement.f_measure, agreement.pairwise_f_measure):
        with pytest.raises(ValueError, match="`beta` must lie in"):
            measure([0, 1], [0, 1], beta=beta)


def _codes(labels):
    return np.unique(labels, return_inverse=True)[1]
