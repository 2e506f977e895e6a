"""Gamma tails where the plain functions give out: far residuals, and means that are uncertain."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

# Between these distances from the mean, in standard deviations and in means, SciPy's series for a
# shape above this one stop too early; nearer and farther away they serve any shape.
LARGE_SHAPE = 1e5
NEAR_DEVIATIONS = 4.0
FAR_EXCESS = 0.5
# Nodes of a table of the distribution function are this share of the gamma's width apart, and a
# table pays for so many values a node.
TABLE_STEP = 0.005
TABLE_SHARE = 8
# Farther out, a residual is that of exp(LARGEST_LOG): some 1e154.
LARGEST_LOG = 709.0
# The standard normal is integrated over this many standard deviations to either side ...
NORMAL_RANGE = 8.0
# ... on equally spaced nodes: a gamma's width takes one and a half of them.
NODES_PER_WIDTH = 3 * NORMAL_RANGE
FEWEST_NODES = 33
# A mean that is uncertain by more widths hides the gamma's skewness: a log-normal has the quantiles
# that both have together, to a millionth of a normal score at shape 1, and closer above it.
WIDEST = 100.0
# Nodes times rows that are held at a time.
CHUNK_SIZE = 1_000_000
QUANTILE_TOLERANCE = 1e-11
MAX_QUANTILE_STEPS = 200


def lower_tail(shapes: Any, responses: Floats, means: Floats) -> Floats:
    """Return P(Y <= y) of gamma distributions, also far out at large shapes."""
    with np.errstate(over="ignore"):  # beyond the largest number the probability is 1
        probabilities = np.asarray(special.gammainc(shapes, responses * (shapes / means)))
    if np.max(shapes, initial=0.0) > LARGE_SHAPE:
        tail, scores = _large_shape_scores(shapes, responses, means)
        probabilities[tail] = special.ndtr(scores)
    return probabilities


def sorted_lower_tails(shapes: Floats, log_ratios: Floats) -> Floats:
    """Return P(Y <= y), sorted along rows, of log(y / mean), (B, n), with one shape for each row.

    In long rows the distribution function is interpolated on a fine grid of the logarithm: its
    second derivative there is below max(shape, 1) / 4, so that the error is below 1e-6.
    """
    probabilities = np.empty(log_ratios.shape)
    with np.errstate(over="ignore"):
        for shape, row, found in zip(shapes, log_ratios, probabilities, strict=True):
            grid = _grid(row.min(), row.max(), shape, len(row))
            if grid is None:
                found[:] = lower_tail(shape, np.exp(np.sort(row)), np.ones(1))
            else:  # single precision keeps a ratio to 1e-7 of itself, and sorts three times faster
                ordered = np.sort(row.astype(np.float32))
                found[:] = np.interp(ordered, grid, lower_tail(shape, np.exp(grid), np.ones(1)))
    return probabilities


def log_tail(shape: float, upper: bool, logs: Floats) -> Floats:
    """Return the log of P(Y <= exp(x)), or of P(Y > exp(x)), of a gamma with mean 1.

    Where there are many, it is interpolated on a fine grid: to a relative error of the tail of
    some 1e-5.
    """
    low, high = logs.min(), logs.max()
    grid = _grid(low, high, shape, logs.size)
    if grid is None:
        return _exact_log_tail(shape, upper, logs)
    values = _exact_log_tail(shape, upper, np.append(grid, high))
    place = logs - low
    place *= (len(grid) - 1) / max(high - low, 1e-300)
    cell = place.astype(np.int32)
    place -= cell
    place *= np.diff(values).take(cell)
    place += values.take(cell)
    return np.asarray(place)


def _grid(low: float, high: float, shape: float, size: int) -> Floats | None:
    """Return a grid on which a distribution function is straight, None if it does not pay."""
    # A response that underflows is infinitely far.
    nodes = 2 + int(min(high - low, 1e9) * np.sqrt(max(shape, 1.0)) / TABLE_STEP)
    return None if TABLE_SHARE * nodes > size else np.linspace(low, high, nodes)


def _exact_log_tail(shape: float, upper: bool, logs: Floats) -> Floats:
    tail = special.gammaincc if upper else special.gammainc
    with np.errstate(over="ignore"):
        probability = tail(shape, shape * np.exp(logs))
    return np.asarray(np.log(np.maximum(probability, np.finfo(np.float64).tiny)))


def normal_scores(shapes: Floats, responses: Floats, means: Floats) -> Floats:
    """Return the standard normal quantiles of P(Y <= y), finite however far the response is."""
    with np.errstate(over="ignore"):  # what is too far for x is still within reach of its logarithm
        x = shapes * (responses / means)
    lower = special.gammainc(shapes, x)
    scores = np.asarray(special.ndtri(lower))
    high = lower > 0.5  # from the upper tail, which keeps its digits
    scores[high] = -special.ndtri(special.gammaincc(shapes[high], x[high]))
    if np.max(shapes, initial=0.0) > LARGE_SHAPE:
        tail, scores[tail] = _large_shape_scores(shapes, responses, means)
    far = ~np.isfinite(scores)
    if far.any():
        log_x = np.log(shapes[far]) + np.log(responses[far]) - np.log(means[far])
        scores[far] = _far_scores(shapes[far], log_x, high[far])
    return scores


def mixture_quantile(tail: float, upper: bool, shapes: Floats, log_mean_sd: Floats) -> Floats:
    """Return quantiles of Y / mean when the logarithm of the mean is itself normal.

    `tail` is the probability below the quantile, or above it if `upper`.
    """
    quantiles = np.empty(len(shapes))
    # The gamma's width in the logarithm is 1 / sqrt(shape): the nodes must be closer than that.
    widths = log_mean_sd * np.sqrt(shapes)
    wide = widths > WIDEST
    quantiles[wide] = _log_normal_quantile(tail, upper, shapes[wide], log_mean_sd[wide])
    rest = np.flatnonzero(~wide)
    n_nodes = max(FEWEST_NODES, int(NODES_PER_WIDTH * np.max(widths[rest], initial=0.0)))
    rows = max(1, CHUNK_SIZE // n_nodes)
    for start in range(0, len(rest), rows):
        part = rest[start : start + rows]
        quantiles[part] = _mixture_quantile(tail, upper, shapes[part], log_mean_sd[part], n_nodes)
    return quantiles


def _log_normal_quantile(tail: float, upper: bool, shapes: Floats, log_mean_sd: Floats) -> Floats:
    """Return those of a log-normal with the mean and variance that log(Y / mean) has."""
    score = special.ndtri(tail) * (-1 if upper else 1)
    spread = np.sqrt(log_mean_sd**2 + special.polygamma(1, shapes))
    return np.asarray(np.exp(special.digamma(shapes) - np.log(shapes) + score * spread))


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


def _large_shape_scores(
    shapes: Any, responses: Floats, means: Floats
) -> tuple[NDArray[np.bool_], Floats]:
    """Return in which rows a large shape is far from its mean, and the normal scores of these.

    The modified signed root r + log(u / r) / r of Barndorff-Nielsen (1990, JRSS B 52, 485-496),
    with u the standardised distance: its error is 0.008 / shape^1.5.
    """
    with np.errstate(over="ignore"):
        excess = (responses - means) / means
        distance = np.sqrt(shapes) * excess
    tail = (shapes > LARGE_SHAPE) & (np.abs(distance) > NEAR_DEVIATIONS)
    tail &= np.abs(excess) < FAR_EXCESS
    excess, distance = excess[tail], distance[tail]
    half_deviance = (excess - np.log1p(excess)) / excess**2
    root = distance * np.sqrt(2 * half_deviance)
    return tail, root + np.log(distance / root) / root


def _far_scores(shape: Floats, log_x: Floats, high: NDArray[np.bool_]) -> Floats:
    """Return normal scores of tails that underflow, by Kummer's functions: DLMF 8.5.1 and 8.5.3."""
    # SciPy's hyperu takes a time in proportion to the shape; where that is large, its first term is
    # right to 3e-5, and the score to 1e-9.
    huge = shape > LARGE_SHAPE
    with np.errstate(all="ignore"):
        x = np.exp(np.minimum(log_x, LARGEST_LOG))
        above = special.hyperu(1, np.where(huge, 1.0, shape) + 1, np.where(high, x, 1.0))
        above = np.where(huge, 1 / (x + 1 - shape), above) * shape
        ratio = np.where(high, above, special.hyp1f1(1, shape + 1, np.where(high, 0.0, x)))
        log_tail = shape * log_x - x - special.gammaln(shape + 1) + np.log(ratio)
    return np.asarray(np.where(high, -1, 1) * special.ndtri_exp(log_tail))
