"""Step-wise permutation statistics for canonical correlations, without refactorising a set.

The canonical variates of both sets are orthonormal, so after a permutation of the rows of one
set everything follows from their matrix of cosines, M = U' P V (one matrix product).

Root k is tested on what is left of both sets after their first k variates (Winkler et al., 2020).
Permuting what is left of V alone would let it correlate with the directions u_0 .. u_(k-1) as well,
in which what is left of U has no part: the permuted roots would live among n - 1 directions,
the observed ones among n - 1 - k, and p-values from the second root on would come out too small.
So each permuted remainder is first made orthogonal to u_0 .. u_(k-1), which gives Wilks' lambda of
root k as a ratio of determinants:

    det(I - M[:, k:]' M[:, k:]) / det(I - M[:k, k:] M[:k, k:]').

All numerators come from one Cholesky factor. Pillai's trace and Roy's root are the sum and the
largest of the eigenvalues of M[k:, k:]' M[k:, k:] relative to I - M[:k, k:]' M[:k, k:].

With covariates, rows of residuals are not exchangeable. The variates are therefore written in an
orthonormal basis of what the constant and the covariates leave, n - 1 - z rows, and these are
permuted (Huh and Jhun, 2001).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy import linalg

from afterfit._arrays import like, take, to_numpy
from afterfit._validation import check_choice, check_integer, check_random_state
from afterfit.cca._significance import from_each_root_on
from afterfit.cca._whitening import Coupling, check_groups, couple

Array = NDArray[np.float64]
Order = NDArray[np.intp]

STATISTICS = ("wilks", "roy", "pillai")
SHUFFLES = ("whole", "within", "both")

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
        Of each root: minus the logarithm of Wilks' lambda of it and those after it, its square
        (Roy), or the sum of its square and those after it (Pillai).
    statistic : str
        Which of the three.
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
    statistic: str
    n_resamples: int


def permutation_test(
    X: Any,
    Y: Any,
    *,
    statistic: str = "wilks",
    covariates: Any = None,
    groups: Any = None,
    shuffle: str = "whole",
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
        The other set, for the same rows. Rows must be exchangeable, or `groups` say which are.
    statistic : {"wilks", "roy", "pillai"}, default "wilks"
        What is compared. "wilks" and "pillai": is there any correlation from this root on, be it
        shared by many? "roy": is this root by itself larger than what noise gives?
    covariates : array-like of shape (n_samples, n_covariates), default None
        What is taken out of both sets, beside the constant, before they are correlated.
    groups : array-like of shape (n_samples,), default None
        Labels of rows that belong together: measurements of one subject, say. Not with covariates.
    shuffle : {"whole", "within", "both"}, default "whole"
        With groups: whether whole groups trade places, with others of as many rows and the order
        of their rows kept; or the rows of each group do; or both. "within" leaves what
        differs between groups in place, "both" needs rows that are exchangeable within groups.
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
        If `X` or `Y` is not numeric, or an argument of the wrong type.
    ValueError
        If `X` or `Y` is not 2-dimensional, has missing or infinite values or no column that varies,
        if the numbers or the indexes of the rows differ, if `n_resamples` is less than 1, another
        argument none of its choices, or if groups leave nothing to permute.

    Warns
    -----
    ForcedCorrelationWarning
        If rank X + rank Y > n_samples - 1 (less one for each covariate): permuted correlations are
        then forced as well, and all p-values are 1.

    See Also
    --------
    CCAResult.significance : The tests for normal errors.

    Notes
    -----
    Step-wise [1]_: root k is tested on what is left of both sets after
    their first k pairs, including the directions by which one set is wider. A plain permutation
    of the data compares it with correlations that still contain the earlier pairs; and even the
    remainders must be permuted within the n - 1 - k directions that are left to them, or the
    second and later p-values come out too small when n is small. A p-value is
    (1 + number of permutations that reach the observed statistic) / (1 + n_resamples), and the
    step-down value the largest up to its root. Neither set is factorised again.

    With covariates, what is permuted are the n_samples - 1 - (rank of the covariates) rows of both
    sets in an orthonormal basis of what the constant and the covariates leave [2]_. To regress
    the covariates out first and permute the residuals rejects far too often. The p-value is exact
    for normal rows, and close for others.

    Groups and covariates are not combined, since each of these rows mixes rows of several groups,
    and residuals by row are exchangeable by groups only as their number grows. Two ways keep the
    level: averages of the groups, one row each, with averages of the covariates; and, for relations
    within groups, columns that indicate the groups among the covariates.

    References
    ----------
    .. [1] Winkler, A. M., Renaud, O., Smith, S. M., Nichols, T. E. (2020). Permutation inference
       for canonical correlation analysis. NeuroImage 220, 117065.
    .. [2] Huh, M.-H., Jhun, M. (2001). Random permutation testing in multiple linear regression.
       Communications in Statistics - Theory and Methods 30, 2023-2032.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from afterfit.cca import permutation_test
    >>> data = load_linnerud()
    >>> result = permutation_test(data.data, data.target, n_resamples=199, random_state=0)
    >>> bool(result.pvalues[0] < 0.15), bool(result.pvalues[1] > 0.5)
    (True, True)
    """
    check_choice(statistic, "statistic", STATISTICS)
    check_choice(shuffle, "shuffle", SHUFFLES)
    n_resamples = check_integer(n_resamples, "n_resamples", low=1)
    generator = check_random_state(random_state)
    if groups is not None and covariates is not None:
        raise ValueError(
            "`groups` and `covariates` cannot be combined: in the basis of what covariates leave, "
            "each row mixes rows of several groups. Average each group to one row and pass the "
            "averages of the covariates; or, to ask for a relation within groups, pass columns "
            "that indicate the groups (`pandas.get_dummies`) among the covariates."
        )
    coupling = couple(X, Y, covariates)
    draw = _plain_order
    if groups is not None:
        draw = _order_of_groups(check_groups(X, Y, groups, coupling.x.n_values), shuffle)
    correlations = coupling.correlations()
    counts = np.full(len(correlations), n_resamples)
    if not coupling.n_forced:
        counts = _count_exceedances(coupling, statistic, draw, n_resamples, generator, n_jobs)
    stepwise = (1 + counts) / (1 + n_resamples)
    observed = observed_statistics(correlations, statistic)
    pvalues = np.maximum.accumulate(stepwise)
    return PermutationResult(correlations, pvalues, stepwise, observed, statistic, n_resamples)


