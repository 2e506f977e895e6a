"""The gamma distribution of every row: itself, its probabilities, and residuals."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from afterfit.gamma_glm._fit import GammaFit, GammaRows
from afterfit.gamma_glm._rows import select_response, select_rows
from afterfit.gamma_glm._shape import ShapeEstimate, unit_shape_of
from afterfit.gamma_glm._sources import read_fit
from afterfit.gamma_glm._tails import lower_tail, normal_scores

Floats = NDArray[np.float64]


def conditional_distribution(
    results: Any,
    data: Any = None,
    *,
    shape: str | float | ShapeEstimate = "pearson",
    offset: Any = None,
    exposure: Any = None,
    var_weights: Any = None,
) -> Any:
    """Return the gamma distribution of every row, as one frozen `scipy.stats.gamma`.

    Parameters
    ----------
    results : GLMResults or GammaFit
        A statsmodels GLM with gamma family, fitted; any link, arrays or formula.
    data : DataFrame or array of shape (m, p), optional
        New rows. For a formula, a DataFrame with its variables; otherwise the columns of the
        fit's design, the constant included: by name if the fit's design was a DataFrame too, in
        its order if not. None stands for the fitted rows.
    shape : {"pearson", "deviance", "ml", "ml_corrected"}, float or ShapeEstimate
        The estimator, as in `gamma_shape`, or a known shape.
    offset, exposure, var_weights : float or array of shape (m,), optional
        Those of the rows of `data`. What the fit used must be given for new rows; for the fitted
        rows, what is given replaces the fit's own.

    Returns
    -------
    scipy.stats frozen gamma
        Its parameters have shape (m,), or broadcast to it. Methods take one value for each row,
        (m,), or one for all; draw with `rvs(size=m)`.

    Raises
    ------
    TypeError, ValueError, NotFittedError
        If `results` is no fitted gamma GLM or `data` does not fit it: columns that are absent,
        levels never seen, missing values, a mean that is not positive.

    See Also
    --------
    lower_tail_probability : The same probabilities, faster; for shapes above 1e5 also right where
        SciPy's `cdf` is not: more than four standard deviations below the mean.

    Examples
    --------
    >>> import numpy as np
    >>> import statsmodels.api as sm
    >>> x = np.linspace(0, 3, 50)
    >>> y = np.random.default_rng(0).gamma(10, np.exp(0.5 - x / 3) / 10)
    >>> family = sm.families.Gamma(link=sm.families.links.Log())
    >>> fit = sm.GLM(y, sm.add_constant(x), family=family).fit()
    >>> distribution = conditional_distribution(fit, [[1, 0], [1, 3]])
    >>> distribution.mean().round(2)
    array([1.56, 0.62])
    """
    from scipy import stats

    _, rows, row_shape = _opened(results, data, shape, offset, exposure, var_weights)
    return stats.gamma(row_shape, scale=rows.mean / row_shape)


def lower_tail_probability(
    results: Any,
    y: Any = None,
    data: Any = None,
    *,
    shape: str | float | ShapeEstimate = "pearson",
    offset: Any = None,
    exposure: Any = None,
    var_weights: Any = None,
) -> Floats:
    """Return P(Y <= y given x) for every row, between 0 and 1.

    Parameters
    ----------
    results : GLMResults or GammaFit
        A statsmodels GLM with gamma family, fitted; any link, arrays or formula.
    y : float or array of shape (m,), optional
        Positive values or zero, one for each row or one for all, on the scale of the model's
        response. None stands for the fitted responses.
    data : DataFrame or array of shape (m, p), optional
        New rows, as in `conditional_distribution`; None stands for the fitted rows.
    shape : {"pearson", "deviance", "ml", "ml_corrected"}, float or ShapeEstimate
        The estimator, as in `gamma_shape`, or a known shape.
    offset, exposure, var_weights : float or array of shape (m,), optional
        Those of the rows, as in `conditional_distribution`.

    Returns
    -------
    array of shape (m,)
        The probabilities. If the model holds, those of its own responses are close to uniform
        (the probability integral transform, PIT).

    Raises
    ------
    TypeError, ValueError, NotFittedError
        As `conditional_distribution`; and if a `y` is missing or negative.

    See Also
    --------
    quantile_residuals : The same on a normal scale.
    plot_calibration : Whether they are uniform.

    Examples
    --------
    >>> import numpy as np
    >>> import statsmodels.api as sm
    >>> x = np.linspace(0, 3, 50)
    >>> y = np.random.default_rng(0).gamma(10, np.exp(0.5 - x / 3) / 10)
    >>> family = sm.families.Gamma(link=sm.families.links.Log())
    >>> fit = sm.GLM(y, sm.add_constant(x), family=family).fit()
    >>> lower_tail_probability(fit)[:3].round(2)
    array([0.62, 0.81, 0.33])
    >>> lower_tail_probability(fit, 1.0, [[1, 0], [1, 3]]).round(2)
    array([0.09, 0.97])
    """
    fit, rows, row_shape = _opened(results, data, shape, offset, exposure, var_weights)
    response = select_response(fit, y, data, rows.labels, allow_zero=True)
    return lower_tail(row_shape, response, rows.mean)


def quantile_residuals(
    results: Any,
    y: Any = None,
    data: Any = None,
    *,
    shape: str | float | ShapeEstimate = "pearson",
    offset: Any = None,
    exposure: Any = None,
    var_weights: Any = None,
) -> Floats:
    """Return the standard normal quantiles of P(Y <= y given x), one for every row.

    Parameters
    ----------
    results : GLMResults or GammaFit
        A statsmodels GLM with gamma family, fitted; any link, arrays or formula.
    y : float or array of shape (m,), optional
        Positive values, as in `lower_tail_probability`; None stands for the fitted responses.
    data : DataFrame or array of shape (m, p), optional
        New rows, as in `conditional_distribution`; None stands for the fitted rows.
    shape : {"pearson", "deviance", "ml", "ml_corrected"}, float or ShapeEstimate
        The estimator, as in `gamma_shape`, or a known shape.
    offset, exposure, var_weights : float or array of shape (m,), optional
        Those of the rows, as in `conditional_distribution`.

    Returns
    -------
    array of shape (m,)
        Residuals, negative below the median of their row; finite also where the probability
        rounds to 0 or 1. If the model holds they are close to standard normal, which Pearson and
        deviance residuals of a skewed response are not.

    Raises
    ------
    TypeError, ValueError, NotFittedError
        As `lower_tail_probability`.

    References
    ----------
    .. [1] Dunn, P. K. and Smyth, G. K. (1996). Randomized quantile residuals. Journal of
       Computational and Graphical Statistics 5, 236-244.

    Examples
    --------
    >>> import numpy as np
    >>> import statsmodels.api as sm
    >>> x = np.linspace(0, 3, 50)
    >>> y = np.random.default_rng(0).gamma(10, np.exp(0.5 - x / 3) / 10)
    >>> family = sm.families.Gamma(link=sm.families.links.Log())
    >>> fit = sm.GLM(y, sm.add_constant(x), family=family).fit()
    >>> quantile_residuals(fit)[:3].round(2)
    array([ 0.31,  0.88, -0.43])
    """
    fit, rows, row_shape = _opened(results, data, shape, offset, exposure, var_weights)
    response = select_response(fit, y, data, rows.labels)
    return normal_scores(np.broadcast_to(row_shape, rows.mean.shape), response, rows.mean)


def _opened(results: Any, data: Any, shape: Any, *terms: Any) -> tuple[GammaFit, GammaRows, Any]:
    """Return a fit, its rows or new ones, and their shapes: one number where it is one."""
    fit = read_fit(results, needs_data=data is None or isinstance(shape, str))
    rows = select_rows(fit, data, *terms)
    unit_shape = unit_shape_of(fit, shape)
    # One number for all rows is faster, and it broadcasts.
    return fit, rows, unit_shape if np.all(rows.weights == 1) else unit_shape * rows.weights
