"""The measures against published values, R's clue, and brute force over rows and pairs."""

from itertools import combinations, permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

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
    "bcubed precision": lambda *labels, **options: agreement.bcubed(*labels, **options).precision,
    "bcubed recall": lambda *labels, **options: agreement.bcubed(*labels, **options).recall,
    "bcubed f": lambda *labels, **options: agreement.bcubed(*labels, **options).f,
}
SYMMETRIC = ("pairwise_f_measure", "matched_accuracy", "bcubed f")

labellings = st.lists(
    st.tuples(st.integers(-2, 3), st.sampled_from("abcd")), min_size=1, max_size=30
).map(lambda pairs: tuple(map(list, zip(*pairs, strict=True))))

OF_WHOLE_COUNTS = {
    "pairwise_f_measure": agreement.pairwise_f_measure,
    "adjusted_mutual_information": agreement.adjusted_mutual_information,
}
OF_SHARES = {name: measure for name, measure in MEASURES.items() if name not in OF_WHOLE_COUNTS}

every_measure_there_is = pytest.mark.parametrize(
    "measure", {**MEASURES, **OF_WHOLE_COUNTS}.values(), ids={**MEASURES, **OF_WHOLE_COUNTS}.keys()
)
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
def test_pairwise_f_measure_by_looking_at_every_pair(labels, beta):
    rows = list(zip(*labels, strict=True))
    in_both = in_class = in_cluster = 0
    for (c, k), (other_c, other_k) in combinations(rows, 2):
        in_both += c == other_c and k == other_k
        in_class += c == other_c
        in_cluster += k == other_k
    total = beta**2 * in_class + in_cluster
    expected = (1 + beta**2) * in_both / total if total else 1.0
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
    no_measures = {
        "adjust_for_chance",
        "agreement_table",
        "compare_clusterings",
        "confidence_interval",
        "contingency_table",
        "match_labels",
        "plot_contingency_table",
        "separate_noise",
    }
    functions = {name for name in agreement.__all__ if name[0].islower()}
    tested = {name.split()[0] for name in (*MEASURES, *OF_WHOLE_COUNTS)}
    assert functions - no_measures == tested


# --- weights, tables, posteriors, noise ---


@every_measure_there_is
@settings(max_examples=30)
@given(labels=labellings, seed=st.integers(0, 99))
def test_a_weight_is_a_number_of_rows(measure, labels, seed):
    weights = np.random.default_rng(seed).integers(4, size=len(labels[0]))
    weights[0] = 1
    repeated = [np.repeat(np.array(column), weights.astype(np.intp)) for column in labels]
    for given_weights in (weights, weights.astype(float), weights.tolist(), pd.Series(weights)):
        weighted = measure(*labels, sample_weight=given_weights)
        assert weighted == pytest.approx(measure(*repeated), abs=1e-12)


@pytest.mark.parametrize("measure", OF_SHARES.values(), ids=OF_SHARES.keys())
@given(labels=labellings, seed=st.integers(0, 99))
def test_a_common_factor_of_all_weights_changes_nothing(measure, labels, seed):
    weights = np.random.default_rng(seed).uniform(0.1, 2, size=len(labels[0]))
    one, other = (measure(*labels, sample_weight=factor * weights) for factor in (1, 7.5))
    assert one == pytest.approx(other, abs=1e-12)


@every_measure_there_is
@settings(max_examples=30)
@given(labels=labellings)
def test_a_contingency_table_stands_for_its_rows(measure, labels):
    table = agreement.contingency_table(*labels)
    crossed = pd.crosstab(*map(np.array, labels))
    expected = measure(*labels)
    for given_table in (
        table,
        crossed,
        table.to_numpy(),
        table.to_numpy().tolist(),
        csr_array(table.to_numpy()),
        np.pad(table.to_numpy(dtype=float), 1),  # a class and a cluster that no row has
    ):
        assert measure(given_table) == pytest.approx(expected, abs=1e-12)


@every_measure_there_is
@settings(max_examples=30)
@given(labels=labellings)
def test_certain_posteriors_are_labels(measure, labels):
    y_true, y_pred = labels
    dummies = pd.get_dummies(pd.Series(y_pred))
    expected = measure(y_true, y_pred)
    for posteriors in (dummies, dummies.to_numpy(dtype=np.float32)):
        assert measure(y_true, posteriors) == pytest.approx(expected, abs=1e-12)
    truth = pd.get_dummies(pd.Series(y_true)).to_numpy(dtype=float)
    assert measure(truth, dummies) == pytest.approx(expected, abs=1e-12)


@every_measure_there_is
@settings(max_examples=30)
@given(labels=labellings)
def test_rows_of_noise_are_left_out(measure, labels):
    y_true, y_pred = labels
    stay = [i for i, cluster in enumerate(y_pred) if cluster != "a"]
    if not stay:
        with pytest.raises(ValueError, match=r"got noise \('a'\) in every row"):
            measure(y_true, y_pred, noise_label="a")
        return
    expected = measure([y_true[i] for i in stay], [y_pred[i] for i in stay])
    assert measure(y_true, y_pred, noise_label="a") == pytest.approx(expected, abs=1e-12)
    table = agreement.contingency_table(y_true, y_pred)
    assert measure(table, noise_label="a") == pytest.approx(expected, abs=1e-12)


