"""Rows as 0/1 indicators of their categories, and how models of them are scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from afterfit.categorical._tables import Packed

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# Weight of the prior of a class's categories, whose mean is their share among all rows.
PRIOR_ROWS = 1.0

# Copies of columns count once where so many different columns are left.
FEWEST_COLUMNS = 3

# A class's parameters are charged for so many rows at least: single odd rows are no classes.
FEW_ROWS = 10.0

# Columns of no more than one "on" cell a row are exclusive, unless fewer than so many rows with
# more would be expected if they were independent.
EXPECTED_OVERLAP = 10.0


@dataclass(frozen=True)
class Score:
    """A model beside independent columns."""

    gains: FloatArray  # the log likelihood of each unit above that of independent columns
    total: float  # their sum over the rows, less what the parameters are charged

    def errors_above(self, other: Score, weights: FloatArray) -> float:
        """Return by how many standard errors this score is above another's."""
        difference = self.gains - other.gains
        n_rows = weights.sum()
        centred = difference - np.average(difference, weights=weights)
        error = np.sqrt((weights * centred**2).sum() * n_rows / max(n_rows - 1, 1.0))
        above = self.total - other.total
        tiny = 1e-9 * (1 + abs(above))  # no unit tells the two apart
        if error <= tiny:
            return float(np.copysign(np.inf, above)) if above else 0.0
        return float(above / error)


class Indicators:
    """Units as 0/1 indicators of their categories, with the shares of all rows."""

    def __init__(self, columns: Sequence[NDArray[Any]], weights: FloatArray | None) -> None:
        n_units = len(columns[0])
        self.weights = np.ones(n_units) if weights is None else weights
        self.sizes = np.array([int(column.max()) + 1 for column in columns], dtype=np.intp)
        self.starts = np.cumsum(self.sizes, dtype=np.intp) - self.sizes
        self.column = np.repeat(np.arange(len(columns)), self.sizes)
        self.cells = np.zeros((n_units, int(self.sizes.sum())))
        for start, column in zip(self.starts, columns, strict=True):
            self.cells[np.arange(n_units), start + column.astype(np.int64)] = 1.0
        self.total = float(self.weights.sum())
        self.shares = self.weights @ self.cells / self.total

    def charge(self, rows: FloatArray) -> float:
        """Return what a parameter of each of several parts of the rows costs, less that of all."""
        return float(np.log(np.maximum(rows, FEW_ROWS)).sum() - np.log(self.total)) / 2

    def by_column(self, values: FloatArray) -> FloatArray:
        """Return sums over the categories of each column (last axis)."""
        return np.add.reduceat(values, self.starts, axis=-1)

    def only(self, kept: NDArray[np.bool_]) -> Indicators:
        """Return the same rows with the kept columns only."""
        part: Indicators = object.__new__(Indicators)
        part.weights, part.total = self.weights, self.total
        part.sizes = self.sizes[kept]
        part.starts = np.cumsum(part.sizes, dtype=np.intp) - part.sizes
        part.column = np.repeat(np.arange(len(part.sizes)), part.sizes)
        cells = kept[self.column]
        part.cells, part.shares = self.cells[:, cells], self.shares[cells]
        return part


def plain_columns(packed: Packed) -> list[NDArray[Any]]:
    """Return the columns' codes: indicators of one property together, no constants, no copies.

    Columns of two categories of which each row has the second at most once are the indicators of
    one property (one-hot columns), and are read as its categories; columns that tell the same
    rows apart say the same thing, and count once, unless hardly any others are left.
    """
    total, weights = packed.total, packed.weights
    columns = _joined_indicators(packed.columns(), packed.sizes, weights, total)
    different: dict[bytes, NDArray[Any]] = {}
    varying = []
    for column in columns:
        first, codes = np.unique(column, return_index=True, return_inverse=True)[1:]
        if len(first) > 1:
            order = np.empty(len(first), dtype=np.int64)
            order[np.argsort(first)] = np.arange(len(first))
            varying.append(order[codes])
            different.setdefault(varying[-1].tobytes(), varying[-1])
    return list(different.values()) if len(different) >= FEWEST_COLUMNS else varying


def _joined_indicators(
    columns: list[NDArray[Any]], sizes: IntArray, weights: FloatArray | None, total: float
) -> list[NDArray[Any]]:
    out: list[NDArray[Any]] = []
    j = 0
    while j < len(columns):
        run = _exclusive_run(columns, sizes, j, weights, total) if sizes[j] == 2 else 1
        if run == 1:
            out.append(columns[j])
        else:
            place = np.arange(1, run + 1)[:, None]
            out.append((np.stack(columns[j : j + run]) * place).sum(axis=0))
        j += run
    return out


def _exclusive_run(
    columns: list[NDArray[Any]], sizes: IntArray, j: int, weights: FloatArray | None, total: float
) -> int:
    """Return how many columns from j on are the indicators of one property."""
    on, end = columns[j] > 0, j + 1
    likely = j + 1  # up to where the absence of overlaps is no accident
    while end < len(columns) and sizes[end] == 2 and not (on & (columns[end] > 0)).any():
        more = columns[end] > 0
        expected = np.average(on, weights=weights) * np.average(more, weights=weights) * total
        on, end = on | more, end + 1
        if on.all():
            return end - j
        if likely == end - 1 and expected >= EXPECTED_OVERLAP:
            likely = end
    return likely - j


def row_posteriors(joint: FloatArray) -> tuple[FloatArray, FloatArray]:
    top = joint.max(axis=1, keepdims=True)
    joint = np.exp(joint - top)
    total = joint.sum(axis=1, keepdims=True)
    joint /= total
    return (np.log(total) + top)[:, 0], joint
