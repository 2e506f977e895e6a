"""The bootstrap of the calibration, its size, and that it refits as statsmodels does."""

import itertools

import joblib
import numpy as np
import pytest
import statsmodels.api as sm
from gamma_fits import (
    METHODS,
    experiment_of,
    fit_glm,
    gamma_family,
    questions_design,
)
from numpy.testing import assert_allclose, assert_array_equal
from scipy import integrate, special, stats
from statsmodels.genmod.families import links

from afterfit.gamma_glm import (
    CalibrationTest,
    _bootstrap,
    _calibration,
    _tails,
    calibration_test,
    gamma_shape,
    lower_tail_probability,
    plot_calibration,
    prediction_interval,
    quantile_residuals,
)
from afterfit.gamma_glm._sources import read_fit


@pytest.mark.parametrize("turned", [False, True])
def test_distances_are_those_of_scipy_and_of_the_definition(turned):
    u = np.random.default_rng(0).uniform(size=37) ** 1.3
    u = 1 - u if turned else u  # the largest distance is above, then below
    found = _calibration.distances_from_uniform(np.sort(u)[np.newaxis], None, 5, np.zeros(1))
    assert_allclose(found.kolmogorov_smirnov[0], stats.kstest(u, "uniform").statistic, rtol=1e-12)
    # n * integral of (F_n - t)^2 / (t (1 - t)) dt, piece by piece
    edges = np.concatenate([[0], np.sort(u), [1]])
    area = sum(
        integrate.quad(lambda t, k=k: (k / 37 - t) ** 2 / (t * (1 - t)), edges[k], edges[k + 1])[0]
        for k in range(38)
    )
    assert_allclose(found.anderson_darling[0], 37 * area, rtol=1e-7)
    assert_array_equal(found.counts[0], np.histogram(u, bins=5, range=(0, 1))[0])


def test_distances_are_finite_at_the_ends():
    found = _calibration.distances_from_uniform(np.array([[0.0, 0.5, 1.0]]), None, 2, np.zeros(1))
    assert np.isfinite(found.anderson_darling).all()
    assert_array_equal(found.counts[0], [1, 2])


@pytest.mark.parametrize("link", [links.Log(), links.InversePower(), links.Identity()])
@pytest.mark.parametrize("method", METHODS)
def test_replicates_are_refitted_as_statsmodels_does(link, method):
    generator = np.random.default_rng(0)
    n = 40
    X = sm.add_constant(generator.uniform(0, 3, n))
    weights, offset = generator.uniform(0.5, 2, n), generator.uniform(0, 0.1, n)
    fit = fit_glm(
        generator.gamma(3 * weights, link.inverse(X @ [1.0, 0.5]) / (3 * weights)),
        X,
        link,
        var_weights=weights,
        offset=offset,
    )
    parts = read_fit(fit)
    experiment = experiment_of(
        # a column too many: the rank is what counts
        np.column_stack([X, 2 * X[:, 1]]),
        parts.fitted_rows.linear_predictor,
        link,
        weights,
        method,
        3.0,
    )
    responses = generator.gamma(3 * weights, fit.fittedvalues / (3 * weights), size=(6, n))
    _, log_ratios, shapes = experiment.refit(np.log(responses))
    means = responses / np.exp(log_ratios)
    for i in range(6):
        theirs = fit_glm(responses[i], X, link, var_weights=weights, offset=offset)
        assert_allclose(means[i], theirs.fittedvalues, rtol=1e-5)
        assert_allclose(shapes[i], gamma_shape(theirs, method).shape, rtol=1e-5)


@pytest.mark.parametrize(
    ("link", "shape"),
    [(links.InversePower(), 0.3), (links.Identity(), 0.3), (links.Log(), 0.01)],
)
def test_replicates_of_skewed_responses_are_at_their_maximum(link, shape):
    # Whole steps leave the link's range, the observed information is often indefinite, and at
    # shape 0.01 means lie below 2e-16, where statsmodels clips the derivatives of the Log link.
    # At the solution the score is zero and the deviance below that of the truth.
    x = np.linspace(0, 3, 30)
    predictor, X = 1 + 0.5 * x, sm.add_constant(x)
    truth = link.inverse(predictor)
    experiment = experiment_of(X, predictor, link, np.ones(30), "ml", shape)
    generator = np.random.default_rng(0)
    responses = np.maximum(generator.gamma(shape, truth / shape, size=(50, 30)), 1e-300)
    means = responses / np.exp(experiment.refit(np.log(responses))[1])
    is_log = isinstance(link, links.Log)
    gradient = np.ones_like(means) if is_log else 1 / (link.deriv(means) * means)
    score = ((responses / means - 1) * gradient) @ X
    assert np.max(np.abs(score) / np.sqrt(gradient**2 @ X**2)) < 1e-5
    deviances = [np.sum(responses / m - np.log(responses / m), axis=1) for m in (means, truth)]
    assert (deviances[0] <= deviances[1]).all()


