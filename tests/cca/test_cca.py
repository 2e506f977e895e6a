"""Canonical correlations against published tables, other programs and closed forms."""

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pandas as pd
import polars as pl
import pytest
from cca_tables import exact_correlations, random_map, related_pair
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import pyplot as plt
from sklearn.cross_decomposition import CCA
from sklearn.datasets import load_linnerud
from sklearn.model_selection import GroupKFold, LeaveOneOut
from statsmodels.multivariate.cancorr import CanCorr

from afterfit.cca import (
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
from afterfit.cca._significance import significance_table
from afterfit.cca._wachter import null_band

SIMILARITIES = {"mean_cca": mean_cca, "svcca": svcca, "pwcca": pwcca, "linear_cka": linear_cka}


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

    @pytest.mark.parametrize(
        ("condition", "offset", "tolerance"),
        [(1e8, 0.0, 1e-10), (1e3, 1e8, 1e-13), (1e6, 1e8, 1e-11)],
    )
    def test_ill_conditioned_and_far_from_zero(self, condition, offset, tolerance):
        # The means are rounded at 1e-8 then, which alone would cost 1e-6 of the last.
        rng = np.random.default_rng(2)
        X, Y = related_pair(rng, 3000)
        X = X @ random_map(rng, 6, condition) + offset
        expected = exact_correlations(X, Y)
        assert canonical_correlations(X, Y) == pytest.approx(expected, abs=tolerance)
        assert fit_cca(X, Y).x_scores.mean(axis=0) == pytest.approx(np.zeros(4), abs=1e-7)

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
    def test_a_frame_serves_as_an_array_does_and_keeps_its_names(self, names):
        X, Y = related_pair(np.random.default_rng(3))
        framed = fit_cca(pd.DataFrame(X, columns=names), pl.DataFrame(Y, schema=list("wxyz")))
        assert framed.correlations == pytest.approx(fit_cca(X, Y).correlations)
        assert (framed.x_columns, framed.y_columns) == (names, list("wxyz"))
        table = framed.loadings()
        assert table.index.to_list() == [*(("X", n) for n in names), *(("Y", n) for n in "wxyz")]
        assert table.to_numpy() == pytest.approx(np.vstack([framed.x_loadings, framed.y_loadings]))
        assert table.columns.to_list() == [1, 2, 3, 4]
        assert fit_cca(X, Y).loadings().index[5:7].to_list() == [("X", 5), ("Y", 0)]

    @pytest.mark.parametrize(
        "function",
        [fit_cca, permutation_test, cross_validated_correlations, *SIMILARITIES.values()],
    )
    def test_frames_with_other_rows_are_refused(self, function):
        # Each half loses other rows, and as many: by position they would be taken for pairs.
        rng = np.random.default_rng(3)
        X, Y = (pd.DataFrame(side) for side in related_pair(rng, noise=0.1))
        X.iloc[3], Y.iloc[40] = np.nan, np.nan
        with pytest.raises(ValueError, match=r"index of `Y` differs from that of `X`.*Y.to_numpy"):
            function(X.dropna(), Y.dropna())
        both = X.index.drop([3, 40])
        function(X.loc[both], Y.loc[both])
        function(X.dropna(), Y.dropna().to_numpy())

    def test_new_rows_are_transformed(self):
        X, Y = related_pair(np.random.default_rng(9))
        result = fit_cca(X[:100], Y[:100])
        assert result.transform(X[:100]) == pytest.approx(result.x_scores, abs=1e-12)
        u, v = result.transform(X[100:], Y[100:])
        assert u == pytest.approx((X[100:] - X[:100].mean(0)) @ result.x_weights, abs=1e-12)
        assert v == pytest.approx((Y[100:] - Y[:100].mean(0)) @ result.y_weights, abs=1e-12)
        assert result.transform(X[:1]).shape == (1, 4)
        framed = fit_cca(pd.DataFrame(X, columns=list("abcdef")), Y)
        with pytest.raises(ValueError, match="`X` must have the columns of the fit"):
            framed.transform(pd.DataFrame(X, columns=list("bacdef")))
        with pytest.raises(ValueError, match="`Y` must have the 4 columns of the fit, got 6"):
            result.transform(X, X)
        with pytest.raises(ValueError, match="without covariates"):
            fit_cca(X, Y, covariates=np.arange(120)).transform(X)

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
            (
                IMAGES,
                GOOD,
                ValueError,
                r"`X`.*\(20, 3, 4, 4\).*as_rows\(X, 0\).*\(X, \(0, 2, 3\)\)",
            ),
            (GOOD, IMAGES, ValueError, r"as_rows\(Y, \(0, 1, 2\)\)` of the 4 where"),
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
            (IMAGES.tolist(), GOOD, ValueError, r"as_rows\(X, 0\)"),
            (IMAGES[:, 0], GOOD, ValueError, r"`X` must.*\(20, 4, 4\).*as_rows\(X, \(0, 1\)\)"),
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
        assert axes.lines[0].get_ydata() == pytest.approx(result.correlations)
        assert axes.lines[0].get_xdata() == pytest.approx([1, 2, 3, 4])
        low, high = null_band(120, 6, 4)
        assert [bar.get_y() for bar in axes.patches] == pytest.approx(low)
        assert [bar.get_y() + bar.get_height() for bar in axes.patches] == pytest.approx(high)
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
