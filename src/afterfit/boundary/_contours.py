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

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from afterfit.boundary._decisions import NOWHERE
from afterfit.boundary._lattice import Field, Tree

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


def trace(field: Field, seeds: Array, tolerance: float, max_evaluations: int) -> Tracing:
    """Return every boundary curve within the outermost lines of one feature or two.

    Of one feature they are roots from left to right, curves of one point, with the decisions on
    its two sides. `seeds` (m, d) are looked at first; `tolerance` is in units of the range.
    """
    tree = Tree(field, seeds, max_evaluations)
    tree.grow()
    step = tolerance * min(len(axis) - 1 for axis in field.lines)
    curves, junctions = (_roots if tree.n_axes == 1 else _settled)(tree, step)
    return Tracing(curves, junctions, tree.unresolved_boxes(), field.n_evaluations, tree.exhausted)


def _roots(tree: Tree, step: float) -> tuple[list[Curve], Array]:
    left, right = tree.labels[:-1], tree.labels[1:]
    change = np.flatnonzero((left != right) & (left != NOWHERE) & (right != NOWHERE))
    x = tree.field.features(_polish(tree, change, change + 1, step))
    curves = [
        Curve(int(left[i]), int(right[i]), x[root], closed=False) for root, i in enumerate(change)
    ]
    return curves, np.empty((0, 1))


def _settled(tree: Tree, step: float) -> tuple[list[Curve], Array]:
    """Return the curves and junctions, with cells split until no chord goes astray."""
    passes = MAX_REFINEMENTS
    for remaining in reversed(range(MAX_ROUNDS)):
        mesh = _march(_triangles(tree), tree.labels)
        vertices = _vertices(tree, mesh, step)
        curves, strays = _curves(tree.field, mesh, vertices, step, passes)
        # A chord that does not lead to the boundary between its ends spans what the cell hides.
        if remaining > 1 and len(strays) and tree.split_at(strays):
            passes = 1  # look for further strays only
        elif passes == 1:
            passes = MAX_REFINEMENTS
        else:
            break
    junctions = vertices[len(mesh.sides) :][mesh.is_junction]
    return curves, tree.field.features(_distinct(junctions, step))


