"""The shape of a gamma GLM and its standard error.

Expected numbers come from R (MASS), from 40-digit arithmetic, from closed forms or from brute
force; each says which."""

import copy

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
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import special
from statsmodels.genmod.families import links

from afterfit.gamma_glm import (
    ShapeEstimate,
    _shape,
    calibration_test,
    gamma_shape,
    prediction_interval,
)

U = np.array([5, 10, 15, 20, 30, 40, 60, 80, 100])


LOTS = {
    1: np.array([118, 58, 42, 35, 27, 25, 21, 19, 18]),
    2: np.array([69, 35, 26, 21, 18, 16, 13, 12, 12]),
}


def clotting(lot):
    return fit_glm(LOTS[lot], sm.add_constant(np.log(U)), links.InversePower())


def test_clotting_times_are_those_of_r():
    # McCullagh & Nelder (1989), table 8.4. R: summary(glm(lot1 ~ log(u), family = Gamma)) and
    # MASS::gamma.shape of it; numbers from ../shared/reference-values.md
    fit = clotting(1)
    assert_allclose(fit.params, [-0.01655438, 0.01534311], atol=5e-9)
    assert_allclose(fit.bse, [0.00092754, 0.00041496], atol=1e-8)
    assert_allclose(fit.deviance, 0.016729715, atol=5e-10)
    pearson, deviance, likely = (gamma_shape(fit, method) for method in METHODS)
    assert_allclose(pearson.dispersion, 0.00244606, atol=3e-8)  # R stops its iterations earlier
    assert_allclose(pearson.shape, 408.82, atol=6e-3)
    assert_allclose(deviance.dispersion, 0.016729715 / 7, rtol=1e-7)
    assert_allclose(likely.shape, 538.1315, atol=5e-5)
    assert_allclose(likely.standard_error, 253.5991, atol=5e-5)
    assert [pearson.method, deviance.method, likely.method] == list(METHODS)


def test_second_clotting_lot_is_that_of_r():
    # R's example(glm): summary(glm(lot2 ~ log(u), family = Gamma)):
    # coefficients -0.02390848, 0.02359922, dispersion 0.001813354
    fit = clotting(2)
    assert_allclose(fit.params, [-0.02390848, 0.02359922], atol=2e-8)
    assert_allclose(gamma_shape(fit).dispersion, 0.001813354, atol=3e-8)


def test_standard_error_of_maximum_likelihood_is_the_closed_form(plain):
    # 1 / sqrt(n (trigamma(a) - 1 / a)): reference-values.md
    estimate = gamma_shape(plain, "ml")
    a = estimate.shape
    expected = 1 / np.sqrt(plain.nobs * (special.polygamma(1, a) - 1 / a))
    assert_allclose(estimate.standard_error, expected, rtol=1e-12)


def test_standard_error_of_pearson_is_that_of_the_moment_estimator(plain):
    # log link with a constant: 2 a (a + 1) / (n - p), as in a plain gamma sample
    estimate = gamma_shape(plain)
    a = estimate.shape
    assert_allclose(estimate.standard_error, np.sqrt(2 * a * (a + 1) / plain.df_resid), rtol=1e-10)


def test_standard_error_of_the_deviance_estimate_at_a_large_shape():
    # D / phi is then chi-squared with n - p = 7 degrees of freedom: sd(phi) = phi sqrt(2 / 7)
    estimate = gamma_shape(clotting(1), "deviance")
    assert_allclose(estimate.standard_error, estimate.shape * np.sqrt(2 / 7), rtol=2e-3)


def test_pearson_is_the_scale_of_the_fit(plain):
    assert_allclose(gamma_shape(plain).dispersion, plain.scale, rtol=1e-12)
    assert_allclose(
        gamma_shape(plain, "deviance").dispersion, plain.deviance / plain.df_resid, rtol=1e-10
    )
    assert_allclose(gamma_shape(plain).shape, 1 / plain.scale, rtol=1e-12)


@pytest.mark.parametrize("scale", ["dev", 1.0, 0.5])
def test_what_the_fit_took_for_scale_does_not_matter(scale):
    X, y = questions_design()
    other = sm.GLM(y, X, family=gamma_family()).fit(scale=scale, tol=1e-12)
    plain = fit_glm(y, X)
    assert_allclose(gamma_shape(other).shape, gamma_shape(plain).shape, rtol=1e-8)
    assert_allclose(
        prediction_interval(other, method="coefficients"),
        prediction_interval(plain, method="coefficients"),
        rtol=1e-8,
    )


