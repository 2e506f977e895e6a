"""Canonical correlations against published tables, other programs, closed forms and simulation."""

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import pyplot as plt
from scipy import integrate, stats
from sklearn.cross_decomposition import CCA
from sklearn.datasets import load_digits, load_linnerud
from sklearn.model_selection import GroupKFold, KFold, LeaveOneOut
from statsmodels.multivariate.cancorr import CanCorr

from afterfit import cca
from afterfit.cca import (
    ForcedCorrelationWarning,
    canonical_correlations,
    cross_validated_correlations,
    fit_cca,
    linear_cka,
    mean_cca,
    null_density,
    null_edge,
    permutation_test,
    pwcca,
    svcca,
)
from afterfit.cca._permutation import observed_statistics, permuted_statistics
from afterfit.cca._roy import largest_root_tail
from afterfit.cca._significance import _test_of_remaining, _wilks, significance_table
from afterfit.cca._wachter import null_quantiles
from afterfit.cca._whitening import couple

SIMILARITIES = {"mean_cca": mean_cca, "svcca": svcca, "pwcca": pwcca, "linear_cka": linear_cka}


def related_pair(rng, n=120, p=6, q=4, n_shared=2, noise=1.0):
    X = rng.standard_normal((n, p))
    Y = rng.standard_normal((n, q))
    Y[:, :n_shared] = X[:, :n_shared] + noise * Y[:, :n_shared]
    return X, Y


def random_map(rng, p, condition=10.0):
    left, right = (np.linalg.qr(rng.standard_normal((p, p)))[0] for _ in range(2))
    return left @ np.diag(np.geomspace(1.0, 1.0 / condition, p)) @ right


def correlations_by_eigenvalues(X, Y):
    # Hotelling's definition: the eigenvalues of Sxx^-1 Sxy Syy^-1 Syx are their squares.
    p = X.shape[1]
    S = np.cov(X.T, Y.T)
    product = np.linalg.solve(S[:p, :p], S[:p, p:]) @ np.linalg.solve(S[p:, p:], S[p:, :p])
    squares = np.sort(np.linalg.eigvals(product).real)[::-1]
    return np.sqrt(np.clip(squares[: min(p, Y.shape[1])], 0.0, 1.0))


class TestPublishedNumbers:
    """Mostly SAS/STAT User's Guide, CANCORR, example of fitness club data (Linnerud)."""

    data = load_linnerud()

    def table(self):
        return fit_cca(self.data.data, self.data.target).significance()

    def test_correlations(self):
        expected = [0.79560815, 0.20055604, 0.07257029]
        result = canonical_correlations(self.data.data, self.data.target)
        assert result == pytest.approx(expected, abs=5e-9)

    def test_wilks_lambda_with_raos_f(self):
        table = self.table()
        assert table["wilks"].to_list() == pytest.approx(
            [0.35039053, 0.95472266, 0.99473355], abs=5e-9
        )
        assert table["wilks_f"].to_list() == pytest.approx([2.05, 0.18, 0.08], abs=5e-3)
        assert table["wilks_df1"].to_list() == [9, 4, 1]
        assert table["wilks_df2"].to_list() == pytest.approx([34.223, 30, 16], abs=5e-4)
        assert table["wilks_pvalue"].to_list() == pytest.approx([0.0635, 0.9491, 0.7748], abs=5e-5)

    def test_unequal_widths_root_by_root(self):
        # R, package candisc, help page of Wilks: data(Rohwer, package = "heplots"); 69 rows, 5 and
        # 3 columns; Wilks(cancor(X, Y)) prints these columns.
        rho = [0.67033, 0.38366, 0.25065]
        for widths in ((5, 3), (3, 5)):
            table = significance_table(np.array(rho), 69, *widths)
            assert table["wilks"].to_list() == pytest.approx([0.44011, 0.79923, 0.93718], abs=2e-5)
            assert table["wilks_f"].to_list() == pytest.approx([3.8961, 1.8379, 1.4078], abs=3e-4)
            assert table["wilks_df1"].to_list() == [15, 8, 3]
            assert table["wilks_df2"].to_list() == pytest.approx([168.8, 124, 63], abs=0.05)
            pvalues = [5.535e-06, 0.07608, 0.24881]
            assert table["wilks_pvalue"].to_list() == pytest.approx(pvalues, rel=1e-3)

    def test_multivariate_statistics_of_the_first_root(self):
        first = self.table().loc[1]
        assert first["pillai"] == pytest.approx(0.67848151, abs=5e-9)
        assert (first["pillai_df1"], first["pillai_df2"]) == (9, 48)
        assert first["pillai_pvalue"] == pytest.approx(0.1551, abs=5e-5)
        assert first["hotelling_lawley"] == pytest.approx(1.77194146, abs=5e-9)
        assert first["hotelling_lawley_df2"] == pytest.approx(19.053, abs=5e-4)
        assert first["hotelling_lawley_pvalue"] == pytest.approx(0.0357, abs=5e-5)
        assert first["roy"] == pytest.approx(1.72473874, abs=5e-9)
        # SAS's F for Roy's root (9.20 with 3 and 16, p = 0.0009) is a bound; ours is exact.
        assert 0.0009 < first["roy_pvalue"] < 0.0635

    def test_independent_sides_of_500_columns(self):
        # Values of the reference list: mean 0.190, mean of the 20 largest 0.411, edge 0.4359.
        rng = np.random.default_rng(0)
        rho = canonical_correlations(*rng.standard_normal((2, 10_000, 500)))
        assert rho.mean() == pytest.approx(0.190, abs=1e-3)
        assert rho[:20].mean() == pytest.approx(0.411, abs=1e-3)
        assert null_edge(10_000, 500, 500) == pytest.approx(0.4359, abs=5e-5)


