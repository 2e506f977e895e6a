"""The distribution of every row, its probabilities and residuals, against SciPy and statsmodels."""

import numpy as np
import pytest
from gamma_fits import (
    METHODS,
    fit_glm,
    questions_design,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import integrate, special, stats

from afterfit.gamma_glm import (
    ShapeEstimate,
    conditional_distribution,
    gamma_shape,
    lower_tail_probability,
    prediction_interval,
    quantile_residuals,
)


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


def test_no_response_is_too_far_for_a_number(plain):
    for y, probability in ((5e-324, 0.0), (1e308, 1.0)):
        assert_allclose(lower_tail_probability(plain, y), probability, atol=1e-300)
        residuals = quantile_residuals(plain, y)
        assert np.isfinite(residuals).all()
        assert_array_equal(np.sign(residuals), 2 * probability - 1)


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
    for option in ("plugin", "coefficients"):
        assert_allclose(
            prediction_interval(after, method=option),
            factor * prediction_interval(before, method=option),
            rtol=1e-6,
        )
