"""Shapes, probabilities, intervals and calibration of gamma GLMs.

Expected numbers come from R (MASS), from other programs' functions, from 40-digit arithmetic, from
explicitly repeated or rescaled data, or from brute force; each says which.
"""

import copy
import pickle
import warnings

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import integrate, special, stats
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import GammaRegressor
from statsmodels.formula import options as formula_options
from statsmodels.genmod.families import links
from statsmodels.tools.sm_exceptions import ConvergenceWarning, DomainWarning

from afterfit import gamma_glm
from afterfit.gamma_glm import (
    CalibrationDisplay,
    CalibrationTest,
    ShapeEstimate,
    _calibration,
    _distribution,
    _shape,
    _tails,
    calibration_test,
    conditional_distribution,
    gamma_shape,
    lower_tail_probability,
    plot_calibration,
    prediction_interval,
    quantile_residuals,
)
from afterfit.gamma_glm._fit import read_fit

METHODS = ("pearson", "deviance", "ml")
ROW_FUNCTIONS = (lower_tail_probability, quantile_residuals)


def gamma_family(link=None):
    """Return the family, without the warning that statsmodels gives of its own default link."""
    return sm.families.Gamma(link=links.Log() if link is None else link, check_link=False)


def fit_glm(y, X, link=None, **keywords):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DomainWarning)
        return sm.GLM(y, X, family=gamma_family(link), **keywords).fit(tol=1e-12)


def fit_formula(formula, data, link=None, **keywords):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DomainWarning)
        return smf.glm(formula, data, family=gamma_family(link), **keywords).fit(tol=1e-12)


def questions_design(n=120, shape=10.0, seed=0):
    """The design of the question: shape 10, mean exp(0.5 - x / 3)."""
    generator = np.random.default_rng(seed)
    x = generator.uniform(0, 3, n)
    return sm.add_constant(x), generator.gamma(shape, np.exp(0.5 - x / 3) / shape)


@pytest.fixture(scope="module")
def plain():
    X, y = questions_design()
    return fit_glm(y, X)


@pytest.fixture(scope="module")
def frame():
    generator = np.random.default_rng(5)
    n = 90
    frame = pd.DataFrame(
        {
            "x": generator.uniform(0.2, 3, n),
            "group": generator.choice(["a", "b", "c"], n),
            "year": generator.choice([2019, 2020, 2021], n),
            "time": generator.uniform(0.5, 2, n),
            "a name": generator.normal(size=n),
        },
        index=[f"row{i}" for i in range(n)],
    )
    frame["y"] = generator.gamma(5, frame.time * np.exp(0.5 - frame.x / 3) / 5)
    return frame


@pytest.fixture
def engine(request):
    before = formula_options.formula_engine
    formula_options.formula_engine = request.param
    yield request.param
    formula_options.formula_engine = before


both_engines = pytest.mark.parametrize("engine", ["patsy", "formulaic"], indirect=True)


# ---------------------------------------------------------------- shape: published numbers

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
        prediction_interval(other, coefficient_uncertainty=True),
        prediction_interval(plain, coefficient_uncertainty=True),
        rtol=1e-8,
    )


# ---------------------------------------------------------------- shape: maximum likelihood

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
    experiment = _calibration.Experiment(
        linear_predictor=X @ np.array([1.0, 0.5]),
        basis=_calibration.orthonormal_basis(X),
        link=link,
        weights=weights,
        residual_df=n - 2,
        method=method,
        shape=shape,
    )
    generator = np.random.default_rng(11)
    responses = generator.gamma(shape * weights, mean / (shape * weights), size=(1500, n))
    shapes = _calibration.refit(experiment, responses)[1]
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


# ---------------------------------------------------------------- probabilities


@pytest.mark.parametrize("method", METHODS)
def test_probabilities_are_those_of_the_loop(plain, method):
    # the popular answer: one frozen distribution a row
    a = gamma_shape(plain, method).shape
    pairs = zip(plain.model.endog, plain.fittedvalues, strict=True)
    loop = [stats.gamma(a, scale=mean / a).cdf(y) for y, mean in pairs]
    assert_allclose(lower_tail_probability(plain, shape=method), loop, rtol=1e-12)
    assert_allclose(
        quantile_residuals(plain, shape=method), stats.norm.ppf(loop), rtol=1e-8, atol=1e-10
    )
    distribution = conditional_distribution(plain, shape=method)
    assert_allclose(distribution.cdf(plain.model.endog), loop, rtol=1e-12)


def test_distribution_is_that_of_statsmodels_where_weights_are_one(plain):
    theirs = plain.get_distribution()
    ours = conditional_distribution(plain)
    assert_allclose(ours.mean(), theirs.mean(), rtol=1e-12)
    assert_allclose(ours.var(), theirs.var(), rtol=1e-12)
    assert_allclose(ours.var(), plain.scale * plain.fittedvalues**2, rtol=1e-12)


def test_density_integrates_to_the_probability(plain):
    new = np.array([[1.0, 0.3], [1.0, 2.5]])
    for row in new:
        distribution = conditional_distribution(plain, row[np.newaxis])
        area = integrate.quad(lambda y, d=distribution: d.pdf(y)[0], 0, 0.9, epsabs=1e-12)[0]
        assert_allclose(lower_tail_probability(plain, 0.9, row[np.newaxis]), area, rtol=1e-9)


def test_a_given_shape_is_used_as_it_is(plain):
    expected = special.gammainc(7, 7 * plain.model.endog / plain.fittedvalues)
    assert_allclose(lower_tail_probability(plain, shape=7), expected, rtol=1e-12)
    estimate = ShapeEstimate(shape=7.0, standard_error=1.0, dispersion=1 / 7, method="ml")
    assert_allclose(lower_tail_probability(plain, shape=estimate), expected, rtol=1e-12)


def test_one_response_for_all_rows(plain):
    expected = conditional_distribution(plain).cdf(1.25)
    assert_allclose(lower_tail_probability(plain, 1.25), expected, rtol=1e-12)


# far tails; mpmath 1.3, mp.dps = 40: the normal quantile of mp.gammainc(k, x, inf,
# regularized=True) (with the sign turned), and of x^k e^-x / gamma(k + 1) * hyp1f1(1, k + 1, x)
FAR_SCORES = [
    (2, 3000.0, 77.2881187899255),
    (10, 2000.0, 62.279023380332),
    (0.5, 1500.0, 54.7596034260861),
    (50, 1e-8, -46.1467348872793),
    (500, 50.0, -37.4345187584836),
    (1000, 700.0, -10.6357571865885),
    (1000, 1450.0, 12.5350828558914),
    (10000, 5000.0, -62.1490827286741),
]


