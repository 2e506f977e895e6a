"""The search for the modes of lowest cost: starts, exact category changes, swaps, samples.

Huang's iteration ends where no row is nearer to another mode and no mode is less frequent than
another category among its cluster's rows. Rows at equal distance from two modes make this a weak
end: they vote for one mode only. The exact change of one category of one mode is known from two
counts (`improve`), and going on with these lowers the cost by several percent on noisy tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import linear_sum_assignment

from afterfit._threads import one_thread
from afterfit.categorical._engine import Engine, FloatArray, IntArray, lloyd
from afterfit.categorical._tables import Packed, blocks, sampled

# Units among which all starts run and modes are swapped, and then the best are improved; more
# units than that are represented by a sample of rows, and all rows have the last word.
SCOUT_UNITS = 1 << 10
IMPROVE_UNITS = 1 << 12

# A sample is worth its while where there are so many times as many units.
SAMPLED_ABOVE = 1.5

# The best of the starts that are taken from one level to the next.
N_FINALISTS = 2

# Modes are swapped in rounds of so many attempts, until so many rounds in a row were in vain.
SWAPS_IN_A_ROUND = 8
VAIN_ROUNDS = 4

# Fewer units have so many equally good places that starts agree by accident.
FEW_UNITS = 100

# Iterations of an attempt; exact changes do the rest.
SWAP_ITERATIONS = 2

# On a sample the first round in vain is enough, and there are no more rounds than this: the last
# per mille of its cost is its own.
SAMPLE_ROUNDS = 6

# In tables of more columns than this, changes are made in many columns at once, in so many steps;
# single changes follow as long as they take no more products of numbers than that, and where they
# do there is one round of swaps: the time grows with the columns, and not with their square.
WIDE = 64
WIDE_STEPS = 6
WIDE_PRODUCTS = 1 << 27

# The last iterations, which only settle ties, are no more than this.
SETTLING_STEPS = 5

# Rows that the search for Cao's start looks at together.
CAO_ROWS = 1 << 17

# A cost must fall by more than this share of itself to count as lower: rounding of real weights.
RELATIVE_TOLERANCE = 1e-12

# A table of 0/1 indicators with no more cells than this is kept dense.
DENSE_CELLS = 1 << 22


@dataclass(frozen=True)
class Found:
    """The modes of lowest cost that a search found, (K, d), and what it took."""

    modes: IntArray
    cost: float
    n_iter: int


def search(
    packed: Packed,
    n_clusters: int,
    *,
    init: str | IntArray,
    n_init: int,
    max_iter: int,
    rng: np.random.Generator,
) -> Found:
    """Return the best modes that were found over the units of `packed`.

    `init` is the method of the `n_init` starts, or the modes (K, d) of the only one.
    """
    # The products are small: threads would cost more than they save, above all beside others.
    with one_thread():
        return _search(packed, n_clusters, init, n_init, max_iter, rng)


def _search(
    packed: Packed,
    n_clusters: int,
    init: str | IntArray,
    n_init: int,
    max_iter: int,
    rng: np.random.Generator,
) -> Found:
    engine = Engine(packed)
    if n_clusters == 1:
        counts = engine.counts(np.zeros(packed.n_units, dtype=np.int8), 1)
        modes = engine.modes(counts)
        return Found(modes, float(engine.costs(modes[None])[0]), 1)
    levels = _levels(packed, n_clusters, rng)
    scouts = Engine(levels[0])
    starts = (
        initial_modes(scouts, n_clusters, init, n_init, rng)
        if isinstance(init, str)
        else init[None]
    )
    n_iter = 0
    modes, costs = starts, np.empty(0)
    for number, level in enumerate(levels):
        stage = scouts if number == 0 else engine if level is packed else Engine(level)
        modes, costs, iterations = lloyd(stage, modes, max_iter)
        n_iter = int(iterations[np.argmin(costs)])
        if level.n_units <= SAMPLED_ABOVE * IMPROVE_UNITS:
            changes = Changes(stage)
            modes, costs = improve(changes, modes, costs)
            if number == 0:
                rounds = None if level is packed else SAMPLE_ROUNDS
                modes, costs = swap(changes, modes, costs, max_iter, rng, rounds)
        order = np.argsort(costs, kind="stable")[:N_FINALISTS]
        modes, costs = modes[order], costs[order]
    return Found(*_ordered(engine, modes[0], float(costs[0]), init), n_iter)


def _ordered(
    engine: Engine, modes: IntArray, cost: float, init: str | IntArray
) -> tuple[IntArray, float]:
    """Return settled modes in the order of their numbers: by size, or as in the start."""
    for _ in range(SETTLING_STEPS):  # another order is another way of breaking ties
        if isinstance(init, str):
            ordered = modes[_largest_first(engine, modes)]
        else:
            ordered = modes[_as_in_start(modes, init)]
        modes, cost = _settled(engine, ordered, cost)
        if (modes == ordered).all():
            break
    return modes, cost


def _settled(engine: Engine, modes: IntArray, cost: float) -> tuple[IntArray, float]:
    """Return modes of the same cost whose ties went to the first category in sorted order."""
    for _ in range(SETTLING_STEPS):
        counts = engine.sweep(modes[None]).counts
        assert counts is not None
        updated = engine.modes(counts[0])
        if (updated == modes).all() or not _all_occupied(engine, counts[0]):
            break
        modes, cost = updated, float(engine.costs(updated[None])[0])  # never more
    return modes, cost


def _all_occupied(engine: Engine, counts: FloatArray) -> bool:
    return bool((counts[:, : engine.offsets[1]].sum(axis=1) > 0).all())


def _as_in_start(modes: IntArray, start: IntArray) -> IntArray:
    """Return the order of modes in which they are nearest, one to one, to those of the start."""
    differ = np.count_nonzero(start[:, None, :] != modes[None], axis=2)
    order: IntArray = linear_sum_assignment(differ)[1]
    return order


def _largest_first(engine: Engine, modes: IntArray) -> IntArray:
    """Return the order of modes by the rows that are strictly nearest to them, most first.

    Equal numbers are ordered by the modes' categories, so that the order is a property of the
    modes, whatever numbers the search had given them.
    """
    own = np.zeros(len(modes))
    for rows, distances in engine.distances(modes):
        nearest = distances == distances.min(axis=0)
        nearest &= np.count_nonzero(nearest, axis=0) == 1
        weights = engine.packed.weights
        own += nearest.sum(axis=1) if weights is None else nearest @ weights[rows]
    return np.lexsort((*modes.T[::-1], -own))


def initial_modes(
    engine: Engine, n_clusters: int, init: str, n_init: int, rng: np.random.Generator
) -> IntArray:
    """Return random starts, (n_init, n_clusters, n_columns), by the method "huang" or "random"."""
    packed = engine.packed
    units = np.arange(packed.n_units)
    rows = packed.rows(units)
    share = None if packed.weights is None else packed.weights / packed.total
    out = np.empty((n_init, n_clusters, rows.shape[1]), dtype=np.int64)
    for start in range(n_init):
        if init == "random":
            chosen = rng.choice(packed.n_units, n_clusters, replace=False, p=share)
        else:
            drawn = np.column_stack(
                [column[rng.choice(packed.n_units, n_clusters, p=share)] for column in rows.T]
            )
            chosen = _nearest_free_units(engine, drawn)
        out[start] = rows[chosen]
    return out


def cao_modes(codes: Sequence[NDArray[Any]], packed: Packed, n_clusters: int) -> IntArray:
    """Return the start of Cao et al. (2009), (n_clusters, n_columns): dense rows far apart.

    The density of a row is the mean share of its categories; the first mode is the densest row,
    each next one the row whose least density * distance to the modes so far is largest, the
    first row where equal. `codes` are the columns of `packed`. The arithmetic goes in the order
    of kmodes' own, so that near ties fall as they do there.
    """
    total, n_columns = packed.total, len(codes)
    engine = Engine(packed)
    margins = [
        part / total / n_columns
        for part in engine.by_column(engine.counts(np.zeros(packed.n_units, dtype=np.int8), 1)[0])
    ]
    modes = np.empty((0, n_columns), dtype=np.int64)
    while len(modes) < n_clusters:
        best, found = -1.0, 0
        for rows in blocks(packed.n_units, CAO_ROWS):
            score = np.zeros(rows.stop - rows.start)
            for margin, column in zip(margins, codes, strict=True):
                score += margin[column[rows]]
            if len(modes):
                part = packed.part(rows)
                distances = np.concatenate([d for _, d in Engine(part).distances(modes)], axis=1)
                score = np.min(distances * score, axis=0)
            if packed.weights is not None:
                score[packed.weights[rows] == 0] = -1.0
            first = int(score.argmax())
            if score[first] > best:
                best, found = float(score[first]), rows.start + first
        modes = np.concatenate([modes, packed.rows(np.array([found]))])
    return modes


def improve(changes: Changes, modes: IntArray, costs: FloatArray) -> tuple[IntArray, FloatArray]:
    """Return modes (R, K, d) that no change of one category of one mode makes better, and costs.

    Changing column j of mode k from u to v moves every row's distance to k by at most one. The
    cost rises by one for each row with x_j = u that is strictly nearest to k, and falls by one for
    each row with x_j = v that is nearest to k or as near to it as to another: two counts decide.
    Each step makes the best change of every mode at once where that is best, or the best alone.
    In wide tables those of many columns at once come first, and single ones are limited.
    """
    if changes.wide:
        modes, costs = _improve_wide(changes, modes, costs)
    modes, costs = modes.copy(), costs.copy()
    steps = changes.steps(modes.shape[0] * modes.shape[1])
    active = np.arange(len(modes))
    distances = _all_distances(changes.engine, modes)
    nearest = distances.min(axis=1)
    while steps > 0:
        steps -= 1
        gains = changes.gains(distances, nearest, modes[active])
        category = gains.argmax(axis=2)
        gain = np.take_along_axis(gains, category[..., None], axis=2)[..., 0]
        greatest = gain.max(axis=1)
        going = greatest > RELATIVE_TOLERANCE * costs[active]
        if not going.any():
            break
        if not going.all():
            active, distances, gain = active[going], distances[going], gain[going]
            category, greatest = category[going], greatest[going]
        alone = gain == greatest[:, None]
        alone &= np.cumsum(alone, axis=1) == 1  # the first where equal
        together = changes.moved(distances, modes[active], category, gain > 0)
        nearest = together.min(axis=1)
        found = nearest @ changes.weights
        use = found < costs[active] - greatest
        if not use.all():
            rest = np.flatnonzero(~use)
            single = changes.moved(
                distances[rest], modes[active[rest]], category[rest], alone[rest]
            )
            together[rest], nearest[rest] = single, single.min(axis=1)
            found[rest] = nearest[rest] @ changes.weights
        distances = together
        taken = np.where(use[:, None], gain > 0, alone)
        modes[active] = changes.changed(modes[active], category, taken)
        costs[active] = found
    return modes, costs


def _improve_wide(
    changes: Changes, modes: IntArray, costs: FloatArray
) -> tuple[IntArray, FloatArray]:
    """Return modes after a few steps that change many columns at once, and costs."""
    modes, costs = modes.copy(), costs.copy()
    engine = changes.engine
    share = 1.0
    for _ in range(WIDE_STEPS):
        distances = _all_distances(engine, modes)
        gains = changes.gains(distances, distances.min(axis=1), modes)
        best = np.maximum.reduceat(gains, changes.offsets[:-1], axis=2)
        # The better part of the columns that promise to gain.
        promising = np.where(best > 0, best, 0.0)
        least = np.quantile(promising, 1 - share, axis=2, keepdims=True)
        taken = (promising > 0) & (promising >= least)
        if not taken.any():
            break
        tried = modes.copy()
        for column in np.flatnonzero(taken.any(axis=(0, 1))):
            start, stop = changes.offsets[column : column + 2]
            category = gains[..., start:stop].argmax(axis=2)
            tried[..., column] = np.where(taken[..., column], category, modes[..., column])
        found = engine.costs(tried)
        lower = found < costs * (1 - RELATIVE_TOLERANCE)
        modes[lower], costs[lower] = tried[lower], found[lower]
        if not lower.all():
            share /= 4
    return modes, costs


def swap(
    changes: Changes,
    modes: IntArray,
    costs: FloatArray,
    max_iter: int,
    rng: np.random.Generator,
    max_rounds: int | None = None,
) -> tuple[IntArray, FloatArray]:
    """Return `modes` and `costs` with the best start improved by moving modes to other rows.

    In each attempt a mode that its rows would miss little is put on a row far from all modes; one
    attempt in a round starts from new rows. The best of a round is kept if it costs no more.
    """
    best = int(np.argmin(costs))
    kept, cost, vain = modes[best], costs[best], 0
    engine, weights = changes.engine, changes.weights
    if changes.steps(len(kept) * SWAPS_IN_A_ROUND) < WIDE_STEPS:
        max_rounds = 1
    enough = _enough_in_vain(costs, engine.packed.n_units) if max_rounds is None else 1
    n_rounds = 0
    while vain < enough and n_rounds != max_rounds:
        n_rounds += 1
        distances = _all_distances(engine, kept[None])[0]
        two = np.partition(distances, 1, axis=0)[:2].astype(np.float64)
        far = weights * two[0]
        if not far.any():
            break
        missed = np.bincount(
            distances.argmin(axis=0), weights * (two[1] - two[0]), minlength=len(kept)
        )
        odds = 1 / (1 + missed)
        attempts = np.repeat(kept[None], SWAPS_IN_A_ROUND, axis=0)
        places = rng.choice(len(far), SWAPS_IN_A_ROUND, p=far / far.sum())
        moved = rng.choice(len(kept), SWAPS_IN_A_ROUND, p=odds / odds.sum())
        attempts[np.arange(SWAPS_IN_A_ROUND), moved] = engine.packed.rows(places)
        attempts[0] = initial_modes(engine, len(kept), "random", 1, rng)[0]  # and another
        attempts, found, _ = lloyd(engine, attempts, min(max_iter, SWAP_ITERATIONS))
        attempts, found = improve(changes, attempts, found)
        first = int(np.argmin(found))
        vain = 0 if found[first] < cost * (1 - RELATIVE_TOLERANCE) else vain + 1
        if found[first] <= cost:  # other modes of the same cost are a new place to go on from
            kept, cost = attempts[first], found[first]
    modes, costs = modes.copy(), costs.copy()
    modes[best], costs[best] = kept, cost
    return modes, costs


def _enough_in_vain(costs: FloatArray, n_units: int) -> int:
    """Return how many rounds of swaps in vain are enough after starts with these costs."""
    if n_units < FEW_UNITS:
        return 2 * VAIN_ROUNDS
    # Starts that ended at the same cost make it the less likely that there is a lower one.
    agreeing = int(np.count_nonzero(costs <= costs.min() * (1 + RELATIVE_TOLERANCE)))
    return max(1, VAIN_ROUNDS + 1 - agreeing)


class Changes:
    """What changes of single categories do to the cost, from 0/1 indicators of the categories."""

    def __init__(self, engine: Engine) -> None:
        packed = engine.packed
        self.engine = engine
        self.offsets = np.concatenate([[0], np.cumsum(packed.sizes)]).astype(np.intp)
        self.columns = np.repeat(np.arange(len(packed.sizes)), packed.sizes.astype(np.intp))
        self.weights = np.ones(packed.n_units) if packed.weights is None else packed.weights
        # Whole numbers up to 2**24 are exact in single precision.
        whole = (self.weights == np.floor(self.weights)).all()
        self.dtype = np.float32 if whole and self.weights.sum() < 2**24 else np.float64
        codes = packed.rows(np.arange(packed.n_units))
        self.codes = np.ascontiguousarray(codes.T).astype(np.min_scalar_type(packed.sizes.max()))
        shape = packed.n_units, int(self.offsets[-1])
        places = (
            np.repeat(np.arange(shape[0]), codes.shape[1]),
            (codes + self.offsets[:-1]).ravel(),
        )
        values = np.repeat(self.weights, codes.shape[1]).astype(self.dtype)
        matrix = sparse.csr_array((values, places), shape=shape)
        self.matrix = matrix.toarray() if shape[0] * shape[1] <= DENSE_CELLS else matrix

    @property
    def wide(self) -> bool:
        """Whether there are so many columns that steps must be few."""
        return self.engine.n_columns > WIDE

    def steps(self, n_modes: int) -> float:
        """Return how many steps of single changes of so many modes are worth their time."""
        products = n_modes * len(self.weights) * int(self.offsets[-1])
        return WIDE_PRODUCTS // products if self.wide else np.inf

    def gains(
        self,
        distances: NDArray[np.unsignedinteger],
        nearest: NDArray[np.unsignedinteger],
        modes: IntArray,
    ) -> FloatArray:
        """Return by how much the cost falls if a mode took a category, (R, K, categories)."""
        near = distances == nearest[:, None]
        one = np.count_nonzero(near, axis=1) == 1
        alone = near & one[:, None]
        flat = (-1, distances.shape[2])
        lost = alone.reshape(flat).astype(self.dtype) @ self.matrix
        tied = np.flatnonzero(~one.all(axis=0))  # units as near to two modes in some start
        ties = (near ^ alone)[..., tied].reshape(len(lost), -1).astype(self.dtype)
        won = lost + ties @ self.matrix[tied]
        current = (modes + self.offsets[:-1]).reshape(len(won), -1)
        row = np.arange(len(won))[:, None]
        won -= lost[row, current][:, self.columns]
        won[row, current] = 0
        gains: FloatArray = won.reshape(*distances.shape[:2], -1)
        return gains

    def moved(
        self,
        distances: NDArray[np.unsignedinteger],
        modes: IntArray,
        category: IntArray,
        taken: NDArray[np.bool_],
    ) -> NDArray[np.unsignedinteger]:
        """Return the distances after modes take a category each, where `taken`."""
        start, mode = np.nonzero(taken)
        new = category[start, mode]
        column = self.columns[new]
        old = modes[start, mode, column] + self.offsets[column]
        moved = distances.copy()
        moved[start, mode] += self.present(old, column)
        moved[start, mode] -= self.present(new, column)
        return moved

    def changed(self, modes: IntArray, category: IntArray, taken: NDArray[np.bool_]) -> IntArray:
        """Return the modes after they take a category each, where `taken`."""
        start, mode = np.nonzero(taken)
        new = category[start, mode]
        column = self.columns[new]
        modes = modes.copy()
        modes[start, mode, column] = new - self.offsets[column]
        return modes

    def present(self, category: IntArray, column: IntArray) -> NDArray[np.bool_]:
        """Return whether each unit has the category, one row a category."""
        here: NDArray[np.bool_] = self.codes[column] == (category - self.offsets[column])[:, None]
        return here


def _all_distances(engine: Engine, modes: IntArray) -> NDArray[np.unsignedinteger]:
    """Return the distances of every unit to the modes of every start, (R, K, n_units)."""
    parts = [part for _, part in engine.distances(modes.reshape(-1, modes.shape[2]))]
    whole = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
    return whole.reshape(*modes.shape[:2], -1)


def _nearest_free_units(engine: Engine, modes: IntArray) -> IntArray:
    """Return for each mode in turn its nearest unit that no earlier mode took, the first one."""
    distances = _all_distances(engine, modes[None])[0].astype(np.int64)
    chosen: list[int] = []
    for row in distances:
        row[chosen] = engine.n_columns + 1
        chosen.append(int(row.argmin()))
    return np.array(chosen)


def _levels(packed: Packed, n_clusters: int, rng: np.random.Generator) -> list[Packed]:
    """Return ever larger samples of the rows, and last all of them."""
    levels = [packed]
    for units in (IMPROVE_UNITS, SCOUT_UNITS):
        if levels[0].n_units > SAMPLED_ABOVE * units:
            sample = sampled(packed, units, rng)
            if sample.n_units >= 2 * n_clusters:
                levels.insert(0, sample)
    return levels
