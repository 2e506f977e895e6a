"""The bootstrap of the calibration, its size, and that it refits as statsmodels does."""

import joblib
import numpy as np
import pytest
import statsmodels.api as sm
from gamma_fits import (
    METHODS,
    fit_glm,
    gamma_family,
    questions_design,
)
from numpy.testing import assert_allclose, assert_array_equal
from scipy import integrate, stats
from statsmodels.genmod.families import links

from afterfit.gamma_glm import (
    CalibrationTest,
    _calibration,
    calibration_test,
    gamma_shape,
    lower_tail_probability,
    plot_calibration,
    prediction_interval,
    quantile_residuals,
)
from afterfit.gamma_glm._fit import read_fit


@pytest.mark.parametrize("turned", [False, True])
def test_distances_are_those_of_scipy_and_of_the_definition(turned):
    u = np.random.default_rng(0).uniform(size=37) ** 1.3
    u = 1 - u if turned else u  # the largest distance is above, then below
    found = _calibration.distances_from_uniform(u[np.newaxis], 5)
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
    found = _calibration.distances_from_uniform(np.array([[0.0, 0.5, 1.0]]), 2)
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
    experiment = _calibration.Experiment(
        linear_predictor=parts.fitted_rows.linear_predictor,
        # a column too many: the rank is what counts
        basis=_calibration.orthonormal_basis(np.column_stack([X, 2 * X[:, 1]])),
        link=link,
        weights=weights,
        residual_df=parts.residual_df,
        method=method,
        shape=3.0,
    )
    responses = generator.gamma(3 * weights, fit.fittedvalues / (3 * weights), size=(6, n))
    means, shapes = _calibration.refit(experiment, responses)
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
    experiment = _calibration.Experiment(
        linear_predictor=predictor,
        basis=_calibration.orthonormal_basis(X),
        link=link,
        weights=np.ones(30),
        residual_df=28.0,
        method="ml",
        shape=shape,
    )
    generator = np.random.default_rng(0)
    responses = np.maximum(generator.gamma(shape, truth / shape, size=(50, 30)), 1e-300)
    means = _calibration.refit(experiment, responses)[0]
    is_log = isinstance(link, links.Log)
    gradient = np.ones_like(means) if is_log else 1 / (link.deriv(means) * means)
    score = ((responses / means - 1) * gradient) @ X
    assert np.max(np.abs(score) / np.sqrt(gradient**2 @ X**2)) < 1e-5
    deviances = [np.sum(responses / m - np.log(responses / m), axis=1) for m in (means, truth)]
    assert (deviances[0] <= deviances[1]).all()


def test_a_number_for_the_shape_is_not_refitted(plain):
    experiment = _calibration.Experiment(
        linear_predictor=np.zeros(5),
        basis=np.empty((5, 0)),
        link=links.Log(),
        weights=np.ones(5),
        residual_df=5.0,
        method="given",
        shape=3.0,
    )
    means, shapes = _calibration.refit(experiment, np.ones((2, 5)))
    assert_array_equal(means, np.ones((2, 5)))
    assert_array_equal(shapes, [3.0, 3.0])
    estimate = gamma_shape(plain, "ml")
    one = calibration_test(plain, shape=estimate, n_resamples=39, random_state=0)
    assert one == calibration_test(plain, shape="ml", n_resamples=39, random_state=0)
    assert one != calibration_test(plain, shape=estimate.shape, n_resamples=39, random_state=0)
    # estimated anew by its method, not by another: they part where responses are skewed
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
    monkeypatch.setattr(_calibration, "TASK_SIZE", 1500)  # several tasks, also at n = 120
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
        read_fit(plain),
        method="pearson",
        unit_shape=10.0,
        n_bins=2,
        n_resamples=39,
        generator=np.random.default_rng(0),
        n_jobs=None,
    )
    assert len(np.unique(found.simulated.kolmogorov_smirnov)) == 39


@pytest.mark.parametrize(
    ("function", "arguments", "error", "message"),
    [
        (gamma_shape, {"method": "mom"}, ValueError, "`method` must be one of"),
        (prediction_interval, {"level": 1.0}, ValueError, r"`level` must lie in \(0, 1\)"),
        (prediction_interval, {"coefficient_uncertainty": 1}, TypeError, "must be True or False"),
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


def test_fractions_of_rows_are_not_simulated():
    X, y = questions_design(n=20)
    fit = fit_glm(y, X, freq_weights=np.array([1.25, 1.5, *[1.0] * 18]))
    with pytest.raises(ValueError, match=r"whole numbers, got 2 that are not, such as 1\.25"):
        calibration_test(fit)