def test_a_number_for_the_shape_is_not_refitted(plain):
    experiment = experiment_of(np.empty((5, 0)), np.zeros(5), links.Log(), np.ones(5), "given", 3.0)
    _, log_ratios, shapes = experiment.refit(np.zeros((2, 5)))
    assert_array_equal(log_ratios, np.zeros((2, 5)))
    assert_array_equal(shapes, [3.0, 3.0])
    estimate = gamma_shape(plain, "ml")
    one = calibration_test(plain, shape=estimate, n_resamples=39, random_state=0)
    assert one == calibration_test(plain, shape="ml", n_resamples=39, random_state=0)
    assert one != calibration_test(plain, shape=estimate.shape, n_resamples=39, random_state=0)
    # re-estimated by its method, not by another: they part where responses are skewed
    X, y = questions_design(shape=0.5)
    skewed = fit_glm(y, X)
    one, two, three = (
        calibration_test(skewed, shape=shape, n_resamples=99, random_state=0)
        for shape in (gamma_shape(skewed, "ml"), "ml", gamma_shape(skewed, "deviance"))
    )
    assert one == two
    assert one != three


def test_replicates_start_from_the_mean_with_its_offset():
    # the same model: what the offset adds, the constant takes away
    generator = np.random.default_rng(0)
    X = sm.add_constant(generator.uniform(0, 3, 40))
    y = generator.gamma(3, (X @ [1.0, 0.5]) / 3)
    one, two = (
        calibration_test(
            fit_glm(y, X, links.Identity(), offset=offset), n_resamples=39, random_state=0
        )
        for offset in (np.full(40, 0.7), None)
    )
    assert one.anderson_darling_pvalue == two.anderson_darling_pvalue
    assert one.kolmogorov_smirnov_pvalue == two.kolmogorov_smirnov_pvalue


def test_replicates_that_underflow_have_a_fit():
    # at shape 0.002 a fifth of the draws are below the smallest number
    generator = np.random.default_rng(0)
    y = np.maximum(generator.gamma(0.002, 1 / 0.002, size=30), 1e-300)
    fit = fit_glm(y, np.ones((30, 1)))
    test = calibration_test(fit, shape="ml", n_resamples=19, random_state=0)
    assert np.isfinite(test.anderson_darling)


def test_replicates_that_have_no_fit_are_reported():
    # shape 0.1 with the identity link: some replicate wants a mean below zero
    generator = np.random.default_rng(0)
    x = np.linspace(0, 3, 30)
    y = np.maximum(generator.gamma(0.1, (1 + 0.5 * x) / 0.1), 1e-300)
    fit = fit_glm(y, sm.add_constant(x), links.Identity())
    with pytest.raises(RuntimeError, match="edge of what the Identity link allows"):
        calibration_test(fit, n_resamples=99, random_state=0)


@pytest.mark.parametrize(("shape", "method"), [(0.7, "ml"), (0.7, "deviance"), (10.0, "pearson")])
def test_rejection_is_nominal_under_the_model(shape, method):
    # 300 data sets of 40 rows, 59 replicates each, at 10 %: the binomial standard deviation is
    # 0.017; 0.045 is 2.6 of them. Without refitting, the share would be below 0.01.
    X, _ = questions_design(n=40)
    generator = np.random.default_rng(2)
    mean = np.exp(X @ [0.5, -1 / 3])
    rejected = []
    for _ in range(300):
        fit = sm.GLM(generator.gamma(shape, mean / shape), X, family=gamma_family()).fit()
        test = calibration_test(fit, shape=method, n_resamples=59, random_state=generator)
        rejected.append(
            [test.kolmogorov_smirnov_pvalue <= 0.1, test.anderson_darling_pvalue <= 0.1]
        )
    assert_allclose(np.mean(rejected, axis=0), [0.1, 0.1], atol=0.045)


@pytest.mark.parametrize("shape", [0.5, 10.0])
def test_probabilities_are_uniform_under_the_model(shape):
    # n = 20000: estimation moves the distribution function by far less than the 1 % critical value
    X, y = questions_design(n=20_000, shape=shape)
    fit = fit_glm(y, X)
    distance = stats.kstest(lower_tail_probability(fit, shape="ml"), "uniform").statistic
    assert distance < 1.63 / np.sqrt(20_000)
    residuals = quantile_residuals(fit, shape="ml")
    assert_allclose([residuals.mean(), residuals.std()], [0, 1], atol=0.02)


