"""The exact null distribution of Roy's largest root, far into its tail.

The joint density of the s squared canonical correlations of independent Gaussian sets is
proportional to the product of x^m (1 - x)^n over the roots, times the product of their differences.
By de Bruijn's identity, P(all <= theta) is then a ratio of two Pfaffians of skew-symmetric
matrices, A(theta) and A(1), of integrals of basis functions with sign(y - x); Chiani (2016) writes
them with monomials and incomplete beta functions, which lose all digits in double precision from
about ten roots on. Here the basis is orthonormal (Jacobi polynomials in x = sin(t)^2) and the
integrals are Gauss-Legendre sums, which keeps A(1) well-conditioned; and the difference
A(1) - A(theta) is integrated by itself over the tail, which keeps small probabilities accurate.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray
from scipy import special, stats

Array = NDArray[np.float64]

# Gauss-Legendre nodes a panel; panels on each side of theta, and one more for so many functions.
NODES = 24
PANELS = 16
FUNCTIONS_A_PANEL = 4
# Below about this probability the difference of two log determinants is not accurate enough.
SMALL_TAIL = 1e-3
# How far beyond the bulk the density is followed, in units of its own width 1 / sqrt(n).
REACH = 15.0


def largest_root_tail(square: float, s: int, m: float, n: float) -> float:
    """Return P(largest squared correlation > `square`) for s roots and Roy's parameters m, n."""
    if s == 1:
        return float(stats.beta.sf(square, m + 1, n + 1))
    theta = float(np.arcsin(np.sqrt(square)))
    low, high = _range_of_mass(theta, s, m, n)
    if theta <= low:
        return 1.0
    n_panels = PANELS + s // FUNCTIONS_A_PANEL
    (head, head_skew), (tail, tail_skew) = (
        _integrals(_basis(_panels(*ends, n_panels), s, m, n), (ends[1] - ends[0]) / n_panels)
        for ends in ((low, theta), (theta, high))
    )
    # B = A(1) - A(theta), and A(theta) from the head alone; for odd s with a border of integrals.
    crossed = np.outer(head, tail)
    difference = _bordered(tail_skew + crossed - crossed.T, tail)
    whole = _bordered(head_skew, head) + difference
    log_probability = 0.5 * _log_determinant_ratio(whole, difference)
    return min(1.0, max(0.0, -float(np.expm1(log_probability))))


def _log_determinant_ratio(whole: Array, difference: Array) -> float:
    """Return log det(whole - difference) - log det(whole), to full accuracy near 0."""
    sign, log_determinant = np.linalg.slogdet(whole - difference)
    coarse = float(log_determinant - np.linalg.slogdet(whole)[1]) if sign > 0 else -np.inf
    if coarse < -SMALL_TAIL:
        return coarse
    # Over the eigenvalues of K in det(1 - K); NumPy's complex log1p is not accurate near 0.
    values = np.linalg.eigvals(np.linalg.solve(whole, difference))
    return 0.5 * float(np.log1p(np.abs(values) ** 2 - 2 * values.real).sum())


def _range_of_mass(theta: float, s: int, m: float, n: float) -> tuple[float, float]:
    total = 2 * (m + n + s) + 1  # n_samples - 1
    first = np.arcsin(np.sqrt((s - 0.5) / total))
    second = np.arcsin(np.sqrt(min(1.0, (2 * m + s + 0.5) / total)))
    width = REACH / np.sqrt(total)
    low = max(0.0, second - first - width)
    high = min(np.pi / 2, max(theta, first + second) + width)
    return float(low), float(high)


def _panels(low: float, high: float, n_panels: int) -> Array:
    """Return the nodes of all panels, (n_panels, NODES)."""
    nodes, _, _ = _quadrature()
    edges = np.linspace(low, high, n_panels + 1)
    half = 0.5 * np.diff(edges)[:, np.newaxis]
    return np.asarray(edges[:-1, np.newaxis] + half * (1.0 + nodes))


def _basis(t: Array, s: int, m: float, n: float) -> Array:
    """Return s orthonormal functions of the angle t, (s, n_panels, NODES)."""
    # sin(t)^(2m+1) cos(t)^(2n+1) times the orthonormal Jacobi polynomials in x = sin(t)^2 of
    # weight x^beta (1 - x)^alpha.
    alpha, beta = 2 * n + 0.5, 2 * m + 0.5
    x = np.sin(t) ** 2
    log_start = (
        special.xlogy(2 * m + 1, np.sin(t))
        + special.xlogy(2 * n + 1, np.cos(t))
        - 0.5 * special.betaln(alpha + 1, beta + 1)
    )
    centres, steps = _jacobi_recurrence(s, alpha, beta)
    functions = np.zeros((s, *t.shape))
    functions[0] = np.exp(log_start)
    before = np.zeros_like(t)
    for k in range(s - 1):
        following = (x - centres[k]) * functions[k] - steps[k] * before
        before = functions[k]
        functions[k + 1] = following / steps[k + 1]
    return functions


def _jacobi_recurrence(s: int, alpha: float, beta: float) -> tuple[Array, Array]:
    k = np.arange(1, s)
    both = alpha + beta
    centres = np.empty(s)
    centres[0] = (beta + 1) / (both + 2)
    centres[1:] = (2 * k * (k + both + 1) + both * (beta + 1)) / (
        (2 * k + both) * (2 * k + both + 2)
    )
    steps = np.zeros(s)  # steps[0] multiplies nothing
    steps[1] = (1 + alpha) * (1 + beta) / ((2 + both) ** 2 * (3 + both))
    k = k[1:]
    steps[2:] = k * (k + alpha) * (k + beta) * (k + both)
    steps[2:] /= (2 * k + both) ** 2 * (2 * k + both + 1) * (2 * k + both - 1)
    return centres, np.sqrt(steps)


def _integrals(functions: Array, width: float) -> tuple[Array, Array]:
    """Return the integrals of the functions, and of pairs of them times sign(y - x)."""
    _, weights, running = _quadrature()
    half = width / 2
    within = half * functions @ running
    panel = half * functions @ weights  # (s, n_panels)
    before = np.cumsum(panel, axis=1) - panel
    cumulative = within + before[:, :, np.newaxis]
    total = panel.sum(axis=1)
    s = len(functions)
    weighted = (functions * (half * weights)).reshape(s, -1)
    pairs = weighted @ cumulative.reshape(s, -1).T  # i at x, j below x
    return total, pairs.T - pairs


@cache
def _quadrature() -> tuple[Array, Array, Array]:
    """Return Gauss-Legendre nodes and weights, and the matrix of integrals up to each node."""
    nodes, weights = legendre.leggauss(NODES)
    to_series = (legendre.legvander(nodes, NODES - 1) * weights[:, np.newaxis]).T
    to_series *= (np.arange(NODES) + 0.5)[:, np.newaxis]
    running = legendre.legval(nodes, legendre.legint(to_series, lbnd=-1))
    return nodes, weights, np.asarray(running)  # values @ running: (from, to)


def _bordered(skew: Array, border: Array) -> Array:
    if len(border) % 2 == 0:
        return skew
    return np.block([[skew, border[:, np.newaxis]], [-border, np.zeros(1)]])
