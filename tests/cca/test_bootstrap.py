"""Bootstrap intervals: a slow definition, their coverage, and errors of loadings."""

import numpy as np
import pandas as pd
import pytest
from cca_tables import related_pair
from scipy import stats

from afterfit.cca import bootstrap_cca, fit_cca
from afterfit.cca._bootstrap import _of_resample
from afterfit.cca._whitening import couple, cross_products


class TestDefinition:
    @pytest.mark.parametrize(("p", "q"), [(5, 3), (3, 5)])
    @pytest.mark.parametrize("covariates", [False, True])
    def test_a_resample_by_fitting_its_rows(self, p, q, covariates):
        rng = np.random.default_rng(0)
        X, Y = related_pair(rng, 80, p, q, n_shared=3, noise=0.3)
        Z = rng.standard_normal((80, 2)) if covariates else None
        coupling = couple(X, Y, Z)
        left, _, right = coupling.rotations(full=True)
        sides = [
            (coupling.x, coupling.x.whitener @ left),
            (coupling.y, coupling.y.whitener @ right),
        ]
        columns = [cross_products(side, own)[0].T for side, own in sides]
        removed = np.ones((80, 1)) if Z is None else coupling.removed
        variates = np.hstack([*(side.times(own) for side, own in sides), removed])
        rows = rng.integers(80, size=80)
        weighted = variates[rows].T @ variates[rows]
        rho, x_loadings, y_loadings = _of_resample(weighted, columns)
        expected = fit_cca(X[rows], Y[rows], covariates=None if Z is None else Z[rows])
        assert np.sort(rho)[::-1] == pytest.approx(expected.correlations, abs=1e-10)
        order = np.argsort(-rho)
        for ours, theirs in (
            (x_loadings, expected.x_loadings),
            (y_loadings, expected.y_loadings),
        ):
            assert np.abs(ours[:, order]) == pytest.approx(np.abs(theirs), abs=1e-9)

    def test_signs_and_order_are_those_of_the_data(self):
        # Two pairs with nearly the same correlation: resamples swap them, and the signs are free.
        # Matched, the loadings stay where they are; the errors are below those of uniform signs.
        rng = np.random.default_rng(1)
        X, Y = related_pair(rng, 400, 3, 3, n_shared=2, noise=0.3)
        found = bootstrap_cca(X, Y, n_resamples=200, random_state=0)
        assert found.x_loadings_error[:, :2].max() < 0.55  # by rank and free of sign: 0.7 and more
        strong = related_pair(rng, 400, 3, 2, n_shared=1, noise=0.3)
        assert bootstrap_cca(*strong, random_state=0).x_loadings_error[0, 0] < 0.03

    def test_one_column_each_is_a_correlation(self):
        # Fisher's z: its standard error is 1 / sqrt(n - 3) for normal rows; within 10 % of it.
        rng = np.random.default_rng(2)
        x, y = rng.standard_normal((2, 500, 1))
        y += x
        found = bootstrap_cca(x, y, n_resamples=2000, random_state=0)
        z = np.arctanh(found.correlations[0])
        reach = stats.norm.ppf(0.975) / np.sqrt(497)
        assert np.arctanh(found.low[0]) == pytest.approx(z - reach, abs=0.1 * reach)
        assert np.arctanh(found.high[0]) == pytest.approx(z + reach, abs=0.1 * reach)
        narrow = bootstrap_cca(x, y, confidence_level=0.5, n_resamples=200, random_state=0)
        assert found.low < narrow.low < narrow.high < found.high


class TestCoverage:
    def test_intervals_hold_the_truth_and_quantiles_would_not(self):
        # 200 tables: the standard error of a rate of 0.95 is 0.015. Skewed by design, because the
        # fit of 12 columns is biased: plain quantiles hold 0.5 in about 57 % of tables.
        rng = np.random.default_rng(3)
        true = np.array([0.8, 0.5])
        held = []
        for _ in range(200):
            X = rng.standard_normal((200, 12))
            Y = true * X[:, :2] + np.sqrt(1 - true**2) * rng.standard_normal((200, 2))
            found = bootstrap_cca(X, Y, n_resamples=100, random_state=rng)
            held.append((found.low <= true) & (true <= found.high))
        assert (np.mean(held, axis=0) > 0.95 - 3.5 * 0.015).all()

    def test_whole_groups_are_drawn(self):
        # Each row five times: intervals by row are too narrow by sqrt(5), by group they are right.
        rng = np.random.default_rng(4)
        X, Y = related_pair(rng, 100, 2, 2, n_shared=1)
        codes = np.repeat(np.arange(100), 5)
        options = {"n_resamples": 500, "random_state": 0}
        once = bootstrap_cca(X, Y, **options)
        by_row = bootstrap_cca(X[codes], Y[codes], **options)
        by_group = bootstrap_cca(X[codes], Y[codes], groups=codes, **options)
        width = np.arctanh(once.high[0]) - np.arctanh(once.low[0])
        assert np.arctanh(by_group.high[0]) - np.arctanh(by_group.low[0]) == pytest.approx(width)
        wrong = np.arctanh(by_row.high[0]) - np.arctanh(by_row.low[0])
        assert wrong == pytest.approx(width / np.sqrt(5), rel=0.15)


class TestEdges:
    def test_perfect_pairs_and_constant_columns(self):
        X, _ = related_pair(np.random.default_rng(5))
        found = bootstrap_cca(np.hstack([X, np.ones((120, 1))]), X, n_resamples=20, random_state=0)
        assert found.low == pytest.approx(np.ones(6), abs=1e-5)
        assert (found.x_loadings_error[-1] == 0).all()

    def test_seeded(self):
        X, Y = related_pair(np.random.default_rng(6))
        one, two, other = (bootstrap_cca(X, Y, n_resamples=9, random_state=s) for s in (1, 1, 2))
        assert np.array_equal(one.low, two.low)
        assert not np.array_equal(one.low, other.low)

    @pytest.mark.parametrize(
        ("options", "error", "message"),
        [
            ({"n_resamples": 1}, ValueError, "`n_resamples` must be at least 2"),
            ({"confidence_level": 95}, ValueError, r"`confidence_level` must lie in \(0, 1\)"),
            ({"groups": np.arange(120) // 10}, ValueError, r"ranks 6 and 4 need.*30 .*got 12"),
            ({"groups": np.arange(119)}, ValueError, "`X` has 120, `groups` has 119"),
            ({"random_state": "a"}, TypeError, "`random_state`"),
            (
                {"groups": pd.Series(np.arange(120), index=range(1, 121))},
                ValueError,
                "index of `groups` differs",
            ),
        ],
    )
    def test_bad_arguments(self, options, error, message):
        X, Y = related_pair(np.random.default_rng(7))
        with pytest.raises(error, match=message):
            bootstrap_cca(pd.DataFrame(X), Y, **options)
