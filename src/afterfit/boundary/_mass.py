"""Where the mass of a density lies that is known only as a function, and draws that cover it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.optimize import minimize
from scipy.special import gammaln, logsumexp

from afterfit.boundary._densities import Density, checked_log_density

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

# The search for mass looks at 0 and between these distances from it, at so many a decade.
SEARCH_DECADES = (-4, 6)
STEPS_A_DECADE = {1: 64, 2: 6}
MAX_MODES = 8
MAX_STARTS = 3
MAX_DOUBLINGS = 60
NEGLIGIBLE_LOG = -50.0
EDGE_HALVINGS = 52

# Proposals of importance sampling: Student's t with few degrees of freedom, slightly widened. Half
# of the draws have the tails of a Cauchy distribution, so that no weight is unbounded.
PROPOSAL_DFS = (4.0, 1.0)
PROPOSAL_SCALE = 1.5
LEAST_EIGENVALUE = 1e-10  # of its correlations
ADAPTATIONS = 3
ADAPTATION_DRAWS = 4000


@dataclass(frozen=True)
class Proposal:
    """An equal mixture of Student's t distributions, or the uniform distribution on a box."""

    means: Array
    covariances: Array
    box: Array | None = None

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        if self.box is not None:
            return rng.uniform(self.box[:, 0], self.box[:, 1], size=(n, len(self.box)))
        which = rng.integers(len(self.means), size=n)
        df = np.array(PROPOSAL_DFS)[rng.integers(len(PROPOSAL_DFS), size=n)]
        z = rng.standard_normal((n, self.means.shape[1])) * np.sqrt(df / rng.chisquare(df))[:, None]
        X = np.empty_like(z)
        for k, (mean, (scale, roots, axes)) in enumerate(self._components()):
            rows = which == k
            X[rows] = mean + scale * ((z[rows] * roots) @ axes.T)
        return X

    def log_density(self, X: Array) -> Array:
        if self.box is not None:
            return np.full(len(X), -np.log(np.ptp(self.box, axis=1)).sum())
        d = X.shape[1]
        parts = []
        for mean, (scale, roots, axes) in self._components():
            squared = np.sum((((X - mean) / scale) @ axes / roots) ** 2, axis=1)
            log_size = np.log(scale).sum() + np.log(roots).sum()
            for df in PROPOSAL_DFS:
                constant = gammaln((df + d) / 2) - gammaln(df / 2) - 0.5 * d * np.log(df * np.pi)
                parts.append(constant - log_size - 0.5 * (df + d) * np.log1p(squared / df))
        return np.asarray(logsumexp(parts, axis=0) - np.log(len(parts)))

    def _components(self) -> list[tuple[Array, tuple[Array, Array, Array]]]:
        """Return means, scales, and roots and axes of the correlations: units may differ much."""
        components = []
        for mean, covariance in zip(self.means, self.covariances, strict=True):
            scale = np.sqrt(np.diag(covariance))
            values, axes = np.linalg.eigh(covariance / scale / scale[:, None])
            roots = np.sqrt(np.maximum(values, LEAST_EIGENVALUE))
            components.append((mean, (PROPOSAL_SCALE * scale, roots, axes)))
        return components


def fit_proposal(densities: list[Density], n_features: int, rng: np.random.Generator) -> Proposal:
    """Return a proposal that covers the mass of these densities, adapted to it by its own draws."""
    fitted = [_adapted(density, n_features, rng) for density in densities]
    return Proposal(
        np.concatenate([proposal.means for proposal in fitted]),
        np.concatenate([proposal.covariances for proposal in fitted]),
    )


def locate(density: Density, n_features: int) -> tuple[tuple[Array, ...], int]:
    """Return coordinates that span the mass along each axis, and at how many points it looked."""
    n_points = 0
    evaluate = density.evaluate

    def counted(X: Array) -> Any:
        nonlocal n_points
        n_points += len(X)
        return evaluate(X)

    density = replace(density, evaluate=counted)
    modes = _modes(density, n_features)
    look: list[list[Array]] = [[] for _ in range(n_features)]
    for mode in modes:
        spread = np.sqrt(np.diag(_curvature_covariance(density, mode)))
        for axis in range(n_features):
            look[axis].append(_walk_out(density, mode, axis, float(spread[axis])))
    return tuple(np.unique(np.concatenate(parts)) for parts in look), n_points


