"""Squared distances and log densities of clean arrays, by component and in blocks of rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas
from scipy.special import digamma, gammaincc

from afterfit.mixture._parameters import GaussianMixtureParameters

# Values that a block of rows works on at a time: a megabyte, so that it stays in a core's cache.
BLOCK_VALUES = 2**17
MIN_BLOCK_ROWS, MAX_BLOCK_ROWS = 64, 8192

# Up to this many features, whitening substitutes panel by panel; above, BLAS does it in one call,
# in larger blocks. OpenBLAS starts its threads even for tiny triangular solves, and waiting for
# them then costs more than the work (a hundred times more on a busy machine). With panels this
# narrow its products stay below the size at which it does the same for them.
MAX_FEATURES_IN_PANELS = 64
PANEL = 4

_LOG_2_PI = float(np.log(2.0 * np.pi))

Array = NDArray[np.float64]


def component_values(parameters: GaussianMixtureParameters, X: Array, constants: Array) -> Array:
    """Return constants[k] - (squared distance to component k) / 2, of shape (n, K)."""
    values = np.empty((len(X), parameters.n_components))
    for rows, squared in squared_distances(parameters, X):
        values[rows] = minus_half(squared, constants).T
    return values


def log_density_of(parameters: GaussianMixtureParameters, X: Array) -> Array:
    constants = log(parameters.weights) + log_normalisers(parameters)
    values = np.empty(len(X))
    for rows, squared in squared_distances(parameters, X):
        values[rows] = log_sum_exp(minus_half(squared, constants))
    return values


def minus_half(squared: Array, constants: Array) -> Array:
    squared *= -0.5
    squared += constants[:, np.newaxis]
    return squared


def log_sum_exp(values: Array) -> Array:
    """Return log(sum(exp(values), axis=0)), -inf where all are; overwrites `values`."""
    if len(values) == 1:
        return np.asarray(values[0])
    # Where all are -inf, so is the answer, and -inf - (-inf) must not be formed.
    largest = np.maximum(values.max(axis=0), -np.finfo(np.float64).max)
    values -= largest
    with np.errstate(under="ignore"):
        np.exp(values, out=values)
    return np.asarray(largest + log(values.sum(axis=0)))


def log(values: Array) -> Array:
    """Return the logarithm; -inf at zero is meant, for a weight as for a density."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(values))


def log_normalisers(parameters: GaussianMixtureParameters) -> Array:
    """Return the log density of each component at its mean."""
    log_roots = [
        np.log(factor.diagonal() if factor.ndim == 2 else factor).sum()
        for factor in parameters._factors
    ]
    return -0.5 * parameters.n_features * _LOG_2_PI - np.array(log_roots)


def variational_log_weights(model: Any) -> Array:
    """Return E[log pi_k] + (E[log N] - log N at the reported parameters), for each component.

    Bishop (2006), equations 10.64 to 10.66, for `weight_concentration_prior_type`
    "dirichlet_distribution"; for "dirichlet_process" Blei & Jordan (2006).
    """
    if not hasattr(model, "weight_concentration_"):
        raise ValueError(
            "`variational` must be False unless `model` is a fitted BayesianGaussianMixture: a "
            f"{type(model).__name__} has no posterior to average over."
        )
    n_components, n_features = model.means_.shape
    if isinstance(model.weight_concentration_, tuple):  # of a Dirichlet process
        first, second = (np.asarray(part, dtype=float) for part in model.weight_concentration_)
        log_total = digamma(first + second)
        log_rest = np.cumsum(digamma(second) - log_total)
        expected_log_weights = digamma(first) - log_total + np.r_[0.0, log_rest[:-1]]
    else:
        concentration = np.asarray(model.weight_concentration_, dtype=float)
        expected_log_weights = digamma(concentration) - digamma(concentration.sum())
    freedom = np.broadcast_to(np.asarray(model.degrees_of_freedom_, float), n_components)
    halves = (freedom[:, np.newaxis] - np.arange(n_features)) / 2
    log_precision = digamma(halves).sum(axis=1) - n_features * np.log(freedom / 2)
    spread_of_mean = n_features / np.asarray(model.mean_precision_, dtype=float)
    return np.asarray(expected_log_weights + 0.5 * (log_precision - spread_of_mean))


def chi_squared_tail(squared: Array, n_features: int) -> Array:
    return np.asarray(gammaincc(n_features / 2, squared / 2))


def squared_distances(
    parameters: GaussianMixtureParameters, X: Array
) -> Iterator[tuple[slice, Array]]:
    """Yield (rows, squared Mahalanobis distances of shape (K, n_rows)), block by block."""
    n_samples, n_features = X.shape
    size = block_rows(n_features, parameters.n_components)
    for start in range(0, n_samples, size):
        rows = slice(start, min(start + size, n_samples))
        yield rows, distances_of_block(parameters, np.ascontiguousarray(X[rows].T))


def distances_of_block(
    parameters: GaussianMixtureParameters, block: Array, origins: Array | None = None
) -> Array:
    """Return the distances of a block of points that lies transposed, of shape (d, n_rows).

    So every operation runs along rows that are long and contiguous. With `origins`, of the same
    shape or one column for all, the points are block + origins, but that sum is not formed: the
    block may be far below the rounding of its origins.
    """
    work = np.empty_like(block)
    squared = np.empty((parameters.n_components, block.shape[1]))
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        for k, factor in enumerate(parameters._factors):
            mean = parameters.means[k][:, np.newaxis]
            if origins is None:
                np.subtract(block, mean, out=work)
            else:
                np.add(block, origins - mean, out=work)
            _whitened_square_sum(factor, work, squared[k])
    # Whatever substitution forms on its way to z is at most |z| times a standard deviation,
    # which is below the root of the largest float. So only a distance that is itself beyond
    # the largest float overflows on the way, perhaps to inf - inf.
    squared[np.isnan(squared)] = np.inf
    return squared


def block_rows(n_features: int, n_components: int) -> int:
    values = BLOCK_VALUES if n_features <= MAX_FEATURES_IN_PANELS else 8 * BLOCK_VALUES
    rows = values // (2 * n_features + n_components)
    return min(max(rows, MIN_BLOCK_ROWS), MAX_BLOCK_ROWS)


def _whitened_square_sum(factor: Array, work: Array, result: Array) -> None:
    """Whiten the differences in `work`, in place, and sum their squares into `result`."""
    if factor.ndim == 2:
        _solve_lower(factor, work)
    else:
        np.divide(work, factor[:, np.newaxis], out=work)
    np.multiply(work, work, out=work)
    np.add.reduce(work, axis=0, out=result)


def _solve_lower(factor: Array, work: Array) -> None:
    """Replace `work`, of shape (d, n_rows), by the solution z of `factor` z = `work`."""
    n_features = len(factor)
    if n_features > MAX_FEATURES_IN_PANELS:
        # As z' factor' = work', since the transpose of `work` lies in Fortran order: in place.
        blas.dtrsm(1.0, factor, work.T, side=1, lower=1, trans_a=1, overwrite_b=1)
        return
    product = np.empty(work.shape[1])
    for first in range(0, n_features, PANEL):
        last = min(first + PANEL, n_features)
        if first > 0:
            work[first:last] -= factor[first:last, :first] @ work[:first]
        for i in range(first, last):
            for j in range(first, i):
                np.multiply(work[j], factor[i, j], out=product)
                work[i] -= product
            work[i] /= factor[i, i]
