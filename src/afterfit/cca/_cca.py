"""Canonical correlations, and whether they are more than noise.

`canonical_correlations` and `fit_cca` compute them exactly, `CCAResult.significance` and
`permutation_test` test every root, `cross_validated_correlations` says what is left of them on new
rows, `null_edge` and `null_density` what pure noise gives. `mean_cca`, `svcca`, `pwcca` and
`linear_cka` compare two representations of the same rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from afterfit._validation import check_integer, check_random_state, listing
from afterfit.cca import _wachter
from afterfit.cca._permutation import count_exceedances, observed_statistics
from afterfit.cca._significance import significance_table
from afterfit.cca._similarity import linear_cka, mean_cca, pwcca, svcca
from afterfit.cca._wachter import null_density, null_edge
from afterfit.cca._whitening import (
    Coupling,
    ForcedCorrelationWarning,
    Side,
    check_pair,
    couple,
    couple_sides,
    open_side,
    storage_epsilon,
    warn_if_forced,
)

__all__ = [
    "CCAResult",
    "ForcedCorrelationWarning",
    "PermutationResult",
    "canonical_correlations",
    "cross_validated_correlations",
    "fit_cca",
    "linear_cka",
    "mean_cca",
    "null_density",
    "null_edge",
    "permutation_test",
    "pwcca",
    "svcca",
]

Array = NDArray[np.float64]
Split = tuple[NDArray[np.intp], NDArray[np.intp]]

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
        ax = _axes(ax)
        roots = np.arange(1, len(self.all_correlations) + 1)
        sizes = (self.n_samples, self.x_rank, self.y_rank)
        edge = _wachter.null_edge(*sizes)
        expected = _wachter.null_quantiles(*sizes)
        ax.bar(roots, expected, width=1.0, color="0.85", label="expected of pure noise")
        ax.axhline(edge, color="0.4", linestyle="--", label=f"edge of noise ({edge:.2f})")
        ax.plot(roots, self.all_correlations, "o-", markersize=4, label="observed")
        ax.set(xlabel="Root", ylabel="Canonical correlation")
        ax.set(xlim=(0.4, len(roots) + 0.6), ylim=(0.0, 1.05))
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.legend()
        return ax

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
        ax = _axes(ax)
        ax.scatter(self.x_scores[:, pair - 1], self.y_scores[:, pair - 1], s=12, alpha=0.7)
        ax.set(
            xlabel="Score of X (standard deviations)",
            ylabel="Score of Y (standard deviations)",
            title=f"Pair {pair}: correlation {self.correlations[pair - 1]:.2f}",
        )
        return ax


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


def cross_validated_correlations(X: Any, Y: Any, *, cv: Any = 5, random_state: Any = None) -> Array:
    """Return the correlations of canonical scores on rows that were held out.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features_x)
        One set of columns.
    Y : array-like of shape (n_samples, n_features_y)
        The other set, for the same rows.
    cv : int, splitter or iterable, default 5
        Number of folds (at least 2), over shuffled rows; or a scikit-learn splitter; or pairs of
        arrays (training rows, held-out rows), as ``GroupKFold().split(X, groups=groups)`` gives.
    random_state : None, int, Generator or RandomState, default None
        Source of the shuffling, where `cv` is a number.

    Returns
    -------
    ndarray of shape (n_roots,)
        In the order of the roots on the training rows, in [-1, 1]: near 0 for a root that is
        noise. As many as the smallest rank of a side on any set of training rows.

    Raises
    ------
    TypeError
        If a side is not numeric, or `cv` is none of the above.
    ValueError
        If a side has not two dimensions, has missing or infinite values, or no column that
        varies on some set of training rows, if the numbers of rows differ, `cv` is out of range,
        or held-out values are so far from the training rows that their squares overflow.

    Warns
    -----
    ForcedCorrelationWarning
        If correlations are forced to be 1 on a set of training rows.

    See Also
    --------
    canonical_correlations : On the rows that were fitted: never smaller in expectation.

    Notes
    -----
    Held-out scores are taken around the training means, and their products and squares
    pooled over folds before the correlation is formed: sum(u v) / sqrt(sum(u^2) sum(v^2)). Folds of
    one row are possible, and the signs of pairs, which differ from fold to fold, cancel. A root
    whose held-out scores are all 0 has correlation 0.

    Examples
    --------
    >>> import numpy as np
    >>> from afterfit.cca import canonical_correlations, cross_validated_correlations
    >>> rng = np.random.default_rng(0)
    >>> X, Y = rng.standard_normal((200, 20)), rng.standard_normal((200, 10))
    >>> float(canonical_correlations(X, Y)[0].round(2))
    0.47
    >>> float(cross_validated_correlations(X, Y, random_state=0)[0].round(2))
    -0.11
    """
    x_data, y_data = check_pair(X, Y)
    epsilons = storage_epsilon(X), storage_epsilon(Y)
    splits = _splits(cv, len(x_data), check_random_state(random_state))
    moments = []
    by_n_forced: dict[int, Coupling] = {}  # one each, so that not all splits' data are kept
    for number, (train, test) in enumerate(splits, start=1):
        try:
            coupling = couple_sides(
                open_side(x_data[train], "X", epsilons[0]),
                open_side(y_data[train], "Y", epsilons[1]),
            )
        except ValueError as error:
            raise ValueError(f"On the training rows of split {number}: {error}") from None
        by_n_forced[coupling.n_forced] = coupling
        moments.append(_held_out_moments(coupling, x_data[test], y_data[test]))
    warn_if_forced(by_n_forced[max(by_n_forced)], stacklevel=3)
    return _pooled_correlations(moments)


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


def _held_out_moments(coupling: Coupling, x_test: Array, y_test: Array) -> Array:
    left, _, right = coupling.rotations()
    n_train = coupling.n_samples - 1  # so that folds of different sizes weigh alike
    with np.errstate(over="ignore", invalid="ignore"):  # `_pooled_correlations` refuses those
        x_scores = (x_test - coupling.x.mean) @ coupling.x.whitener @ left
        y_scores = (y_test - coupling.y.mean) @ coupling.y.whitener @ right
        products = x_scores * y_scores, x_scores**2, y_scores**2
        return n_train * np.stack([product.sum(axis=0) for product in products])


def _pooled_correlations(moments: list[Array]) -> Array:
    n_roots = min(moment.shape[1] for moment in moments)
    product, x_square, y_square = np.sum([moment[:, :n_roots] for moment in moments], axis=0)
    for name, square in (("X", x_square), ("Y", y_square)):
        if not np.isfinite(square).all():
            raise ValueError(
                f"`{name}` has held-out values too far from the training rows to be squared."
            )
    scale = np.sqrt(x_square) * np.sqrt(y_square)
    pooled = np.divide(product, scale, out=np.zeros(n_roots), where=scale > 0.0)
    return np.asarray(np.clip(pooled, -1.0, 1.0))


def _splits(cv: Any, n_samples: int, generator: np.random.Generator) -> list[Split]:
    rows = np.arange(n_samples)
    if isinstance(cv, Integral) and cv is not True and cv is not False:
        n_folds = check_integer(cv, "cv", low=2, high=n_samples)
        folds = np.array_split(generator.permutation(n_samples), n_folds)
        cv = [(np.setdiff1d(rows, fold), fold) for fold in folds]
    elif isinstance(cv, str) or not (hasattr(cv, "split") or isinstance(cv, Iterable)):
        raise TypeError(
            "`cv` must be a number of folds, a scikit-learn splitter, or pairs of arrays "
            f"(training rows, held-out rows), got {cv!r}."
        )
    try:
        pairs = cv.split(rows[:, np.newaxis]) if hasattr(cv, "split") else cv
        splits = [(rows[train], rows[test]) for train, test in pairs]
        sizes = [(len(train), len(test)) for train, test in splits]
    except (IndexError, TypeError, ValueError) as error:
        raise ValueError(
            f"`cv` must give pairs of arrays (training rows, held-out rows) of {n_samples} rows, "
            f"got: {error}"
        ) from None
    wrong = [size for size in sizes if size[0] < 2 or size[1] < 1]
    if wrong or not sizes:
        raise ValueError(
            "`cv` must give at least one split (2 or more training rows, 1 or more held-out rows), "
            f"got {listing(wrong) or 'none'}."
        )
    return splits


def _axes(ax: Any) -> Any:
    if ax is not None:
        return ax
    from matplotlib import pyplot as plt

    return plt.subplots()[1]