def _vertices(tree: Tree, mesh: _Mesh, step: float) -> Array:
    """Return the polished crossings of a mesh, then its polished hubs, in lattice units."""
    low, high = mesh.sides.T
    crossings = _polish(tree, low, high, POLISH_FRACTION * step)
    return np.concatenate([crossings, _polish_junctions(tree, mesh, crossings)])


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
    leaves = [*tree.leaves, *tree.edge_leaves]
    low = np.concatenate([cells for cells, _ in leaves])
    size = np.concatenate([np.full(len(cells), size) for cells, size in leaves])
    corners = [tree.rank(low + size[:, None] * np.array(at)) for at in np.ndindex(2, 2)]
    centre = tree.rank(low + size[:, None] // 2)
    # All points as they stand on vertical lines, which is the order of keys, then on horizontal.
    n = len(tree.keys)
    across = tree.in_rows()
    on_row = np.empty(n, dtype=np.intp)
    on_row[across] = np.arange(n, 2 * n)
    members = np.concatenate([np.arange(n), across])
    # Sides anticlockwise from the bottom, as the places of their ends on lines.
    lower, upper, lower_right, upper_right = corners
    start = np.column_stack([on_row[lower], lower_right, on_row[upper], lower])
    stop = np.column_stack([on_row[lower_right], upper_right, on_row[upper_right], upper])
    labels = tree.labels[members]
    changes = np.cumsum(np.append(False, labels[1:] != labels[:-1]))
    touched = (changes[start] != changes[stop]).any(axis=1)
    touched |= tree.labels[centre] != tree.labels[lower]
    # A ring around each centre: all that stands on its sides, without the last point of each.
    first = np.where([True, True, False, False], start, stop)[touched].ravel()
    count = (stop - start)[touched].astype(np.intp)
    along = count.ravel()
    passed = np.arange(along.sum()) - np.repeat(np.cumsum(along) - along, along)
    step = np.tile([1, 1, -1, -1], len(count))
    ring = members[np.repeat(first, along) + np.repeat(step, along) * passed]
    length = count.sum(axis=1, dtype=np.intp)
    following, ends = np.roll(ring, -1), np.cumsum(length)
    following[ends - 1] = ring[ends - length]
    return np.column_stack([np.repeat(centre[touched], length), ring, following])


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
    low, high = ends[differs].T.astype(np.int64)
    pairs, number = np.unique(low * len(labels) + high, return_inverse=True)
    sides = np.column_stack(np.divmod(pairs, len(labels))).astype(np.intp)
    crossing = np.full(differs.shape, -1, dtype=np.intp)
    crossing[differs] = number
    two = count == 2
    same = np.argmin(differs[two], axis=1)  # the side without a crossing faces the odd corner out
    rows = np.arange(len(same))
    odd = (same + 2) % 3
    parts = [
        (
            corner[two][rows, odd],
            corner[two][rows, same],
            crossing[two][rows, odd],
            crossing[two][rows, (same + 1) % 3],
        )
    ]
    three = count == 3
    hub = len(sides) + np.arange(int(three.sum()))
    parts += [
        (corner[three][:, k], corner[three][:, (k + 1) % 3], crossing[three][:, k], hub)
        for k in range(3)
    ]
    segments = np.concatenate([np.column_stack(part) for part in parts])
    swap = segments[:, 0] > segments[:, 1]  # the lower decision goes to the left
    segments[swap] = segments[swap][:, [1, 0, 3, 2]]
    return _Mesh(
        sides=sides,
        hubs=kept[three],
        is_junction=np.asarray((corner[three] != NOWHERE).all(axis=1)),
        hub_crossings=crossing[three],
        segments=segments[segments[:, 0] != NOWHERE],
    )


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


def _polish(tree: Tree, low: Indices, high: Indices, step: float) -> Array:
    """Return where the log odds change sign between sampled points, to within `step`.

    Chandrupatla's method from a secant, on all sides at once; bisection where the log odds are
    infinite.
    """
    table = tree.field.table
    start, along = tree.points(low), tree.points(high) - tree.points(low)
    first, second = tree.labels[low], tree.labels[high]
    fraction = np.full(len(low), 0.5)
    active = np.flatnonzero((first != NOWHERE) & (second != NOWHERE))
    fa, fb = (
        table.log_odds_of(tree.joints[ends[active]], first[active], second[active])
        for ends in (low, high)
    )
    # An end that ties by rounding has the boundary itself.
    fraction[active[fa <= 0]], fraction[active[fb >= 0]] = 0.0, 1.0
    opposed = (fa > 0) & (fb < 0)
    active, fa, fb = active[opposed], fa[opposed], fb[opposed]
    a, b = np.zeros(len(active)), np.ones(len(active))
    t = np.divide(fa, fa - fb, out=np.full(len(fa), 0.5), where=np.isfinite(fa - fb))
    least = 0.5 * step / np.abs(along).max(axis=1)
    for _ in range(MAX_POLISH_STEPS):
        if len(active) == 0:
            break
        x = a + t * (b - a)
        at = start[active] + x[:, None] * along[active]
        fx = tree.field.odds(at, first[active], second[active])
        same = (fx > 0) == (fa > 0)
        c, fc = np.where(same, a, b), np.where(same, fa, fb)
        b, fb = np.where(same, b, a), np.where(same, fb, fa)
        a, fa = x, fx
        nearer = (np.abs(fa) >= np.abs(fb)).astype(np.float64)  # the end that has finite log odds
        share = np.divide(fa, fa - fb, out=nearer, where=np.isfinite(fa - fb))
        fraction[active] = a + share * (b - a)
        going = (fx != 0) & (np.abs(b - a) > 2 * least[active])
        active = active[going]
        a, b, c, fa, fb, fc = (values[going] for values in (a, b, c, fa, fb, fc))
        t = _next_fraction(a, b, c, fa, fb, fc, least[active] / np.abs(b - a))
    return start + fraction[:, None] * along


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


def _polish_junctions(tree: Tree, mesh: _Mesh, crossings: Array) -> Array:
    """Return the points at which three decisions tie, by Newton's method; else the middles."""
    if len(mesh.hubs) == 0:
        return np.empty((0, 2))
    start = crossings[mesh.hub_crossings].mean(axis=1)
    corners = tree.points(mesh.hubs)
    extent = np.ptp(corners, axis=1).max(axis=1)
    decisions = tree.labels[mesh.hubs]
    here = np.asarray(start.copy())
    live = np.flatnonzero(mesh.is_junction)
    for _ in range(MAX_NEWTON_STEPS):
        if len(live) == 0:
            break
        shift = _newton_step(tree.field, here[live], decisions[live], 1e-3 * extent[live])
        ok = np.isfinite(shift).all(axis=1)
        here[live[ok]] += shift[ok]
        moved = np.abs(shift).max(axis=1)
        strayed = np.abs(here[live] - start[live]).max(axis=1) > 2 * extent[live]
        here[live[strayed | ~ok]] = start[live[strayed | ~ok]]
        live = live[ok & ~strayed & (moved > 1e-10 + 1e-6 * extent[live])]
    return here


def _newton_step(field: Field, at: Array, decisions: Indices, h: Array) -> Array:
    """Return the step to where both log odds against the first decision vanish, by differences."""
    probes = [at + h[:, None] * np.array(side) for side in ((0, 0), (1, 0), (0, 1))]
    joints = field.joints(np.concatenate(probes))
    first, second, third = np.tile(decisions, (3, 1)).T
    odds = [field.table.log_odds_of(joints, first, other) for other in (second, third)]
    (f, fx, fy), (g, gx, gy) = np.reshape(odds, (2, 3, -1))
    with np.errstate(all="ignore"):
        fx, fy, gx, gy = (
            (there - here) / h for there, here in ((fx, f), (fy, f), (gx, g), (gy, g))
        )
        step = np.column_stack([fy * g - gy * f, gx * f - fx * g])
        return np.asarray(step / (fx * gy - fy * gx)[:, None])


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
        middle = 0.5 * (start + stop) + offset[bent][:, None] * _normals(start, stop)
        # Halves are off by a quarter, where the boundary is smooth.
        check[:] = False
        check[split] = np.abs(offset[bent]) > 1.5 * step
        times = np.ones(len(points), dtype=np.intp)
        times[split] = 2
        check, slopes = np.repeat(check, times[:-1]), np.repeat(slopes, times[:-1])
        points = np.repeat(points, times, axis=0)
        points[split + np.arange(1, len(split) + 1)] = middle
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
    t0 = np.zeros(len(chords))
    joints = field.joints(middle)
    f0 = field.table.log_odds(joints, left, right)
    t1 = _first_guess(f0, slopes[chords], length)
    finite = np.isfinite(f0)
    found = f0 == 0
    active = np.flatnonzero(~found & finite)
    for _ in range(MAX_SECANT_STEPS):
        if len(active) == 0:
            break
        at = middle[active] + t1[active][:, None] * normal[active]
        joints[active] = there = field.joints(at)
        f1 = field.table.log_odds(there, left, right)
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
