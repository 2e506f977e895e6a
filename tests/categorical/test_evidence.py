"""Tests of the criteria and the rule: each expected number says where it comes from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from afterfit.categorical import _evidence, choose_n_clusters


def test_gap_by_hand():
    # Tibshirani et al. (2001), section 3: mean of log W* - log W; sd sqrt(1 + 1/B), sd over B.
    gap, error = _evidence.gap_of(np.array([10.0, 5.0]), np.array([[10.0, 8.0], [10.0, 6.0]]))
    assert gap == pytest.approx([0, (np.log(8) + np.log(6)) / 2 - np.log(5)])
    # The references cost the same at K = 1: half a mismatch in 10 stands in for their spread.
    assert error == pytest.approx(np.array([0.05, np.log(8 / 6) / 2]) * np.sqrt(1.5))


def test_rule_of_tibshirani_by_hand():
    gap, error = np.array([0.0, 1.0, 1.15, 1.0]), np.full(4, 0.1)
    assert _evidence.first_within([1, 2, 3, 4], gap, error) == 3
    assert _evidence.first_within([1, 2, 3, 4], gap, 2 * error) == 2
    assert _evidence.first_within([1, 2], gap[:2], error[:2]) is None
    # At least the next gap less its error: equal is enough.
    assert _evidence.first_within([1, 2], np.array([1.0, 1.0]), np.zeros(2)) == 1
    # It is the next K's error that counts: 1.0 >= 1.15 - 0.2, whatever the error of K = 2.
    assert _evidence.first_within([1, 2, 3, 4], gap, np.array([0, 0, 0.2, 0])) == 2
    assert _evidence.first_within([1, 2, 3, 4], gap, np.array([0, 0.2, 0, 0])) == 3


@pytest.mark.parametrize(
    ("k_values", "gap", "error", "expected"),
    [
        ([1, 2, 3, 4], [0.0, 1.0, 1.15, 1.0], 0.1, 3),
        ([1, 2, 3, 4], [0.0, 1.0, 1.15, 1.0], 0.2, 2),  # 1.0 is within one error of 1.15
        ([1, 2, 3, 4], [0.0, 1.0, 1.15, 1.0], [1, 1, 0.1, 1], 3),  # the greatest gap's error counts
        ([1, 2, 3, 4], [0.0, 0.2, 0.29, 0.1], 0.1, 1),  # not three errors above K = 1
        ([1, 2, 3, 4], [0.0, 0.2, 0.31, 0.1], 0.1, 3),  # three errors above it
        ([1, 2, 3], [0.0, -0.1, -0.2], 0.1, 1),
        ([2, 3, 4], [0.0, 0.2, 0.1], 0.1, 3),  # K = 1 was not tried: one error among all
        ([1, 2], [0.0, 1.0], 0.1, None),  # it still grows
        ([1, 2, 3], [0.0, 1.0, 0.5], 0.0, 2),
        ([1], [0.0], 0.1, 1),
    ],
)
def test_how_far_there_is_structure(k_values, gap, error, expected):
    error = np.broadcast_to(np.asarray(error, dtype=float), len(gap))
    assert _evidence.last_structure(k_values, np.array(gap), error) == expected


def test_knee_moves_with_the_range():
    # kneed 0.9 on costs 100 / K: KneeLocator(range(1, n), ..., "convex", "decreasing").knee.
    costs = 100 / np.arange(1.0, 31)
    knees = [_evidence.knee_of(range(1, n + 1), costs[:n]) for n in (6, 30)]
    assert knees == [2, 5]
    assert _evidence.knee_of([1, 2, 3], np.array([5.0, 5.0, 5.0])) is None
    assert _evidence.knee_of([1, 2], np.array([5.0, 1.0])) is None


def test_suggestions_at_their_limits():
    silhouette = _evidence.best_silhouette
    assert silhouette([1, 2, 3], np.array([np.nan, 0.1, 0.1])) == 2  # the first where equal
    assert silhouette([1, 2], np.array([np.nan, 0.0])) is None  # above 0
    assert silhouette([2, 3], np.array([-0.2, -0.1])) is None
    assert silhouette([1], np.array([np.nan])) is None
    stable = _evidence.most_stable
    assert stable([1, 2, 3], np.array([1.0, 0.9, 0.9])) == 3  # the greatest where equal
    assert stable([1, 2], np.array([1.0, 0.8])) == 2  # reaches 0.8
    assert stable([1, 2], np.array([1.0, 0.79])) == 1


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_weighted_rand_index_is_that_of_repeated_rows(seed):
    rng = np.random.default_rng(seed)
    a, b, weight = (rng.integers(high, size=20) for high in (3, 4, 5))
    if weight.sum() < 2:
        return
    expected = adjusted_rand_score(np.repeat(a, weight), np.repeat(b, weight))
    assert _evidence.rand_index(a, b, weight) == pytest.approx(expected, abs=1e-12)


EVIDENCE = {"gap": [0, 1, 2, 1.9], "gap_standard_error": [0.1] * 4}


@pytest.mark.parametrize(
    ("suggestions", "evidence", "expected", "words"),
    [
        ({"gap": 3}, EVIDENCE, 3, "no longer clearly grows"),
        ({"gap": 3, "stability": 3}, {**EVIDENCE, "stability": [1, 0.9, 0.95, 0.5]}, 3, "0.95"),
        ({"gap": 3, "stability": 2}, {**EVIDENCE, "stability": [1, 0.9, 0.5, 0.5]}, 2, "up to K"),
        (
            {"gap": 4, "silhouette": 2, "stability": 3},
            {**EVIDENCE, "gap": [0, 1, 2, 3], "stability": [1, 0.85, 0.9, 0.5]}
            | {"silhouette": [np.nan, 0.5, 0.3, 0.6]},
            2,
            "with the greatest silhouette of the K whose clusters come back in resamples",
        ),
        ({"gap": 3, "stability": 1}, {**EVIDENCE, "stability": [1, 0.4, 0.5, 0.5]}, 3, "though no"),
        ({"gap": None, "silhouette": 2}, {**EVIDENCE, "gap": [0, 1, 2, 3]}, 2, "still grows"),
        (
            {"gap": 1, "stability": 2},
            {**EVIDENCE, "gap": [0] * 4, "stability": [1] * 4},
            1,
            "no longer",
        ),
        ({"stability": 4}, {"stability": [1, 0.9, 0.8, 0.95]}, 4, "0.95"),
        ({"stability": 1, "knee": 3}, {"stability": [1, 0.1, 0.1, 0.1]}, 1, "the stability"),
        ({"silhouette": None, "knee": 3}, {}, 3, "the knee suggests"),
        ({"silhouette": 2, "knee": 3}, {}, 2, "the silhouette suggests"),
        ({"gap": 3, "stability": 3}, {**EVIDENCE, "stability": [1, 0.9, 0.8, 0.5]}, 3, "0.80"),
        ({"gap": 3, "stability": 2}, {**EVIDENCE, "stability": [1, 0.8, 0.5, 0.5]}, 2, "grows up"),
        ({"knee": None}, {}, None, "nothing decides"),
        ({}, {}, None, "nothing decides"),
    ],
)
def test_rule(suggestions, evidence, expected, words):
    table = pd.DataFrame({"cost": [4, 3, 2, 1], **evidence}, index=[1, 2, 3, 4])
    k, reason = _evidence.decide([1, 2, 3, 4], suggestions, table)
    assert k == expected
    assert words in reason


@pytest.mark.parametrize(
    ("suggestions", "words"),
    [
        ({"gap": 3, "knee": 3}, "All criteria agree: K = 3. Chosen: K = 3, why."),
        (
            {"gap": 3, "knee": None},
            "The gap suggests K = 3, the knee suggests no K: they disagree.",
        ),
        (
            {"knee": 2, "gap": None, "silhouette": 2, "stability": 2},
            "The knee, the silhouette and the stability suggest K = 2, the gap suggests no K: they",
        ),
        ({"gap": None, "knee": None}, "The gap and the knee suggest no K. Chosen"),
        ({"gap": 3}, "The gap suggests K = 3. Chosen"),
        ({}, "No criterion was asked for."),
    ],
)
def test_summary(suggestions, words):
    assert words in _evidence.summary(suggestions, 3, "why")


def test_perfect_clusters_have_a_finite_gap():
    X = np.repeat(np.eye(3, dtype=int), 20, axis=0)
    result = choose_n_clusters(X, [1, 2, 3], n_init=1, n_references=3, n_resamples=2)
    assert np.isfinite(result.table["gap"]).all()
    assert result.table.loc[3, "cost"] == 0
    assert result.n_clusters == 3