def test_the_mistake_of_the_question_is_seen():
    # statsmodels' scale as SciPy's: points below the fitted mean get some 80 %
    X, y = questions_design(n=500)
    fit = fit_glm(y, X)
    mistaken = stats.gamma.cdf(y, fit.fittedvalues, scale=fit.scale)
    assert np.median(mistaken) > 0.99
    right = lower_tail_probability(fit)
    assert abs(np.median(right) - 0.5) < 0.06


def test_p_values_count_the_data_and_ties():
    # (1 + number at least as large) / (1 + number of replicates), by hand
    assert _calibration._pvalue(np.array([2.0]), np.array([1.0, 2.0, 3.0])) == 3 / 4
    assert _calibration._pvalue(np.array([4.0]), np.array([1.0, 2.0, 3.0])) == 1 / 4


def test_a_wrong_model_is_rejected():
    # log-normal errors with standard deviation 1: far from gamma
    generator = np.random.default_rng(0)
    X, _ = questions_design(n=400)
    y = np.exp(X @ [0.5, -1 / 3] + generator.normal(size=400))
    test = calibration_test(fit_glm(y, X), n_resamples=99, random_state=0)
    assert test.kolmogorov_smirnov_pvalue == 0.01
    assert test.anderson_darling_pvalue == 0.01
    assert isinstance(test, CalibrationTest)


def test_workers_do_not_change_the_result(plain, monkeypatch):
    monkeypatch.setattr(_bootstrap, "TASK_SIZE", 1500)  # several tasks, also at n = 120
    alone = calibration_test(plain, n_resamples=39, random_state=6)
    asked = []

    class Parallel(joblib.Parallel):
        def __init__(self, n_jobs):
            asked.append(n_jobs)
            super().__init__(n_jobs=n_jobs)

    monkeypatch.setattr(joblib, "Parallel", Parallel)
    with joblib.parallel_config(backend="threading"):
        together = calibration_test(plain, n_resamples=39, random_state=6, n_jobs=2)
    assert alone == together
    assert asked == [2]
    found = _calibration.calibrate(
        read_fit(plain), "pearson", 2, 39, np.random.default_rng(0), None
    )
    assert len(np.unique(found.simulated.kolmogorov_smirnov)) == 39


@pytest.mark.parametrize(
    ("function", "arguments", "error", "message"),
    [
        (gamma_shape, {"method": "mom"}, ValueError, "`method` must be one of"),
        (prediction_interval, {"level": 1.0}, ValueError, r"`level` must lie in \(0, 1\)"),
        (prediction_interval, {"method": "exact"}, ValueError, "`method` must be one of"),
        (calibration_test, {"n_resamples": 10}, ValueError, "`n_resamples` must be at least 19"),
        (calibration_test, {"n_resamples": 99.0}, TypeError, "must be an integer"),
        (calibration_test, {"random_state": "a"}, TypeError, "`random_state` must be"),
        (calibration_test, {"n_jobs": 1.5}, TypeError, "`n_jobs` must be an integer"),
        (calibration_test, {"n_jobs": 0}, ValueError, "`n_jobs` must be a number of workers"),
        (plot_calibration, {"n_bins": 1}, ValueError, "`n_bins` must be between 2 and 1000"),
        (plot_calibration, {"level": 0}, ValueError, r"`level` must lie in \(0, 1\)"),
    ],
)
def test_options_that_are_refused(plain, function, arguments, error, message):
    with pytest.raises(error, match=message):
        function(plain, **arguments)


def test_weights_of_a_survey_weigh_the_distribution_function():
    # brute force: n times the integral of (F(t) - t)^2 / (t (1 - t)) with F weighted, by quadrature
    generator = np.random.default_rng(0)
    u, w = np.sort(generator.uniform(size=15)), generator.uniform(0.2, 3, 15)
    found = _calibration.distances_from_uniform(u[np.newaxis], w, 3, np.zeros(1))

    def weighted(t):
        return np.sum(w[u <= t]) / np.sum(w)

    edges = np.concatenate([[0], u, [1]])
    area = sum(
        integrate.quad(lambda t: (weighted(t) - t) ** 2 / (t * (1 - t)), a, b)[0]
        for a, b in itertools.pairwise(edges)
    )
    assert_allclose(found.anderson_darling[0], np.sum(w) * area, rtol=1e-6)
    gaps = [abs(weighted(t + side) - t) for t in u for side in (-1e-12, 0)]
    assert_allclose(found.kolmogorov_smirnov[0], max(gaps), rtol=1e-9)
    assert_allclose(found.counts[0], np.histogram(u, bins=3, range=(0, 1), weights=w)[0])


