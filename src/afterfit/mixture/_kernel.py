"""Squared distances and log densities of clean arrays, by component and in blocks of rows.

Arrays of NumPy are worked on in place, in blocks that stay in a core's cache. Arrays of another
library are worked on where they lie, in few large blocks: there it is the number of steps that
costs. What a mixture itself holds is small, and is prepared on the host for both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas, lapack
from scipy.special import digamma, gammaincc

from afterfit._arrays import as_float64, like, namespace, to_numpy
from afterfit._threads import one_thread
from afterfit.mixture._parameters import GaussianMixtureParameters, on_host

# Values that a block of rows works on at a time: a megabyte, so that it stays in a core's cache;
# on another device enough to keep it busy, and less than its memory.
BLOCK_VALUES = 2**17
DEVICE_BLOCK_VALUES = 2**25
MIN_BLOCK_ROWS, MAX_BLOCK_ROWS = 64, 8192
# With many components the distances to all of them leave the cache, which costs less than blocks
# of a few rows would: no more than so many count.
COMPONENTS_IN_CACHE = 16

# Above this many features BLAS has the threads that it likes, and larger blocks. OpenBLAS starts
# them even for tiny triangular solves, and waiting for them then costs more than the work (a
# hundred times more on a busy machine). Up to so many, substitution by rows is faster than a call.
MAX_FEATURES_OF_ONE_THREAD = 64
MAX_FEATURES_BY_ROWS = 4

# Where libraries of arrays keep the upper tail of the gamma distribution, which is in no standard.
GAMMA_TAILS = {
    "torch": "torch.special",
    "cupy": "cupyx.scipy.special",
    "jax": "jax.scipy.special",
    "jaxlib": "jax.scipy.special",
}

_LOG_2_PI = float(np.log(2.0 * np.pi))

Array = NDArray[np.float64]


def by_blocks(parameters: GaussianMixtureParameters, X: Any, function: Callable[[Any], Any]) -> Any:
    """Return what `function` makes of the squared distances (K, rows) of every block of rows.

    It may return (K, rows) or (rows,); the result has the shape (n, K) or (n,).
    """
    if getattr(getattr(X, "device", None), "type", None) == "cpu":  # torch, in our own memory
        return like(by_blocks(parameters, to_numpy(X), function), X)
    if not isinstance(X, np.ndarray):
        parts = [function(squared) for squared in _distances_on_device(parameters, X)]
        values = namespace(X).concat(parts, axis=-1)
        return values.T if values.ndim == 2 else values
    size, result = block_rows(parameters), None
    with few_threads(parameters):
        for start in range(0, len(X), size):
            rows = slice(start, start + size)
            block = function(distances_of_block(parameters, np.ascontiguousarray(X[rows].T)))
            if result is None:
                result = np.empty((len(X), *block.shape[:-1]))
            result[rows] = block.T
    return result


def few_threads(parameters: GaussianMixtureParameters) -> Any:
    """Return the context in which blocks of rows are worked on."""
    calls_blas = parameters._factors[0].ndim == 2 and parameters.n_features > MAX_FEATURES_BY_ROWS
    few = calls_blas and parameters.n_features <= MAX_FEATURES_OF_ONE_THREAD
    return one_thread() if few else nullcontext()


def component_values(parameters: GaussianMixtureParameters, X: Any, constants: Array) -> Any:
    """Return constants[k] - (squared distance to component k) / 2, of shape (n, K)."""
    return by_blocks(parameters, X, lambda squared: minus_half(squared, constants))


def log_density_of(parameters: GaussianMixtureParameters, X: Any) -> Any:
    constants = log_peaks(parameters)
    return by_blocks(parameters, X, lambda squared: log_sum_exp(minus_half(squared, constants)))


def log_peaks(parameters: GaussianMixtureParameters) -> Array:
    """Return the joint log density of each component at its mean; -inf for a weight of zero."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(parameters.weights) + log_normalisers(parameters))


def minus_half(squared: Any, constants: Array) -> Any:
    squared *= -0.5
    squared += like(constants[:, np.newaxis], squared)
    return squared