class TestCorrelations:
    @given(
        seed=st.integers(0, 2**32 - 1),
        p=st.integers(1, 7),
        q=st.integers(1, 7),
        n=st.integers(20, 60),
    )
    @settings(max_examples=40, deadline=None)
    def test_definition_order_and_invariance(self, seed, p, q, n):
        rng = np.random.default_rng(seed)
        X, Y = related_pair(rng, n, p, q, n_shared=min(p, q))
        rho = canonical_correlations(X, Y)
        assert rho.shape == (min(p, q),)
        assert (np.diff(rho) <= 1e-14).all()
        assert rho == pytest.approx(correlations_by_eigenvalues(X, Y), abs=1e-7)
        assert canonical_correlations(Y, X) == pytest.approx(rho, abs=1e-12)
        mapped = canonical_correlations(X @ random_map(rng, p) + 3.0, -7.0 * Y @ random_map(rng, q))
        assert mapped == pytest.approx(rho, abs=1e-11)

    @pytest.mark.parametrize(("n", "p", "q"), [(50, 3, 3), (200, 2, 9), (2000, 100, 50)])
    def test_statsmodels_agrees(self, n, p, q):
        X, Y = related_pair(np.random.default_rng(1), n, p, q)
        expected = CanCorr(Y, X).cancorr[: min(p, q)]
        assert canonical_correlations(X, Y) == pytest.approx(expected, abs=1e-12)

    def test_scikit_learn_at_tight_tolerance_agrees(self):
        X, Y = related_pair(np.random.default_rng(2), 300, 5, 3, n_shared=3)
        Y[:, :3] *= [1.0, 3.0, 9.0]
        model = CCA(n_components=3, tol=1e-14, max_iter=20_000).fit(X, Y)
        scores = model.transform(X, Y)
        theirs = [np.corrcoef(scores[0][:, k], scores[1][:, k])[0, 1] for k in range(3)]
        assert canonical_correlations(X, Y) == pytest.approx(sorted(theirs)[::-1], abs=1e-8)

    @pytest.mark.parametrize("condition", [1e2, 1e5, 1e8])
    def test_ill_conditioned_sides(self, condition):
        rng = np.random.default_rng(3)
        X, Y = related_pair(rng)
        mapped = X @ random_map(rng, X.shape[1], condition)
        # An invertible map leaves all as it was, up to its condition number in rounding.
        tolerance = 100 * condition * np.finfo(float).eps
        rho = canonical_correlations(X, Y)
        assert canonical_correlations(mapped, Y) == pytest.approx(rho, abs=tolerance)
        assert canonical_correlations(X, mapped) == pytest.approx(np.ones(6), abs=1e-12)
        scores = fit_cca(mapped, Y).x_scores
        assert np.cov(scores.T) == pytest.approx(np.eye(4), abs=tolerance)

    def test_columns_of_every_scale_and_offset(self):
        X, Y = related_pair(np.random.default_rng(4))
        rho = canonical_correlations(X, Y)
        scaled = canonical_correlations(X * [1e200, 1e-200, 1, 1e-300, 1e300, 5], Y * 1e-150)
        assert scaled == pytest.approx(rho, abs=1e-13)
        assert canonical_correlations(X + 1e6, Y - 1e7) == pytest.approx(rho, abs=1e-8)

    def test_many_blocks_of_rows(self):
        X, Y = related_pair(np.random.default_rng(5), 30_000, 8, 5)
        assert canonical_correlations(X, Y) == pytest.approx(CanCorr(Y, X).cancorr, abs=1e-12)
        X[:, 7] = X[:, 0] - X[:, 1]  # by way of the blocked Householder QR
        expected = CanCorr(Y, X[:, :7]).cancorr
        assert canonical_correlations(X, Y) == pytest.approx(expected, abs=1e-12)

    @pytest.mark.parametrize("factor", [1e-3, 1e3, 1e8, 0.0])
    def test_some_rows_unlike_the_others(self, factor):
        rng = np.random.default_rng(7)
        X, Y = related_pair(rng, 420)
        X[::14, 0] *= factor
        assert canonical_correlations(X, Y) == pytest.approx(CanCorr(Y, X).cancorr, abs=1e-10)
        Y[1::14, 1] *= 1e6
        assert canonical_correlations(X, Y) == pytest.approx(CanCorr(Y, X).cancorr, abs=1e-10)

    @pytest.mark.parametrize("distance", [1e-3, 1e-6])
    def test_collinear_in_most_rows_and_tiny_in_the_others(self, distance):
        rng = np.random.default_rng(8)
        X, Y = related_pair(rng, 420)
        others = np.arange(420) % 14 > 0
        X[:, 1] = np.where(others, X[:, 0] + distance * X[:, 1], 1e-9 * X[:, 1])
        X[~others, 0] *= 1e-9
        # The difference of the two columns, stretched, spans the same space.
        clear = np.column_stack([X[:, 0], (X[:, 1] - X[:, 0]) / distance, X[:, 2:]])
        expected = CanCorr(Y, clear).cancorr
        assert canonical_correlations(X, Y) == pytest.approx(expected, abs=1e-9)

    def test_inputs_are_left_alone(self):
        X, Y = related_pair(np.random.default_rng(6))
        before = X.copy(), Y.copy()
        fit_cca(X, Y).significance()
        permutation_test(X, Y, n_resamples=5, random_state=0)
        assert np.array_equal(X, before[0])
        assert np.array_equal(Y, before[1])