def test_residuals_far_out_are_finite_and_right():
    shape, x, expected = np.array(FAR_SCORES).T
    scores = _tails.normal_scores(shape, x / shape, np.ones(len(x)))
    assert_allclose(scores, expected, rtol=1e-12)


def test_no_response_is_too_far_for_a_number(plain):
    for y, probability in ((5e-324, 0.0), (1e308, 1.0)):
        assert_allclose(lower_tail_probability(plain, y), probability, atol=1e-300)
        residuals = quantile_residuals(plain, y)
        assert np.isfinite(residuals).all()
        assert_array_equal(np.sign(residuals), 2 * probability - 1)


# large shapes, some standard deviations out; mpmath 1.4, mp.dps = 50: the density integrated
# outwards from shape * y, its probability and the normal quantile of that
LARGE_SHAPES = [
    (1e6, 0.995, -5.00802425125509, 2.74958035927e-7),
    (1e6, 1.0, 0.000333333341358021, 0.500132980760873),
    (1e8, 1 - 2.0**-11, -4.88357412034712, 5.20899811939e-7),
    (1e8, 1 - 2.0**-8, -39.113445499621, 0.0),
    (1e8, 1 + 2.0**-8, 39.0117862763865, 1.0),
    (1e12, 1 - 2.0**-17, -7.62941360055644, 1.17911957708e-14),
    (1e12, 1 + 2.0**-14, 61.0339148641085, 1.0),
    (2e5, 1 - 2.0**-6, -7.02369579992887, 1.08037492686e-12),
]


def test_upper_residuals_keep_their_digits():
    # an exponential exceeds y with probability exp(-y)
    y = np.array([5.0, 20.0, 30.0])
    found = _tails.normal_scores(np.ones(3), y, np.ones(3))
    assert_allclose(found, stats.norm.isf(np.exp(-y)), rtol=1e-13)


def test_tails_of_large_shapes():
    # SciPy's series stops early there: at shape 1e8 it gives the second y a fraction too little
    shape, y, scores, probabilities = np.array(LARGE_SHAPES).T
    found = _tails.normal_scores(shape, y, np.ones(len(y)))
    assert_allclose(found, scores, rtol=1e-10)
    found = _tails.lower_tail(shape, y, np.ones(len(y)))
    assert_allclose(found, probabilities, rtol=2e-9, atol=1e-300)


@pytest.mark.parametrize("shape", [1.001e5, 1e7])
def test_large_shapes_join_the_others(shape):
    # SciPy's own functions serve to 4.5 deviations below the mean, and above it farther out
    y = 1 + np.array([-4.2, -3.8, 3.8, 4.2, 20.0]) / np.sqrt(shape)
    tails = np.where(y < 1, special.gammainc(shape, shape * y), special.gammaincc(shape, shape * y))
    found = _tails.normal_scores(np.full(5, shape), y, np.ones(5))
    assert_allclose(found, np.sign(y - 1) * -special.ndtri(tails), rtol=1e-9)
    # and at half the mean, or one and a half, the plain series takes over without a step
    y = np.array([0.5 - 1e-9, 0.5 + 1e-9, 1.5 - 1e-9, 1.5 + 1e-9])
    found = _tails.normal_scores(np.full(4, shape), y, np.ones(4))
    assert_allclose(found[::2], found[1::2], rtol=1e-7)


@given(
    shape=st.floats(min_value=0.05, max_value=1e4),
    ratio=st.floats(min_value=-6, max_value=6),
)
@settings(max_examples=200)
def test_residuals_increase_with_the_response(shape, ratio):
    y = np.exp(ratio / np.sqrt(shape)) * np.array([1.0, 1.01])
    scores = _tails.normal_scores(np.full(2, shape), y, np.ones(2))
    assert np.isfinite(scores).all()
    assert scores[0] < scores[1]


@given(factor=st.floats(min_value=1e-6, max_value=1e6))
@settings(max_examples=25, deadline=None)
def test_units_of_the_response_do_not_matter(factor):
    X, y = questions_design(n=40)
    before, after = fit_glm(y, X), fit_glm(factor * y, X)
    for method in METHODS:
        assert_allclose(
            lower_tail_probability(after, shape=method),
            lower_tail_probability(before, shape=method),
            rtol=1e-6,
        )
    for option in (False, True):
        assert_allclose(
            prediction_interval(after, coefficient_uncertainty=option),
            factor * prediction_interval(before, coefficient_uncertainty=option),
            rtol=1e-6,
        )


# ---------------------------------------------------------------- weights, offset, exposure


@pytest.fixture(scope="module")
def repeated():
    """A fit with freq_weights (some are 0) and the same rows written out."""
    X, y = questions_design(n=60, shape=3.0)
    times = np.random.default_rng(2).integers(0, 5, 60)
    written_out = fit_glm(np.repeat(y, times), np.repeat(X, times, axis=0))
    return fit_glm(y, X, freq_weights=times), written_out, times


@pytest.mark.parametrize("method", METHODS)
def test_freq_weights_are_repeated_rows(repeated, method):
    weighted, written_out, times = repeated
    ours, theirs = gamma_shape(weighted, method), gamma_shape(written_out, method)
    assert_allclose(ours.shape, theirs.shape, rtol=1e-9)
    assert_allclose(ours.standard_error, theirs.standard_error, rtol=1e-9)
    for function in ROW_FUNCTIONS:
        assert_allclose(
            np.repeat(function(weighted, shape=method), times),
            function(written_out, shape=method),
            rtol=1e-7,
            atol=1e-9,
        )
    for option in (False, True):
        assert_allclose(
            np.repeat(
                prediction_interval(weighted, shape=method, coefficient_uncertainty=option),
                times,
                axis=0,
            ),
            prediction_interval(written_out, shape=method, coefficient_uncertainty=option),
            rtol=1e-7,
        )


