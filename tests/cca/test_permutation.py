"""Permutation tests against brute force, exact tests and their promised level."""

import numpy as np
import pandas as pd
import pytest
from cca_tables import related_pair
from scipy import stats
from sklearn.datasets import load_linnerud
from statsmodels.multivariate.multivariate_ols import _MultivariateOLS

from afterfit.cca import (
    ForcedCorrelationWarning,
    canonical_correlations,
    fit_cca,
    permutation_test,
)
from afterfit.cca._permutation import (
    _order_of_groups,
    _rows_beside,
    observed_statistics,
    permuted_statistics,
)
from afterfit.cca._whitening import couple


class TestPermutation:
    def test_statistics_are_those_of_partial_cca(self):
        # Brute force: the held side's remainder and the permuted one, both made orthogonal to the
        # earlier variates by regression, then a canonical correlation analysis from scratch.
        rng = np.random.default_rng(0)
        X, Y = related_pair(rng, 40, 6, 4)
        coupling = couple(X, Y)
        left, _, right = coupling.rotations(full=True)
        U, V = (
            coupling.x.times(coupling.x.whitener @ left),
            coupling.y.times(coupling.y.whitener @ right),
        )
        order = rng.permutation(40)
        cosines = U.T @ V[order]
        fast = {name: permuted_statistics(cosines, name) for name in ("wilks", "roy", "pillai")}
        for k in range(4):
            moved = V[order][:, k:]
            moved = moved - U[:, :k] @ (U[:, :k].T @ moved)
            rho = canonical_correlations(U[:, k:], moved)
            assert fast["wilks"][k] == pytest.approx(-np.log1p(-(rho**2)).sum(), rel=1e-9)
            assert fast["roy"][k] == pytest.approx(rho[0] ** 2, rel=1e-9)
            assert fast["pillai"][k] == pytest.approx((rho**2).sum(), rel=1e-9)

    @pytest.mark.parametrize("name", ["wilks", "roy", "pillai"])
    def test_the_identity_gives_the_observed_statistics(self, name):
        X, Y = related_pair(np.random.default_rng(1))
        coupling = couple(X, Y)
        left, rho, right = coupling.rotations(full=True)
        cosines = coupling.x.times(coupling.x.whitener @ left).T @ (
            coupling.y.times(coupling.y.whitener @ right)
        )
        expected = observed_statistics(rho, name)
        assert permuted_statistics(cosines, name) == pytest.approx(expected, rel=1e-9)

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

    def test_linnerud_by_each_statistic(self):
        # The exact tests for normal sides beside: 9999 permutations, standard errors up to 0.0036.
        # Rao's F for Wilks' lambda is 0.0635 and Pillai's F 0.1551 (SAS), Roy's exact p 0.0205.
        exercises, body = load_linnerud(return_X_y=True)
        expected = {"wilks": 0.082, "roy": 0.039, "pillai": 0.153}
        for name, pvalue in expected.items():
            result = permutation_test(
                exercises, body, statistic=name, n_resamples=9999, random_state=0
            )
            assert result.statistic == name
            assert result.pvalues[0] == pytest.approx(pvalue, abs=0.011)

    @pytest.mark.parametrize("name", ["roy", "pillai"])
    def test_other_statistics_keep_their_level(self, name):
        # One strong pair; the second root's p-value is uniform. 300 tables, standard error 0.0126.
        rng = np.random.default_rng(11)
        rejected = []
        for _ in range(300):
            X, Y = related_pair(rng, 30, 4, 6, n_shared=1, noise=0.2)
            result = permutation_test(X, Y, statistic=name, n_resamples=19, random_state=rng)
            rejected.append(result.stepwise_pvalues[1] <= 0.05)
        assert np.mean(rejected) == pytest.approx(0.05, abs=3 * 0.0126)


def independent(rng, n, p, q, effects, codes):
    """Independent sides, each with effects of its own on groups of rows."""
    X, Y = rng.standard_normal((n, p)), rng.standard_normal((n, q))
    levels = codes.max() + 1
    return (
        X + effects * rng.standard_normal((levels, p))[codes],
        Y + effects * rng.standard_normal((levels, q))[codes],
    )