# log(x) - digamma(x) and x^2 trigamma(x) - x; mpmath 1.3, mp.dps = 40:
# mp.log(x) - mp.digamma(x), x**2 * mp.polygamma(1, x) - x
DIGAMMA_TERMS = [
    (1e-8, 99999982.156534904, 0.99999999000000016),
    (0.3, 2.298551417874197, 0.80208280914969574),
    (1.0, 0.57721566490153286, 0.64493406684822644),
    (5.0, 0.1033202440022999, 0.53307389342788313),
    (6.5, 0.078890846501658485, 0.52552163543573554),
    (11.9, 0.042604863234946247, 0.51398592051649282),
    (12.0, 0.042244969812188293, 0.51386969353464827),
    (40.0, 0.012552080079093177, 0.50416614606564505),
    (1e3, 0.000500083333325, 0.50016666663333336),
    (1e6, 5.0000008333333333e-7, 0.50000016666666667),
]


def test_digamma_terms_against_forty_digits():
    x, first, second = np.array(DIGAMMA_TERMS).T
    found = _shape.digamma_terms(x)
    assert_allclose(found[0], first, rtol=1e-14)
    assert_allclose(found[1], second, rtol=1e-14)


@given(st.floats(min_value=-8, max_value=12))
def test_digamma_terms_keep_their_bounds(exponent):
    # 1/(2x) < log x - digamma x < 1/x: the bracket of the Newton iteration rests on it
    x = np.array([10.0**exponent])
    first, second = _shape.digamma_terms(x)
    assert 0.5 <= (first * x)[0] <= 1
    assert 0.5 <= second[0] <= 1


@pytest.mark.parametrize("spread", [0.0, 3.0])
@pytest.mark.parametrize("shape", [0.01, 0.05, 0.3, 1, 7, 50, 1e3, 1e6])
def test_newton_recovers_the_shape_in_few_steps(shape, spread):
    # Brute force the other way round: D is made from the shape, with SciPy's functions at 1e-8 of
    # what they lose to cancellation.
    weights = np.exp(np.linspace(-spread, spread, 201))
    counts = np.full(201, 3.0)
    half = np.sum(counts * weights * _shape.digamma_terms(shape * weights)[0])
    found, steps = _shape.maximum_likelihood_shapes(np.array([half]), weights, counts)
    assert_allclose(found, shape, rtol=1e-12)
    assert steps <= 6  # and one pass for D: under 10 passes over the rows


@pytest.mark.parametrize(("weighted", "most"), [(False, 1.01), (True, 9)])
def test_rows_are_passed_over_few_times(weighted, most, monkeypatch):
    # Estimate and standard error: one pass for the deviance, one for each evaluation of the
    # likelihood equation, or nearly none where all weights are equal.
    passed = []

    def counted(x, function=_shape.digamma_terms):
        passed.append(x.size)
        return function(x)

    X, y = questions_design(n=2000, shape=0.3)
    weights = np.random.default_rng(0).uniform(0.01, 100, 2000) if weighted else np.ones(2000)
    fit = fit_glm(y, X, var_weights=weights)
    monkeypatch.setattr(_shape, "digamma_terms", counted)
    gamma_shape(fit, "ml")
    assert 1 < 1 + sum(passed) / 2000 <= most


@pytest.mark.parametrize("shape", [0.01, 0.5, 10, 1e3, 1e6])
@pytest.mark.parametrize("weighted", [False, True])
def test_maximum_likelihood_shape_from_responses(shape, weighted):
    generator = np.random.default_rng(3)
    n = 2000
    X = sm.add_constant(generator.uniform(0, 1, n))
    weights = generator.uniform(0.5, 4, n) if weighted else np.ones(n)
    mean = np.exp(X @ [1, -1])
    y = generator.gamma(shape * weights, mean / (shape * weights))
    y = np.maximum(y, 1e-300)  # at shape 0.01 one response in a thousand underflows
    fit = fit_glm(y, X, var_weights=weights) if weighted else fit_glm(y, X)
    estimate = gamma_shape(fit, "ml")
    assert abs(estimate.shape - shape) < 4 * estimate.standard_error
    # statsmodels clips y / mean at 2e-16, so the derivative is written out: 0 in standard errors
    aw = estimate.shape * weights
    logs = np.log(aw) + 1 + np.log(y) - np.log(fit.fittedvalues) - y / fit.fittedvalues
    score = np.sum(weights * (logs - special.digamma(aw)))
    assert abs(score * estimate.standard_error) < 1e-4