def test_freq_weights_are_repeated_rows_in_calibration(repeated):
    weighted, written_out, _ = repeated
    ours = calibration_test(weighted, n_resamples=39, random_state=4)
    theirs = calibration_test(written_out, n_resamples=39, random_state=4)
    assert_allclose(ours.kolmogorov_smirnov, theirs.kolmogorov_smirnov, rtol=1e-7)
    assert_allclose(ours.anderson_darling, theirs.anderson_darling, rtol=1e-7)
    assert ours.kolmogorov_smirnov_pvalue == theirs.kolmogorov_smirnov_pvalue
    assert ours.n_observations == theirs.n_observations == written_out.nobs


def test_var_weights_are_means_of_so_many_rows():
    # The mean of w gamma observations of shape a is gamma with shape a w: a fit of the means with
    # var_weights w has the coefficients of the fit of all observations.
    generator = np.random.default_rng(8)
    X, _ = questions_design(n=50)
    times = generator.integers(1, 7, 50)
    X_all = np.repeat(X, times, axis=0)
    y_all = generator.gamma(4, np.exp(X_all @ [0.5, -1 / 3]) / 4)
    sums = np.bincount(np.repeat(np.arange(50), times), weights=y_all)
    means = sums / times
    everything, averaged = fit_glm(y_all, X_all), fit_glm(means, X, var_weights=times)
    assert_allclose(averaged.params, everything.params, rtol=1e-8)
    # with the same shape, the mean is as improbable as the sum under the sum's own distribution
    shape = gamma_shape(everything, "ml").shape
    expected = stats.gamma.cdf(sums, shape * times, scale=averaged.fittedvalues / shape)
    assert_allclose(lower_tail_probability(averaged, shape=shape), expected, rtol=1e-9)
    # both fits estimate the same shape
    for method in METHODS:
        one, two = gamma_shape(averaged, method), gamma_shape(everything, method)
        assert abs(one.shape - two.shape) < 3 * (one.standard_error + two.standard_error)
    # the wrong number: statsmodels' own distribution takes the weights for 1
    forgetful = averaged.get_distribution().cdf(means)
    assert np.max(np.abs(forgetful - lower_tail_probability(averaged))) > 0.1
    reminded = averaged.get_distribution(var_weights=times).cdf(means)
    assert_allclose(reminded, lower_tail_probability(averaged), rtol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_units_of_var_weights_do_not_matter(method):
    X, y = questions_design(n=60, shape=2.0)
    weights = np.random.default_rng(0).uniform(0.3, 3, 60)
    one, ten = fit_glm(y, X, var_weights=weights), fit_glm(y, X, var_weights=10 * weights)
    ours, theirs = gamma_shape(one, method), gamma_shape(ten, method)
    assert_allclose(ours.shape, 10 * theirs.shape, rtol=1e-9)
    assert_allclose(ours.standard_error, 10 * theirs.standard_error, rtol=1e-9)
    assert_allclose(
        lower_tail_probability(one, shape=method),
        lower_tail_probability(ten, shape=method),
        rtol=1e-8,
    )
    assert_allclose(
        prediction_interval(one, shape=method), prediction_interval(ten, shape=method), rtol=1e-8
    )


def test_var_weights_in_calibration():
    X, y = questions_design(n=60, shape=2.0)
    weights = np.random.default_rng(0).uniform(0.3, 3, 60)
    one, ten = fit_glm(y, X, var_weights=weights), fit_glm(y, X, var_weights=10 * weights)
    display = CalibrationDisplay.from_results(one, n_resamples=39, random_state=0)
    assert_allclose(display.probabilities, lower_tail_probability(one))
    assert_allclose(display.residuals, quantile_residuals(one))
    again = calibration_test(ten, n_resamples=39, random_state=0)
    assert again.anderson_darling_pvalue == display.test.anderson_darling_pvalue


def test_both_weights_together():
    X, y = questions_design(n=60, shape=2.0)
    generator = np.random.default_rng(0)
    precision, times = generator.uniform(0.3, 3, 60), generator.integers(1, 4, 60)
    both = fit_glm(y, X, var_weights=precision, freq_weights=times)
    written_out = fit_glm(
        np.repeat(y, times), np.repeat(X, times, axis=0), var_weights=np.repeat(precision, times)
    )
    for method in METHODS:
        ours, theirs = gamma_shape(both, method), gamma_shape(written_out, method)
        assert_allclose(ours.shape, theirs.shape, rtol=1e-9)
        assert_allclose(ours.standard_error, theirs.standard_error, rtol=1e-9)


def test_grouped_and_ungrouped_weights_agree(monkeypatch):
    X, y = questions_design(n=80, shape=2.0)
    times = np.arange(80) // 40 + 1
    fit = read_fit(fit_glm(y, X, var_weights=np.arange(80) % 4 + 1.0, freq_weights=times))
    grouped = _shape.estimate_shape(fit, "ml")
    assert len(_shape.grouped_weights(fit.var_weights, fit.freq_weights)[0]) == 4
    monkeypatch.setattr(_shape, "PROBED_ROWS", 4)
    assert len(_shape.grouped_weights(fit.var_weights, fit.freq_weights)[0]) == 80
    monkeypatch.setattr(_shape, "CHUNK", 7)
    assert_allclose(_shape.estimate_shape(fit, "ml"), grouped, rtol=1e-13)


@pytest.mark.parametrize("keyword", ["offset", "exposure", "both"])
def test_offset_and_exposure_are_rescaled_responses(keyword):
    # log link: log(mean) = offset + x'b is a fit to y / exp(offset)
    X, y = questions_design(n=70, shape=4.0)
    time = np.random.default_rng(0).uniform(0.2, 5, 70)
    terms = {
        "offset": {"offset": np.log(time)},
        "exposure": {"exposure": time},
        "both": {"offset": 0.3 * np.log(time), "exposure": time**0.7},
    }[keyword]
    fit, rescaled = fit_glm(y * time, X, **terms), fit_glm(y, X)
    for method in METHODS:
        ours, theirs = gamma_shape(fit, method), gamma_shape(rescaled, method)
        assert_allclose(ours.shape, theirs.shape, rtol=1e-8)
        assert_allclose(ours.standard_error, theirs.standard_error, rtol=1e-7)
    for function in ROW_FUNCTIONS:
        assert_allclose(function(fit), function(rescaled), rtol=1e-6, atol=1e-8)
    factor = time[:, np.newaxis]
    for option in (False, True):
        assert_allclose(
            prediction_interval(fit, coefficient_uncertainty=option),
            factor * prediction_interval(rescaled, coefficient_uncertainty=option),
            rtol=1e-6,
        )
    # the fitted rows given as new ones, with the same terms
    assert_allclose(lower_tail_probability(fit, y * time, X, **terms), lower_tail_probability(fit))
    # ours replace those of the fit
    assert_allclose(
        conditional_distribution(fit, **{name: 0 * v + 1 for name, v in terms.items()}).mean(),
        rescaled.fittedvalues * (1 if keyword == "exposure" else np.e),
        rtol=1e-6,
    )
    # replicates of the bootstrap keep the shift: same seed, same p-value as for rescaled data
    one, two = (calibration_test(f, n_resamples=39, random_state=1) for f in (fit, rescaled))
    assert one.kolmogorov_smirnov_pvalue == two.kolmogorov_smirnov_pvalue


def test_what_is_not_replaced_stays_as_it_was():
    X, y = questions_design(n=30)
    generator = np.random.default_rng(0)
    terms = {
        "offset": generator.normal(size=30),
        "exposure": generator.uniform(1, 2, 30),
        "var_weights": generator.uniform(1, 2, 30),
    }
    fit = fit_glm(y, X, **terms)
    for name in terms:
        value = np.linspace(1, 2, 30)
        one = conditional_distribution(fit, **{name: value})
        all_of_them = conditional_distribution(fit, X, **{**terms, name: value})
        assert_allclose(one.mean(), all_of_them.mean(), rtol=1e-12)
        assert_allclose(one.var(), all_of_them.var(), rtol=1e-12)
        assert not np.allclose(one.var(), conditional_distribution(fit).var())


@pytest.mark.parametrize(
    "link", [links.InversePower(), links.Identity(), links.Sqrt(), links.Power(-0.5), links.Log()]
)
def test_any_link(link):
    generator = np.random.default_rng(0)
    X = sm.add_constant(generator.uniform(0, 3, 80))
    mean = link.inverse(X @ [1.0, 0.5])
    y = generator.gamma(8, mean / 8)
    offset = generator.uniform(0, 0.2, 80)
    fit = fit_glm(y, X, link, offset=offset)
    new, new_offset = X[:5] + np.array([0, 0.01]), np.linspace(0, 0.2, 5)
    # statsmodels' own get_distribution(exog=, offset=) takes the offset for an exposure
    mean = fit.predict(new, offset=new_offset)
    expected = stats.gamma.cdf(y[:5], 1 / fit.scale, scale=mean * fit.scale)
    assert_allclose(
        lower_tail_probability(fit, y[:5], new, offset=new_offset), expected, rtol=1e-10
    )
    assert_allclose(lower_tail_probability(fit), fit.get_distribution().cdf(y), rtol=1e-10)
    test = calibration_test(fit, n_resamples=39, random_state=0)
    assert test.anderson_darling_pvalue > 0.02


# ---------------------------------------------------------------- new data


@both_engines
def test_new_rows_of_a_formula(frame, engine):
    formula = "y ~ np.log(x) * C(group) + C(year) + center(x) + Q('a name')"
    fit = fit_formula(formula, frame)
    new = frame.iloc[[7, 3, 50, 51]]
    assert_allclose(
        lower_tail_probability(fit, new.y, new),
        lower_tail_probability(fit)[[7, 3, 50, 51]],
        rtol=1e-9,
    )
    # one row alone, columns in another order, and levels that are absent from it
    one = new[["year", "a name", "x", "group"]].iloc[[0]]
    assert_allclose(conditional_distribution(fit, one).mean(), fit.predict(one), rtol=1e-9)
    interval = prediction_interval(fit, new)
    assert list(interval.index) == list(new.index)
    assert list(interval.columns) == ["lower", "upper"]
    assert prediction_interval(fit, pd.DataFrame(columns=frame.columns)).empty
    with pytest.raises(ValueError, match=r"lacks 1 column.*'a name'"):
        prediction_interval(fit, new.drop(columns="a name"))


@both_engines
@pytest.mark.parametrize(
    "formula",
    [
        "y ~ bs(x, df=4) + group",
        "y ~ cr(x, df=4) - 1",
        "y ~ np.log(x):C(year) + I(x**2) - 1",
        "y ~ C(group, Treatment('b')) * x",
        "y ~ 0 + group",
        "y ~ 1",
        "np.log1p(y) ~ x",
    ],
)
def test_transformations_keep_what_they_learned_from_the_fit(frame, engine, formula):
    fit = fit_formula(formula, frame)
    some = [7, 3, 50]
    new = frame.iloc[some].drop(columns="y")
    expected = lower_tail_probability(fit)[some]
    found = lower_tail_probability(fit, fit.model.endog[some], new)
    assert_allclose(found, expected, rtol=1e-9)
    # one row alone: nothing may be learned from it anew
    one = lower_tail_probability(fit, fit.model.endog[7], new.iloc[[0]])
    assert_allclose(one, expected[:1], rtol=1e-9)


@both_engines
def test_text_inside_an_expression_is_no_level(frame, engine):
    fit = fit_formula("y ~ x + C(group == 'a')", frame)
    other, unseen = (frame.head(3).assign(group=group) for group in ("b", "z"))
    assert_allclose(
        conditional_distribution(fit, unseen).mean(), conditional_distribution(fit, other).mean()
    )


LEVELS = {
    "text": lambda f: f.group,
    "category": lambda f: pd.Categorical(f.group, categories=list("cab")),
    "integers": lambda f: f.year.astype(object),  # a category to both engines
    "truth": lambda f: f.group == "a",
}
AS_TYPES = {
    "object": lambda s: s.astype(object),
    "category": lambda s: pd.Categorical(s.astype(object)),
    "more categories": lambda s: pd.Categorical(
        s.astype(object), [9, "z", *s.astype(object).unique()]
    ),
    "numbers": lambda s: s.astype("int64") if s.iloc[0] in (2019, 2020, 2021, True, False) else s,
}


@both_engines
@pytest.mark.parametrize("kind", LEVELS)
def test_levels_are_those_of_the_fit_whatever_their_type(frame, engine, kind):
    fitted = frame.assign(level=LEVELS[kind](frame))
    fit = fit_formula("y ~ x + level", fitted)
    expected = lower_tail_probability(fit)[:2]
    new = fitted.head(2)
    for change in AS_TYPES.values():
        found = lower_tail_probability(fit, new.y, new.assign(level=change(new.level)))
        assert_allclose(found, expected, rtol=1e-9)
    with pytest.raises(ValueError, match=r"level\(s\) of 'level' that the fit never saw: 2, in 2"):
        lower_tail_probability(fit, new.y, new.assign(level=2))


def test_dates_are_levels_too(frame):
    dated = frame.assign(day=pd.to_datetime(frame.year.astype(str)))
    fit = fit_formula("y ~ x + day", dated)
    assert_allclose(
        lower_tail_probability(fit, dated.y.head(2), dated.head(2)), lower_tail_probability(fit)[:2]
    )
    with pytest.raises(ValueError, match=r"level\(s\) of 'day' that the fit never saw.*2030"):
        lower_tail_probability(fit, 1.0, dated.head(2).assign(day=pd.Timestamp("2030-01-01")))


@both_engines
def test_rows_that_the_fit_dropped(frame, engine):
    holed = frame.copy()
    holed.loc[["row3", "row8"], "x"] = np.nan
    fit = fit_formula("y ~ x + group", holed, offset=np.log(frame.time))
    whole = fit_formula(
        "y ~ x + group",
        frame.drop(index=["row3", "row8"]),
        offset=np.log(frame.time.drop(index=["row3", "row8"])),
    )
    assert_allclose(lower_tail_probability(fit), lower_tail_probability(whole), rtol=1e-8)
    assert "row3" not in prediction_interval(fit).index
    with pytest.raises(ValueError, match=r"`y` must.*\(88,\).*got shape \(90,\).*drops rows"):
        lower_tail_probability(fit, frame.y)


def test_columns_of_a_design_are_found_by_name(frame):
    X = sm.add_constant(frame[["x", "time"]])
    fit = fit_glm(frame.y, X)
    shuffled = X[["time", "const", "x"]].assign(more=1.0)
    assert_allclose(
        lower_tail_probability(fit, frame.y, shuffled), lower_tail_probability(fit), rtol=1e-12
    )
    assert_allclose(
        lower_tail_probability(fit, frame.y.to_numpy(), X.to_numpy()), lower_tail_probability(fit)
    )


def test_weights_of_new_rows(frame):
    weights = frame.time.to_numpy()
    fit = fit_formula("y ~ x", frame, var_weights=weights)
    new = frame.head(4)
    assert_allclose(
        lower_tail_probability(fit, new.y, new, var_weights=weights[:4]),
        lower_tail_probability(fit)[:4],
    )
    single = conditional_distribution(fit, new, var_weights=1)
    assert_allclose(single.var(), fit.scale * fit.predict(new) ** 2, rtol=1e-9)
    assert_allclose(conditional_distribution(fit).var(), fit.scale * fit.fittedvalues**2 / weights)
    narrow = conditional_distribution(fit, var_weights=4)
    assert_allclose(narrow.var(), fit.scale * fit.fittedvalues**2 / 4)


def test_additive_models_are_read_and_not_resampled(frame):
    from statsmodels.gam.api import BSplines, GLMGam

    smoother = BSplines(frame[["x"]], df=[6], degree=[3])
    gam = GLMGam(
        frame.y, np.ones((90, 1)), smoother=smoother, alpha=[1.0], family=gamma_family()
    ).fit()
    assert_allclose(gamma_shape(gam).dispersion, gam.scale, rtol=1e-8)
    assert_allclose(lower_tail_probability(gam), gam.get_distribution().cdf(frame.y), rtol=1e-6)
    assert_allclose(
        lower_tail_probability(gam, frame.y[:3].to_numpy(), gam.model.exog[:3]),
        lower_tail_probability(gam)[:3],
    )
    with pytest.raises(ValueError, match="additive model"):
        calibration_test(gam)
    # a formula does not know the columns of the smoother: new rows are rows of the design
    mixed = GLMGam.from_formula(
        "y ~ group", frame, smoother=smoother, alpha=[1.0], family=gamma_family()
    ).fit()
    assert_allclose(
        lower_tail_probability(mixed, frame.y[:3].to_numpy(), mixed.model.exog[:3]),
        lower_tail_probability(mixed)[:3],
    )


# ---------------------------------------------------------------- prediction intervals


@pytest.mark.parametrize("tail", [0.1, 2.0**-54])
def test_plain_interval_has_its_probability(plain, tail):
    interval = prediction_interval(plain, level=1 - 2 * tail, shape="ml")
    distribution = conditional_distribution(plain, shape="ml")
    assert_allclose(distribution.cdf(interval["lower"].to_numpy()), tail, rtol=1e-9)
    assert_allclose(distribution.sf(interval["upper"].to_numpy()), tail, rtol=1e-9)
    assert interval.attrs["accounts_for"] == "spread of a new observation around a known mean"


@pytest.mark.parametrize("shape", [0.02, 0.5, 3.0, 40.0, 1e4])
@pytest.mark.parametrize("spread", [0.0, 0.05, 0.4])
def test_mixture_quantiles_against_quadrature(shape, spread, monkeypatch):
    monkeypatch.setattr(_tails, "MAX_QUANTILE_STEPS", 15)  # bisection alone takes 35
    for upper in (False, True):
        found = _tails.mixture_quantile(0.025, upper, np.array([shape]), np.array([spread]))[0]
        tail = special.gammaincc if upper else special.gammainc

        def integrand(z, tail=tail, found=found):
            return tail(shape, shape * found * np.exp(-spread * z)) * stats.norm.pdf(z)

        # the step of the integrand is where the shifted quantile meets the mean
        step = np.log(found) / spread if spread and found else 0.0
        points = np.clip([step - 0.1, step, step + 0.1], -8.9, 8.9)
        area = integrate.quad(integrand, -9, 9, points=points, limit=500, epsabs=1e-11)[0]
        assert_allclose(area, 0.025, rtol=1e-6)


@pytest.mark.parametrize(("shape", "spread"), [(50.0, 1.0), (1e6, 0.099), (1e6, 1.0), (1e9, 0.02)])
def test_mixture_quantiles_of_a_mean_that_is_the_less_certain(shape, spread):
    # the other order of integration: over the logarithm of the gamma, Phi inside
    width = 1 / np.sqrt(shape)
    t = np.linspace(-14 * width, 10 * width, 20_001)
    density = np.exp(-shape * (np.expm1(t) - t))
    for upper in (False, True):
        found = _tails.mixture_quantile(0.025, upper, np.array([shape]), np.array([spread]))
        tails = special.ndtr((np.log(found) - t) / spread * (-1 if upper else 1))
        assert_allclose(tails @ density / density.sum(), 0.025, rtol=2e-8)


def test_a_mean_that_constraints_leave_no_doubt_about(frame):
    # the mean at x = 1 is exp(0.3), whatever the coefficients: nothing is added there
    fit = smf.glm("y ~ x", frame, family=gamma_family()).fit_constrained("x + Intercept = 0.3")
    new = pd.DataFrame({"x": [1.0, 1 + 1e-9, 1 - 1e-9]})
    pd.testing.assert_frame_equal(
        prediction_interval(fit, new, coefficient_uncertainty=True), prediction_interval(fit, new)
    )


@pytest.mark.filterwarnings("ignore")  # of statsmodels: the Hessian has no inverse
def test_a_fit_without_covariances_says_so():
    X, y = questions_design(n=30)
    model = sm.GLM(y, np.column_stack([X, 0 * y]), family=gamma_family())
    fit = model.fit(method="bfgs", disp=0)
    assert prediction_interval(fit).shape == (30, 2)
    with pytest.raises(ValueError, match="needs the covariance of the coefficients"):
        prediction_interval(fit, coefficient_uncertainty=True)


def test_quantiles_below_the_smallest_number_are_zero():
    # shape 0.001: the lower quantile is about 0.025^1000
    quantile = _tails.mixture_quantile(0.025, False, np.array([1e-3]), np.array([0.1]))
    assert_array_equal(quantile, [0.0])
    assert _tails.mixture_quantile(0.025, False, np.empty(0), np.empty(0)).shape == (0,)


def test_coefficients_add_what_a_simulation_of_them_adds():
    # Brute force: draw coefficients from N(b, V), a response from each, and take quantiles.
    # 4e5 draws: the standard error of a 2.5 % quantile is below 1 % here.
    X, y = questions_design(n=12)
    fit = fit_glm(y, X)
    new = np.array([[1.0, 4.5]])
    generator = np.random.default_rng(0)
    means = np.exp(generator.multivariate_normal(fit.params, fit.cov_params(), 400_000) @ new[0])
    draws = means * generator.gamma(1 / fit.scale, fit.scale, 400_000)
    interval = prediction_interval(fit, new, coefficient_uncertainty=True)
    assert_allclose(interval.to_numpy()[0], np.quantile(draws, [0.025, 0.975]), rtol=0.015)
    plain = prediction_interval(fit, new).to_numpy()[0]
    assert interval.iloc[0, 0] < plain[0] < plain[1] < interval.iloc[0, 1]
    assert interval.attrs["accounts_for"].endswith("standard errors of the coefficients")


def test_robust_covariances_are_taken_as_they_are():
    X, y = questions_design(n=30)
    robust = sm.GLM(y, X, family=gamma_family()).fit(cov_type="HC1")
    found = prediction_interval(robust, shape=3.0, coefficient_uncertainty=True).to_numpy()
    spread = np.sqrt(np.einsum("ij,jk,ik->i", X, robust.cov_params(), X))
    expected = robust.fittedvalues * _tails.mixture_quantile(0.025, True, np.full(30, 3.0), spread)
    assert_allclose(found[:, 1], expected, rtol=1e-9)


def test_covariance_follows_the_shape():
    X, y = questions_design(n=30)
    fit = fit_glm(y, X)
    found = prediction_interval(fit, shape=3.0, coefficient_uncertainty=True).to_numpy()
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
    found = prediction_interval(fit, X[:5], coefficient_uncertainty=True)
    assert_allclose(found["upper"], expected, rtol=1e-8)


@pytest.mark.parametrize("shape", [0.5, 5.0, 50.0])
def test_coverage_of_the_intervals(shape):
    # 160 fits of n = 12 rows, one new observation each at every row: nominal 90 %. Binomial
    # standard error of 1920 trials that share fits: about 1 %. The plain one covers too little.
    generator = np.random.default_rng(1)
    X = sm.add_constant(np.linspace(0, 3, 12))
    mean = np.exp(X @ [0.5, -1 / 3])
    covered = {False: [], True: []}
    for _ in range(160):
        y, new = np.maximum(generator.gamma(shape, mean / shape, size=(2, 12)), 1e-300)
        fit = sm.GLM(y, X, family=gamma_family()).fit()
        for option, found in covered.items():
            interval = prediction_interval(
                fit, level=0.9, shape=shape, coefficient_uncertainty=option
            ).to_numpy()
            found.append((interval[:, 0] <= new) & (new <= interval[:, 1]))
    plain, aware = np.mean(covered[False]), np.mean(covered[True])
    assert plain < 0.89
    assert plain < aware
    assert abs(aware - 0.9) < 0.025


# ---------------------------------------------------------------- calibration


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
    assert _distribution._pvalue(np.array([2.0]), np.array([1.0, 2.0, 3.0])) == 3 / 4
    assert _distribution._pvalue(np.array([4.0]), np.array([1.0, 2.0, 3.0])) == 1 / 4


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


def test_display_holds_what_it_draws(plain):
    display = plot_calibration(plain, n_bins=6, n_resamples=39, level=0.9, random_state=3)
    try:
        assert isinstance(display, CalibrationDisplay)
        assert display.counts.sum() == 120
        assert display.band.shape == (2, 6)
        assert (display.band[0] <= display.band[1]).all()
        assert_allclose(display.probabilities, lower_tail_probability(plain))
        assert_allclose(display.residuals, quantile_residuals(plain))
        assert_allclose(display.fitted_values, plain.fittedvalues)
        assert display.test == calibration_test(plain, n_resamples=39, random_state=3)
        assert len(display.axes_) == 3
        for axes in display.axes_:
            assert axes.get_xlabel()
            assert axes.get_ylabel()
        band, counts = (patch.get_data() for patch in display.axes_[0].patches)
        assert_array_equal([band.baseline, band.values], display.band)
        assert_array_equal(counts.values, display.counts)
        expected = np.histogram(display.probabilities, bins=6, range=(0, 1))[0]
        assert_array_equal(display.counts, expected)
        drawn = display.axes_[1].lines[-1].get_xydata().T
        assert_array_equal(drawn, [display.fitted_values, display.residuals])
        drawn = display.axes_[2].lines[-1].get_xydata().T
        # Hazen's positions, (i - 1/2) / n
        normal = stats.norm.ppf(np.linspace(0.5, 119.5, 120) / 120)
        assert_allclose(drawn, [normal, np.sort(display.residuals)], atol=1e-12)
    finally:
        plt.close(display.figure_)


def test_display_draws_where_it_is_told(plain):
    figure, axes = plt.subplots(1, 3)
    display = CalibrationDisplay.from_results(plain, n_resamples=19, random_state=0)
    assert display.plot(axes) is display
    assert display.figure_ is figure
    for wrong in (axes[0], [*axes, axes[0]], ["a", "b", "c"]):
        with pytest.raises(ValueError, match="three matplotlib Axes"):
            display.plot(wrong)
    plt.close(figure)


@pytest.mark.parametrize("level", [0.5, 0.95])
def test_band_is_that_of_uniform_counts(level):
    # 1000 rows and 2 coefficients: the band of a bin is close to binomial quantiles, n p = 100;
    # of 399 replicates the quartile has a standard error of 0.6, the outer quantile of 1.3
    X, y = questions_design(n=1000)
    display = CalibrationDisplay.from_results(
        fit_glm(y, X), n_bins=10, level=level, n_resamples=399, random_state=0
    )
    expected = stats.binom.ppf([[(1 - level) / 2], [(1 + level) / 2]], 1000, 0.1)
    assert_allclose(display.band, np.broadcast_to(expected, (2, 10)), atol=8 if level > 0.9 else 3)


# ---------------------------------------------------------------- fits of other kinds


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


def test_a_fit_that_stopped_early_is_reported():
    X, y = questions_design()
    stopped = sm.GLM(y, X, family=gamma_family()).fit(maxiter=1)
    with pytest.warns(ConvergenceWarning, match="standard errors from where the likelihood"):
        gamma_shape(stopped)


@pytest.mark.parametrize("distance", [0.001, 0.1])
def test_how_far_from_its_maximum_a_fit_stopped(distance):
    # one coefficient, moved by so many of its standard errors
    _, y = questions_design()
    fit = fit_glm(y, np.ones((len(y), 1)))._results
    fit.params, fit.converged = fit.params + distance * fit.bse, False
    if distance < 0.01:
        gamma_shape(fit)  # a warning would be an error
    else:
        with pytest.warns(ConvergenceWarning, match="some 0.1 standard errors") as caught:
            gamma_shape(fit)
        assert caught[0].filename == __file__  # where to look for the fit


def test_a_pickled_fit_works(frame):
    fit = fit_formula("y ~ x + C(group)", frame)
    again = pickle.loads(pickle.dumps(fit))
    assert_allclose(lower_tail_probability(again), lower_tail_probability(fit))


def test_nothing_is_changed(frame):
    before = frame.copy()
    fit = fit_formula("y ~ x", frame, var_weights=frame.time)
    params, endog = fit.params.copy(), fit.model.endog.copy()
    prediction_interval(fit, frame, var_weights=frame.time, coefficient_uncertainty=True)
    calibration_test(fit, n_resamples=19, random_state=0)
    pd.testing.assert_frame_equal(frame, before)
    assert_array_equal(fit.params, params)
    assert_array_equal(fit.model.endog, endog)


# ---------------------------------------------------------------- refusals


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


@pytest.fixture(scope="module")
def from_formula(frame):
    return fit_formula("y ~ np.log(x) + C(group) + C(year)", frame)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda d: d.drop(columns=["x", "year"]), ValueError, "lacks 2 column.*'x', 'year'"),
        (lambda d: d.assign(group="z"), ValueError, r"level\(s\) of 'group'.*'z', in 4.*row0"),
        (lambda d: d.assign(year=1999), ValueError, r"level\(s\) of 'year'.*1999, in 4 row"),
        (lambda d: d.assign(x=[1, np.nan, 1, 2]), ValueError, r"missing values in.*'x' \(1\)"),
        (lambda d: d.assign(group=[None, "a", "a", "b"]), ValueError, r"missing.*'group' \(1\)"),
        (lambda d: d.assign(x=[1, -1, 0, 2]), ValueError, r"'np.log\(x\)' must be finite.*2 of 4"),
        (lambda d: d.assign(x="3"), ValueError, "must have numbers in column 'x'.*got str"),
        (lambda d: d.assign(year="2020"), ValueError, "must have numbers in column 'year'"),
        (lambda d: d.assign(x=True), ValueError, "must have numbers in column 'x'.*got bool"),
        (lambda d: d.assign(x=1j), ValueError, "must have numbers in column 'x'.*got complex128"),
        (lambda d: pd.concat([d, d.x], axis=1), ValueError, "more than one column named 'x'"),
        (lambda d: d.iloc[0], TypeError, "must be a DataFrame with its column.*got Series"),
        (lambda d: d.to_numpy(), TypeError, "must be a DataFrame with its column"),
        (lambda d: {"x": d.x}, TypeError, "must be a DataFrame with its column"),
    ],
)
def test_new_data_that_a_formula_refuses(from_formula, frame, change, error, message):
    with pytest.raises(error, match=message):
        lower_tail_probability(from_formula, 1.0, change(frame.head(4)))