def observed_statistics(correlations: Array, statistic: str) -> Array:
    """Return the statistic of every root (and those after it)."""
    squares = np.asarray(correlations**2)
    if statistic == "roy":
        return squares
    with np.errstate(divide="ignore"):
        return from_each_root_on(-np.log1p(-squares) if statistic == "wilks" else squares)


def permuted_statistics(cosines: Array, statistic: str) -> Array:
    """Return the statistic of every root from the matrix of cosines M (p >= q)."""
    q = cosines.shape[1]
    spaces = [np.eye(q - k) - cosines[:k, k:].T @ cosines[:k, k:] for k in range(q)]
    if statistic == "wilks":
        # A Cholesky factor from the last row upwards holds the determinants of all remainders.
        factor = np.linalg.cholesky((np.eye(q) - cosines.T @ cosines)[::-1, ::-1])
        numerators = 2.0 * np.cumsum(np.log(np.diag(factor)))[::-1]
        return np.array([np.linalg.slogdet(space)[1] for space in spaces]) - numerators
    own = [cosines[k:, k:].T @ cosines[k:, k:] for k in range(q)]
    squares = [linalg.eigvalsh(*both, check_finite=False) for both in zip(own, spaces, strict=True)]
    return np.array([values[-1] if statistic == "roy" else values.sum() for values in squares])


