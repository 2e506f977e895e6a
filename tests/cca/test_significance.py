"""The classical tests against statsmodels, published tables and simulation."""

import numpy as np
import pandas as pd
import pytest
from cca_tables import related_pair
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.multivariate.cancorr import CanCorr

from afterfit.cca import (
    canonical_correlations,
    fit_cca,
)
from afterfit.cca._roy import largest_root_tail
from afterfit.cca._significance import (
    _hotelling_lawley,
    _pillai,
    _roy_parameters,
    _wilks,
    significance_table,
)


def simulated_roots(rng, n, p, q, repetitions):
    """Canonical correlations of independent normal sets, many times over."""
    X = rng.standard_normal((repetitions, n - 1, p))  # centring costs one row
    Y = rng.standard_normal((repetitions, n - 1, q))
    cosines = np.linalg.qr(X)[0].transpose(0, 2, 1) @ np.linalg.qr(Y)[0]
    return np.linalg.svd(cosines, compute_uv=False)


def first_pvalues(roots, n, p, q):
    """P-values of the first root of many tables, by the test's name."""
    sizes = [np.full(len(roots), size) for size in (n, p, q)]
    squares = roots**2
    tests = {
        **_wilks(np.log1p(-squares).sum(axis=1), *sizes),
        **_pillai(squares.sum(axis=1), *sizes),
        **_hotelling_lawley((squares / (1 - squares)).sum(axis=1), *sizes),
        "roy_pvalue": [*map(largest_root_tail, squares[:, 0], *_roy_parameters(*sizes))],
    }
    one = significance_table(roots[0], n, p, q).loc[1]  # the same as the table's
    assert [tests[name][0] for name in tests] == pytest.approx([one[name] for name in tests])
    names = ("wilks", "bartlett", "pillai", "hotelling_lawley", "roy")
    return {name: np.asarray(tests[f"{name}_pvalue"]) for name in names}


class TestAgainstR:
    # R 4.2.2, with options(digits = 12):
    #   i <- 1:40
    #   Z <- cbind(i / 40, cos(i))
    #   X <- cbind(sin(i), cos(2 * i), sin(3 * i), cos(5 * i), sin(7 * i)) + Z[, c(1, 2, 1, 2, 1)]
    #   Y <- cbind(sin(11 * i) + X[, 1], cos(13 * i) - X[, 2] / 2, sin(17 * i) + Z[, 2])
    i = np.arange(1, 41)
    Z = np.column_stack([i / 40, np.cos(i)])
    X = np.column_stack([np.sin(i), np.cos(2 * i), np.sin(3 * i), np.cos(5 * i), np.sin(7 * i)])
    X = X + Z[:, [0, 1, 0, 1, 0]]
    Y = np.column_stack([np.sin(11 * i) + X[:, 0], np.cos(13 * i) - X[:, 1] / 2, np.sin(17 * i)])
    Y = Y + Z[:, [0, 1, 1]] * [0, 0, 1]

    def test_cancor(self):
        # cancor(X, Y)$cor, and cancor(resid(lm(X ~ Z)), resid(lm(Y ~ Z)))$cor
        expected = [0.760164675950, 0.694377603038, 0.188758605079]
        assert canonical_correlations(self.X, self.Y) == pytest.approx(expected, abs=1e-11)
        partial = canonical_correlations(self.X, self.Y, covariates=self.Z)
        expected = [0.7303301274096, 0.4829443801731, 0.0843020339684]
        assert partial == pytest.approx(expected, abs=1e-11)

    @pytest.mark.parametrize(
        ("covariates", "expected"),
        [
            # summary(manova(Y ~ X), test = t)$stats["X", ]: statistic, F, df1, df2, p
            (
                False,
                {
                    "wilks": [0.210816988846, 4.48173586834, 15, 88.7393083872, 3.20533852681e-06],
                    "pillai": [1.09564040115, 3.91226254346, 15, 102, 1.65062528323e-05],
                    # of these two the statistic alone: R's F are McKeon's predecessor and a bound
                    "hotelling_lawley": [2.33687368289],
                    "roy": [1.36882812393],
                },
            ),
            # summary(manova(Y ~ Z + X), test = t)$stats["X", ]
            (
                True,
                {
                    "wilks": [0.35524342352, 2.5234834988, 15, 83.21818906039, 0.00397306459039],
                    "pillai": [0.773724202274, 2.2242683946, 15, 96, 0.0102442030962],
                    "hotelling_lawley": [1.45441979078],
                    "roy": [1.14308107188],
                },
            ),
        ],
    )
    def test_manova(self, covariates, expected):
        fit = fit_cca(self.X, self.Y, covariates=self.Z if covariates else None)
        row = fit.significance().loc[1]
        for name, values in expected.items():
            fields = [name, *(f"{name}_{end}" for end in ("f", "df1", "df2", "pvalue"))]
            ours = row[fields[: len(values)]].to_numpy()
            assert ours == pytest.approx(values, rel=1e-10), name


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
        log_wilks = np.log1p(-(roots**2)).sum(axis=1)
        tests = _wilks(log_wilks, *(np.full(1000, size) for size in (100, 40, 30)))
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
        first = first_pvalues(roots, n, p, q)
        for name, pvalues in first.items():
            assert (pvalues <= 0.05).mean() == pytest.approx(0.05, abs=0.017), name
        assert stats.kstest(first["roy"], "uniform").pvalue > 0.01

    def test_type_one_error_of_the_second_root(self):
        # One strong pair (rho = 0.97), nothing else: the second root is tested at its level.
        rng = np.random.default_rng(9)
        n, p, q = 50, 4, 8
        second = []
        for _ in range(600):
            X, Y = related_pair(rng, n, p, q, n_shared=1, noise=0.25)
            second.append(canonical_correlations(X, Y)[1:])
        for name, pvalues in first_pvalues(np.array(second), n - 1, p - 1, q - 1).items():
            rate = (pvalues <= 0.05).mean()  # standard error 0.009
            assert rate == pytest.approx(0.05, abs=0.027), name
