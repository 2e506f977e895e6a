"""Gamma tails where the plain functions give out: far residuals, and means that are uncertain."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

# Series and continued fraction serve only where the probability is below 1e-300: there they need
# a handful of terms; the limit is for safety.
MAX_TERMS = 10_000
TERM_TOLERANCE = 1e-14
# Farther out, a residual is that of exp(LARGEST_LOG): some 1e154.
LARGEST_LOG = 709.0
# The standard normal is integrated over this many standard deviations to either side ...
NORMAL_RANGE = 8.0
# ... on equally spaced nodes, at least and at most so many: the spacing follows the gamma's width.
FEWEST_NODES = 33
MOST_NODES = 2049
# Nodes times rows that are held at a time.
CHUNK_SIZE = 1_000_000
QUANTILE_TOLERANCE = 1e-11
MAX_QUANTILE_STEPS = 200


def normal_scores(shapes: Floats, responses: Floats, means: Floats) -> Floats:
    """Return the standard normal quantiles of P(Y <= y), finite however far the response is."""
    with np.errstate(over="ignore"):  # what is too far for x is still within reach of its logarithm
        x = shapes * (responses / means)
    lower = special.gammainc(shapes, x)
    scores = np.asarray(special.ndtri(lower))
    high = lower > 0.5  # from the upper tail, which keeps its digits
    scores[high] = -special.ndtri(special.gammaincc(shapes[high], x[high]))
    far = ~np.isfinite(scores)
    if far.any():
        log_x = np.log(shapes[far]) + np.log(responses[far]) - np.log(means[far])
        scores[far] = _far_scores(shapes[far], log_x, high[far])
    return scores


def mixture_quantile(tail: float, upper: bool, shapes: Floats, log_mean_sd: Floats) -> Floats:
    """Return quantiles of Y / mean when the logarithm of the mean is itself normal.

    `tail` is the probability below the quantile, or above it if `upper`.
    """
    if len(shapes) == 0:
        return np.empty(0)
    # The gamma's width in the logarithm is 1 / sqrt(shape): the nodes must not be further apart.
    relative_width = np.max(log_mean_sd * np.sqrt(shapes))
    n_nodes = int(np.clip(2 * NORMAL_RANGE * relative_width, FEWEST_NODES, MOST_NODES))
    rows = max(1, CHUNK_SIZE // n_nodes)
    return np.concatenate(
        [
            _mixture_quantile(tail, upper, shapes[i : i + rows], log_mean_sd[i : i + rows], n_nodes)
            for i in range(0, len(shapes), rows)
        ]
    )


def _mixture_quantile(
    tail: float, upper: bool, shapes: Floats, log_mean_sd: Floats, n_nodes: int
) -> Floats:
    nodes = np.linspace(-NORMAL_RANGE, NORMAL_RANGE, n_nodes)
    masses = np.exp(-(nodes**2) / 2)
    masses /= masses.sum()
    inverse, tail_function = (
        (special.gammainccinv, special.gammaincc)
        if upper
        else (special.gammaincinv, special.gammainc)
    )
    certain = inverse(shapes, tail)  # the answer where the mean is known
    result = np.zeros(len(shapes))
    inside = certain > 0  # tiny shapes have quantiles that no float64 can hold: they stay 0
    shape, spread = shapes[inside, np.newaxis], log_mean_sd[inside, np.newaxis]
    position = np.log(certain[inside])
    # Every component has its quantile within the range of the nodes: so has their mixture.
    low = position - NORMAL_RANGE * spread[:, 0]
    high = position + NORMAL_RANGE * spread[:, 0]
    log_normalisation = special.gammaln(shape)
    for _ in range(MAX_QUANTILE_STEPS):
        log_x = position[:, np.newaxis] - spread * nodes
        x = np.exp(log_x)
        mass = tail_function(shape, x) @ masses
        density = np.exp(shape * log_x - x - log_normalisation) @ masses
        with np.errstate(divide="ignore"):
            excess = np.log(mass / tail)
        too_far_right = (excess < 0) if upper else (excess > 0)
        high = np.where(too_far_right, position, high)
        low = np.where(too_far_right, low, position)
        with np.errstate(all="ignore"):  # what comes out of range is replaced by bisection
            step = excess * mass / density * (1 if upper else -1)
        following = position + step
        outside = ~((following >= low) & (following <= high))
        following = np.where(outside, (low + high) / 2, following)
        moved = np.max(np.abs(following - position), initial=0.0)
        position = following
        if moved <= QUANTILE_TOLERANCE:
            break
    result[inside] = np.exp(position) / shapes[inside]
    return result


def _far_scores(shape: Floats, log_x: Floats, high: NDArray[np.bool_]) -> Floats:
    scores = np.empty_like(shape)
    with np.errstate(under="ignore"):
        x = np.exp(np.minimum(log_x, LARGEST_LOG))
    low = ~high
    scores[low] = special.ndtri_exp(_log_lower(shape[low], log_x[low], x[low]))
    scores[high] = -special.ndtri_exp(_log_upper(shape[high], log_x[high], x[high]))
    return scores


def _log_lower(shape: Floats, log_x: Floats, x: Floats) -> Floats:
    # Abramowitz & Stegun 6.5.29: P(a, x) = x^a e^-x / Gamma(a + 1) * sum x^k / ((a + 1)...(a + k))
    term, total = np.ones_like(shape), np.ones_like(shape)
    for k in range(1, MAX_TERMS):
        term = term * x / (shape + k)
        total = total + term
        if np.all(term <= TERM_TOLERANCE * total):
            break
    return np.asarray(shape * log_x - x - special.gammaln(shape + 1) + np.log(total))


def _log_upper(shape: Floats, log_x: Floats, x: Floats) -> Floats:
    # The continued fraction of Abramowitz & Stegun 6.5.31, evaluated by Lentz's method.
    b = x + 1 - shape
    c, d = np.full_like(x, 1e300), 1 / b
    fraction = d
    for k in range(1, MAX_TERMS):
        a = -k * (k - shape)
        b = b + 2
        d = 1 / (a * d + b)
        c = b + a / c
        fraction = fraction * (c * d)
        if np.all(np.abs(c * d - 1) <= TERM_TOLERANCE):
            break
    return np.asarray(shape * log_x - x - special.gammaln(shape) + np.log(fraction))
