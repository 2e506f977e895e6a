"""Permutation tests against brute force, exact tests and their promised level."""

import numpy as np
import pytest
from cca_tables import related_pair
from scipy import stats

from afterfit.cca import (
    canonical_correlations,
    permutation_test,
)
from afterfit.cca._permutation import observed_statistics, permuted_statistics
from afterfit.cca._whitening import couple


class TestPermutation:
    def test_statistics_are_those_of_partial_cca(self):
        # Brute force: the held side's remainder and the permuted one, both made orthogonal to the
        # earlier variates by regression, then a canonical correlation analysis from scratch.
        rng = np.random.default_rng(0)
        X, Y = related_pair(rng, 40, 6, 4)
        coupling = couple(X, Y)
        left, _, right = coupling.rotations(full=True)
        U, V = coupling.x.whitened() @ left, coupling.y.whitened() @ right
        order = rng.permutation(40)
        fast = permuted_statistics(U.T @ V[order])
        for k in range(4):
            moved = V[order][:, k:]
            moved = moved - U[:, :k] @ (U[:, :k].T @ moved)
            rho = canonical_correlations(U[:, k:], moved)
            assert fast[k] == pytest.approx(-np.log1p(-(rho**2)).sum(), rel=1e-9)

    def test_the_identity_gives_the_observed_statistics(self):
        X, Y = related_pair(np.random.default_rng(1))
        coupling = couple(X, Y)
        left, rho, right = coupling.rotations(full=True)
        cosines = (coupling.x.whitened() @ left).T @ (coupling.y.whitened() @ right)
        assert permuted_statistics(cosines) == pytest.approx(observed_statistics(rho), rel=1e-9)

    @pytest.mark.parametrize(("p", "q"), [(3, 6), (6, 3)])
    def test_pvalues_are_uniform_under_independence(self, p, q):
        # Of the first root, exactly so: a multiple of 1/20 each with probability 1/20. Skewed
        # columns, because normality must not matter. 300 repetitions, chi-squared in four bins.
        rng = np.random.default_rng(p)
        pvalues = []
        for _ in range(300):
            X, Y = rng.exponential(size=(20, p)), rng.standard_t(3, size=(20, q))
            pvalues.append(permutation_test(X, Y, n_resamples=19, random_state=rng).pvalues[0])
        counts = np.histogram(pvalues, bins=[0.0, 0.255, 0.505, 0.755, 1.01])[0]
        assert stats.chisquare(counts).pvalue > 0.01
        assert np.mean(np.array(pvalues) <= 0.05 + 1e-12) == pytest.approx(0.05, abs=0.035)

    def test_pvalues_of_later_roots_are_uniform_where_earlier_ones_are_real(self):
        # Three strong pairs, n = 40, 6 and 9 columns: without the residual space the fourth
        # p-value has mean 0.43. Mean of 300 uniforms: standard error 0.017.
        rng = np.random.default_rng(2)
        pvalues = []
        for _ in range(300):
            X, Y = related_pair(rng, 40, 6, 9, n_shared=3, noise=0.3)
            result = permutation_test(X, Y, n_resamples=39, random_state=rng)
            pvalues.append(result.stepwise_pvalues[3])
            assert (np.diff(result.pvalues) >= 0).all()
            assert result.pvalues[2] == pytest.approx(1 / 40)
        assert np.mean(pvalues) == pytest.approx(0.5 + 0.5 / 40, abs=0.05)
        assert np.mean(np.array(pvalues) <= 0.05) <= 0.05 + 3 * 0.0126

    def test_real_pairs_are_found_and_noise_is_not(self):
        X, Y = related_pair(np.random.default_rng(3), 200, 5, 4, n_shared=2)
        result = permutation_test(X, Y, n_resamples=199, random_state=0)
        assert result.pvalues[:2] == pytest.approx([1 / 200] * 2)
        assert (result.pvalues[2:] > 0.05).all()
        assert result.correlations == pytest.approx(canonical_correlations(X, Y))
        assert (result.pvalues >= result.stepwise_pvalues).all()

    def test_both_orders_of_the_arguments(self):
        # 999 permutations: the standard error of a p-value is at most 0.016, of a difference 0.023.
        X, Y = related_pair(np.random.default_rng(6), 40, 5, 3, n_shared=1)
        one, other = (permutation_test(*pair, random_state=0) for pair in ((X, Y), (Y, X)))
        assert one.statistics == pytest.approx(other.statistics, rel=1e-9)
        assert one.stepwise_pvalues == pytest.approx(other.stepwise_pvalues, abs=0.09)

    def test_step_down_pvalues_are_the_largest_so_far(self):
        rng = np.random.default_rng(7)
        results = [
            permutation_test(*rng.standard_normal((2, 20, 4)), n_resamples=9, random_state=rng)
            for _ in range(10)
        ]
        for result in results:
            largest = np.maximum.accumulate(result.stepwise_pvalues)
            assert np.array_equal(result.pvalues, largest)
        assert any((np.diff(result.stepwise_pvalues) < 0).any() for result in results)

    def test_reproducible_whatever_the_number_of_jobs(self):
        X, Y = related_pair(np.random.default_rng(4), 60, 4, 3)
        arguments = {"n_resamples": 120, "random_state": 7}
        one = permutation_test(X, Y, **arguments)
        two = permutation_test(X, Y, n_jobs=2, **arguments)
        assert np.array_equal(one.pvalues, two.pvalues)
        other = permutation_test(X, Y, n_resamples=120, random_state=8)
        assert not np.array_equal(one.stepwise_pvalues, other.stepwise_pvalues)

    def test_ties_count_as_reached(self):
        # One 0/1 column each: many permutations give exactly the observed table. Its one-sided
        # pairs of extreme tables have Fisher's two-sided probability; n = 10 with 4 + 1 and 1 + 4.
        x = np.array([1, 1, 1, 1, 1, 0, 0, 0, 0, 0.0])[:, None]
        y = np.array([1, 1, 1, 1, 0, 1, 0, 0, 0, 0.0])[:, None]
        exact = stats.fisher_exact([[4, 1], [1, 4]]).pvalue
        result = permutation_test(x, y, n_resamples=4000, random_state=0)
        assert result.pvalues[0] == pytest.approx(exact, abs=0.03)  # standard error 0.006

    @pytest.mark.parametrize("map_of_x", [lambda x: x, lambda x: 1.0 - x, lambda x: 3.0 * x + 0.1])
    def test_ties_of_perfect_correlations(self, map_of_x):
        # Of the 20 ways to choose 3 of 6 rows, two give a correlation of 1 or -1 again.
        x = np.array([[0.0, 0.0, 0.0, 1.0, 1.0, 1.0]]).T
        result = permutation_test(x, map_of_x(x), n_resamples=2000, random_state=0)
        assert result.statistics == [np.inf]
        assert result.pvalues[0] == pytest.approx(0.1, abs=0.03)  # standard error 0.007

    def test_ties_of_perfect_correlations_of_several_columns(self):
        # Indicators of three pairs: of the 90 ways to share 6 rows among them, 3! give the same
        # pairs. Some of the others leave nothing of the second root.
        indicators = np.repeat(np.eye(3), 2, axis=0)[:, :2]
        result = permutation_test(indicators, indicators, n_resamples=2000, random_state=0)
        assert result.pvalues[0] == pytest.approx(6 / 90, abs=0.025)  # standard error 0.0056

    @pytest.mark.parametrize("n", [8, 12, 20, 28])
    def test_a_correlation_of_zero_is_always_reached(self, n):
        # A balanced design, whose correlation is 0 up to rounding.
        x, y = np.tile([[1 / 3, 0.2], [1 / 3, 0.7], [0.9, 0.2], [0.9, 0.7]], (n // 4, 1)).T
        result = permutation_test(x[:, None], y[:, None], n_resamples=99, random_state=0)
        assert result.pvalues == [1.0]

    def test_small_correlations_of_many_rows(self):
        # One column each, 5000 rows: the t test holds. Standard error of the p-value 0.007.
        x, y = np.random.default_rng(8).standard_normal((2, 5000))
        y += 0.03 * x
        expected = stats.pearsonr(x, y).pvalue
        result = permutation_test(x[:, None], y[:, None], random_state=0)
        assert 0.001 < expected < 0.1
        assert result.pvalues[0] == pytest.approx(expected, abs=0.03)

    def test_identical_sides(self):
        X = np.random.default_rng(5).standard_normal((50, 3))
        result = permutation_test(X, X, n_resamples=19, random_state=0)
        assert (result.pvalues == 0.05).all()
