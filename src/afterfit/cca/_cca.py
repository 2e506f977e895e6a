"""Canonical correlations with weights, scores, loadings and tests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from afterfit._arrays import as_float64, like, to_numpy
from afterfit._validation import check_columns, check_integer, column_names
from afterfit.cca._drawing import draw_correlations, draw_scores
from afterfit.cca._significance import significance_table
from afterfit.cca._wachter import null_band
from afterfit.cca._whitening import Coupling, Side, check_table, couple, cross_products

Array = NDArray[np.float64]

# Loadings this close (relatively) count as equally large when a sign is chosen, so that rounding
# does not choose it.
SIGN_TOLERANCE = 1e-6


@dataclass(frozen=True)
class CCAResult:
    """Canonical correlations with their weights, scores and loadings.

    Attributes
    ----------
    correlations : ndarray of shape (n_components,)
        Canonical correlations, decreasing, in [0, 1].
    x_weights, y_weights : ndarray of shape (n_features, n_components)
        Scores are (data - mean) @ weights. Constant and redundant columns have weight 0.
    x_scores, y_scores : array of shape (n_samples, n_components), or None
        Canonical variates: mean 0, variance 1 (divisor n - 1), uncorrelated within a set; of the
        data's library and on its device. None from a `CCAAccumulator`, which keeps no rows.
    x_loadings, y_loadings : ndarray of shape (n_features, n_components)
        Correlations of a set's columns with its own scores; 0 for a constant column.
    x_mean, y_mean : ndarray of shape (n_features,)
        Column means that were taken off.
    all_correlations : ndarray of shape (min(x_rank, y_rank),)
        Every canonical correlation, also those beyond `n_components`.
    n_samples : int
        Number of rows.
    x_rank, y_rank : int
        Number of directions that each set's centred columns span.
    n_covariates : int
        Number of directions of the covariates, which each set has lost.
    x_columns, y_columns : list or None
        Names of the columns, where `X` or `Y` came as a frame.

    See Also
    --------
    fit_cca : Returns one.
    """

    correlations: Array
    x_weights: Array
    y_weights: Array
    x_scores: Any
    y_scores: Any
    x_loadings: Array
    y_loadings: Array
    x_mean: Array
    y_mean: Array
    all_correlations: Array
    n_samples: int
    x_rank: int
    y_rank: int
    n_covariates: int = 0
    x_columns: list[Any] | None = None
    y_columns: list[Any] | None = None

    def __post_init__(self) -> None:
        """Refuse fields whose shapes do not fit together."""
        k = len(self.correlations)
        expected = {
            **dict.fromkeys(("x_weights", "x_loadings"), (len(self.x_mean), k)),
            **dict.fromkeys(("y_weights", "y_loadings"), (len(self.y_mean), k)),
            **dict.fromkeys(("x_scores", "y_scores"), (self.n_samples, k)),
            "all_correlations": (min(self.x_rank, self.y_rank),),
        }
        for name, shape in expected.items():
            value = getattr(self, name)
            if value is not None and tuple(value.shape) != shape:
                raise ValueError(f"`{name}` must have shape {shape}, got {tuple(value.shape)}.")

    def significance(self) -> pd.DataFrame:
        """Return the classical tests, one row a root, that it and all later ones are zero.

        Returns
        -------
        DataFrame
            Indexed by root (from 1), for all roots, with the columns

            - `correlation`;
            - `wilks` (Wilks' lambda) with Rao's `wilks_f`, `wilks_df1`, `wilks_df2`,
              `wilks_pvalue`, and Bartlett's `bartlett_chi2`, `bartlett_df`, `bartlett_pvalue`;
            - `pillai` (Pillai's trace) with `pillai_f`, `_df1`, `_df2`, `_pvalue`;
            - `hotelling_lawley` (the trace) with McKeon's F [3]_ and the same endings;
            - `roy` (the largest root as odds, rho^2 / (1 - rho^2)) with its exact `roy_pvalue`.

        Raises
        ------
        ValueError
            If correlations of 1 are forced: there is nothing to test.

        Notes
        -----
        For root k (from 0) n, p and q are all less by k. One set is assumed normal. F statistics
        and degrees of freedom are those of SAS's CANCORR [1]_. The exception is Roy's root: the F
        that SAS prints is an upper bound, and its p-value too small. Here it is exact [2]_, from a
        ratio of Pfaffians. The F of Wilks' lambda is exact if min(p, q) - k <= 2; all else are
        approximations, which need n well above p + q. Bartlett's is the first to fail: at 5 % it
        rejects 41 % of pure noise with 100 rows, 40 and 30 columns, where Rao's F rejects 5 %. If
        rank X + rank Y = n_samples - 1, both more than 1, no F with positive degrees of freedom is
        known for the first root's Hotelling-Lawley trace: its F, degrees and p-value are NaN.

        References
        ----------
        .. [1] SAS/STAT User's Guide, Introduction to Regression Procedures, Multivariate Tests.
        .. [2] Chiani, M. (2016). Distribution of the largest root of a matrix for Roy's test in
           multivariate analysis of variance. Journal of Multivariate Analysis 143, 467-471.
        .. [3] McKeon, J. J. (1974). F approximations to the distribution of Hotelling's T0^2.
           Biometrika 61, 381-383.

        Examples
        --------
        >>> from sklearn.datasets import load_linnerud
        >>> from afterfit.cca import fit_cca
        >>> data = load_linnerud()
        >>> table = fit_cca(data.data, data.target).significance()
        >>> table[["wilks", "wilks_f", "wilks_df1", "wilks_df2", "wilks_pvalue"]].round(4)
               wilks  wilks_f  wilks_df1  wilks_df2  wilks_pvalue
        root
        1     0.3504   2.0482          9    34.2229        0.0635
        2     0.9547   0.1758          4    30.0000        0.9491
        3     0.9947   0.0847          1    16.0000        0.7748
        """
        if self.x_rank + self.y_rank > self._sizes[0] - 1:
            lost = f" and {self.n_covariates} covariates" if self.n_covariates else ""
            raise ValueError(
                "`significance` needs rank X + rank Y <= n_samples - 1, less one for each "
                f"covariate, got {self.x_rank} + {self.y_rank} and {self.n_samples} rows{lost}: "
                "correlations of 1 are forced, and nothing is left to test."
            )
        return significance_table(self.all_correlations, *self._sizes)

    @property
    def _sizes(self) -> tuple[int, int, int]:
        # Covariates cost a row each: the tests are those of so many rows and the same ranks.
        return self.n_samples - self.n_covariates, self.x_rank, self.y_rank

    def transform(self, X: Any, Y: Any = None) -> Any:
        """Return the scores of new rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features_x)
            New rows of the one set of columns, in the order of the fit.
        Y : array-like of shape (n_samples, n_features_y), default None
            Rows of the other set.

        Returns
        -------
        array, or tuple of two
            (data - mean) @ weights, of the library of the data: of `X`, or of `X` and `Y`.

        Raises
        ------
        TypeError
            If `X` or `Y` is not numeric.
        ValueError
            If `X` or `Y` has other columns than those of the fit, missing or infinite values, or if
            the fit took out covariates, which new rows cannot be freed of.

        Examples
        --------
        >>> from sklearn.datasets import load_linnerud
        >>> from afterfit.cca import fit_cca
        >>> data = load_linnerud()
        >>> fit = fit_cca(data.data[:15], data.target[:15])
        >>> fit.transform(data.data[15:17]).round(2)
        array([[ 0.83,  0.47, -0.94],
               [-1.23, -0.54,  0.29]])
        """
        if self.n_covariates:
            raise ValueError("`transform` needs a fit without covariates.")
        sides = [("X", X, self.x_mean, self.x_weights, self.x_columns)]
        if Y is not None:
            sides.append(("Y", Y, self.y_mean, self.y_weights, self.y_columns))
        scores = []
        for name, data, mean, weights, columns in sides:
            check_columns(data, columns, name)
            table = check_table(data, name, min_rows=1)
            if table.shape[1] != len(mean):
                raise ValueError(
                    f"`{name}` must have the {len(mean)} columns of the fit, got {table.shape[1]}."
                )
            scores.append((as_float64(table) - like(mean, table)) @ like(weights, table))
        return scores[0] if Y is None else tuple(scores)

    def loadings(self) -> pd.DataFrame:
        """Return the loadings of both sets as one table, by name where columns have names.

        Returns
        -------
        DataFrame
            One row a column of the data, indexed by set and column; one column a root.

        Examples
        --------
        >>> from sklearn.datasets import load_linnerud
        >>> from afterfit.cca import fit_cca
        >>> data = load_linnerud(as_frame=True)
        >>> fit_cca(data.data, data.target).loadings().round(2)
        root           1     2     3
        set column
        X   Chins   0.73  0.24  0.64
            Situps  0.82  0.57 -0.05
            Jumps   0.16  0.96  0.23
        Y   Weight -0.62 -0.77  0.13
            Waist  -0.93 -0.38  0.03
            Pulse   0.33  0.04 -0.94
        """
        tables = {}
        for side in ("x", "y"):
            loadings = getattr(self, f"{side}_loadings")
            names = getattr(self, f"{side}_columns")
            table = pd.DataFrame(loadings, index=names if names else range(len(loadings)))
            tables[side.upper()] = table.set_axis(range(1, loadings.shape[1] + 1), axis="columns")
        return pd.concat(tables, names=["set", "column"]).rename_axis("root", axis="columns")

    def plot(self, ax: Any = None) -> Any:
        """Draw the correlations by root in front of what pure noise gives; return the axes.

        Parameters
        ----------
        ax : matplotlib Axes, default None
            Where to draw; None makes a new figure.

        Returns
        -------
        matplotlib Axes
            With the correlations, and a band that holds 95 % of the correlations of independent
            normal sets with the same ranks and number of rows, root by root.

        See Also
        --------
        CCAResult.significance : Roy's test is the one whose p-value belongs to this figure.

        Notes
        -----
        The band holds for a first root, and for later ones if none before them is real. It is
        drawn from 1000 tables of noise (fewer from 50 roots on) with a fixed seed.

        Examples
        --------
        >>> import matplotlib.pyplot as plt
        >>> from sklearn.datasets import load_linnerud
        >>> from afterfit.cca import fit_cca
        >>> data = load_linnerud()
        >>> axes = fit_cca(data.data, data.target).plot()
        >>> axes.get_xlabel()
        'Root'
        >>> plt.close(axes.figure)
        """
        return draw_correlations(self.all_correlations, null_band(*self._sizes), ax)

    def plot_scores(self, pair: int = 1, ax: Any = None) -> Any:
        """Draw one pair of canonical variates against each other; return the axes.

        Of many rows (more than 2,000), the points are a picture inside the figure, so that its
        file stays small.

        Parameters
        ----------
        pair : int, default 1
            Which pair, between 1 and the number of components.
        ax : matplotlib Axes, default None
            Where to draw; None makes a new figure.

        Returns
        -------
        matplotlib Axes
            Scores of X on the horizontal axis, of Y on the vertical one.

        Raises
        ------
        ValueError
            If there is no such pair, or no scores.

        Examples
        --------
        >>> import matplotlib.pyplot as plt
        >>> from sklearn.datasets import load_linnerud
        >>> from afterfit.cca import fit_cca
        >>> data = load_linnerud()
        >>> axes = fit_cca(data.data, data.target).plot_scores(pair=1)
        >>> axes.get_title()
        'Pair 1: correlation 0.80'
        >>> plt.close(axes.figure)
        """
        pair = check_integer(pair, "pair", low=1, high=len(self.correlations))
        if self.x_scores is None:
            raise ValueError("There are no scores to draw: `transform` makes them from rows.")
        scores = to_numpy(self.x_scores[:, pair - 1]), to_numpy(self.y_scores[:, pair - 1])
        return draw_scores(*scores, pair, float(self.correlations[pair - 1]), ax)


def canonical_correlations(X: Any, Y: Any, *, covariates: Any = None) -> Array:
    """Return the canonical correlations of two sets of columns, decreasing.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features_x)
        One set of columns.
    Y : array-like of shape (n_samples, n_features_y)
        The other set, for the same rows in the same order.
    covariates : array-like of shape (n_samples, n_covariates), default None
        What is taken out of both sets, beside the constant, before they are correlated.

    Returns
    -------
    ndarray of shape (min(rank X, rank Y),)
        Canonical correlations in [0, 1]. The order of the arguments does not matter.

    Raises
    ------
    TypeError
        If `X` or `Y` is not numeric.
    ValueError
        If `X` or `Y` is not 2-dimensional, has missing or infinite values or no column that varies,
        if the numbers or the indexes of the rows differ, or if covariates leave nothing.

    Warns
    -----
    ForcedCorrelationWarning
        If rank X + rank Y > n_samples - 1 (less one for each covariate), so that some correlations
        are 1 whatever the data are.
    StorageWarning
        If columns count as combinations of others only because of the digits of their storage.

    See Also
    --------
    fit_cca : With weights, scores, loadings and tests.
    null_edge : What independent sets would give.

    Notes
    -----
    The singular values of Qx'Qy, with orthonormal bases Qx and Qy of the centred columns [1]_. The
    bases come from a Cholesky step, from two of them where one would cost digits [2]_, or from a
    Householder QR and one step where the columns are nearly collinear; all over blocks of rows.

    Sides may be arrays of any library that follows the array API standard (torch, cupy, jax), of
    any floating type: they are computed in float64 where they lie, and only matrices of columns by
    columns leave their device.

    The rank: columns are centred and scaled to length 1 and taken up by pivoted QR, the longest
    remainder first, as long as the remainder exceeds 3.7e-11 (eps^(2/3) of float64) and the
    rounding of the numbers as they were stored: 4 eps times the root mean square of the column,
    over its standard deviation. Without an offset these 4 eps are 4.8e-7 for float32, 0.004 for
    float16 and 0.03 for bfloat16. Where that alone lowers the rank, a `StorageWarning` says so. A
    column that varies by no more than its rounding, or than 1e-307, is constant.

    With covariates both sets are projected onto what the constant and the covariates leave, which
    has n_samples - 1 - (rank of the covariates) dimensions [3]_; tests count with these.

    References
    ----------
    .. [1] Bjoerck, A., Golub, G. H. (1973). Numerical methods for computing angles between linear
       subspaces. Mathematics of Computation 27, 579-594.
    .. [2] Yamamoto, Y., Nakatsukasa, Y., Yanagisawa, Y., Fukaya, T. (2015). Roundoff error analysis
       of the CholeskyQR2 algorithm. Electronic Transactions on Numerical Analysis 44, 306-326.
    .. [3] Winkler, A. M., Renaud, O., Smith, S. M., Nichols, T. E. (2020). Permutation inference
       for canonical correlation analysis. NeuroImage 220, 117065.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from afterfit.cca import canonical_correlations
    >>> data = load_linnerud()
    >>> canonical_correlations(data.data, data.target).round(6)
    array([0.795608, 0.200556, 0.07257 ])
    """
    return couple(X, Y, covariates).correlations()


def fit_cca(
    X: Any, Y: Any, n_components: int | None = None, *, covariates: Any = None
) -> CCAResult:
    """Return canonical correlations with weights, scores and loadings.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features_x)
        One set of columns.
    Y : array-like of shape (n_samples, n_features_y)
        The other set, for the same rows in the same order.
    n_components : int, default None
        Number of pairs to keep, between 1 and min(rank X, rank Y); None keeps all.
    covariates : array-like of shape (n_samples, n_covariates), default None
        What is taken out of both sets, beside the constant, before they are correlated.

    Returns
    -------
    CCAResult
        The fitted pairs, with `significance`, `plot` and `plot_scores`.

    Raises
    ------
    TypeError
        If `X` or `Y` is not numeric or `n_components` not an integer.
    ValueError
        If `X` or `Y` is not 2-dimensional, has missing or infinite values or no column that varies,
        if the numbers or the indexes of the rows differ, if covariates leave nothing, or
        `n_components` is out of its range.

    Warns
    -----
    ForcedCorrelationWarning
        If rank X + rank Y > n_samples - 1 (less one for each covariate), so that some correlations
        are 1 whatever the data are.
    StorageWarning
        If columns count as combinations of others only because of the digits of their storage.

    See Also
    --------
    canonical_correlations : The correlations alone, and how the rank is decided.

    Notes
    -----
    Signs: in every pair the loading of `X` that is largest in magnitude (the first one, if several
    are) is positive, and the scores of the pair correlate positively. Scores have variance 1
    with divisor n - 1, as SAS scales them.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from afterfit.cca import fit_cca
    >>> data = load_linnerud()
    >>> result = fit_cca(data.data, data.target, n_components=1)
    >>> result.x_loadings[:, 0].round(4)
    array([0.7276, 0.8177, 0.1622])
    >>> float(result.x_scores[:, 0].var(ddof=1).round(6))
    1.0
    """
    coupling = couple(X, Y, covariates)
    names = column_names(X, "X"), column_names(Y, "Y")
    result = result_of(coupling, n_components, names)
    return replace(
        result,
        x_scores=coupling.x.times(result.x_weights),
        y_scores=coupling.y.times(result.y_weights),
    )


def result_of(coupling: Coupling, n_components: int | None, names: tuple[Any, Any]) -> CCAResult:
    """Return the result of a coupling, without scores."""
    left, correlations, right = coupling.rotations()
    if n_components is not None:
        n_components = check_integer(n_components, "n_components", low=1, high=len(correlations))
    n_samples = coupling.x.n_values
    scale = np.sqrt(n_samples - 1)
    x_weights = scale * coupling.x.whitener @ left[:, :n_components]
    y_weights = scale * coupling.y.whitener @ right[:, :n_components]
    x_loadings = _loadings(coupling.x, x_weights, scale)
    y_loadings = _loadings(coupling.y, y_weights, scale)
    signs = _signs(x_loadings)
    x_weights, y_weights = x_weights * signs + 0.0, y_weights * signs + 0.0  # no -0.0
    return CCAResult(
        correlations=correlations[:n_components],
        x_weights=x_weights,
        y_weights=y_weights,
        x_scores=None,
        y_scores=None,
        x_loadings=x_loadings * signs + 0.0,
        y_loadings=y_loadings * signs + 0.0,
        x_mean=coupling.x.mean,
        y_mean=coupling.y.mean,
        all_correlations=correlations,
        n_samples=n_samples,
        x_rank=coupling.x.rank,
        y_rank=coupling.y.rank,
        n_covariates=coupling.n_removed - 1,
        x_columns=names[0],
        y_columns=names[1],
    )


def _loadings(side: Side, weights: Array, length: float) -> Array:
    # Each column by its own scale, so that none underflows; constant ones are 0. All scores have
    # the same length.
    products, lengths = cross_products(side, weights)
    lengths[lengths == 0.0] = np.inf
    return np.clip(products / (lengths[:, np.newaxis] * length), -1.0, 1.0)


def _signs(loadings: Array) -> Array:
    magnitudes = np.abs(loadings)
    largest = (magnitudes >= (1.0 - SIGN_TOLERANCE) * magnitudes.max(axis=0)).argmax(axis=0)
    return np.where(loadings[largest, np.arange(loadings.shape[1])] < 0.0, -1.0, 1.0)
