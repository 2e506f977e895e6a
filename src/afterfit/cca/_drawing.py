"""What the results of `afterfit.cca` draw, from the arrays that are drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from afterfit._plotting import MAX_VECTORS, pyplot

Array = NDArray[np.float64]


def draw_correlations(observed: Array, band: Array, ax: Any) -> Any:
    """Draw correlations by root in front of the band that noise keeps to; return the axes."""
    ax = pyplot().subplots()[1] if ax is None else ax
    roots = np.arange(1, len(observed) + 1)
    ax.bar(
        roots,
        band[1] - band[0],
        bottom=band[0],
        width=1.0,
        color="0.85",
        label="noise, 95 % of tables",
    )
    ax.plot(roots, observed, "o-", markersize=4, label="observed")
    ax.set(xlabel="Root", ylabel="Canonical correlation")
    ax.set(xlim=(0.4, len(roots) + 0.6), ylim=(0.0, 1.05))
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend()
    return ax


def draw_scores(x_scores: Array, y_scores: Array, pair: int, correlation: float, ax: Any) -> Any:
    """Draw one pair of canonical variates against each other; return the axes."""
    ax = pyplot().subplots()[1] if ax is None else ax
    ax.scatter(x_scores, y_scores, s=12, alpha=0.7, rasterized=len(x_scores) > MAX_VECTORS)
    ax.set(
        xlabel="Score of X (standard deviations)",
        ylabel="Score of Y (standard deviations)",
        title=f"Pair {pair}: correlation {correlation:.2f}",
        aspect="equal",
    )
    return ax
