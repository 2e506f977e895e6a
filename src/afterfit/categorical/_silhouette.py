"""The matching silhouette from category counts: exact, in time and memory linear in the rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from afterfit.categorical._engine import Engine
from afterfit.categorical._tables import blocks, pack

FloatArray = NDArray[np.float64]

# Numbers in one look-up table (combinations of categories times clusters): half the cache.
TABLE_CELLS = 1 << 16
# Numbers in a block of rows times clusters.
BLOCK_CELLS = 1 << 17


def silhouettes(
    codes: Sequence[NDArray[Any]],
    sizes: NDArray[np.int64],
    labels: NDArray[np.integer],
    n_clusters: int,
    weights: FloatArray | None,
) -> FloatArray:
    """Return the silhouette of every row; labels are 0..n_clusters - 1.

    The sum of the matching distances of a row x to the rows of a cluster C is the sum over the
    columns of (weight of C) - (weight of C's rows that agree with x there): counts are enough.
    """
    limit = int(np.clip(min(TABLE_CELLS // n_clusters, len(labels) // 8), 16, 1024))
    packed = pack(codes, sizes, weights, limit=limit)
    engine = Engine(packed)
    size_of = np.bincount(labels, weights, minlength=n_clusters).astype(np.float64)
    counts = engine.by_column(engine.counts(labels, n_clusters))
    agreeing = [_agreeing([counts[j] for j in group]) for group in packed.groups]
    most = len(codes) * size_of
    out = np.empty(len(labels))
    for rows in blocks(len(labels), max(1024, BLOCK_CELLS // n_clusters)):
        total = most - agreeing[0].take(packed.codes[0][rows], axis=0, mode="clip")
        for table, code in zip(agreeing[1:], packed.codes[1:], strict=True):
            total -= table.take(code[rows], axis=0, mode="clip")
        weight = None if weights is None else weights[rows]
        out[rows] = _from_sums(np.ascontiguousarray(total.T), labels[rows], size_of, weight)
    return out


def _from_sums(
    total: FloatArray,
    labels: NDArray[np.integer],
    size_of: FloatArray,
    weights: FloatArray | None,
) -> FloatArray:
    """Return (b - a) / max(a, b) from the summed distances to each cluster, (clusters, rows)."""
    row = np.arange(len(labels))
    # A row is no neighbour of its own; a row of weight 0 is compared with all of its cluster.
    others = size_of[labels] - (1.0 if weights is None else np.minimum(weights, 1.0))
    alone = others <= 0
    within = total[labels, row] / np.where(alone, 1.0, others)
    means = total
    means /= np.where(size_of > 0, size_of, 1.0)[:, None]
    means[size_of == 0] = np.inf  # a cluster without weight is nobody's neighbour
    means[labels, row] = np.inf
    between = means.min(axis=0)
    alone |= np.isinf(between)
    larger = np.maximum(within, between)
    alone |= larger == 0
    with np.errstate(invalid="ignore"):
        values = (between - within) / np.where(alone, 1.0, larger)
    values[alone] = 0.0
    return np.asarray(values)


def _agreeing(counts: Sequence[FloatArray]) -> FloatArray:
    """Return the table (combinations of a group's categories, clusters) of agreeing weights.

    `counts` holds for each column of the group the weight of each category, (clusters, categories).
    """
    table = counts[0].T
    for more in counts[1:]:
        table = (table[:, None, :] + more.T[None]).reshape(-1, len(more))
    return np.ascontiguousarray(table)
