"""Fits from statsmodels, scikit-learn, glum or any means, read and checked at the door."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.exceptions import NotFittedError

from afterfit._validation import as_float_array, check_real
from afterfit.gamma_glm._estimators import read_estimator
from afterfit.gamma_glm._fit import GammaFit, check_responses, refuse_rows
from afterfit.gamma_glm._optimum import check_is_optimum, optimum

Floats = NDArray[np.float64]

REFIT = "`sm.GLM(y, X, family=sm.families.Gamma(link=sm.families.links.Log())).fit()`"


def from_means(y: Any, mean: Any, n_parameters: float, *, var_weights: Any = None) -> GammaFit:
    """Return the fit of any model that gives a mean for each row.

    Parameters
    ----------
    y, mean : array of shape (n,)
        The responses and their means, both positive. As new rows (`data`) the functions then
        take means.
    n_parameters : float
        How many parameters the means were fitted with, which is what the residual degrees of
        freedom lack; 0 for rows that the model has not seen.
    var_weights : array of shape (n,), optional
        Variance weights, positive.

    Returns
    -------
    GammaFit
        It knows no design: `prediction_interval` can then be "plugin" or "conformal", and
        replicates of `calibration_test` are fitted on a stand-in with a constant and
        `n_parameters` - 1 random columns.

    Examples
    --------
    >>> import numpy as np
    >>> from afterfit.gamma_glm import from_means, lower_tail_probability
    >>> y, mean = np.array([1.0, 2.5, 2.0, 6.0]), np.array([1.2, 2.0, 2.4, 5.0])
    >>> lower_tail_probability(from_means(y, mean, n_parameters=2)).round(3)
    array([0.297, 0.82 , 0.297, 0.777])
    """
    from statsmodels.genmod.families.links import Log

    response = check_vector(y, "y", None)
    labels = pd.RangeIndex(len(response))
    means = check_vector(mean, "mean", len(response))
    refuse_rows(~(means > 0), labels, "`mean`", "must be positive")
    weights = _positive_weights(var_weights, len(response))
    check_responses(response, labels, "`y`")
    return GammaFit(
        response=response,
        design=np.log(means)[:, np.newaxis],
        coefficients=np.ones(1),
        link=Log(),
        var_weights=weights,
        freq_weights=np.ones(len(response)),
        labels=labels,
        names=["log(mean)"],
        origin=None,
        free=np.empty((1, 0)),
        n_parameters=check_real(n_parameters, "n_parameters", low=0),
    )


def from_estimator(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    var_weights: Any = None,
    freq_weights: Any = None,
    offset: Any = None,
) -> GammaFit:
    """Return the fit of a gamma regression of scikit-learn or glum.

    Parameters
    ----------
    estimator : GammaRegressor, TweedieRegressor(power=2), GeneralizedLinearRegressor
        Fitted, with the log link; or a Pipeline that ends in one. A ridge penalty is honoured,
        a lasso is refused.
    X, y : array or table of shape (n, p), array of shape (n,)
        What it was fitted to, which it does not keep.
    var_weights, freq_weights : array of shape (n,), optional
        Its sample weights, if they are precisions or counts of rows.
    offset : array of shape (n,), optional
        Its offset (glum).

    Returns
    -------
    GammaFit
        At its optimum, or an error says how far it is.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import GammaRegressor
    >>> from afterfit.gamma_glm import from_estimator, gamma_shape
    >>> rng = np.random.default_rng(0)
    >>> X = rng.uniform(size=(200, 1))
    >>> y = rng.gamma(4, np.exp(1 + X[:, 0]) / 4)
    >>> regressor = GammaRegressor(alpha=0, tol=1e-8).fit(X, y)
    >>> round(gamma_shape(from_estimator(regressor, X, y), "ml").shape, 2)
    4.47
    """
    from statsmodels.genmod.families.links import Log

    part = read_estimator(estimator, X)
    n = len(part.design)
    response = check_vector(y, "y", n)
    labels = pd.RangeIndex(n)
    check_responses(response, labels, "`y`")
    weights = _positive_weights(var_weights, n)
    counts = np.ones(n) if freq_weights is None else check_vector(freq_weights, "freq_weights", n)
    refuse_rows(~(counts >= 0), labels, "`freq_weights`", "must not be negative")
    shift = None if offset is None else check_vector(offset, "offset", n)
    fit = GammaFit(
        response=response,
        design=part.design,
        coefficients=part.coefficients,
        link=Log(),
        offset=shift,
        var_weights=weights,
        freq_weights=counts,
        labels=labels,
        names=part.names,
        origin=part.origin,
        penalty=None if part.ridge is None else part.ridge * np.sum(weights * counts),
    )
    check_is_optimum(fit)
    return fit


def refit(results: Any) -> GammaFit:
    """Return the optimum of a gamma GLM from the same design, whatever its fit stopped at.

    statsmodels solves for the coefficients of columns as they are. Where these differ by many
    powers of ten, or are nearly collinear, it may stop far from the maximum of the likelihood and
    report `converged=True`; the functions of this module then raise.

    Parameters
    ----------
    results : GLMResults or GammaFit
        A statsmodels GLM with gamma family, fitted; any link, arrays or formula.

    Returns
    -------
    GammaFit
        With `params`, `deviance`, `df_resid` and `mean`; all functions of this module take it in
        place of `results`.

    Raises
    ------
    TypeError, ValueError, NotFittedError
        If `results` is no such fit, or its responses are not all positive.
    RuntimeError
        If there is no optimum: with another link than the logarithm, means can come too close to
        the edge of what it allows.

    Notes
    -----
    Newton's method on an orthonormal basis of the weighted columns, brought to one length first.
    A direction with a singular value below 1e-11 of the largest counts as none, as in R's `glm`;
    coefficients of columns that repeat others are those of smallest norm, where R has NA.

    Examples
    --------
    >>> import numpy as np
    >>> import statsmodels.api as sm
    >>> x = np.linspace(0, 3, 50)
    >>> y = np.random.default_rng(0).gamma(10, np.exp(0.5 - x / 3) / 10)
    >>> family = sm.families.Gamma(link=sm.families.links.Log())
    >>> fit = sm.GLM(y, sm.add_constant(x), family=family).fit()
    >>> refit(fit).params.round(3).to_list() == fit.params.round(3).tolist()
    True
    """
    return optimum(results if isinstance(results, GammaFit) else _read_statsmodels(results))


def read_fit(results: Any, needs_data: bool = True) -> GammaFit:
    """Return a gamma GLM that is at its optimum, or raise.

    Without its data a fit can neither be judged nor tell its dispersion; new rows with a given
    shape do not ask for either (`needs_data` False).
    """
    if isinstance(results, GammaFit):
        return results
    fit = _read_statsmodels(results, needs_data)
    if len(fit.response) > 0:
        check_is_optimum(fit)
    return fit


def check_vector(values: Any, name: str, length: int | None) -> Floats:
    """Return one finite number for each row, or raise."""
    array = as_float_array(values, name)
    if array.ndim != 1 or (length is not None and len(array) != length):
        expected = "(n,)" if length is None else f"({length},)"
        raise ValueError(
            f"`{name}` must have shape {expected}, one value for each row, got {array.shape}."
        )
    refuse_rows(~np.isfinite(array), pd.RangeIndex(len(array)), f"`{name}`", "must be finite")
    return array


def _read_statsmodels(results: Any, needs_data: bool = True) -> GammaFit:
    results = _check_is_gamma_glm(results)
    model, fit = results.model, _without_data(results)
    if model.endog is None or model.exog is None:
        if needs_data:
            raise ValueError(
                "`results` no longer holds its data (`remove_data` was called, or it was saved "
                "without them): the dispersion cannot be estimated. Fit again, load a complete "
                "copy, or give new rows as `data` and `shape` as a number (`prediction_interval` "
                "with method='plugin')."
            )
        return fit
    response = np.asarray(model.endog, dtype=np.float64)
    labels = getattr(model.data, "row_labels", None)
    labels = pd.RangeIndex(len(response)) if labels is None else pd.Index(labels)
    check_responses(response, labels, "the fitted response")
    var_weights, freq_weights = (
        np.broadcast_to(np.asarray(1.0 if value is None else value, np.float64), response.shape)
        for value in (model.var_weights, model.freq_weights)
    )
    refuse_rows(~(var_weights > 0), labels, "`var_weights` of the fit", "must be positive")
    offset, exposure = _shifts(results)
    fit = replace(
        fit,
        response=response,
        design=np.asarray(model.exog, dtype=np.float64),
        offset=offset,
        log_exposure=exposure,
        var_weights=var_weights,
        freq_weights=freq_weights,
        labels=labels,
        free=_free_directions(results, model.exog.shape[1]),
    )
    if not hasattr(model, "smoother"):
        return fit
    return replace(
        fit,
        # statsmodels maximises the log-likelihood minus b' S b.
        penalty=2 * np.asarray(model.penal.penalty_matrix(model.alpha)),
        n_parameters=float(np.sum(freq_weights) - results.df_resid),
    )


def _shifts(results: Any) -> tuple[Floats | None, Floats | None]:
    """Return offset and logarithm of the exposure, None where the fit has none."""
    model = results.model
    offset, exposure = (
        None if value is None else np.asarray(value, dtype=np.float64)
        for value in (getattr(model, "offset", None), getattr(model, "exposure", None))
    )
    if getattr(results, "regularized", False) and exposure is not None:
        raise ValueError(
            "`results` is a refitted regularised fit with `exposure`, whose logarithm statsmodels "
            "takes twice: its coefficients are wrong. Fit with `offset=np.log(exposure)` instead."
        )
    return offset, exposure


def _without_data(results: Any) -> GammaFit:
    """Return what a fit can say of new rows when its own are gone."""
    model = results.model
    coefficients = np.asarray(results.params, dtype=np.float64)
    is_robust = getattr(results, "cov_type", "nonrobust") != "nonrobust"
    return GammaFit(
        response=np.empty(0),
        design=np.empty((0, len(coefficients))),
        coefficients=coefficients,
        link=model.family.link,
        # What was used is known, and not what it was.
        offset=np.empty(0) if model._has_offset else None,
        log_exposure=np.empty(0) if model._has_exposure else None,
        var_weights=np.full(int(model._has_var_weights), np.nan),
        freq_weights=np.empty(0),
        labels=pd.RangeIndex(0),
        names=[str(name) for name in model.exog_names or range(len(coefficients))],
        origin=model,
        robust_covariance=np.asarray(results.cov_params()) if is_robust else None,
    )


def _free_directions(results: Any, width: int) -> Floats | None:
    """Return orthonormal directions that the fit was free to choose, None if that is all."""
    constraints = getattr(results, "constraints", None)
    if constraints is not None:
        from scipy.linalg import null_space

        matrix = np.atleast_2d(np.asarray(constraints.constraint_matrix, dtype=np.float64))
        return np.asarray(null_space(matrix))
    if getattr(results, "regularized", False):
        return np.eye(width)[:, np.asarray(results.params) != 0]
    return None


def _check_is_gamma_glm(results: Any) -> Any:
    from statsmodels.base.elastic_net import RegularizedResults
    from statsmodels.genmod.families import Gamma
    from statsmodels.genmod.generalized_estimating_equations import GEE
    from statsmodels.genmod.generalized_linear_model import GLM, GLMResults

    plain = getattr(results, "_results", results)
    if isinstance(plain, GLM):
        raise NotFittedError("`results` is a GLM that is not fitted: pass `model.fit()`.")
    model = getattr(plain, "model", None)
    if isinstance(plain, RegularizedResults) and isinstance(model, GLM):
        raise ValueError(
            "`results` is a regularised fit, which has no scale and no standard errors. Fit with "
            "`fit_regularized(..., refit=True)` (with `L1_wt=0`, ridge, statsmodels ignores that), "
            "or with `fit()`; or pass `gamma_glm.from_means(y, results.predict(), n_parameters)`."
        )
    # A GEE is a GLM to Python, but its rows are dependent: no likelihood, no replicates.
    if not isinstance(plain, GLMResults) or isinstance(model, GEE):
        raise TypeError(
            f"`results` must be a fitted statsmodels GLM with gamma family, got "
            f"{type(plain).__name__}. Such a fit is {REFIT}; gamma regressions of scikit-learn and "
            "glum come in by `gamma_glm.from_estimator`, other means by `gamma_glm.from_means`."
        )
    if not isinstance(plain.model.family, Gamma):
        raise ValueError(
            f"`results` must have the Gamma family, got {type(plain.model.family).__name__}. "
            f"Fit with {REFIT}."
        )
    return plain


def _positive_weights(var_weights: Any, n: int) -> Floats:
    weights = np.ones(n) if var_weights is None else check_vector(var_weights, "var_weights", n)
    refuse_rows(~(weights > 0), pd.RangeIndex(n), "`var_weights`", "must be positive")
    return weights