def log_sum_exp(values: Any) -> Any:
    """Return log(sum(exp(values), axis=0)), -inf where all are; may overwrite `values`."""
    xp = namespace(values)
    largest = xp.max(values, axis=0)
    # Where all are -inf, so is the answer, and -inf - (-inf) must not be formed.
    largest = xp.where(largest == -np.inf, xp.zeros_like(largest), largest)
    values -= largest
    with np.errstate(under="ignore", divide="ignore"):
        return largest + xp.log(xp.sum(xp.exp(values), axis=0))


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
        first, second = (on_host(part) for part in model.weight_concentration_)
        log_total = digamma(first + second)
        log_rest = np.cumsum(digamma(second) - log_total)
        expected_log_weights = digamma(first) - log_total + np.r_[0.0, log_rest[:-1]]
    else:
        concentration = on_host(model.weight_concentration_)
        expected_log_weights = digamma(concentration) - digamma(concentration.sum())
    freedom = np.broadcast_to(on_host(model.degrees_of_freedom_), n_components)
    halves = (freedom[:, np.newaxis] - np.arange(n_features)) / 2
    log_precision = digamma(halves).sum(axis=1) - n_features * np.log(freedom / 2)
    spread_of_mean = n_features / on_host(model.mean_precision_)
    return np.asarray(expected_log_weights + 0.5 * (log_precision - spread_of_mean))


def chi_squared_tail(squared: Any, n_features: int) -> Any:
    """Return the upper tail of chi-squared, by the array's own library where that has one."""
    if isinstance(squared, np.ndarray):
        return gammaincc(n_features / 2, squared / 2)
    library = GAMMA_TAILS.get(type(squared).__module__.split(".")[0])
    if library is None:
        return like(gammaincc(n_features / 2, to_numpy(squared) / 2), squared)
    half = namespace(squared).full_like(squared, n_features / 2)
    return import_module(library).gammaincc(half, squared / 2)


def _distances_on_device(parameters: GaussianMixtureParameters, X: Any) -> Iterator[Any]:
    """Yield squared distances (K, n_rows), block by block, for an array of another library.

    All components together, so that the rows are read once: one product for full covariances.
    It takes the differences to the means after whitening, but from a centre near all of them, so
    that what is lost is the rounding of their distances and not of an offset that all share.
    """
    xp, (n_samples, n_features) = namespace(X), X.shape
    n_components = parameters.n_components
    is_diagonal = parameters._factors[0].ndim == 1
    centre = parameters.weights @ parameters.means
    means = like((parameters.means if is_diagonal else centre)[..., np.newaxis], X)
    whitener = like(_whitener(parameters, centre), X)
    size = max(DEVICE_BLOCK_VALUES // (n_features * (n_components + 2)), MIN_BLOCK_ROWS)
    for start in range(0, n_samples, size):
        block = X[start : min(start + size, n_samples), :]
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):  # of NumPy beneath
            z = as_float64(block).T - means
            if is_diagonal:
                z = z * whitener
            else:
                z = whitener @ xp.concat([z, xp.ones_like(z[:1, :])])
                z = xp.reshape(z, (n_components, n_features, -1))
            squared = xp.linalg.vector_norm(z, axis=1) ** 2  # once through memory
        yield xp.where(xp.isnan(squared), xp.full_like(squared, xp.inf), squared)


def _whitener(parameters: GaussianMixtureParameters, centre: Array) -> Array:
    """Return what whitens differences, of shape (K, d, 1) if diagonal, else (K d, d + 1).

    The last column of the latter is for a row of ones, and moves the centre to each mean.
    """
    if parameters._factors[0].ndim == 1:
        return np.stack([1 / factor for factor in parameters._factors])[:, :, np.newaxis]
    parts = []
    for factor, mean in zip(parameters._factors, parameters.means, strict=True):
        inverse = np.tril(lapack.dtrtri(factor, lower=1)[0])
        parts.append(np.column_stack([inverse, inverse @ (centre - mean)]))
    return np.concatenate(parts)


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


def block_rows(parameters: GaussianMixtureParameters) -> int:
    values = BLOCK_VALUES
    if parameters.n_features > MAX_FEATURES_OF_ONE_THREAD:
        values *= 8
    beside = min(parameters.n_components, COMPONENTS_IN_CACHE)
    return min(max(values // (2 * parameters.n_features + beside), MIN_BLOCK_ROWS), MAX_BLOCK_ROWS)


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
    if len(factor) > MAX_FEATURES_BY_ROWS:
        # As z' factor' = work', since the transpose of `work` lies in Fortran order: in place.
        blas.dtrsm(1.0, factor, work.T, side=1, lower=1, trans_a=1, overwrite_b=1)
        return
    for i, row in enumerate(factor):
        for j in range(i):
            work[i] -= row[j] * work[j]
        work[i] /= row[i]
