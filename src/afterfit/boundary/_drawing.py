"""How `BayesBoundaryDisplay` draws: regions, densities, boundary lines, points, legend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from afterfit._labels import as_written
from afterfit.boundary._decisions import NOWHERE, DecisionTable

if TYPE_CHECKING:
    from afterfit.boundary import BayesBoundaryDisplay

Array = NDArray[np.float64]

# Regions and points tell classes apart by these, with or without colour.
# (Dots come last: a file in SVG holds each of them as a circle, two hundred times a line's size.)
HATCHES = ("", "///", "\\\\\\", "xxx", "---", "|||", "+++", "...")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
LINE_STYLES = ("-", "--", "-.", ":")

# How much of its colour the fill of a region has, the colour of its hatch, and where it lies: below
# all that is drawn in the axes. (Fills are opaque, since in SVG a hatch fades with its fill.)
FILL = 0.18
HATCH_COLOR = (0.0, 0.0, 0.0, 0.2)
REGION_ZORDER = 0.5

# By how much the first of two decisions is preferred where they tie.
TIE = 1e-9

# The legend stands above the axes, in so many columns.
LEGEND_COLUMNS = 3


def colors_of(n: int) -> list[Any]:
    import matplotlib as mpl

    cycle = mpl.rcParams["axes.prop_cycle"].by_key().get("color", ["C0"])
    return [cycle[k % len(cycle)] for k in range(n)]


def _tint(color: Any, ax: Any) -> tuple[float, ...]:
    """Return the colour mixed into the background of the axes."""
    from matplotlib.colors import to_rgb, to_rgba

    *background, alpha = to_rgba(ax.get_facecolor())
    paper = [alpha * channel + (1 - alpha) for channel in background]
    return tuple(
        FILL * channel + (1 - FILL) * below
        for channel, below in zip(to_rgb(color), paper, strict=True)
    )


def draw_plane(
    display: BayesBoundaryDisplay,
    colors: list[Any],
    regions: bool,
    densities: bool,
    levels: list[float],
) -> None:
    ax, rule = display.ax_, display.rule
    x, y = display.grid
    joints = display.log_joints
    if regions:
        for decision, color in enumerate(colors):
            surplus = _surplus(joints, rule._table, decision)
            if (surplus <= 0).all():
                continue
            filled = ax.contourf(
                x,
                y,
                surplus.T,
                levels=[0.0, np.inf],
                colors=[_tint(color, ax)],
                hatches=[HATCHES[decision % len(HATCHES)]],
                zorder=REGION_ZORDER,
            )
            filled.set_edgecolor(HATCH_COLOR)  # of the hatch
            filled.set_linewidth(0.0)
            display.regions_.append(filled)
    if densities and levels:
        for k, color in enumerate(colors[: len(rule.classes)]):
            log_density = joints[..., k]
            peak = log_density.max()
            if not np.isfinite(peak) or (log_density == log_density.flat[0]).all():
                continue
            shown = np.maximum(log_density - peak, np.log(levels[0]) - 5.0)
            display.contours_.append(
                ax.contour(
                    x,
                    y,
                    shown.T,
                    levels=np.log(levels),
                    colors=[color],
                    linewidths=0.8,
                    linestyles=LINE_STYLES[k % len(LINE_STYLES)],
                )
            )
    for piece in display.boundary.pieces:
        display.lines_ += ax.plot(*piece.points.T, color="black", linewidth=1.8)


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


def draw_line(
    display: BayesBoundaryDisplay,
    colors: list[Any],
    regions: bool,
    densities: bool,
    levels: list[float],
) -> None:
    ax, rule = display.ax_, display.rule
    (x,) = display.grid
    pieces = sorted(display.boundary.pieces, key=lambda piece: float(piece.points[0]))
    if regions:
        edges = [x[0], *(float(piece.points[0]) for piece in pieces), x[-1]]
        middles = 0.5 * (np.array(edges[1:]) + np.array(edges[:-1]))
        decided = rule._table.choose_smoothly(rule._log_joints(middles[:, None]))
        for low, high, decision in zip(edges[:-1], edges[1:], decided.tolist(), strict=True):
            if decision != NOWHERE:
                display.regions_.append(
                    ax.axvspan(
                        low,
                        high,
                        facecolor=_tint(colors[decision], ax),
                        zorder=REGION_ZORDER,
                        linewidth=0.0,
                        edgecolor=HATCH_COLOR,
                        hatch=HATCHES[decision % len(HATCHES)],
                    )
                )
    if densities:
        for k, color in enumerate(colors[: len(rule.classes)]):
            style = LINE_STYLES[k % len(LINE_STYLES)]
            display.contours_ += ax.plot(
                x, np.exp(display.log_joints[..., k]), color=color, linestyle=style
            )
        ax.set_ylabel("prior × density")
    for piece in pieces:
        display.lines_.append(ax.axvline(piece.points[0], color="black", linewidth=1.8))


def draw_points(display: BayesBoundaryDisplay, colors: list[Any]) -> None:
    ax, X = display.ax_, display.X
    assert X is not None
    labels = display.y
    groups = (
        [(np.ones(len(X), dtype=bool), "0.3", "o")]
        if labels is None
        else [
            ([one == label for one in labels], colors[k], MARKERS[k % len(MARKERS)])
            for k, label in enumerate(display.rule.classes.tolist())
        ]
    )
    for chosen, color, marker in groups:
        part = X[chosen]
        if len(display.grid) == 1:
            height = np.zeros(len(part))
            drawn = ax.scatter(part[:, 0], height, color=color, marker=marker, s=18, clip_on=False)
        else:
            drawn = ax.scatter(
                *part.T, color=color, marker=marker, s=18, edgecolors="white", linewidths=0.4
            )
        display.points_.append(drawn)


def draw_legend(
    display: BayesBoundaryDisplay, colors: list[Any], regions: bool, points: bool
) -> None:
    """Draw a legend of the decisions above the axes, where it covers nothing."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[tuple[Any, ...]] = []
    n_classes = len(display.rule.classes)
    curves = bool(display.contours_)
    marked = points and display.y is not None
    for k, color in enumerate(colors):
        patch = Patch(
            facecolor=_tint(color, display.ax_),
            edgecolor=HATCH_COLOR,
            linewidth=0.0,
            hatch=HATCHES[k % len(HATCHES)],
        )
        line = Line2D(
            [],
            [],
            color=color,
            marker=MARKERS[k % len(MARKERS)] if marked else None,
            linestyle=LINE_STYLES[k % len(LINE_STYLES)] if curves else "none",
        )
        bare = not regions and not curves and not marked
        parts = [patch] if regions or bare else []
        handles.append((*parts, line) if k < n_classes and (curves or marked) else (patch,))
    display.ax_.legend(
        handles,
        [as_written(label) for label in display.rule.decisions.tolist()],
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=min(len(handles), LEGEND_COLUMNS),
    )
