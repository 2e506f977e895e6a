"""Decision boundaries in one and two features: an adaptive lattice, then curves polished on it.

All geometry happens in lattice units: coordinate u runs from 0 to the number of coarse cells along
an axis, and a piecewise linear map takes it to the feature. The steps:

1. `Tree` samples each coarse cell at its corners, the middles of its sides and its centre, and
   splits it as long as `unresolved` cannot say that at most one smooth boundary passes.
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
from typing import Any

import numpy as np
from numpy.typing import NDArray

from afterfit.boundary._decisions import NOWHERE, DecisionTable
from afterfit.boundary._lattice import Field, Keys, Tree

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

# Crossings are found to this fraction of the tolerance along their side.
POLISH_FRACTION = 1e-3
MAX_POLISH_STEPS = 60
MAX_REFINEMENTS = 16

# A chord is astray if the boundary lies further off than this fraction of its length. Chords of a
# few tolerances are not asked. At most so many times cells are split under chords astray.
MAX_OFFSET = 0.25
SHORT_CHORD = 16.0
MAX_ROUNDS = 16

MAX_SECANT_STEPS = 6
MAX_NEWTON_STEPS = 12


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


def find_roots(
    log_joints: Callable[[Array], Array],
    table: DecisionTable,
    lines: tuple[Array, ...],
    *,
    seeds: Array,
    tolerance: float,
    max_evaluations: int,
    may_jump: bool = False,
) -> Tracing:
    """Return every root within the outermost lines, from left to right, as a curve of one point.

    `left` and `right` are the decisions on its two sides. `seeds` (m, 1) are looked at first;
    `tolerance` is in units of the range; log odds that `may_jump` are not expected to be smooth.
    """
    field = Field(log_joints, table, lines, may_jump)
    tree = Tree(field, seeds, max_evaluations)
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
    lines: tuple[Array, ...],
    *,
    seeds: Array,
    tolerance: float,
    max_evaluations: int,
    may_jump: bool = False,
) -> Tracing:
    """Return every boundary curve within the outermost `lines` of both features.

    `seeds` (m, 2) are looked at first; `tolerance` is in units of the range.
    """
    field = Field(log_joints, table, lines, may_jump)
    tree = Tree(field, seeds, max_evaluations)
    tree.grow()
    step = tolerance * min(len(axis) - 1 for axis in lines)
    polished = _Polished([], {})
    passes = MAX_REFINEMENTS
    for remaining in reversed(range(MAX_ROUNDS)):
        mesh = _march(_triangles(tree), tree.labels)
        vertices = _vertices(field, tree, mesh, step, polished)
        curves, strays = _curves(field, mesh, vertices, step, passes)
        # A chord that does not lead to the boundary between its ends spans what the cell hides.
        if remaining > 1 and len(strays) and tree.split_at(strays):
            passes = 1  # look for further strays only
        elif passes == 1:
            passes = MAX_REFINEMENTS
        else:
            break
    junctions = vertices[len(mesh.sides) :][mesh.is_junction]
    return Tracing(
        curves,
        field.features(_distinct(junctions, step)),
        tree.unresolved_boxes(),
        field.n_evaluations,
        tree.exhausted,
    )


@dataclass
class _Polished:
    """Crossings polished in earlier rounds, by the keys of the lattice points on both sides."""

    rounds: list[tuple[Keys, Array]]
    known: dict[tuple[int, int], Array]

    def look_up(self, sides: Keys) -> tuple[Array, Indices]:
        """Return the crossings (c, 2) as far as they are known, and the numbers of the others."""
        crossings = np.empty((len(sides), 2))
        if not self.rounds:  # often there is no second round
            return crossings, np.arange(len(sides))
        for keys, polished in self.rounds[len(self.known) > 0 :]:
            self.known.update(zip(map(tuple, keys.tolist()), polished, strict=True))
        new = []
        for i, name in enumerate(map(tuple, sides.tolist())):
            if name in self.known:
                crossings[i] = self.known[name]
            else:
                new.append(i)
        return crossings, np.array(new, dtype=np.intp)


def _vertices(field: Field, tree: Tree, mesh: _Mesh, step: float, polished: _Polished) -> Array:
    """Return the polished crossings of a mesh, then its polished hubs, in lattice units."""
    keys = tree.keys[mesh.sides]
    crossings, new = polished.look_up(keys)
    low, high = mesh.sides[new].T
    crossings[new] = _polish(
        field,
        tree.points[low],
        tree.points[high],
        tree.labels[low],
        tree.labels[high],
        POLISH_FRACTION * step,
    )
    polished.rounds.append((keys[new], crossings[new]))
    return np.concatenate([crossings, _polish_junctions(field, tree, mesh, crossings)])


def _curves(
    field: Field, mesh: _Mesh, vertices: Array, step: float, passes: int
) -> tuple[list[Curve], Array]:
    """Return the refined curves along the mesh's segments, and where chords went astray."""
    curves, strays = [], [np.empty((0, 2))]
    for left, right, chain, closed in _chains(mesh.segments):
        points = _without_repeats(vertices[chain], POLISH_FRACTION * step)
        if len(points) < 2 or (not closed and _length(points) < 2 * step):
            continue
        points, astray = _refine(field, points, left, right, step, passes)
        curves.append(Curve(left, right, field.features(points), closed))
        strays.append(astray)
    return curves, np.concatenate(strays)


