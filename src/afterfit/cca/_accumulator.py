"""Canonical correlations of more rows than memory holds: batch by batch, in one pass.

Of the rows of [X Y] seen so far a factor F is kept with F'F = the products of the centred columns,
never these products themselves, whose condition number is the square. The factor of a batch comes
from a Cholesky step, from two where one would cost digits, or from a Householder QR; two factors
are merged in the same way (TSQR). F then serves as data: all that this module returns depends on
the rows by these products only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import array_api_compat as compat
import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from afterfit._arrays import like, namespace, to_numpy
from afterfit._validation import check_columns, check_same_length, column_names
from afterfit.cca._cca import CCAResult, result_of
from afterfit.cca._similarity import check_share, linear_cka_of, pwcca_of, svcca_of
from afterfit.cca._whitening import (
    FIRST_STEP,
    ONE_STEP,
    SMALLEST_SPREAD,
    Coupling,
    Side,
    check_pair,
    couple_sides,
    householder_factor,
    locate,
    open_side,
    products,
    row_blocks,
    safe_cholesky,
    storage_epsilon,
    warn_of,
)

Array = NDArray[np.float64]

# Rows are collected before they are factorised, since fewer would mostly pay for merging: so many
# values, or so many rows a column where these are more.
BUFFERED_VALUES = 2**19
BUFFERED_ROWS = 16
# Factors are collected, too, up to so many rows a column, and rows themselves up to half of them.
STACKED_ROWS = 8


@dataclass(frozen=True)
class _Moments:
    """What is kept of some rows of [X Y]."""

    # `columns` is what `locate` says of them: their means are the first two rows together, since
    # with an offset of 1e8 those of two batches may differ by less than the first is rounded.

    n_samples: int
    columns: Array
    factor: Array

    def __add__(self, other: _Moments) -> _Moments:
        """Return the moments of both sets of rows."""
        n_samples = self.n_samples + other.n_samples
        mean, residue, low, high = self.columns
        step = (other.columns[0] - mean) + (other.columns[1] - residue)
        moved = residue + step * (other.n_samples / n_samples)
        between = step * np.sqrt(self.n_samples * (other.n_samples / n_samples))
        factor = np.vstack([self.factor, other.factor, between])
        if len(factor) > STACKED_ROWS * len(mean):
            factor = _shortened(factor)
        low, high = np.minimum(low, other.columns[2]), np.maximum(high, other.columns[3])
        columns = np.stack([mean + moved, (mean - (mean + moved)) + moved, low, high])
        return _Moments(n_samples, columns, factor)


class CCAAccumulator:
    """Accumulate rows of two sets of columns, batch by batch, for canonical correlations.

    Memory is of the order of (columns of both sets)^2, whatever the number of rows, and the
    results are those of all rows at once, up to rounding, in whatever batches and order they
    come. `merge` joins what several processes have seen.

    Attributes
    ----------
    n_samples_seen_ : int
        Number of rows so far.

    See Also
    --------
    fit_cca : The same of rows that fit into memory, with scores.

    Notes
    -----
    What is kept is a factor of the centred rows, never their products, by TSQR where a Cholesky
    step would cost digits [1]_. An offset of 1e8 costs nothing. Nearly collinear columns do, since
    the factor's numbers are rounded: of 3000 rows whose columns have a condition number of 1e8, the
    correlations err by up to 1e-9, against 3e-11 from all rows at once; up to 1e7 by 3e-11.

    References
    ----------
    .. [1] Demmel, J., Grigori, L., Hoemmen, M., Langou, J. (2012). Communication-optimal parallel
       and sequential QR and LU factorizations. SIAM Journal on Scientific Computing 34, A206-A239.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from afterfit.cca import CCAAccumulator
    >>> data = load_linnerud()
    >>> seen = CCAAccumulator()
    >>> for rows in (slice(0, 8), slice(8, 20)):
    ...     seen = seen.partial_fit(data.data[rows], data.target[rows])
    >>> seen.result().correlations.round(6)
    array([0.795608, 0.200556, 0.07257 ])
    """

    def __init__(self) -> None:
        self.n_samples_seen_ = 0
        self._moments: _Moments | None = None
        self._pending: list[tuple[Any, Any]] = []
        self._n_pending = 0
        # Numbers of columns of both sets, and their names; how coarsely each column was stored.
        self._known: tuple[tuple[int, int], tuple[Any, Any]] | None = None
        self._stored = np.zeros(1)

    def partial_fit(self, X: Any, Y: Any) -> CCAAccumulator:
        """Take in a batch of rows.

        Parameters
        ----------
        X, Y : array-like of shape (n_samples, n_features_x) and (n_samples, n_features_y)
            The same rows of both sets. Arrays of dask are taken in block of rows by block of rows.

        Returns
        -------
        CCAAccumulator
            Itself.

        Raises
        ------
        TypeError
            If `X` or `Y` is not numeric.
        ValueError
            If `X` or `Y` has not two dimensions, other columns than the first batch, missing or
            infinite values, or if the numbers or the indexes of the rows differ.
        """
        for x_rows, y_rows in _blocks_of_dask(X, Y):
            self._take(x_rows, y_rows)
        return self

    def merge(self, other: CCAAccumulator) -> CCAAccumulator:
        """Return what this one and another have seen, together.

        Parameters
        ----------
        other : CCAAccumulator
            Of the same columns, and of other rows.

        Returns
        -------
        CCAAccumulator
            A new one; both stay as they are.

        Raises
        ------
        TypeError
            If `other` is something else.
        ValueError
            If its columns are others.
        """
        if not isinstance(other, CCAAccumulator):
            raise TypeError(f"`other` must be a CCAAccumulator, got {type(other).__name__}.")
        merged = CCAAccumulator()
        for part in (self, other):
            if part._known and merged._known not in (None, part._known):
                raise ValueError(
                    f"`other` must have seen the same columns: this one has seen {self._widths} "
                    f"of `X` and `Y`, the other {other._widths}, or of other names."
                )
            merged._known = part._known or merged._known
            merged._stored = np.maximum(merged._stored, part._stored)
            part._flush()
            merged._add(part._moments)
            merged.n_samples_seen_ += part.n_samples_seen_
        return merged

    def result(self, n_components: int | None = None) -> CCAResult:
        """Return correlations, weights, loadings and tests of all rows so far.

        Parameters
        ----------
        n_components : int, default None
            Number of pairs to keep; None keeps all.

        Returns
        -------
        CCAResult
            As `fit_cca` returns it, but without scores: `transform` makes them, batch by batch.

        Raises
        ------
        TypeError
            If `n_components` is not an integer.
        ValueError
            If fewer than 2 rows were seen, `X` or `Y` has no column that varies, or `n_components`
            is out of its range.

        Warns
        -----
        ForcedCorrelationWarning
            If rank X + rank Y > n_samples - 1.
        StorageWarning
            If columns count as combinations of others only because of the digits of their storage.
        """
        coupling = self._couple()
        x_mean, y_mean = np.split(self._seen().columns[0], [len(coupling.x.mean)])
        assert self._known is not None
        result = result_of(coupling, n_components, self._known[1])
        return replace(result, x_mean=x_mean, y_mean=y_mean)

    def svcca(self, *, explained_variance: float = 0.99) -> float:
        """Return what `svcca` gives of all rows so far.

        Parameters
        ----------
        explained_variance : float, default 0.99
            As in `svcca`.

        Returns
        -------
        float
            The similarity, in [0, 1].
        """
        return svcca_of(*self._sides(), check_share(explained_variance))

    def pwcca(self) -> float:
        """Return what `pwcca` gives of all rows so far.

        Returns
        -------
        float
            The similarity, in [0, 1].
        """
        return pwcca_of(self._couple())

    def linear_cka(self) -> float:
        """Return what `linear_cka` gives of all rows so far.

        Not debiased, which needs the rows themselves: independent sets of p columns have
        about p / (n_samples + p), if no column outweighs the others.

        Returns
        -------
        float
            The similarity, in [0, 1].
        """
        return linear_cka_of(*self._sides())

    @property
    def _widths(self) -> tuple[int, int]:
        return self._known[0] if self._known else (0, 0)

    def _take(self, X: Any, Y: Any) -> None:
        x, y = check_pair(X, Y, min_rows=1).values()
        widths = x.shape[1], y.shape[1]
        known = self._known or (widths, (column_names(X, "X"), column_names(Y, "Y")))
        for name, value, names in zip("XY", (X, Y), known[1], strict=True):
            check_columns(value, names, name)
        if widths != known[0]:
            raise ValueError(
                f"`X` and `Y` must have {known[0][0]} and {known[0][1]} columns as in the "
                f"first batch, got {widths[0]} and {widths[1]}."
            )
        enough = max(BUFFERED_VALUES // sum(widths), BUFFERED_ROWS * sum(widths))
        if not isinstance(x, np.ndarray) or len(x) >= enough // 2:
            self._add(_moments_of(x, y))
        else:
            if self._n_pending + len(x) > enough:
                self._flush()
            self._pending.append((x.copy(), y.copy()))  # whose caller may fill them anew
            self._n_pending += len(x)
        self._known = known
        sides = zip((X, Y), widths, strict=True)
        stored = np.hstack([np.broadcast_to(storage_epsilon(side), width) for side, width in sides])
        self._stored = np.maximum(self._stored, stored)
        self.n_samples_seen_ += x.shape[0]

    def _flush(self) -> None:
        if self._pending:
            x, y = map(np.concatenate, zip(*self._pending, strict=True))
            self._add(_moments_of(x, y))
            self._pending, self._n_pending = [], 0

    def _add(self, moments: _Moments | None) -> None:
        if moments is not None:
            self._moments = moments if self._moments is None else self._moments + moments

    def _seen(self) -> _Moments:
        self._flush()
        if self._moments is None or self._moments.n_samples < 2:
            raise ValueError(
                f"`partial_fit` must have seen at least 2 rows, got {self.n_samples_seen_}."
            )
        return self._moments

    def _sides(self) -> tuple[Side, Side]:
        seen, sides = self._seen(), []
        for name, own in zip("XY", _slices(*self._widths), strict=True):
            factor, columns = seen.factor[:, own], seen.columns[:, own]
            side = open_side(factor, name, self._stored[own], columns=columns)
            # The factor has no means; what they were says how numbers were rounded.
            none = np.zeros_like(side.mean)
            sides.append(replace(side, mean=none, residue=none, n_values=seen.n_samples))
        return sides[0], sides[1]

    def _couple(self) -> Coupling:
        coupling = couple_sides(*self._sides())
        warn_of(coupling, stacklevel=4)
        return coupling


def _blocks_of_dask(X: Any, Y: Any) -> Iterator[list[Any]]:
    lazy = [side for side in (X, Y) if compat.is_dask_array(side)]
    if not lazy:
        yield [X, Y]
        return
    check_same_length(X=X, Y=Y)  # where dask does not know them, it says what to do
    edges = np.cumsum([0, *lazy[0].chunks[0]]).tolist()
    for rows in map(slice, edges, edges[1:]):
        blocks = (side[rows] for side in (X, Y))
        yield [block.compute() if compat.is_dask_array(block) else block for block in blocks]


def _moments_of(x: Any, y: Any) -> _Moments:
    columns = np.hstack([locate(x, "X"), locate(y, "Y")])
    mean, residue, low, high = columns
    scale = np.where(high - low > SMALLEST_SPREAD, high - low, np.inf)
    x_side, y_side = (
        Side("", table, mean[own], residue[own], scale[own], mean[own], mean[own], x.shape[0])
        for table, own in zip((x, y), _slices(x.shape[1], y.shape[1]), strict=True)
    )
    factor = _factor(x_side, y_side) * np.where(np.isfinite(scale), scale, 0.0)
    return _Moments(x.shape[0], columns, factor)


def _slices(p: int, q: int) -> tuple[slice, slice]:
    return slice(0, p), slice(p, p + q)


def _shortened(factor: Array) -> Array:
    """Return a square matrix with the same products of columns."""
    scale = np.abs(factor).max(axis=0)
    scale[scale == 0.0] = 1.0
    scaled = factor / scale
    once = safe_cholesky(scaled.T @ scaled, ONE_STEP)
    return np.asarray(scale * (np.linalg.qr(scaled, "r") if once is None else once))


def _factor(x: Side, y: Side) -> Array:
    """Return F with the products of all centred columns, each divided by its scale."""
    n_samples, n_columns = x.data.shape[0], len(x.mean) + len(y.mean)
    if n_samples <= STACKED_ROWS // 2 * n_columns:
        rows = slice(0, n_samples)
        return to_numpy(namespace(x.data).concat([x.scaled(rows), y.scaled(rows)], axis=1))
    x_gram, y_gram, across = products(x, y)
    gram = np.block([[x_gram, across], [across.T, y_gram]])
    used = np.flatnonzero(np.diag(gram))  # not the constant columns
    gram = gram[np.ix_(used, used)]
    first = safe_cholesky(gram, FIRST_STEP)
    if first is None:
        return householder_factor(x, y)
    if safe_cholesky(gram, ONE_STEP) is None:
        weights = np.zeros((n_columns, len(used)))
        weights[used], _ = linalg.lapack.dtrtri(first)
        left, right = (like(part, x.data) for part in np.split(weights, [len(x.mean)]))
        blocks = (
            x.scaled(rows) @ left + y.scaled(rows) @ right for rows in row_blocks(x.data, y.data)
        )
        left_over: Any = sum(block.T @ block for block in blocks)
        first = np.linalg.cholesky(to_numpy(left_over)).T @ first
    factor = np.zeros((len(used), n_columns))
    factor[:, used] = first
    return factor
