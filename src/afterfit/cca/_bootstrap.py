"""Bootstrap intervals of canonical correlations, and standard errors of loadings.

A resample gives each row (or each group of rows) a count. All that is needed of it are the weighted
products of the canonical variates of both sets and the covariates: small matrices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize, special

from afterfit._arrays import like, namespace, to_numpy
from afterfit._validation import check_integer, check_random_state, check_real
from afterfit.cca._whitening import Coupling, check_groups, couple, cross_products

Array = NDArray[np.float64]

# Correlations above this count as this, so that their arctanh is finite.
LARGEST = 1.0 - 1e-12


@dataclass(frozen=True)
class BootstrapResult:
    """Canonical correlations with intervals, and standard errors of the loadings.

    Attributes
    ----------
    correlations : ndarray of shape (n_roots,)
        Canonical correlations of the data.
    low, high : ndarray of shape (n_roots,)
        Ends of the interval of each.
    x_loadings_error, y_loadings_error : ndarray of shape (n_features, n_roots)
        Standard errors of the loadings.
    confidence_level : float
        What share of intervals is to hold the true correlation.
    n_resamples : int
        Number of resamples.

    See Also
    --------
    bootstrap_cca : Returns one.
    """

    correlations: Array
    low: Array
    high: Array
    x_loadings_error: Array
    y_loadings_error: Array
    confidence_level: float
    n_resamples: int


def bootstrap_cca(
    X: Any,
    Y: Any,
    *,
    covariates: Any = None,
    groups: Any = None,
    confidence_level: float = 0.95,
    n_resamples: int = 999,
    random_state: Any = None,
) -> BootstrapResult:
    """Return intervals of the canonical correlations and standard errors of the loadings.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features_x)
        One set of columns.
    Y : array-like of shape (n_samples, n_features_y)
        The other set, for the same rows in the same order.
    covariates : array-like of shape (n_samples, n_covariates), default None
        What is taken out of both sets, beside the constant, of each resample.
    groups : array-like of shape (n_samples,), default None
        Labels of rows that belong together: whole groups are drawn.
    confidence_level : float, default 0.95
        What share of the intervals is to hold the true correlation, in (0, 1).
    n_resamples : int, default 999
        Number of resamples, at least 2.
    random_state : None, int, Generator or RandomState, default None
        Source of the resamples.

    Returns
    -------
    BootstrapResult
        With `low`, `high` and the errors of the loadings, a root each.

    Raises
    ------
    TypeError
        If `X` or `Y` is not numeric, or an argument of the wrong type.
    ValueError
        If `X` or `Y` is not 2-dimensional, has missing or infinite values or no column that varies,
        if the numbers or the indexes of the rows differ, an argument is out of its range, or a
        resample would hold too few distinct rows.

    See Also
    --------
    permutation_test : Whether a correlation is more than noise: an interval does not say that.

    Notes
    -----
    The pairs of each resample are matched to those of the data, by their correlations with these,
    and given their signs. Canonical correlations are too large, and those of resamples larger
    still, so that quantiles of the latter are far off: of 200 rows with 12 and 3 columns such
    intervals hold true correlations of 0.8 and 0.5 in 66 % and 57 % of tables, those
    here in 97 % and 93 %. Here the mean shift from the data to the resamples is
    taken off, and the interval is normal, both on the scale of Fisher's arctanh(rho).

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from afterfit.cca import bootstrap_cca
    >>> data = load_linnerud()
    >>> found = bootstrap_cca(data.data[:, :2], data.target[:, :2], random_state=0)
    >>> bool(found.low[0] < 0.7 < found.high[0])
    True
    """
    level = check_real(confidence_level, "confidence_level", low=0.0, high=1.0, closed=False)
    n_resamples = check_integer(n_resamples, "n_resamples", low=2)
    generator = check_random_state(random_state)
    coupling = couple(X, Y, covariates)
    codes = _units(X, Y, groups, coupling)
    correlations = coupling.correlations()
    rho, x_loadings, y_loadings = _resample(coupling, codes, n_resamples, generator)
    observed, resampled = (np.arctanh(np.minimum(r, LARGEST)) for r in (correlations, rho))
    centre = 2.0 * observed - resampled.mean(axis=0)
    reach = special.ndtri(0.5 + level / 2) * resampled.std(axis=0, ddof=1)
    return BootstrapResult(
        correlations=correlations,
        low=np.maximum(np.tanh(centre - reach), 0.0),
        high=np.maximum(np.tanh(centre + reach), 0.0),
        x_loadings_error=x_loadings.std(axis=0, ddof=1),
        y_loadings_error=y_loadings.std(axis=0, ddof=1),
        confidence_level=level,
        n_resamples=n_resamples,
    )


def _units(X: Any, Y: Any, groups: Any, coupling: Coupling) -> NDArray[np.intp]:
    """Return which unit, a row or a group, each row is drawn with."""
    n_rows = coupling.x.n_values
    codes = np.arange(n_rows) if groups is None else check_groups(X, Y, groups, n_rows)
    n_units, n_needed = int(codes.max()) + 1, 2 * (coupling.x.rank + coupling.y.rank) + 10
    if n_units < n_needed:
        raise ValueError(
            f"`X` and `Y` of ranks {coupling.x.rank} and {coupling.y.rank} need at least "
            f"{n_needed} rows (or groups) to resample, got {n_units}."
        )
    return codes


def _resample(
    coupling: Coupling, codes: NDArray[np.intp], n_resamples: int, generator: np.random.Generator
) -> tuple[Array, Array, Array]:
    """Return the correlations and loadings of all resamples."""
    left, _, right = coupling.rotations(full=True)
    weights = coupling.x.whitener @ left, coupling.y.whitener @ right
    sides = list(zip((coupling.x, coupling.y), weights, strict=True))
    columns = [cross_products(side, own)[0].T for side, own in sides]
    parts = [side.times(own) for side, own in sides]
    xp = namespace(parts[0])
    constant = xp.ones_like(parts[0][:, :1]) if coupling.removed is None else coupling.removed
    variates = xp.concat([*parts, constant], axis=1)
    n_units = int(codes.max()) + 1
    drawn = []
    for _ in range(n_resamples):
        units = np.bincount(generator.integers(n_units, size=n_units), minlength=n_units)
        counts = like(units[codes, np.newaxis].astype(np.float64), variates)
        drawn.append(_of_resample(to_numpy(variates.T @ (variates * counts)), columns))
    rho, x_loadings, y_loadings = (np.array(part) for part in zip(*drawn, strict=True))
    return rho, x_loadings, y_loadings


def _of_resample(products: Array, columns: list[Array]) -> tuple[Array, Array, Array]:
    """Return correlations and loadings of weighted products of variates, matched to the data's."""
    p, both = len(columns[0]), len(columns[0]) + len(columns[1])
    beside = products[:both, both:]
    products = products[:both, :both] - beside @ np.linalg.solve(products[both:, both:], beside.T)
    own = products[:p, :p], products[p:, p:]
    factors = [np.linalg.cholesky(part).T for part in own]
    cosines = linalg.solve_triangular(factors[0], products[:p, p:], trans="T")
    cosines = linalg.solve_triangular(factors[1], cosines.T, trans="T").T
    left, rho, right = np.linalg.svd(cosines, full_matrices=False)
    # Correlations of the variates of the data with those of the resample, whose lengths are 1.
    scores = factors[0].T @ left, factors[1].T @ right.T
    alike = [
        (score / np.sqrt(np.diag(part))[:, np.newaxis])[: len(rho)]
        for score, part in zip(scores, own, strict=True)
    ]
    order = optimize.linear_sum_assignment(-np.abs(alike[0]) - np.abs(alike[1]))[1]
    signs = np.sign((alike[0] + alike[1])[np.arange(len(rho)), order])
    loadings = []
    for column, score, part in zip(columns, scores, own, strict=True):
        lengths = np.sqrt(np.sum((part @ column) * column, axis=0))
        lengths[lengths == 0.0] = np.inf  # constant columns
        loadings.append(column.T @ (score[:, order] * signs) / lengths[:, np.newaxis])
    return rho[order], loadings[0], loadings[1]
