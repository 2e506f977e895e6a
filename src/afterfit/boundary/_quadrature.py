"""Adaptive integration over panels, within a budget of evaluations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

# Gauss-Kronrod, 7 and 15 points on [-1, 1] (QUADPACK, Piessens et al. 1983); positive half.
_KRONROD_NODES = np.array(
    [
        0.991455371120812639206854697526329,
        0.949107912342758524526189684047851,
        0.864864423359769072789712788640926,
        0.741531185599394439863864773280788,
        0.586087235467691130294144691693013,
        0.405845151377397166906606412076961,
        0.207784955007898467600689403773245,
        0.000000000000000000000000000000000,
    ]
)
_KRONROD_WEIGHTS = np.array(
    [
        0.022935322010529224963732008058970,
        0.063092092629978553290700663189204,
        0.104790010322250183839876322541518,
        0.140653259715525918745189590510238,
        0.169004726639267902826583426598550,
        0.190350578064785409913256402421014,
        0.204432940075298892414161999234649,
        0.209482141084727828012999174891714,
    ]
)
_GAUSS_WEIGHTS = np.array(
    [
        0.129484966168869693270611432679082,
        0.279705391489276667901467771423780,
        0.381830050505118944950369775488975,
        0.417959183673469387755102040816327,
    ]
)
NODES = np.concatenate([-_KRONROD_NODES[:-1], _KRONROD_NODES[::-1]])
KRONROD = np.concatenate([_KRONROD_WEIGHTS[:-1], _KRONROD_WEIGHTS[::-1]])
GAUSS = np.zeros(15)
GAUSS[1::2] = np.concatenate([_GAUSS_WEIGHTS[:-1], _GAUSS_WEIGHTS[::-1]])

# A panel is done when its estimated error is below this fraction of the whole tolerance.
PANEL_SHARE = 1 / 64
MAX_HALVINGS = 40


@dataclass
class Counter:
    """Sorted joints by points, at a count; some evaluations may be reserved for what must follow.

    The columns of `controlled` are the weights of the integrals whose error is watched.
    """

    evaluate: Callable[[Array], Array]
    controlled: Array
    at_most: int
    n: int = 0
    reserved: int = 0
    exhausted: bool = False  # whether something was left undone for lack of evaluations

    def __call__(self, X: Array) -> Array:
        self.n += len(X)
        return self.evaluate(X)

    @property
    def left(self) -> int:
        return max(self.at_most - self.n - self.reserved, 0)

    def affords(self, n: int) -> bool:
        """Tell whether so many evaluations are left, and remember if not."""
        self.exhausted |= n > self.left
        return n <= self.left


def integrate_panels(
    f: Callable[[Indices, Array], Array],
    owner: Indices,
    low: Array,
    high: Array,
    n_owners: int,
    counter: Counter,
    tolerance: float,
    *,
    cost: int = 1,
    least_mass: Array | None = None,
) -> tuple[Array, Array]:
    """Return integrals over the owners' panels, and errors (owner, 2) of risk and mass.

    `f` returns K * J columns of sorted joints, and whatever else is to be integrated, from `cost`
    evaluations a point. Panels are halved until their errors are small, as long as the counter can
    afford the halves.

    Every panel [low, high] is mapped from t in [0, 1] by 3 t^2 - 2 t^3, which takes the edge off
    square-root singularities at its ends (a vertical tangent of a boundary, a pole of a density).
    """
    controlled = counter.controlled
    sums = np.zeros((n_owners, 0))
    errors = np.zeros((n_owners, 2))
    start, stop = np.zeros(len(low)), np.ones(len(low))
    allowed = np.full(n_owners, PANEL_SHARE * tolerance)
    for halving in range(MAX_HALVINGS + 1):
        kronrod, error = _panels(f, owner, low, high, start, stop, controlled)
        if halving == 0:
            sums = np.zeros((n_owners, kronrod.shape[1]))
            if least_mass is not None:
                mass = np.bincount(owner, weights=kronrod.sum(axis=1), minlength=n_owners)
                allowed *= np.maximum(mass, least_mass)
        done = error.max(axis=1) <= allowed[owner]
        if halving == MAX_HALVINGS or not counter.affords(30 * cost * int((~done).sum())):
            done[:] = True
        np.add.at(sums, owner[done], kronrod[done])
        np.add.at(errors, owner[done], error[done])
        if done.all():
            break
        owner, low, high = (np.repeat(values[~done], 2) for values in (owner, low, high))
        middle = 0.5 * (start[~done] + stop[~done])
        start = np.column_stack([start[~done], middle]).ravel()
        stop = np.column_stack([middle, stop[~done]]).ravel()
    return sums, errors


def _panels(
    f: Callable[[Indices, Array], Array],
    owner: Indices,
    low: Array,
    high: Array,
    start: Array,
    stop: Array,
    controlled: Array,
) -> tuple[Array, Array]:
    """Return each panel's Kronrod sum, and QUADPACK's estimate of the watched sums' errors."""
    half = 0.5 * (stop - start)
    t = 0.5 * (start + stop)[:, None] + half[:, None] * NODES
    x = low[:, None] + (high - low)[:, None] * (t * t * (3.0 - 2.0 * t))
    jacobian = (high - low)[:, None] * 6.0 * t * (1.0 - t)
    values = f(np.repeat(owner, 15), x.ravel()).reshape(len(low), 15, -1)
    values *= jacobian[:, :, None]
    kronrod = half[:, None] * np.einsum("q,pqm->pm", KRONROD, values)
    watched = values[..., : len(controlled)] @ controlled
    sum_kronrod = half[:, None] * np.einsum("q,pqc->pc", KRONROD, watched)
    sum_gauss = half[:, None] * np.einsum("q,pqc->pc", GAUSS, watched)
    mean = sum_kronrod / (2.0 * np.where(half > 0, half, 1.0))[:, None]
    spread = half[:, None] * np.einsum("q,pqc->pc", KRONROD, np.abs(watched - mean[:, None, :]))
    raw = np.abs(sum_kronrod - sum_gauss)
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = spread * np.minimum(1.0, (200.0 * raw / spread) ** 1.5)
    return kronrod, np.where(spread > 0, scaled, raw)
