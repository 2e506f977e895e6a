"""Canonical correlations with weights, scores, loadings and tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from afterfit._validation import check_integer
from afterfit.cca._drawing import draw_correlations, draw_scores
from afterfit.cca._significance import significance_table
from afterfit.cca._wachter import null_edge, null_quantiles
from afterfit.cca._whitening import Coupling, Side, couple

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
    x_scores, y_scores : ndarray of shape (n_samples, n_components)
        Canonical variates: mean 0, variance 1 (divisor n - 1), uncorrelated within a side.
    x_loadings, y_loadings : ndarray of shape (n_features, n_components)
        Correlations of a side's columns with its own scores; 0 for a constant column.
    x_mean, y_mean : ndarray of shape (n_features,)
        Column means that were taken off.
    all_correlations : ndarray of shape (min(x_rank, y_rank),)
        Every canonical correlation, also those beyond `n_components`.
    n_samples : int
        Number of rows.
    x_rank, y_rank : int
        Number of directions that each side's centred columns span.

    See Also
    --------
    fit_cca : Returns one.
    """

    correlations: Array
    x_weights: Array
    y_weights: Array
    x_scores: Array
    y_scores: Array
    x_loadings: Array
    y_loadings: Array
    x_mean: Array
    y_mean: Array
    all_correlations: Array
    n_samples: int
    x_rank: int
    y_rank: int

    def __post_init__(self) -> None:
        """Refuse fields whose shapes do not fit together."""
        k = len(self.correlations)
        expected = {
            "x_weights": (len(self.x_mean), k),
            "y_weights": (len(self.y_mean), k),
            "x_scores": (self.n_samples, k),
            "y_scores": (self.n_samples, k),
            "x_loadings": (len(self.x_mean), k),
            "y_loadings": (len(self.y_mean), k),
            "all_correlations": (min(self.x_rank, self.y_rank),),
        }
        for name, shape in expected.items():
            if getattr(self, name).shape != shape:
                raise ValueError(
                    f"`{name}` must have shape {shape}, got {getattr(self, name).shape}."
                )

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
        For root k (from 0) n, p and q are all less by k. One side is assumed normal. F statistics
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
        if self.x_rank + self.y_rank > self.n_samples - 1:
            raise ValueError(
                "`significance` needs rank X + rank Y <= n_samples - 1, got "
                f"{self.x_rank} + {self.y_rank} and {self.n_samples} rows: "
                "correlations of 1 are forced, and nothing is left to test."
            )
        return significance_table(self.all_correlations, self.n_samples, self.x_rank, self.y_rank)

    def plot(self, ax: Any = None) -> Any:
        """Draw the correlations by root in front of what pure noise gives; return the axes.

        Parameters
        ----------
        ax : matplotlib Axes, default None
            Where to draw; None makes a new figure.

        Returns
        -------
        matplotlib Axes
            With the correlations, the expected correlations of independent sides with the same
            ranks and number of rows (Wachter's law, root by root), and the edge of that law.

        See Also
        --------
        null_edge : The edge that is drawn.

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
        sizes = (self.n_samples, self.x_rank, self.y_rank)
        return draw_correlations(
            self.all_correlations, null_quantiles(*sizes), null_edge(*sizes), ax
        )

    def plot_scores(self, pair: int = 1, ax: Any = None) -> Any:
        """Draw one pair of canonical variates against each other; return the axes.

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
            If there is no such pair.

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
        scores = self.x_scores[:, pair - 1], self.y_scores[:, pair - 1]
        return draw_scores(*scores, pair, float(self.correlations[pair - 1]), ax)


