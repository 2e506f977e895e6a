"""The table of all measures against published values, scikit-learn and R."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from afterfit import agreement

# Manning, Raghavan & Schuetze (2008), figure 16.4: three clusters of crosses, circles, diamonds.
MANNING_TRUE = list("xxxxxo" + "xooood" + "xxddd")
MANNING_PRED = [1] * 6 + [2] * 6 + [3] * 5

SCIKIT_LEARN = {
    "Rand index": metrics.rand_score,
    "adjusted Rand index": metrics.adjusted_rand_score,
    "adjusted mutual information": metrics.adjusted_mutual_info_score,
    "Fowlkes-Mallows index": metrics.fowlkes_mallows_score,
    "homogeneity": metrics.homogeneity_score,
    "completeness": metrics.completeness_score,
    "V-measure": metrics.normalized_mutual_info_score,
}

labellings = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6)), min_size=1, max_size=40).map(
    lambda pairs: tuple(map(list, zip(*pairs, strict=True)))
)


def test_figure_16_4_of_manning():
    # purity, Rand index, F and NMI of the book's text; the others from the same counts by
    # scikit-learn, homogeneity and completeness by hand: I / H(classes), I / H(clusters).
    table = agreement.agreement_table(MANNING_TRUE, MANNING_PRED)
    expected = {
        "purity": 0.7059,
        "inverse purity": 0.7059,
        "F measure": 0.7069,
        "B-cubed precision": 0.5843,
        "B-cubed recall": 0.5676,
        "B-cubed F": 0.5759,
        "matched accuracy": 0.7059,
        "homogeneity": 0.3715,
        "completeness": 0.3579,
        "V-measure": 0.3646,
        "pairwise F measure": 0.4762,
        "Fowlkes-Mallows index": 0.4767,
        "Rand index": 0.6765,
        "adjusted Rand index": 0.2429,
        "adjusted mutual information": 0.2602,
    }
    assert table["value"].round(4).to_dict() == expected


def test_iris_against_clue():
    # R 4.2.2, cluster 2.1.4 and clue 0.3-64: table(iris$Species, pam(iris[, 1:4], k)$clustering)
    # and cl_agreement(species, clusters, method = ...) with "purity" (its sum runs over the
    # classes: the inverse purity here), "Rand", "cRand", "FM" and "diag".
    three = [[50, 0, 0], [0, 48, 2], [0, 14, 36]]
    five = [[50, 0, 0, 0, 0], [0, 26, 23, 1, 0], [0, 14, 1, 26, 9]]
    clue = {
        "inverse purity": (0.8933333333, 0.68),
        "Rand index": (0.8797315436, 0.8359731544),
        "adjusted Rand index": (0.7302382723, 0.6004976281),
        "Fowlkes-Mallows index": (0.8208080729, 0.7201533112),
        "matched accuracy": (0.8933333333, 0.68),
    }
    for position, counts in enumerate((three, five)):
        table = agreement.agreement_table(counts)["value"]
        for name, values in clue.items():
            assert table[name] == pytest.approx(values[position], abs=1e-9), name
    # clue's "NMI" divides by the geometric mean of the entropies: 0.679931018.
    geometric = (table["homogeneity"] * table["completeness"]) ** 0.5
    assert geometric == pytest.approx(0.679931018, abs=1e-9)


@pytest.mark.parametrize("name", SCIKIT_LEARN)
@settings(max_examples=40)
@given(labels=labellings)
def test_what_scikit_learn_has(name, labels):
    value = agreement.agreement_table(*labels)["value"][name]
    if name == "Fowlkes-Mallows index" and len(set(labels[0])) == len(set(labels[1])) == len(
        labels[0]
    ):
        assert value == 1  # no pair is together in either: scikit-learn says 0
        return
    assert value == pytest.approx(SCIKIT_LEARN[name](*labels), abs=1e-12)


@settings(max_examples=40)
@given(labels=labellings)
def test_the_measures_that_are_functions_too(labels):
    table = agreement.agreement_table(*labels)["value"]
    functions = {
        "purity": agreement.purity,
        "inverse purity": agreement.inverse_purity,
        "F measure": agreement.f_measure,
        "pairwise F measure": agreement.pairwise_f_measure,
        "matched accuracy": agreement.matched_accuracy,
        "adjusted mutual information": agreement.adjusted_mutual_information,
    }
    for name, function in functions.items():
        assert table[name] == function(*labels)
    scores = agreement.bcubed(*labels)
    of_table = [table[f"B-cubed {name}"] for name in ("precision", "recall", "F")]
    assert of_table == [scores.precision, scores.recall, scores.f]


def test_it_says_truly_how_each_measure_behaves_at_chance():
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
        "grows with the clusters": few < many - 0.03,
        "falls with the clusters": few > many + 0.04,
    }
    for measure, behaviour in table["at chance"].items():
        assert holds[behaviour][measure], measure


def test_fractional_counts_have_no_pairs():
    whole = agreement.agreement_table([0, 0, 1], [0, 1, 1], sample_weight=[1, 2, 3]).index
    fractional = agreement.agreement_table([0, 0, 1], [0, 1, 1], sample_weight=[1, 2, 2.5]).index
    assert set(whole.difference(fractional)) == {
        "Fowlkes-Mallows index",
        "Rand index",
        "adjusted Rand index",
        "adjusted mutual information",
        "pairwise F measure",
    }
    posteriors = np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]])
    assert agreement.agreement_table([0, 0, 1], posteriors).index.equals(fractional)


def test_the_share_that_is_not_noise():
    table = agreement.agreement_table([0, 0, 1, 1], [5, 5, 7, -1], noise_label=-1)["value"]
    assert (table["share not noise"], table["purity"]) == (0.75, 1)
    weighted = agreement.agreement_table(
        [0, 0, 1, 1], [5, 5, 7, -1], noise_label=-1, sample_weight=[1, 1, 1, 7]
    )["value"]
    assert weighted["share not noise"] == pytest.approx(0.3)
    none = agreement.agreement_table([0, 1], [0, 1], noise_label=-1)["value"]
    assert none["share not noise"] == 1
    assert "share not noise" not in agreement.agreement_table([0, 1], [0, 1]).index


def test_as_many_clusters_as_a_register_has_persons():
    # 40,000 records of 17,284 persons: the full table would have 300 million cells.
    rng = np.random.default_rng(8)
    person = rng.permutation(np.concatenate([np.arange(17_284), rng.integers(17_284, size=22_716)]))
    found = np.where(rng.uniform(size=person.size) < 0.9, person, 17_284 + person)
    table = agreement.agreement_table(person, found)["value"]
    by_hand = pd.DataFrame({"person": person, "found": found})
    largest = by_hand.groupby(["person", "found"]).size().groupby("person").max()
    assert table["purity"] == 1
    assert table["inverse purity"] == pytest.approx(largest.sum() / person.size)
    assert table["matched accuracy"] == pytest.approx(largest.sum() / person.size)
    expected = metrics.adjusted_rand_score(person, found)
    assert table["adjusted Rand index"] == pytest.approx(expected, abs=1e-12)