@pytest.mark.parametrize("method", METHODS)
def test_a_dispersion_near_zero(method):
    # y = 1 +- 2^-20: the mean is 1, X^2 = D = n 2^-40 but for terms of its square, and the
    # equation of maximum likelihood log(a) - digamma(a) = 1 / (2 a) = D / (2 n)
    n = 100
    y = 1 + np.where(np.arange(n) % 2 == 0, 1, -1) * 2.0**-20
    estimate = gamma_shape(fit_glm(y, np.ones((n, 1))), method)
    degrees = n if method == "ml" else n - 1
    assert_allclose(estimate.shape, 2.0**40 * degrees / n, rtol=1e-9)


def _score(fit, shape):
    """Derivative of statsmodels' log-likelihood in log(shape), by central differences."""

    def likelihood(log_shape):
        return fit.family.loglike(
            fit.model.endog,
            fit.fittedvalues,
            var_weights=fit.model.var_weights,
            freq_weights=fit.model.freq_weights,
            scale=np.exp(-log_shape),
        )

    step, at = 1e-4, np.log(shape)
    return (likelihood(at + step) - likelihood(at - step)) / (2 * step)


@pytest.mark.parametrize("keyword", [None, "var_weights", "freq_weights"])
def test_derivative_of_the_likelihood_vanishes_at_the_estimate_only(keyword):
    X, y = questions_design(shape=2.0)
    weights = np.random.default_rng(1).integers(1, 5, len(y)).astype(float)
    fit = fit_glm(y, X, **({keyword: weights} if keyword else {}))
    estimate = gamma_shape(fit, "ml")
    assert abs(_score(fit, estimate.shape)) < 1e-5
    for method in ("pearson", "deviance"):
        assert abs(_score(fit, gamma_shape(fit, method).shape)) > 0.05
    # the information is minus the second derivative: to log(shape) it changes by shape^2
    step = 1e-3
    slope = (
        _score(fit, estimate.shape * np.exp(step)) - _score(fit, estimate.shape * np.exp(-step))
    ) / (2 * step)
    assert_allclose(estimate.standard_error, estimate.shape / np.sqrt(-slope), rtol=1e-4)


@pytest.mark.filterwarnings("ignore")  # of statsmodels, about the rank
@pytest.mark.parametrize("factor", [0, 2])
def test_columns_that_add_nothing_do_not_matter(plain, factor):
    X = plain.model.exog
    rich = fit_glm(plain.model.endog, np.column_stack([X, factor * X[:, 1]]))
    for method in METHODS:
        ours, theirs = gamma_shape(rich, method), gamma_shape(plain, method)
        assert_allclose(ours.shape, theirs.shape, rtol=1e-8)
        assert_allclose(ours.standard_error, theirs.standard_error, rtol=1e-8)
    one, two = (calibration_test(f, n_resamples=19, random_state=0) for f in (rich, plain))
    assert one.anderson_darling_pvalue == two.anderson_darling_pvalue


@pytest.mark.parametrize("link", [links.Log(), links.Identity()])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_standard_errors_are_the_spread_over_repetitions(method, weighted, link):
    # 1500 refits at n = 300: the standard deviation of a normal sample has a relative standard
    # error of 1 / sqrt(2 * 1500) = 1.8 %, somewhat more for skewed estimates; 9 % is allowed.
    # Shape 1.5 and unequal weights, so that a wrong moment or a lost weight shows.
    shape, n = 1.5, 300
    x = np.linspace(0, 3, n)
    X = sm.add_constant(x)
    mean = link.inverse(X @ np.array([1.0, 0.5]))
    weights = np.where(np.arange(n) % 3 == 0, 0.5, 3.0) if weighted else np.ones(n)
    experiment = experiment_of(X, X @ np.array([1.0, 0.5]), link, weights, method, shape)
    generator = np.random.default_rng(11)
    responses = generator.gamma(shape * weights, mean / (shape * weights), size=(1500, n))
    shapes = experiment.refit(np.log(responses))[2]
    fits = [
        gamma_shape(fit_glm(responses[i], X, copy.copy(link), var_weights=weights), method)
        for i in range(15)
    ]
    assert_allclose([fit.shape for fit in fits], shapes[:15], rtol=1e-5)
    expected = np.median([fit.standard_error / fit.shape for fit in fits]) * np.median(shapes)
    assert_allclose(np.std(shapes), expected, rtol=0.09)


def test_interval_of_the_shape_is_the_textbook_one():
    # 4 * exp(-/+ 1.959964 * 1 / 4)
    lower, upper = ShapeEstimate(4.0, 1.0, 0.25, "ml").interval()
    assert_allclose(
        [lower, upper], [4 * np.exp(-1.959964 / 4), 4 * np.exp(1.959964 / 4)], rtol=1e-6
    )
    with pytest.raises(ValueError, match=r"`level` must lie in \(0, 1\)"):
        ShapeEstimate(4.0, 1.0, 0.25, "ml").interval(1.0)