class TestCovariates:
    def test_a_partial_correlation(self):
        # One column each: the partial correlation, and its t test with n - 2 - z degrees.
        rng = np.random.default_rng(0)
        Z = rng.standard_normal((40, 3))
        x, y = rng.standard_normal((2, 40)) + (Z @ [1.0, 2.0, -1.0])
        precision = np.linalg.inv(np.cov(np.column_stack([x, y, Z]).T))
        partial = -precision[0, 1] / np.sqrt(precision[0, 0] * precision[1, 1])
        x, y = x[:, None], y[:, None]
        assert canonical_correlations(x, y, covariates=Z) == pytest.approx([abs(partial)])
        t = partial * np.sqrt(35 / (1 - partial**2))
        expected = 2 * stats.t.sf(abs(t), 35)
        table = fit_cca(x, y, covariates=Z).significance()
        for name in ("wilks", "pillai", "hotelling_lawley", "roy"):
            assert table[f"{name}_pvalue"].iloc[0] == pytest.approx(expected, rel=1e-8)
        result = permutation_test(x, y, covariates=Z, n_resamples=4999, random_state=0)
        assert result.pvalues[0] == pytest.approx(expected, abs=0.03)  # standard error 0.007

    def test_multivariate_regression_agrees(self):
        # statsmodels' MANOVA of Y on X and Z, hypothesis: no coefficient of X.
        rng = np.random.default_rng(1)
        X, Y = related_pair(rng, 50, 4, 3, noise=2.0)
        Z = rng.standard_normal((50, 5))
        design = np.column_stack([np.ones(50), X, Z])
        hypothesis = np.eye(10)[1:5]
        theirs = _MultivariateOLS(Y, design).fit().mv_test([("x", hypothesis)])
        stat = theirs.results["x"]["stat"].astype(float)
        ours = fit_cca(X, Y, covariates=Z).significance().iloc[0]
        for row, name in (
            ("Wilks' lambda", "wilks"),
            ("Pillai's trace", "pillai"),
            ("Hotelling-Lawley trace", "hotelling_lawley"),
        ):
            assert ours[name] == pytest.approx(stat.loc[row, "Value"], rel=1e-9)
            assert ours[f"{name}_df2"] == pytest.approx(stat.loc[row, "Den DF"])
            assert ours[f"{name}_pvalue"] == pytest.approx(stat.loc[row, "Pr > F"], rel=1e-7)

    def test_rows_in_the_complement_keep_all_products(self):
        rng = np.random.default_rng(2)
        removed = np.linalg.qr(rng.standard_normal((30, 6)))[0]
        variates = rng.standard_normal((30, 4))
        variates -= removed @ (removed.T @ variates)
        rows = _rows_beside(removed, variates)
        assert rows.shape == (24, 4)
        assert rows.T @ rows == pytest.approx(variates.T @ variates, abs=1e-12)

    @pytest.mark.parametrize("kind", ["columns", "groups of two"])
    def test_rejections_of_independent_sides(self, kind):
        # n = 60, 5 + 5 columns, 20 covariates: residuals permuted as rows reject 53 to 55 % at 5 %;
        # groups of two centred first, 74 %. 300 tables: standard error 0.0126, tolerance three.
        rng = np.random.default_rng(3)
        rejected = {"test": [], "naive": [], "wilks": [], "roy": []}
        for _ in range(300):
            if kind == "columns":
                Z = rng.standard_normal((60, 20))
                X, Y = rng.standard_normal((2, 60, 5)) + Z @ rng.standard_normal((2, 20, 5))
            else:
                Z = np.repeat(np.eye(50), 2, axis=0)[:, :49]
                X, Y = rng.standard_normal((2, 100, 5)) + Z @ rng.standard_normal((2, 49, 5))
            options = {"n_resamples": 19, "random_state": rng}
            rejected["test"].append(permutation_test(X, Y, covariates=Z, **options).pvalues[0])
            table = fit_cca(X, Y, covariates=Z).significance().iloc[0]
            rejected["wilks"].append(table["wilks_pvalue"])
            rejected["roy"].append(table["roy_pvalue"])
            design = np.column_stack([np.ones(len(Z)), Z])
            residuals = (S - design @ np.linalg.lstsq(design, S, rcond=None)[0] for S in (X, Y))
            rejected["naive"].append(permutation_test(*residuals, **options).pvalues[0])
        rates = {name: np.mean(np.array(p) <= 0.05) for name, p in rejected.items()}
        for name in ("test", "wilks", "roy"):
            assert rates[name] == pytest.approx(0.05, abs=3 * 0.0126)
        assert rates["naive"] > 0.4

    def test_what_covariates_explain_does_not_count(self):
        rng = np.random.default_rng(4)
        X, Y = related_pair(rng)
        Z = rng.standard_normal((120, 2)) + 1e6
        wide = np.column_stack([X, Z @ [1.0, 2.0], 7.0 - Z[:, 0]])
        result = fit_cca(wide, Y, covariates=Z)
        assert (result.x_rank, result.n_covariates) == (6, 2)
        assert result.correlations == pytest.approx(fit_cca(X, Y, covariates=Z).correlations)
        with pytest.raises(ValueError, match=r"`X` must have.*beyond the covariates"):
            fit_cca(Z @ [[1.0], [2.0]], Y, covariates=Z)
        # Redundant and constant covariates cost nothing more.
        more = np.column_stack([Z, Z.sum(axis=1), np.ones(120)])
        assert fit_cca(X, Y, covariates=more).n_covariates == 2

    def test_scores_are_free_of_covariates(self):
        rng = np.random.default_rng(5)
        X, Y = related_pair(rng)
        z = pd.Series(rng.standard_normal(120))
        result = fit_cca(X, Y, covariates=z)
        for scores in (result.x_scores, result.y_scores):
            assert z.to_numpy() @ scores == pytest.approx(np.zeros(4), abs=1e-10)
            assert np.cov(scores.T) == pytest.approx(np.eye(4), abs=1e-10)

    def test_forced_correlations_count_covariates(self):
        rng = np.random.default_rng(6)
        X, Y, Z = (rng.standard_normal((14, k)) for k in (4, 3, 7))
        with pytest.warns(
            ForcedCorrelationWarning, match=r"1 of.*14 rows.*6 .*covariates.*15 rows"
        ):
            result = fit_cca(X, Y, covariates=Z)
        with pytest.raises(ValueError, match=r"4 \+ 3 and 14 rows and 7 covariates"):
            result.significance()
        more = (rng.standard_normal((15, k)) for k in (4, 3, 7))
        X, Y, Z = more
        fit_cca(X, Y, covariates=Z).significance()

    @pytest.mark.parametrize(
        ("covariates", "error", "message"),
        [
            (np.ones((120, 2)), ValueError, "`covariates`.*column that varies"),
            (np.eye(120)[:, :119], ValueError, "`covariates` of rank 119 leave nothing of 120"),
            (np.ones(7), ValueError, "`X` has 120, `Y` has 120, `covariates` has 7"),
            (["a"] * 120, TypeError, "`covariates` must be numeric"),
            (pd.Series(np.arange(120), index=range(1, 121)), ValueError, "index of `covariates`"),
        ],
    )
    def test_bad_covariates(self, covariates, error, message):
        X, Y = related_pair(np.random.default_rng(7))
        X = pd.DataFrame(X)
        for function in (canonical_correlations, fit_cca, permutation_test):
            with pytest.raises(error, match=message):
                function(X, Y, covariates=covariates)