class TestRank:
    def test_constant_and_collinear_columns_change_nothing(self):
        rng = np.random.default_rng(0)
        X, Y = related_pair(rng)
        wide = np.hstack([X, X @ rng.standard_normal((6, 3)), np.full((120, 1), 0.1), X[:, :1]])
        rho = canonical_correlations(X, Y)
        for left in (wide, wide + 1e7, wide * 1e-7, wide[:, ::-1]):
            result = fit_cca(left, Y)
            assert result.x_rank == 6
            assert result.correlations == pytest.approx(rho, abs=1e-8)

    def test_unused_columns_have_weight_zero_and_constant_ones_loading_zero(self):
        X, Y = related_pair(np.random.default_rng(1))
        result = fit_cca(np.hstack([X, np.full((120, 1), 0.1)]), Y)
        assert (result.x_weights[-1] == 0.0).all()
        assert (result.x_loadings[-1] == 0.0).all()

    def test_float32_rounding_is_no_direction(self):
        X, Y = related_pair(np.random.default_rng(2))
        narrow = X.astype(np.float32)
        doubled = np.hstack([narrow, narrow[:, :3] + narrow[:, 3:]])  # exact only to 1e-7
        assert fit_cca(doubled, Y).x_rank == 6
        assert fit_cca(pd.DataFrame(doubled), Y).x_rank == 6
        assert fit_cca(doubled.astype(float), Y).x_rank == 9
        for dtype in ("Float32", "float[pyarrow]"):
            assert fit_cca(pd.DataFrame(doubled, dtype=dtype), Y).x_rank == 6
        # Of either side, and on training rows as well.
        wide = np.random.default_rng(3).standard_normal((120, 9))
        assert len(cross_validated_correlations(doubled, wide)) == 6
        assert len(cross_validated_correlations(wide, doubled)) == 6
        assert fit_cca(wide, doubled).y_rank == 6

    def test_each_column_has_the_rounding_it_was_stored_with(self):
        # In one frame: a time in seconds (float64, or whole: int64) and a measurement (float32). In
        # float32 the time would be a constant: its numbers near 1.7e9 lie 128 apart.
        rng = np.random.default_rng(4)
        z, w = rng.standard_normal((2, 200)).astype(np.float32)
        seconds = np.round(100.0 * z.astype(float))
        Y = z[:, None] + rng.standard_normal((200, 2))
        expected = CanCorr(Y, np.column_stack([seconds, w.astype(float)])).cancorr
        for dtype in (float, int):
            frame = pd.DataFrame({"time": 1_700_000_000 + seconds.astype(dtype), "w": w})
            assert canonical_correlations(frame, Y) == pytest.approx(expected, abs=1e-10)

    def test_tolerance_of_float32_is_the_documented_one(self):
        # Orthonormal u and v; the second column keeps the share `distance` beside the first.
        rng = np.random.default_rng(5)
        u, v = np.linalg.qr(rng.standard_normal((200, 3)) * [0, 1, 1] + [1, 0, 0])[0][:, 1:].T
        for distance, rank in ((2.8e-5, 2), (2.1e-5, 1)):
            X = np.column_stack([u, np.sqrt(1 - distance**2) * u + distance * v])
            Y = rng.standard_normal((200, 1))
            assert fit_cca(X.astype(np.float32), Y).x_rank == rank

    @pytest.mark.parametrize(("distance", "rank"), [(1e-10, 3), (1e-11, 2)])
    def test_tolerance_is_the_documented_one(self, distance, rank):
        rng = np.random.default_rng(3)
        X = rng.standard_normal((100, 3))
        X[:, 2] = X[:, 0] + distance * X[:, 2]
        assert fit_cca(X, rng.standard_normal((100, 2))).x_rank == rank

    @pytest.mark.parametrize(("offset", "rank"), [(4e13, 2), (8e13, 1)])
    def test_rounding_counts_where_it_is_larger(self, offset, rank):
        # 8 eps times the offset is 0.07 and 0.14; what the second column adds is 0.1 of it.
        rng = np.random.default_rng(3)
        z, w = rng.standard_normal((2, 100))
        X = np.column_stack([z, z + 0.1 * w + offset])
        assert fit_cca(X, rng.standard_normal((100, 2))).x_rank == rank

    def test_a_column_that_cannot_be_divided_by_is_constant(self):
        X, Y = related_pair(np.random.default_rng(5))
        result = fit_cca(X * [1, 1, 1, 1, 1, 1e-309], Y)
        assert result.x_rank == 5
        expected = CanCorr(Y, X[:, :5]).cancorr
        assert result.correlations == pytest.approx(expected, abs=1e-12)

    def test_a_column_with_few_digits_does_not_cost_the_others_theirs(self):
        rng = np.random.default_rng(4)
        X = rng.standard_normal((100, 3))
        X[:, 1] = X[:, 0] + 1e-8 * X[:, 1]
        X[:, 2] += 1e12  # stored to 1e-4
        assert fit_cca(X, rng.standard_normal((100, 2))).x_rank == 3

    def test_digit_halves(self):
        images = load_digits().images
        left, right = images[:, :, :4].reshape(-1, 32), images[:, :, 4:].reshape(-1, 32)
        result = fit_cca(left, right)
        # Rank from numpy.linalg.matrix_rank of the centred halves: constant pixels do not count.
        assert result.x_rank == np.linalg.matrix_rank(left - left.mean(axis=0)) < 32
        assert result.y_rank == np.linalg.matrix_rank(right - right.mean(axis=0)) < 32
        used = [half[:, half.std(axis=0) > 0] for half in (left, right)]
        expected = CanCorr(used[1], used[0]).cancorr[: len(result.correlations)]
        assert result.correlations == pytest.approx(expected, abs=1e-10)

    @pytest.mark.parametrize(
        ("n", "p", "q", "n_forced"), [(5, 8, 2, 2), (10, 6, 5, 2), (11, 6, 5, 1), (6, 5, 5, 5)]
    )
    def test_forced_correlations_are_announced_and_counted(self, n, p, q, n_forced):
        rng = np.random.default_rng(5)
        X, Y = rng.standard_normal((n, p)), rng.standard_normal((n, q))
        with pytest.warns(ForcedCorrelationWarning, match=f"^{n_forced} of the") as caught:
            rho = canonical_correlations(X, Y)
        assert caught[0].filename == __file__
        assert (rho > 1 - 1e-10).sum() == n_forced
        assert f"{p + q + 1} rows are enough" in str(caught[0].message)
        canonical_correlations(rng.standard_normal((p + q + 1, p)), np.eye(p + q + 1)[:, :q])

    @pytest.mark.parametrize(
        "function",
        [fit_cca, mean_cca, svcca, pwcca, cross_validated_correlations, permutation_test],
    )
    def test_every_function_that_needs_rows_warns(self, function):
        X, Y = np.random.default_rng(6).standard_normal((2, 10, 8))
        with pytest.warns(ForcedCorrelationWarning) as caught:
            function(X, Y)
        assert caught[0].filename == __file__

    def test_a_side_that_spans_all_directions_leaves_nothing_free(self):
        rng = np.random.default_rng(9)
        with pytest.warns(ForcedCorrelationWarning, match="3 of the 3"):
            result = fit_cca(rng.standard_normal((12, 11)), rng.standard_normal((12, 3)))
        assert null_quantiles(12, 11, 3) == pytest.approx([1.0, 1.0, 1.0])
        assert null_edge(12, 11, 3) == 1.0
        axes = result.plot()  # without a warning, which would fail here
        plt.close(axes.figure)

    def test_one_row_more_than_needed_is_silent(self):
        rng = np.random.default_rng(7)
        canonical_correlations(rng.standard_normal((12, 6)), rng.standard_normal((12, 5)))

    def test_forced_correlations_cannot_be_tested(self):
        X, Y = np.random.default_rng(8).standard_normal((2, 10, 8))
        with pytest.warns(ForcedCorrelationWarning):
            result = fit_cca(X, Y)
        with pytest.raises(ValueError, match="8 \\+ 8 and 10 rows"):
            result.significance()
        with pytest.warns(ForcedCorrelationWarning):  # by one only
            result = fit_cca(X[:, :6], Y[:, :4])
        with pytest.raises(ValueError, match="6 \\+ 4 and 10 rows"):
            result.significance()
        with pytest.warns(ForcedCorrelationWarning):
            assert (permutation_test(X, Y, n_resamples=9).pvalues == 1.0).all()