def _triangles(tree: Tree) -> Indices:
    """Return the triangles (t, 3), anticlockwise, of all leaves that a boundary touches."""
    columns = _Lines(tree, 0)
    rows = _Lines(tree, 1)
    triangles = []
    for cells, size in [*tree.leaves, *tree.edge_leaves]:
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
        plain = touched & np.all([stop - start == 2 for start, stop in sides], axis=0)
        rings = [_plain_rings(rows, columns, sides, plain)]
        hubs = [np.repeat(np.flatnonzero(plain), 8)]
        for cell in np.flatnonzero(touched & ~plain):  # with points of smaller neighbours
            bottom, right, top, left = (
                line.members[start[cell] : stop[cell] + 1]
                for line, (start, stop) in zip((rows, columns, rows, columns), sides, strict=True)
            )
            ring = np.concatenate([bottom[:-1], right[:-1], top[:0:-1], left[:0:-1]])
            rings.append(np.column_stack([ring, np.roll(ring, -1)]))
            hubs.append(np.full(len(ring), cell))
        owner = np.concatenate(hubs)
        order = np.argsort(owner, kind="stable")
        triangles.append(np.column_stack([centre[owner], np.concatenate(rings)])[order])
    return np.concatenate(triangles) if triangles else np.empty((0, 3), dtype=np.intp)


def _plain_rings(
    rows: _Lines, columns: _Lines, sides: tuple[tuple[Indices, Indices], ...], plain: Any
) -> Indices:
    """Return the sides (8 a cell, 2) around cells that carry their own nine points alone."""
    (bottom, _), (right, _), (_, top), (_, left) = [
        (start[plain], stop[plain]) for start, stop in sides
    ]
    ring = np.column_stack(
        [
            *(rows.members[bottom + k] for k in (0, 1)),
            *(columns.members[right + k] for k in (0, 1)),
            *(rows.members[top - k] for k in (0, 1)),
            *(columns.members[left - k] for k in (0, 1)),
        ]
    )
    return np.stack([ring, np.roll(ring, -1, axis=1)], axis=2).reshape(-1, 2)


class _Lines:
    """The sampled points in the order in which they stand on lattice lines of one direction."""

    def __init__(self, tree: Tree, fixed_axis: int) -> None:
        ticks = tree._ticks(tree.keys)
        self._stride = tree.stride
        keys = ticks[:, fixed_axis] * tree.stride + ticks[:, 1 - fixed_axis]
        # Those with the first axis fixed stand in the order of the tree's own keys.
        self.members = np.argsort(keys, kind="stable") if fixed_axis else np.arange(len(keys))
        self._keys = keys[self.members]
        labels = tree.labels[self.members]
        self._changes = np.concatenate([[0], np.cumsum(labels[1:] != labels[:-1])])

    def between(self, fixed: Keys, low: Keys, high: Keys) -> tuple[Indices, Indices]:
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
    return np.asarray(segments[segments[:, 0] != NOWHERE])


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
    field: Field, low: Array, high: Array, at_low: Indices, at_high: Indices, step: float
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
    c, fc, t = a.copy(), fa.copy(), np.full(n, 0.5)
    width = np.abs(high - low).max(axis=1) if n else np.empty(0)
    # An end that ties by rounding has the boundary itself.
    where[real[fa[real] <= 0]] = low[real[fa[real] <= 0]]
    where[real[fb[real] >= 0]] = high[real[fb[real] >= 0]]
    active = real[(fa[real] > 0) & (fb[real] < 0)]
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


def _polish_junctions(field: Field, tree: Tree, mesh: _Mesh, crossings: Array) -> Array:
    """Return the points at which three decisions tie, by Newton's method; else the middles."""
    if len(mesh.hubs) == 0:
        return np.empty((0, 2))
    start = crossings[mesh.hub_crossings].mean(axis=1)
    corners = tree.points[mesh.hubs]
    extent = np.ptp(corners, axis=1).max(axis=1)
    decisions = tree.labels[mesh.hubs]
    here = np.asarray(start.copy())
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


def _newton_step(field: Field, at: Array, decisions: Indices, h: Array) -> Array:
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