def _adapted(density: Density, n_features: int, rng: np.random.Generator) -> Proposal:
    """Return the proposal of largest effective sample size: about the modes, or as drawn."""
    modes = _modes(density, n_features)
    spreads = [_curvature_covariance(density, mode) for mode in modes]
    proposal = best = Proposal(np.array(modes), np.array(spreads))
    most = 0.0
    for _ in range(ADAPTATIONS + 1):
        X = proposal.sample(ADAPTATION_DRAWS, rng)
        log_weights = _lenient(density, X) - proposal.log_density(X)
        if not np.isfinite(log_weights).any():
            break
        weights = np.exp(log_weights - log_weights.max())
        weights /= weights.sum()
        effective = 1.0 / float(np.sum(weights**2))
        if effective <= most:
            break
        best, most = proposal, effective
        if effective < 5.0 * n_features or len(modes) > 1:
            break  # too few draws carry the weight for a covariance, or one is not enough
        mean = weights @ X
        covariance = (weights[:, None] * (X - mean)).T @ (X - mean)
        proposal = Proposal(mean[None, :], covariance[None, :, :])
    return best


def _lenient(density: Density, X: Array) -> Array:
    """Return log f where it is a number, else -inf: the search may look where f is not defined."""
    if len(X) == 0:  # not every function takes no rows
        return np.empty(0)
    with np.errstate(all="ignore"):
        returned = np.asarray(density.evaluate(X), dtype=float)
        if returned.shape != (len(X),):
            checked_log_density(density, X)  # raises
        values = returned if density.gives_log else np.log(returned)
    return np.asarray(np.where(np.isnan(values), -np.inf, values))


def _modes(density: Density, n_features: int) -> list[Array]:
    """Return local maxima of the log density, found downhill from a wide cross of points."""
    low, high = SEARCH_DECADES
    n_steps = (high - low) * STEPS_A_DECADE.get(n_features, 1) + 1
    outward = np.logspace(low, high, n_steps)
    steps = np.concatenate([-outward[::-1], [0.0], outward])
    if n_features <= 2:
        grid = np.meshgrid(*[steps] * n_features, indexing="ij")
        starts = np.column_stack([axis.ravel() for axis in grid])
        shape: tuple[int, ...] = grid[0].shape
    else:
        axes = np.concatenate([steps[:, None] * row for row in np.eye(n_features)])
        diagonal = steps[:, None] * np.ones(n_features)
        starts = np.unique(np.concatenate([axes, diagonal]), axis=0)
        shape = (len(starts),)
    values = _lenient(density, starts)
    if np.isneginf(values).all():
        underflow = (
            "" if density.gives_log else ', or give its logarithm with `values="log_density"`'
        )
        raise ValueError(
            f"The density of {density.name} is zero at all {len(starts)} points where its mass "
            f"was looked for; say where it lies with `region`{underflow}."
        )
    candidates = _peaks(values.reshape(shape)) if n_features <= 2 else np.argsort(-values)
    at_most = MAX_MODES if n_features <= 2 else MAX_STARTS
    ordered = sorted(candidates.tolist(), key=lambda row: -values[row])[:at_most]
    return _distinct_modes([_climb(density, starts[row]) for row in ordered], density)


def _peaks(values: Array) -> Indices:
    """Return, as flat indices, the middles of the plateaus that no neighbour tops."""
    highest = ndimage.maximum_filter(values, size=3)
    peak = (values == highest) & (values > -np.inf)
    plateau, n_plateaus = ndimage.label(peak, structure=np.ones([3] * values.ndim))
    middles = []
    for number in range(1, n_plateaus + 1):
        members = np.argwhere(plateau == number)
        middles.append(members[np.abs(members - members.mean(axis=0)).sum(axis=1).argmin()])
    return np.asarray(np.ravel_multi_index(tuple(np.transpose(middles)), values.shape))