class TestResult:
    @given(seed=st.integers(0, 2**32 - 1), p=st.integers(1, 6), q=st.integers(1, 6))
    @settings(max_examples=30, deadline=None)
    def test_defining_equations(self, seed, p, q):
        rng = np.random.default_rng(seed)
        X, Y = related_pair(rng, 50, p, q, n_shared=1)
        result = fit_cca(X, Y)
        r = min(p, q)
        S = np.cov(X.T, Y.T)
        A, B = result.x_weights, result.y_weights
        assert A.T @ S[:p, :p] @ A == pytest.approx(np.eye(r), abs=1e-10)
        assert B.T @ S[p:, p:] @ B == pytest.approx(np.eye(r), abs=1e-10)
        assert A.T @ S[:p, p:] @ B == pytest.approx(np.diag(result.correlations), abs=1e-10)
        assert (X - result.x_mean) @ A == pytest.approx(result.x_scores, abs=1e-10)
        assert (Y - result.y_mean) @ B == pytest.approx(result.y_scores, abs=1e-10)
        assert result.x_scores.var(axis=0, ddof=1) == pytest.approx(np.ones(r))

    def test_loadings_are_correlations(self):
        X, Y = related_pair(np.random.default_rng(0))
        result = fit_cca(X, Y)
        for data, scores, loadings in (
            (X, result.x_scores, result.x_loadings),
            (Y, result.y_scores, result.y_loadings),
        ):
            expected = np.corrcoef(data.T, scores.T)[: data.shape[1], data.shape[1] :]
            assert loadings == pytest.approx(expected, abs=1e-12)

    @pytest.mark.parametrize("scale", [1e-300, 1e-165, 1e200, 1e300])
    def test_loadings_of_columns_of_every_scale(self, scale):
        X, Y = related_pair(np.random.default_rng(6))
        expected = fit_cca(X, Y).x_loadings
        assert fit_cca(X * [1, scale, 1, 1, 1, 1], Y).x_loadings == pytest.approx(expected)

    def test_signs_follow_the_rule(self):
        rng = np.random.default_rng(1)
        X, Y = related_pair(rng)
        for factor in (1.0, -1.0):
            result = fit_cca(factor * X, Y)
            largest = np.abs(result.x_loadings).argmax(axis=0)
            assert (result.x_loadings[largest, range(4)] > 0).all()
            assert ((result.x_scores * result.y_scores).sum(axis=0) > 0).all()
        # Two loadings of the same size and opposite sign: the first is positive.
        for _ in range(20):
            z = rng.standard_normal(50)
            columns = np.column_stack([-z, 3 * z, 0.1 * z])
            twins = fit_cca(columns, (z + rng.standard_normal(50))[:, None])
            assert twins.x_loadings[:, 0] == pytest.approx([1.0, -1.0, -1.0])

    def test_n_components_keeps_the_first(self):
        X, Y = related_pair(np.random.default_rng(2))
        full, part = fit_cca(X, Y), fit_cca(X, Y, n_components=2)
        assert part.correlations == pytest.approx(full.correlations[:2])
        assert part.x_scores == pytest.approx(full.x_scores[:, :2])
        assert part.x_weights.shape == (6, 2)
        assert part.y_loadings.shape == (4, 2)
        pd.testing.assert_frame_equal(part.significance(), full.significance())

    @pytest.mark.parametrize("names", [list("abcdef"), list("aabbcc")])
    def test_a_frame_serves_as_an_array_does(self, names):
        X, Y = related_pair(np.random.default_rng(3))
        framed = fit_cca(pd.DataFrame(X, columns=names), pd.DataFrame(Y, index=range(120, 0, -1)))
        assert framed.correlations == pytest.approx(fit_cca(X, Y).correlations)

    def test_a_result_cannot_be_changed_or_made_inconsistent(self):
        result = fit_cca(*related_pair(np.random.default_rng(4)))
        with pytest.raises(FrozenInstanceError):
            result.n_samples = 3
        with pytest.raises(ValueError, match=r"`x_scores` must have shape \(120, 4\)"):
            replace(result, x_scores=result.x_scores[:, :2])
        for name in ("x_weights", "y_weights", "y_scores", "x_loadings", "y_loadings"):
            with pytest.raises(ValueError, match=f"`{name}` must have shape"):
                replace(result, **{name: getattr(result, name)[:-1]})
        with pytest.raises(ValueError, match=r"`all_correlations` must have shape \(4,\)"):
            replace(result, all_correlations=result.correlations[:3])

    def test_population_correlations_are_estimated(self):
        # Pairs with correlations 0.8, 0.5, 0.2 and nothing else; the standard error of a
        # correlation is (1 - rho^2) / sqrt(n), at most 0.003 here, and the tolerance five of them.
        rng = np.random.default_rng(5)
        rho = np.array([0.8, 0.5, 0.2])
        X = rng.standard_normal((100_000, 5))
        Y = rng.standard_normal((100_000, 3))
        Y = rho * X[:, :3] + np.sqrt(1 - rho**2) * Y
        estimate = canonical_correlations(X @ random_map(rng, 5), Y @ random_map(rng, 3))
        assert estimate == pytest.approx(rho, abs=0.016)


def simulated_roots(rng, n, p, q, repetitions):
    """Canonical correlations of independent normal sides, many times over."""
    X = rng.standard_normal((repetitions, n - 1, p))  # centring costs one row
    Y = rng.standard_normal((repetitions, n - 1, q))
    cosines = np.linalg.qr(X)[0].transpose(0, 2, 1) @ np.linalg.qr(Y)[0]
    return np.linalg.svd(cosines, compute_uv=False)


