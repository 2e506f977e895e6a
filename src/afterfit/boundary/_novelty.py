"""How unlike a class a point is: p-values by its density, against draws or held-out rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincc

from afterfit.boundary._densities import Density, checked_log_density

Array = NDArray[np.float64]


def conformal_pvalues(values: Array, held_out: Array) -> Array:
    """Return (1 + the number of held-out values no larger) / (their number + 1)."""
    below = np.searchsorted(np.sort(held_out), values, side="right")
    return np.asarray((1.0 + below) / (len(held_out) + 1.0))


def hdr_pvalues(values: Array, density: Density, n_draws: int, rng: np.random.Generator) -> Array:
    """Return P{f(Z) <= f(x)} for Z from the density: exact if normal, otherwise by draws.

    Draws count the point itself, as in `conformal_pvalues`, so that no p-value is 0.
    """
    if density.peak is not None and density.n_features is not None:
        half_squared = np.maximum(density.peak - values, 0.0)
        return np.asarray(gammaincc(density.n_features / 2, half_squared))
    if density.sample is None:
        raise ValueError(
            f"The density of {density.name} cannot be drawn from: give `X_calibration` and "
            "`y_calibration`, rows that it was not fitted to."
        )
    return conformal_pvalues(values, checked_log_density(density, density.sample(n_draws, rng)))
