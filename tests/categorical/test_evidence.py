"""Tests of the criteria and the rule: each expected number says where it comes from."""

from __future__ import annotations

import numpy as np
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
    assert stable([1, 2, 3], np.array([1.0, 0.9, 0.9])) == 3  # the largest where equal
    assert stable([1, 2], np.array([1.0, 0.8])) == 2  # reaches 0.8
    assert stable([1, 2], np.array([1.0, 0.79])) == 1


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_weighted_rand_index_is_that_of_repeated_rows(seed):
    rng = np.random.default_rng(seed)
    a, b, weight = (rng.integers(high, size=20) for high in (3, 4, 5))
    if weight.sum() < 2:
        return
    times = np.asarray(weight, dtype=np.intp)
    expected = adjusted_rand_score(np.repeat(a, times), np.repeat(b, times))
    assert _evidence.rand_index(a, b, weight) == pytest.approx(expected, abs=1e-12)


def test_perfect_clusters_have_a_finite_gap():
    X = np.repeat([[0] * 4, [1] * 4, [2] * 4], 20, axis=0)
    result = choose_n_clusters(X, [1, 2, 3], n_init=1, n_references=3, n_resamples=2)
    assert np.isfinite(result.table["gap"]).all()
    assert result.table.loc[3, "cost"] == 0
    assert (result.n_clusters, result.confidence) == (3, "low")  # or a question asked four times
