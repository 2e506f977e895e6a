"""Continuous latent traits, alone or within latent classes: their likelihood and its maximum."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import norm, qmc

from afterfit.categorical._indicators import PRIOR_ROWS, Indicators, Score, row_posteriors

FloatArray = NDArray[np.float64]

# A trait's loadings are normal a priori with this precision; its fit takes so many steps.
RIDGE = 0.05
TRAIT_STEPS = 100

# Points that stand for the normal distribution of one, two, and of more traits.
POINTS = (21, 11, 256)


def trait_score(
    table: Indicators,
    n_traits: int,
    responsibilities: FloatArray | None = None,
    *,
    skewed: int = 0,
) -> Score:
    """Return the score of normal traits that shift the log odds of all categories.

    With `responsibilities` (n, K) there are K classes beside, that the traits are added to. A
    trait `skewed` to the right (1) or left (-1) has an exponential distribution.
    """
    points, log_weight = _skewed_points() if skewed else _points(n_traits)
    points = -points if skewed < 0 else points
    start = np.ones((len(table.cells), 1)) if responsibilities is None else responsibilities
    n_classes = start.shape[1]
    # Loadings are charged as the differences of as many equal classes and one more would be.
    equal = np.full(n_traits + 1, table.total / (n_traits + 1))
    a_column = table.charge(equal) + table.charge(table.weights @ start)
    kept = np.ones(len(table.sizes), dtype=bool)
    while True:
        part = table if kept.all() else table.only(kept)
        gains, worth = _Traits(part, points, log_weight, n_classes).fit(start)
        charges = (part.sizes - 1) * a_column
        poor = worth < charges
        if not poor.any() or poor.all():
            break
        kept[np.flatnonzero(kept)[poor]] = False
    # Shares of classes; and rotations of the traits change nothing.
    more = n_classes - 1 - n_traits * (n_traits - 1) / 2
    charge = float(charges.sum()) + more * np.log(table.total) / 2
    return Score(gains, float(table.weights @ gains) - charge)


class _Traits:
    """The likelihood of classes and normal traits, on points, and its maximum."""

    def __init__(
        self, table: Indicators, points: FloatArray, log_weight: FloatArray, n_classes: int
    ) -> None:
        self.table, self.points, self.log_weight = table, points, log_weight
        self.n_classes = n_classes
        self.shape = (n_classes + points.shape[1], len(table.shares))
        self.log_shares = np.log(table.shares)

    def ratios(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return log ratios of categories and log shares at each (class, point)."""
        effects = x[self.n_classes :].reshape(self.shape)
        classes, loadings = effects[: self.n_classes], effects[self.n_classes :]
        logits = (classes[:, None] + self.points @ loadings + self.log_shares).reshape(
            -1, self.shape[1]
        )
        starts, column = self.table.starts, self.table.column
        logits -= np.maximum.reduceat(logits, starts, axis=1)[:, column]
        logits -= np.log(np.add.reduceat(np.exp(logits), starts, axis=1))[:, column]
        shares = x[: self.n_classes] - np.logaddexp.reduce(x[: self.n_classes])
        return logits, (shares[:, None] + self.log_weight).ravel()

    def objective(self, x: FloatArray) -> tuple[float, FloatArray]:
        """Return the mean of minus the log likelihood, with its prior, and the gradient."""
        table = self.table
        logits, log_share = self.ratios(x)
        gains, posterior = row_posteriors(table.cells @ (logits - self.log_shares).T + log_share)
        posterior *= table.weights[:, None]
        surplus = posterior.T @ table.cells
        at = posterior.sum(axis=0)
        surplus -= at[:, None] * np.exp(logits)
        surplus = surplus.reshape(self.n_classes, len(self.points), -1)
        effects = x[self.n_classes :]
        to_classes = surplus.sum(axis=1)
        to_loadings = self.points.T @ surplus.sum(axis=0)
        slope = np.concatenate([to_classes, to_loadings]).ravel() - RIDGE * effects
        of_class = at.reshape(self.n_classes, -1).sum(axis=1)
        share = np.exp(x[: self.n_classes] - np.logaddexp.reduce(x[: self.n_classes]))
        gradient = np.concatenate([of_class - table.total * share, slope])
        value = float(table.weights @ gains) - RIDGE * float(effects @ effects) / 2
        return -value / table.total, -gradient / table.total

    def fit(self, responsibilities: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the gains of the units, and what each column adds to them."""
        table = self.table
        found = minimize(
            self.objective,
            self._start(responsibilities),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": TRAIT_STEPS, "ftol": 1e-7},
        )
        logits, log_share = self.ratios(found.x)
        ratios = logits - self.log_shares
        gains, posterior = row_posteriors(table.cells @ ratios.T + log_share)
        counts = (posterior * table.weights[:, None]).T @ table.cells
        return gains, table.by_column((counts * ratios).sum(axis=0))

    def _start(self, responsibilities: FloatArray) -> FloatArray:
        table = self.table
        weighted = responsibilities * table.weights[:, None]
        of_class = weighted.sum(axis=0)
        counts = weighted.T @ table.cells
        classes = np.log((counts / table.shares + PRIOR_ROWS) / (of_class[:, None] + PRIOR_ROWS))
        scale = np.sqrt(table.shares)
        mean = counts / of_class[:, None]
        centred = (table.cells - responsibilities @ mean) / scale
        covariance = (centred * table.weights[:, None]).T @ centred
        _, axes = np.linalg.eigh(covariance)
        loadings = 0.3 * axes[:, : -self.points.shape[1] - 1 : -1].T * 1.0
        return np.concatenate([np.log(of_class / table.total), classes.ravel(), loadings.ravel()])


def _points(n_traits: int) -> tuple[FloatArray, FloatArray]:
    """Return points of the standard normal distribution, (points, n_traits), and log weights."""
    if n_traits > 2:
        uniform = qmc.Sobol(n_traits, seed=0).random(POINTS[2])
        points = norm.ppf(np.clip(uniform, 1e-6, 1 - 1e-6))
        return points, np.full(len(points), -np.log(len(points)))
    x, weight = np.polynomial.hermite_e.hermegauss(POINTS[n_traits - 1])
    grid = np.stack(np.meshgrid(*[x] * n_traits, indexing="ij"), axis=-1).reshape(-1, n_traits)
    product = np.stack(np.meshgrid(*[weight] * n_traits, indexing="ij"), axis=-1).prod(axis=-1)
    product = product.ravel() / product.sum()
    near = product > 1e-7
    return grid[near], np.log(product[near] / product[near].sum())


def _skewed_points() -> tuple[FloatArray, FloatArray]:
    """Return points of the exponential distribution less its mean, (points, 1), and log weights."""
    x, weight = np.polynomial.laguerre.laggauss(POINTS[0])
    near = weight > 1e-7
    return x[near, None] - 1, np.log(weight[near] / weight[near].sum())