def _climb(density: Density, start: Array) -> Array:
    scale = np.maximum(np.abs(start), 1e-2)
    here = start
    for _ in range(3):
        simplex = np.vstack([here, here + 0.3 * np.diag(scale)])
        best = minimize(
            lambda x: -float(_lenient(density, np.atleast_2d(x))[0]),
            here,
            method="Nelder-Mead",
            options={"initial_simplex": simplex, "xatol": 1e-5, "fatol": 1e-5, "maxiter": 4000},
        )
        here = np.asarray(best.x)
    return here


def _distinct_modes(modes: list[Array], density: Density) -> list[Array]:
    kept: list[Array] = []
    heights = {}
    for mode in modes:
        spread = np.sqrt(np.diag(_curvature_covariance(density, mode)))
        if all((np.abs(mode - other) > 0.1 * spread).any() for other in kept):
            heights[len(kept)] = float(_lenient(density, mode[None, :])[0])
            kept.append(mode)
    return kept


def _curvature_covariance(density: Density, mode: Array) -> Array:
    """Return the inverse of minus the Hessian of log f at a mode, or squared widths if flat."""
    widths = np.array([_width(density, mode, axis) for axis in range(len(mode))])
    d = len(mode)
    hessian = np.empty((d, d))
    for i in range(d):
        for j in range(i, d):
            a, b = widths[i] * np.eye(d)[i], widths[j] * np.eye(d)[j]
            points = mode + 0.5 * np.array([a + b, a - b, b - a, -a - b])
            values = _lenient(density, points)
            with np.errstate(invalid="ignore"):  # beyond a support
                bend = values[0] - values[1] - values[2] + values[3]
            hessian[i, j] = hessian[j, i] = bend / (widths[i] * widths[j])
    if np.isfinite(hessian).all():
        eigenvalues, vectors = np.linalg.eigh(-hessian * np.outer(widths, widths))
        if eigenvalues.min() > 1e-6:
            scaled = (vectors / eigenvalues) @ vectors.T
            return np.asarray(scaled * np.outer(widths, widths))
    return np.diag(widths**2)


def _width(density: Density, mode: Array, axis: int) -> float:
    """Return how far from the mode, along an axis, the log density has fallen by 1/2."""
    top = float(_lenient(density, mode[None, :])[0])
    unit = np.eye(len(mode))[axis]
    reach = 10.0 ** np.linspace(-8, 8, 65) * max(1.0, 1e-3 * float(np.abs(mode).max()))
    widths = []
    for sign in (-1.0, 1.0):
        values = _lenient(density, mode + sign * reach[:, None] * unit)
        fallen = np.flatnonzero(values < top - 0.5)
        if len(fallen):
            widths.append(float(reach[fallen[0]]))
    return max(widths) if widths else 1.0


def _walk_out(density: Density, mode: Array, axis: int, spread: float) -> Array:
    """Return coordinates from the mode outwards, until no mass can be left beyond them."""
    unit = np.eye(len(mode))[axis]
    top = float(_lenient(density, mode[None, :])[0])
    reach = spread * np.concatenate(
        [[1.0, 2.5, 5.0, 9.0], 9.0 * 2.0 ** np.arange(1, MAX_DOUBLINGS)]
    )
    kept = [np.array([mode[axis]])]
    for sign in (-1.0, 1.0):
        values = _lenient(density, mode + sign * reach[:, None] * unit)
        beyond = values + np.log(reach / spread) < top + NEGLIGIBLE_LOG
        last = int(np.flatnonzero(beyond)[0]) if beyond.any() else len(reach) - 1
        kept.append(mode[axis] + sign * reach[: max(last, 3) + 1])
        edges = np.flatnonzero(np.diff(np.isfinite(np.append(top, values))))
        low, high = np.append(0.0, reach)[[edges, edges + 1]]
        kept.append(mode[axis] + sign * _edges(density, mode, sign * unit, low, high))
    return np.concatenate(kept)


def _edges(density: Density, mode: Array, direction: Array, low: Array, high: Array) -> Array:
    """Return how far from the mode the support begins or ends, between `low` and `high` each."""
    starts_inside = np.isfinite(_lenient(density, mode + low[:, None] * direction))
    for _ in range(EDGE_HALVINGS if len(low) else 0):
        middle = 0.5 * (low + high)
        inside = np.isfinite(_lenient(density, mode + middle[:, None] * direction))
        low = np.where(inside == starts_inside, middle, low)
        high = np.where(inside == starts_inside, high, middle)
    return high
