"""The k-modes engine: many starts at once, over row blocks, on packed codes.

The matching distance of a row to a mode is a sum over columns. Columns are packed into groups
(`_tables.pack`), so it is a sum over few groups of a looked-up number; the looked-up rows
hold the number for every mode side by side. What is summed is `distance * K + k`: its minimum
over the K modes of a start carries the label, and equal distances go to the smaller label.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from afterfit.categorical._tables import Packed

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

# Bytes of looked-up distances that are handled together, for the second-level cache.
BLOCK_BYTES = 1 << 19
BLOCK_ROWS_RANGE = (1 << 10, 1 << 16)

# A table of indicators with no more cells than this is made, and fits the cache.
DENSE_CELLS = 1 << 18

# So many units times starts are worked on together.
TOGETHER_UNITS = 1 << 15


@dataclass
class Sweep:
    """What one pass over the rows finds for R starts of K modes each."""

    costs: FloatArray  # (R,), the weighted sum of distances to the nearest mode
    counts: FloatArray | None  # (R, K, total number of categories), columns as in `Counter.offsets`


class Engine:
    """Passes over the packed rows, for any number of starts of K modes."""

    def __init__(self, packed: Packed) -> None:
        self.packed = packed
        self.n_columns = len(packed.sizes)
        self.order = np.concatenate(packed.groups)  # columns as they stand in the counts
        sizes = packed.sizes[self.order]
        self.offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.intp)
        self._folds = [_fold(tuple(packed.sizes[group].tolist())) for group in packed.groups]

    @property
    def dense(self) -> bool:
        """Whether the table is so small that 0/1 indicators and a product beat look-ups."""
        return self.packed.n_units * int(self.offsets[-1]) <= DENSE_CELLS

    @cached_property
    def indicators(self) -> NDArray[np.float32]:
        """The rows as indicators of their categories, (n_units, total), columns in table order."""
        packed = self.packed
        starts = np.concatenate([[0], np.cumsum(packed.sizes)])
        cells = packed.rows(np.arange(packed.n_units)) + starts[:-1]
        out = np.zeros((packed.n_units, int(starts[-1])), dtype=np.float32)
        out[np.arange(packed.n_units)[:, None], cells] = 1
        return out

    def distances(self, modes: IntArray) -> Iterator[tuple[slice, NDArray[np.unsignedinteger]]]:
        """Yield row blocks and the distances of their rows to each of `modes`, (C, rows)."""
        yield from self._looked_up(modes, _key_dtype(self.n_columns), 1, 0)

    def keys(self, modes: IntArray) -> Iterator[tuple[slice, NDArray[np.unsignedinteger]]]:
        """Yield row blocks and min over k of distance * K + k, (R, rows); `modes` is (R, K, d)."""
        n_starts, n_modes, _ = modes.shape
        dtype = _key_dtype((self.n_columns + 1) * n_modes)
        flat = modes.reshape(n_starts * n_modes, -1)
        for rows, keys in self._looked_up(flat, dtype, n_modes, n_modes):
            yield rows, np.minimum.reduce(keys.reshape(n_starts, n_modes, -1), axis=1)

    def labels(self, modes: IntArray) -> NDArray[np.int32]:
        """Return the nearest of `modes`, (K, d), for every unit; the smaller label where equal."""
        out: NDArray[np.int32] = np.empty(self.packed.n_units, dtype=np.int32)
        lookup = np.tile(np.arange(len(modes), dtype=np.int32), self.n_columns + 1)
        for rows, keys in self.keys(modes[None]):
            out[rows] = lookup[keys[0]]
        return out

    def costs(self, modes: IntArray) -> FloatArray:
        """Return the cost of each start; `modes` is (R, K, d)."""
        return self.sweep(modes, counts=False).costs

    def sweep(self, modes: IntArray, *, counts: bool = True) -> Sweep:
        """Assign every unit to its nearest mode; return costs and category counts by cluster."""
        n_starts, n_modes, _ = modes.shape
        n_keys = (self.n_columns + 1) * n_modes
        key_counts = np.zeros(n_starts * n_keys)
        starts = np.arange(n_starts)[:, None]
        grouped = [np.zeros(n_starts * n_modes * span) for span in self.packed.spans]
        label_of = np.tile(np.arange(n_modes), self.n_columns + 1)
        for rows, keys in self.keys(modes):
            weights = self._weights(rows, n_starts)
            key_counts += np.bincount(
                (keys + starts * n_keys).ravel(), weights, minlength=len(key_counts)
            )
            if not counts:
                continue
            labels = label_of[keys] + starts * n_modes
            self._count(grouped, rows, labels, weights)
        distance_of = np.repeat(np.arange(self.n_columns + 1.0), n_modes)
        costs: FloatArray = key_counts.reshape(n_starts, n_keys) @ distance_of
        return Sweep(costs, self._folded(grouped, n_starts, n_modes) if counts else None)

    def counts(self, labels: NDArray[np.integer], n_clusters: int) -> FloatArray:
        """Return the weighted category counts of each cluster, (n_clusters, total categories)."""
        grouped = [np.zeros(n_clusters * span) for span in self.packed.spans]
        for rows in self._blocks(8 * n_clusters, n_clusters):
            weights = self._weights(rows, 1)
            self._count(grouped, rows, labels[None, rows].astype(np.int64), weights)
        counts: FloatArray = self._folded(grouped, 1, n_clusters)[0]
        return counts

    def modes(self, counts: FloatArray) -> IntArray:
        """Return the most frequent categories of counts (..., total); the first where equal."""
        out = np.empty((*counts.shape[:-1], self.n_columns), dtype=np.int64)
        sizes = np.diff(self.offsets)
        start = 0
        while start < self.n_columns:  # columns of like size stand together
            size = sizes[start]
            stop = start + int(np.argmax(np.append(sizes[start:] != size, True)))
            part = counts[..., self.offsets[start] : self.offsets[stop]]
            part = part.reshape(*counts.shape[:-1], stop - start, size)
            out[..., self.order[start:stop]] = part.argmax(axis=-1)
            start = stop
        return out

    def by_column(self, counts: FloatArray) -> list[FloatArray]:
        """Return counts (..., total categories) as one array for each column of the table."""
        parts = np.split(counts, self.offsets[1:-1], axis=-1)
        return [parts[place] for place in np.argsort(self.order)]

    def _count(
        self, grouped: list[FloatArray], rows: slice, labels: IntArray, weights: FloatArray | None
    ) -> None:
        """Add the rows' combinations of categories, by label, to the counts of each group."""
        scaled, scale = labels, 1
        for total, span, codes in zip(grouped, self.packed.spans, self.packed.codes, strict=True):
            if span != scale:
                scaled, scale = labels * span, span
            index = (scaled + codes[rows]).ravel()
            total += np.bincount(index, weights, minlength=len(total))

    def _folded(self, grouped: list[FloatArray], n_starts: int, n_modes: int) -> FloatArray:
        parts = [
            total.reshape(n_starts * n_modes, -1)
            if fold is None
            else total.reshape(n_starts * n_modes, -1) @ fold
            for total, fold in zip(grouped, self._folds, strict=True)
        ]
        return np.concatenate(parts, axis=1).reshape(n_starts, n_modes, -1)

    def _weights(self, rows: slice, n_starts: int) -> FloatArray | None:
        weights = self.packed.weights
        return None if weights is None else np.tile(weights[rows], n_starts)

    def _blocks(self, row_bytes: int, n_modes: int) -> Iterator[slice]:
        n_units = self.packed.n_units
        size = int(np.clip(BLOCK_BYTES // row_bytes, *BLOCK_ROWS_RANGE))
        size = max(size, n_modes * max(self.packed.spans))  # counting should not outweigh rows
        for start in range(0, n_units, size):
            yield slice(start, min(start + size, n_units))

    def _by_product(
        self, modes: IntArray, dtype: type, factor: int, period: int
    ) -> NDArray[np.unsignedinteger]:
        """Return what `_looked_up` yields, from one matrix product."""
        starts = np.concatenate([[0], np.cumsum(self.packed.sizes)])
        chosen = np.zeros((len(modes), int(starts[-1])), dtype=np.float32)
        chosen[np.arange(len(modes))[:, None], starts[:-1] + modes] = factor
        keys = chosen @ self.indicators.T
        np.subtract(factor * self.n_columns, keys, out=keys)
        if period:
            keys += (np.arange(len(modes)) % period)[:, None].astype(np.float32)
        return keys.astype(dtype)

    def _looked_up(
        self, modes: IntArray, dtype: type, factor: int, period: int
    ) -> Iterator[tuple[slice, NDArray[np.unsignedinteger]]]:
        """Yield row blocks and distance * factor (+ mode index modulo period), (C, rows)."""
        if self.dense:
            yield slice(0, self.packed.n_units), self._by_product(modes, dtype, factor, period)
            return
        tables = _tables(self.packed, modes, dtype, factor, period)
        n_words = tables[0].shape[1]
        for rows in self._blocks(8 * n_words, len(modes)):
            total = _taken(tables[0], self.packed.codes[0][rows])
            for table, codes in zip(tables[1:], self.packed.codes[1:], strict=True):
                total += _taken(table, codes[rows])
            yield rows, np.ascontiguousarray(total.view(dtype)[:, : len(modes)].T)


def lloyd(engine: Engine, modes: IntArray, max_iter: int) -> tuple[IntArray, FloatArray, IntArray]:
    """Return modes (R, K, d), costs and iterations once no start's cost falls any more."""
    # Starts go together where the rows are few, and one after the other where they are many.
    together = max(1, TOGETHER_UNITS // engine.packed.n_units)
    parts = [
        _lloyd(engine, modes[i : i + together], max_iter) for i in range(0, len(modes), together)
    ]
    best, costs, n_iter = (np.concatenate(part) for part in zip(*parts, strict=True))
    return best, costs, n_iter


def _lloyd(engine: Engine, modes: IntArray, max_iter: int) -> tuple[IntArray, FloatArray, IntArray]:
    n_starts = len(modes)
    best, costs = modes.copy(), np.full(n_starts, np.inf)
    n_iter = np.zeros(n_starts, dtype=np.int64)
    active, current = np.arange(n_starts), modes
    for iteration in range(max_iter + 1):
        last = iteration == max_iter
        sweep = engine.sweep(current, counts=not last)
        lower = sweep.costs < costs[active]
        best[active[lower]], costs[active[lower]] = current[lower], sweep.costs[lower]
        n_iter[active] = max(1, iteration)
        if last or sweep.counts is None:
            break
        updated = engine.modes(sweep.counts)
        _reseed_empty(engine, updated, current, sweep.counts)
        going = lower & (updated != current).any(axis=(1, 2))
        active, current = active[going], updated[going]
        if not active.size:
            break
    return best, costs, n_iter


def _reseed_empty(engine: Engine, updated: IntArray, current: IntArray, counts: FloatArray) -> None:
    """Give each cluster without rows the row farthest from its mode, in place."""
    occupied = counts[..., : engine.offsets[1]].sum(axis=-1) > 0
    for start in np.flatnonzero(~occupied.all(axis=1)):
        empty = np.flatnonzero(~occupied[start])
        index = farthest_units(engine, current[start], len(empty))
        updated[start, empty] = engine.packed.rows(index)


def farthest_units(engine: Engine, modes: IntArray, n_units: int) -> IntArray:
    """Return the units farthest from their nearest mode; the earlier one where equal."""
    n_modes = len(modes)
    index: IntArray = np.empty(0, dtype=np.int64)
    distance: IntArray = np.empty(0, dtype=np.int64)
    for rows, keys in engine.keys(modes[None]):
        far = keys[0].astype(np.int64) // n_modes
        index = np.concatenate([index, np.arange(rows.start, rows.stop)])
        distance = np.concatenate([distance, far])
        keep = np.argsort(-distance, kind="stable")[:n_units]
        index, distance = index[keep], distance[keep]
    return index


def _tables(
    packed: Packed, modes: IntArray, dtype: type, factor: int, period: int
) -> list[NDArray[np.uint64]]:
    """Return for each group the (span, words) table of distances to every mode, packed in words."""
    per_word = 8 // np.dtype(dtype).itemsize
    width = -(-len(modes) // per_word) * per_word
    tables: list[NDArray[np.uint64]] = []
    for group in packed.groups:
        table: NDArray[Any] = np.zeros((1, width), dtype=dtype)
        if not tables and period:
            table[0, : len(modes)] = np.arange(len(modes)) % period
        for j in group:
            differs = np.zeros((packed.sizes[j], width), dtype=dtype)
            differs[:, : len(modes)] = factor
            differs[modes[:, j], np.arange(len(modes))] = 0
            table = (table[:, None, :] + differs[None]).reshape(-1, width)
        tables.append(table.view(np.uint64))
    return tables


def _taken(table: NDArray[np.uint64], codes: NDArray[np.integer]) -> NDArray[np.uint64]:
    return table.take(codes, axis=0, mode="clip")  # codes are in range: "clip" is only faster


@lru_cache(maxsize=32)
def _fold(sizes: tuple[int, ...]) -> FloatArray | None:
    """Return the 0/1 matrix that turns counts of combinations into counts of each category."""
    if len(sizes) == 1:
        return None
    grid = np.indices(sizes).reshape(len(sizes), -1)
    return np.concatenate(
        [(grid[j][:, None] == np.arange(size)).astype(np.float64) for j, size in enumerate(sizes)],
        axis=1,
    )


def _key_dtype(largest: int) -> type:
    for dtype in (np.uint8, np.uint16, np.uint32):
        if largest <= np.iinfo(dtype).max:
            return dtype
    return np.uint64
