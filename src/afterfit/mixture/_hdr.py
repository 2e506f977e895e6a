"""How much of a density's mass lies where it is no higher than at a point, and at which level.

Draws from the mixture are sorted by their density. Far out, where few of them are, others are
drawn on purpose and weighted by how much too often they come (`_far_draws`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainccinv

from afterfit._arrays import like, namespace, to_numpy
from afterfit._validation import (
    as_float_array,
    check_integer,
    check_random_state,
    check_same_length,
)
from afterfit.mixture._kernel import (
    block_rows,
    by_blocks,
    chi_squared_tail,
    distances_of_block,
    few_threads,
    log_density_of,
    log_peaks,
    log_sum_exp,
    minus_half,
)
from afterfit.mixture._parameters import (
    GaussianMixtureParameters,
    as_parameters,
    check_arguments,
    is_mixture,
)

# The share of the mass below which the draws give way to those made far out.
FAR_SHARE = 0.01
# They are stratified, so that fewer do.
FAR_DRAWS = 0.25
# They reach this much further out than is asked for, and no further than float64 does.
FAR_MARGIN = 1e-4
SMALLEST_TAIL = 1e-300

# The table that finds the rank of a density among the draws: cells for each draw, and in all; the
# number of neighbours tried one after the other; values at a time.
CELLS_PER_DRAW = 4
MAX_CELLS = 2**22
MAX_SWEEPS = 8
LOOK_UP_ROWS = 2**15

Array = NDArray[np.float64]


def hdr_tail_probability(
    model: Any, X: Any, *, n_draws: int = 100_000, random_state: Any = None
) -> Any:
    """Return the HDR tail probability of every point, P{p(Z) <= p(x)} for Z of the mixture.

    It is one minus the content of the smallest highest-density region (HDR) that holds the point:
    1 at the highest mode, near 0 where hardly any of the mixture's mass has so low a density.

    Parameters
    ----------
    model : GaussianMixture, BayesianGaussianMixture or GaussianMixtureParameters
        The mixture; an estimator must be fitted. Its `weights_`, `means_` and `covariances_` are
        used, and nothing else.
    X : array-like of shape (n_samples, n_features)
        The points. A table must carry the columns of the fit, in that order. An array of another
        library is computed on its device, and the result is one as well.
    n_draws : int, default=100_000
        Draws from the mixture, and a quarter as many further out if a point lies beyond most of
        these; at least 1. Not used if only one component has a weight.
    random_state : None, int, Generator, RandomState or SeedSequence, default=None
        Source of the draws. An int makes the result reproducible.

    Returns
    -------
    ndarray of shape (n_samples,)
        Probabilities in [0, 1], uniform for draws from the mixture itself. Exact with one
        component; otherwise a share of the draws, whose standard error is
        sqrt(p (1 - p) / n_draws): at most 0.0016 with 100,000 draws. Below 0.01 it
        stays between 3 and 15 percent of p with 100,000 draws, however small p gets.

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
    conformal_pvalues : Calibrated also where the mixture is wrong.
    hdr_threshold : The other way round, from a mass to a log density.

    Notes
    -----
    The set {z : p(z) > p(x)} is the highest-density region of [1]_, whose density quantile
    approach the Monte Carlo follows: the log densities of the draws are sorted once and each
    point finds its rank among them. One set of draws serves all points, so that their
    order is that of their densities, and their errors are correlated.

    Below one percent the rank among draws says little, and 0 nothing at all. There the draws are
    others: their radii within a component reach beyond the lowest of the points, and importance
    weights make up for it [2]_. A result of 0 is below the smallest float64. With one component of
    weight, p(z) <= p(x) says that the Mahalanobis distance of z is no smaller, and the result is
    the chi-squared tail.

    Right if the mixture is. What needs no right mixture is `conformal_pvalues`.

    References
    ----------
    .. [1] Hyndman, R. J. (1996). Computing and graphing highest density regions. The American
       Statistician 50, 120-126.
    .. [2] Owen, A. B. (2013). Monte Carlo theory, methods and examples, chapter 9.

    Examples
    --------
    Between two clusters, and outside of them, less of the mass has so low a density:

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
        only, n_features = present[0], parameters.n_features
        return by_blocks(parameters, X, lambda sq: chi_squared_tail(sq[only, :], n_features))
    values = log_density_of(parameters, X)
    lowest = float(namespace(values).min(values))
    levels, mass = _mass_below(parameters, n_draws, generator, _tail_at(parameters, lowest))
    return _look_up(levels, mass, values)