@both_engines
def test_columns_are_not_taken_from_the_callers_variables(frame, engine):
    x = np.ones(4)  # patsy would find it
    assert len(x) == 4
    fit = fit_formula("y ~ x + C(group)", frame)
    with pytest.raises(ValueError, match="lacks 1 column"):
        lower_tail_probability(fit, 1.0, frame[["group"]].head(4))
    with pytest.raises(ValueError, match="never saw: 'z'"):
        lower_tail_probability(fit, 1.0, frame.head(4).assign(group="z"))


@pytest.mark.filterwarnings(
    "ignore"
)  # as readers have it: formulaic's warning is no error by itself
@both_engines
def test_unseen_levels_are_refused_also_where_no_frame_is_left(frame, engine):
    fit = fit_formula("y ~ x + C(group)", frame)
    fit.model.data.frame = None
    with pytest.raises(ValueError, match="does not fit the formula"):
        lower_tail_probability(fit, 1.0, frame.head(4).assign(group="z"))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.ones((3, 1)), r"must have the 2 column\(s\) of the fit's design \(const, x1\), got 1"),
        (np.ones((3, 3)), r"must have the 2 column\(s\).*got 3"),
        ([[1, 2], [1]], "`data` must have rows of equal length"),
        (np.ones(2), r"must have two dimensions.*got shape \(2,\).*for one sample with"),
        (np.array([[1, np.nan]]), "must be finite"),
    ],
)
def test_new_designs_that_are_refused(plain, data, message):
    with pytest.raises(ValueError, match=message):
        lower_tail_probability(plain, 1.0, data)


