"""Calibrated and conformal intervals, and intervals of what was estimated.

Coverage over thousands of simulated tables is recorded by
`benchmarks/simulate_gamma_intervals.py`; here is what the numbers are made of.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from gamma_fits import experiment_of, fit_glm, gamma_family, questions_design
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special, stats
from statsmodels.genmod.families import links

from afterfit.gamma_glm import (
    _predictive,
    conditional_distribution,
    from_means,
    gamma_shape,
    lower_tail_probability,
    prediction_interval,
    probability_interval,
    shape_interval,
)
from afterfit.gamma_glm._tails import log_tail

# ---------------------------------------------------------------- calibrated


@pytest.mark.parametrize("method", ["ml", "pearson"])
def test_calibrated_interval_is_that_of_refits_by_statsmodels(method):
    # Brute force (Lawless & Fredette 2005): draw responses, refit with statsmodels, draw a new
    # observation, take its refitted probability; the ends are quantiles of that. 1500 draws of a
    # probability near 0.05: a standard error of 0.006, in the score of some 0.05.
    X, y = questions_design(n=15, shape=2.0, seed=3)
    fit = fit_glm(y, X)
    new = np.array([[1.0, 2.9]])
    a = gamma_shape(fit, method).shape
    generator = np.random.default_rng(0)
    refitted = []
    for _ in range(1500):
        drawn = generator.gamma(a, fit.fittedvalues / a)
        again = sm.GLM(drawn, X, family=gamma_family()).fit()
        future = generator.gamma(a, fit.predict(new) / a)
        refitted.append(lower_tail_probability(again, future, new, shape=method)[0])
    interval = prediction_interval(
        fit, new, level=0.9, method="calibrated", shape=method, n_resamples=1999, random_state=1
    )
    found = lower_tail_probability(fit, interval.to_numpy()[0], np.repeat(new, 2, axis=0), shape=a)
    expected = np.quantile(refitted, [0.05, 0.95])
    assert_allclose(special.ndtri(found), special.ndtri(expected), atol=0.15)
    # which matters: the plain interval has 0.05 and 0.95
    assert found[0] < 0.04
    assert found[1] > 0.96


def test_calibrated_interval_is_student_t_where_the_response_is_close_to_normal():
    # shape 1e6: log y is normal, and the interval of theory is m + t(n - 1) s sqrt(1 + 1 / n)
    generator = np.random.default_rng(0)
    logs = 1e-3 * generator.normal(size=8)
    fit = fit_glm(np.exp(logs), np.ones((8, 1)))
    found = prediction_interval(
        fit, [[1.0]], method="calibrated", n_resamples=4000, random_state=0
    ).to_numpy()[0]
    half = stats.t.ppf(0.975, 7) * np.std(logs, ddof=1) * np.sqrt(1 + 1 / 8)
    # 4000 replicates: the quantile of t has a relative standard error of some 2 %
    assert_allclose(np.log(found), np.mean(logs) + np.array([-1, 1]) * half, atol=0.06 * half)


@pytest.mark.parametrize("link", [links.Log(), links.InversePower(), links.Identity()])
def test_calibrated_intervals_under_weights_and_offsets(link):
    # rows and weights in any order, in chunks of any size: the same intervals
    generator = np.random.default_rng(0)
    X = sm.add_constant(generator.uniform(0, 3, 40))
    weights, offset = generator.integers(1, 4, 40), generator.uniform(0, 0.1, 40)
    mean = link.inverse(X @ [1.0, 0.5] + offset)
    fit = fit_glm(
        generator.gamma(3 * weights, mean / (3 * weights)),
        X,
        link,
        var_weights=weights,
        offset=offset,
    )
    options = {"method": "calibrated", "n_resamples": 99, "random_state": 5}
    whole = prediction_interval(fit, **options)
    order = np.random.default_rng(1).permutation(40)
    turned = prediction_interval(
        fit, X[order], offset=offset[order], var_weights=weights[order], **options
    )
    # alone: the chosen scores are solved for to 1e-4, not to the last digit
    assert_allclose(turned.to_numpy(), whole.to_numpy()[order], rtol=2e-3)
    plain = prediction_interval(fit, method="plugin")
    assert (whole["upper"] > plain["upper"]).mean() > 0.9
    assert (whole["lower"] < plain["lower"]).mean() > 0.9


def test_calibrated_is_what_is_returned_unless_something_else_is_asked_for(plain):
    options = {"n_resamples": 19, "random_state": 0}
    found = prediction_interval(plain, **options)
    pd.testing.assert_frame_equal(found, prediction_interval(plain, method="calibrated", **options))
    assert "errors of the coefficients and of the shape" in found.attrs["accounts_for"]


def test_calibration_where_nothing_was_estimated_changes_nothing():
    y = np.random.default_rng(0).gamma(3.0, 1 / 3.0, 20)
    means = from_means(y, np.ones(20), 0)
    found = prediction_interval(means, method="calibrated", shape=3.0, random_state=0)
    assert_allclose(found, prediction_interval(means, shape=3.0, method="plugin"), rtol=1e-6)


def test_more_rows_than_a_chunk_are_the_same(monkeypatch):
    X, y = questions_design(n=60)
    fit = fit_glm(y, X)
    options = {"method": "calibrated", "n_resamples": 99, "random_state": 0}
    whole = prediction_interval(fit, **options)
    monkeypatch.setattr(_predictive, "CHUNK_SIZE", 700)
    assert_allclose(prediction_interval(fit, **options), whole, rtol=1e-3)


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("shape", [0.4, 3.0, 60.0])
def test_a_table_of_the_log_tail_is_close_enough(shape, upper):
    logs = np.log(np.random.default_rng(0).gamma(shape, 1 / shape, size=200_000))
    logs = logs[logs > -8]
    found = log_tail(shape, upper, logs)
    tail = special.gammaincc if upper else special.gammainc
    assert_allclose(found, np.log(tail(shape, shape * np.exp(logs))), atol=5e-5)
    assert (found != np.log(tail(shape, shape * np.exp(logs)))).any()  # it is the table


@given(
    scores=st.lists(st.floats(min_value=-6, max_value=-0.3), min_size=2, max_size=6),
    upper=st.booleans(),
    shape=st.floats(min_value=0.3, max_value=1e3),
)
@settings(max_examples=60)
def test_log_quantiles_between_their_nodes(scores, upper, shape):
    scores = np.sort(scores)
    scores = scores[scores < scores[0] + 1.5]  # the rows of one step are close together
    found = _predictive._log_quantiles(np.array([shape, 2 * shape]), scores, upper)
    inverse = special.gammainccinv if upper else special.gammaincinv
    for column, a in enumerate((shape, 2 * shape)):
        expected = np.log(inverse(a, special.ndtr(scores)) / a)
        width = 1 + 1 / np.sqrt(a)
        assert_allclose(
            np.broadcast_to(found, (len(scores), 2))[:, column], expected, atol=2e-3 * width
        )


def test_means_beyond_the_link_are_zero_or_infinite():
    # identity: a predictor below zero is a mean of zero; inverse: it is beyond infinity
    for link, expected in ((links.Identity(), -np.inf), (links.InversePower(), np.inf)):
        moved = _predictive.shifted_log_means(link, np.array([[0.5, -0.1]]), np.array([2.0]))
        assert_allclose(moved[0, 0], np.log(link.inverse(0.5) / 2.0))
        assert moved[0, 1] == expected


def test_recorded_coverage_is_within_a_point_of_what_is_said():
    # benchmarks/simulate_gamma_intervals.py: 1,000 tables a cell, with standard errors
    path = Path(__file__).parents[2] / "benchmarks/results/gamma_glm_coverage.csv"
    table = pd.read_csv(path)
    calibrated = table[table["method"] == "calibrated"]
    assert len(calibrated) == 2 * 48  # all cells: 3 links and weights, 3 numbers of rows, 4 shapes
    assert (calibrated["fits"] >= 1000).all()
    excess = (calibrated["covered"] - calibrated["level"]).abs()
    # all but the one that the benchmark and the chapter name
    named = calibrated["link"].eq("identity") & calibrated["rows"].eq(30)
    named &= calibrated["shape"].eq(0.5) & calibrated["level"].eq(0.8)
    assert (excess[~named] < 0.01).all()
    assert excess[named].item() < 0.015
    assert excess.mean() < 0.003
    plain = table[(table["method"] == "plugin") & (table["rows"] == 15)]
    assert ((plain["level"] - plain["covered"]) > 0.01).mean() > 0.7


# ---------------------------------------------------------------- conformal


@pytest.mark.parametrize("n_folds", [5, 24])
def test_conformal_ends_are_those_of_the_definition(n_folds):
    # Barber et al. (2021), section 3.1, on the absolute quantile residual; refits by statsmodels.
    # With as many folds as rows: the jackknife+.
    X, y = questions_design(n=24, shape=2.0)
    fit = fit_glm(y, X)
    new = np.array([[1.0, 0.2], [1.0, 2.8]])
    folds = np.random.default_rng(7).permutation(np.arange(24) % n_folds)
    low, high = np.empty((24, 2)), np.empty((24, 2))
    for k in range(n_folds):
        rest = fit_glm(y[folds != k], X[folds != k])
        for i in np.flatnonzero(folds == k):
            p = lower_tail_probability(rest, y[i], X[[i]], shape="ml")[0]
            r = abs(stats.norm.ppf(p))
            distribution = conditional_distribution(rest, new, shape="ml")
            low[i], high[i] = (distribution.ppf(stats.norm.cdf(sign * r)) for sign in (-1, 1))
    level = 0.8
    expected = np.column_stack(
        [
            np.sort(low, axis=0)[int(np.floor((1 - level) * 25 + 1e-9)) - 1],
            np.sort(high, axis=0)[int(np.ceil(level * 25 - 1e-9)) - 1],
        ]
    )
    found = prediction_interval(
        fit, new, level=level, method="conformal", shape="ml", n_folds=n_folds, random_state=7
    )
    assert_allclose(found, expected, rtol=1e-5)


def test_conformal_intervals_cover_a_response_that_is_no_gamma():
    # log-normal with a spread of 1.2: 150 tables of 40 rows, 40 new observations each; a table's
    # coverage has a standard deviation of some 0.06, so that their mean has one of 0.005
    generator = np.random.default_rng(0)
    X = sm.add_constant(np.linspace(0, 3, 40))
    mean = np.exp(X @ [0.5, -1 / 3])
    covered = {"conformal": [], "plugin": []}
    for _ in range(150):
        y, new = mean * generator.lognormal(0, 1.2, size=(2, 40))
        fit = sm.GLM(y, X, family=gamma_family()).fit()
        for method, found in covered.items():
            ends = prediction_interval(
                fit, X, level=0.9, method=method, random_state=generator
            ).to_numpy()
            found.append(np.mean((ends[:, 0] <= new) & (new <= ends[:, 1])))
    assert abs(np.mean(covered["conformal"]) - 0.9) < 0.02
    assert abs(np.mean(covered["plugin"]) - 0.9) > 0.02


def test_conformal_interval_of_few_rows_has_no_upper_end():
    # ceil(0.95 * 16) = 16 > 15 rows; at 19 rows it is the last one
    for n, bounded in ((18, False), (19, True)):
        X, y = questions_design(n=n)
        found = prediction_interval(fit_glm(y, X), X[:3], method="conformal", random_state=0)
        assert np.isfinite(found["upper"]).all() == bounded
        assert (found["lower"] > 0).all() == bounded


def test_conformal_intervals_from_means_that_have_not_seen_the_rows():
    # split conformal, by the definition
    generator = np.random.default_rng(0)
    mean = generator.uniform(1, 3, 40)
    y = mean * generator.gamma(2.0, 0.5, 40)
    fit = from_means(y, mean, 0)
    residuals = np.sort(np.abs(stats.norm.ppf(stats.gamma.cdf(y, 2.0, scale=mean / 2.0))))
    expected = stats.gamma.ppf(stats.norm.cdf(residuals[int(np.ceil(0.9 * 41)) - 1]), 2.0) * 5 / 2
    found = prediction_interval(fit, [5.0], level=0.9, method="conformal", shape=2.0)
    assert_allclose(found["upper"], expected, rtol=1e-9)
    with pytest.raises(ValueError, match=r"fitted to these rows.*n_parameters=0"):
        prediction_interval(from_means(y, mean, 2), method="conformal")


# ---------------------------------------------------------------- of what was estimated


def test_interval_of_a_probability_is_the_exact_one_of_normal_theory():
    # shape 1e6, log y normal: the interval for Phi((c - mu) / sigma) from 8 rows rests on the
    # noncentral t distribution of sqrt(n) (c - mean) / s (Owen 1968, Technometrics 10, 445-478)
    generator = np.random.default_rng(0)
    logs = 1e-3 * generator.normal(size=8)
    fit = fit_glm(np.exp(logs), np.ones((8, 1)))
    cut = np.exp(np.mean(logs) + np.std(logs, ddof=1))
    found = probability_interval(fit, cut, [[1.0]], n_resamples=8000, random_state=0)
    noncentral = np.sqrt(8) * 1.0  # observed
    ends = [
        special.ndtr(
            stats._distn_infrastructure.optimize.brentq(
                lambda d, p=p: stats.nct.cdf(noncentral, 7, d) - p, -10, 20
            )
            / np.sqrt(8)
        )
        for p in (0.975, 0.025)
    ]
    assert_allclose(special.ndtri(found.to_numpy()[0]), special.ndtri(ends), atol=0.05)


def test_interval_of_the_shape_is_chi_squared_where_the_response_is_close_to_normal():
    # (n - 1) a / estimate is chi-squared with n - 1 degrees of freedom
    y = np.exp(1e-3 * np.random.default_rng(0).normal(size=8))
    fit = fit_glm(y, np.ones((8, 1)))
    found = shape_interval(fit, method="pearson", n_resamples=8000, random_state=0)
    expected = gamma_shape(fit).shape * stats.chi2.ppf([0.025, 0.975], 7) / 7
    assert_allclose(found, expected, rtol=0.06)


def test_intervals_of_estimates_cover():
    # 250 tables of 15 rows at 90 %: binomial standard deviation 0.019
    generator = np.random.default_rng(0)
    X = sm.add_constant(np.linspace(0, 3, 15))
    mean = np.exp(X @ [0.5, -1 / 3])
    cut = stats.gamma.ppf(0.2, 1.5, scale=mean[0] / 1.5)
    covered = []
    for _ in range(250):
        fit = sm.GLM(generator.gamma(1.5, mean / 1.5), X, family=gamma_family()).fit()
        options = {"level": 0.9, "n_resamples": 199, "random_state": generator}
        low, high = shape_interval(fit, **options)
        ends = probability_interval(fit, cut, X[:1], shape="ml_corrected", **options)
        covered.append([low <= 1.5 <= high, ends.iloc[0, 0] <= 0.2 <= ends.iloc[0, 1]])
    assert_allclose(np.mean(covered, axis=0), [0.9, 0.9], atol=0.055)


def test_probabilities_lie_in_their_intervals(plain):
    ends = probability_interval(plain, n_resamples=199, random_state=0, shape="ml_corrected")
    found = lower_tail_probability(plain, shape="ml_corrected")
    assert ((ends["lower"] < found) & (found < ends["upper"])).all()
    assert_array_equal(ends.index, np.arange(120))
    same = probability_interval(plain, n_resamples=199, random_state=0, shape="ml_corrected")
    pd.testing.assert_frame_equal(ends, same)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [0.5, 3.0, 50.0])
def test_the_corrected_shape_has_no_bias_to_speak_of(shape, weighted):
    # 1500 tables of 20 rows with 3 coefficients. Maximum likelihood: some 30 % too large.
    generator = np.random.default_rng(0)
    X = np.column_stack([np.ones(20), np.linspace(0, 1, 20), np.linspace(0, 1, 20) ** 2])
    weights = np.where(np.arange(20) % 2 == 0, 0.5, 2.0) if weighted else np.ones(20)
    experiment = experiment_of(X, X @ [0.5, 1.0, -1.0], links.Log(), weights, "ml", shape)
    log_ratios = experiment.refit(experiment.draw(generator, 1500))[1]
    for method, low, high in (("ml", 1.15, 1.6), ("ml_corrected", 0.95, 1.05)):
        assert low < np.mean(experiment.shapes(experiment.sums(log_ratios), method)) / shape < high


def test_the_corrected_shape_in_closed_form(plain):
    # the bias of first order, (p / a + U'' / K) / (2 K), with SciPy's functions
    a, n = gamma_shape(plain, "ml").shape, 120
    information = n * (special.polygamma(1, a) - 1 / a)
    third = n * (-1 / a**2 - special.polygamma(2, a))
    expected = a - (2 / a + third / information) / (2 * information)
    corrected = gamma_shape(plain, "ml_corrected")
    assert_allclose(corrected.shape, expected, rtol=1e-10)
    information = n * (special.polygamma(1, expected) - 1 / expected)
    assert_allclose(corrected.standard_error, 1 / np.sqrt(information * 118 / 120), rtol=1e-10)
    # for large shapes it is (n - p - 2) / D, whose mean is the shape: inverse chi-squared
    clotting = fit_glm(np.exp(1e-3 * np.random.default_rng(0).normal(size=9)), np.ones((9, 1)))
    assert_allclose(gamma_shape(clotting, "ml_corrected").shape, 6 / clotting.deviance, rtol=1e-5)
    # 4 observations and 3 coefficients: the bias would be 5 / 4 of the shape
    X = np.column_stack([np.ones(4), np.arange(4), np.arange(4) ** 2])
    short = fit_glm(np.exp(1e-3 * np.random.default_rng(0).normal(size=4)), X)
    with pytest.raises(ValueError, match="more observations than coefficients plus two"):
        gamma_shape(short, "ml_corrected")