def hdr_threshold(
    model: Any,
    mass: Any,
    X: Any = None,
    *,
    sample_weight: Any = None,
    n_draws: int = 100_000,
    random_state: Any = None,
) -> Any:
    """Return the log density at the contour that holds a given share of the mass.

    The highest-density region {z : log p(z) > threshold} has the content `mass`: drawn at the
    threshold of 0.95, the contour leaves out the 5 percent of lowest density.

    Parameters
    ----------
    model : Gaussian mixture, frozen SciPy distribution, gaussian_kde, KernelDensity, ...
        What has a log density and can be drawn from: a mixture as in the other functions; what
        has `logpdf`, and `rvs`, `resample` or `sample`; a fitted estimator with `score_samples`,
        and `sample` unless `X` is given.
    mass : float or array-like of float
        Shares of the mass, between 0 and 1.
    X : array-like of shape (n_samples, n_features) or (n_samples,), optional
        A sample to measure the mass by, in place of draws from the model: observed rows, or a
        sample that was made elsewhere.
    sample_weight : array-like of shape (n_samples,), optional
        Weights of the rows of `X`, at least 0: how many rows each stands for, or importance
        weights.
    n_draws : int, default=100_000
        Draws from the model. Not used with `X`, nor if only one component of a mixture has a
        weight.
    random_state : None, int, Generator, RandomState or SeedSequence, default=None
        Source of the draws.

    Returns
    -------
    float or ndarray of the shape of `mass`
        Natural logarithms of a density, in the units of the model's: levels to be given to
        `Axes.contour` together with its log density on a grid.

    Raises
    ------
    ValueError
        If a mass is not between 0 and 1, weights are negative or do not fit `X`, or a log
        density is NaN.
    TypeError
        If `model` is nothing that has a log density, or cannot be drawn from and `X` is None.

    See Also
    --------
    hdr_tail_probability : The share of the mass outside of the contour through a point.

    Notes
    -----
    Exact for one Gaussian. Otherwise the content of the region has the standard error
    sqrt(mass (1 - mass) / n_draws), or less: the density quantile approach of [1]_.

    References
    ----------
    .. [1] Hyndman, R. J. (1996). Computing and graphing highest density regions. The American
       Statistician 50, 120-126.

    Examples
    --------
    The contour of a plane normal that holds 95 percent is 5.99 = -2 log 0.05 away, squared:

    >>> from afterfit.mixture import GaussianMixtureParameters, hdr_threshold, log_density
    >>> normal = GaussianMixtureParameters([1.0], [[0.0, 0.0]], [1.0], "spherical")
    >>> peak = float(log_density(normal, [[0.0, 0.0]])[0])
    >>> round(2 * (peak - hdr_threshold(normal, 0.95)), 4)
    5.9915
    """
    masses = as_float_array(mass, "mass")
    if not ((masses > 0) & (masses < 1)).all():
        raise ValueError(f"`mass` must lie between 0 and 1, both excluded, got {mass!r}.")
    n_draws = check_integer(n_draws, "n_draws", low=1)
    generator = check_random_state(random_state)
    if X is None and sample_weight is not None:
        raise ValueError("`sample_weight` must be None unless the rows `X` are given.")
    parameters = as_parameters(model) if X is None and is_mixture(model) else None
    if parameters is not None and np.count_nonzero(parameters.weights) == 1:
        peak = log_peaks(parameters).max()
        thresholds = peak - gammainccinv(parameters.n_features / 2, 1 - masses)
    else:
        if parameters is not None:
            table = _mass_below(parameters, n_draws, generator, 1 - masses.max())
        else:
            sample = _draw_from(model, n_draws, generator) if X is None else X
            table = _mass_of_sample(_log_density_at(model, sample), sample_weight)
        levels, cumulated = table
        places = np.searchsorted(cumulated[1:], 1 - masses)
        thresholds = levels[np.minimum(places, len(levels) - 1)]
    return float(thresholds) if masses.ndim == 0 else thresholds


# Tables: increasing log densities, and the mass at or below each, preceded by a zero.