class TestSignificance:
    @pytest.mark.parametrize("n", [60, 12])  # statsmodels divides by zero for 13
    def test_statsmodels_agrees_where_it_is_right(self, n):
        # CanCorr.corr_test().stats_mv (from multivariate OLS) has the right degrees of freedom for
        # unequal widths in statsmodels 0.15; its Roy F is the bound.
        X, Y = related_pair(np.random.default_rng(0), n, 6, 3)
        theirs = CanCorr(Y, X).corr_test().stats_mv.astype(float)
        ours = fit_cca(X, Y).significance().loc[1]
        for row, name in (
            ("Wilks' lambda", "wilks"),
            ("Pillai's trace", "pillai"),
            ("Hotelling-Lawley trace", "hotelling_lawley"),
        ):
            expected = theirs.loc[row]
            assert ours[name] == pytest.approx(expected["Value"], rel=1e-10)
            assert ours[f"{name}_f"] == pytest.approx(expected["F Value"], rel=1e-10)
            assert ours[f"{name}_df1"] == pytest.approx(expected["Num DF"])
            assert ours[f"{name}_df2"] == pytest.approx(expected["Den DF"])
            assert ours[f"{name}_pvalue"] == pytest.approx(expected["Pr > F"], rel=1e-8)
        assert ours["roy"] == pytest.approx(theirs.loc["Roy's greatest root", "Value"], rel=1e-10)

    def test_statsmodels_first_table_is_wrong_for_unequal_widths(self):
        # Stays as a record of the trap: when statsmodels mends it, the chapter must change.
        X, Y = related_pair(np.random.default_rng(0), 60, 6, 3)
        test = CanCorr(Y, X).corr_test()
        wrong = test.stats["Den DF"].astype(float).iloc[0]
        right = float(test.stats_mv.loc["Wilks' lambda", "Den DF"])
        assert fit_cca(X, Y).significance()["wilks_df2"].iloc[0] == pytest.approx(right)
        assert abs(wrong - right) > 1

    @pytest.mark.parametrize("n", [40, 8, 7])  # below 9 rows the older F of Hotelling-Lawley
    def test_one_column_against_many_is_regression(self, n):
        # All four are then the F test of the regression: R^2 / p over (1 - R^2) / (n - p - 1).
        X, Y = related_pair(np.random.default_rng(1), n, 5, 1, n_shared=1)
        for left, right in ((X, Y), (Y, X)):
            row = fit_cca(left, right).significance().loc[1]
            square = row["correlation"] ** 2
            f = square / 5 / ((1 - square) / (n - 6))
            for name in ("wilks", "pillai", "hotelling_lawley"):
                assert row[f"{name}_f"] == pytest.approx(f, rel=1e-10)
                assert row[f"{name}_df1"] == pytest.approx(5)
                assert row[f"{name}_df2"] == pytest.approx(n - 6)
                assert row[f"{name}_pvalue"] == pytest.approx(stats.f.sf(f, 5, n - 6), rel=1e-8)
            assert row["roy_pvalue"] == pytest.approx(stats.f.sf(f, 5, n - 6), rel=1e-8)

    @given(n=st.integers(15, 60), p=st.integers(1, 6), q=st.integers(1, 6), seed=st.integers(0, 99))
    @settings(max_examples=30, deadline=None)
    def test_sides_are_exchangeable_and_roots_decouple(self, n, p, q, seed):
        rho = np.sort(np.random.default_rng(seed).random(min(p, q)))[::-1]
        table = significance_table(rho, n, p, q)
        pd.testing.assert_frame_equal(table, significance_table(rho, n, q, p))
        assert not table.isna().any().any()
        assert ((table.filter(like="pvalue") >= 0) & (table.filter(like="pvalue") <= 1)).all().all()
        if len(rho) > 1:  # the second root is the first of what is left
            rest = significance_table(rho[1:], n - 1, p - 1, q - 1)
            assert table.iloc[1].to_list() == pytest.approx(rest.iloc[0].to_list())

    @pytest.mark.parametrize(("p", "q"), [(6, 5), (5, 6), (9, 2), (10, 1)])
    def test_as_many_directions_as_rows_leave(self, p, q):
        # n - 1 = p + q: the documented gap of Hotelling-Lawley, and nothing else is missing.
        rho = np.linspace(0.9, 0.2, min(p, q))
        table = significance_table(rho, 12, p, q)
        gap = [f"hotelling_lawley_{end}" for end in ("f", "df1", "df2", "pvalue")]
        assert table.loc[1, gap].isna().all() == (min(p, q) > 1)
        assert not table.drop(columns=gap).isna().any().any()
        assert not table.loc[2:].isna().any().any()

    def test_bartlett_fails_first_where_columns_are_many(self):
        # The rates of the docstring; 1000 repetitions, standard errors 0.016 and 0.007.
        rng = np.random.default_rng(3)
        roots = simulated_roots(rng, 100, 40, 30, 1000)
        tests = pd.DataFrame([_wilks(np.log1p(-(rho**2)).sum(), 100, 40, 30) for rho in roots])
        assert (tests["bartlett_pvalue"] <= 0.05).mean() == pytest.approx(0.41, abs=0.05)
        assert (tests["wilks_pvalue"] <= 0.05).mean() == pytest.approx(0.05, abs=0.021)

    def test_a_correlation_of_one(self):
        X = np.random.default_rng(2).standard_normal((30, 3))
        row = significance_table(np.array([1.0, 1.0, 1.0]), 30, 3, 3).loc[1]
        assert row["wilks"] == 0.0
        assert row.filter(like="pvalue").to_list() == [0.0] * 5
        assert (
            fit_cca(X, X @ [[1, 2, 0], [0, 1, 1], [0, 0, 3]]).significance()["wilks"].iloc[0]
            < 1e-40
        )

    @pytest.mark.parametrize(("n", "p", "q"), [(60, 3, 7), (60, 7, 3), (80, 5, 12)])
    def test_type_one_error_of_every_test(self, n, p, q):
        # 1500 repetitions: the standard error of a rate of 0.05 is 0.0056; tolerance three of them.
        rng = np.random.default_rng(n)
        roots = simulated_roots(rng, n, p, q, 1500)
        first = pd.DataFrame([_test_of_remaining(rho, n, p, q) for rho in roots])
        for name in ("wilks", "bartlett", "pillai", "hotelling_lawley", "roy"):
            rate = (first[f"{name}_pvalue"] <= 0.05).mean()
            assert rate == pytest.approx(0.05, abs=0.017), name
        assert stats.kstest(first["roy_pvalue"], "uniform").pvalue > 0.01

    def test_type_one_error_of_the_second_root(self):
        # One strong pair (rho = 0.97), nothing else: the second root is tested at its level.
        rng = np.random.default_rng(9)
        n, p, q = 50, 4, 8
        tables = []
        for _ in range(600):
            X, Y = related_pair(rng, n, p, q, n_shared=1, noise=0.25)
            rho = canonical_correlations(X, Y)
            tables.append(_test_of_remaining(rho[1:], n - 1, p - 1, q - 1))
        table = pd.DataFrame(tables)
        for name in ("wilks", "bartlett", "pillai", "hotelling_lawley", "roy"):
            rate = (table[f"{name}_pvalue"] <= 0.05).mean()  # standard error 0.009
            assert rate == pytest.approx(0.05, abs=0.027), name


class TestRoysRoot:
    @pytest.mark.parametrize(
        ("m", "n", "theta"), [(0.0, 5.0, 0.3), (1.5, 2.0, 0.8), (-0.5, 9.0, 0.2)]
    )
    def test_two_roots_by_brute_force(self, m, n, theta):
        # The joint density is c (x y)^m ((1 - x)(1 - y))^n (x - y) for x > y.
        def density(y, x):
            return (x * y) ** m * ((1 - x) * (1 - y)) ** n * (x - y)

        whole = integrate.dblquad(density, 0, 1, 0, lambda x: x)[0]
        below = integrate.dblquad(density, 0, theta, 0, lambda x: x)[0]
        assert largest_root_tail(theta, 2, m, n) == pytest.approx(1 - below / whole, abs=1e-6)

    @pytest.mark.parametrize(
        ("p", "q", "quantile_95"),
        # Upper 5% points of the largest root for m = 0, n = 5 and s = 2, 3, to the three digits of
        # Pillai (1960), Statistical Tables for Tests of Multivariate Hypotheses.
        [(2, 3, 0.565), (3, 4, 0.669)],
    )
    def test_pillais_table(self, p, q, quantile_95):
        assert largest_root_tail(quantile_95, p, (q - p - 1) / 2, 5.0) == pytest.approx(
            0.05, abs=6e-4
        )

    @pytest.mark.parametrize(("s", "m", "n"), [(50, 24.5, 925.0), (120, 0.0, 400.0)])
    def test_many_roots_follow_tracy_widom(self, s, m, n):
        # Johnstone (2008): the logit of the root, standardised, is Tracy-Widom (beta = 1) to second
        # order. Quantiles of that law: 0.50 at -1.2686, 0.95 at 0.9793, 0.99 at 2.0234.
        total = 2 * (n + m + s) + 1
        gamma = 2 * np.arcsin(np.sqrt((s - 0.5) / total))
        phi = 2 * np.arcsin(np.sqrt((2 * m + s + 0.5) / total))
        centre = 2 * np.log(np.tan((phi + gamma) / 2))
        cube = 16 / (total**2 * np.sin(phi + gamma) ** 2 * np.sin(phi) * np.sin(gamma))
        for level, value in ((0.5, -1.2686), (0.95, 0.9793), (0.99, 2.0234)):
            theta = 1 / (1 + np.exp(-(centre + cube ** (1 / 3) * value)))
            tail = largest_root_tail(theta, s, m, n)
            assert tail == pytest.approx(1 - level, rel=0.12)

    @pytest.mark.parametrize("theta", [0.05, 0.2, 0.5, 0.8])
    @pytest.mark.parametrize("n", [50, 200])
    def test_small_probabilities_keep_their_digits(self, theta, n):
        # Two roots by integration over the tail alone; the probabilities reach down to 1e-139.
        def density_of_the_larger(x):
            inner = integrate.quad(lambda y: (x - y) * y * (1 - y) ** n, 0, x, epsrel=1e-12)[0]
            return x * (1 - x) ** n * inner

        whole = integrate.quad(density_of_the_larger, 0, 1, epsabs=0, epsrel=1e-10)[0]
        tail = integrate.quad(density_of_the_larger, theta, 1, epsabs=0, epsrel=1e-10)[0]
        assert largest_root_tail(theta, 2, 1.0, n) == pytest.approx(tail / whole, rel=1e-8, abs=0)

    @pytest.mark.parametrize("s", [2, 3, 25, 60])
    def test_closed_form_of_many_roots(self, s):
        # For n = 0 the joint density is a homogeneous polynomial of degree s m + s (s - 1) / 2, so
        # that P(all <= theta) is a power of theta.
        for m in (-0.5, 0.0, 7.5):
            power = s * (m + (s + 1) / 2)
            for tail in (0.999, 0.5, 1e-2, 1e-4, 1e-9):
                theta = np.exp(np.log1p(-tail) / power)
                expected = -np.expm1(power * np.log(theta))
                assert largest_root_tail(theta, s, m, 0.0) == pytest.approx(expected, rel=1e-6)

    @pytest.mark.parametrize("s", [1, 2, 5, 40])
    def test_ends_of_the_range(self, s):
        for n in (-0.5, 0.0, 30.0):
            assert largest_root_tail(0.0, s, 0.5, n) == 1.0
            assert largest_root_tail(1.0, s, 0.5, n) == 0.0
        assert largest_root_tail(0.9, 1, 0.0, 20.0) == pytest.approx(0.1**21, rel=1e-9, abs=0)

    @given(
        s=st.integers(2, 12),
        width=st.integers(0, 30),
        spare=st.integers(0, 200),
        seed=st.integers(0, 999),
    )
    @settings(max_examples=30, deadline=None)
    def test_a_decreasing_probability(self, s, width, spare, seed):
        theta = np.sort(np.random.default_rng(seed).random(4))
        tails = [largest_root_tail(t, s, (width - 1) / 2, (spare - 1) / 2) for t in theta]
        assert all(0.0 <= tail <= 1.0 for tail in tails)
        assert (np.diff(tails) <= 1e-9).all()


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


