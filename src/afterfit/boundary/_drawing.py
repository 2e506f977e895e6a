"""How `BayesBoundaryDisplay` draws: regions, densities, boundary lines, points, legend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from afterfit._labels import as_written
from afterfit._plotting import MAX_VECTORS
from afterfit.boundary._decisions import NOWHERE, DecisionTable

Array = NDArray[np.float64]

# Regions and points tell classes apart by these, with or without colour.
# (Dots come last: a file in SVG holds each of them as a circle, two hundred times a line's size.)
HATCHES = ("", "///", "\\\\\\", "xxx", "---", "|||", "+++", "...")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">", "p", "h", "d")
LINE_STYLES = ("-", "--", "-.", ":", (0, (8, 2)), (0, (8, 2, 2, 2)), (0, (1, 4)), (0, (4, 4)))

# How much of its colour the fill of a region has, the colour of its hatch, and where it lies: below
# all that is drawn in the axes. (Fills are opaque, since in SVG a hatch fades with its fill.)
FILL = 0.18
HATCH_COLOR = (0.0, 0.0, 0.0, 0.2)
REGION_ZORDER = 0.5

# By how much the first of two decisions is preferred where they tie.
TIE = 1e-9

# The legend stands above the axes, in so many columns; more decisions are named in their regions.
LEGEND_COLUMNS = 3
LEGEND_ENTRIES = 12


def colors_of(n: int) -> list[Any]:
    cycle = _color_cycle()
    return [cycle[k % len(cycle)] for k in range(n)]


def marker_of(k: int) -> str:
    """Return the marker of a class: another one where its colour comes again."""
    return MARKERS[(k + k // len(_color_cycle())) % len(MARKERS)]


def line_style_of(k: int) -> Any:
    """Return the line style of a class: another one where its colour comes again."""
    return LINE_STYLES[(k + k // len(_color_cycle())) % len(LINE_STYLES)]


def hatch_of(k: int) -> str:
    """Return a hatch of its own for each decision: denser at each turn."""
    turn, base = divmod(k, len(HATCHES))
    return HATCHES[base] * (1 + turn) if base else "o" * 3 * turn


def _color_cycle() -> list[Any]:
    import matplotlib as mpl

    return list(mpl.rcParams["axes.prop_cycle"].by_key().get("color", ["C0"]))


def _tint(color: Any, ax: Any) -> tuple[float, ...]:
    """Return the colour mixed into the background of the axes."""
    from matplotlib.colors import to_rgb, to_rgba

    *background, alpha = to_rgba(ax.get_facecolor())
    paper = [alpha * channel + (1 - alpha) for channel in background]
    return tuple(
        FILL * channel + (1 - FILL) * below
        for channel, below in zip(to_rgb(color), paper, strict=True)
    )


def draw_regions(
    ax: Any, grid: tuple[Array, ...], joints: Array, table: DecisionTable, colors: list[Any]
) -> list[Any]:
    """Fill the regions of the decisions in the plane, from log joints on the grid."""
    drawn = []
    for decision, color in enumerate(colors):
        surplus = _surplus(joints, table, decision)
        if (surplus <= 0).all():
            continue
        filled = ax.contourf(
            *grid,
            surplus.T,
            levels=[0.0, np.inf],
            colors=[_tint(color, ax)],
            hatches=[hatch_of(decision)],
            zorder=REGION_ZORDER,
        )
        filled.set_edgecolor(HATCH_COLOR)  # of the hatch
        filled.set_linewidth(0.0)
        drawn.append(filled)
    return drawn


def draw_contours(
    ax: Any, grid: tuple[Array, ...], joints: Array, colors: list[Any], levels: list[float]
) -> list[Any]:
    """Draw contours of each class's density in the plane, at fractions of its peak."""
    drawn: list[Any] = []
    for k, color in enumerate(colors if levels else []):
        log_density = joints[..., k]
        peak = log_density.max()
        if not np.isfinite(peak) or (log_density == log_density.flat[0]).all():
            continue
        style = line_style_of(k)
        shown = np.maximum(log_density - peak, np.log(levels[0]) - 5.0)
        drawn.append(
            ax.contour(
                *grid,
                shown.T,
                levels=np.log(levels),
                colors=[color],
                linewidths=0.8,
                linestyles=style if isinstance(style, str) else [style],
            )
        )
    return drawn


def _surplus(joints: Array, table: DecisionTable, decision: int) -> Array:
    """Return the log odds of a decision against its strongest rival, within drawable bounds."""
    flat = joints.reshape(-1, joints.shape[-1])
    least = np.full(len(flat), np.inf)
    for rival in range(table.n_decisions):
        if rival != decision:
            odds = table.log_odds(flat, decision, rival)
            odds[odds == 0] = TIE if decision < rival else -TIE
            least = np.minimum(least, odds)
    least[np.isneginf(flat).all(axis=1)] = -1.0  # nothing to decide by: left blank
    return np.asarray(np.clip(least, -1e3, 1e3).reshape(joints.shape[:-1]))


