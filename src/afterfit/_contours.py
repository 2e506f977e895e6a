"""Decision boundaries in one and two features: an adaptive lattice, then curves polished on it.

All geometry happens in lattice units: coordinate u runs from 0 to the number of coarse cells along
an axis, and a piecewise linear map takes it to the feature. The steps:

1. `_Tree` samples each coarse cell at its corners, the middles of its sides and its centre, and
   splits it as long as `_unresolved` cannot say that at most one smooth boundary passes.
2. `_triangles` cuts the cells that a boundary touches into triangles around their centres; every
   sampled point on a side is a corner, so that triangles of large and small neighbours match.
3. `_march` joins the sides on which the decision changes; three decisions in one triangle meet in
   a junction. Segments are directed: the decision of lower index lies on the left.
4. `_polish` moves the crossings along their sides onto the boundary, `_polish_junctions` the
   junctions, and `_refine` adds points until chord and curve differ by less than the tolerance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from afterfit._decisions import NOWHERE, TIE_ULPS, DecisionTable

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

# A cell is split at most so many times, by the number of features; places in the lattice are counted
# in the smallest cells and must fit an integer of 64 bits, both of them in one.
MAX_DEPTH = {1: 34, 2: 18}

# Where the log odds are infinite (the edge of a support) nothing is smooth: fewer splits there.
SUPPORT_EDGE_DEPTH = 5

# The smoothness that is assumed: within a cell, no second derivative of the log odds exceeds this
# many times the largest that its nine points show.
CURVATURE_SAFETY = 4.0

# A cell with one boundary is left whole when curvature changes its gradient by at most this
# fraction per half cell; a circle is then resolved by cells of a quarter of its radius.
MAX_GRADIENT_CHANGE = 0.25

# From the lowest local minima of each decision's deficit a search goes downhill between the
# sampled points: how many minima, and how often its step is halved.
MAX_DIPS = 8
DIP_HALVINGS = 10

# Crossings are found to this fraction of the tolerance along their side.
POLISH_FRACTION = 1e-3
MAX_POLISH_STEPS = 60
MAX_REFINEMENTS = 16
MAX_SECANT_STEPS = 6
MAX_NEWTON_STEPS = 12

# Coarse lattice lines are shifted by this fraction of a cell, so that a boundary on a line of
# symmetry of the limits does not run along one of them.
LINE_SHIFT = 0.1370178


@dataclass(frozen=True)
class Curve:
    """A boundary between two decisions, directed with the decision `left` on its left side."""

    left: int
    right: int
    points: Array
    closed: bool


@dataclass(frozen=True)
class Tracing:
    """What `trace` found."""

    curves: list[Curve]
    junctions: Array
    unresolved: Array  # (m, 4): low x, high x, low y, high y; (m, 2) for one feature
    n_evaluations: int
    exhausted: bool  # whether evaluations ran out before all cells were resolved


def coarse_lines(low: float, high: float, n_cells: int) -> Array:
    """Return the n_cells + 1 lattice lines from `low` to `high`, slightly off the symmetric."""
    steps = np.arange(n_cells + 1, dtype=np.float64)
    steps[1:-1] += LINE_SHIFT
    return np.asarray(low + (high - low) * steps / n_cells)


def find_roots(
    log_joints: Callable[[Array], Array],
    table: DecisionTable,
    lines: tuple[Array],
    *,
    seeds: Array,
    tolerance: float,
    max_evaluations: int,
) -> Tracing:
    """Return every root within the outermost lines, from left to right, as a curve of one point.

    `left` and `right` are the decisions on its two sides. `seeds` (m, 1) are looked at first;
    `tolerance` is in units of the range.
    """
    field = _Field(log_joints, table, lines)
    tree = _Tree(field, seeds, max_evaluations)
    tree.grow()
    u = tree.points[:, 0]
    order = np.argsort(u)
    labels = tree.labels[order]
    change = np.flatnonzero(
        (labels[1:] != labels[:-1]) & (labels[1:] != NOWHERE) & (labels[:-1] != NOWHERE)
    )
    ends = tree.points[order]
    n_cells = len(lines[0]) - 1
    positions = _polish(
        field,
        ends[change],
        ends[change + 1],
        labels[change],
        labels[change + 1],
        tolerance * n_cells,
    )
    x = field.features(positions)
    curves = [
        Curve(int(labels[i]), int(labels[i + 1]), x[root], closed=False)
        for root, i in enumerate(change)
    ]
    return Tracing(
        curves, np.empty((0, 1)), tree.unresolved_boxes(), field.n_evaluations, tree.exhausted
    )


def trace(
    log_joints: Callable[[Array], Array],
    table: DecisionTable,
    lines: tuple[Array, Array],
    *,
    seeds: Array,
    tolerance: float,
    max_evaluations: int,
) -> Tracing:
    """Return every boundary curve within the outermost `lines` of both features.

    `seeds` (m, 2) are looked at first; `tolerance` is in units of the range.
    """
    field = _Field(log_joints, table, lines)
    tree = _Tree(field, seeds, max_evaluations)
    tree.grow()
    step = tolerance * min(len(axis) - 1 for axis in lines)
    mesh = _march(_triangles(tree), tree.labels)
    crossings = _polish(
        field,
        tree.points[mesh.sides[:, 0]],
        tree.points[mesh.sides[:, 1]],
        tree.labels[mesh.sides[:, 0]],
        tree.labels[mesh.sides[:, 1]],
        POLISH_FRACTION * step,
    )
    junctions = _polish_junctions(field, tree, mesh, crossings)
    vertices = np.concatenate([crossings, junctions])
    curves = []
    for left, right, chain, closed in _chains(mesh.segments):
        points = _without_repeats(vertices[chain], POLISH_FRACTION * step)
        if len(points) < 2 or (not closed and _length(points) < 2 * step):
            continue
        points = _refine(field, points, left, right, step)
        curves.append(Curve(left, right, field.features(points), closed))
    return Tracing(
        curves,
        field.features(_distinct(junctions[mesh.is_junction], step)),
        tree.unresolved_boxes(),
        field.n_evaluations,
        tree.exhausted,
    )


class _Field:
    """The log joint densities in lattice units, and how often they were asked for."""

    def __init__(
        self,
        log_joints: Callable[[Array], Array],
        table: DecisionTable,
        lines: tuple[Array, ...],
    ) -> None:
        self.table = table
        self.lines = lines
        self.n_evaluations = 0
        self._log_joints = log_joints

    def features(self, u: Array) -> Array:
        columns = [
            np.interp(u[:, axis], np.arange(len(lines)), lines)
            for axis, lines in enumerate(self.lines)
        ]
        return np.column_stack(columns) if len(u) else np.empty((0, len(self.lines)))

    def lattice_units(self, X: Array) -> Array:
        columns = [
            np.interp(X[:, axis], lines, np.arange(len(lines)))
            for axis, lines in enumerate(self.lines)
        ]
        return np.column_stack(columns)

    def joints(self, u: Array) -> Array:
        if len(u) == 0:
            return np.empty((0, self.table.n_classes))
        self.n_evaluations += len(u)
        X = self.features(u)
        return self._log_joints(X[:, 0] if len(self.lines) == 1 else X)

    def odds(self, u: Array, first: Indices, second: Indices) -> Array:
        return self.table.log_odds_of(self.joints(u), first, second)


class _Tree:
    """Cells of an adaptive lattice; each carries the 3 (or 3 x 3) points sampled in it."""

    def __init__(self, field: _Field, seeds: Array, max_evaluations: int) -> None:
        self.field = field
        self.max_evaluations = max_evaluations
        self.exhausted = False
        self.n_axes = len(field.lines)
        self.depth = MAX_DEPTH[self.n_axes]
        self.size = 2**self.depth  # of a coarse cell, in ticks
        self.stride = (max(len(axis) for axis in field.lines) + 1) * self.size
        self.keys: Indices = np.empty(0, dtype=np.intp)
        self.joints = np.empty((0, field.table.n_classes))
        self.labels: Indices = np.empty(0, dtype=np.intp)
        self.leaves: list[tuple[Indices, int]] = []  # corners of lowest ticks (m, d), size
        self._unresolved: list[tuple[Indices, int]] = []
        inside = self._inside(seeds)
        self._seeds = field.lattice_units(seeds[inside])
        self._seed_labels = field.table.choose_smoothly(field.joints(self._seeds))

    @property
    def points(self) -> Array:
        """Every sampled point, in lattice units."""
        return self._ticks(self.keys) / self.size

    def grow(self) -> None:
        """Split cells until each is resolved, as small as they get, or the budget is spent."""
        counts = [np.arange(len(axis) - 1) for axis in self.field.lines]
        grid = np.meshgrid(*counts, indexing="ij")
        cells = np.column_stack([index.ravel() for index in grid]) * self.size
        size = self.size
        for depth in range(self.depth):
            joints, labels = self._sample(cells, size)
            if depth == 0:
                self._look_for_dips(joints, labels, cells, size)
            split, at_edge = _unresolved(joints, labels, self.field.table, self.n_axes)
            split |= self._hides_a_seed(cells, size, labels)
            if depth >= SUPPORT_EDGE_DEPTH:
                self._keep_unresolved(cells[at_edge], size)
                split &= ~at_edge
            children = 2**self.n_axes
            cost = int(split.sum()) * 4**self.n_axes
            if depth == self.depth - 1 or self.field.n_evaluations + cost > self.max_evaluations:
                self.exhausted = bool(split.any()) and depth < self.depth - 1
                self._keep_unresolved(cells[split], size)
                split = np.zeros_like(split)
            self.leaves.append((cells[~split], size))
            if not split.any():
                return
            size //= 2
            corners = np.stack(np.meshgrid(*[[0, size]] * self.n_axes, indexing="ij"), axis=-1)
            cells = (cells[split][:, None, :] + corners.reshape(children, -1)).reshape(
                -1, self.n_axes
            )

    def unresolved_boxes(self) -> Array:
        """Return the cells whose refinement ended early, as (low, high) of each feature."""
        boxes = []
        for cells, size in self._unresolved:
            low = self.field.features(cells / self.size)
            high = self.field.features((cells + size) / self.size)
            boxes.append(np.stack([low, high], axis=2).reshape(len(cells), -1))
        return np.concatenate(boxes) if boxes else np.empty((0, 2 * self.n_axes))

    def rank(self, ticks: Indices) -> Indices:
        """Return the row of each of these sampled points, given in ticks."""
        return np.searchsorted(self.keys, self._key(ticks))

    def _keep_unresolved(self, cells: Indices, size: int) -> None:
        # Cells as small as the tolerance are no news; larger ones the caller must hear of.
        if len(cells) and size > 2:
            self._unresolved.append((cells, size))

    def _sample(self, cells: Indices, size: int) -> tuple[Array, Indices]:
        steps = np.array([0, size // 2, size])
        stencil = np.stack(np.meshgrid(*[steps] * self.n_axes, indexing="ij"), axis=-1)
        ticks = cells[(slice(None), *[None] * self.n_axes)] + stencil
        keys = self._key(ticks)
        wanted = np.unique(keys)
        missing = wanted[~np.isin(wanted, self.keys, assume_unique=True)]
        joints = self.field.joints(self._ticks(missing) / self.size)
        all_keys = np.concatenate([self.keys, missing])
        order = np.argsort(all_keys, kind="stable")
        self.keys = all_keys[order]
        self.joints = np.concatenate([self.joints, joints])[order]
        labels = np.concatenate([self.labels, self.field.table.choose_smoothly(joints)])
        self.labels = labels[order]
        rows = np.searchsorted(self.keys, keys)
        return self.joints[rows], self.labels[rows]

    def _hides_a_seed(self, cells: Indices, size: int, labels: Indices) -> NDArray[np.bool_]:
        """Tell the cells that hold a point whose decision none of their sampled points has."""
        hides = np.zeros(len(cells), dtype=bool)
        if len(self._seeds) == 0 or len(cells) == 0:
            return hides
        keys = self._key(cells)
        order = np.argsort(keys)
        corner = (np.floor(self._seeds * self.size / size) * size).astype(np.intp)
        wanted = self._key(corner)
        at = np.minimum(np.searchsorted(keys[order], wanted), len(keys) - 1)
        for seed in np.flatnonzero(keys[order][at] == wanted):
            cell = order[at[seed]]
            hides[cell] |= bool((labels[cell] != self._seed_labels[seed]).all())
        return hides

    def _look_for_dips(self, joints: Array, labels: Indices, cells: Indices, size: int) -> None:
        """Go downhill from the lowest local minima of each decision's deficit, and keep finds."""
        shape = [len(axis) - 1 for axis in self.field.lines]
        lattice_labels = self._as_lattice(labels, shape)
        lattice_joints = self._as_lattice(joints, shape)
        step = 0.25  # half the distance of neighbouring samples
        for decision in range(self.field.table.n_decisions):
            deficit = self._deficit(lattice_joints, lattice_labels, decision)
            where = _local_minima(deficit)
            start = where[np.argsort(deficit[tuple(where.T)], kind="stable")[:MAX_DIPS]]
            found = self._descend(start / 2.0, step, decision)
            self._seeds = np.concatenate([self._seeds, found])
            new = np.full(len(found), decision)
            self._seed_labels = np.concatenate([self._seed_labels, new])

    def _deficit(self, joints: Array, labels: Indices, decision: int) -> Array:
        """Return by how much `decision` falls short of the best; infinite where it is best."""
        rows = joints.reshape(-1, joints.shape[-1])
        best = labels.ravel()
        other = (best != decision) & (best != NOWHERE)
        deficit = np.full(len(rows), np.inf)
        deficit[other] = self.field.table.log_odds_of(
            rows[other], best[other], np.full(int(other.sum()), decision)
        )
        return deficit.reshape(labels.shape)

    def _descend(self, start: Array, step: float, decision: int) -> Array:
        """Return the points at which a compass search from `start` met `decision`."""
        here = start
        found = [np.empty((0, self.n_axes))]
        compass = np.stack(np.meshgrid(*[[-1.0, 0.0, 1.0]] * self.n_axes, indexing="ij"), axis=-1)
        compass = compass.reshape(-1, self.n_axes)
        top = np.array([len(axis) - 1.0 for axis in self.field.lines])
        for _ in range(DIP_HALVINGS):
            if len(here) == 0:
                break
            around = np.clip(here[:, None, :] + step * compass, 0.0, top)
            flat = around.reshape(-1, self.n_axes)
            joints = self.field.joints(flat)
            labels = self.field.table.choose_smoothly(joints)
            deficit = self._deficit(joints, labels, decision).reshape(len(here), -1)
            deficit[(labels == decision).reshape(len(here), -1)] = -np.inf
            lowest = deficit.argmin(axis=1)
            here = around[np.arange(len(here)), lowest]
            met = np.isneginf(deficit[np.arange(len(here)), lowest])
            found.append(here[met])
            here = here[~met]
            step /= 2
        return np.concatenate(found)

    def _as_lattice(self, sampled: NDArray[np.generic], shape: list[int]) -> NDArray[np.generic]:
        """Return what coarse cells sampled as one regular array, neighbours side by side."""
        rows = self._lattice_rows(shape)
        return (self.labels if sampled.ndim == self.n_axes + 1 else self.joints)[rows]

    def _lattice_rows(self, shape: list[int]) -> Indices:
        half = self.size // 2
        axes = [np.arange(2 * count + 1) * half for count in shape]
        return self.rank(np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1))

    def _key(self, ticks: Indices) -> Indices:
        if self.n_axes == 1:
            return np.asarray(ticks[..., 0])
        return np.asarray(ticks[..., 0] * self.stride + ticks[..., 1])

    def _ticks(self, keys: Indices) -> Indices:
        if self.n_axes == 1:
            return keys[:, None]
        return np.column_stack(np.divmod(keys, self.stride))

    def _inside(self, X: Array) -> NDArray[np.bool_]:
        inside = np.ones(len(X), dtype=bool)
        for axis, lines in enumerate(self.field.lines):
            inside &= (X[:, axis] >= lines[0]) & (X[:, axis] <= lines[-1])
        return inside


