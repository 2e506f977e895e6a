"""Held-out correlations against their definition."""

import numpy as np
import pytest
from cca_tables import related_pair
from sklearn.model_selection import KFold, LeaveOneOut

from afterfit.cca import (
    ForcedCorrelationWarning,
    canonical_correlations,
    cross_validated_correlations,
    fit_cca,
)


class TestCrossValidation:
    def test_pooled_definition_by_brute_force(self):
        X, Y = related_pair(np.random.default_rng(0), 50, 4, 3)
        folds = KFold(4)  # of 13, 13, 12 and 12 rows
        scores = []
        for train, test in folds.split(X):
            fit = fit_cca(X[train], Y[train])
            u = (X[test] - fit.x_mean) @ fit.x_weights
            v = (Y[test] - fit.y_mean) @ fit.y_weights
            scores.append((u, v))
        u, v = (np.vstack(side) for side in zip(*scores, strict=True))
        expected = (u * v).sum(0) / np.sqrt((u**2).sum(0) * (v**2).sum(0))
        ours = cross_validated_correlations(X, Y, cv=folds)
        assert ours == pytest.approx(expected, abs=1e-10)
        again = cross_validated_correlations(X, Y, cv=list(folds.split(X)))
        assert np.array_equal(ours, again)

    def test_noise_is_near_zero_and_truth_near_itself(self):
        rng = np.random.default_rng(1)
        X, Y = related_pair(rng, 2000, 30, 20, n_shared=1, noise=0.75)  # rho = 0.8
        held_out = cross_validated_correlations(X, Y, random_state=0)
        assert held_out[0] == pytest.approx(0.8, abs=0.03)
        assert np.abs(held_out[1:]).max() < 0.1  # standard error 0.022
        assert canonical_correlations(X, Y)[1] > 0.2

    def test_every_row_alone_and_bad_rank_in_a_fold(self):
        X, Y = related_pair(np.random.default_rng(2), 30, 3, 2, noise=0.3)
        assert cross_validated_correlations(X, Y, cv=LeaveOneOut())[0] > 0.9
        assert cross_validated_correlations(X, Y, cv=30)[0] > 0.9
        Y[:, 1] = 0.0
        Y[0, 1] = 1.0  # constant on the training rows of the first row's fold
        assert len(cross_validated_correlations(X, Y, cv=LeaveOneOut())) == 1

    def test_scores_that_are_all_zero_have_correlation_zero(self):
        # The held-out rows of X lie at the mean of the training rows.
        x = np.array([[-1.0, 1.0, -1.0, 1.0, 0.0, 0.0]]).T
        y = np.array([[-1.0, 1.0, -2.0, 1.0, 3.0, 5.0]]).T
        rows = np.arange(6)
        assert cross_validated_correlations(x, y, cv=[(rows[:4], rows[4:])]) == [0.0]

    def test_forced_correlations_of_any_split_are_announced(self):
        X, Y = np.random.default_rng(4).standard_normal((2, 30, 8))
        rows = np.arange(30)
        splits = [(rows[:20], rows[20:]), (rows[:10], rows[10:]), (rows[10:], rows[:10])]
        with pytest.warns(ForcedCorrelationWarning, match="^7 of the 8.*10 rows"):
            cross_validated_correlations(X, Y, cv=splits)

    def test_held_out_rows_of_large_numbers(self):
        # One held-out row is all that counts: its scores are 1e150 of what the others are.
        X, Y = np.random.default_rng(5).standard_normal((2, 20, 1))
        X[3] = Y[3] = 1e150
        held_out = cross_validated_correlations(X, Y, random_state=0)
        assert np.abs(held_out) == pytest.approx([1.0])

    def test_never_beyond_one(self):
        rng = np.random.default_rng(0)
        for _ in range(10):  # without a limit, rounding takes some of them to 1 + 2e-16
            X = rng.standard_normal((50, 4))
            held_out = cross_validated_correlations(X, X, random_state=rng)
            assert held_out == pytest.approx(np.ones(4))
            assert held_out.max() <= 1.0

    def test_seeded(self):
        X, Y = related_pair(np.random.default_rng(3))
        one = cross_validated_correlations(X, Y, random_state=1)
        assert np.array_equal(one, cross_validated_correlations(X, Y, random_state=1))
        assert not np.array_equal(one, cross_validated_correlations(X, Y, random_state=2))