def draw_intervals(
    ax: Any, edges: Sequence[float], decisions: Sequence[int], colors: list[Any]
) -> list[Any]:
    """Fill the intervals between neighbouring edges, one feature, each for one decision."""
    return [
        ax.axvspan(
            low,
            high,
            facecolor=_tint(colors[decision], ax),
            zorder=REGION_ZORDER,
            linewidth=0.0,
            edgecolor=HATCH_COLOR,
            hatch=hatch_of(decision),
        )
        for low, high, decision in zip(edges[:-1], edges[1:], decisions, strict=True)
        if decision != NOWHERE
    ]


def draw_densities(ax: Any, grid: tuple[Array, ...], joints: Array, colors: list[Any]) -> list[Any]:
    """Draw prior times density of each class over one feature."""
    drawn: list[Any] = []
    for k, color in enumerate(colors):
        style = line_style_of(k)
        drawn += ax.plot(*grid, np.exp(joints[..., k]), color=color, linestyle=style)
    ax.set_ylabel("prior × density")
    return drawn


def draw_boundary(ax: Any, pieces: Sequence[Array]) -> list[Any]:
    """Draw each root as a vertical line, each curve as it is."""
    style = {"color": "black", "linewidth": 1.8}
    drawn: list[Any] = []
    for points in pieces:
        drawn += ax.plot(*points.T, **style) if points.ndim == 2 else [ax.axvline(*points, **style)]
    return drawn


def draw_points(
    ax: Any, X: Array, y: NDArray[Any] | None, classes: list[Any], colors: list[Any]
) -> list[Any]:
    """Draw the data, a collection for each class; many points are pictures inside the figure."""
    groups = (
        [(np.ones(len(X), dtype=bool), "0.3", "o")]
        if y is None
        else [
            ([one == label for one in y], colors[k], marker_of(k))
            for k, label in enumerate(classes)
        ]
    )
    drawn = []
    style: dict[str, Any] = {"s": 18, "rasterized": len(X) > MAX_VECTORS}
    for chosen, color, marker in groups:
        part = X[chosen]
        style |= {"color": color, "marker": marker}
        if X.shape[1] == 1:
            height = np.zeros(len(part))
            points = ax.scatter(part[:, 0], height, clip_on=False, **style)
        else:
            points = ax.scatter(*part.T, edgecolors="white", linewidths=0.4, **style)
        drawn.append(points)
    return drawn


def frame(ax: Any, grid: tuple[Array, ...], names: Sequence[str]) -> None:
    """Set the limits of the axes to those of the grid, and their labels."""
    ax.set_xlim(grid[0][0], grid[0][-1])
    ax.set_xlabel(names[0])
    if len(grid) == 2:
        ax.set_ylim(grid[1][0], grid[1][-1])
        ax.set_ylabel(names[1])


def draw_legend(
    ax: Any, decisions: list[Any], n_classes: int, *, regions: bool, curves: bool, marked: bool
) -> None:
    """Draw a legend of the decisions above the axes, where it covers nothing."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[tuple[Any, ...]] = []
    for k, color in enumerate(colors_of(len(decisions))):
        patch = Patch(
            facecolor=_tint(color, ax),
            edgecolor=HATCH_COLOR,
            linewidth=0.0,
            hatch=hatch_of(k),
        )
        line = Line2D(
            [],
            [],
            color=color,
            marker=marker_of(k) if marked else None,
            linestyle=line_style_of(k) if curves else "none",
        )
        bare = not regions and not curves and not marked
        parts = [patch] if regions or bare else []
        handles.append((*parts, line) if k < n_classes and (curves or marked) else (patch,))
    ax.legend(
        handles,
        [as_written(label) for label in decisions],
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=min(len(handles), LEGEND_COLUMNS),
    )


def name_regions(
    ax: Any, grid: tuple[Array, ...], labels: NDArray[np.intp], decisions: list[Any]
) -> list[Any]:
    """Write the name of each decision into its region, where most room is around it."""
    from matplotlib.patheffects import withStroke

    drawn = []
    for k, name in enumerate(decisions):
        room = ndimage.distance_transform_edt(np.pad(labels == k, 1))
        room = room[(slice(1, -1),) * labels.ndim]
        if not room.any():
            continue
        at = [
            axis[i]
            for axis, i in zip(grid, np.unravel_index(room.argmax(), room.shape), strict=True)
        ]
        is_line = len(at) == 1
        text = ax.text(
            at[0],
            0.98 if is_line else at[1],
            as_written(name),
            transform=ax.get_xaxis_transform() if is_line else ax.transData,
            rotation=90 if is_line else 0,
            ha="center",
            va="top" if is_line else "center",
            fontsize="small",
            clip_on=True,
        )
        text.set_path_effects([withStroke(linewidth=2, foreground="white")])
        drawn.append(text)
    return drawn
