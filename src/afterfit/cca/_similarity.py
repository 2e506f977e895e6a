"""Similarities of two representations of the same rows: mean CCA, SVCCA, PWCCA and linear CKA."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from afterfit._arrays import namespace, take, to_numpy
from afterfit._validation import check_integer, check_random_state, check_real
from afterfit.cca._whitening import (
    Coupling,
    Side,
    check_pair,
    couple,
    couple_sides,
    cross_products,
    householder_factor,
    open_sides,
    products,
    row_blocks,
    warn_of,
)

Array = NDArray[np.float64]

# Rounding allowed when cumulated shares of variance are compared with what is asked for.
SHARE_ROUNDING = 1e-12


def mean_cca(X: Any, Y: Any) -> float:
    """Return the mean of the canonical correlations, a similarity in [0, 1].

    Parameters
    ----------
    X, Y : array-like of shape (n_samples, n_features_x) and (n_samples, n_features_y)
        Two representations of the same rows.

    Returns
    -------
    float
        1 if one set is an invertible linear map of the other (or contains it), symmetric in its
        arguments. Independent sets do not give 0: see `null_density`.

    Raises
    ------
    TypeError
        If `X` or `Y` is not numeric.
    ValueError
        If `X` or `Y` is not 2-dimensional, has missing or infinite values or no column that varies,
        or if the numbers or the indexes of the rows differ.

    Warns
    -----
    ForcedCorrelationWarning
        If correlations are 1 because there are too few rows.

    See Also
    --------
    svcca : After a reduction to the directions that carry the variance.
    pwcca : Weighted by what each direction explains.

    Notes
    -----
    The mean is over the r = min(rank X, rank Y) correlations. Invariant to shifts and to every
    invertible linear map of either set. It is the summary of CCA used in [1]_ and [2]_.

    References
    ----------
    .. [1] Raghu, M., Gilmer, J., Yosinski, J., Sohl-Dickstein, J. (2017). SVCCA. NeurIPS 30.
    .. [2] Kornblith, S., Norouzi, M., Lee, H., Hinton, G. (2019). Similarity of neural network
       representations revisited. ICML, section 4.

    Examples
    --------
    >>> import numpy as np
    >>> from afterfit.cca import mean_cca
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((500, 3))
    >>> round(mean_cca(X, X @ rng.standard_normal((3, 3))), 6)
    1.0
    >>> round(mean_cca(X, rng.standard_normal((500, 3))), 2)
    0.08
    """
    return float(couple(X, Y).correlations().mean())


def svcca(X: Any, Y: Any, *, explained_variance: float = 0.99) -> float:
    """Return the mean canonical correlation of the leading singular directions, in [0, 1].

    Parameters
    ----------
    X, Y : array-like of shape (n_samples, n_features_x) and (n_samples, n_features_y)
        Two representations of the same rows.
    explained_variance : float, default 0.99
        Share of each set's variance, in (0, 1], that its kept directions carry at least; up to
        1e-12 of the variance is taken for rounding.

    Returns
    -------
    float
        1 if the kept directions span the same space, symmetric in its arguments.

    Raises
    ------
    TypeError
        If `X` or `Y` is not numeric.
    ValueError
        If `X` or `Y` is not 2-dimensional, has missing or infinite values or no column that varies,
        if the numbers of rows differ, or `explained_variance` is not in (0, 1].

    Warns
    -----
    ForcedCorrelationWarning
        If correlations are 1 because there are too few rows.

    See Also
    --------
    mean_cca : Without the reduction.

    Notes
    -----
    As in the paper [1]_: each centred set is reduced to the fewest leading singular directions
    that carry the share of its variance (the sum of squared singular values), then the
    canonical correlations are averaged. Invariant to shifts, rotations and isotropic scaling,
    not to other invertible maps, which change what carries the variance. The authors' public code
    departs from that: its tutorial keeps a fixed number of 20 directions, and its mean leaves
    out the smallest correlations once the others make up 98% of their sum.

    References
    ----------
    .. [1] Raghu, M., Gilmer, J., Yosinski, J., Sohl-Dickstein, J. (2017). SVCCA: singular vector
       canonical correlation analysis for deep learning dynamics and interpretability. NeurIPS 30.

    Examples
    --------
    >>> import numpy as np
    >>> from afterfit.cca import svcca
    >>> rng = np.random.default_rng(0)
    >>> shared = rng.standard_normal((500, 2))
    >>> X = np.hstack([shared, 0.01 * rng.standard_normal((500, 20))])
    >>> Y = np.hstack([shared, 0.01 * rng.standard_normal((500, 20))])
    >>> round(svcca(X, Y), 3)
    1.0
    """
    share = check_share(explained_variance)
    x, y = open_sides(X, Y)
    return svcca_of(x, y, share)


def pwcca(X: Any, Y: Any) -> float:
    """Return the canonical correlations' mean, weighted by what they explain of `X`, in [0, 1].

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features_x)
        The representation whose columns give the weights: the reference.
    Y : array-like of shape (n_samples, n_features_y)
        Another representation of the same rows.

    Returns
    -------
    float
        1 if `Y` determines every canonical direction of `X` that it can. Not symmetric.

    Raises
    ------
    TypeError
        If `X` or `Y` is not numeric.
    ValueError
        If `X` or `Y` is not 2-dimensional, has missing or infinite values or no column that varies,
        or if the numbers or the indexes of the rows differ.

    Warns
    -----
    ForcedCorrelationWarning
        If correlations are 1 because there are too few rows.

    See Also
    --------
    mean_cca : With equal weights.

    Notes
    -----
    As in the paper [1]_: the i-th correlation has weight alpha_i = sum_j abs(<h_i, x_j>), over the
    sum of all weights, where h_i is the canonical variate of `X` and x_j its centred columns.
    Invariant to shifts and isotropic scaling of either set, and to invertible maps of `Y`; not to
    rotations of `X`, since the weights are sums over its columns. The authors' public code departs
    from the paper: it takes whichever set has fewer columns as the reference, adds the means
    back before it orthonormalises (so that its result changes with a shift of the data), and
    applies the weights to a basis of the wrong vectors. Here the paper is followed.

    References
    ----------
    .. [1] Morcos, A. S., Raghu, M., Bengio, S. (2018). Insights on representational similarity in
       neural networks with canonical correlation. NeurIPS 31, section 2.2.

    Examples
    --------
    >>> import numpy as np
    >>> from afterfit.cca import mean_cca, pwcca
    >>> rng = np.random.default_rng(0)
    >>> signal, noise = rng.standard_normal((500, 2)), rng.standard_normal((500, 2))
    >>> X = np.hstack([10 * signal, noise])
    >>> Y = np.hstack([signal, rng.standard_normal((500, 2))])
    >>> round(mean_cca(X, Y), 2), round(pwcca(X, Y), 2)
    (0.52, 0.89)
    """
    return pwcca_of(couple(X, Y))


def linear_cka(X: Any, Y: Any, *, debiased: bool = False) -> float:
    """Return the centred kernel alignment of two representations with linear kernels, in [0, 1].

    Parameters
    ----------
    X, Y : array-like of shape (n_samples, n_features_x) and (n_samples, n_features_y)
        Two representations of the same rows. More columns than rows are fine.
    debiased : bool, default False
        Whether to take off what finite numbers of rows add: independent sets then have the
        expectation 0, about, and values down to -1 are possible. Needs at least 4 rows.

    Returns
    -------
    float
        1 if one set is a rotation and isotropic scaling of the other, symmetric in its arguments.

    Raises
    ------
    TypeError
        If `X` or `Y` is not numeric.
    ValueError
        If `X` or `Y` is not 2-dimensional, has missing or infinite values or no column that varies,
        or if the numbers or the indexes of the rows differ.

    See Also
    --------
    mean_cca : Invariant to all invertible maps.

    Notes
    -----
    For centred sets, norm(Y'X)^2 / (norm(X'X) norm(Y'Y)) in Frobenius norms [1]_, the version of
    the paper, whose estimate of HSIC is biased upwards when columns are many and rows are few: two
    independent sets of 64 rows and 768 columns have 0.92. Debiased, all three products are
    replaced by unbiased estimates of HSIC [2]_, which leave the diagonals of the kernels out.
    Invariant to shifts, rotations and isotropic scaling; not to other invertible maps. The
    products are taken over rows or over columns, whichever is smaller.

    References
    ----------
    .. [1] Kornblith, S., Norouzi, M., Lee, H., Hinton, G. (2019). Similarity of neural network
       representations revisited. ICML, equations 1 to 5.
    .. [2] Song, L., Smola, A., Gretton, A., Bedo, J., Borgwardt, K. (2012). Feature selection via
       dependence maximization. Journal of Machine Learning Research 13, 1393-1434.

    Examples
    --------
    >>> import numpy as np
    >>> from afterfit.cca import linear_cka
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((500, 3))
    >>> round(linear_cka(X, 2 * X[:, ::-1] + 7), 6)
    1.0
    >>> round(linear_cka(X, X * [1, 1, 100]), 2)
    0.62
    """
    x, y = open_sides(X, Y)
    if debiased and x.n_values < 4:
        raise ValueError(f"`debiased` needs at least 4 rows, got {x.n_values}.")
    return linear_cka_of(x, y, debiased)


def check_share(explained_variance: Any) -> float:
    """Return the share of variance if it is one, or raise."""
    share = check_real(explained_variance, "explained_variance")
    if not 0.0 < share <= 1.0:
        raise ValueError(f"`explained_variance` must lie in (0, 1], got {explained_variance!r}.")
    return share


def similarity_noise(
    measure: Callable[[Any, Any], float],
    X: Any,
    Y: Any,
    *,
    n_resamples: int = 99,
    random_state: Any = None,
) -> pd.Series:
    """Return what a similarity gives on noise, and how far it moves with the rows.

    Parameters
    ----------
    measure : callable
        A similarity of two representations: `linear_cka`, or ``lambda X, Y: ...`` with options.
    X, Y : array-like of shape (n_samples, n_features_x) and (n_samples, n_features_y)
        Two representations of the same rows.
    n_resamples : int, default 99
        Number of permutations and of random splits in halves, at least 1.
    random_state : None, int, Generator or RandomState, default None
        Source of both.

    Returns
    -------
    Series
        - `observed`, the similarity;
        - `noise`, the mean over tables whose rows of `Y` are permuted, which relate nothing, and
          `noise_high`, the quantile of 95 % of them;
        - `pvalue`, (1 + number of them that reach the observed) / (1 + `n_resamples`);
        - `halves`, the mean over both halves of random splits of the rows, and `halves_spread`, the
          standard deviation of the difference of two halves, over 2: about the standard
          error of `observed`, where the measure does not depend on the number of rows.

    Raises
    ------
    TypeError
        If `X` or `Y` is not numeric or an argument of the wrong type.
    ValueError
        If the similarity refuses `X` or `Y`, or `n_resamples` is less than 1.

    Examples
    --------
    >>> import numpy as np
    >>> from afterfit.cca import linear_cka, similarity_noise
    >>> rng = np.random.default_rng(0)
    >>> X, Y = rng.standard_normal((64, 768)), rng.standard_normal((64, 768))
    >>> similarity_noise(linear_cka, X, Y, random_state=0)[["observed", "noise"]].round(2).to_dict()
    {'observed': 0.92, 'noise': 0.92}
    """
    n_resamples = check_integer(n_resamples, "n_resamples", low=1)
    generator = check_random_state(random_state)
    # NumPy's arrays as they were stored, which may count in their rank.
    x, y = (
        value if isinstance(value, np.ndarray) else table
        for value, table in zip((X, Y), check_pair(X, Y).values(), strict=True)
    )
    observed = float(measure(x, y))
    n_rows = x.shape[0]
    noise, halves = [], []
    for _ in range(n_resamples):
        noise.append(float(measure(x, take(y, generator.permutation(n_rows)))))
        for rows in np.array_split(generator.permutation(n_rows), 2):
            halves.append(float(measure(take(x, rows), take(y, rows))))
    one, other = halves[::2], halves[1::2]
    reached = np.sum(np.array(noise) >= observed - SHARE_ROUNDING)
    return pd.Series(
        {
            "observed": observed,
            "noise": float(np.mean(noise)),
            "noise_high": float(np.quantile(noise, 0.95)),
            "pvalue": float((1 + reached) / (1 + n_resamples)),
            "halves": float(np.mean(halves)),
            "halves_spread": float(np.sqrt(np.mean(np.subtract(one, other) ** 2)) / 2),
        },
        name=getattr(measure, "__name__", None),
    )


def svcca_of(x: Side, y: Side, share: float) -> float:
    """Return the mean correlation of the leading directions of two opened sets."""
    coupling = couple_sides(_leading(x, share), _leading(y, share))
    warn_of(coupling, stacklevel=4)
    return float(coupling.correlations().mean())


def pwcca_of(coupling: Coupling) -> float:
    """Return the mean of the correlations, weighted by what they explain of the first set."""
    left, correlations, _ = coupling.rotations()
    across, _ = cross_products(coupling.x, coupling.x.whitener @ left)
    weights = coupling.x.units @ np.abs(across)
    return float(np.clip(weights @ correlations / weights.sum(), 0.0, 1.0))


def linear_cka_of(x: Side, y: Side, debiased: bool = False) -> float:
    """Return the alignment of two opened sets."""
    # All columns of a set are divided by one number, the constant ones by infinity.
    x, y = (replace(side, scale=side.scale / side.units) for side in (x, y))
    n, p = x.data.shape
    if p + y.data.shape[1] <= n:
        x_self, y_self, across = (float(np.vdot(part, part)) for part in products(x, y))
    else:
        left, right = (rows @ rows.T for rows in (side.scaled(slice(0, n)) for side in (x, y)))
        pairs = (left, left), (right, right), (left, right)
        x_self, y_self, across = (float(namespace(a).sum(a * b)) for a, b in pairs)
    if debiased:
        a, b = (_squared_lengths(side) for side in (x, y))
        x_self, y_self = _unbiased(x_self, a, a), _unbiased(y_self, b, b)
        across = _unbiased(across, a, b)
    within = np.sqrt(x_self) * np.sqrt(y_self)
    return float(np.clip(across / within, -1.0 if debiased else 0.0, 1.0))


def _unbiased(product: float, x_lengths: Array, y_lengths: Array) -> float:
    # Song et al. (2012), equation 5, times n (n - 3), for kernels of centred columns, whose rows
    # have the sum 0: without its diagonal the row sums of a kernel are minus its diagonal.
    n, diagonal = len(x_lengths), float(x_lengths @ y_lengths)
    sums = float(x_lengths.sum() * y_lengths.sum())
    return product - diagonal + sums / ((n - 1) * (n - 2)) - 2.0 / (n - 2) * diagonal


def _squared_lengths(side: Side) -> Array:
    xp = namespace(side.data)
    blocks = [side.scaled(rows) for rows in row_blocks(side.data)]
    return to_numpy(xp.concat([xp.sum(block**2, axis=1) for block in blocks]))


def _leading(side: Side, share: float) -> Side:
    """Return the set with a whitener of its leading singular directions."""
    _, singular, right = np.linalg.svd(householder_factor(side) * side.units, full_matrices=False)
    explained = np.cumsum(singular**2)
    enough = explained >= share * explained[-1] * (1.0 - SHARE_ROUNDING)
    n_kept = int(np.argmax(enough)) + 1
    whitener = (right[:n_kept] / singular[:n_kept, np.newaxis]).T
    return replace(side, whitener=whitener * (side.units / side.scale)[:, np.newaxis])