class TestNoise:
    @given(
        n=st.integers(4, 500),
        p=st.floats(0.01, 0.9),
        q=st.floats(0.01, 0.9),
    )
    @settings(max_examples=40, deadline=None)
    def test_density_integrates_to_the_share_that_is_not_forced(self, n, p, q):
        p, q = (max(1, round(share * (n - 1))) for share in (p, q))
        # The substitution rho = sin(t) tames the edge at 1.
        edges = np.linspace(0, np.pi / 2, 400_002)
        t = 0.5 * (edges[1:] + edges[:-1])
        total = (null_density(np.sin(t), n, p, q) * np.cos(t)).sum() * (edges[1] - edges[0])
        assert total == pytest.approx(1 - max(0, p + q - n + 1) / min(p, q), abs=5e-3)

    def test_edge_is_where_the_density_ends(self):
        edge = null_edge(300, 20, 50)
        assert null_density([edge - 1e-6, edge + 1e-6], 300, 20, 50) == pytest.approx(
            [0, 0], abs=0.1
        )
        assert null_density(edge - 0.01, 300, 20, 50) > 0.5
        assert null_density(edge + 1e-9, 300, 20, 50) == 0.0
        # Closed form for equal widths: the squared edge is 4 a (1 - a), a = p / (n - 1).
        assert null_edge(101, 20, 20) == pytest.approx(np.sqrt(4 * 0.2 * 0.8))
        assert null_edge(11, 5, 5) == 1.0
        assert null_edge(11, 9, 8) == 1.0

    @pytest.mark.parametrize(("p", "q"), [(100, 50), (60, 60), (30, 200)])
    def test_simulated_roots_follow_the_law(self, p, q):
        rng = np.random.default_rng(0)
        rho = canonical_correlations(rng.standard_normal((1000, p)), rng.standard_normal((1000, q)))
        expected = null_quantiles(1000, p, q)
        assert rho.shape == expected.shape
        assert rho == pytest.approx(expected, abs=0.04)
        assert rho[0] == pytest.approx(null_edge(1000, p, q), abs=0.04)
        assert (rho**2).mean() == pytest.approx(max(p, q) / 999, rel=0.03)  # exact in expectation

    def test_the_popular_answers_example(self):
        # Independent 2000 x 100 and 2000 x 50. Over 40 draws with statsmodels' CanCorr the first
        # correlation had mean 0.366 and standard deviation 0.009; the edge is 0.375.
        rng = np.random.default_rng(0)
        first = [
            canonical_correlations(
                rng.standard_normal((2000, 100)), rng.standard_normal((2000, 50))
            )[0]
            for _ in range(10)
        ]
        assert np.mean(first) == pytest.approx(0.366, abs=0.009)
        assert null_edge(2000, 100, 50) == pytest.approx(0.375, abs=5e-4)

    @pytest.mark.parametrize(("n", "p", "q"), [(1000, 100, 50), (200, 60, 60), (300, 200, 80)])
    def test_expected_roots_have_the_mean_of_the_law(self, n, p, q):
        # The mean of the squared correlations is max(p, q) / (n - 1), also in finite samples.
        squares = null_quantiles(n, p, q) ** 2
        assert squares.mean() == pytest.approx(max(p, q) / (n - 1), rel=2e-3)

    def test_forced_roots_come_first(self):
        quantiles = null_quantiles(20, 12, 10)
        assert (quantiles[:3] == 1.0).all()
        assert quantiles[3] < 1.0
        assert len(quantiles) == 10

    def test_scalar_and_shape(self):
        assert isinstance(null_density(0.1, 100, 5, 5), float)
        assert null_density(np.full((2, 3), 0.1), 100, 5, 5).shape == (2, 3)
        assert null_density(0.0, 100, 5, 5) == pytest.approx(
            np.sqrt(4 * 5 / 99 * 94 / 99) / (np.pi * 5 / 99)
        )  # sqrt(u) / (pi a)
        assert null_density(0.0, 100, 5, 6) == 0.0

    @pytest.mark.parametrize(("p", "q"), [(5, 6), (6, 5), (30, 50), (50, 49)])
    def test_density_of_the_squares(self, p, q):
        # As Johnstone (2008) writes the law for squared correlations x, with
        # c_+- = (sin((phi +- gamma) / 2))^2, sin(gamma / 2)^2 = p / n, sin(phi / 2)^2 = q / n.
        half_gamma, half_phi = np.arcsin(np.sqrt([min(p, q) / 99, max(p, q) / 99]))
        low, high = np.sin(half_phi - half_gamma) ** 2, np.sin(half_phi + half_gamma) ** 2
        x = np.linspace(low, high, 7)[1:-1]
        density = np.sqrt((high - x) * (x - low)) / (2 * np.pi * min(p, q) / 99 * x * (1 - x))
        rho = np.sqrt(x)
        assert null_density(rho, 100, p, q) == pytest.approx(2 * rho * density)


