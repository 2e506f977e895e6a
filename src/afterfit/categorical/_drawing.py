"""The figures of `categorical`. matplotlib is imported by whoever draws."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from afterfit._labels import as_written
from afterfit._plotting import pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# A cluster's silhouettes are drawn through no more points than this.
DRAWN_POINTS = 400

# Shares above this are written in white on the dark shade.
DARK_SHARE = 0.55

_Y_LABELS = {
    "cost": "cost (cells that differ)",
    "silhouette": "mean silhouette",
    "gap": "gap (log cost)",
    "stability": "stability (adj. Rand)",
    "latent_classes": "score (log evidence)",
}


def draw_criteria(
    table: pd.DataFrame,
    suggestions: Mapping[str, int | None],
    n_clusters: int | None,
    rival: tuple[str, float] | None,
    axes: Any,
) -> NDArray[Any]:
    """Draw every criterion by K in a panel, and return its axes.

    `rival` is the name and the score of the best model without classes.
    """
    shown = [name for name in _Y_LABELS if name in table]
    if axes is None:
        plt = pyplot()

        n_rows = -(-len(shown) // 2)
        _, axes = plt.subplots(
            n_rows,
            min(2, len(shown)),
            figsize=(5.7, 2.5 * n_rows) if len(shown) > 1 else (5.2, 3.6),
            squeeze=False,
            sharex=True,
            layout="constrained",
        )
    panel: NDArray[Any] = np.asarray(axes, dtype=object)
    if panel.size < len(shown):
        raise ValueError(
            f"`axes` must hold at least {len(shown)} axes, one each for {', '.join(shown)}; got "
            f"{panel.size}."
        )
    for ax, name in zip(panel.flat, shown, strict=False):
        _draw_criterion(ax, table, name, suggestions, n_clusters)
        if name == "latent_classes" and rival is not None:
            ax.axhline(rival[1], color="black", lw=1, ls="--")
            where = {"xy": (0.98, rival[1]), "xycoords": ("axes fraction", "data")}
            ax.annotate(rival[0], **where, va="bottom", ha="right", fontsize="small")
    for ax in panel.flat[len(shown) :]:
        ax.set_visible(False)
    if panel.ndim == 2 and len(panel) > 1 and len(shown) < panel.size:
        panel[-2, -1].tick_params(labelbottom=True)  # the lowest of its column that is seen
    return panel


def _draw_criterion(
    ax: Axes,
    table: pd.DataFrame,
    name: str,
    suggestions: Mapping[str, int | None],
    n_clusters: int | None,
) -> None:
    values = table[name]
    error = table.get(f"{name}_standard_error")  # of gap and stability
    ax.errorbar(table.index, values, yerr=error, fmt="o-", capsize=2, ms=4)
    criterion = "knee" if name == "cost" else name
    suggested = suggestions.get(criterion)
    if suggested is not None and np.isfinite(values.loc[suggested]):
        ax.plot(suggested, values.loc[suggested], "o", ms=11, mfc="none", mec="black", mew=1.6)
    if n_clusters is not None:
        ax.axvline(n_clusters, color="0.5", lw=1, ls=":")
    if criterion in suggestions:
        found = "no K" if suggested is None else f"K = {suggested}"
        ax.set_title(f"{criterion.replace('_', ' ')}: {found}")
    ax.set(xlabel="number of clusters K", ylabel=_Y_LABELS[name])
    ax.locator_params(axis="x", integer=True)


def draw_silhouettes(
    values: NDArray[np.float64],
    labels: NDArray[np.int64],
    names: Sequence[Hashable],
    weights: NDArray[np.float64] | None,
    ax: Axes | None,
) -> Axes:
    """Draw the silhouettes of all rows, sorted within clusters, and return the axes."""
    if ax is None:
        plt = pyplot()

        _, ax = plt.subplots(layout="constrained")
    weight = np.ones(len(values)) if weights is None else weights
    mean = float(np.average(values, weights=weight))
    gap = 0.02 * weight.sum()
    bottom, middles = 0.0, []
    for k in range(len(names)):
        rows = np.flatnonzero((labels == k) & (weight > 0))
        order = rows[np.argsort(values[rows])]
        height = bottom + np.concatenate([[0.0], np.cumsum(weight[order])])
        edges = np.unique(np.linspace(0, len(order), DRAWN_POINTS + 1).astype(int))
        steps = values[order[np.minimum(edges, len(order) - 1)]] if len(order) else np.empty(0)
        if len(order):
            ax.fill_betweenx(height[edges], 0, steps, step="post", lw=0, alpha=0.9)
        middles.append((bottom + height[-1]) / 2)
        bottom = height[-1] + gap
    ax.axvline(mean, color="black", ls="--", lw=1)
    ax.text(mean, bottom, f" mean {mean:.2f}", va="bottom", ha="left")
    ax.set_yticks(middles, [as_written(name) for name in names])
    ax.set(xlabel="silhouette (matching distance)", ylabel="cluster", ylim=(0, 1.08 * bottom))
    return ax


def draw_profile(profile: pd.DataFrame, n_columns: int, ax: Axes | None) -> Axes:
    """Draw the shares of categories by cluster as shades and percentages; return the axes."""
    telling = list(dict.fromkeys(profile.index.get_level_values("column")))[:n_columns]
    part = profile[profile.index.get_level_values("column").isin(telling)]
    shares = part.drop(columns="cramers_v")
    if ax is None:
        plt = pyplot()

        size = (2.4 + 0.4 * shares.shape[1], 0.7 + 0.3 * len(shares))
        _, ax = plt.subplots(figsize=(max(5.2, size[0]), size[1]), layout="constrained")
    values = shares.to_numpy()
    ax.imshow(values, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (i, j), share in np.ndenumerate(values):
        color = "white" if share > DARK_SHARE else "black"
        ax.text(j, i, f"{100 * share:.0f}", ha="center", va="center", color=color, fontsize="small")
    columns = part.index.get_level_values("column")
    categories = part.index.get_level_values("category")
    named = [
        as_written(f"{column}: {_shown(category)}")
        for column, category in zip(columns, categories, strict=True)
    ]
    ax.set_yticks(np.arange(len(shares)), named)
    for i in range(1, len(shares)):
        if columns[i] != columns[i - 1]:
            ax.axhline(i - 0.5, color="black", lw=0.8)
    ax.set_xticks(np.arange(shares.shape[1]), [as_written(name) for name in shares.columns])
    ax.set(xlabel="cluster (cells: % of its rows)")
    ax.grid(False)
    return ax


def _shown(category: Any) -> str:
    return "missing" if pd.isna(category) else str(category)
