"""The linear algebra behind `afterfit.cca`: whitening, rank, and the matrix of cosines.

Each side X (n, p) is centred and given a whitener W (p, rank) such that (X - mean) W has
orthonormal columns. The singular values of (X W)' (Y V) are the canonical correlations (Bjoerck
and Golub, 1973). The factorisation is a Cholesky QR, done twice so that it keeps full accuracy
(Yamamoto et al., 2015); the first only has to make the columns roughly orthonormal, for which a
sample of the rows is enough. Where a Gram matrix is not safe, a Householder QR takes over. All
passes run over blocks of rows, so no copy of the data is ever made.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import linalg

from afterfit._validation import check_matrix, check_same_length

Array = NDArray[np.float64]

# A column belongs to the basis if the part of it that the columns before it do not explain is
# longer than this power of the machine epsilon times the column's own length: 3.7e-11 for
# float64, 2.4e-5 for columns stored as float32.
RANK_EXPONENT = 2.0 / 3.0
# Rounding of the stored values: what is within this many epsilons of a column's magnitude is
# noise. It makes a column with a large offset redundant sooner, and a constant one constant.
ROUNDING_UNITS = 8.0
# Reciprocal condition number below which a Gram matrix (its square) is not trusted.
SAFE_RECIPROCAL_CONDITION = 1e-5
# The same for the second Cholesky step: where the first whitener came from all rows, its basis is
# orthonormal to about 1e-6; where it came from a sample, its condition number is about 3.
NEARLY_ORTHONORMAL = 0.01
# Rows a column that the sample holds; the sample is taken where it is less than half of the rows.
THIN_ROWS_A_COLUMN = 5
# Values per block of rows: half a megabyte, so that a block and its product stay in the cache.
BLOCK_VALUES = 2**16


class ForcedCorrelationWarning(UserWarning):
    """Warn that the two sides have too many directions for the rows: correlations of 1 are forced.

    After centring, n rows leave n - 1 directions. Two subspaces of dimensions r_x and r_y must
    share at least r_x + r_y - (n - 1) of them, whatever the data are.
    """


@dataclass(frozen=True)
class Side:
    """One data matrix, its column means, and the whitener of what it spans."""

    # `thinned`: the whitener is from a sample of the rows, until it is refined.

    name: str
    data: Array
    epsilon: float
    mean: Array
    whitener: Array
    thinned: bool

    @property
    def rank(self) -> int:
        """Return the number of directions that the centred columns span."""
        return int(self.whitener.shape[1])

    def centred(self) -> Array:
        """Return the columns minus their means, up to one common factor."""
        return centred(self.data, self.name, self.epsilon)

    def whitened(self) -> Array:
        """Return (n, rank) orthonormal columns that span the centred data."""
        return np.asarray((self.data - self.mean) @ self.whitener)


@dataclass(frozen=True)
class Coupling:
    """Both sides with exact whiteners, and the cosines between their orthonormal bases."""

    x: Side
    y: Side
    cosines: Array

    @property
    def n_samples(self) -> int:
        """Return the number of rows."""
        return len(self.x.data)

    @property
    def n_forced(self) -> int:
        """Return how many correlations are 1 whatever the data are."""
        return max(0, self.x.rank + self.y.rank - (self.n_samples - 1))

    def correlations(self) -> Array:
        """Return the canonical correlations, decreasing."""
        return _as_correlations(linalg.svdvals(self.cosines))

    def rotations(self, full: bool = False) -> tuple[Array, Array, Array]:
        """Return U, the correlations and V, which turn both bases into canonical variates."""
        left, cosines, right = np.linalg.svd(self.cosines, full_matrices=full)
        return left, _as_correlations(cosines), right.T


def check_pair(X: Any, Y: Any) -> tuple[Array, Array]:
    """Return both as float64 matrices of equal length, or raise."""
    arrays = []
    for name, value in (("X", X), ("Y", Y)):
        _refuse_images(value, name)
        arrays.append(check_matrix(value, name, min_rows=2))
    check_same_length(X=arrays[0], Y=arrays[1])
    return arrays[0], arrays[1]


def storage_epsilon(X: Any) -> float:
    """Return the relative spacing of the numbers as they were handed in (float32 is coarser)."""
    if isinstance(X, pd.DataFrame):
        dtypes = [dtype for dtype in X.dtypes if isinstance(dtype, np.dtype)]
    else:
        dtypes = [np.asarray(X).dtype]
    coarse = [float(np.finfo(dtype).eps) for dtype in dtypes if dtype.kind == "f"]
    return max([*coarse, float(np.finfo(np.float64).eps)])


def couple(X: Any, Y: Any, *, warn: bool = True, stacklevel: int = 3) -> Coupling:
    """Check both matrices, whiten them and return their coupling; warn of forced correlations."""
    x_data, y_data = check_pair(X, Y)
    coupling = couple_sides(
        whiten(x_data, "X", storage_epsilon(X)), whiten(y_data, "Y", storage_epsilon(Y))
    )
    if warn:
        warn_if_forced(coupling, stacklevel=stacklevel + 1)
    return coupling


def warn_if_forced(coupling: Coupling, *, stacklevel: int) -> None:
    """Warn when some canonical correlations are 1 by the number of rows alone."""
    if coupling.n_forced:
        warnings.warn(
            f"{coupling.n_forced} of the {min(coupling.x.rank, coupling.y.rank)} canonical "
            f"correlations are forced to be 1: `X` has rank {coupling.x.rank} and `Y` rank "
            f"{coupling.y.rank}, but {coupling.n_samples} rows leave only "
            f"{coupling.n_samples - 1} directions after centring. Use at least "
            f"{coupling.x.rank + coupling.y.rank + 1} rows, or fewer columns.",
            ForcedCorrelationWarning,
            stacklevel=stacklevel,
        )


def whiten(data: Array, name: str, epsilon: float, *, thin: bool = True) -> Side:
    """Return the side with a whitener that makes it orthonormal, roughly.

    With `thin`, a sample of the rows decides, if there are many and it finds the full rank; else
    all rows do, and the rank is theirs.
    """
    mean, scale, magnitude = _location(data, name, epsilon)
    rounding = ROUNDING_UNITS * epsilon * magnitude / scale
    step = len(data) // (THIN_ROWS_A_COLUMN * data.shape[1])
    if thin and step > 1:
        factor = _gram_factor(data[::step], mean, scale)
        if factor is not None:
            basis = _independent_columns(factor, rounding * np.sqrt(len(data[::step])), epsilon)
            if len(basis[0]) == data.shape[1]:
                return Side(name, data, epsilon, mean, _whitener(*basis, scale), thinned=True)
    factor = _triangular_factor(data, mean, scale)
    basis = _independent_columns(factor, rounding * np.sqrt(len(data)), epsilon)
    return Side(name, data, epsilon, mean, _whitener(*basis, scale), thinned=False)


def couple_sides(x: Side, y: Side) -> Coupling:
    """Return the coupling, after a second Cholesky step that makes both bases orthonormal."""
    gram = np.zeros((x.rank + y.rank, x.rank + y.rank))
    for rows in row_blocks(len(x.data), x.data.shape[1] + y.data.shape[1]):
        block = np.empty((len(x.data[rows]), x.rank + y.rank))
        np.matmul(x.data[rows] - x.mean, x.whitener, out=block[:, : x.rank])
        np.matmul(y.data[rows] - y.mean, y.whitener, out=block[:, x.rank :])
        gram += block.T @ block
    x_factor = _safe_cholesky(gram[: x.rank, : x.rank], NEARLY_ORTHONORMAL)
    y_factor = _safe_cholesky(gram[x.rank :, x.rank :], NEARLY_ORTHONORMAL)
    if x_factor is None or y_factor is None:  # the sample of rows did not stand for the others
        return couple_sides(*(_rewhitened(side) for side in (x, y)))
    cosines = _solve_transposed(x_factor, gram[: x.rank, x.rank :])
    cosines = _solve_transposed(y_factor, cosines.T).T
    return Coupling(_refined(x, x_factor), _refined(y, y_factor), cosines)


def centred(data: Array, name: str, epsilon: float) -> Array:
    """Return the columns minus their means, divided by one number so that the largest is 1."""
    mean, scale, _ = _location(data, name, epsilon)
    varies = np.isfinite(scale)
    shifted = np.zeros_like(data)
    np.subtract(data, mean, out=shifted, where=varies)
    return np.asarray(shifted / scale[varies].max())


def row_blocks(n_rows: int, n_columns: int) -> Iterator[slice]:
    """Yield slices of rows that together cover all, each large enough for a QR to pay."""
    size = max(BLOCK_VALUES // n_columns, 2 * n_columns, 1)
    for start in range(0, n_rows, size):
        yield slice(start, start + size)


def _refuse_images(value: Any, name: str) -> None:
    shape = np.shape(value)
    if len(shape) == 4:
        raise ValueError(
            f"`{name}` must have two dimensions (n_samples, n_features), got shape {shape}. "
            "Rows x channels x height x width must be flattened first: "
            f"`{name}.reshape(len({name}), -1)` keeps one row an image; "
            f"`{name}.transpose(0, 2, 3, 1).reshape(-1, {shape[1]})` makes every position "
            "of every image a row and the channels its features."
        )


def _location(data: Array, name: str, epsilon: float) -> tuple[Array, Array, Array]:
    # Return the means, a scale (infinite for a constant column, which it turns into zeros) and
    # the largest magnitude of each column. Means are taken from the first row on, so that an
    # offset costs no digits and a constant column is exactly constant.
    origin = data[0]
    total = np.zeros(data.shape[1])
    spread = np.zeros(data.shape[1])
    with np.errstate(over="ignore", invalid="ignore"):
        for rows in row_blocks(*data.shape):
            shifted = data[rows] - origin
            total += shifted.sum(axis=0)
            np.maximum(spread, shifted.max(axis=0), out=spread)
            np.maximum(spread, -shifted.min(axis=0), out=spread)
    if not (np.isfinite(total).all() and np.isfinite(spread).all()):
        raise ValueError(f"`{name}` has values too large to average: divide its columns first.")
    magnitude = np.abs(origin) + spread
    varies = spread > ROUNDING_UNITS * epsilon * magnitude
    if not varies.any():
        raise ValueError(
            f"`{name}` must have at least one column that varies, "
            f"got {data.shape[1]} constant column(s)."
        )
    return origin + total / len(data), np.where(varies, spread, np.inf), magnitude


def _triangular_factor(data: Array, mean: Array, scale: Array) -> Array:
    factor = _gram_factor(data, mean, scale) if len(data) > data.shape[1] else None
    return _householder_factor(data, mean, scale) if factor is None else factor


def _gram_factor(data: Array, mean: Array, scale: Array) -> Array | None:
    gram = np.zeros((data.shape[1], data.shape[1]))
    for rows in row_blocks(*data.shape):
        block = data[rows] - mean
        block /= scale
        gram += block.T @ block
    return _safe_cholesky(gram, SAFE_RECIPROCAL_CONDITION)


def _safe_cholesky(gram: Array, reciprocal_condition: float) -> Array | None:
    """Return the upper Cholesky factor, or None where it would have lost its digits."""
    norms = np.sqrt(np.diag(gram))
    if not (norms > 0.0).all():
        return None
    lower, failed = linalg.lapack.dpotrf(gram / np.outer(norms, norms), lower=1, clean=1)
    if failed or not _is_well_conditioned(lower.T, reciprocal_condition):
        return None
    return np.asarray(lower.T * norms)


def _householder_factor(data: Array, mean: Array, scale: Array) -> Array:
    factor = np.empty((0, data.shape[1]))
    for rows in row_blocks(*data.shape):
        stacked = np.vstack([factor, (data[rows] - mean) / scale])
        factor = np.asarray(np.linalg.qr(stacked, mode="r"))
    return factor


def _independent_columns(
    factor: Array, rounding: Array, epsilon: float
) -> tuple[NDArray[np.intp], Array]:
    """Return which columns to keep, and the triangular factor of them."""
    # Pivoted QR of the columns at length 1 takes the longest remainder first; the weights turn
    # each column's own tolerance into the common one.
    norms = np.linalg.norm(factor, axis=0)
    norms[norms == 0.0] = np.inf
    tolerance = epsilon**RANK_EXPONENT
    weights = tolerance / np.maximum(tolerance, rounding / norms)
    scaled = factor / norms
    if (weights == 1.0).all() and _is_well_conditioned(scaled, SAFE_RECIPROCAL_CONDITION):
        return np.arange(factor.shape[1]), factor
    triangle, order = linalg.qr(scaled * weights, mode="r", pivoting=True, check_finite=False)
    rank = int((np.abs(np.diag(triangle)) > tolerance).sum())
    kept = order[:rank]
    return kept, triangle[:rank, :rank] / weights[kept] * norms[kept]


def _is_well_conditioned(triangle: Array, reciprocal_condition: float) -> bool:
    if triangle.shape[0] < triangle.shape[1]:
        return False
    estimate, _ = linalg.lapack.dtrcon(triangle, norm="1", uplo="U")
    return bool(estimate > reciprocal_condition)


def _whitener(kept: NDArray[np.intp], triangle: Array, scale: Array) -> Array:
    whitener = np.zeros((len(scale), len(kept)))
    inverse, _ = linalg.lapack.dtrtri(triangle)
    whitener[kept] = inverse / scale[kept, np.newaxis]
    return whitener


def _rewhitened(side: Side) -> Side:
    return whiten(side.data, side.name, side.epsilon, thin=False) if side.thinned else side


def _solve_transposed(triangle: Array, right: Array) -> Array:
    solution = linalg.solve_triangular(triangle, right, trans="T", check_finite=False)
    return np.asarray(solution)


def _refined(side: Side, factor: Array) -> Side:
    return replace(side, whitener=_solve_transposed(factor, side.whitener.T).T)


def _as_correlations(cosines: Array) -> Array:
    return np.clip(cosines, 0.0, 1.0)