# What each similarity promises, from the papers: see the Notes of each function.
PROMISES = {
    "mean_cca": {"shift", "scaling", "rotation", "map of X", "map of Y", "symmetric"},
    "svcca": {"shift", "scaling", "rotation", "symmetric"},
    "pwcca": {"shift", "scaling", "rotation of Y", "map of Y"},
    "linear_cka": {"shift", "scaling", "rotation", "symmetric"},
}
TRANSFORMED = {
    "shift": lambda X, Y, rng: (X + 5.0, Y - rng.standard_normal(Y.shape[1]) * 9),
    "scaling": lambda X, Y, rng: (1e-3 * X, -250.0 * Y),
    "rotation": lambda X, Y, rng: (X @ random_map(rng, 6, 1.0), Y @ random_map(rng, 4, 1.0)),
    "rotation of Y": lambda X, Y, rng: (X, Y @ random_map(rng, 4, 1.0)),
    "map of X": lambda X, Y, rng: (X @ random_map(rng, 6, 50.0), Y),
    "map of Y": lambda X, Y, rng: (X, Y @ random_map(rng, 4, 50.0)),
    "symmetric": lambda X, Y, rng: (Y, X),
}


class TestSimilarities:
    def test_every_similarity_is_tested(self):
        public = {
            name for name in cca.__all__ if name.endswith(("cca", "cka")) and name != "fit_cca"
        }
        assert public == set(SIMILARITIES) == set(PROMISES)

    @pytest.mark.parametrize("name", SIMILARITIES)
    @pytest.mark.parametrize("change", TRANSFORMED)
    def test_invariant_to_what_is_promised_and_to_nothing_else(self, name, change):
        rng = np.random.default_rng(0)
        X, Y = related_pair(rng)
        X, Y = X * [1, 2, 3, 4, 5, 6], Y * [0.02, 1, 2, 3]
        measure = SIMILARITIES[name]
        before, after = measure(X, Y), measure(*TRANSFORMED[change](X, Y, rng))
        kept = (
            change in PROMISES[name]
            or (change == "rotation of Y" and "rotation" in PROMISES[name])
            or (change == "rotation of Y" and "map of Y" in PROMISES[name])
        )
        if kept:
            assert after == pytest.approx(before, abs=1e-10)
        else:
            assert abs(after - before) > 1e-4

    @pytest.mark.parametrize("name", SIMILARITIES)
    @given(seed=st.integers(0, 2**32 - 1), p=st.integers(1, 5), q=st.integers(1, 5))
    @settings(max_examples=15, deadline=None)
    def test_between_zero_and_one_and_one_on_itself(self, name, seed, p, q):
        rng = np.random.default_rng(seed)
        X, Y = related_pair(rng, 30, p, q, n_shared=1)
        measure = SIMILARITIES[name]
        value = measure(X, Y)
        assert isinstance(value, float)
        assert 0.0 <= value <= 1.0
        assert measure(X, X) == pytest.approx(1.0)
        assert measure(X, 3.0 * X[:, ::-1] + 1.0) == pytest.approx(1.0)

    def test_mean_cca_is_the_mean(self):
        X, Y = related_pair(np.random.default_rng(1))
        assert mean_cca(X, Y) == pytest.approx(CanCorr(Y, X).cancorr.mean(), abs=1e-12)

    def test_svcca_by_hand(self):
        # Raghu et al. (2017): singular directions with 99% of the variance (squared singular
        # values), then the mean correlation.
        rng = np.random.default_rng(2)
        X, Y = related_pair(rng)
        X, Y = X * [30, 20, 3, 1, 0.5, 0.1], Y * [10, 3, 1, 0.01]

        def reduced(Z, share):
            Z = Z - Z.mean(axis=0)
            U, s, _ = np.linalg.svd(Z, full_matrices=False)
            k = int(np.searchsorted(np.cumsum(s**2) / (s**2).sum(), share)) + 1
            return U[:, :k]

        for share in (0.5, 0.9, 0.99):
            cosines = reduced(X, share).T @ reduced(Y, share)
            expected = np.linalg.svd(cosines, compute_uv=False).mean()
            assert svcca(X, Y, explained_variance=share) == pytest.approx(expected, abs=1e-10)
        assert svcca(X, Y, explained_variance=1.0) == pytest.approx(mean_cca(X, Y))

    def test_pwcca_by_hand(self):
        # Morcos et al. (2018), section 2.2, with h_i from Hotelling's eigenvectors.
        X, Y = related_pair(np.random.default_rng(3), p=4, q=6)
        Xc, Yc = X - X.mean(axis=0), Y - Y.mean(axis=0)
        product = np.linalg.solve(Xc.T @ Xc, Xc.T @ Yc) @ np.linalg.solve(Yc.T @ Yc, Yc.T @ Xc)
        squares, vectors = np.linalg.eig(product)
        H = Xc @ vectors.real
        H /= np.linalg.norm(H, axis=0)
        weights = np.abs(H.T @ Xc).sum(axis=1)
        expected = weights @ np.sqrt(squares.real) / weights.sum()
        assert pwcca(X, Y) == pytest.approx(expected, abs=1e-10)

    @pytest.mark.parametrize("n", [200, 7])  # products over columns, and over rows
    def test_linear_cka_by_its_definition(self, n):
        # Kornblith et al. (2019): HSIC(K, L) / sqrt(HSIC(K, K) HSIC(L, L)), K = XX', centred by H.
        rng = np.random.default_rng(4)
        X, Y = rng.standard_normal((n, 6)) + 3, rng.standard_normal((n, 4))
        H = np.eye(n) - 1 / n
        K, L = X @ X.T, Y @ Y.T

        def hsic(A, B):
            return np.trace(A @ H @ B @ H)

        expected = hsic(K, L) / np.sqrt(hsic(K, K) * hsic(L, L))
        assert linear_cka(X, Y) == pytest.approx(expected, abs=1e-10)

    def test_linear_cka_needs_no_more_rows_than_columns(self):
        X, Y = np.random.default_rng(5).standard_normal((2, 10, 40))
        assert 0 < linear_cka(X, Y) < 1

    def test_wide_representations(self):
        rng = np.random.default_rng(6)
        shared = rng.standard_normal((30, 3))
        X, Y = (shared @ rng.standard_normal((3, 200)) for _ in range(2))
        assert svcca(X, Y) == pytest.approx(1.0)
        assert mean_cca(X, Y) == pytest.approx(1.0)


RNG = np.random.default_rng(0)
GOOD = RNG.standard_normal((20, 3))
IMAGES = RNG.standard_normal((20, 3, 4, 4))
HOLE = GOOD.copy()
HOLE[2, 1] = np.nan
ONE_OUTLIER = GOOD.copy()
ONE_OUTLIER[2, 1] = 1e200
TWO_SIDED = [
    *(canonical_correlations, fit_cca, permutation_test, cross_validated_correlations),
    *SIMILARITIES.values(),
]


