"""The one-to-one matching and the names that it gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from scipy.sparse import diags_array

from afterfit import agreement

# Manning, Raghavan & Schuetze (2008), figure 16.4: three clusters of crosses, circles, diamonds.
MANNING_TRUE = list("xxxxxo" + "xooood" + "xxddd")
MANNING_PRED = [1] * 6 + [2] * 6 + [3] * 5

labellings = st.lists(
    st.tuples(st.integers(-2, 3), st.sampled_from("abcd")), min_size=1, max_size=30
).map(lambda pairs: tuple(map(list, zip(*pairs, strict=True))))


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


# --- ties ---


@given(labels=labellings, order=st.permutations("abcd"))
def test_the_names_of_clusters_decide_nothing(labels, order):
    y_true, y_pred = labels
    renamed = [dict(zip("abcd", order, strict=True))[cluster] for cluster in y_pred]
    first = agreement.match_labels(y_true, y_pred).tolist()
    assert agreement.match_labels(y_true, renamed).tolist() == first


@given(labels=labellings, seed=st.integers(0, 99))
def test_the_order_of_rows_decides_only_between_equal_clusters(labels, seed):
    y_true, y_pred = map(np.array, labels)
    columns = agreement.contingency_table(y_true, y_pred).to_numpy().T.tolist()
    if any(columns.count(column) > 1 for column in columns):
        return
    order = np.random.default_rng(seed).permutation(y_true.size)
    shuffled = agreement.match_labels(y_true[order], y_pred[order])
    assert shuffled.tolist() == agreement.match_labels(y_true, y_pred)[order].tolist()


def test_of_equal_clusters_the_first_to_appear_comes_first():
    for clusters in (["p", "q", "q", "p"], ["q", "p", "p", "q"], [9, 2, 2, 9]):
        assert agreement.match_labels(["a", "a", "b", "b"], clusters).tolist() == list("abba")


def test_unmatched_clusters_are_numbered_without_their_names():
    y_true = [0, 0, 0, 0, 0, 0]
    for clusters in (list("pppqqr"), list("rrrqqp"), list("qqqppr")):
        renamed = agreement.match_labels(y_true, clusters).tolist()
        assert renamed[:3] == [0, 0, 0]
        assert renamed == agreement.match_labels(y_true, list("aaabbc")).tolist()


# --- noise, weights, posteriors ---


def test_noise_is_matched_with_no_class():
    # The noise shares most rows with class 1.
    renamed = agreement.match_labels([0, 0, 1, 1, 1], [7, 7, -1, -1, 4], noise_label=-1)
    assert renamed.tolist() == [0, 0, -1, -1, 1]
    named = agreement.match_labels(["a", "b", "b"], [3, -1, 5], noise_label=-1)
    assert named.tolist() == ["a", -1, "b"]


def test_weights_decide_the_matching():
    y_true, y_pred = ["a", "b", "a", "b"], [1, 1, 2, 2]
    one = agreement.match_labels(y_true, y_pred, sample_weight=[5, 1, 1, 1])
    other = agreement.match_labels(y_true, y_pred, sample_weight=[1, 5, 1, 1])
    assert (one.tolist(), other.tolist()) == (list("aabb"), list("bbaa"))
    unseen = agreement.match_labels(y_true, [1, 1, 2, 3], sample_weight=[1, 0, 0, 1])
    assert unseen.tolist() == ["a", "a", "unmatched 2", "b"]


def test_posteriors_have_no_labels_to_rename():
    posteriors = np.array([[0.9, 0.1], [0.2, 0.8]])
    with pytest.raises(ValueError, match=r"got posteriors; .* `np\.argmax\(y_pred, axis=1\)`"):
        agreement.match_labels(["a", "b"], posteriors)
    assert agreement.match_labels(["a", "b"], np.argmax(posteriors, axis=1)).tolist() == ["a", "b"]


# --- large and hard tables ---


@given(st.lists(st.lists(st.integers(0, 9), min_size=5, max_size=5), min_size=1, max_size=7))
def test_any_table_is_matched_as_scipy_matches_it(counts):
    counts = np.array(counts)
    if counts.sum() == 0:
        return
    rows, columns = linear_sum_assignment(counts, maximize=True)
    expected = counts[rows, columns].sum() / counts.sum()
    assert agreement.matched_accuracy(counts) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("general", ["full", "sparse"])
def test_what_has_no_sure_cells(monkeypatch, general):
    # No cell is as large as the largest others of its class and of its cluster together.
    monkeypatch.setattr(agreement._matching, "_MAX_FULL_MATCHING", 10**9 * (general == "full"))
    counts = np.random.default_rng(0).integers(50, 60, size=(40, 30))
    rows, columns = linear_sum_assignment(counts, maximize=True)
    expected = counts[rows, columns].sum() / counts.sum()
    assert agreement.matched_accuracy(counts) == pytest.approx(expected, abs=1e-12)
    assert agreement.matched_accuracy(counts / 7) == pytest.approx(expected, abs=1e-12)


def test_a_long_chain():
    # Class i shares rows with clusters i and i + 1, more and more: only the end is sure.
    n = 3000
    counts = diags_array([np.arange(1.0, 2 * n, 2), np.arange(2.0, 2 * n, 2)], offsets=[0, 1])
    # All on the diagonal: n^2. Moving any part of the chain by one loses its last.
    assert agreement.matched_accuracy(counts.tocsr()) == pytest.approx(
        n**2 / counts.sum(), abs=1e-12
    )
