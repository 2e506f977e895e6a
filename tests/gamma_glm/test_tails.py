"""Gamma tails far out, at large shapes, and with an uncertain mean.

Expected numbers come from 40-digit arithmetic, closed forms or quadrature; each says which."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import integrate, special, stats

from afterfit.gamma_glm import (
    _tails,
)

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


@pytest.mark.parametrize("shape", [1e-3, 0.5, 3.0, 1e3, 3e5, 1e8, 1e12])
def test_residuals_are_finite_and_increase_however_far_the_response(shape):
    # over 13 powers of ten, through all ways of computing them
    y = np.exp(np.linspace(-15, 15, 2001))
    scores = _tails.normal_scores(np.full(2001, shape), y, np.ones(2001))
    assert np.isfinite(scores).all()
    assert (np.diff(scores) > 0).all()
    if shape > 1e5:  # Barndorff-Nielsen's root, whose error is 0.008 / shape^1.5, at twice the mean
        root, u = np.sqrt(2 * shape * (1 - np.log(2))), np.sqrt(shape)
        found = _tails.normal_scores(np.array([shape]), np.array([2.0]), np.ones(1))
        assert_allclose(found, root + np.log(u / root) / root, rtol=1e-9)


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


def test_quantiles_below_the_smallest_number_are_zero():
    # shape 0.001: the lower quantile is about 0.025^1000
    quantile = _tails.mixture_quantile(0.025, False, np.array([1e-3]), np.array([0.1]))
    assert_array_equal(quantile, [0.0])
    assert _tails.mixture_quantile(0.025, False, np.empty(0), np.empty(0)).shape == (0,)