def _mass_below(
    parameters: GaussianMixtureParameters,
    n_draws: int,
    generator: np.random.Generator,
    smallest: float,
) -> tuple[Array, Array]:
    """Return the table of a mixture, right down to a tail of the `smallest` probability."""
    counts = generator.multinomial(n_draws, parameters.weights / parameters.weights.sum())
    labels = np.repeat(np.arange(parameters.n_components), counts.astype(np.intp))

    def noise(rows: slice) -> Array:
        return generator.standard_normal((parameters.n_features, len(labels[rows])))

    levels = np.sort(_log_densities_at(parameters, labels, noise))
    mass = np.arange(n_draws + 1) / n_draws
    n_below = max(int(FAR_SHARE * n_draws), 1)
    if smallest > mass[n_below]:
        return levels, mass
    far, weights = _far_draws(parameters, n_draws, generator, smallest)
    far, weights = far[far <= levels[n_below - 1]], weights[far <= levels[n_below - 1]]
    if not len(far):
        return levels, mass
    order = np.argsort(far, kind="stable")
    below = np.cumsum(weights[order])
    # Scaled to end at the share of the draws where these take over: the mass never falls.
    below *= mass[n_below] / below[-1]
    return (
        np.concatenate([far[order], levels[n_below:]]),
        np.concatenate([[0.0], below, mass[n_below + 1 :]]),
    )


def _far_draws(
    parameters: GaussianMixtureParameters,
    n_draws: int,
    generator: np.random.Generator,
    smallest: float,
) -> tuple[Array, Array]:
    """Return log densities of draws that go far out, and their importance weights.

    A draw has a component and, within it, a direction and a radius, whose upper chi-squared tail
    is uniform on (0, 1). Here the logarithm of that tail is: from 0 down to a bound below what is
    asked for, and below it the tail itself is uniform, so that every radius is reached. The
    weight is the ratio of the two densities, which is bounded. Each component has its share of
    the draws, half of them dealt out equally so that a rare one is reached as well, and its
    radii are stratified.
    """
    bound = max(smallest * FAR_MARGIN, SMALLEST_TAIL)
    depth = -np.log(bound)
    weights = parameters.weights / parameters.weights.sum()
    proposed = (weights + (weights > 0) / np.count_nonzero(weights)) / 2
    counts = np.ceil(FAR_DRAWS * n_draws * proposed).astype(np.intp)
    labels = np.repeat(np.arange(len(counts)), counts)
    place = np.arange(len(labels)) - (np.cumsum(counts) - counts)[labels]
    strata = (depth + 1) * (place + generator.random(len(labels))) / counts[labels]
    tails = bound * np.where(strata < 1, strata, np.exp(strata - 1))
    radii = np.sqrt(2 * gammainccinv(parameters.n_features / 2, np.minimum(tails, 1)))
    ratio = weights[labels] / counts[labels] * np.maximum(tails, bound)

    def noise(rows: slice) -> Array:
        directions = generator.standard_normal((parameters.n_features, len(labels[rows])))
        directions *= radii[rows] / np.linalg.norm(directions, axis=0)
        return directions

    return _log_densities_at(parameters, labels, noise), ratio


def _tail_at(parameters: GaussianMixtureParameters, level: float) -> float:
    """Return about how much mass has a log density of at most `level`.

    A component by itself has more of it: of the largest such part no more than all of them
    together are too much.
    """
    gaps = np.where(parameters.weights > 0, log_peaks(parameters) - level, 0.0)
    tails = chi_squared_tail(2 * np.maximum(gaps, 0.0), parameters.n_features)
    return float((parameters.weights * tails).max()) / parameters.n_components


def _log_densities_at(
    parameters: GaussianMixtureParameters,
    labels: NDArray[np.intp],
    noise: Callable[[slice], Array],
) -> Array:
    """Return the log densities of draws, in blocks, the draws not being kept.

    The draw of a component is its mean plus its Cholesky factor times `noise`, of shape (d, m).
    """
    size = block_rows(parameters)
    constants = log_peaks(parameters)
    densities = np.empty(len(labels))
    with few_threads(parameters):
        for start in range(0, len(labels), size):
            rows = slice(start, start + size)
            block, offsets = labels[rows], noise(rows)
            for k in range(block[0], block[-1] + 1):  # the labels are sorted: one stretch each
                mine = slice(*np.searchsorted(block, [k, k + 1]))
                factor, own = parameters._factors[k], offsets[:, mine]
                offsets[:, mine] = factor @ own if factor.ndim == 2 else own * factor[:, np.newaxis]
            # Where all come from one component, one column says it for all.
            owners = block[:1] if block[0] == block[-1] else block
            squared = distances_of_block(parameters, offsets, parameters.means[owners].T)
            densities[rows] = log_sum_exp(minus_half(squared, constants))
    return densities