def _refine(
    field: Field, points: Array, left: int, right: int, step: float, passes: int
) -> tuple[Array, Array]:
    """Return the curve with points added until its chords are within `step` of the boundary.

    The offset of a chord's middle from the curve is found by secants along its normal. Halves of
    chords are looked at again, in at most so many passes. Also returned are the middles of chords
    astray.
    """
    check = np.ones(len(points) - 1, dtype=bool)
    slopes = np.full(len(points) - 1, np.nan)  # of the log odds along each chord's normal
    strays = [np.empty((0, 2))]
    for _ in range(passes):
        chords = np.flatnonzero(check)
        if len(chords) == 0:
            break
        offset, found, astray = _offsets(field, points, chords, slopes, left, right, step)
        strays.append(0.5 * (points[chords] + points[chords + 1])[astray])
        bent = found & (np.abs(offset) > step / 2)
        split = chords[bent]
        if len(split) == 0:
            break
        start, stop = points[split], points[split + 1]
        normal = _normals(start, stop)
        middle = 0.5 * (start + stop) + offset[bent][:, None] * normal
        halved = np.zeros(len(points) - 1, dtype=bool)
        halved[split] = True
        points = np.insert(points, split + 1, middle, axis=0)
        # Halves are off by a quarter, where the boundary is smooth.
        doubtful = np.zeros(len(halved), dtype=bool)
        doubtful[split] = np.abs(offset[bent]) > 1.5 * step
        times = 1 + halved.astype(np.intp)
        check, slopes = np.repeat(doubtful, times), np.repeat(slopes, times)
    return points, np.concatenate(strays)


def _normals(start: Array, stop: Array) -> Array:
    along = stop - start
    length = np.hypot(along[:, 0], along[:, 1])
    return np.column_stack([-along[:, 1], along[:, 0]]) / length[:, None]


def _offsets(
    field: Field,
    points: Array,
    chords: Indices,
    slopes: Array,
    left: int,
    right: int,
    step: float,
) -> tuple[Array, NDArray[np.bool_], NDArray[np.bool_]]:
    """Return how far the boundary lies from the middle of each chord along its normal.

    Also whether it was found, and whether the chord is astray: none was found, or only far off, or
    another decision is best there. Where the log odds are infinite nothing can be said. The slopes
    of all chords, known from the chords that these were halves of, are brought up to date.
    """
    start, stop = points[chords], points[chords + 1]
    normal = _normals(start, stop)
    middle = 0.5 * (start + stop)
    length = np.hypot(*(stop - start).T)
    n = len(chords)
    first, second, t0 = np.full(n, left), np.full(n, right), np.zeros(n)
    joints = field.joints(middle)
    f0 = field.table.log_odds_of(joints, first, second)
    t1 = _first_guess(f0, slopes[chords], length)
    finite = np.isfinite(f0)
    found = f0 == 0
    active = np.flatnonzero(~found & finite)
    for _ in range(MAX_SECANT_STEPS):
        if len(active) == 0:
            break
        at = middle[active] + t1[active][:, None] * normal[active]
        joints[active] = field.joints(at)
        f1 = field.table.log_odds_of(joints[active], first[active], second[active])
        with np.errstate(all="ignore"):
            slope = (f1 - f0[active]) / (t1[active] - t0[active])
            shift = -f1 / slope
        slopes[chords[active]] = slope
        t0[active], f0[active] = t1[active], f1
        ok = np.isfinite(shift) & (np.abs(t1[active] + shift) <= 0.5 * length[active])
        t1[active[ok]] += shift[ok]
        done = ok & (np.abs(shift) <= 1e-2 * step)
        found[active[done]] = True
        active = active[ok & ~done]
    best = field.table.choose_smoothly(joints)
    astray = ~found | (np.abs(t1) > MAX_OFFSET * length) | ((best != left) & (best != right))
    return t1, found, astray & finite & (length > SHORT_CHORD * step)


def _first_guess(odds: Array, slope: Array, length: Array) -> Array:
    """Return how far along a normal the log odds may vanish: a thousandth if nothing is known."""
    with np.errstate(all="ignore"):
        guess = -odds / slope
    return np.where(odds == 0, 0.0, np.where(np.abs(guess) < 0.1 * length, guess, 1e-3 * length))


def _without_repeats(points: Array, step: float) -> Array:
    apart = np.abs(np.diff(points, axis=0)).max(axis=1) > step
    return np.asarray(points[np.concatenate([[True], apart])])


def _distinct(points: Array, step: float) -> Array:
    kept: list[Array] = []
    for point in points:
        if all(np.abs(point - other).max() > step for other in kept):
            kept.append(point)
    return np.array(kept).reshape(-1, 2)


def _length(points: Array) -> float:
    return float(np.hypot(*np.diff(points, axis=0).T).sum())