# Seven rows, three clusters; R 4.2.2 with clue 0.3-64, u being POSTERIORS and v OTHERS:
#   cl_agreement(as.cl_partition(u), as.cl_partition(c(1,1,2,2,3,3,3)), method = "diag")
#     0.6571428571
#   cl_agreement(as.cl_partition(u), as.cl_partition(v), method = "diag")   0.4971428571
POSTERIORS = np.array(
    [
        [0.9, 0.1, 0],
        [0.6, 0.3, 0.1],
        [0.2, 0.7, 0.1],
        [0.1, 0.8, 0.1],
        [0.3, 0.3, 0.4],
        [0, 0.2, 0.8],
        [0.5, 0.1, 0.4],
    ]
)
OTHERS = np.array([[0.8, 0.2], [0.7, 0.3], [0.1, 0.9], [0.2, 0.8], [0.5, 0.5], [0.4, 0.6], [1, 0]])
KNOWN = [1, 1, 2, 2, 3, 3, 3]


def test_posteriors_against_clue():
    assert agreement.matched_accuracy(KNOWN, POSTERIORS) == pytest.approx(0.6571428571, abs=1e-9)
    both_soft = agreement.matched_accuracy(OTHERS, POSTERIORS)
    assert both_soft == pytest.approx(0.4971428571, abs=1e-9)


def test_posteriors_by_hand():
    # Cluster 0 has 1.5, 0.3 and 0.8 of the classes, 1 has 0.4, 1.5, 0.6, and 2 has 0.1, 0.2, 1.6.
    table = agreement.contingency_table(KNOWN, POSTERIORS)
    np.testing.assert_allclose(table, [[1.5, 0.4, 0.1], [0.3, 1.5, 0.2], [0.8, 0.6, 1.6]])
    assert agreement.purity(KNOWN, POSTERIORS) == pytest.approx((1.5 + 1.5 + 1.6) / 7)
    assert agreement.inverse_purity(KNOWN, POSTERIORS) == pytest.approx((1.5 + 1.5 + 1.6) / 7)
    squares = 1.5**2 + 0.3**2 + 0.8**2, 0.4**2 + 1.5**2 + 0.6**2, 0.1**2 + 0.2**2 + 1.6**2
    precision = squares[0] / 2.6 + squares[1] / 2.5 + squares[2] / 1.9
    assert agreement.bcubed(KNOWN, POSTERIORS).precision == pytest.approx(precision / 7)


def test_posteriors_and_weights():
    # The second and the last row stand for two.
    weights = [1, 2, 1, 1, 1, 1, 2]
    rows = np.repeat(np.arange(7), weights)
    weighted = agreement.contingency_table(KNOWN, POSTERIORS, sample_weight=weights)
    repeated = agreement.contingency_table(np.array(KNOWN)[rows], POSTERIORS[rows])
    np.testing.assert_allclose(weighted, repeated)


@pytest.mark.parametrize("name", ["pairwise_f_measure", "adjusted_mutual_information"])
def test_what_has_no_pairs_has_no_score_of_pairs(name):
    measure = getattr(agreement, name)
    message = r"whole numbers of rows, got 1\.5 rows in a cell.*`np\.argmax\(y_pred, axis=1\)`"
    with pytest.raises(ValueError, match=message):
        measure(KNOWN, POSTERIORS)
    with pytest.raises(ValueError, match="of weights, whole ones"):
        measure([0, 1], [0, 1], sample_weight=[0.5, 2])
    # What the error advises.
    for posteriors in (POSTERIORS, pd.DataFrame(POSTERIORS)):
        hard = np.argmax(posteriors, axis=1)
        assert measure(KNOWN, hard) == measure(KNOWN, [0, 0, 1, 1, 2, 2, 0])


def test_separated_noise():
    labels = agreement.separate_noise(["b", "noise", "a", "noise", "b"], "noise")
    assert labels.tolist() == [1, 2, 0, 3, 1]
    assert agreement.separate_noise([3, 3, 5]).tolist() == [0, 0, 1]  # nothing is -1
    assert agreement.separate_noise([-1, -1]).tolist() == [0, 1]


# --- large tables ---


@pytest.fixture
def as_if_large(monkeypatch):
    """Count every table as one that is too large to be held with its empty cells."""

    def switch():
        monkeypatch.setattr(agreement._table, "_MAX_SMALL_TABLE", 0)
        monkeypatch.setattr(agreement._matching, "_MAX_FULL_MATCHING", 0)

    return switch


@pytest.mark.parametrize("n", [1, 5, 40, 400])
def test_a_large_table_gives_what_a_small_one_gives(n, as_if_large):
    rng = np.random.default_rng(n)
    shapes = [(3, 3), (9, 4), (2, 30), (20, 20)]
    tables = [(rng.integers(k, size=n), rng.integers(m, size=n)) for k, m in shapes]
    small = [[measure(*labels) for measure in MEASURES.values()] for labels in tables]
    as_if_large()
    large = [[measure(*labels) for measure in MEASURES.values()] for labels in tables]
    np.testing.assert_allclose(large, small, rtol=1e-13)
    twice = np.full(n, 2.0)
    weighted = [
        [measure(*labels, sample_weight=twice) for measure in OF_SHARES.values()]
        for labels in tables
    ]
    unweighted = [[measure(*labels) for measure in OF_SHARES.values()] for labels in tables]
    np.testing.assert_allclose(weighted, unweighted, rtol=1e-13)


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
