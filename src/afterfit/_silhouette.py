"""The matching silhouette from category counts: exact, in time and memory linear in the rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from afterfit._categories import blocks, pack

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
    limit = int(np.clip(TABLE_CELLS // n_clusters, 16, 4096))
    packed = pack(codes, sizes, None, limit=limit)
    size_of = np.bincount(labels, weights, minlength=n_clusters).astype(np.float64)
    agreeing = [
        _agreeing(group, codes, sizes, labels, n_clusters, weights) for group in packed.groups
    ]
    most = len(codes) * size_of
    out = np.empty(len(labels))
    for rows in blocks(len(labels), max(1024, BLOCK_CELLS // n_clusters)):
        total = most - agreeing[0].take(packed.codes[0][rows], axis=0, mode="clip")
        for table, code in zip(agreeing[1:], packed.codes[1:], strict=True):
            total -= table.take(code[rows], axis=0, mode="clip")
        weight = None if weights is None else weights[rows]
        out[rows] = _from_sums(total, labels[rows], size_of, weight)
    return out


def _from_sums(
    total: FloatArray,
    labels: NDArray[np.integer],
    size_of: FloatArray,
    weights: FloatArray | None,
) -> FloatArray:
    """Return (b - a) / max(a, b) from the summed distances to each cluster, (rows, clusters)."""
    row = np.arange(len(labels))
    # A row is no neighbour of its own; a row of weight 0 is compared with all of its cluster.
    others = size_of[labels] - (1.0 if weights is None else np.minimum(weights, 1.0))
    alone = others <= 0
    within = total[row, labels] / np.where(alone, 1.0, others)
    with np.errstate(divide="ignore", invalid="ignore"):  # clusters without weight: set aside
        means = total / size_of
    means[:, size_of == 0] = np.inf
    means[row, labels] = np.inf
    between = means.min(axis=1)
    alone |= np.isinf(between)
    larger = np.maximum(within, between)
    alone |= larger == 0
    with np.errstate(invalid="ignore"):
        values = (between - within) / np.where(alone, 1.0, larger)
    values[alone] = 0.0
    return np.asarray(values)


def _agreeing(
    group: NDArray[np.int64],
    codes: Sequence[NDArray[Any]],
    sizes: NDArray[np.int64],
    labels: NDArray[np.integer],
    n_clusters: int,
    weights: FloatArray | None,
) -> FloatArray:
    """Return the table (combinations of the group's categories, clusters) of agreeing weights."""
    table = np.zeros((1, n_clusters))
    for j in group:
        counts = np.zeros(sizes[j] * n_clusters)
        for rows in blocks(len(labels)):
            index = codes[j][rows].astype(np.int64)
            index *= n_clusters
            index += labels[rows]
            part = None if weights is None else weights[rows]
            counts += np.bincount(index, part, minlength=len(counts))
        table = (table[:, None, :] + counts.reshape(1, sizes[j], n_clusters)).reshape(
            -1, n_clusters
        )
    return table
