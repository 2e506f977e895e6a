"""The shape of a gamma distribution by maximum likelihood, from any starting point.

With d_i the unit deviances, w_i the variance weights and f_i the frequency weights, the likelihood
equation is sum f w (log(a w) - digamma(a w)) = D / 2, where D = sum f w d. The data enter through
D alone: one pass over the rows, and the rest costs nothing where the weights are equal.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from afterfit._gamma_fit import GammaFit

Floats = NDArray[np.float64]

# From here on log(x) - digamma(x) is taken from its asymptotic series, whose first term left out is
# below 1e-16 of the sum; the plain difference would lose digits in proportion to x log x.
SERIES_FROM = 20.0
# 1/(2x) + sum c_k / x^(2k): Abramowitz & Stegun 6.3.18. x trigamma(x) - 1 likewise, from 6.4.12.
LOG_MINUS_DIGAMMA = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132)
# Convergence is quadratic: after a step this short in log(shape) nothing is left to gain.
LAST_STEP = 1e-8
MAX_ITERATIONS = 50
# A dispersion below this is rounding: the fit goes through every point.
SMALLEST_DISPERSION = 1e-20
# Singular values below this share of the largest belong to columns that repeat others.
RANK_TOLERANCE = 1e-12


def estimate_shape(fit: GammaFit, method: str) -> float:
    """Return the shape of an observation with weight 1, or raise if the fit leaves none."""
    if method != "ml" and fit.residual_df <= 0:
        raise ValueError(
            f"`results` has {_number(fit)} observations and no residual degrees of freedom: the "
            f"{method} estimate of the dispersion is 0 / 0. Fit fewer coefficients."
        )
    if method == "pearson":
        excess = _relative_residuals(fit)
        total = float(np.dot(fit.freq_weights * fit.var_weights, excess * excess))
    else:
        total = 2 * _half_deviance(fit)
    observations = _number(fit)
    if not total > SMALLEST_DISPERSION * observations:
        raise ValueError(
            "`results` goes through every response (its dispersion is 0 but for rounding): the "
            "shape is infinite. Fit fewer coefficients, or give `shape` as a number."
        )
    if method == "ml":
        return maximum_likelihood_shape(total / 2, *_grouped_weights(fit))[0]
    return fit.residual_df / total


def standard_error(fit: GammaFit, method: str, shape: float) -> float:
    """Return the first-order standard error of a shape: see the notes of `gamma_shape`."""
    if method == "pearson":
        variance = _variance_of_pearson_dispersion(fit, 1 / shape)
        return float(shape**2 * np.sqrt(variance))
    weights, counts = _grouped_weights(fit)
    if method == "ml":
        return float(1 / np.sqrt(maximum_likelihood_information(shape, weights, counts)))
    # Coefficients have taken their share of D: with n / (n - p) for it the shape is not too large.
    corrected = _half_deviance(fit) * _number(fit) / fit.residual_df
    likely = maximum_likelihood_shape(corrected, weights, counts)[0]
    # var(w d) = 4 w^2 (trigamma(a w) - 1 / (a w)), and these sum to 4 times the information.
    variance = 4 * maximum_likelihood_information(likely, weights, counts) / _number(fit)
    return float(shape**2 * np.sqrt(variance / fit.residual_df))


def log_minus_digamma(x: Floats) -> Floats:
    """Return log(x) - digamma(x) for x > 0, to full relative precision."""
    x = np.asarray(x, dtype=np.float64)
    result = np.empty_like(x)
    large = x >= SERIES_FROM
    small = x[~large]
    result[~large] = np.log(small) - special.digamma(small)
    inverse = 1 / x[large]
    result[large] = inverse * (0.5 + inverse * _polynomial(inverse, LOG_MINUS_DIGAMMA))
    return result


def scaled_information(x: Floats) -> Floats:
    """Return x^2 trigamma(x) - x for x > 0: between 1/2 (large x) and 1 (small x)."""
    x = np.asarray(x, dtype=np.float64)
    result = np.empty_like(x)
    large = x >= SERIES_FROM
    small = x[~large]
    # trigamma(x) = 1/x^2 + trigamma(x + 1), which keeps x^2 trigamma(x) finite as x goes to 0.
    result[~large] = 1 + small * (small * special.polygamma(1, small + 1) - 1)
    inverse = 1 / x[large]
    derivative = [2 * (k + 1) * c for k, c in enumerate(LOG_MINUS_DIGAMMA)]
    result[large] = 0.5 + inverse * _polynomial(inverse, derivative)
    return result


def maximum_likelihood_shape(
    half_deviance: float, weights: Floats, counts: NDArray[Any]
) -> tuple[float, int]:
    """Return the shape that maximises the likelihood, and the number of Newton steps it took.

    `weights` and `counts` may be grouped: `counts[k]` rows have the variance weight `weights[k]`.
    Since 1/(2x) < log(x) - digamma(x) < 1/x, the root lies between sum(counts) / D and twice that;
    and the equation is almost a straight line in the logarithms, so Newton meets it in a few steps.
    """
    total = float(np.sum(counts))
    low = np.log(total / (2 * half_deviance))
    high = low + np.log(2)
    position = 0.5 * (low + high)
    for steps in range(1, MAX_ITERATIONS + 1):  # noqa: B007  (returned)
        x = np.exp(position) * weights
        value = float(np.sum(counts * weights * log_minus_digamma(x)))
        slope = -float(np.sum(counts * scaled_information(x))) / (np.exp(position) * value)
        excess = np.log(value / half_deviance)
        low, high = (position, high) if excess > 0 else (low, position)
        step = -excess / slope
        # Outside the bracket only rounding can lead: bisect.
        following = position + step if low <= position + step <= high else 0.5 * (low + high)
        step, position = following - position, following
        if abs(step) <= LAST_STEP:
            break
    return float(np.exp(position)), steps


def maximum_likelihood_information(shape: float, weights: Floats, counts: NDArray[Any]) -> float:
    """Return minus the second derivative of the log-likelihood with respect to the shape."""
    return float(np.sum(counts * scaled_information(shape * weights))) / shape**2


def _relative_residuals(fit: GammaFit) -> Floats:
    mean = fit.mean
    return np.asarray((fit.response - mean) / mean)


def _half_deviance(fit: GammaFit) -> float:
    """Return sum f w (y / mu - 1 - log(y / mu)), with the digits that a large shape needs."""
    excess = _relative_residuals(fit)
    terms = excess - np.log1p(np.maximum(excess, -0.5))
    near_zero = excess < -0.5
    ratio = np.log(fit.response[near_zero]) - np.log(fit.mean[near_zero])
    terms[near_zero] = excess[near_zero] - ratio
    return float(np.dot(fit.freq_weights * fit.var_weights, terms))


def _grouped_weights(fit: GammaFit) -> tuple[Floats, NDArray[Any]]:
    """Return the distinct variance weights and how many observations have each."""
    if not fit.is_weighted:
        return np.ones(1), np.array([_number(fit)])
    weights, place = np.unique(fit.var_weights, return_inverse=True)
    return weights, np.bincount(place, weights=fit.freq_weights)


def _number(fit: GammaFit) -> float:
    return float(np.sum(fit.freq_weights))


def _variance_of_pearson_dispersion(fit: GammaFit, dispersion: float) -> float:
    design = fit.free_design
    rows = fit.fitted_rows()
    gradient = np.asarray(fit.link.inverse_deriv(rows.linear_predictor)) / rows.mean
    scaled = design * gradient[:, np.newaxis]
    counts, weights, number = fit.freq_weights, fit.var_weights, _number(fit)
    total = counts @ scaled
    crossproduct = (scaled * (counts * weights)[:, np.newaxis]).T @ scaled
    # s' A^-1 s, with columns brought to one length first; least squares bears a deficient rank.
    lengths = np.sqrt(np.diag(crossproduct))
    lengths[lengths == 0] = 1.0
    standard = crossproduct / np.outer(lengths, lengths)
    projected = total / lengths
    explained = projected @ np.linalg.lstsq(standard, projected, rcond=RANK_TOLERANCE)[0]
    inverse_weight = float(np.sum(counts / weights)) / number
    cubic = 6 * inverse_weight - 4 * explained / number
    return float((2 * dispersion**2 + cubic * dispersion**3) / fit.residual_df)


def _polynomial(inverse: Floats, coefficients: tuple[float, ...] | list[float]) -> Floats:
    # sum of coefficients[k] * inverse^(2k), by Horner's rule
    square = inverse * inverse
    total = np.full_like(inverse, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        total = coefficient + square * total
    return total
