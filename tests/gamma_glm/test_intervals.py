"""Prediction intervals, against quadrature, simulation and other programs."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from gamma_fits import (
    fit_glm,
    gamma_family,
    questions_design,
)
from numpy.testing import assert_allclose
from statsmodels.genmod.families import links

from afterfit.gamma_glm import (
    _tails,
    conditional_distribution,
    prediction_interval,
)


@pytest.mark.parametrize("tail", [0.1, 2.0**-54])
def test_plain_interval_has_its_probability(plain, tail):
    interval = prediction_interval(plain, level=1 - 2 * tail, shape="ml", method="plugin")
    distribution = conditional_distribution(plain, shape="ml")
    assert_allclose(distribution.cdf(interval["lower"].to_numpy()), tail, rtol=1e-9)
    assert_allclose(distribution.sf(interval["upper"].to_numpy()), tail, rtol=1e-9)
    assert interval.attrs["accounts_for"] == "variation of a new observation around a known mean"


def test_a_mean_that_constraints_leave_no_doubt_about(frame):
    # the mean at x = 1 is exp(0.3), whatever the coefficients: nothing is added there
    fit = smf.glm("y ~ x", frame, family=gamma_family()).fit_constrained("x + Intercept = 0.3")
    new = pd.DataFrame({"x": [1.0, 1 + 1e-9, 1 - 1e-9]})
    pd.testing.assert_frame_equal(
        prediction_interval(fit, new, method="coefficients"),
        prediction_interval(fit, new, method="plugin"),
    )


def test_coefficients_add_what_a_simulation_of_them_adds():
    # Brute force: draw coefficients from N(b, V), a response from each, and take quantiles.
    # 4e5 draws: the standard error of a 2.5 % quantile is below 1 % here.
    X, y = questions_design(n=12)
    fit = fit_glm(y, X)
    new = np.array([[1.0, 4.5]])
    generator = np.random.default_rng(0)
    means = np.exp(generator.multivariate_normal(fit.params, fit.cov_params(), 400_000) @ new[0])
    draws = means * generator.gamma(1 / fit.scale, fit.scale, 400_000)
    interval = prediction_interval(fit, new, method="coefficients")
    assert_allclose(interval.to_numpy()[0], np.quantile(draws, [0.025, 0.975]), rtol=0.015)
    plain = prediction_interval(fit, new, method="plugin").to_numpy()[0]
    assert interval.iloc[0, 0] < plain[0] < plain[1] < interval.iloc[0, 1]
    assert interval.attrs["accounts_for"].endswith("standard errors of the coefficients")


def test_robust_covariances_are_taken_as_they_are():
    X, y = questions_design(n=30)
    robust = sm.GLM(y, X, family=gamma_family()).fit(cov_type="HC1")
    found = prediction_interval(robust, shape=3.0, method="coefficients").to_numpy()
    spread = np.sqrt(np.einsum("ij,jk,ik->i", X, robust.cov_params(), X))
    expected = robust.fittedvalues * _tails.mixture_quantile(0.025, True, np.full(30, 3.0), spread)
    assert_allclose(found[:, 1], expected, rtol=1e-9)


def test_covariance_follows_the_shape():
    X, y = questions_design(n=30)
    fit = fit_glm(y, X)
    found = prediction_interval(fit, shape=3.0, method="coefficients").to_numpy()
    spread = np.sqrt(np.einsum("ij,jk,ik->i", X, fit.normalized_cov_params, X) / 3.0)
    expected = fit.fittedvalues * _tails.mixture_quantile(0.025, True, np.full(30, 3.0), spread)
    assert_allclose(found[:, 1], expected, rtol=1e-9)


@pytest.mark.parametrize("link", [links.InversePower(), links.Identity(), links.Sqrt()])
def test_errors_of_the_mean_under_other_links_are_those_of_statsmodels(link):
    # get_prediction gives the delta method's standard error of the mean; the log's is se / mean
    generator = np.random.default_rng(0)
    X = sm.add_constant(generator.uniform(0, 3, 40))
    fit = fit_glm(generator.gamma(8, link.inverse(X @ [1.0, 0.5]) / 8), X, link)
    prediction = fit.get_prediction(X[:5])
    spread = prediction.se_mean / prediction.predicted_mean
    expected = prediction.predicted_mean * _tails.mixture_quantile(
        0.025, True, np.full(5, 1 / fit.scale), spread
    )
    found = prediction_interval(fit, X[:5], method="coefficients")
    assert_allclose(found["upper"], expected, rtol=1e-8)


@pytest.mark.parametrize("shape", [0.5, 5.0, 50.0])
def test_coverage_of_the_intervals(shape):
    # 160 fits of n = 12 rows, one new observation each at every row: nominal 90 %. Binomial
    # standard error of 1920 trials that share fits: about 1 %. The plain one covers too little.
    generator = np.random.default_rng(1)
    X = sm.add_constant(np.linspace(0, 3, 12))
    mean = np.exp(X @ [0.5, -1 / 3])
    covered = {"plugin": [], "coefficients": []}
    for _ in range(160):
        y, new = np.maximum(generator.gamma(shape, mean / shape, size=(2, 12)), 1e-300)
        fit = sm.GLM(y, X, family=gamma_family()).fit()
        for option, found in covered.items():
            interval = prediction_interval(fit, level=0.9, shape=shape, method=option).to_numpy()
            found.append((interval[:, 0] <= new) & (new <= interval[:, 1]))
    plain, aware = np.mean(covered["plugin"]), np.mean(covered["coefficients"])
    assert plain < 0.89
    assert plain < aware
    assert abs(aware - 0.9) < 0.025


@pytest.mark.filterwarnings("ignore")  # of statsmodels: the Hessian has no inverse
def test_a_fit_without_covariances_has_them_from_its_design():
    X, y = questions_design(n=30)
    model = sm.GLM(y, np.column_stack([X, 0 * y]), family=gamma_family())
    fit = model.fit(method="bfgs", disp=0)
    with pytest.raises(ValueError, match="need covariance"):
        fit.cov_params()
    plain = prediction_interval(fit_glm(y, X), method="coefficients")
    assert_allclose(prediction_interval(fit, method="coefficients"), plain, rtol=1e-4)
