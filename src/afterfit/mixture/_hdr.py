"""How much of a mixture's mass lies where its density is no higher than at a point."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from afterfit._validation import check_integer, check_random_state
from afterfit.mixture._kernel import (
    MAX_BLOCK_ROWS,
    block_rows,
    chi_squared_tail,
    distances_of_block,
    log,
    log_density_of,
    log_normalisers,
    log_sum_exp,
    minus_half,
    squared_distances,
)
from afterfit.mixture._parameters import GaussianMixtureParameters, check_arguments

# The table that finds the rank of a density among the draws: cells for each draw, and in all; the
# number of neighbours tried in one sweep after the other; the share of a block worth a sweep.
CELLS_PER_DRAW = 4
MAX_CELLS = 2**22
MAX_SWEEPS = 8
SWEEP_SHARE = 0.02

Array = NDArray[np.float64]


def hdr_tail_probability(
    model: Any, X: Any, *, n_draws: int = 100_000, random_state: Any = None
) -> Array:
    """Return how typical a point is of the mixture, P{p(Z) <= p(x)} for Z drawn from it.

    It is one minus the content of the smallest highest-density region that holds the point: 1 at
    the highest mode, near 0 where hardly any draw has so low a density.

    Parameters
    ----------
    model : GaussianMixture, BayesianGaussianMixture or GaussianMixtureParameters
        The mixture; an estimator must be fitted. Its `weights_`, `means_` and `covariances_` are
        used, and nothing else.
    X : array-like of shape (n_samples, n_features)
        The points. A DataFrame must carry the columns of the fit, in that order.
    n_draws : int, default=100_000
        Draws from the mixture, at least 1. Not used if only one component has a weight.
    random_state : None, int, Generator, RandomState or SeedSequence, default=None
        Source of the draws. An int makes the result reproducible.

    Returns
    -------
    ndarray of shape (n_samples,)
        Probabilities in [0, 1], uniform for draws from the mixture itself. Exact with one
        component; otherwise a share of the draws, whose standard error is
        sqrt(p (1 - p) / n_draws): at most 0.0016 with 100,000 draws.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If an estimator has not been fitted.
    ValueError
        If `X` is not finite, has another number of features, or other columns than the fit; if
        `n_draws` is below 1.
    TypeError
        If `model` is no Gaussian mixture, `X` is not numeric, or `n_draws` is not an integer.

    See Also
    --------
    component_tail_probabilities : The same within each component.

    Notes
    -----
    The set {z : p(z) > p(x)} is the highest-density region of [1]_, whose density quantile
    approach the Monte Carlo follows: the log densities of the draws are sorted once and each
    point finds its rank among them. One set of draws serves all points, so that their
    order by typicality is their order by density, and their errors are correlated.

    A result of 0 means that no draw had so low a density; with 95 percent confidence the
    probability is then below 3 / n_draws. With one component of weight, p(z) <= p(x) says that
    the Mahalanobis distance of z is no smaller, and the result is the chi-squared tail.

    References
    ----------
    .. [1] Hyndman, R. J. (1996). Computing and graphing highest density regions. The American
       Statistician 50, 120-126.

    Examples
    --------
    Between two clusters, and outside of them, points are less typical than at the centres:

    >>> from afterfit.mixture import GaussianMixtureParameters, hdr_tail_probability
    >>> mixture = GaussianMixtureParameters([0.7, 0.3], [[0.0], [6.0]], [1.0, 1.0], "spherical")
    >>> hdr_tail_probability(mixture, [[0.0], [2.5], [6.0], [32.0]], random_state=0).round(2)
    array([1.  , 0.02, 0.44, 0.  ])

    With one component the tail is exact, twice the normal tail beyond 1.96 standard deviations:

    >>> normal = GaussianMixtureParameters([1.0], [[0.0]], [1.0], "spherical")
    >>> hdr_tail_probability(normal, [[1.96]]).round(6)
    array([0.049996])
    """
    n_draws = check_integer(n_draws, "n_draws", low=1)
    generator = check_random_state(random_state)
    parameters, X = check_arguments(model, X)
    present = np.flatnonzero(parameters.weights)
    if len(present) == 1:
        tails = np.empty(len(X))
        for rows, squared in squared_distances(parameters, X):
            tails[rows] = chi_squared_tail(squared[present[0]], parameters.n_features)
        return tails
    draws = _log_densities_of_draws(parameters, n_draws, generator)
    draws.sort()
    return _share_at_most(draws, log_density_of(parameters, X))


def _log_densities_of_draws(
    parameters: GaussianMixtureParameters, n_draws: int, generator: np.random.Generator
) -> Array:
    """Return the log densities of draws from the mixture, in blocks, the draws not being kept."""
    counts = generator.multinomial(n_draws, parameters.weights / parameters.weights.sum())
    labels = np.repeat(np.arange(parameters.n_components), counts.astype(np.intp))
    size = block_rows(parameters.n_features, parameters.n_components)
    constants = log(parameters.weights) + log_normalisers(parameters)
    densities = np.empty(n_draws)
    for start in range(0, n_draws, size):
        block = labels[start : start + size]
        offsets = generator.standard_normal((parameters.n_features, len(block)))
        first, last = int(block[0]), int(block[-1])
        for k in range(first, last + 1):  # the labels are sorted: each has one stretch
            mine = slice(*np.searchsorted(block, [k, k + 1]))
            factor = parameters._factors[k]
            noise = offsets[:, mine]
            offsets[:, mine] = factor @ noise if factor.ndim == 2 else noise * factor[:, np.newaxis]
        # Where all come from one component, one column says it for all.
        owners = block[:1] if first == last else block
        origins = parameters.means[owners].T
        squared = distances_of_block(parameters, offsets, origins)
        densities[start : start + size] = log_sum_exp(minus_half(squared, constants))
    return densities


def _share_at_most(ordered: Array, values: Array) -> Array:
    """Return which share of the `ordered` numbers is no larger than each of the `values`."""
    n_ordered = len(ordered)
    n_cells = min(CELLS_PER_DRAW * n_ordered, MAX_CELLS)
    with np.errstate(all="ignore"):
        scale = n_cells / (ordered[-1] - ordered[0])
    if len(values) < n_ordered or not np.isfinite(scale):
        return np.asarray(np.searchsorted(ordered, values, side="right") / n_ordered)
    # A binary search misses the cache at every step. Here a table of equal cells leads next to
    # the place. `_cells` never decreases, so what lies in an earlier cell is smaller for sure.
    occupancy = np.bincount(_cells(ordered, ordered[0], scale, n_cells), minlength=n_cells)
    # Half the size of an index, so that more of the table stays in the cache.
    integer = np.int32 if n_ordered < 2**31 else np.int64
    starts = (np.cumsum(occupancy) - occupancy).astype(integer)
    padded = np.append(ordered, np.inf)
    shares = np.empty(len(values))
    for first in range(0, len(values), MAX_BLOCK_ROWS):
        block = values[first : first + MAX_BLOCK_ROWS]
        cells = _cells(block, ordered[0], scale, n_cells)
        places = starts.take(cells, mode="clip").astype(np.intp)
        shares[first : first + MAX_BLOCK_ROWS] = _advance(places, ordered, padded, block)
    shares /= n_ordered
    return shares


def _cells(values: Array, origin: float, scale: float, n_cells: int) -> NDArray[np.intp]:
    with np.errstate(over="ignore"):
        positions = values - origin
        positions *= scale
    np.maximum(positions, 0, out=positions)
    np.minimum(positions, n_cells - 1, out=positions)
    return positions.astype(np.intp)


def _advance(
    places: NDArray[np.intp], ordered: Array, padded: Array, values: Array
) -> NDArray[np.intp]:
    """Move each place up to the first of `ordered` that is larger than its value."""
    at_places = np.empty(len(values))
    for sweep in range(MAX_SWEEPS + 1):
        padded.take(places, out=at_places, mode="clip")
        smaller = at_places <= values
        few = np.count_nonzero(smaller) <= SWEEP_SHARE * len(values)
        if few or sweep == MAX_SWEEPS:
            break
        places += smaller
    late = np.flatnonzero(smaller)
    places[late] = np.searchsorted(ordered, values[late], side="right")
    return places
