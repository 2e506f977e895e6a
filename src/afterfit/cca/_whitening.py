"""The linear algebra behind `afterfit.cca`: whitening, rank, and the matrix of cosines.

Each side X (n, p) is centred and given a whitener W (p, rank) such that (X - mean) W has
orthonormal columns. The singular values of (X W)' (Y V) are the canonical correlations (Bjoerck
and Golub, 1973). Whiteners come from the Cholesky factor of a Gram matrix. That squares the
condition number, so one step is enough only for columns that are not far from orthogonal; others
get a first whitener from a Gram matrix or, where that is not safe, a Householder QR, and the step
is done again on what it leaves (Cholesky QR twice: Yamamoto et al., 2015), which keeps full
accuracy. All passes run over blocks of rows, in float64, in the library and on the device of the
data; matrices of columns by columns alone come over to NumPy.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import array_api_compat as compat
import narwhals as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import linalg

from afterfit._arrays import (
    as_float64,
    check_foreign_shape,
    check_same_device,
    epsilon,
    is_foreign,
    like,
    namespace,
    open_array,
    refuse_missing,
    to_numpy,
)
from afterfit._labels import encode_labels
from afterfit._validation import check_matrix, check_same_length

Array = NDArray[np.float64]

FLOAT64_EPSILON = float(np.finfo(np.float64).eps)
# A column belongs to the basis if the part of it that the columns before it do not explain is
# longer than this share of its length, and than so many roundings of the numbers as stored.
SMALLEST_SHARE = FLOAT64_EPSILON ** (2.0 / 3.0)
ROUNDING_UNITS = 4.0
# A spread that cannot be divided by counts as constant.
SMALLEST_SPREAD = 1e-307
# Reciprocal condition numbers (1-norm) of a Cholesky factor of columns of length 1. Above the
# first, one Cholesky step keeps thirteen digits; below the second, it is no start for another one.
# Both are for few columns.
ONE_STEP = 0.03
FIRST_STEP = 1e-5
FEW_COLUMNS = 50
# Values per block of rows: half a megabyte for NumPy, so that a block and its product stay in the
# cache; more where each call is a message to another device.
BLOCK_VALUES = 2**16
FOREIGN_BLOCK_VALUES = 2**24
# From this rank on the singular values of the cosines are computed where the data lie, as
# eigenvalues of [0 C; C' 0]: libraries for devices are faster and more exact at these.
DEVICE_RANK = 512


class ForcedCorrelationWarning(UserWarning):
    """Warn that the two sets have too many directions for the rows: correlations of 1 are forced.

    After centring, n rows leave n - 1 directions. Two subspaces of dimensions r_x and r_y must
    share at least r_x + r_y - (n - 1) of them, whatever the data are.
    """

    __module__ = "afterfit.cca"


class StorageWarning(UserWarning):
    """Warn that columns were left out only because of the few digits they were stored with.

    What the other columns leave of them is within the rounding of float32, float16 or bfloat16.
    """

    __module__ = "afterfit.cca"


@dataclass(frozen=True)
class Side:
    """One data matrix, its column means, and the whitener of what it spans."""

    # One number a column: `mean`; `scale`, infinite for constant ones; `epsilon`, the spacing of
    # the numbers as stored; `size`, what they are rounded relative to beside their deviations, in
    # units of the scale, `n_values` times. `n_lost` columns were left out because of their storage
    # alone. The means are `mean` + `residue`, what rounding left out of the first: with an offset
    # of 1e8 that is 1e-8.

    name: str
    data: Any
    mean: Array
    residue: Array
    scale: Array
    epsilon: Array
    size: Array
    n_values: int
    whitener: Array = field(default_factory=lambda: np.empty((0, 0)))
    n_lost: int = 0

    @property
    def rank(self) -> int:
        """Return the number of directions that the centred columns span; 0 before whitening."""
        return int(self.whitener.shape[1])

    @property
    def spread(self) -> Array:
        """Return the scale of each column, 0 for a constant one."""
        return np.where(np.isfinite(self.scale), self.scale, 0.0)

    @property
    def units(self) -> Array:
        """Return the spread of each column over the largest one."""
        return np.asarray(self.spread / self.spread.max())

    def times(self, weights: Array) -> Any:
        """Return the centred rows times `weights`, in the library of the data."""
        blocks = [self.block_times(weights, rows) for rows in row_blocks(self.data)]
        return namespace(self.data).concat(blocks)

    def block_times(self, weights: Array, rows: slice) -> Any:
        """Return some of the centred rows times `weights`."""
        centred = as_float64(self.data[rows, :]) - like(self.mean, self.data)
        return centred @ like(weights, self.data) - like(self.residue @ weights, self.data)

    def scaled(self, rows: slice, *, roughly: bool = False) -> Any:
        """Return some centred rows, each column divided by its scale; constant ones are 0.

        Roughly: by the rounded means, and faster.
        """
        centred = as_float64(self.data[rows, :]) - like(self.mean, self.data)
        if not roughly:
            centred -= like(self.residue, self.data)
        centred *= like(1.0 / self.scale, self.data)
        return centred


@dataclass(frozen=True)
class Coupling:
    """Both sets with exact whiteners, and the cosines between their orthonormal bases."""

    # `removed` is an orthonormal basis of the constant and the covariates, if there are any.

    x: Side
    y: Side
    cosines: Array
    removed: Any = None

    @property
    def n_removed(self) -> int:
        """Return how many directions centring and covariates take from the rows."""
        return 1 if self.removed is None else int(self.removed.shape[1])

    @property
    def degrees(self) -> int:
        """Return how many they leave."""
        return self.x.n_values - self.n_removed

    @property
    def n_forced(self) -> int:
        """Return how many correlations are 1 whatever the data are."""
        return max(0, self.x.rank + self.y.rank - self.degrees)

    def correlations(self) -> Array:
        """Return the canonical correlations, decreasing."""
        rank = min(self.x.rank, self.y.rank)
        if rank < DEVICE_RANK or not is_foreign(self.x.data):
            return np.asarray(np.clip(np.linalg.svd(self.cosines, compute_uv=False), 0.0, 1.0))
        p = self.x.rank
        both = np.zeros((p + self.y.rank,) * 2)
        both[:p, p:], both[p:, :p] = self.cosines, self.cosines.T
        values = to_numpy(namespace(self.x.data).linalg.eigvalsh(like(both, self.x.data)))
        return np.asarray(np.clip(values[::-1][:rank], 0.0, 1.0))

    def rotations(self, full: bool = False) -> tuple[Array, Array, Array]:
        """Return U, the correlations and V, which turn both bases into canonical variates."""
        left, cosines, right = np.linalg.svd(self.cosines, full_matrices=full)
        return left, np.clip(cosines, 0.0, 1.0), right.T


def check_pair(X: Any, Y: Any, *, min_rows: int = 2, **others: Any) -> dict[str, Any]:
    """Return all as matrices of equal length, by name; or raise.

    NumPy, frames and lists become float64; arrays of other libraries stay what they are.
    """
    values = {"X": X, "Y": Y, **others}
    tables = {name: check_table(value, name, min_rows) for name, value in values.items()}
    lengths = {name: range(table.shape[0]) for name, table in tables.items()}
    check_same_length(**lengths)
    check_same_index(**values)
    check_same_device(**tables)
    return tables


def check_table(value: Any, name: str, min_rows: int = 2) -> Any:
    """Return `value` as a matrix: of float64 from NumPy, frames and lists, else as it came."""
    shape = _shape(value)
    axes = tuple(range(len(shape)))
    if len(axes) > 2 and name in ("X", "Y"):
        raise ValueError(
            f"`{name}` must have two dimensions (n_samples, n_features), got shape "
            f"{shape}. Say which axes count rows: `as_rows({name}, 0)` makes a row of all "
            f"numbers of an element of the first axis, `as_rows({name}, {axes[:1] + axes[2:]})` of "
            f"the {shape[1]} channels of a position where these are axis 1, `as_rows({name}, "
            f"{axes[:-1]})` of the {shape[-1]} where they come last."
        )
    if compat.is_dask_array(value):
        raise TypeError(
            f"`{name}` must be in memory, got an array of dask: `CCAAccumulator` takes it block by "
            "block."
        )
    if not is_foreign(value):
        return check_matrix(value, name, min_rows=min_rows)
    # Whether its numbers are finite, their sums say without another pass: see `locate`.
    return check_foreign_shape(open_array(value, name), name, min_rows=min_rows)


def check_same_index(**values: Any) -> None:
    """Raise if two frames or series of pandas name their rows differently."""
    framed = {k: v.index for k, v in values.items() if isinstance(v, pd.DataFrame | pd.Series)}
    for name, index in framed.items():
        first = next(iter(framed))
        if not index.equals(framed[first]):
            raise ValueError(
                f"The index of `{name}` differs from that of `{first}`: they are not the same "
                f"rows. Align them, or pass `{name}.to_numpy()` if the order is meant."
            )


def check_groups(X: Any, Y: Any, groups: Any, n_rows: int) -> NDArray[np.intp]:
    """Return which group each row belongs to, from 0 on."""
    check_same_index(X=X, Y=Y, groups=groups)
    codes, _ = encode_labels(groups, "groups")
    check_same_length(X=range(n_rows), groups=codes)
    return codes


def storage_epsilon(X: Any) -> Array:
    """Return the relative spacing of the numbers as handed in, of all columns or of each.

    That of float32 is coarser, and a frame may hold it beside float64.
    """
    if isinstance(X, pd.DataFrame):
        # Of nullable and Arrow columns, and of sparse ones, what their numbers are.
        dtypes = [getattr(kind, "numpy_dtype", getattr(kind, "subtype", kind)) for kind in X.dtypes]
        coarse = [float(np.finfo(kind).eps) if kind.kind == "f" else 0.0 for kind in dtypes]
        return np.maximum(coarse, FLOAT64_EPSILON)
    if is_foreign(X) or isinstance(X, np.ndarray):
        return np.array([epsilon(X)])
    frame = nw.from_native(X, pass_through=True)
    if isinstance(frame, nw.DataFrame):
        narrow = [dtype == nw.Float32 for dtype in frame.schema.values()]
        return np.where(narrow, np.finfo(np.float32).eps, FLOAT64_EPSILON)
    return np.array([epsilon(np.asarray(X))])


def couple(X: Any, Y: Any, covariates: Any = None, *, stacklevel: int = 3) -> Coupling:
    """Check both matrices, whiten them and return their coupling; warn of what it forces."""
    others = {} if covariates is None else {"covariates": _as_columns(covariates)}
    x, y, *beside = open_sides(X, Y, **others)
    coupling = _couple_residuals(x, y, *beside) if beside else couple_sides(x, y)
    warn_of(coupling, stacklevel=stacklevel + 1)
    return coupling


def open_sides(X: Any, Y: Any, **others: Any) -> list[Side]:
    """Return all sets, checked, as precise as they were stored, and not whitened yet."""
    values = {"X": X, "Y": Y, **others}
    return [
        open_side(table, name, storage_epsilon(values[name]))
        for name, table in check_pair(**values).items()
    ]


def warn_of(coupling: Coupling, *, stacklevel: int) -> None:
    """Warn if correlations are forced to be 1, or if storage alone lowers a rank."""
    for side in (coupling.x, coupling.y):
        if side.n_lost:
            warnings.warn(
                f"{side.n_lost} of the {len(side.mean)} columns of `{side.name}` count as "
                "combinations of the others (or as constant) because of the few digits of their "
                f"storage. If these digits are exact, pass `{side.name}` as float64; if they are "
                "rounded, nothing is lost.",
                StorageWarning,
                stacklevel=stacklevel,
            )
    if coupling.n_forced:
        n_columns = len(coupling.x.mean) + len(coupling.y.mean)
        what = "centring" if coupling.removed is None else "centring and covariates"
        warnings.warn(
            f"{coupling.n_forced} of the {min(coupling.x.rank, coupling.y.rank)} canonical "
            f"correlations are forced to be 1: `X` has rank {coupling.x.rank} and `Y` rank "
            f"{coupling.y.rank}, but {coupling.x.n_values} rows leave only "
            f"{coupling.degrees} direction(s) after {what}. Use fewer columns or "
            f"more rows: {n_columns + coupling.n_removed} rows are enough for these columns.",
            ForcedCorrelationWarning,
            stacklevel=stacklevel,
        )


def open_side(
    data: Any, name: str, stored: Array, *, magnitude: Any = None, columns: Any = None
) -> Side:
    """Return the set with its columns centred and scaled, and not whitened yet.

    Numbers are rounded relative to their size, or to `magnitude` where they were larger before
    covariates were taken out. `columns` is what `locate` says of them, where it is known.
    """
    columns = locate(data, name) if columns is None else columns
    mean, residue, low, high = columns
    spread = high - low
    largest = np.abs(columns[2:]).max(axis=0) if magnitude is None else magnitude
    used, varies = (
        spread > np.maximum(ROUNDING_UNITS * rounding * largest, SMALLEST_SPREAD)
        for rounding in (stored, FLOAT64_EPSILON)
    )
    if not used.any():
        beyond = "" if magnitude is None else " beyond the covariates"
        raise ValueError(
            f"`{name}` must have at least one column that varies{beyond}, "
            f"got {len(used)} constant column(s)."
        )
    scale = np.where(used, spread, np.inf)
    size = (np.abs(mean) if magnitude is None else magnitude) / scale
    n_lost = int(varies.sum() - used.sum())
    stored = stored + np.zeros_like(mean)
    return Side(name, data, mean, residue, scale, stored, size, data.shape[0], n_lost=n_lost)


def locate(data: Any, name: str) -> Array:
    """Return the means, what rounding left out of them, the smallest and largest values: 4 rows."""
    # Sums are taken from the first row on, so that an offset costs no digits and a constant column
    # is exactly constant.
    xp = namespace(data)
    origin = as_float64(data[0, :])
    total = low = high = xp.zeros_like(origin)
    with np.errstate(over="ignore", invalid="ignore"):
        for rows in row_blocks(data):
            block = as_float64(data[rows, :]) - origin
            low = xp.minimum(low, xp.min(block, axis=0))
            high = xp.maximum(high, xp.max(block, axis=0))
            total = total + xp.sum(block, axis=0)
        origin, total, low, high = map(to_numpy, (origin, total, low, high))
        if not np.isfinite(total + (high - low)).all():
            refuse_missing(data, name)
            raise ValueError(f"`{name}` has values too large to average: divide its columns first.")
    shift = total / data.shape[0]
    mean = origin + shift
    return np.array([mean, (origin - mean) + shift, origin + low, origin + high])


def couple_sides(x: Side, y: Side) -> Coupling:
    """Return the coupling of two sets, with whiteners that make both orthonormal."""
    x, y = _begun(x), _begun(y)
    x_gram, y_gram, across = products(x, y)
    x_factor, y_factor = _last_step(x, x_gram), _last_step(y, y_gram)
    if x_factor is None or y_factor is None:
        return couple_sides(
            _whiten(x, x_gram) if x_factor is None else x,
            _whiten(y, y_gram) if y_factor is None else y,
        )
    cosines = _solve_transposed(y_factor, _solve_transposed(x_factor, across).T).T
    return Coupling(_refined(x, x_factor), _refined(y, y_factor), cosines)


def row_blocks(*tables: Any) -> Iterator[slice]:
    """Yield slices of rows that together cover all, each large enough for a QR to pay."""
    n_rows, n_columns = tables[0].shape[0], sum(table.shape[1] for table in tables)
    values = FOREIGN_BLOCK_VALUES if is_foreign(tables[0]) else BLOCK_VALUES
    size = max(values // n_columns, 2 * n_columns)
    for start in range(0, n_rows, size):
        yield slice(start, min(start + size, n_rows))


def products(x: Side, y: Side) -> list[Array]:
    """Return the products of the columns of `x`, of `y`, and of both, as whitened so far."""
    sums: list[Any] = [0.0, 0.0, 0.0]
    for rows in row_blocks(x.data, y.data):
        left, right = (
            side.block_times(side.whitener, rows) if side.rank else side.scaled(rows, roughly=True)
            for side in (x, y)
        )
        sums = [sums[0] + left.T @ left, sums[1] + right.T @ right, sums[2] + left.T @ right]
    # What the rounded means lack of the means, all rows have added.
    a, b = (np.zeros(side.rank) if side.rank else side.residue / side.scale for side in (x, y))
    pairs = zip(sums, ((a, a), (b, b), (a, b)), strict=True)
    return [to_numpy(total) - x.n_values * np.outer(*both) for total, both in pairs]


def cross_products(side: Side, weights: Array) -> tuple[Array, Array]:
    """Return the products of the scaled columns with (data - mean) @ weights, and their lengths."""
    xp = namespace(side.data)
    own = like(side.spread[:, np.newaxis] * weights, side.data)
    across = squares = 0.0
    for rows in row_blocks(side.data):
        columns = side.scaled(rows)
        across = across + columns.T @ (columns @ own)
        squares = squares + xp.sum(columns**2, axis=0)
    return to_numpy(across), np.sqrt(to_numpy(squares))


def householder_factor(*sides: Side) -> Array:
    """Return a triangular R with the products of the centred columns, each divided by its scale."""
    xp = namespace(sides[0].data)
    factor: list[Any] = []
    for rows in row_blocks(*(side.data for side in sides)):
        block = xp.concat([side.scaled(rows) for side in sides], axis=1)
        stacked = xp.concat([*factor, block])
        is_numpy = isinstance(stacked, np.ndarray)
        factor = [np.linalg.qr(stacked, "r") if is_numpy else xp.linalg.qr(stacked)[1]]
    return to_numpy(factor[0])


def safe_cholesky(gram: Array, reciprocal_condition: float) -> Array | None:
    """Return the upper Cholesky factor, or None where it would have lost its digits."""
    norms = np.sqrt(np.diag(gram))
    if not (norms > 0.0).all():
        return None
    lower, failed = linalg.lapack.dpotrf(gram / norms / norms[:, np.newaxis], lower=1)
    # This norm makes the condition number of w nearly orthogonal columns sqrt(w) to w times what
    # it is, so that many columns may have less.
    least = reciprocal_condition * min(1.0, (FEW_COLUMNS / len(norms)) ** 0.5)
    if failed or linalg.lapack.dtrcon(lower.T, norm="1", uplo="U")[0] <= least:
        return None
    return np.asarray(lower.T * norms)


def _shape(value: Any) -> tuple[int, ...]:
    try:
        return tuple(value.shape) if hasattr(value, "shape") else np.shape(value)
    except ValueError:  # rows of unequal length: `check_matrix` says so
        return ()


def _as_columns(covariates: Any) -> Any:
    # One covariate may come as a single column without a second axis.
    if isinstance(covariates, pd.Series):
        return covariates.to_frame()
    if len(_shape(covariates)) != 1:
        return covariates
    xp = namespace(covariates) if is_foreign(covariates) else np
    return xp.reshape(xp.asarray(covariates), (-1, 1))


def _couple_residuals(x: Side, y: Side, z: Side) -> Coupling:
    z = couple_sides(z, z).x
    if z.n_values - 1 - z.rank < 1:
        raise ValueError(
            f"`covariates` of rank {z.rank} leave nothing of {z.n_values} rows to correlate."
        )
    xp, basis = namespace(z.data), z.times(z.whitener)
    coupling = couple_sides(_without(x, basis), _without(y, basis))
    constant = xp.ones_like(basis[:, :1]) / z.n_values**0.5
    return replace(coupling, removed=xp.concat([constant, basis], axis=1))


def _without(side: Side, basis: Any) -> Side:
    # The means stay, so that they are reported.
    data = as_float64(side.data)
    kept = data - basis @ (basis.T @ (data - like(side.mean, side.data)))
    magnitude = np.abs(side.mean) + side.spread
    return open_side(kept, side.name, side.epsilon, magnitude=magnitude)


def _begun(side: Side) -> Side:
    """Return the set as it is if a Gram matrix can do, else whitened."""
    # With a constant column the Gram matrix is singular, with too few rows as well.
    can_do = np.isfinite(side.scale).all() and side.data.shape[0] > len(side.scale)
    return side if side.rank or can_do else _whiten(side, None)


def _last_step(side: Side, gram: Array) -> Array | None:
    """Return the factor that makes the set orthonormal, or None if it must be whitened first."""
    if side.rank:
        return np.asarray(np.linalg.cholesky(gram).T, dtype=np.float64)
    is_exact = (_least_remainder(side, np.sqrt(np.diag(gram)), side.epsilon) < ONE_STEP).all()
    return safe_cholesky(gram, ONE_STEP) if is_exact else None


def _whiten(side: Side, gram: Array | None) -> Side:
    """Return the set with a whitener that makes it orthonormal, up to its condition number."""
    factor = None if gram is None else safe_cholesky(gram, FIRST_STEP)
    if factor is None:
        factor = householder_factor(side)
    norms = np.linalg.norm(factor, axis=0)
    norms[norms == 0.0] = np.inf
    least = [_least_remainder(side, norms, stored) for stored in (side.epsilon, FLOAT64_EPSILON)]
    kept, triangle = _independent_columns(factor, norms, least[0])
    n_lost = side.n_lost
    if (side.epsilon > FLOAT64_EPSILON).any():
        n_lost += len(_independent_columns(factor, norms, least[1])[0]) - len(kept)
    whitener = np.zeros((len(side.scale), len(kept)))
    inverse, _ = linalg.lapack.dtrtri(triangle)
    whitener[kept] = inverse / side.scale[kept, np.newaxis]
    return replace(side, whitener=whitener, n_lost=n_lost)


def _least_remainder(side: Side, norms: Array, stored: Any) -> Array:
    """Return which share of its length must remain of each column for it to count."""
    rounding = ROUNDING_UNITS * stored * np.sqrt(1.0 + side.n_values * (side.size / norms) ** 2)
    return np.asarray(np.maximum(SMALLEST_SHARE, rounding))


def _independent_columns(
    factor: Array, norms: Array, least: Array
) -> tuple[NDArray[np.intp], Array]:
    """Return which columns to keep, and the triangular factor of them."""
    # Pivoted QR of the columns at length 1 takes the longest remainder first; the weights turn
    # each column's own threshold into the smallest one.
    weights = least.min() / least
    scaled = factor / norms * weights
    triangle, order = linalg.qr(scaled, mode="r", pivoting=True, check_finite=False)
    rank = max(1, int((np.abs(np.diag(triangle)) > least.min()).sum()))
    kept = order[:rank]
    return kept, triangle[:rank, :rank] / weights[kept] * norms[kept]


def _solve_transposed(triangle: Array, right: Array) -> Array:
    return np.asarray(linalg.lapack.dtrtrs(triangle, right, trans=1)[0])


def _refined(side: Side, factor: Array) -> Side:
    start = side.whitener if side.rank else np.diag(1.0 / side.scale)
    return replace(side, whitener=_solve_transposed(factor, start.T).T)