class TestErrors:
    @pytest.mark.parametrize("function", TWO_SIDED)
    @pytest.mark.parametrize(
        ("X", "Y", "error", "message"),
        [
            (IMAGES, GOOD, ValueError, r"`X`.*\(20, 3, 4, 4\).*X.reshape\(len\(X\), -1\)"),
            (GOOD, IMAGES, ValueError, r"Y.transpose\(0, 2, 3, 1\).reshape\(-1, 3\)"),
            (GOOD[:, 0], GOOD, ValueError, r"`X` must have two dimensions.*reshape\(-1, 1\)"),
            (GOOD, HOLE, ValueError, r"`Y` must be finite.*1 \(1\)"),
            (GOOD, GOOD[:7], ValueError, "`X` has 20, `Y` has 7"),
            (GOOD[:1], GOOD[:1], ValueError, "`X` must have at least 2 row"),
            (np.ones((20, 2)), GOOD, ValueError, "`X`.*column that varies, got 2 constant"),
            (GOOD, np.full((20, 3), 0.1), ValueError, "`Y`.*column that varies, got 3 constant"),
            (GOOD, np.full((20, 1), "a"), TypeError, "`Y` must be numeric"),
            (GOOD, np.full((20, 1), "1.5"), TypeError, "`Y` must be numeric"),
            (GOOD, [[1.0, 2.0], [3.0]], ValueError, "`Y` must have rows of equal length"),
            (GOOD, pd.DataFrame({"a": [1j] * 20}), TypeError, "`Y` must be numeric.*'a'"),
            (IMAGES.tolist(), GOOD, ValueError, r"X.reshape\(len\(X\), -1\)"),
            (IMAGES[:, 0], GOOD, ValueError, r"`X` must have two.*\(20, 4, 4\)"),
            (pd.DataFrame({"a": ["u"] * 20}), GOOD, TypeError, "`X` must be numeric.*'a'"),
            (np.sign(GOOD) * 1.7e308, GOOD, ValueError, "`X` has values too large"),
        ],
    )
    def test_bad_data(self, function, X, Y, error, message):
        with pytest.raises(error, match=message):
            function(X, Y)

    @pytest.mark.parametrize(
        ("call", "error", "message"),
        [
            (lambda: fit_cca(GOOD, GOOD, 4), ValueError, "`n_components` must be between 1 and 3"),
            (lambda: fit_cca(GOOD, GOOD, 0), ValueError, "`n_components`"),
            (lambda: fit_cca(GOOD, GOOD, 1.5), TypeError, "`n_components` must be an integer"),
            (lambda: permutation_test(GOOD, GOOD, n_resamples=0), ValueError, "`n_resamples`"),
            (lambda: permutation_test(GOOD, GOOD, random_state="a"), TypeError, "`random_state`"),
            (lambda: cross_validated_correlations(GOOD, GOOD, cv=1), ValueError, "`cv`.*2 and 20"),
            (lambda: cross_validated_correlations(GOOD, GOOD, cv=True), TypeError, "`cv`"),
            (lambda: cross_validated_correlations(GOOD, GOOD, cv="a"), TypeError, "`cv`.*splitter"),
            (lambda: cross_validated_correlations(GOOD, GOOD, cv=[]), ValueError, "at least one"),
            (
                lambda: cross_validated_correlations(GOOD, GOOD, cv=[([0], [1])]),
                ValueError,
                r"2 or more training rows.*\(1, 1\)",
            ),
            (
                lambda: cross_validated_correlations(GOOD, GOOD, cv=[([0, 1], [])]),
                ValueError,
                r"1 or more held-out rows.*\(2, 0\)",
            ),
            (
                lambda: cross_validated_correlations(GOOD, GOOD, cv=[([0, 1, 25], [2])]),
                ValueError,
                "`cv` must give pairs.*20 rows, got: index 25 is out of bounds",
            ),
            (
                lambda: cross_validated_correlations(GOOD, GOOD, cv=GroupKFold()),
                ValueError,
                "`cv` must give pairs.*'groups' parameter",
            ),
            (
                lambda: cross_validated_correlations(ONE_OUTLIER, GOOD, random_state=0),
                ValueError,
                "`X` has held-out values too far from the training rows",
            ),
            (
                lambda: cross_validated_correlations(GOOD, np.eye(20)[:, :1], cv=LeaveOneOut()),
                ValueError,
                "training rows of split 1: `Y` must have at least one column that varies",
            ),
            (lambda: svcca(GOOD, GOOD, explained_variance=0), ValueError, r"\(0, 1\], got 0"),
            (lambda: svcca(GOOD, GOOD, explained_variance=99), ValueError, r"\(0, 1\], got 99"),
            (lambda: svcca(GOOD, GOOD, explained_variance="a"), TypeError, "must be a number"),
            (lambda: null_edge(100, 0, 5), ValueError, "`p` must be between 1 and 99, got 0"),
            (lambda: null_edge(100, 5, 100), ValueError, "`q` must be between 1 and 99, got 100"),
            (lambda: null_edge(100.0, 5, 5), TypeError, "`n_samples` must be an integer"),
            (lambda: null_edge(1, 1, 1), ValueError, "`n_samples` must be at least 2"),
            (lambda: null_density([0.5, 1.5], 100, 5, 5), ValueError, r"`rho`.*got 1.5 \(1 value"),
            (lambda: null_density(np.nan, 100, 5, 5), ValueError, "`rho` must lie in"),
            (lambda: null_density("a", 100, 5, 5), TypeError, "`rho` must be numeric"),
            (lambda: null_density(["0.5"], 100, 5, 5), TypeError, "`rho` must be numeric"),
            (lambda: null_density([2, -1, 0.5], 100, 5, 5), ValueError, r"got 2.0 \(2 value"),
            (lambda: fit_cca(GOOD, GOOD).plot_scores(pair=4), ValueError, "`pair`.*1 and 3"),
            (lambda: fit_cca(GOOD, GOOD).plot_scores(pair=0), ValueError, "`pair`.*1 and 3, got 0"),
        ],
    )
    def test_bad_arguments(self, call, error, message):
        with pytest.raises(error, match=message):
            call()


class TestPlots:
    def test_correlations_before_noise(self, request):
        result = fit_cca(*related_pair(np.random.default_rng(0)))
        axes = result.plot()
        request.addfinalizer(lambda: plt.close("all"))
        assert axes.lines[1].get_ydata() == pytest.approx(result.correlations)
        assert axes.lines[1].get_xdata() == pytest.approx([1, 2, 3, 4])
        bars = [bar.get_height() for bar in axes.patches]
        assert bars == pytest.approx(null_quantiles(120, 6, 4))
        assert axes.lines[0].get_ydata()[0] == pytest.approx(null_edge(120, 6, 4))
        assert axes.get_ylabel() == "Canonical correlation"
        plt.close(axes.figure)

    def test_on_given_axes_and_single_root(self):
        figure, axes = plt.subplots(1, 2)
        result = fit_cca(*related_pair(np.random.default_rng(1), p=1, q=1, n_shared=1))
        assert result.plot(ax=axes[0]) is axes[0]
        assert result.plot_scores(ax=axes[1]) is axes[1]
        drawn = np.asarray(axes[1].collections[0].get_offsets())
        assert drawn == pytest.approx(np.hstack([result.x_scores, result.y_scores]))
        figure.canvas.draw()
        plt.close(figure)

    def test_scores_of_the_second_pair(self):
        result = fit_cca(*related_pair(np.random.default_rng(2)))
        axes = result.plot_scores(pair=2)
        drawn = np.asarray(axes.collections[0].get_offsets())
        assert drawn == pytest.approx(
            np.column_stack([result.x_scores, result.y_scores])[:, [1, 5]]
        )
        assert axes.get_title() == f"Pair 2: correlation {result.correlations[1]:.2f}"
        plt.close(axes.figure)
