"""Prediction intervals: what a new observation of a row will be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from afterfit._validation import check_real
from afterfit.gamma_glm._fit import GammaFit, GammaRows, read_fit
from afterfit.gamma_glm._rows import select_rows
from afterfit.gamma_glm._shape import ShapeEstimate, unit_shape_of
from afterfit.gamma_glm._tails import mixture_quantile

Floats = NDArray[np.float64]


def prediction_interval(
    results: Any,
    data: Any = None,
    *,
    level: float = 0.95,
    shape: str | float | ShapeEstimate = "pearson",
    coefficient_uncertainty: bool = False,
    offset: Any = None,
    exposure: Any = None,
    var_weights: Any = None,
) -> pd.DataFrame:
    """Return, for every row, the interval that a new observation meets with probability `level`.

    Parameters
    ----------
    results : GLMResults
        A statsmodels GLM with gamma family, fitted; any link, arrays or formula.
    data : DataFrame or array of shape (m, p), optional
        New rows, as in `conditional_distribution`; None stands for the fitted rows.
    level : float
        Probability of the interval, between 0 and 1; what is left is shared by both tails.
    shape : {"pearson", "deviance", "ml"}, float or ShapeEstimate
        The estimator, as in `gamma_shape`, or a known shape.
    coefficient_uncertainty : bool
        False: the interval accounts for the spread of Y around a mean that it takes as known.
        True: also for the standard errors of the coefficients. Neither accounts for the error of
        an estimated shape, which makes intervals from a few dozen rows too short, nor for a model
        that is wrong.
    offset, exposure, var_weights : float or array of shape (m,), optional
        Those of the rows, as in `conditional_distribution`.

    Returns
    -------
    DataFrame of shape (m, 2)
        Columns "lower" and "upper", in units of the response; the index is that of the rows. What
        it accounts for is said again in `.attrs["accounts_for"]`.

    Raises
    ------
    TypeError, ValueError, NotFittedError
        As `conditional_distribution`; and if the option is asked of a fit without covariances.

    Notes
    -----
    With the option, the logarithm of the mean is taken as normal with the delta-method variance
    (h' / h)^2 x' V x, h the inverse link: exact in the log link. The distribution of Y is then a
    mixture of gammas, whose quantiles are found to eight digits or more. V is the covariance of the
    coefficients at the dispersion 1 / `shape`, or the robust one where the fit has one. The cost
    is up to some fifty times that of the plain interval.

    Examples
    --------
    >>> import numpy as np
    >>> import statsmodels.api as sm
    >>> x = np.linspace(0, 3, 50)
    >>> y = np.random.default_rng(0).gamma(10, np.exp(0.5 - x / 3) / 10)
    >>> family = sm.families.Gamma(link=sm.families.links.Log())
    >>> fit = sm.GLM(y, sm.add_constant(x), family=family).fit()
    >>> prediction_interval(fit, [[1, 0], [1, 3]]).round(2)
       lower  upper
    0   0.80   2.57
    1   0.32   1.02
    >>> prediction_interval(fit, [[1, 0], [1, 3]], coefficient_uncertainty=True).round(2)
       lower  upper
    0   0.78   2.64
    1   0.31   1.04
    """
    fit = read_fit(results)
    level = check_real(level, "level", low=0, high=1, closed=False)
    if not isinstance(coefficient_uncertainty, bool | np.bool_):
        raise TypeError(
            f"`coefficient_uncertainty` must be True or False, got {coefficient_uncertainty!r}."
        )
    rows = select_rows(fit, data, offset=offset, exposure=exposure, var_weights=var_weights)
    unit_shape = unit_shape_of(fit, shape)
    row_shape = np.broadcast_to(unit_shape * rows.weights, rows.mean.shape)
    tail = (1 - level) / 2
    if coefficient_uncertainty:
        spread = _log_mean_sd(fit, rows, unit_shape)
        lower = mixture_quantile(tail, False, row_shape, spread)
        upper = mixture_quantile(tail, True, row_shape, spread)
        accounts_for = "spread of a new observation and standard errors of the coefficients"
    else:
        lower = special.gammaincinv(row_shape, tail) / row_shape
        upper = special.gammainccinv(row_shape, tail) / row_shape
        accounts_for = "spread of a new observation around a known mean"
    interval = pd.DataFrame(
        {"lower": rows.mean * lower, "upper": rows.mean * upper}, index=rows.labels
    )
    interval.attrs["accounts_for"] = accounts_for
    return interval


def _log_mean_sd(fit: GammaFit, rows: GammaRows, unit_shape: float) -> Floats:
    """Return the standard deviation of the log of the estimated mean, (m,): the delta method."""
    results = fit.results
    try:
        covariance = np.asarray(results.cov_params(), dtype=np.float64)
    except ValueError:
        raise ValueError(
            "`coefficient_uncertainty` needs the covariance of the coefficients, and `results` has "
            "none. Fit with `fit()`, or leave the option out."
        ) from None
    if results.cov_type == "nonrobust":
        covariance = covariance / (float(results.scale) * unit_shape)
    gradient = np.asarray(fit.link.inverse_deriv(rows.linear_predictor)) / rows.mean
    variance = np.sum((rows.design @ covariance) * rows.design, axis=1)
    return np.asarray(np.abs(gradient) * np.sqrt(np.maximum(variance, 0.0)))