class TestGroups:
    @pytest.mark.parametrize("shuffle", ["whole", "within", "both"])
    def test_orders_keep_groups_together(self, shuffle):
        rng = np.random.default_rng(0)
        codes = rng.permutation(np.repeat(np.arange(9), [1, 1, 2, 2, 2, 3, 4, 4, 5]))
        draw = _order_of_groups(codes, shuffle)
        sizes = np.bincount(codes)
        seen = set()
        for _ in range(200):
            order = draw(rng, len(codes))
            assert sorted(order) == list(range(len(codes)))
            for group in range(9):
                rows = np.flatnonzero(codes == group)
                sources = set(codes[order[rows]])
                assert len(sources) == 1  # from one group, of as many rows
                source = sources.pop()
                assert sizes[source] == sizes[group]
                if shuffle == "whole":
                    assert (np.diff(order[rows]) > 0).all()
                if shuffle == "within":
                    assert source == group
                seen.add((group, source))
        # Every group reaches every other of its size, unless rows stay within theirs.
        expected = 9 if shuffle == "within" else 2**2 + 3**2 + 1 + 2**2 + 1
        assert len(seen) == expected

    def test_rejections_of_independent_subjects(self):
        # 30 subjects with 4 rows each, independent sets: by rows 78 % are rejected at 5 %. 300
        # tables: standard error 0.0126, tolerance three.
        rng = np.random.default_rng(1)
        codes = np.repeat(np.arange(30), 4)
        rates = {"whole": [], "both": [], "rows": []}
        for _ in range(300):
            X, Y = independent(rng, 120, 3, 3, 2.0, codes)
            for name, found in rates.items():
                options = {} if name == "rows" else {"groups": codes, "shuffle": name}
                result = permutation_test(X, Y, n_resamples=19, random_state=rng, **options)
                found.append(result.pvalues[0] <= 0.05)
        assert np.mean(rates["whole"]) == pytest.approx(0.05, abs=3 * 0.0126)
        assert np.mean(rates["both"]) == pytest.approx(0.05, abs=3 * 0.0126)
        assert np.mean(rates["rows"]) > 0.6

    def test_groups_with_covariates_have_two_ways_out(self):
        # As the error says: averages, and indicators of the groups. Covariates by row reject 77 %.
        # 200 tables: standard error 0.0154, tolerance three.
        rng = np.random.default_rng(4)
        codes = np.repeat(np.arange(30), 4)
        found = []
        for _ in range(200):
            X, Y = independent(rng, 120, 3, 3, 2.0, codes)
            z = rng.standard_normal((30, 1))[codes] + rng.standard_normal((120, 1))
            X, Y = X + z * [1, -2, 1], Y + z * [2, 0, 1]
            averages = (pd.DataFrame(table).groupby(codes).mean() for table in (X, Y, z))
            within = np.hstack([z, pd.get_dummies(codes)])
            tests = (averages, (X, Y, within), (X, Y, z))
            found.append(
                [
                    permutation_test(x, y, covariates=c, n_resamples=19, random_state=rng).pvalues[
                        0
                    ]
                    for x, y, c in tests
                ]
            )
        rates = np.mean(np.array(found) <= 0.05, axis=0)
        assert rates[:2] == pytest.approx(0.05, abs=3 * 0.0154)
        assert rates[2] > 0.6

    def test_a_relation_within_groups_is_found_within(self):
        rng = np.random.default_rng(2)
        codes = np.repeat(np.arange(20), 5)
        X, Y = independent(rng, 100, 2, 2, 1.0, codes)
        Y[:, 0] += 2 * X[:, 0]
        result = permutation_test(
            X, Y, groups=pd.Series([f"s{c}" for c in codes]), shuffle="within", random_state=0
        )
        assert result.pvalues[0] == pytest.approx(0.001)

    @pytest.mark.parametrize(
        ("groups", "options", "message"),
        [
            (np.arange(120), {"shuffle": "within"}, "leave nothing.*'within': no group has two"),
            (np.repeat(range(15), range(1, 16)), {}, "leave nothing.*no two groups have equally"),
            (np.zeros(120), {}, "leave nothing.*'whole'"),
            (np.zeros(7), {}, "`X` has 120, `groups` has 7"),
            ([None] * 120, {}, "`groups` must have a label for every row"),
            (np.arange(120) // 4, {"covariates": np.arange(120)}, "cannot be combined.*Average"),
            (np.arange(120) // 4, {"shuffle": "rows"}, "`shuffle` must be one of 'whole'"),
            (None, {"statistic": "lambda"}, "`statistic` must be one of 'wilks', 'roy', 'pillai'"),
            (pd.Series(range(120), index=range(1, 121)), {}, "index of `groups` differs"),
        ],
    )
    def test_bad_groups(self, groups, options, message):
        X, Y = related_pair(np.random.default_rng(3))
        with pytest.raises(ValueError, match=message):
            permutation_test(pd.DataFrame(X), Y, groups=groups, **options)