def test_columns_of_a_design_that_cannot_be_told_apart(frame):
    X = sm.add_constant(frame[["x", "time"]])
    fit = fit_glm(frame.y, X)
    with pytest.raises(ValueError, match="more than one column named 'x'"):
        lower_tail_probability(fit, 1.0, pd.concat([X, X.x], axis=1))
    # but the fit's own, in their order, are what they were
    twice = X.set_axis(["const", "x", "x"], axis=1)
    assert_allclose(
        lower_tail_probability(fit_glm(frame.y, twice), frame.y.head(3), twice.head(3)),
        lower_tail_probability(fit)[:3],
    )


def test_no_rows_give_no_rows(plain, from_formula, frame):
    for fit, data in ((plain, np.empty((0, 2))), (from_formula, frame.head(0))):
        assert lower_tail_probability(fit, [], data).shape == (0,)
        assert quantile_residuals(fit, 1.0, data).shape == (0,)
        assert prediction_interval(fit, data, coefficient_uncertainty=True).shape == (0, 2)


def test_a_design_without_its_constant_is_refused(frame):
    fit = fit_glm(frame.y, sm.add_constant(frame[["x", "time"]]))
    with pytest.raises(ValueError, match=r"lacks 1 column.*'const'.*add_constant"):
        lower_tail_probability(fit, 1.0, frame[["x", "time"]])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"y": 0.0}, ValueError, "`y` must be positive"),
        ({"y": [1.0, 2.0]}, ValueError, r"shape \(120,\).*got shape \(2,\).*drops rows"),
        ({"y": np.ones((120, 2))}, ValueError, r"or have shape \(120,\)"),
        ({"y": [[1.0], [1.0, 2.0]]}, ValueError, "`y` must have rows of equal length"),
        ({"y": np.nan}, ValueError, "`y` must be finite"),
        ({"y": pd.Series([1, None] * 60, dtype="Int64")}, ValueError, "`y` must be finite.*60 of"),
        ({"y": np.ma.masked_less(np.arange(1.0, 121), 3)}, ValueError, "finite.*2 of 120.*0, 1"),
        ({"y": ["1.5"] * 120}, TypeError, "`y` must be numeric"),
        ({"y": "text"}, TypeError, "`y` must be numeric"),
        ({"data": np.ones((2, 2))}, ValueError, "`y` is needed with `data`"),
        ({"shape": "mle"}, ValueError, "must be one of 'pearson', 'deviance', 'ml', got 'mle'"),
        ({"shape": 0}, ValueError, r"`shape` must lie in \(0, 1e\+100\), got 0"),
        ({"shape": np.inf}, ValueError, r"`shape` must lie in \(0, 1e\+100\), got inf"),
        ({"shape": 1e308}, ValueError, r"`shape` must lie in \(0, 1e\+100\), got 1e\+308"),
        ({"shape": np.ones(120)}, TypeError, "or a ShapeEstimate, got ndarray"),
        ({"shape": True}, TypeError, "`shape` must be a number, got True"),
        ({"shape": None}, TypeError, "`shape` must be one of"),
        ({"exposure": 0}, ValueError, "`exposure` must be positive"),
        ({"exposure": np.ones(3)}, ValueError, r"`exposure` must be one number or have shape"),
        ({"offset": np.inf}, ValueError, "`offset` must be finite"),
        ({"offset": 1e4}, ValueError, "mean of the fitted rows must be positive and finite"),
        ({"offset": -1e4}, ValueError, r"positive and finite \(the link is Log\).*and 115 more\.$"),
        ({"var_weights": -1}, ValueError, "`var_weights` must be positive"),
        ({"var_weights": 0}, ValueError, "`var_weights` must be positive"),
    ],
)
@pytest.mark.parametrize("function", ROW_FUNCTIONS)
def test_arguments_that_are_refused(plain, function, arguments, error, message):
    with pytest.raises(error, match=message):
        function(plain, **arguments)


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


