"""An adaptive lattice that is fine where a decision boundary may pass, and coarse elsewhere.

All geometry happens in lattice units: coordinate u runs from 0 to the number of coarse cells along
an axis, and a piecewise linear map takes it to the feature. Places are counted in ticks, the
smallest cells that there can be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from afterfit.boundary._decisions import NOWHERE, DecisionTable

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
# Places in ticks, and their keys, may be beyond 2^31 also where an index is not.
Keys = NDArray[np.int64]

# A cell is split at most so many times, by the number of features. Both coordinates of a place in
# the lattice, counted in the smallest cells, must fit one integer of 64 bits.
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

# Coarse lattice lines of the two axes are shifted by these fractions of a cell, so that a boundary
# on a line of symmetry of the limits, or on a diagonal, does not run along lattice points.
LINE_SHIFTS = (0.1370178, 0.2718034)


def coarse_lines(low: float, high: float, n_cells: int, axis: int) -> Array:
    """Return the n_cells + 1 lattice lines from `low` to `high` along an axis."""
    steps = np.arange(n_cells + 1, dtype=np.float64)
    steps[1:-1] += LINE_SHIFTS[axis]
    return np.asarray(low + (high - low) * steps / n_cells)


class SpentError(Exception):
    """No more evaluations are to be made."""


@dataclass
class Field:
    """The log joint densities in lattice units, and at how many points they were asked for."""

    log_joints: Callable[[Array], Array]
    table: DecisionTable
    lines: tuple[Array, ...]
    may_jump: bool = False  # as probabilities of trees do: then nothing is smooth either
    at_most: float = np.inf  # at more points `SpentError` is raised
    n_evaluations: int = 0

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
        if self.n_evaluations > self.at_most:
            raise SpentError
        return np.asarray(self.log_joints(self.features(u)))

    def odds(self, u: Array, first: Indices, second: Indices) -> Array:
        return self.table.log_odds_of(self.joints(u), first, second)


class Tree:
    """Cells of an adaptive lattice; each carries the 3 (or 3 x 3) points sampled in it."""

    def __init__(self, field: Field, seeds: Array, max_evaluations: int) -> None:
        self.field = field
        self.max_evaluations = max_evaluations
        self.exhausted = False
        self.n_axes = len(field.lines)
        self.depth = MAX_DEPTH[self.n_axes]
        self.size = 2**self.depth  # of a coarse cell, in ticks
        self.stride = (max(len(axis) for axis in field.lines) + 1) * self.size
        self.keys: Keys = np.empty(0, dtype=np.int64)
        self.joints = np.empty((0, field.table.n_classes))
        self.ties = np.empty(0)  # within these log odds are rounding
        self.labels: Indices = np.empty(0, dtype=np.intp)
        self.leaves: list[tuple[Keys, int]] = []  # corners of lowest ticks (m, d), size
        self.edge_leaves: list[tuple[Keys, int]] = []  # the same, along edges of supports
        self._unresolved: list[tuple[Keys, int]] = []
        inside = self._inside(seeds)
        self._seeds = field.lattice_units(seeds[inside])
        self._seed_labels = field.table.choose_smoothly(field.joints(self._seeds))

    def points(self, rows: Indices) -> Array:
        """Return sampled points, in lattice units."""
        return np.asarray(self._ticks(self.keys.take(rows)) / self.size)

    def grow(self) -> None:
        """Split cells until each is resolved, as small as they get, or the budget is spent."""
        counts = [np.arange(len(axis) - 1, dtype=np.int64) for axis in self.field.lines]
        grid = np.meshgrid(*counts, indexing="ij")
        cells = np.column_stack([index.ravel() for index in grid]) * self.size
        self._look_for_dips(self._sample_coarsely())
        self._settle(cells, self.size)

    def split_at(self, points: Array) -> bool:
        """Split the leaves under these points, in lattice units, and tell whether there were any.

        Leaves as small as they get stay whole, and those along the edge of a support.
        """
        ticks = points * self.size
        leaves, self.leaves = self.leaves, []
        any_split = False
        for cells, size in leaves:
            corner = (np.floor(ticks / size) * size).astype(np.int64)
            split = np.isin(self._key(cells), self._key(corner)) & (size > 2)
            if split.any() and self.field.n_evaluations > self.max_evaluations:
                self.exhausted = True
                self._keep_unresolved(cells[split], size)
                split = np.zeros_like(split)
            self.leaves.append((cells[~split], size))
            if split.any():
                any_split = True
                self._settle(self._children(cells[split], size), size // 2)
        return any_split

    def _settle(self, cells: Keys, size: int) -> None:
        """Split cells until each is resolved, and keep them as leaves."""
        while True:
            rows = self._sample(cells, size)
            joints, labels = self.joints.take(rows, axis=0), self.labels.take(rows)
            ties = self.ties.take(rows)
            split, at_edge = unresolved(joints, labels, ties, self.field.table)
            split |= self._hides_a_seed(cells, size, labels)
            if size <= self.size >> SUPPORT_EDGE_DEPTH:
                at_edge |= split & self.field.may_jump
                self._keep_unresolved(cells[at_edge], size)
                self.edge_leaves.append((cells[at_edge], size))
                cells, split = cells[~at_edge], split[~at_edge]
            cost = int(split.sum()) * 4**self.n_axes
            if size == 2 or self.field.n_evaluations + cost > self.max_evaluations:
                self.exhausted |= bool(split.any()) and size > 2
                self._keep_unresolved(cells[split], size)
                split = np.zeros_like(split)
            self.leaves.append((cells[~split], size))
            if not split.any():
                return
            cells, size = self._children(cells[split], size), size // 2

    def _children(self, cells: Keys, size: int) -> Keys:
        children = cells[:, None] + self._stencil(size // 2, 2)
        return np.asarray(children.reshape(-1, self.n_axes))

    def _stencil(self, step: int, n: int = 3) -> Keys:
        """Return the n**d places (_, d) that are 0, ..., n - 1 steps along each axis."""
        return np.indices((n,) * self.n_axes).reshape(self.n_axes, -1).T * np.int64(step)

    def unresolved_boxes(self) -> Array:
        """Return the cells whose refinement ended early, as (low, high) of each feature."""
        boxes = []
        for cells, size in self._unresolved:
            low = self.field.features(cells / self.size)
            high = self.field.features((cells + size) / self.size)
            boxes.append(np.stack([low, high], axis=2).reshape(len(cells), -1))
        return np.concatenate(boxes) if boxes else np.empty((0, 2 * self.n_axes))

    def rank(self, ticks: Keys) -> Indices:
        """Return the row of each of these sampled points, given in ticks."""
        return np.searchsorted(self.keys, self._key(ticks))

    def in_rows(self) -> Indices:
        """Return the order of all sampled points along the second axis, then the first."""
        first, second = np.divmod(self.keys, self.stride)
        return np.argsort(second * self.stride + first)

    def _keep_unresolved(self, cells: Keys, size: int) -> None:
        # Cells as small as the tolerance are no news; larger ones the caller must hear of.
        if len(cells) and size > 2:
            self._unresolved.append((cells, size))

    def _sample(self, cells: Keys, size: int) -> Indices:
        """Return the rows (3**d, m) of what each cell carries, sampled where it was not yet."""
        if size == self.size:  # all coarse cells, in the order of keys
            numbers = np.arange(len(self.keys)).reshape([2 * len(x) - 1 for x in self.field.lines])
            corners = numbers[(slice(None, -1, 2),) * self.n_axes]
            return numbers[(slice(3),) * self.n_axes].reshape(-1, 1) + corners.ravel()
        keys = self._key(cells + self._stencil(size // 2)[:, None])
        rows = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        missing = np.unique(keys[self.keys[rows] != keys])
        if len(missing) == 0:
            return rows
        self._add(missing)
        return np.searchsorted(self.keys, keys)

    def _add(self, keys: Keys) -> None:
        """Evaluate at new places, and keep all in the order of keys."""
        joints = self.field.joints(self._ticks(keys) / self.size)
        table = self.field.table
        keys = np.concatenate([self.keys, keys])
        order = np.argsort(keys, kind="stable")
        self.keys = keys[order]
        self.joints = np.concatenate([self.joints, joints]).take(order, axis=0)
        self.labels = np.concatenate([self.labels, table.choose_smoothly(joints)])[order]
        self.ties = np.concatenate([self.ties, table.ties(joints)])[order]

    def _sample_coarsely(self) -> tuple[int, ...]:
        """Sample what the coarse cells carry, in the order of keys; return its number by axis."""
        shape = tuple(2 * len(axis) - 1 for axis in self.field.lines)
        places = np.indices(shape).reshape(self.n_axes, -1).T
        self._add(self._key(places * np.int64(self.size // 2)))
        return shape

    def _hides_a_seed(self, cells: Keys, size: int, labels: Indices) -> NDArray[np.bool_]:
        """Tell the cells that hold a point whose decision none of their sampled points has."""
        hides = np.zeros(len(cells), dtype=bool)
        if len(self._seeds) == 0 or len(cells) == 0:
            return hides
        keys = self._key(cells)
        order = np.argsort(keys)
        corner = (np.floor(self._seeds * self.size / size) * size).astype(np.int64)
        wanted = self._key(corner)
        at = np.minimum(np.searchsorted(keys[order], wanted), len(keys) - 1)
        for seed in np.flatnonzero(keys[order][at] == wanted):
            cell = order[at[seed]]
            hides[cell] |= bool((labels[:, cell] != self._seed_labels[seed]).all())
        return hides

    def _look_for_dips(self, shape: tuple[int, ...]) -> None:
        """Go downhill from the lowest local minima of each decision's deficit, and keep finds."""
        starts, wanted = [np.empty((0, self.n_axes))], []
        for decision in range(self.field.table.n_decisions):
            deficit = self._deficit(self.joints, self.labels, np.full(len(self.labels), decision))
            where = _local_minima(deficit.reshape(shape))
            depth = deficit.reshape(shape)[tuple(where.T)]
            lowest = where[np.argsort(depth, kind="stable")[:MAX_DIPS]]
            starts.append(lowest / 2.0)
            wanted += [decision] * len(lowest)
        self._descend(np.concatenate(starts), np.array(wanted, dtype=np.intp))

    def _deficit(self, joints: Array, labels: Indices, wanted: Indices) -> Array:
        """Return by how much wanted decisions fall short of the best; -inf where they are it."""
        deficit = np.where(labels == NOWHERE, np.inf, -np.inf)
        other = (labels != wanted) & (labels != NOWHERE)
        deficit[other] = self.field.table.log_odds_of(joints[other], labels[other], wanted[other])
        return deficit

    def _descend(self, here: Array, wanted: Indices) -> None:
        """Keep as seeds the points at which a compass search meets the wanted decision."""
        compass = self._stencil(1) - 1.0
        step = 0.25  # half the distance of neighbouring samples
        top = np.array([len(axis) - 1.0 for axis in self.field.lines])
        for _ in range(DIP_HALVINGS):
            if len(here) == 0:
                return
            around = np.clip(here[:, None, :] + step * compass, 0.0, top)
            joints = self.field.joints(around.reshape(-1, self.n_axes))
            labels = self.field.table.choose_smoothly(joints)
            deficit = self._deficit(joints, labels, np.repeat(wanted, len(compass)))
            lowest = deficit.reshape(len(here), -1).argmin(axis=1)
            rows = np.arange(len(here))
            here = around[rows, lowest]
            met = np.isneginf(deficit.reshape(len(here), -1)[rows, lowest])
            self._seeds = np.concatenate([self._seeds, here[met]])
            self._seed_labels = np.concatenate([self._seed_labels, wanted[met]])
            here, wanted = here[~met], wanted[~met]
            step /= 2

    def _key(self, ticks: Keys) -> Keys:
        if self.n_axes == 1:
            return np.asarray(ticks[..., 0])
        return np.asarray(ticks[..., 0] * self.stride + ticks[..., 1])

    def _ticks(self, keys: Keys) -> Keys:
        if self.n_axes == 1:
            return keys[..., None]
        return np.stack(np.divmod(keys, self.stride), axis=-1)

    def _inside(self, X: Array) -> NDArray[np.bool_]:
        inside = np.ones(len(X), dtype=bool)
        for axis, lines in enumerate(self.field.lines):
            inside &= (X[:, axis] >= lines[0]) & (X[:, axis] <= lines[-1])
        return inside