def test_weights_of_a_survey_are_no_repeated_rows():
    # 100 rows that stand for 1.6 million people: each is drawn once in a replicate
    X, y = questions_design(n=100)
    weights = np.random.default_rng(0).uniform(0.2, 1.8, 100)
    weights *= 1.6e6 / weights.sum()
    fit = fit_glm(y, X, freq_weights=weights)
    test = calibration_test(fit, n_resamples=99, random_state=0)
    assert test.n_observations == 1_600_000
    assert 0.02 < test.anderson_darling_pvalue < 1
    # as counts of equal responses they are refused, and the advice helps
    whole = fit_glm(y, X, freq_weights=np.rint(weights))
    with pytest.raises(ValueError, match=r"`freq_weights` of the fit sum to 1\.6e\+06 for 100"):
        calibration_test(whole)
    rounded = np.rint(weights)
    scaled = fit_glm(y, X, freq_weights=rounded * len(rounded) / rounded.sum())
    again = calibration_test(scaled, n_resamples=99, random_state=0)
    assert_allclose(again.kolmogorov_smirnov, test.kolmogorov_smirnov, atol=3e-3)  # n - p
    assert abs(again.kolmogorov_smirnov_pvalue - test.kolmogorov_smirnov_pvalue) < 0.05


def test_size_under_weights_of_a_survey():
    # 200 right models of 40 rows at 10 %: the binomial standard deviation is 0.021
    X, _ = questions_design(n=40)
    generator = np.random.default_rng(4)
    mean = np.exp(X @ [0.5, -1 / 3])
    weights = generator.uniform(0.1, 1.9, 40)
    rejected = []
    for _ in range(200):
        fit = sm.GLM(
            generator.gamma(2, mean / 2), X, family=gamma_family(), freq_weights=weights
        ).fit()
        test = calibration_test(fit, n_resamples=49, random_state=generator)
        rejected.append(
            [test.kolmogorov_smirnov_pvalue <= 0.1, test.anderson_darling_pvalue <= 0.1]
        )
    assert_allclose(np.mean(rejected, axis=0), [0.1, 0.1], atol=0.055)


@pytest.mark.parametrize("shape", [0.7, 20.0])
def test_the_contrast_of_two_estimators(shape):
    # its size at 10 %, from 300 right models of 40 rows (binomial standard deviation 0.017) ...
    X, _ = questions_design(n=40)
    generator = np.random.default_rng(3)
    mean = np.exp(X @ [0.5, -1 / 3])
    rejected = []
    for _ in range(300):
        fit = sm.GLM(generator.gamma(shape, mean / shape), X, family=gamma_family()).fit()
        test = calibration_test(fit, n_resamples=59, random_state=generator)
        rejected.append(test.hausman_pvalue <= 0.1)
    assert abs(np.mean(rejected) - 0.1) < 0.045


def test_the_contrast_is_that_of_hausman(plain):
    # (ml - pearson) / sqrt(var_pearson - var_ml), both variances at the likely shape: closed forms
    # of a log link with a constant
    test = calibration_test(plain, n_resamples=19, random_state=0)
    likely, moment = gamma_shape(plain, "ml"), gamma_shape(plain, "pearson")
    a = likely.shape
    variance = 2 * a * (a + 1) / plain.df_resid - likely.standard_error**2
    assert_allclose(test.hausman, (a - moment.shape) / np.sqrt(variance), rtol=1e-9)
    # a log-normal response parts them
    X, _ = questions_design(n=300)
    generator = np.random.default_rng(0)
    y = np.exp(X @ [0.5, -1 / 3] + 1.2 * generator.normal(size=300))
    assert calibration_test(fit_glm(y, X), n_resamples=99, random_state=0).hausman_pvalue == 0.02


@pytest.mark.parametrize("shape", [1.5, 3.0, 40.0])
def test_a_table_of_the_distribution_function_is_close_enough(shape):
    logs = np.log(np.random.default_rng(0).gamma(shape, 1 / shape, size=(2, 30_000)))
    found = _tails.sorted_lower_tails(np.array([shape, 1.1 * shape]), logs)
    for row, a, x in zip(found, (shape, 1.1 * shape), logs, strict=True):
        expected = special.gammainc(a, a * np.exp(np.sort(x)))
        assert_allclose(row, expected, atol=2e-6)
        assert (row != expected).any()  # it is the table that was tried
