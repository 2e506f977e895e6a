"""The linear algebra behind `afterfit.cca`: whitening, rank, and the matrix of cosines.

Each side X (n, p) is centred and given a whitener W (p, rank) such that (X - mean) W has
orthonormal columns. The singular values of (X W)' (Y V) are the canonical correlations (Bjoerck
and Golub, 1973). Whiteners come from the Cholesky factor of a Gram matrix. That squares the
condition number, so one step is enough only for columns that are not far from orthogonal; others
get a first whitener from a Gram matrix or, where that is not safe, a Householder QR, and the step
is done again on what it leaves (Cholesky QR twice: Yamamoto et al., 2015), which keeps full
accuracy. All passes run over blocks of rows, so no copy of the data is ever made.
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
# A spread that cannot be divided by counts as constant.
SMALLEST_SPREAD = 1e-307
# Reciprocal condition numbers (1-norm) of a Cholesky factor of columns of length 1. Above the
# first, one Cholesky step keeps thirteen digits; below the second, it is no start for another one.
ONE_STEP = 0.03
FIRST_STEP = 1e-5
# Values per block of rows: half a megabyte, so that a block and its product stay in the cache.
BLOCK_VALUES = 2**16


class ForcedCorrelationWarning(UserWarning):
    """Warn that the two sides have too many directions for the rows: correlations of 1 are forced.

    After centring, n rows leave n - 1 directions. Two subspaces of dimensions r_x and r_y must
    share at least r_x + r_y - (n - 1) of them, whatever the data are.
    """

    __module__ = "afterfit.cca"


@dataclass(frozen=True)
class Side:
    """One data matrix, its column means, and the whitener of what it spans."""

    # One number a column: `scale`, infinite for constant ones; `rounding`, the error of the stored
    # values in units of it; `tolerance`, the share of its length that must remain of it to count.
    # `is_whitened` is False while the whitener only divides by the scale.

    name: str
    data: Array
    mean: Array
    scale: Array
    rounding: Array
    tolerance: Array
    whitener: Array
    is_whitened: bool

    @property
    def rank(self) -> int:
        """Return the number of directions that the centred columns span."""
        return int(self.whitener.shape[1])

    def centred(self) -> Array:
        """Return the columns minus their means, up to one common factor."""
        return _centred(self.data, self.mean, self.scale)

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


def storage_epsilon(X: Any) -> Array:
    """Return the relative spacing of the numbers as handed in, of all columns or of each.

    That of float32 is coarser, and a DataFrame may hold it beside float64.
    """
    if isinstance(X, pd.DataFrame):
        dtypes = [column.to_numpy().dtype for _, column in X.iloc[:1].items()]
    else:
        dtypes = [np.asarray(X).dtype]
    finest = np.finfo(np.float64).eps
    coarse = [float(np.finfo(dtype).eps) if dtype.kind == "f" else 0.0 for dtype in dtypes]
    return np.maximum(coarse, finest)


def couple(X: Any, Y: Any, *, warn: bool = True, stacklevel: int = 3) -> Coupling:
    """Check both matrices, whiten them and return their coupling; warn of forced correlations."""
    x_data, y_data = check_pair(X, Y)
    coupling = couple_sides(
        open_side(x_data, "X", storage_epsilon(X)), open_side(y_data, "Y", storage_epsilon(Y))
    )
    if warn:
        warn_if_forced(coupling, stacklevel=stacklevel + 1)
    return coupling


def warn_if_forced(coupling: Coupling, *, stacklevel: int) -> None:
    """Warn when some canonical correlations are 1 by the number of rows alone."""
    if coupling.n_forced:
        n_columns = coupling.x.data.shape[1] + coupling.y.data.shape[1]
        warnings.warn(
            f"{coupling.n_forced} of the {min(coupling.x.rank, coupling.y.rank)} canonical "
            f"correlations are forced to be 1: `X` has rank {coupling.x.rank} and `Y` rank "
            f"{coupling.y.rank}, but {coupling.n_samples} rows leave only "
            f"{coupling.n_samples - 1} direction(s) after centring. Use fewer columns or "
            f"more rows: {n_columns + 1} rows are enough for these columns.",
            ForcedCorrelationWarning,
            stacklevel=stacklevel,
        )


def open_side(data: Array, name: str, epsilon: Array) -> Side:
    """Return the side with its columns centred and scaled, and not whitened yet."""
    mean, scale, magnitude = _location(data, name, epsilon)
    # With a constant column the Gram matrix is singular, with too few rows as well.
    can_wait = bool(np.isfinite(scale).all()) and len(data) > data.shape[1]
    side = Side(
        name,
        data,
        mean=mean,
        scale=scale,
        rounding=ROUNDING_UNITS * epsilon * magnitude / scale * np.sqrt(len(data)),
        tolerance=np.broadcast_to(epsilon**RANK_EXPONENT, scale.shape),
        whitener=np.diag(1.0 / scale) if can_wait else np.empty((len(scale), 0)),
        is_whitened=False,
    )
    return side if can_wait else _whiten(side, None)


def couple_sides(x: Side, y: Side) -> Coupling:
    """Return the coupling of two sides, with whiteners that make both orthonormal."""
    gram = _joint_gram(x, y)
    x_gram, y_gram = gram[: x.rank, : x.rank], gram[x.rank :, x.rank :]
    x_factor, y_factor = _last_step(x, x_gram), _last_step(y, y_gram)
    if x_factor is None or y_factor is None:
        return couple_sides(
            _whiten(x, x_gram) if x_factor is None else x,
            _whiten(y, y_gram) if y_factor is None else y,
        )
    cosines = _solve_transposed(x_factor, gram[: x.rank, x.rank :])
    cosines = _solve_transposed(y_factor, cosines.T).T
    return Coupling(_refined(x, x_factor), _refined(y, y_factor), cosines)


def centred(data: Array, name: str, epsilon: Array) -> Array:
    """Return the columns minus their means, divided by one number so that the largest is 1."""
    mean, scale, _ = _location(data, name, epsilon)
    return _centred(data, mean, scale)


def row_blocks(n_rows: int, n_columns: int) -> Iterator[slice]:
    """Yield slices of rows that together cover all, each large enough for a QR to pay."""
    size = max(BLOCK_VALUES // n_columns, 2 * n_columns, 1)
    for start in range(0, n_rows, size):
        yield slice(start, start + size)


def _refuse_images(value: Any, name: str) -> None:
    try:
        shape = np.shape(value)
    except ValueError:  # rows of unequal length: `check_matrix` says so
        return
    if len(shape) == 4:
        raise ValueError(
            f"`{name}` must have two dimensions (n_samples, n_features), got shape {shape}. "
            "Rows x channels x height x width must be flattened first: "
            f"`{name}.reshape(len({name}), -1)` keeps one row an image; "
            f"`{name}.transpose(0, 2, 3, 1).reshape(-1, {shape[1]})` makes every position "
            "of every image a row and the channels its features."
        )


def _location(data: Array, name: str, epsilon: Array) -> tuple[Array, Array, Array]:
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
    varies = spread > np.maximum(ROUNDING_UNITS * epsilon * magnitude, SMALLEST_SPREAD)
    if not varies.any():
        raise ValueError(
            f"`{name}` must have at least one column that varies, "
            f"got {data.shape[1]} constant column(s)."
        )
    return origin + total / len(data), np.where(varies, spread, np.inf), magnitude


def _centred(data: Array, mean: Array, scale: Array) -> Array:
    varies = np.isfinite(scale)
    shifted = np.zeros_like(data)
    np.subtract(data, mean, out=shifted, where=varies)
    shifted /= scale[varies].max()
    return shifted


def _joint_gram(x: Side, y: Side) -> Array:
    gram = np.zeros((x.rank + y.rank, x.rank + y.rank))
    for rows in row_blocks(len(x.data), x.data.shape[1] + y.data.shape[1]):
        block = np.empty((len(x.data[rows]), x.rank + y.rank))
        _fill_block(x, rows, block[:, : x.rank])
        _fill_block(y, rows, block[:, x.rank :])
        gram += block.T @ block
    return gram


def _fill_block(side: Side, rows: slice, out: Array) -> None:
    if side.is_whitened:
        np.matmul(side.data[rows] - side.mean, side.whitener, out=out)
    else:
        np.subtract(side.data[rows], side.mean, out=out)
        out *= side.whitener.diagonal()


def _last_step(side: Side, gram: Array) -> Array | None:
    """Return the factor that makes the side orthonormal, or None if it must be whitened first."""
    if side.is_whitened:
        return np.asarray(np.linalg.cholesky(gram).T, dtype=np.float64)
    norms = np.sqrt(np.diag(gram))
    is_exact = (side.rounding < side.tolerance * norms).all()
    return _safe_cholesky(gram, ONE_STEP) if is_exact else None


def _whiten(side: Side, gram: Array | None) -> Side:
    """Return the side with a whitener that makes it orthonormal, up to its condition number."""
    factor = None if gram is None else _safe_cholesky(gram, FIRST_STEP)
    if factor is None:
        factor = _householder_factor(side.data, side.mean, side.scale)
    kept, triangle = _independent_columns(factor, side.rounding, side.tolerance)
    whitener = np.zeros((len(side.scale), len(kept)))
    inverse, _ = linalg.lapack.dtrtri(triangle)
    whitener[kept] = inverse / side.scale[kept, np.newaxis]
    return replace(side, whitener=whitener, is_whitened=True)


def _safe_cholesky(gram: Array, reciprocal_condition: float) -> Array | None:
    """Return the upper Cholesky factor, or None where it would have lost its digits."""
    norms = np.sqrt(np.diag(gram))
    if not (norms > 0.0).all():
        return None
    lower, failed = linalg.lapack.dpotrf(gram / np.outer(norms, norms), lower=1, clean=1)
    if failed or linalg.lapack.dtrcon(lower.T, norm="1", uplo="U")[0] <= reciprocal_condition:
        return None
    return np.asarray(lower.T * norms)


def _householder_factor(data: Array, mean: Array, scale: Array) -> Array:
    factor = np.empty((0, data.shape[1]))
    for rows in row_blocks(*data.shape):
        stacked = np.vstack([factor, (data[rows] - mean) / scale])
        factor = np.asarray(np.linalg.qr(stacked, mode="r"))
    return factor


def _independent_columns(
    factor: Array, rounding: Array, tolerance: Array
) -> tuple[NDArray[np.intp], Array]:
    """Return which columns to keep, and the triangular factor of them."""
    # Pivoted QR of the columns at length 1 takes the longest remainder first; the weights turn
    # each column's own tolerance into the smallest one.
    norms = np.linalg.norm(factor, axis=0)
    norms[norms == 0.0] = np.inf
    own = np.maximum(tolerance, rounding / norms)
    weights = own.min() / own
    scaled = factor / norms * weights
    triangle, order = linalg.qr(scaled, mode="r", pivoting=True, check_finite=False)
    rank = int((np.abs(np.diag(triangle)) > own.min()).sum())
    kept = order[:rank]
    return kept, triangle[:rank, :rank] / weights[kept] * norms[kept]


def _solve_transposed(triangle: Array, right: Array) -> Array:
    solution = linalg.solve_triangular(triangle, right, trans="T", check_finite=False)
    return np.asarray(solution)


def _refined(side: Side, factor: Array) -> Side:
    return replace(side, whitener=_solve_transposed(factor, side.whitener.T).T)


def _as_correlations(cosines: Array) -> Array:
    return np.clip(cosines, 0.0, 1.0)