def _local_minima(values: Array) -> Indices:
    """Return the interior indices (m, d) at which finite `values` are least among neighbours."""
    inner = tuple(slice(1, -1) for _ in values.shape)
    least = np.isfinite(values[inner])
    for offset in np.ndindex(*[3] * values.ndim):
        shifted = tuple(slice(o, o + n - 2) for o, n in zip(offset, values.shape, strict=True))
        least &= values[inner] <= values[shifted]
    return np.argwhere(least) + 1


def _unresolved(
    joints: Array, labels: Indices, table: DecisionTable, n_axes: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell which cells need splitting, and which of these lie at the edge of a support.

    `joints` is (m, 3, ..., K), `labels` (m, 3, ...). A decision is out of the running in a cell if
    the log odds of the centre's decision against it stay positive by the bound of `_lowest`; a
    cell is resolved if at most one other is in the running, and the log odds against that one have
    no stationary point by `_is_monotone`: then one boundary passes, or none.
    """
    flat = labels.reshape(len(labels), -1)
    centre = flat[:, flat.shape[1] // 2]
    mixed = (flat == NOWHERE).any(axis=1) & (flat != NOWHERE).any(axis=1)
    running = np.zeros(len(labels), dtype=np.intp)
    smooth = np.ones(len(labels), dtype=bool)
    infinite = np.zeros(len(labels), dtype=bool)
    for first in np.unique(centre[centre != NOWHERE]):
        rows = np.flatnonzero(centre == first)
        for second in range(table.n_decisions):
            if second == first:
                continue
            odds = table.log_odds(joints[rows], int(first), second)
            tie = TIE_ULPS * np.finfo(float).eps * (1.0 + _scale(joints[rows]))
            level = tuple(range(1, n_axes + 1))
            tied = (np.abs(odds) <= tie[(..., *[None] * n_axes)]).all(axis=level)
            in_running = (_lowest(odds, n_axes) <= 0) & ~tied
            running[rows] += in_running
            smooth[rows] &= ~in_running | _is_monotone(odds, n_axes)
            infinite[rows] |= in_running & ~np.isfinite(odds).all(axis=level)
    split = mixed | (running > 1) | ~smooth
    return split, split & (mixed | (infinite & (running == 1)))


def _scale(joints: Array) -> Array:
    finite = np.where(np.isfinite(joints), np.abs(joints), 0.0)
    return np.asarray(finite.reshape(len(joints), -1).max(axis=1))


def _lowest(odds: Array, n_axes: int) -> Array:
    """Return a lower bound of the log odds over each cell, from their sampled curvature.

    Between samples a function lies at most (sum of its largest second differences) / 8 below the
    least of the corners around it; CURVATURE_SAFETY allows for curvature between samples.
    """
    level = tuple(range(1, n_axes + 1))
    dip = np.zeros(len(odds))
    with np.errstate(invalid="ignore"):
        for axis in level:
            second = np.diff(odds, n=2, axis=axis)
            bent = np.where(np.isfinite(second), np.maximum(second, 0.0), 0.0)
            dip += bent.max(axis=level)
    return np.asarray(odds.min(axis=level) - CURVATURE_SAFETY * dip / 8.0)


def _is_monotone(odds: Array, n_axes: int) -> NDArray[np.bool_]:
    """Tell whether the gradient of the log odds hardly turns within each cell."""
    level = tuple(range(1, n_axes + 1))
    with np.errstate(invalid="ignore"):
        slope = np.zeros(len(odds))
        change = np.zeros(len(odds))
        for axis in level:
            across = tuple(other for other in level if other != axis)
            slope += np.diff(odds, axis=axis).mean(axis=level) ** 2
            change += np.abs(np.diff(odds, n=2, axis=axis)).max(axis=level)
            for other in across:
                twist = np.diff(np.diff(odds, axis=axis), axis=other)
                change += np.abs(twist).max(axis=level) / 2
        return np.asarray(change <= MAX_GRADIENT_CHANGE * np.sqrt(slope)) & np.isfinite(slope)


def _triangles(tree: _Tree) -> Indices:
    """Return the triangles (t, 3), anticlockwise, of all leaves that a boundary touches."""
    columns = _Lines(tree, 0)
    rows = _Lines(tree, 1)
    triangles = []
    for cells, size in tree.leaves:
        low, high = cells, cells + size
        sides = (
            rows.between(low[:, 1], low[:, 0], high[:, 0]),  # bottom, then anticlockwise
            columns.between(high[:, 0], low[:, 1], high[:, 1]),
            rows.between(high[:, 1], low[:, 0], high[:, 0]),
            columns.between(low[:, 0], low[:, 1], high[:, 1]),
        )
        centre = tree.rank(cells + size // 2)
        corner = tree.rank(cells)
        touched = tree.labels[centre] != tree.labels[corner]
        for line, (start, stop) in zip((rows, columns, rows, columns), sides, strict=True):
            touched |= line.varies(start, stop)
        for cell in np.flatnonzero(touched):
            bottom, right, top, left = (
                line.members[start[cell] : stop[cell] + 1]
                for line, (start, stop) in zip((rows, columns, rows, columns), sides, strict=True)
            )
            ring = np.concatenate([bottom[:-1], right[:-1], top[:0:-1], left[:0:-1]])
            hub = np.full(len(ring), centre[cell])
            triangles.append(np.column_stack([hub, ring, np.roll(ring, -1)]))
    return np.concatenate(triangles) if triangles else np.empty((0, 3), dtype=np.intp)


class _Lines:
    """The sampled points in the order in which they stand on lattice lines of one direction."""

    def __init__(self, tree: _Tree, fixed_axis: int) -> None:
        ticks = tree._ticks(tree.keys)
        self._stride = tree.stride
        keys = ticks[:, fixed_axis] * tree.stride + ticks[:, 1 - fixed_axis]
        self.members = np.argsort(keys, kind="stable")
        self._keys = keys[self.members]
        labels = tree.labels[self.members]
        self._changes = np.concatenate([[0], np.cumsum(labels[1:] != labels[:-1])])

    def between(self, fixed: Indices, low: Indices, high: Indices) -> tuple[Indices, Indices]:
        """Return the places of the first and the last point of each side."""
        base = fixed * self._stride
        return np.searchsorted(self._keys, base + low), np.searchsorted(self._keys, base + high)

    def varies(self, start: Indices, stop: Indices) -> NDArray[np.bool_]:
        return np.asarray(self._changes[stop] != self._changes[start])


@dataclass(frozen=True)
class _Mesh:
    """Directed segments between crossings (numbered first) and the hubs of three decisions."""

    sides: Indices  # (c, 2): the sampled points on both sides of each crossing
    hubs: Indices  # (h, 3): the sampled points around each hub
    is_junction: NDArray[np.bool_]  # (h,): three true decisions, none of them NOWHERE
    hub_crossings: Indices  # (h, 3): the crossings on the sides of each hub's triangle
    segments: Indices  # (s, 4): left decision, right decision, from, to


def _march(triangles: Indices, labels: Indices) -> _Mesh:
    """Return the boundary segments of a triangulation whose corners carry decisions."""
    corner = labels[triangles]
    differs = corner != np.roll(corner, -1, axis=1)  # the side from corner k to corner k + 1
    count = differs.sum(axis=1)
    kept = triangles[count > 0]
    corner, differs, count = corner[count > 0], differs[count > 0], count[count > 0]
    ends = np.sort(np.stack([kept, np.roll(kept, -1, axis=1)], axis=2), axis=2)
    pairs = ends[differs]
    sides, number = np.unique(pairs, axis=0, return_inverse=True)
    crossing = np.full(differs.shape, -1, dtype=np.intp)
    crossing[differs] = number.ravel()
    two = count == 2
    same = np.argmin(differs[two], axis=1)  # the side without a crossing faces the odd corner out
    rows = np.arange(len(same))
    odd = (same + 2) % 3
    segments = [
        _directed(
            corner[two][rows, odd],
            corner[two][rows, same],
            crossing[two][rows, odd],
            crossing[two][rows, (same + 1) % 3],
        )
    ]
    three = count == 3
    hub = len(sides) + np.arange(int(three.sum()))
    for k in range(3):
        following = (k + 1) % 3
        segments.append(
            _directed(corner[three][:, k], corner[three][:, following], crossing[three][:, k], hub)
        )
    return _Mesh(
        sides=sides.reshape(-1, 2),
        hubs=kept[three],
        is_junction=np.asarray((corner[three] != NOWHERE).all(axis=1)),
        hub_crossings=crossing[three],
        segments=np.concatenate(segments),
    )


def _directed(left: Indices, right: Indices, start: Indices, stop: Indices) -> Indices:
    """Return segments with the lower decision on the left, without those at NOWHERE."""
    swap = left > right
    segments = np.column_stack(
        [
            np.where(swap, right, left),
            np.where(swap, left, right),
            np.where(swap, stop, start),
            np.where(swap, start, stop),
        ]
    )
    return segments[segments[:, 0] != NOWHERE]


def _chains(segments: Indices) -> list[tuple[int, int, Indices, bool]]:
    """Return (left, right, vertices, closed) for each maximal chain of directed segments."""
    chains = []
    for left, right in np.unique(segments[:, :2], axis=0):
        own = segments[(segments[:, 0] == left) & (segments[:, 1] == right)]
        following = dict(zip(own[:, 2].tolist(), own[:, 3].tolist(), strict=True))
        starts = sorted(set(following) - set(following.values()))
        for start in [*starts, *sorted(following)]:
            if start not in following:
                continue
            chain = [start]
            while chain[-1] in following:
                chain.append(following.pop(chain[-1]))
            chains.append((int(left), int(right), np.array(chain), chain[0] == chain[-1]))
    return chains


def _polish(
    field: _Field, low: Array, high: Array, at_low: Indices, at_high: Indices, step: float
) -> Array:
    """Return where the log odds change sign on each side from `low` to `high`, to within `step`.

    Chandrupatla's method on all sides at once; bisection where the log odds are infinite.
    """
    n = len(low)
    where = low + 0.5 * (high - low)
    real = np.flatnonzero((at_low != NOWHERE) & (at_high != NOWHERE))
    a, b = np.zeros(n), np.ones(n)
    fa = np.full(n, np.inf)
    fb = np.full(n, -np.inf)
    fa[real] = field.table.log_odds_of(field.joints(low[real]), at_low[real], at_high[real])
    fb[real] = field.table.log_odds_of(field.joints(high[real]), at_low[real], at_high[real])
    field.n_evaluations -= 2 * len(real)  # both ends were evaluated when the tree grew
    c, fc = a.copy(), fa.copy()
    t = np.full(n, 0.5)
    width = np.abs(high - low).max(axis=1) if n else np.empty(0)
    active = real
    for _ in range(MAX_POLISH_STEPS):
        if len(active) == 0:
            break
        x = a[active] + t[active] * (b[active] - a[active])
        at = low[active] + x[:, None] * (high[active] - low[active])
        fx = field.odds(at, at_low[active], at_high[active])
        same = (fx > 0) == (fa[active] > 0)
        c[active] = np.where(same, a[active], b[active])
        fc[active] = np.where(same, fa[active], fb[active])
        b[active] = np.where(same, b[active], a[active])
        fb[active] = np.where(same, fb[active], fa[active])
        a[active], fa[active] = x, fx
        closer = np.abs(fa[active]) < np.abs(fb[active])
        best = np.where(closer, a[active], b[active])
        where[active] = low[active] + best[:, None] * (high[active] - low[active])
        gap = np.abs(b[active] - a[active])
        limit = 0.5 * step / width[active]
        going = (gap > 2 * limit) & (fx != 0)
        where[active[fx == 0]] = at[fx == 0]
        active, limit, gap = active[going], limit[going], gap[going]
        t[active] = _next_fraction(
            a[active], b[active], c[active], fa[active], fb[active], fc[active], limit / gap
        )
    return where


def _next_fraction(
    a: Array, b: Array, c: Array, fa: Array, fb: Array, fc: Array, least: Array
) -> Array:
    """Return the next trial point, as a fraction of the way from `a` to `b` (Chandrupatla 1997)."""
    with np.errstate(all="ignore"):
        xi = (a - b) / (c - b)
        phi = (fa - fb) / (fc - fb)
        inverse = (phi**2 < xi) & ((1 - phi) ** 2 < 1 - xi)
        t = fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
    t = np.where(inverse & np.isfinite(t), t, 0.5)
    return np.asarray(np.clip(t, least, 1 - least))


def _polish_junctions(field: _Field, tree: _Tree, mesh: _Mesh, crossings: Array) -> Array:
    """Return the points at which three decisions tie, by Newton's method; else the middles."""
    if len(mesh.hubs) == 0:
        return np.empty((0, 2))
    start = crossings[mesh.hub_crossings].mean(axis=1)
    corners = tree.points[mesh.hubs]
    extent = np.ptp(corners, axis=1).max(axis=1)
    decisions = tree.labels[mesh.hubs]
    here = start.copy()
    live = np.flatnonzero(mesh.is_junction)
    for _ in range(MAX_NEWTON_STEPS):
        if len(live) == 0:
            break
        shift = _newton_step(field, here[live], decisions[live], 1e-3 * extent[live])
        ok = np.isfinite(shift).all(axis=1)
        here[live[ok]] += shift[ok]
        moved = np.abs(shift).max(axis=1)
        strayed = np.abs(here[live] - start[live]).max(axis=1) > 2 * extent[live]
        here[live[strayed | ~ok]] = start[live[strayed | ~ok]]
        live = live[ok & ~strayed & (moved > 1e-10 + 1e-6 * extent[live])]
    return here


def _newton_step(field: _Field, at: Array, decisions: Indices, h: Array) -> Array:
    probes = [at, at + np.column_stack([h, 0 * h]), at + np.column_stack([0 * h, h])]
    joints = np.split(field.joints(np.concatenate(probes)), 3)
    odds = np.stack(
        [
            np.column_stack(
                [
                    field.table.log_odds_of(values, decisions[:, 0], decisions[:, 1]),
                    field.table.log_odds_of(values, decisions[:, 0], decisions[:, 2]),
                ]
            )
            for values in joints
        ]
    )
    with np.errstate(all="ignore"):
        jacobian = np.stack([(odds[1] - odds[0]).T / h, (odds[2] - odds[0]).T / h], axis=-1)
        (p, q), (r, s) = jacobian[0].T, jacobian[1].T
        determinant = p * s - q * r
        step = np.column_stack(
            [s * odds[0][:, 0] - q * odds[0][:, 1], p * odds[0][:, 1] - r * odds[0][:, 0]]
        )
        return np.asarray(-step / determinant[:, None])


def _refine(field: _Field, points: Array, left: int, right: int, step: float) -> Array:
    """Return the curve with points added until its chords are within `step` of the boundary.

    The offset of a chord's middle from the curve is found by secants along its normal. Halving a
    chord divides its offset by four: chords whose offset must already be small are left alone.
    """
    check = np.ones(len(points) - 1, dtype=bool)
    for _ in range(MAX_REFINEMENTS):
        chords = np.flatnonzero(check)
        if len(chords) == 0:
            break
        offset, found = _offsets(field, points, chords, left, right, step)
        bent = found & (np.abs(offset) > step / 2)
        split = chords[bent]
        if len(split) == 0:
            break
        start, stop = points[split], points[split + 1]
        normal = _normals(start, stop)
        middle = 0.5 * (start + stop) + offset[bent][:, None] * normal
        again = np.zeros(len(points) - 1, dtype=np.intp)
        again[split] = np.where(np.abs(offset[bent]) / 4 > step / 4, 2, 1)
        points = np.insert(points, split + 1, middle, axis=0)
        check = np.repeat(again == 2, np.where(again > 0, 2, 1))
    return points


def _normals(start: Array, stop: Array) -> Array:
    along = stop - start
    length = np.hypot(along[:, 0], along[:, 1])
    return np.column_stack([-along[:, 1], along[:, 0]]) / length[:, None]


def _offsets(
    field: _Field, points: Array, chords: Indices, left: int, right: int, step: float
) -> tuple[Array, NDArray[np.bool_]]:
    """Return how far the boundary lies from the middle of each chord along its normal."""
    start, stop = points[chords], points[chords + 1]
    normal = _normals(start, stop)
    middle = 0.5 * (start + stop)
    length = np.hypot(*(stop - start).T)
    n = len(chords)
    first, second = np.full(n, left), np.full(n, right)
    t0 = np.zeros(n)
    f0 = field.odds(middle, first, second)
    t1 = np.where(f0 == 0, 0.0, 1e-3 * length)
    found = f0 == 0
    active = np.flatnonzero(~found & np.isfinite(f0))
    for _ in range(MAX_SECANT_STEPS):
        if len(active) == 0:
            break
        at = middle[active] + t1[active][:, None] * normal[active]
        f1 = field.odds(at, first[active], second[active])
        with np.errstate(all="ignore"):
            shift = -f1 * (t1[active] - t0[active]) / (f1 - f0[active])
        t0[active], f0[active] = t1[active], f1
        ok = np.isfinite(shift) & (np.abs(t1[active] + shift) <= 0.5 * length[active])
        t1[active[ok]] += shift[ok]
        done = ok & (np.abs(shift) <= 1e-2 * step)
        found[active[done]] = True
        active = active[ok & ~done]
    found &= np.isfinite(t1)
    return t1, found


def _without_repeats(points: Array, step: float) -> Array:
    apart = np.abs(np.diff(points, axis=0)).max(axis=1) > step
    return points[np.concatenate([[True], apart])]


def _distinct(points: Array, step: float) -> Array:
    kept: list[Array] = []
    for point in points:
        if all(np.abs(point - other).max() > step for other in kept):
            kept.append(point)
    return np.array(kept).reshape(-1, 2)


def _length(points: Array) -> float:
    return float(np.hypot(*np.diff(points, axis=0).T).sum())