def _count_exceedances(
    coupling: Coupling,
    statistic: str,
    draw: Callable[[np.random.Generator, int], Order],
    n_resamples: int,
    random_state: np.random.Generator,
    n_jobs: int | None,
) -> NDArray[np.intp]:
    """Return, for every root, how many permutations reach the observed statistic."""
    left, correlations, right = coupling.rotations(full=True)
    held, moved = _variates(coupling, left, right)
    observed = observed_statistics(SHRINKAGE * correlations, statistic)
    threshold = (1.0 - TIE_TOLERANCE) * observed - SMALLEST_DIFFERENCE

    def count(size: int, generator: np.random.Generator) -> NDArray[np.intp]:
        counts = np.zeros(len(threshold), dtype=np.intp)
        for _ in range(size):
            cosines = to_numpy(held.T @ take(moved, draw(generator, moved.shape[0])))
            counts += permuted_statistics(SHRINKAGE * cosines, statistic) >= threshold
        return counts

    sizes = np.diff([*range(0, n_resamples, TASK_RESAMPLES), n_resamples])
    tasks = zip(sizes, random_state.spawn(len(sizes)), strict=True)
    counts: list[Any] = Parallel(n_jobs=n_jobs)(delayed(count)(*task) for task in tasks)
    return np.asarray(np.sum(counts, axis=0))


def _plain_order(generator: np.random.Generator, n_rows: int) -> Order:
    return generator.permutation(n_rows)


def _order_of_groups(codes: NDArray[np.intp], shuffle: str) -> Callable[..., Order]:
    members = np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1])
    sizes = np.array([len(rows) for rows in members])
    alike = [np.flatnonzero(sizes == size) for size in np.unique(sizes)]
    reasons = []
    if shuffle != "within" and max(map(len, alike)) < 2:
        reasons.append("no two groups have equally many rows")
    if shuffle != "whole" and sizes.max() < 2:
        reasons.append("no group has two rows")
    if len(reasons) == (2 if shuffle == "both" else 1):
        raise ValueError(
            f"`groups` leave nothing to permute by shuffle={shuffle!r}: {', and '.join(reasons)}."
        )

    def draw(generator: np.random.Generator, n_rows: int) -> Order:
        order = np.arange(n_rows)
        source = np.arange(len(members))
        if shuffle != "within":
            for peers in alike:
                source[peers] = generator.permutation(peers)
        for group, rows in enumerate(members):
            taken = members[source[group]]
            order[rows] = taken if shuffle == "whole" else generator.permutation(taken)
        return order

    return draw


def _variates(coupling: Coupling, left: Array, right: Array) -> tuple[Any, Any]:
    """Return the canonical variates of both sets as exchangeable rows, the wider set first."""
    held = coupling.x.times(coupling.x.whitener @ left)
    moved = coupling.y.times(coupling.y.whitener @ right)
    if coupling.removed is not None:
        held, moved = (_rows_beside(coupling.removed, side) for side in (held, moved))
    return (held, moved) if held.shape[1] >= moved.shape[1] else (moved, held)


def _rows_beside(removed: Any, variates: Any) -> Any:
    """Return variates, orthogonal to `removed` (n, m), in a basis of its complement: n - m rows."""
    # A block reflection I - Y (I - A)^-1 Y' takes removed @ turn to the first m unit vectors if
    # Y = removed @ turn - these, and A, the first m rows of removed @ turn, is symmetric; negative
    # semidefinite, so that nothing cancels (Schreiber and Parlett, 1988).
    m = removed.shape[1]
    left, singular, right = np.linalg.svd(to_numpy(removed[:m, :]))
    turn = -(right.T @ left.T)
    inverse = (left / (1.0 + singular)) @ left.T
    reflected = removed[m:, :] @ like(turn @ inverse, removed) @ variates[:m, :]
    return variates[m:, :] + reflected
