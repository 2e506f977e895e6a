"""Intervals for what is to come, and for what was estimated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from afterfit._validation import check_choice, check_integer, check_random_state, check_real
from afterfit.gamma_glm._bootstrap import check_resampling
from afterfit.gamma_glm._fit import GammaFit, GammaRows
from afterfit.gamma_glm._predictive import (
    CHUNK_SIZE,
    calibrated_scores,
    conformal_ends,
    cross_fit,
    refits,
)
from afterfit.gamma_glm._rows import select_response, select_rows
from afterfit.gamma_glm._shape import ShapeEstimate, gamma_shape, shape_method, unit_shape_of
from afterfit.gamma_glm._sources import read_fit
from afterfit.gamma_glm._tails import mixture_quantile

Floats = NDArray[np.float64]

ACCOUNTS_FOR = {
    "calibrated": "variation of a new observation, errors of the coefficients and of the shape",
    "plugin": "variation of a new observation around a known mean",
    "coefficients": "variation of a new observation and standard errors of the coefficients",
    "conformal": "whatever the rows of the fit show, gamma or not",
}


def prediction_interval(
    results: Any,
    data: Any = None,
    *,
    level: float = 0.95,
    method: str = "calibrated",
    shape: str | float | ShapeEstimate = "pearson",
    offset: Any = None,
    exposure: Any = None,
    var_weights: Any = None,
    n_resamples: int = 999,
    n_folds: int = 10,
    random_state: Any = None,
    n_jobs: int | None = None,
) -> pd.DataFrame:
    """Return, for every row, the interval that a new observation meets with probability `level`.

    Parameters
    ----------
    results : GLMResults or GammaFit
        A statsmodels GLM with gamma family, fitted; any link, arrays or formula.
    data : DataFrame or array of shape (m, p), optional
        New rows, as in `conditional_distribution`; None stands for the fitted rows.
    level : float
        Probability of the interval, between 0 and 1; what is left is shared by both tails.
    method : {"calibrated", "plugin", "coefficients", "conformal"}
        What the interval accounts for besides the variation of Y. "calibrated": the errors of
        coefficients and shape, by a parametric bootstrap. "plugin": nothing, mean and shape count
        as known; after few rows it covers too little, after 100,000 it is the same interval in a
        fraction of the time. "coefficients": the standard errors of the coefficients.
        "conformal": all of it without trust in the gamma distribution, by cross-validation.
    shape : {"pearson", "deviance", "ml", "ml_corrected"}, float or ShapeEstimate
        The estimator, as in `gamma_shape`, or a known shape.
    offset, exposure, var_weights : float or array of shape (m,), optional
        Those of the rows, as in `conditional_distribution`.
    n_resamples : int
        Number of replicates of "calibrated", at least 19.
    n_folds : int
        Number of folds of "conformal", at least 2; with as many as rows it is the jackknife+.
    random_state : None, int, Generator or RandomState
        Source of replicates and folds; an int makes the interval the same in every call.
    n_jobs : int, optional
        Number of joblib workers for the replicates. It does not change the result.

    Returns
    -------
    DataFrame of shape (m, 2)
        Columns "lower" and "upper", in units of the response; the index is that of the rows. What
        it accounts for is said again in `.attrs["accounts_for"]`.

    Raises
    ------
    TypeError, ValueError, NotFittedError
        As `conditional_distribution`.
    RuntimeError
        If a replicate or a fold has no fit: with another link than the logarithm, means can come
        too close to the edge of what it allows.

    Notes
    -----
    "coefficients" takes the logarithm of the mean as normal with the delta-method variance
    (h' / h)^2 x' V x, h the inverse link: exact in the log link. The distribution of Y is then a
    mixture of gammas, whose quantiles are found to eight digits or more. V is the covariance of the
    coefficients at the dispersion 1 / `shape`, or the robust one where the fit has one.

    "calibrated" ([1]_, [2]_) draws responses from the fitted model and refits it. A new
    observation Y* has the refitted probability U* = F(Y*; refit), which would be uniform if nothing
    were estimated; the interval of the fit between the quantiles of U* at (1 -/+ `level`) / 2 then
    covers as often as it says, to second order. The mean over Y* is taken exactly.

    "conformal" is CV+ ([3]_) on the absolute quantile residual. For rows that are exchangeable
    with those of the fit it covers at least 2 `level` - 1 - sqrt(2 / n) in theory, whatever their
    distribution, and close to `level` in practice. With fewer than `level` / (1 - `level`) rows
    it has no upper end.

    References
    ----------
    .. [1] Beran, R. (1990). Calibrating prediction regions. Journal of the American Statistical
       Association 85, 715-723.
    .. [2] Lawless, J. F. and Fredette, M. (2005). Frequentist prediction intervals and predictive
       distributions. Biometrika 92, 529-542.
    .. [3] Barber, R. F., Candes, E. J., Ramdas, A. and Tibshirani, R. J. (2021). Predictive
       inference with the jackknife+. Annals of Statistics 49, 486-507.

    Examples
    --------
    >>> import numpy as np
    >>> import statsmodels.api as sm
    >>> x = np.linspace(0, 3, 50)
    >>> y = np.random.default_rng(0).gamma(10, np.exp(0.5 - x / 3) / 10)
    >>> family = sm.families.Gamma(link=sm.families.links.Log())
    >>> fit = sm.GLM(y, sm.add_constant(x), family=family).fit()
    >>> prediction_interval(fit, [[1, 0], [1, 3]], random_state=0).round(1)
       lower  upper
    0    0.8    2.7
    1    0.3    1.1
    >>> prediction_interval(fit, [[1, 0], [1, 3]], method="plugin").round(2)
       lower  upper
    0   0.80   2.57
    1   0.32   1.02
    """
    check_choice(method, "method", list(ACCOUNTS_FOR))
    fit = read_fit(results, method != "plugin" or data is None or isinstance(shape, str))
    level = check_real(level, "level", low=0, high=1, closed=False)
    n_folds = check_integer(n_folds, "n_folds", low=2)
    n_resamples = check_resampling(n_resamples, n_jobs)
    generator = check_random_state(random_state)
    rows = select_rows(fit, data, offset, exposure, var_weights)
    unit_shape = unit_shape_of(fit, shape)
    shapes, tail = np.broadcast_to(unit_shape * rows.weights, rows.mean.shape), (1 - level) / 2
    if method == "conformal":
        folds = cross_fit(fit, shape_method(shape), unit_shape, n_folds, generator)
        ends = conformal_ends(fit, rows, folds, level)
    elif method == "coefficients":
        sd = log_mean_sd(fit, rows, unit_shape)
        ends = mixture_quantile(tail, False, shapes, sd), mixture_quantile(tail, True, shapes, sd)
    else:
        below, above = tail, tail
        if method == "calibrated":
            found = refits(fit, shape_method(shape), unit_shape, n_resamples, generator, n_jobs)
            below, above = special.ndtr(calibrated_scores(fit, rows, found, unit_shape, tail))
        ends = special.gammaincinv(shapes, below), special.gammainccinv(shapes, above)
        ends = ends[0] / shapes, ends[1] / shapes
    table = rows.mean[:, np.newaxis] * np.column_stack(ends)
    interval = pd.DataFrame(table, index=rows.labels, columns=["lower", "upper"])
    interval.attrs["accounts_for"] = ACCOUNTS_FOR[method]
    return interval


def probability_interval(
    results: Any,
    y: Any = None,
    data: Any = None,
    *,
    level: float = 0.95,
    shape: str | float | ShapeEstimate = "pearson",
    offset: Any = None,
    exposure: Any = None,
    var_weights: Any = None,
    n_resamples: int = 999,
    random_state: Any = None,
    n_jobs: int | None = None,
) -> pd.DataFrame:
    """Return, for every row, a confidence interval for P(Y <= y given x).

    Parameters
    ----------
    results : GLMResults or GammaFit
        A statsmodels GLM with gamma family, fitted; any link, arrays or formula.
    y : float or array of shape (m,), optional
        As in `lower_tail_probability`; None stands for the fitted responses.
    data : DataFrame or array of shape (m, p), optional
        New rows, as in `conditional_distribution`; None stands for the fitted rows.
    level : float
        Confidence level, between 0 and 1.
    shape : {"pearson", "deviance", "ml", "ml_corrected"}, float or ShapeEstimate
        The estimator, as in `gamma_shape`, or a known shape.
    offset, exposure, var_weights : float or array of shape (m,), optional
        Those of the rows, as in `conditional_distribution`.
    n_resamples : int
        Number of replicates, at least 19.
    random_state : None, int, Generator or RandomState
        Source of the replicates.
    n_jobs : int, optional
        Number of joblib workers. It does not change the result.

    Returns
    -------
    DataFrame of shape (m, 2)
        Columns "lower" and "upper", probabilities; the index is that of the rows.

    Raises
    ------
    TypeError, ValueError, NotFittedError, RuntimeError
        As `lower_tail_probability` and `prediction_interval`.

    Notes
    -----
    The errors of the replicates are turned round: with a* and mu* refitted to responses of shape
    a and mean mu, the interval is between the quantiles of the probabilities at shape a a / a* and
    mean mu (mu / mu*)^sqrt(a* / a). For large shapes these are the pivots of normal theory, where
    the interval is exact.

    Examples
    --------
    >>> import numpy as np
    >>> import statsmodels.api as sm
    >>> x = np.linspace(0, 3, 50)
    >>> y = np.random.default_rng(0).gamma(10, np.exp(0.5 - x / 3) / 10)
    >>> family = sm.families.Gamma(link=sm.families.links.Log())
    >>> fit = sm.GLM(y, sm.add_constant(x), family=family).fit()
    >>> probability_interval(fit, 1.0, [[1, 1]], random_state=0).round(1)
       lower  upper
    0    0.3    0.5
    """
    fit = read_fit(results)
    level = check_real(level, "level", low=0, high=1, closed=False)
    n_resamples = check_resampling(n_resamples, n_jobs)
    rows = select_rows(fit, data, offset, exposure, var_weights)
    response = select_response(fit, y, data, rows.labels, allow_zero=True)
    unit_shape = unit_shape_of(fit, shape)
    generator = check_random_state(random_state)
    found = refits(fit, shape_method(shape), unit_shape, n_resamples, generator, n_jobs)
    weights = np.broadcast_to(rows.weights, rows.mean.shape)
    ends = np.empty((len(response), 2))
    shapes = unit_shape * found.drawn_shape / found.shapes
    rows_at_once = max(1, CHUNK_SIZE // n_resamples)
    for start in range(0, len(response), rows_at_once):
        part = slice(start, start + rows_at_once)
        moved = found.log_means(fit, rows, part) * np.sqrt(found.shapes / unit_shape)
        row_shapes = weights[part, np.newaxis] * shapes
        ratio = (response[part] / rows.mean[part])[:, np.newaxis]
        with np.errstate(over="ignore"):
            probabilities = special.gammainc(row_shapes, row_shapes * ratio * np.exp(moved))
        ends[part] = np.quantile(probabilities, [(1 - level) / 2, (1 + level) / 2], axis=1).T
    return pd.DataFrame(ends, columns=["lower", "upper"], index=rows.labels)


def shape_interval(
    results: Any,
    *,
    level: float = 0.95,
    method: str = "ml_corrected",
    n_resamples: int = 999,
    random_state: Any = None,
    n_jobs: int | None = None,
) -> tuple[float, float]:
    """Return a confidence interval for the shape that holds in small samples.

    Parameters
    ----------
    results : GLMResults or GammaFit
        A statsmodels GLM with gamma family, fitted; any link, arrays or formula.
    level : float
        Confidence level, between 0 and 1.
    method : {"pearson", "deviance", "ml", "ml_corrected"}
        The estimator, as in `gamma_shape`.
    n_resamples : int
        Number of replicates, at least 19.
    random_state : None, int, Generator or RandomState
        Source of the replicates.
    n_jobs : int, optional
        Number of joblib workers. It does not change the result.

    Returns
    -------
    lower, upper : float
        The estimate over the quantiles of (refitted shape / shape) in a parametric bootstrap.

    Raises
    ------
    TypeError, ValueError, NotFittedError, RuntimeError
        As `calibration_test`.

    See Also
    --------
    ShapeEstimate.interval : By the standard error alone; for large samples.

    Examples
    --------
    >>> import numpy as np
    >>> import statsmodels.api as sm
    >>> x = np.linspace(0, 3, 50)
    >>> y = np.random.default_rng(0).gamma(10, np.exp(0.5 - x / 3) / 10)
    >>> family = sm.families.Gamma(link=sm.families.links.Log())
    >>> fit = sm.GLM(y, sm.add_constant(x), family=family).fit()
    >>> lower, upper = shape_interval(fit, random_state=0)
    >>> round(lower), round(upper)
    (8, 17)
    """
    level = check_real(level, "level", low=0, high=1, closed=False)
    n_resamples = check_resampling(n_resamples, n_jobs)
    fit = read_fit(results)
    estimate = gamma_shape(fit, method)
    generator = check_random_state(random_state)
    found = refits(fit, method, estimate.shape, n_resamples, generator, n_jobs)
    ratios = found.shapes / found.drawn_shape
    high, low = np.quantile(ratios, [(1 - level) / 2, (1 + level) / 2])
    return float(estimate.shape / low), float(estimate.shape / high)


def log_mean_sd(fit: GammaFit, rows: GammaRows, unit_shape: float) -> Floats:
    """Return the standard deviation of the log of the estimated mean, (m,): the delta method."""
    if fit.origin is None and fit.n_parameters:
        raise ValueError(
            "`results` is made from means, and the standard errors of its coefficients are not "
            "known. Ask for method='plugin'."
        )
    gradient = np.asarray(fit.link.inverse_deriv(rows.linear_predictor)) / rows.mean
    if fit.robust_covariance is not None:
        variance = np.sum((rows.design @ fit.robust_covariance) * rows.design, axis=1)
    else:
        root = fit.transform / np.sqrt(unit_shape)
        if fit.penalty is not None:  # as statsmodels: the inverse of the penalised information
            rank = fit.transform.shape[1]
            penalised = np.eye(rank) + fit.transform.T @ fit.penalty @ fit.transform
            root = root @ np.linalg.inv(np.linalg.cholesky(penalised)).T
        variance = np.sum((rows.design @ root) ** 2, axis=1)
    return np.asarray(np.abs(gradient) * np.sqrt(np.maximum(variance, 0.0)))
