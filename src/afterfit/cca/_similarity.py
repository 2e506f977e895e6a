"""Similarities of two representations of the same rows: mean CCA, SVCCA, PWCCA and linear CKA."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from afterfit._validation import check_real
from afterfit.cca._whitening import centred, check_pair, couple, storage_epsilon

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
        1 if one side is an invertible linear map of the other (or contains it), symmetric in its
        arguments. Independent sides do not give 0: see `null_density`.

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
        If correlations are 1 because there are too few rows.

    See Also
    --------
    svcca : After a reduction to the directions that carry the variance.
    pwcca : Weighted by what each direction explains.

    Notes
    -----
    The mean is over the r = min(rank X, rank Y) correlations. Invariant to shifts and to every
    invertible linear map of either side. It is the summary of CCA used in [1]_ and [2]_.

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
        Share of each side's variance, in (0, 1], that its kept directions carry at least; up to
        1e-12 of the variance is taken for rounding.

    Returns
    -------
    float
        1 if the kept directions span the same space, symmetric in its arguments.

    Raises
    ------
    TypeError
        If a side is not numeric.
    ValueError
        If a side has not two dimensions, has missing or infinite values or no column that varies,
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
    As in the paper [1]_: each centred side is reduced to the fewest leading singular directions
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
    share = check_real(explained_variance, "explained_variance")
    if not 0.0 < share <= 1.0:
        raise ValueError(f"`explained_variance` must lie in (0, 1], got {explained_variance!r}.")
    x_data, y_data = check_pair(X, Y)
    x_leading = _leading_directions(x_data, "X", storage_epsilon(X), share)
    y_leading = _leading_directions(y_data, "Y", storage_epsilon(Y), share)
    return float(couple(x_leading, y_leading).correlations().mean())


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
        If a side is not numeric.
    ValueError
        If a side has not two dimensions, has missing or infinite values or no column that varies,
        or if the numbers of rows differ.

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
    Invariant to shifts and isotropic scaling of either side, and to invertible maps of `Y`; not to
    rotations of `X`, since the weights are sums over its columns. The authors' public code departs
    from the paper: it takes whichever side has fewer columns as the reference, adds the means
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
    coupling = couple(X, Y)
    left, correlations, _ = coupling.rotations()
    variates = coupling.x.whitened() @ left
    weights = np.abs(variates.T @ coupling.x.centred()).sum(axis=1)
    return float(np.clip(weights @ correlations / weights.sum(), 0.0, 1.0))


def linear_cka(X: Any, Y: Any) -> float:
    """Return the centred kernel alignment of two representations with linear kernels, in [0, 1].

    Parameters
    ----------
    X, Y : array-like of shape (n_samples, n_features_x) and (n_samples, n_features_y)
        Two representations of the same rows. More columns than rows are fine.

    Returns
    -------
    float
        1 if one side is a rotation and isotropic scaling of the other, symmetric in its arguments.

    Raises
    ------
    TypeError
        If a side is not numeric.
    ValueError
        If a side has not two dimensions, has missing or infinite values or no column that varies,
        or if the numbers of rows differ.

    See Also
    --------
    mean_cca : Invariant to all invertible maps.

    Notes
    -----
    For centred sides, norm(Y'X)^2 / (norm(X'X) norm(Y'Y)) in Frobenius norms [1]_, the version of
    the paper, whose estimate of HSIC is biased upwards when columns are many and rows are few.
    Invariant to shifts, rotations and isotropic scaling; not to other invertible maps. The
    products are taken over rows or over columns, whichever is smaller.

    References
    ----------
    .. [1] Kornblith, S., Norouzi, M., Lee, H., Hinton, G. (2019). Similarity of neural network
       representations revisited. ICML, equations 1 to 5.

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
    x_data, y_data = check_pair(X, Y)
    x = centred(x_data, "X", storage_epsilon(X))
    y = centred(y_data, "Y", storage_epsilon(Y))
    if x.shape[1] + y.shape[1] <= len(x):
        across = np.linalg.norm(x.T @ y) ** 2
        within = np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y)
    else:
        x_kernel, y_kernel = x @ x.T, y @ y.T
        across = np.vdot(x_kernel, y_kernel)
        within = np.linalg.norm(x_kernel) * np.linalg.norm(y_kernel)
    return float(np.clip(across / within, 0.0, 1.0))


def _leading_directions(data: Array, name: str, epsilon: Array, share: float) -> Array:
    shifted = centred(data, name, epsilon)
    factor = np.linalg.qr(shifted, mode="r") if len(data) > data.shape[1] else shifted
    _, singular, right = np.linalg.svd(factor, full_matrices=False)
    explained = np.cumsum(singular**2)
    enough = explained >= share * explained[-1] * (1.0 - SHARE_ROUNDING)
    n_kept = int(np.argmax(enough)) + 1
    return np.asarray(shifted @ right[:n_kept].T)