def canonical_correlations(X: Any, Y: Any) -> Array:
    """Return the canonical correlations of two sets of columns, decreasing.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features_x)
        One set of columns.
    Y : array-like of shape (n_samples, n_features_y)
        The other set, for the same rows in the same order: the index of a DataFrame is not used.

    Returns
    -------
    ndarray of shape (min(rank X, rank Y),)
        Canonical correlations in [0, 1]. The order of the arguments does not matter.

    Raises
    ------
    TypeError
        If a side is not numeric.
    ValueError
        If a side has not two dimensions, has missing or infinite values or no column that varies,
        or if the numbers of rows differ.

    Warns
    -----
    ForcedCorrelationWarning
        If rank X + rank Y > n_samples - 1, so that some correlations are 1 whatever the data are.

    See Also
    --------
    fit_cca : With weights, scores, loadings and tests.
    null_edge : What independent sides would give.

    Notes
    -----
    The singular values of Qx'Qy, with orthonormal bases Qx and Qy of the centred columns [1]_. The
    bases come from a Cholesky step, from two of them where one would cost digits [2]_, or from a
    Householder QR and one step where the columns are nearly collinear; all over blocks of rows.

    The rank: columns are centred and scaled to length 1 and taken up by pivoted QR, the longest
    remainder first, as long as the remainder exceeds eps^(2/3), which is 3.7e-11 for float64 and
    2.4e-5 for a column stored as float32. Where a column has an offset so large that its rounding,
    8 eps times the largest value, is more than that, the rounding counts instead. A
    column that varies by no more than its rounding, or than 1e-307, is constant.

    References
    ----------
    .. [1] Bjoerck, A., Golub, G. H. (1973). Numerical methods for computing angles between linear
       subspaces. Mathematics of Computation 27, 579-594.
    .. [2] Yamamoto, Y., Nakatsukasa, Y., Yanagisawa, Y., Fukaya, T. (2015). Roundoff error analysis
       of the CholeskyQR2 algorithm. Electronic Transactions on Numerical Analysis 44, 306-326.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from afterfit.cca import canonical_correlations
    >>> data = load_linnerud()
    >>> canonical_correlations(data.data, data.target).round(6)
    array([0.795608, 0.200556, 0.07257 ])
    """
    return couple(X, Y).correlations()


def fit_cca(X: Any, Y: Any, n_components: int | None = None) -> CCAResult:
    """Return canonical correlations with weights, scores and loadings.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features_x)
        One set of columns.
    Y : array-like of shape (n_samples, n_features_y)
        The other set, for the same rows in the same order: the index of a DataFrame is not used.
    n_components : int, default None
        Number of pairs to keep, between 1 and min(rank X, rank Y); None keeps all.

    Returns
    -------
    CCAResult
        The fitted pairs, with `significance`, `plot` and `plot_scores`.

    Raises
    ------
    TypeError
        If a side is not numeric or `n_components` not an integer.
    ValueError
        If a side has not two dimensions, has missing or infinite values or no column that varies,
        if the numbers of rows differ or `n_components` is out of its range.

    Warns
    -----
    ForcedCorrelationWarning
        If rank X + rank Y > n_samples - 1, so that some correlations are 1 whatever the data are.

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
    coupling = couple(X, Y)
    n_roots = min(coupling.x.rank, coupling.y.rank)
    if n_components is not None:
        n_components = check_integer(n_components, "n_components", low=1, high=n_roots)
    return _result(coupling, n_components or n_roots)


def _result(coupling: Coupling, n_components: int) -> CCAResult:
    left, correlations, right = coupling.rotations()
    scale = np.sqrt(coupling.n_samples - 1)
    x_weights = scale * coupling.x.whitener @ left[:, :n_components]
    y_weights = scale * coupling.y.whitener @ right[:, :n_components]
    x_scores, x_loadings = _scores_and_loadings(coupling.x, x_weights)
    y_scores, y_loadings = _scores_and_loadings(coupling.y, y_weights)
    signs = _signs(x_loadings)
    return CCAResult(
        correlations=correlations[:n_components],
        x_weights=x_weights * signs + 0.0,  # no -0.0
        y_weights=y_weights * signs + 0.0,
        x_scores=x_scores * signs,
        y_scores=y_scores * signs,
        x_loadings=x_loadings * signs + 0.0,
        y_loadings=y_loadings * signs + 0.0,
        x_mean=coupling.x.mean,
        y_mean=coupling.y.mean,
        all_correlations=correlations,
        n_samples=coupling.n_samples,
        x_rank=coupling.x.rank,
        y_rank=coupling.y.rank,
    )


def _scores_and_loadings(side: Side, weights: Array) -> tuple[Array, Array]:
    shifted = side.data - side.mean
    scores = shifted @ weights
    columns = shifted / side.scale  # each by its own, so that none underflows; constant ones are 0
    lengths = np.linalg.norm(columns, axis=0)
    covariances = columns.T @ scores / np.sqrt(len(scores) - 1)
    used = lengths > 0.0
    loadings = np.zeros_like(covariances)
    loadings[used] = np.clip(covariances[used] / lengths[used, np.newaxis], -1.0, 1.0)
    return scores, loadings


def _signs(loadings: Array) -> Array:
    magnitudes = np.abs(loadings)
    largest = (magnitudes >= (1.0 - SIGN_TOLERANCE) * magnitudes.max(axis=0)).argmax(axis=0)
    return np.where(loadings[largest, np.arange(loadings.shape[1])] < 0.0, -1.0, 1.0)
