"""Where the mass of a density lies that is known only as a function, and draws that cover it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import minimize
from scipy.special import logsumexp

from afterfit._densities import Density, checked_log_density

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

# The search for mass starts from 0 and from points up to this far away, in these steps.
SEARCH_STEPS = np.concatenate([[0.0], 10.0 ** np.arange(-4, 7)])
MAX_MODES = 8
MAX_STARTS = 3
MAX_DOUBLINGS = 60
NEGLIGIBLE_LOG = -50.0

# Proposals of importance sampling: Student's t with few degrees of freedom, slightly widened.
PROPOSAL_DF = 4.0
PROPOSAL_SCALE = 1.5
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
        X = np.empty((n, self.means.shape[1]))
        for k, component in enumerate(self._components()):
            rows = np.flatnonzero(which == k)
            if len(rows):
                X[rows] = component.rvs(size=len(rows), random_state=rng).reshape(len(rows), -1)
        return X

    def log_density(self, X: Array) -> Array:
        if self.box is not None:
            return np.full(len(X), -np.log(np.ptp(self.box, axis=1)).sum())
        parts = [np.reshape(component.logpdf(X), len(X)) for component in self._components()]
        return np.asarray(logsumexp(parts, axis=0) - np.log(len(parts)))

    def _components(self) -> list[stats._multivariate.multivariate_t_frozen]:
        return [
            stats.multivariate_t(mean, PROPOSAL_SCALE**2 * covariance, df=PROPOSAL_DF)
            for mean, covariance in zip(self.means, self.covariances, strict=True)
        ]


def fit_proposal(densities: list[Density], n_features: int, rng: np.random.Generator) -> Proposal:
    """Return a proposal that covers the mass of these densities, adapted to it by its own draws."""
    means, covariances = [], []
    for density in densities:
        modes = _modes(density, n_features)
        spreads = [_curvature_covariance(density, mode) for mode in modes]
        fitted = Proposal(np.array(modes), np.array(spreads))
        for _ in range(ADAPTATIONS):
            fitted = _adapted(fitted, density, rng)
        means.append(fitted.means)
        covariances.append(fitted.covariances)
    return Proposal(np.concatenate(means), np.concatenate(covariances))


def locate(density: Density, n_features: int) -> tuple[tuple[Array, ...], Array]:
    """Return coordinates that span the mass along each axis, and its modes, by looking for it."""
    modes = _modes(density, n_features)
    look: list[list[Array]] = [[] for _ in range(n_features)]
    for mode in modes:
        spread = np.sqrt(np.diag(_curvature_covariance(density, mode)))
        for axis in range(n_features):
            look[axis].append(_walk_out(density, mode, axis, float(spread[axis])))
    return tuple(np.unique(np.concatenate(parts)) for parts in look), np.array(modes)


def _lenient(density: Density, X: Array) -> Array:
    """Return log f where it is a number, else -inf: the search may look where f is not defined."""
    with np.errstate(all="ignore"):
        returned = np.asarray(density.evaluate(X[:, 0] if X.shape[1] == 1 else X), dtype=float)
        if returned.shape != (len(X),):
            checked_log_density(density, X[:, 0] if X.shape[1] == 1 else X)  # raises
        values = returned if density.gives_log else np.log(returned)
    return np.asarray(np.where(np.isnan(values), -np.inf, values))


def _modes(density: Density, n_features: int) -> list[Array]:
    """Return local maxima of the log density, found downhill from a wide cross of points."""
    if n_features <= 2:
        steps = np.unique(np.concatenate([-SEARCH_STEPS, SEARCH_STEPS]))
        grid = np.meshgrid(*[steps] * n_features, indexing="ij")
        starts = np.column_stack([axis.ravel() for axis in grid])
        shape: tuple[int, ...] = grid[0].shape
    else:
        steps = np.unique(np.concatenate([-SEARCH_STEPS, SEARCH_STEPS]))
        axes = np.concatenate([steps[:, None] * row for row in np.eye(n_features)])
        diagonal = steps[:, None] * np.ones(n_features)
        starts = np.unique(np.concatenate([axes, diagonal]), axis=0)
        shape = (len(starts),)
    values = _lenient(density, starts)
    if np.isneginf(values).all():
        raise ValueError(
            f"The density of {density.name} is zero at all {len(starts)} points where its mass "
            "was looked for; say where it lies with `region`, or give its logarithm with "
            '`values="log_density"`.'
        )
    candidates = _peaks(values.reshape(shape)) if n_features <= 2 else np.argsort(-values)
    at_most = MAX_MODES if n_features <= 2 else MAX_STARTS
    ordered = sorted(candidates.tolist(), key=lambda row: -values[row])[:at_most]
    return _distinct_modes([_climb(density, starts[row]) for row in ordered], density)


def _peaks(values: Array) -> Indices:
    padded = np.pad(values, 1, constant_values=-np.inf)
    peak = values > -np.inf
    for offset in np.ndindex(*[3] * values.ndim):
        shifted = tuple(slice(o, o + n) for o, n in zip(offset, values.shape, strict=True))
        peak &= values >= padded[shifted]
    return np.flatnonzero(peak)


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
            hessian[i, j] = hessian[j, i] = (values[0] - values[1] - values[2] + values[3]) / (
                widths[i] * widths[j]
            )
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
    return np.concatenate(kept)


def _adapted(proposal: Proposal, density: Density, rng: np.random.Generator) -> Proposal:
    X = proposal.sample(ADAPTATION_DRAWS, rng)
    log_weights = _lenient(density, X) - proposal.log_density(X)
    if not np.isfinite(log_weights).any():
        return proposal
    weights = np.exp(log_weights - log_weights.max())
    weights /= weights.sum()
    if 1.0 / np.sum(weights**2) < 5.0 * X.shape[1] or len(proposal.means) > 1:
        return proposal  # too few draws carry the weight for a covariance, or one is not enough
    mean = weights @ X
    centred = X - mean
    covariance = (weights[:, None] * centred).T @ centred
    return Proposal(mean[None, :], covariance[None, :, :])
