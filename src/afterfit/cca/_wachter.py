"""Wachter's distribution: the canonical correlations of two independent sets."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg

from afterfit._validation import as_float_array, check_integer

# Tables of noise that the band of a figure is drawn from (a fifth of them from 250 roots on).
BAND_TABLES = 1000


def null_edge(n_samples: int, p: int, q: int) -> float:
    """Return the largest canonical correlation to expect of two independent sets.

    Parameters
    ----------
    n_samples : int
        Number of rows, at least 2.
    p, q : int
        Numbers of columns (ranks) of the two sets, between 1 and `n_samples` - 1.

    Returns
    -------
    float
        Upper edge of Wachter's distribution, in (0, 1]; 1 where `p` + `q` >= `n_samples` - 1.

    Raises
    ------
    TypeError
        If an argument is not an integer.
    ValueError
        If an argument is out of its range.

    See Also
    --------
    null_density : The whole distribution.

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
    """Return the density at `rho` of the canonical correlations of two independent sets.

    Parameters
    ----------
    rho : array-like of float
        Correlations in [0, 1], of any shape.
    n_samples : int
        Number of rows, at least 2.
    p, q : int
        Numbers of columns (ranks) of the two sets, between 1 and `n_samples` - 1.

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
    null_edge : Where the distribution ends.

    Notes
    -----
    Wachter's distribution [1]_ of the correlations (not their squares): a = min(p, q) / (n - 1),
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


def null_band(n_samples: int, p: int, q: int) -> NDArray[np.float64]:
    """Return between what 95 % of each root lie, from the first on, of independent normal sets.

    From simulated tables with a fixed seed: their squared roots are the squared singular values of
    a bidiagonal matrix of beta variates (Edelman and Sutton, 2008).
    """
    total = n_samples - 1
    n_forced = max(0, p + q - total)
    # What is left beside forced roots are the roots of the orthogonal complements.
    p, q = (p, q) if n_forced == 0 else (total - q, total - p)
    r, a, b = min(p, q), abs(p - q), total - p - q
    if r == 0:
        return np.ones((2, n_forced))
    i = np.arange(r, 0, -1)
    shape = (min(BAND_TABLES, max(BAND_TABLES // 5, 50 * BAND_TABLES // r)), r)
    rng = np.random.default_rng(0)
    squares = rng.beta((a + i) / 2, (b + i) / 2, size=shape)
    beside = np.ones(shape)
    beside[:, 1:] = 1.0 - rng.beta(i[1:] / 2, (a + b + 1 + i[1:]) / 2, size=(shape[0], r - 1))
    # B'B of the bidiagonal B with diagonal sqrt(squares beside) and the rest of its rows above it.
    diagonal = squares * beside
    above = (1.0 - squares[:, :-1]) * (1.0 - beside[:, 1:])
    diagonals = diagonal.copy()
    diagonals[:, 1:] += above
    beside_diagonal = -np.sqrt(diagonal[:, :-1] * above)
    roots = [
        linalg.eigvalsh_tridiagonal(*both) if r > 1 else both[0]
        for both in zip(diagonals, beside_diagonal, strict=True)
    ]
    free = np.sqrt(np.clip(roots, 0.0, 1.0))[:, ::-1]
    band = np.ones((2, n_forced + r))
    band[:, n_forced:] = np.quantile(free, [0.025, 0.975], axis=0)
    return band


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