def _local_minima(values: Array) -> Indices:
    """Return the interior indices (m, d) at which finite `values` are least among neighbours."""
    least = np.isfinite(values) & (values == ndimage.minimum_filter(values, size=3))
    return np.argwhere(least[(slice(1, -1),) * values.ndim]) + 1


def unresolved(
    joints: Array, labels: Indices, ties: Array, table: DecisionTable
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell which cells need splitting, and which of these lie at the edge of a support.

    `joints` is (3**d, m, K), `labels` and `ties` (3**d, m). A decision is out of the running in a
    cell if the log odds of the centre's decision against it stay positive by the bound of
    `_lowest`; a cell is resolved if at most one other is in the running, and the log odds against
    that one have no stationary point by `_is_monotone`: then one boundary passes, or none.
    """
    n_samples, n_cells = labels.shape
    level = (0,) if n_samples == 3 else (0, 1)
    centre = labels[n_samples // 2]
    mixed = (labels == NOWHERE).any(axis=0) & (labels != NOWHERE).any(axis=0)
    running = np.zeros(n_cells, dtype=np.intp)
    smooth = np.ones(n_cells, dtype=bool)
    infinite = np.zeros(n_cells, dtype=bool)
    rows, first = joints.reshape(-1, table.n_classes), np.tile(centre, n_samples)
    for shift in range(1, table.n_decisions):
        second = (first + shift) % table.n_decisions
        odds = table.log_odds_of(rows, first, second).reshape(labels.shape)
        tied = (np.abs(odds) <= ties).all(axis=0)
        odds = odds.reshape(*[3] * len(level), -1)
        near = (_lowest(odds) <= 0) & ~tied
        running += near
        smooth[near] &= _is_monotone(odds[..., near])
        infinite[near] |= ~np.isfinite(odds[..., near]).all(axis=level)
    split = mixed | (running > 1) | ~smooth
    return split, split & (mixed | (infinite & (running == 1)))


def _lowest(odds: Array) -> Array:
    """Return a lower bound of the log odds over each cell, from their sampled curvature.

    Between samples a function lies at most (sum of its largest second differences) / 8 below the
    least of the corners around it; CURVATURE_SAFETY allows for curvature between samples.
    """
    level = tuple(range(odds.ndim - 1))
    dip = np.zeros(odds.shape[-1])
    with np.errstate(invalid="ignore"):
        for axis in level:
            second = np.diff(odds, n=2, axis=axis)
            bent = np.where(np.isfinite(second), np.maximum(second, 0.0), 0.0)
            dip += bent.max(axis=level)
    return np.asarray(odds.min(axis=level) - CURVATURE_SAFETY * dip / 8.0)


def _is_monotone(odds: Array) -> NDArray[np.bool_]:
    """Tell whether the gradient of the log odds hardly turns within each cell."""
    level = tuple(range(odds.ndim - 1))
    slope = np.zeros(odds.shape[-1])
    change = np.zeros(odds.shape[-1])
    with np.errstate(invalid="ignore"):
        for axis in level:
            steps = np.diff(odds, axis=axis)
            slope += steps.mean(axis=level) ** 2
            change += np.abs(np.diff(steps, axis=axis)).max(axis=level)
            for other in level[axis + 1 :]:
                # Half for this order of the two axes and half for the other: the same numbers.
                change += np.abs(np.diff(steps, axis=other)).max(axis=level)
    return np.asarray(change <= MAX_GRADIENT_CHANGE * np.sqrt(slope)) & np.isfinite(slope)
