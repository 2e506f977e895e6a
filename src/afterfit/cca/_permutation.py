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

from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from afterfit._validation import check_integer, check_random_state
from afterfit.cca._whitening import couple

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


@dataclass(frozen=True)
class PermutationResult:
    """Canonical correlations with a permutation p-value for every root.

    Attributes
    ----------
    correlations : ndarray of shape (n_roots,)
        Canonical correlations, decreasing.
    pvalues : ndarray of shape (n_roots,)
        Step-down p-values: valid for each root, and together (family-wise); never decreasing.
    stepwise_pvalues : ndarray of shape (n_roots,)
        The same before the step-down maximum: valid for a root if all earlier ones are real.
    statistics : ndarray of shape (n_roots,)
        Minus the logarithm of Wilks' lambda of each root and those after it.
    n_resamples : int
        Number of permutations.

    See Also
    --------
    permutation_test : Returns one.
    """

    correlations: Array
    pvalues: Array
    stepwise_pvalues: Array
    statistics: Array
    n_resamples: int


def permutation_test(
    X: Any,
    Y: Any,
    *,
    n_resamples: int = 999,
    random_state: Any = None,
    n_jobs: int | None = None,
) -> PermutationResult:
    """Return a permutation p-value for every canonical correlation.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features_x)
        One set of columns.
    Y : array-like of shape (n_samples, n_features_y)
        The other set, for the same rows. Rows must be exchangeable: no groups, no time series.
    n_resamples : int, default 999
        Number of permutations, at least 1; the smallest p-value is 1 / (n_resamples + 1).
    random_state : None, int, Generator or RandomState, default None
        Source of the permutations. Results do not depend on `n_jobs`.
    n_jobs : int, default None
        Number of joblib jobs; None means 1 or what `joblib.parallel_config` says.

    Returns
    -------
    PermutationResult
        With `correlations` and `pvalues`, one a root.

    Raises
    ------
    TypeError
        If a side is not numeric, or an argument of the wrong type.
    ValueError
        If a side has not two dimensions, has missing or infinite values or no column that varies,
        if the numbers of rows differ or `n_resamples` is less than 1.

    Warns
    -----
    ForcedCorrelationWarning
        If rank X + rank Y > n_samples - 1: permuted correlations are then forced as well, and all
        p-values are 1.

    See Also
    --------
    CCAResult.significance : The tests for normal errors.

    Notes
    -----
    Step-wise, with Wilks' lambda [1]_: root k is tested on what is left of both sides after
    their first k pairs, including the directions by which one side is wider. A plain permutation
    of the data compares it with correlations that still contain the earlier pairs; and even the
    remainders must be permuted within the n - 1 - k directions that are left to them, or the
    second and later p-values come out too small when n is small. A p-value is
    (1 + number of permutations that reach the observed statistic) / (1 + n_resamples), and the
    step-down value the largest up to its root. Neither side is factorised again.

    References
    ----------
    .. [1] Winkler, A. M., Renaud, O., Smith, S. M., Nichols, T. E. (2020). Permutation inference
       for canonical correlation analysis. NeuroImage 220, 117065.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from afterfit.cca import permutation_test
    >>> data = load_linnerud()
    >>> result = permutation_test(data.data, data.target, n_resamples=199, random_state=0)
    >>> bool(result.pvalues[0] < 0.15), bool(result.pvalues[1] > 0.5)
    (True, True)
    """
    n_resamples = check_integer(n_resamples, "n_resamples", low=1)
    generator = check_random_state(random_state)
    coupling = couple(X, Y)
    left, correlations, right = coupling.rotations(full=True)
    if coupling.n_forced:
        counts = np.full(len(correlations), n_resamples)
    else:
        held, moved = coupling.x.whitened() @ left, coupling.y.whitened() @ right
        if held.shape[1] < moved.shape[1]:
            held, moved = moved, held
        counts = count_exceedances(held, moved, correlations, n_resamples, generator, n_jobs)
    stepwise = (1 + counts) / (1 + n_resamples)
    return PermutationResult(
        correlations=correlations,
        pvalues=np.maximum.accumulate(stepwise),
        stepwise_pvalues=stepwise,
        statistics=observed_statistics(correlations),
        n_resamples=n_resamples,
    )


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