def _mass_of_sample(values: Array, sample_weight: Any) -> tuple[Array, Array]:
    """Return the table of a sample, each row with its weight."""
    order = np.argsort(values, kind="stable")
    if sample_weight is None:
        return values[order], np.arange(len(values) + 1) / len(values)
    weights = as_float_array(sample_weight, "sample_weight")
    check_same_length(X=values, sample_weight=weights)
    bad = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(bad) or not weights.any():
        got = f"{weights[bad[0]]:g} in row {bad[0]}" if len(bad) else "only zeros"
        raise ValueError(f"`sample_weight` must be finite, at least 0 and not all 0, got {got}.")
    total = np.cumsum(weights[order])
    return values[order], np.concatenate([[0.0], total / total[-1]])


# What has a log density, of whichever library.


def _log_density_at(model: Any, X: Any) -> Array:
    if is_mixture(model):
        return np.asarray(to_numpy(log_density_of(*check_arguments(model, X))))
    points = as_float_array(X, "X")
    if hasattr(model, "score_samples"):
        values = model.score_samples(X)
    elif hasattr(model, "logpdf"):
        values = model.logpdf(points.T if hasattr(model, "resample") else points)
    else:
        raise TypeError(
            "`model` must have a log density (a Gaussian mixture, a continuous SciPy distribution, "
            f"a kernel density estimate), got {type(model).__name__}."
        )
    values = np.asarray(values, dtype=np.float64)
    if values.size != len(points):
        raise ValueError(
            f"`X` must hold one point a row: the log density of `model` has shape {values.shape} "
            f"for {len(points)} rows."
        )
    if n_bad := int(np.isnan(values).sum()):
        raise ValueError(f"The log density of `model` is NaN at {n_bad} of {len(points)} points.")
    return values.reshape(-1)


def _draw_from(model: Any, n_draws: int, generator: np.random.Generator) -> Any:
    try:
        if hasattr(model, "score_samples") and hasattr(model, "sample"):
            return model.sample(n_draws, random_state=int(generator.integers(2**32)))
        if hasattr(model, "resample"):
            return model.resample(n_draws, seed=generator).T
        if hasattr(model, "rvs"):
            return model.rvs(size=n_draws, random_state=generator)
        if hasattr(model, "sample") and hasattr(model, "logpdf"):
            return model.sample(n_draws, rng=generator)
    except NotImplementedError:  # KernelDensity draws from two of its kernels only
        pass
    raise TypeError(
        f"`model` must be something to draw from, or `X` a sample to measure the mass by: "
        f"this {type(model).__name__} cannot be drawn from."
    )


# Looking up.


def _look_up(levels: Array, mass: Array, values: Any) -> Any:
    """Return the mass at or below each of the values."""
    n_cells = min(CELLS_PER_DRAW * len(levels), MAX_CELLS)
    with np.errstate(all="ignore"):
        scale = n_cells / (levels[-1] - levels[0])
    if not isinstance(values, np.ndarray) or len(values) < len(levels) or not np.isfinite(scale):
        xp = namespace(values)
        return xp.take(
            like(mass, values), xp.searchsorted(like(levels, values), values, side="right")
        )
    # A binary search misses the cache at every step. Here a table of equal cells leads next to
    # the place. `_cells` never decreases, so what lies in an earlier cell is smaller for sure.
    occupancy = np.bincount(_cells(levels, levels[0], scale, n_cells), minlength=n_cells)
    starts = np.cumsum(occupancy) - occupancy
    padded = np.append(levels, np.inf)
    shares = np.empty(len(values))
    for first in range(0, len(values), LOOK_UP_ROWS):
        block = values[first : first + LOOK_UP_ROWS]
        places = starts.take(_cells(block, levels[0], scale, n_cells))
        late = np.flatnonzero(padded.take(places) <= block)
        for _ in range(MAX_SWEEPS):
            places[late] += 1
            late = late[padded.take(places[late], mode="clip") <= block[late]]
        places[late] = np.searchsorted(levels, block[late], side="right")
        shares[first : first + LOOK_UP_ROWS] = mass.take(places)
    return shares


def _cells(values: Array, origin: float, scale: float, n_cells: int) -> NDArray[np.intp]:
    with np.errstate(over="ignore"):
        positions = (values - origin) * scale
    return np.clip(positions, 0, n_cells - 1, out=positions).astype(np.intp)