@pytest.mark.parametrize("name", ["offset", "exposure", "var_weights"])
def test_what_the_fit_used_must_be_given_for_new_rows(name):
    X, y = questions_design()
    fit = fit_glm(y, X, **{name: np.linspace(1, 2, 120)})
    with pytest.raises(ValueError, match=f"The fit used `{name}`: give `{name}`"):
        lower_tail_probability(fit, 1.0, X)


def test_series_must_have_the_index_of_the_rows(frame):
    fit = fit_formula("y ~ x", frame)
    with pytest.raises(ValueError, match="index of `y` differs"):
        lower_tail_probability(fit, frame.y[::-1])
    with pytest.raises(ValueError, match="index of `y` differs"):
        lower_tail_probability(fit, frame.y.head(3), frame.tail(3))


def test_means_that_a_link_does_not_allow():
    X, y = questions_design()
    fit = fit_glm(y, X, links.Identity())
    with pytest.raises(ValueError, match=r"mean of `data` must be positive.*1 of 2.*row\(s\) 1"):
        lower_tail_probability(fit, 1.0, [[1, 1], [1, 50]])
    with pytest.raises(ValueError, match="`exposure` needs the Log link, the fit has Identity"):
        lower_tail_probability(fit, exposure=2)
    # a square root link would square a negative predictor into a mean that looks right
    root = fit_glm(y, X, links.Sqrt())
    with pytest.raises(ValueError, match=r"link is Sqrt\), which 1 of 1"):
        lower_tail_probability(root, 1.0, [[1, 50]])
    edge = -root.params[0] / root.params[1]
    assert lower_tail_probability(root, 1.0, [[1, edge - 1e-3]]) == 1
    with pytest.raises(ValueError, match=r"link is Sqrt\), which 1 of 1"):
        lower_tail_probability(root, 1.0, [[1, edge + 1e-3]])


def test_fractions_of_rows_are_not_simulated():
    X, y = questions_design(n=20)
    fit = fit_glm(y, X, freq_weights=np.array([1.25, 1.5, *[1.0] * 18]))
    with pytest.raises(ValueError, match=r"whole numbers, got 2 that are not, such as 1\.25"):
        calibration_test(fit)


def test_public_names():
    assert set(gamma_glm.__all__) >= {"gamma_shape", "lower_tail_probability", "plot_calibration"}
