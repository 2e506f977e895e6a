"""Wachter's law: the canonical correlations of two independent sides."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from afterfit._validation import as_float_array, check_integer

# Points at which the distribution function is tabulated for its quantiles.
QUANTILE_GRID = 4097


def null_edge(n_samples: int, p: int, q: int) -> float:
    """Return the largest canonical correlation to expect of two independent sides.

    Parameters
    ----------
    n_samples : int
        Number of rows, at least 2.
    p, q : int
        Numbers of columns (ranks) of the two sides, between 1 and `n_samples` - 1.

    Returns
    -------
    float
        Upper edge of Wachter's law, in (0, 1]; 1 where `p` + `q` >= `n_samples` - 1.

    Raises
    ------
    TypeError
        If an argument is not an integer.
    ValueError
        If an argument is out of its range.

    See Also
    --------
    null_density : The whole law.

    Notes
    -----
    With a = p / (n - 1) and b = q / (n - 1), the squared edge is
    (sqrt(a (1 - b)) + sqrt(b (1 - a)))^2 [1]_. The columns are centred, which costs one of the n
    rows. The edge is a limit for large n, p and q. The first correlation of a finite sample
    lies near it, mostly a little below, and fluctuates on the scale n^(-2/3) [2]_.

    References
    ----------
    .. [1] Wachter, K. W. (1980). The limiting empirical measure of multiple discriminant ratios.
       Annals of Statistics 8, 937-957.
    .. [2] Johnstone, I. M. (2008). Multivariate analysis and Jacobi ensembles: largest eigenvalue,
       Tracy-Widom limits and rates of convergence. Annals of Statistics 36, 2638-2716.

    Examples
    --------
    >>> from afterfit.cca import null_edge
    >>> round(null_edge(2000, 100, 50), 3)
    0.375
    """
    a, b = _ratios(n_samples, p, q)
    return 1.0 if a + b >= 1.0 else float(np.sqrt(_squared_edges(a, b)[1]))


def null_density(rho: ArrayLike, n_samples: int, p: int, q: int) -> Any:
    """Return the density at `rho` of the canonical correlations of two independent sides.

    Parameters
    ----------
    rho : array-like of float
        Correlations in [0, 1], of any shape.
    n_samples : int
        Number of rows, at least 2.
    p, q : int
        Numbers of columns (ranks) of the two sides, between 1 and `n_samples` - 1.

    Returns
    -------
    ndarray or float
        Density at each `rho`, of its shape; a float for a scalar. It integrates to 1 over
        [0, 1], except where `p` + `q` > `n_samples` - 1: then a share
        (p + q - n + 1) / min(p, q) of the correlations is exactly 1, and this holds the rest.

    Raises
    ------
    TypeError
        If an argument is not numeric.
    ValueError
        If an argument is out of its range.

    See Also
    --------
    null_edge : Where the law ends.

    Notes
    -----
    Wachter's law [1]_, for the correlations (not their squares): with a = min(p, q) / (n - 1),
    b = max(p, q) / (n - 1) and the squared edges l and u,
    f(rho) = sqrt((u - rho^2) (rho^2 - l)) / (pi a rho (1 - rho^2)) between the edges.

    References
    ----------
    .. [1] Wachter, K. W. (1980). The limiting empirical measure of multiple discriminant ratios.
       Annals of Statistics 8, 937-957.

    Examples
    --------
    >>> from afterfit.cca import null_density
    >>> null_density([0.1, 0.2, 0.4], 2000, 100, 50).round(2)
    array([3.46, 3.96, 0.  ])
    """
    a, b = _ratios(n_samples, p, q)
    values = _check_correlations(rho)
    lower, upper = _squared_edges(a, b)
    squares = values**2
    inside = (squares < upper) & (squares >= lower)
    density = np.zeros_like(values)
    x, r = squares[inside], values[inside]
    # For equal widths the lower edge is 0 and sqrt(rho^2 - l) / rho is 1, also at rho = 0.
    rise = 1.0 if lower == 0.0 else np.sqrt(x - lower) / r
    density[inside] = np.sqrt(upper - x) * rise / (np.pi * min(a, b) * (1.0 - x))
    return density if density.ndim else float(density)


def null_quantiles(n_samples: int, p: int, q: int) -> NDArray[np.float64]:
    """Return what each root, from the first on, is expected to be under independence."""
    a, b = _ratios(n_samples, p, q)
    n_forced = max(0, p + q - (n_samples - 1))
    n_free = min(p, q) - n_forced
    if n_free == 0:
        return np.ones(n_forced)
    lower, upper = _squared_edges(a, b)
    # The substitution takes the square roots at both edges out of the integrand.
    angle = np.linspace(0.0, np.pi / 2, QUANTILE_GRID)
    squares = lower + (upper - lower) * np.sin(angle) ** 2
    middle = 0.5 * (squares[1:] + squares[:-1])
    mass = null_density(np.sqrt(middle), n_samples, p, q) * np.diff(np.sqrt(squares))
    cumulative = np.concatenate([[0.0], np.cumsum(mass)]) / mass.sum()
    levels = 1.0 - (np.arange(n_free) + 0.5) / n_free
    free = np.interp(levels, cumulative, np.sqrt(squares))
    return np.concatenate([np.ones(n_forced), free])


def _ratios(n_samples: int, p: int, q: int) -> tuple[float, float]:
    n_samples = check_integer(n_samples, "n_samples", low=2)
    degrees = n_samples - 1
    p = check_integer(p, "p", low=1, high=degrees)
    q = check_integer(q, "q", low=1, high=degrees)
    return p / degrees, q / degrees


def _squared_edges(a: float, b: float) -> tuple[float, float]:
    first, second = np.sqrt(a * (1.0 - b)), np.sqrt(b * (1.0 - a))
    return float((first - second) ** 2), float(min((first + second) ** 2, 1.0))


def _check_correlations(rho: ArrayLike) -> NDArray[np.float64]:
    values = as_float_array(rho, "rho")
    wrong = ~((values >= 0.0) & (values <= 1.0))
    if wrong.any():
        raise ValueError(
            f"`rho` must lie in [0, 1], got {float(values[wrong].flat[0])!r} "
            f"({int(wrong.sum())} value(s) outside)."
        )
    return values
