"""Fits of other kinds, and fits that are refused."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from gamma_fits import (
    METHODS,
    fit_formula,
    fit_glm,
    gamma_family,
    questions_design,
)
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import GammaRegressor
from statsmodels.tools.sm_exceptions import ConvergenceWarning

from afterfit import gamma_glm
from afterfit.gamma_glm import (
    calibration_test,
    conditional_distribution,
    gamma_shape,
    lower_tail_probability,
    prediction_interval,
)


def test_constrained_fits():
    X, y = questions_design(n=60)
    frame = pd.DataFrame({"y": y, "x": X[:, 1], "z": X[:, 1] ** 2})
    weights = np.random.default_rng(0).uniform(0.5, 3, 60)
    model = smf.glm("y ~ x + z", frame, family=gamma_family(), var_weights=weights)
    fit = model.fit_constrained("x = 0.2")
    # the same by hand: the constrained term is an offset
    by_hand = fit_formula("y ~ z", frame, offset=0.2 * frame.x, var_weights=weights)
    for method in METHODS:
        ours, theirs = gamma_shape(fit, method), gamma_shape(by_hand, method)
        assert_allclose(ours.shape, theirs.shape, rtol=1e-6)
        assert_allclose(ours.standard_error, theirs.standard_error, rtol=1e-6)
    assert_allclose(lower_tail_probability(fit), lower_tail_probability(by_hand), rtol=1e-5)
    one, two = (calibration_test(f, n_resamples=39, random_state=1) for f in (fit, by_hand))
    assert one.anderson_darling_pvalue == two.anderson_darling_pvalue


def test_regularised_fits_that_were_refitted():
    X, y = questions_design(n=60)
    X = np.column_stack([X, np.random.default_rng(0).normal(size=60)])
    times = np.arange(60) % 3 + 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = sm.GLM(y, X, family=gamma_family(), freq_weights=times)
        fit = model.fit_regularized(alpha=0.2, refit=True)
    assert list(fit.params != 0) == [True, True, False]
    selected = fit_glm(y, X[:, :2], freq_weights=times)
    for method in METHODS:
        ours, theirs = gamma_shape(fit, method), gamma_shape(selected, method)
        assert_allclose(ours.shape, theirs.shape, rtol=1e-5)
        assert_allclose(ours.standard_error, theirs.standard_error, rtol=1e-5)
    one, two = (calibration_test(f, n_resamples=39, random_state=1) for f in (fit, selected))
    assert_allclose(one.kolmogorov_smirnov_pvalue, two.kolmogorov_smirnov_pvalue)


def test_a_regularised_fit_without_coefficients():
    # every mean is exp(0) = 1, and nothing was estimated but phi = sum (y - 1)^2 / n
    X, y = questions_design(n=30)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fit = sm.GLM(y, X, family=gamma_family()).fit_regularized(alpha=1e4, refit=True)
    phi = np.mean((y - 1) ** 2)
    expected = stats.gamma.cdf(y, 1 / phi, scale=phi)
    assert_allclose(lower_tail_probability(fit), expected, rtol=1e-10)
    test = calibration_test(fit, n_resamples=19, random_state=0)
    assert_allclose(test.kolmogorov_smirnov, stats.kstest(expected, "uniform").statistic)


def test_a_pickled_fit_works(frame):
    fit = fit_formula("y ~ x + C(group)", frame)
    again = pickle.loads(pickle.dumps(fit))
    assert_allclose(lower_tail_probability(again), lower_tail_probability(fit))


def test_nothing_is_changed(frame):
    before = frame.copy()
    fit = fit_formula("y ~ x", frame, var_weights=frame.time)
    params, endog = fit.params.copy(), fit.model.endog.copy()
    prediction_interval(fit, frame, var_weights=frame.time, method="coefficients")
    calibration_test(fit, n_resamples=19, random_state=0)
    pd.testing.assert_frame_equal(frame, before)
    assert_array_equal(fit.params, params)
    assert_array_equal(fit.model.endog, endog)


def _ols():
    X, y = questions_design()
    return sm.OLS(y, X).fit()


def _poisson():
    X, y = questions_design()
    return sm.GLM(np.rint(y), X, family=sm.families.Poisson()).fit()


def _regularised():
    X, y = questions_design()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return sm.GLM(y, X, family=gamma_family()).fit_regularized(alpha=0.1)


def _regularised_with_exposure():
    X, y = questions_design()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return sm.GLM(y, X, family=gamma_family(), exposure=1 + X[:, 1]).fit_regularized(
            alpha=0.0, refit=True
        )


def _ridge():
    X, y = questions_design()
    model = sm.GLM(y, X, family=gamma_family())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit_regularized(alpha=0.1, L1_wt=0)


def _with_responses(*values):
    y = np.concatenate([values, np.ones(8)])
    fit = fit_glm(np.full(len(y), 2.0) + np.arange(len(y)), np.ones((len(y), 1)))
    fit.model.endog[:] = y
    return fit


def _gee():
    X, y = questions_design()
    return sm.GEE(y, X, groups=np.arange(len(y)) // 3, family=gamma_family()).fit()


def _unfitted():
    X, y = questions_design()
    return sm.GLM(y, X, family=gamma_family())


def _without_data():
    X, y = questions_design()
    fit = fit_glm(y, X)
    fit.remove_data()
    return fit


def _saturated():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return sm.GLM([1.0, 2.0], np.eye(2), family=gamma_family()).fit()


def _through_every_point():
    X, _ = questions_design(n=20)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return sm.GLM(np.exp(X @ [1, 2]), X, family=gamma_family()).fit(tol=1e-14)


def _bad_var_weights():
    X, y = questions_design(n=20)
    weights = np.ones(20)
    weights[[3, 4]] = 0
    return fit_glm(y, X, var_weights=weights)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (_ols, TypeError, "must be a fitted statsmodels GLM with gamma family, got OLSResults"),
        (lambda: None, TypeError, "got NoneType"),
        (
            lambda: sm.OLS([1.0, 2.0, 3.0], np.ones((3, 1))).fit_regularized(alpha=0.1),
            TypeError,
            "must be a fitted statsmodels GLM with gamma family, got RegularizedResults",
        ),
        (_gee, TypeError, "must be a fitted statsmodels GLM with gamma family, got GEEResults"),
        (lambda: GammaRegressor(), TypeError, "got GammaRegressor. Such a fit is `sm.GLM"),
        (_poisson, ValueError, "must have the Gamma family, got Poisson. Fit with `sm.GLM"),
        (_unfitted, NotFittedError, "is a GLM that is not fitted: pass `model.fit\\(\\)`"),
        (_regularised, ValueError, "regularised fit, which has no scale.*refit=True"),
        (_ridge, ValueError, "regularised fit, which has no scale.*refit=True"),
        (_regularised_with_exposure, ValueError, "takes twice.*offset=np.log"),
        (_without_data, ValueError, "no longer holds its data"),
        (_saturated, ValueError, "2 observations and no residual degrees of freedom"),
        (_through_every_point, ValueError, "goes through every response"),
        (_bad_var_weights, ValueError, "`var_weights` of the fit must be positive.*2 of 20.*3, 4"),
        (
            lambda: _with_responses(0.0, 1.0, 0.0),
            ValueError,
            r"must be positive, got 2 zero \(row\(s\) 0, 2\) among 11 rows.*Model zeros apart",
        ),
        (
            lambda: _with_responses(1.0, -1.0),
            ValueError,
            r"must be positive, got 1 negative \(row\(s\) 1\) among 10 rows",
        ),
        (
            lambda: _with_responses(np.nan, 1.0),
            ValueError,
            r"fitted response must be finite, which 1 of 10 row\(s\) break: row\(s\) 0",
        ),
        (
            lambda: _with_responses(1.0, np.inf),
            ValueError,
            r"fitted response must be finite, which 1 of 10 row\(s\) break: row\(s\) 1",
        ),
    ],
)
@pytest.mark.parametrize(
    "function",
    [gamma_shape, conditional_distribution, lower_tail_probability, calibration_test],
)
def test_fits_that_are_refused(make, error, message, function):
    # a distribution of the fitted rows needs the data only for the shape, and refuses alike
    with pytest.raises(error, match=message):
        function(make())


def test_zero_responses_have_the_labels_of_their_rows(frame):
    zeroed = frame.assign(y=frame.y.where(frame.x > 0.4, 0.0))
    rows = list(zeroed.index[zeroed.y == 0])
    assert len(rows) > 1
    fit = fit_formula("y ~ x", zeroed)
    with pytest.raises(ValueError, match=rf"{len(rows)} zero \(row\(s\) {', '.join(rows[:5])}"):
        gamma_shape(fit)


def test_public_names():
    assert set(gamma_glm.__all__) >= {"gamma_shape", "lower_tail_probability", "plot_calibration"}
