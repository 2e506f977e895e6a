"""Step-wise permutation statistics for canonical correlations, without refactorising a side.

The canonical variates of both sides are orthonormal, so after a permutation of the rows of one
side everything follows from their matrix of cosines, M = U' P V (one matrix product).

Root k is tested on what is left of both sides after their first k variates (Winkler et al., 2020).
Permuting what is left of V alone would let it correlate with the directions u_0 .. u_(k-1) as well,
in which what is left of U has no part: the permuted roots would live among n - 1 directions,
the observed ones among n - 1 - k, and p-values from the second root on would come out too small.
So each permuted remainder is first made orthogonal to u_0 .. u_(k-1), which gives Wilks' lambda of
root k as a ratio of determinants:

    det(I - M[:, k:]' M[:, k:]) / det(I - M[:k, k:] M[:k, k:]').

All numerators come from one Cholesky factor.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Resamples a task: few enough to share among jobs, many enough to outweigh a task's overhead. The
# random numbers belong to the task, so that results do not depend on the number of jobs.
TASK_RESAMPLES = 50
# Statistics this close (relatively, absolutely) count as equal: rounding must not break ties. For
# the same reason cosines are shrunk a little where statistics are compared: lambda would otherwise
# be nothing but rounding where a correlation is 1.
TIE_TOLERANCE = 1e-6
SMALLEST_DIFFERENCE = 1e-12
SHRINKAGE = 1.0 - 1e-9


def observed_statistics(correlations: Array) -> Array:
    """Return minus log Wilks' lambda of every root and those after it."""
    with np.errstate(divide="ignore"):
        logs = -np.log1p(-(correlations**2))
    return np.asarray(np.cumsum(logs[::-1])[::-1])


def count_exceedances(
    held: Array,
    moved: Array,
    correlations: Array,
    n_resamples: int,
    random_state: np.random.Generator,
    n_jobs: int | None,
) -> NDArray[np.int64]:
    """Return, for every root, how many permutations reach the observed statistic.

    `held` (n, p) and `moved` (n, q), p >= q, are the orthonormal canonical variates of both sides.
    """
    observed = observed_statistics(SHRINKAGE * correlations)
    threshold = (1.0 - TIE_TOLERANCE) * observed - SMALLEST_DIFFERENCE
    held = SHRINKAGE * held
    n_tasks = -(-n_resamples // TASK_RESAMPLES)
    sizes = [TASK_RESAMPLES] * (n_tasks - 1) + [n_resamples - TASK_RESAMPLES * (n_tasks - 1)]
    counts: list[Any] = Parallel(n_jobs=n_jobs)(
        delayed(_count_in_task)(held, moved, threshold, size, generator)
        for size, generator in zip(sizes, random_state.spawn(n_tasks), strict=True)
    )
    return np.asarray(np.sum(counts, axis=0), dtype=np.int64)


def permuted_statistics(cosines: Array) -> Array:
    """Return minus log Wilks' lambda of every root from the matrix of cosines M (p >= q)."""
    q = cosines.shape[1]
    remainder = np.eye(q) - cosines.T @ cosines
    numerators = _trailing_log_determinants(remainder)
    denominators = np.array([_log_determinant_beside(cosines[:k, k:]) for k in range(q)])
    return denominators - numerators


def _count_in_task(
    held: Array, moved: Array, threshold: Array, size: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    counts = np.zeros(len(threshold), dtype=np.int64)
    for _ in range(size):
        order = generator.permutation(len(moved))
        counts += permuted_statistics(held.T @ moved[order]) >= threshold
    return counts


def _trailing_log_determinants(matrix: Array) -> Array:
    # Of matrix[k:, k:] for every k: a Cholesky factor from the last row upwards holds them all.
    factor = np.linalg.cholesky(matrix[::-1, ::-1])
    return np.asarray(2.0 * np.cumsum(np.log(np.diag(factor)))[::-1])


def _log_determinant_beside(block: Array) -> float:
    # log det(I - B B'), by way of the smaller of B B' and B' B.
    if block.shape[0] > block.shape[1]:
        block = block.T
    return float(np.linalg.slogdet(np.eye(len(block)) - block @ block.T)[1])
