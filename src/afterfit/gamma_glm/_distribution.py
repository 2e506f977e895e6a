"""Shape, scale and P(Y <= y given x) of a gamma GLM fitted by statsmodels.

A gamma GLM says that Y has mean mu(x) and variance phi mu^2 / w, with dispersion phi and variance
weight w. statsmodels calls phi `scale`. The gamma distribution of row i then has

    shape a w_i  with  a = 1 / phi,    SciPy's scale  mu_i / (a w_i).

`freq_weights` say how often a row was seen: they count in n and leave the distribution alone.
Offset and exposure move the mean. All functions take the fit as it is, and never change it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from afterfit._validation import check_choice, check_integer, check_random_state, check_real
from afterfit.gamma_glm._calibration import Calibration, calibrate
from afterfit.gamma_glm._fit import GammaFit, GammaRows, read_fit
from afterfit.gamma_glm._rows import select_response, select_rows
from afterfit.gamma_glm._shape import estimate_shape, standard_error
from afterfit.gamma_glm._tails import lower_tail, mixture_quantile, normal_scores

__all__ = [
    "CalibrationDisplay",
    "CalibrationTest",
    "ShapeEstimate",
    "calibration_test",
    "conditional_distribution",
    "gamma_shape",
    "lower_tail_probability",
    "plot_calibration",
    "prediction_interval",
    "quantile_residuals",
]

Floats = NDArray[np.float64]

METHODS = ("pearson", "deviance", "ml")
# Fewer replicates cannot give a p-value of 0.05.
FEWEST_RESAMPLES = 19
MOST_BINS = 1000
# Far beyond any measurement; from some 1e300 on the incomplete gamma functions overflow.
LARGEST_SHAPE = 1e100


@dataclass(frozen=True)
class ShapeEstimate:
    """The shape of the gamma distribution of an observation with weight 1, and how sure it is.

    Parameters
    ----------
    shape : float
        The estimated shape a; the distribution of row i has shape `shape * var_weights[i]`.
    standard_error : float
        Its standard error.
    dispersion : float
        phi = 1 / `shape`.
    method : {"pearson", "deviance", "ml"}
        How it was estimated.

    Examples
    --------
    >>> estimate = ShapeEstimate(shape=4.0, standard_error=1.0, dispersion=0.25, method="ml")
    >>> lower, upper = estimate.interval()
    >>> round(lower, 2), round(upper, 2)
    (2.45, 6.53)
    """

    shape: float
    standard_error: float
    dispersion: float
    method: str

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return a confidence interval for the shape, normal in its logarithm.

        Parameters
        ----------
        level : float
            Confidence level, between 0 and 1.

        Returns
        -------
        lower, upper : float
            Ends of the interval, both positive.
        """
        level = check_real(level, "level", low=0, high=1, closed=False)
        margin = special.ndtri((1 + level) / 2) * self.standard_error / self.shape
        return float(self.shape * np.exp(-margin)), float(self.shape * np.exp(margin))


@dataclass(frozen=True)
class CalibrationTest:
    """How far the probabilities are from uniform, with p-values that know what was estimated.

    Parameters
    ----------
    kolmogorov_smirnov : float
        Largest distance of the empirical distribution function of the probabilities
        P(Y <= y given x) from the diagonal, between 0 and 1.
    kolmogorov_smirnov_pvalue : float
        Share of replicates at least as far, the data counted among them.
    anderson_darling : float
        Squared distance with weight on both tails; 0 and larger.
    anderson_darling_pvalue : float
        Likewise for this statistic.
    n_resamples : int
        Number of replicates, each drawn from the fitted model and fitted anew.
    n_observations : int
        Number of observations, rows with `freq_weights` repeated.

    Examples
    --------
    >>> CalibrationTest(0.05, 0.9, 0.3, 0.8, n_resamples=99, n_observations=100).n_resamples
    99
    """

    kolmogorov_smirnov: float
    kolmogorov_smirnov_pvalue: float
    anderson_darling: float
    anderson_darling_pvalue: float
    n_resamples: int
    n_observations: int


def gamma_shape(results: Any, method: str = "pearson") -> ShapeEstimate:
    """Return the shape of a fitted gamma GLM by one of three estimators, with its standard error.

    Parameters
    ----------
    results : GLMResults
        A statsmodels GLM with gamma family, fitted; any link, arrays or formula.
    method : {"pearson", "deviance", "ml"}
        "pearson": phi = X^2 / (n - p), the mean squared relative error, which is what
        `results.scale` holds by default. "deviance": phi = D / (n - p). "ml": the maximum of the
        likelihood in the shape, as `gamma.shape` of R's MASS.

    Returns
    -------
    ShapeEstimate
        `shape`, `standard_error`, `dispersion` and `method`.

    Raises
    ------
    TypeError, ValueError, NotFittedError
        If `results` is no such fit, its responses are not all positive, no residual degrees of
        freedom are left, or the fit goes through every point.

    See Also
    --------
    conditional_distribution : The distributions that follow.

    Notes
    -----
    With variance weights w, n = sum of `freq_weights`, r = y / mu - 1, and d the unit deviance,
    maximum likelihood solves sum w (log(a w) - digamma(a w)) = D / 2, D = sum w d
    ([1]_, section 8.3.6, for w = 1). All sums run over repeated rows.

    The estimators differ in what they are sensitive to. Maximum likelihood has the smallest
    variance if Y is gamma. Pearson's is consistent for the variance of any Y with variance
    phi mu^2, and pays for it: at shape 1 its variance is some 2.6 times as large. The deviance is
    close to maximum likelihood for large shapes, and has the wrong limit for small ones: 1 / a is
    replaced by 2 (log a - digamma(a)), about 1 / a + 1 / (6 a^2). Deviance and maximum likelihood
    react strongly to responses near zero, such as rounded ones.

    Standard errors are first-order (delta method):

    - "ml": 1 / sqrt(sum w (w trigamma(a w) - 1 / a)), the information of [1]_ and of MASS [2]_.
      Shape and coefficients are orthogonal, so the latter cost nothing at this order.
    - "deviance": D is minimal in the coefficients, and var(w d) = 4 w^2 (trigamma(a w) - 1 /(a w)),
      taken where the likelihood equation holds with D n / (n - p) for D. It is the error around
      the estimator's own limit, and says nothing of its bias.
    - "pearson": the second to fourth moments of the gamma distribution, and the effect of
      estimated coefficients on X^2, give
      var(phi) = (2 phi^2 + phi^3 (6 mean(1 / w) - 4 T / n)) / (n - p), where T = s' A^-1 s,
      s = sum g, A = sum w g g' and g is the gradient of log mu. For a log link with a constant
      and w = 1, T = n, and the variance of the shape is 2 a (a + 1) / (n - p): that of the moment
      estimator in a plain sample ([3]_, chapter 17).

    References
    ----------
    .. [1] McCullagh, P. and Nelder, J. A. (1989). Generalized Linear Models, 2nd edition.
       Chapman & Hall, sections 8.3.6 and 8.4.
    .. [2] Venables, W. N. and Ripley, B. D. (2002). Modern Applied Statistics with S, 4th
       edition. Springer, section 7.6.
    .. [3] Johnson, N. L., Kotz, S. and Balakrishnan, N. (1994). Continuous Univariate
       Distributions, volume 1, 2nd edition. Wiley.

    Examples
    --------
    The clotting times of McCullagh & Nelder, table 8.4, first lot:

    >>> import numpy as np
    >>> import statsmodels.api as sm
    >>> u = np.array([5, 10, 15, 20, 30, 40, 60, 80, 100])
    >>> y = np.array([118, 58, 42, 35, 27, 25, 21, 19, 18])
    >>> family = sm.families.Gamma(link=sm.families.links.Log())
    >>> fit = sm.GLM(y, sm.add_constant(np.log(u)), family=family).fit()
    >>> estimate = gamma_shape(fit, "ml")
    >>> round(estimate.shape, 2), round(estimate.standard_error, 2)
    (55.51, 26.09)
    """
    fit = read_fit(results)
    method = check_choice(method, "method", METHODS)
    shape = estimate_shape(fit, method)
    return ShapeEstimate(
        shape=shape,
        standard_error=standard_error(fit, method, shape),
        dispersion=1 / shape,
        method=method,
    )


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
    results : GLMResults
        A statsmodels GLM with gamma family, fitted; any link, arrays or formula.
    data : DataFrame or array of shape (m, p), optional
        New rows. For a formula, a DataFrame with its variables; otherwise the columns of the
        fit's design, the constant included: by name if the fit's design was a DataFrame too, in
        its order if not. None stands for the fitted rows.
    shape : {"pearson", "deviance", "ml"}, float or ShapeEstimate
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
    fit = read_fit(results)
    rows = select_rows(fit, data, offset=offset, exposure=exposure, var_weights=var_weights)
    row_shape = _row_shape(fit, shape, rows)
    from scipy import stats

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
    results : GLMResults
        A statsmodels GLM with gamma family, fitted; any link, arrays or formula.
    y : float or array of shape (m,), optional
        Positive values, one for each row or one for all, on the scale of the model's response.
        None stands for the fitted responses.
    data : DataFrame or array of shape (m, p), optional
        New rows, as in `conditional_distribution`; None stands for the fitted rows.
    shape : {"pearson", "deviance", "ml"}, float or ShapeEstimate
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
        As `conditional_distribution`; and if a `y` is missing, zero or negative.

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
    fit = read_fit(results)
    rows = select_rows(fit, data, offset=offset, exposure=exposure, var_weights=var_weights)
    response = select_response(fit, y, data, rows.labels)
    row_shape = _row_shape(fit, shape, rows)
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
    results : GLMResults
        A statsmodels GLM with gamma family, fitted; any link, arrays or formula.
    y : float or array of shape (m,), optional
        Positive values, as in `lower_tail_probability`; None stands for the fitted responses.
    data : DataFrame or array of shape (m, p), optional
        New rows, as in `conditional_distribution`; None stands for the fitted rows.
    shape : {"pearson", "deviance", "ml"}, float or ShapeEstimate
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
    fit = read_fit(results)
    rows = select_rows(fit, data, offset=offset, exposure=exposure, var_weights=var_weights)
    response = select_response(fit, y, data, rows.labels)
    row_shape = np.broadcast_to(_row_shape(fit, shape, rows), rows.mean.shape)
    return normal_scores(row_shape, response, rows.mean)


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
    unit_shape = _unit_shape(fit, shape)
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


def calibration_test(
    results: Any,
    *,
    shape: str | float | ShapeEstimate = "pearson",
    n_resamples: int = 199,
    random_state: Any = None,
    n_jobs: int | None = None,
) -> CalibrationTest:
    """Return distances of the fitted probabilities from uniform, with bootstrap p-values.

    Parameters
    ----------
    results : GLMResults
        A statsmodels GLM with gamma family, fitted; any link, arrays or formula.
    shape : {"pearson", "deviance", "ml"}, float or ShapeEstimate
        The estimator, as in `gamma_shape`, estimated anew in each replicate; or a known shape.
    n_resamples : int
        Number of replicates, at least 19; the smallest p-value is 1 / (n_resamples + 1).
    random_state : None, int, Generator or RandomState
        Source of the replicates.
    n_jobs : int, optional
        Number of joblib workers, as in scikit-learn. It does not change the result.

    Returns
    -------
    CalibrationTest
        Kolmogorov-Smirnov and Anderson-Darling statistics with their p-values.

    Raises
    ------
    TypeError, ValueError, NotFittedError
        As `gamma_shape`; for `freq_weights` that are not whole numbers, and for additive models,
        whose penalised fit the bootstrap does not repeat.
    RuntimeError
        If a replicate has no fit: with another link than the logarithm, means can come too close
        to the edge of what it allows.

    See Also
    --------
    plot_calibration : The same, drawn.

    Notes
    -----
    Coefficients and shape were chosen to fit, so the probabilities are closer to uniform than
    uniform numbers are, and tables of these statistics do not hold. Each replicate draws
    responses from the fitted model, fits coefficients and shape anew by the same estimators, and
    gives both statistics ([1]_); the p-value is (1 + number at least as large) / (1 + n_resamples).
    A ShapeEstimate is estimated anew by its method; only a number is taken as known. Replicates
    of "deviance" are drawn with the shape under which the deviance is as expected, so that its
    p-values hold for small shapes too; they judge the model, not the bias of that estimator.

    References
    ----------
    .. [1] Stute, W., Gonzalez Manteiga, W. and Presedo Quindimil, M. (1993). Bootstrap based
       goodness-of-fit-tests. Metrika 40, 243-256.

    Examples
    --------
    >>> import numpy as np
    >>> import statsmodels.api as sm
    >>> x = np.linspace(0, 3, 50)
    >>> y = np.random.default_rng(0).gamma(10, np.exp(0.5 - x / 3) / 10)
    >>> family = sm.families.Gamma(link=sm.families.links.Log())
    >>> fit = sm.GLM(y, sm.add_constant(x), family=family).fit()
    >>> test = calibration_test(fit, random_state=0)
    >>> round(test.kolmogorov_smirnov, 3), test.kolmogorov_smirnov_pvalue > 0.05
    (0.081, True)
    """
    fit = read_fit(results)
    n_resamples = check_integer(n_resamples, "n_resamples", low=FEWEST_RESAMPLES)
    return _calibrate(fit, shape, 1, n_resamples, random_state, n_jobs)[1]


def plot_calibration(
    results: Any,
    *,
    shape: str | float | ShapeEstimate = "pearson",
    n_bins: int = 10,
    level: float = 0.95,
    n_resamples: int = 199,
    random_state: Any = None,
    n_jobs: int | None = None,
    ax: Any = None,
) -> CalibrationDisplay:
    """Return the drawn calibration of a fitted gamma GLM, in three panels.

    Parameters
    ----------
    results : GLMResults
        A statsmodels GLM with gamma family, fitted; any link, arrays or formula.
    shape : {"pearson", "deviance", "ml"}, float or ShapeEstimate
        The estimator, as in `gamma_shape`, or a known shape.
    n_bins : int
        Number of bins of the histogram, at least 2.
    level : float
        Probability of the band of each bin, between 0 and 1.
    n_resamples : int
        Number of replicates, at least 19, that give the band and the p-values.
    random_state : None, int, Generator or RandomState
        Source of the replicates.
    n_jobs : int, optional
        Number of joblib workers, as in scikit-learn. It does not change the result.
    ax : sequence of three matplotlib Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    CalibrationDisplay
        What was drawn, with its numbers; `figure_` and `axes_` hold the figure.

    Raises
    ------
    TypeError, ValueError, NotFittedError, RuntimeError
        As `calibration_test`; and if `ax` is not three axes.

    See Also
    --------
    calibration_test : The numbers alone.

    Examples
    --------
    >>> import numpy as np
    >>> import statsmodels.api as sm
    >>> x = np.linspace(0, 3, 50)
    >>> y = np.random.default_rng(0).gamma(10, np.exp(0.5 - x / 3) / 10)
    >>> family = sm.families.Gamma(link=sm.families.links.Log())
    >>> fit = sm.GLM(y, sm.add_constant(x), family=family).fit()
    >>> display = plot_calibration(fit, n_bins=5, random_state=0)
    >>> display.counts
    array([ 9, 13,  8, 10, 10])
    >>> import matplotlib.pyplot as plt
    >>> plt.close(display.figure_)
    """
    display = CalibrationDisplay.from_results(
        results,
        shape=shape,
        n_bins=n_bins,
        level=level,
        n_resamples=n_resamples,
        random_state=random_state,
        n_jobs=n_jobs,
    )
    return display.plot(ax)


@dataclass
class CalibrationDisplay:
    """The calibration of a fitted gamma GLM: histogram of probabilities, residuals, Q-Q.

    Parameters
    ----------
    probabilities : array of shape (n,)
        P(Y <= y given x) of the fitted responses, rows with `freq_weights` repeated.
    residuals : array of shape (n,)
        Their quantile residuals.
    fitted_values : array of shape (n,)
        The means.
    bin_edges : array of shape (n_bins + 1,)
        Edges of the histogram.
    counts : array of shape (n_bins,)
        Number of probabilities in each bin.
    band : array of shape (2, n_bins)
        Lower and upper quantile of each bin's count over the replicates (pointwise).
    level : float
        Probability between the two.
    test : CalibrationTest
        Both statistics with their p-values.

    Attributes
    ----------
    figure_ : matplotlib Figure
        Set by `plot`.
    axes_ : array of three matplotlib Axes
        Histogram, residuals against fitted values, Q-Q; set by `plot`.

    Examples
    --------
    >>> import statsmodels.api as sm
    >>> family = sm.families.Gamma(link=sm.families.links.Log())
    >>> fit = sm.GLM([1.0, 2.0, 4.0, 3.0], [[1.0]] * 4, family=family).fit()
    >>> display = CalibrationDisplay.from_results(fit, n_bins=2, random_state=0)
    >>> display.counts
    array([2, 2])
    """

    probabilities: Floats
    residuals: Floats
    fitted_values: Floats
    bin_edges: Floats
    counts: NDArray[np.int64]
    band: Floats
    level: float
    test: CalibrationTest
    figure_: Any = field(default=None, init=False, repr=False)
    axes_: Any = field(default=None, init=False, repr=False)

    @classmethod
    def from_results(
        cls,
        results: Any,
        *,
        shape: str | float | ShapeEstimate = "pearson",
        n_bins: int = 10,
        level: float = 0.95,
        n_resamples: int = 199,
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> CalibrationDisplay:
        """Return the computed display, not yet drawn.

        Parameters
        ----------
        results : GLMResults
            A statsmodels GLM with gamma family, fitted.
        shape : {"pearson", "deviance", "ml"}, float or ShapeEstimate
            The estimator, as in `gamma_shape`, or a known shape.
        n_bins : int
            Number of bins of the histogram, at least 2.
        level : float
            Probability of the band of each bin, between 0 and 1.
        n_resamples : int
            Number of replicates, at least 19.
        random_state : None, int, Generator or RandomState
            Source of the replicates.
        n_jobs : int, optional
            Number of joblib workers.

        Returns
        -------
        CalibrationDisplay
            With everything but figure and axes.
        """
        fit = read_fit(results)
        n_bins = check_integer(n_bins, "n_bins", low=2, high=MOST_BINS)
        level = check_real(level, "level", low=0, high=1, closed=False)
        n_resamples = check_integer(n_resamples, "n_resamples", low=FEWEST_RESAMPLES)
        found, test = _calibrate(fit, shape, n_bins, n_resamples, random_state, n_jobs)
        tails = [(1 - level) / 2, (1 + level) / 2]
        return cls(
            probabilities=found.probabilities,
            residuals=normal_scores(found.row_shape, found.responses, found.means),
            fitted_values=found.means,
            bin_edges=np.linspace(0, 1, n_bins + 1),
            counts=found.observed.counts[0],
            band=np.quantile(found.simulated.counts, tails, axis=0),
            level=level,
            test=test,
        )

    def plot(self, ax: Any = None) -> CalibrationDisplay:
        """Draw the three panels and return the display itself.

        Parameters
        ----------
        ax : sequence of three matplotlib Axes, optional
            Where to draw; a new figure if None.

        Returns
        -------
        CalibrationDisplay
            With `figure_` and `axes_` set.
        """
        axes = _three_axes(ax)
        self._plot_histogram(axes[0])
        self._plot_residuals(axes[1])
        self._plot_quantiles(axes[2])
        self.axes_, self.figure_ = axes, axes[0].figure
        return self

    def _plot_histogram(self, ax: Any) -> None:
        ax.stairs(
            self.band[1],
            self.bin_edges,
            baseline=self.band[0],
            fill=True,
            color="0.3",
            alpha=0.3,
            label=f"{self.level:.0%} band of the model",
        )
        ax.stairs(self.counts, self.bin_edges, color="C0", linewidth=2, label="observed")
        ax.set(xlabel="P(Y ≤ y given x)", ylabel="observations", xlim=(0, 1), ylim=(0, None))
        test = self.test
        ax.set_title(
            f"KS {test.kolmogorov_smirnov:.3f} (p = {test.kolmogorov_smirnov_pvalue:.3f}), "
            f"AD {test.anderson_darling:.2f} (p = {test.anderson_darling_pvalue:.3f})",
            fontsize="small",
        )
        ax.legend(loc="lower center", fontsize="small")

    def _plot_residuals(self, ax: Any) -> None:
        ax.axhline(0, color="0.3", linewidth=1)
        ax.plot(self.fitted_values, self.residuals, ".", markersize=3, rasterized=True)
        ax.set(xlabel="fitted mean (units of y)", ylabel="quantile residual")

    def _plot_quantiles(self, ax: Any) -> None:
        n = len(self.residuals)
        normal = special.ndtri((np.arange(n) + 0.5) / n)
        ax.axline((0, 0), slope=1, color="0.3", linewidth=1)
        ax.plot(normal, np.sort(self.residuals), ".", markersize=3, rasterized=True)
        ax.set(xlabel="normal quantile", ylabel="ordered residual")


def _calibrate(
    fit: GammaFit, shape: Any, n_bins: int, n_resamples: int, random_state: Any, n_jobs: Any
) -> tuple[Calibration, CalibrationTest]:
    generator = check_random_state(random_state)
    if n_jobs is not None and check_integer(n_jobs, "n_jobs", low=-(2**31)) == 0:
        raise ValueError("`n_jobs` must be a number of workers, or -1 for all processors, got 0.")
    unit_shape = _unit_shape(fit, shape)
    found = calibrate(
        fit,
        method=_method(shape),
        unit_shape=unit_shape,
        n_bins=n_bins,
        n_resamples=n_resamples,
        generator=generator,
        n_jobs=n_jobs,
    )
    test = CalibrationTest(
        kolmogorov_smirnov=float(found.observed.kolmogorov_smirnov[0]),
        kolmogorov_smirnov_pvalue=_pvalue(
            found.observed.kolmogorov_smirnov, found.simulated.kolmogorov_smirnov
        ),
        anderson_darling=float(found.observed.anderson_darling[0]),
        anderson_darling_pvalue=_pvalue(
            found.observed.anderson_darling, found.simulated.anderson_darling
        ),
        n_resamples=n_resamples,
        n_observations=len(found.responses),
    )
    return found, test


def _method(shape: Any) -> str:
    """Return by which estimator `shape` is to be found; "given" if it is a number."""
    if isinstance(shape, ShapeEstimate):
        shape = shape.method
    return check_choice(shape, "shape", METHODS) if isinstance(shape, str) else "given"


def _unit_shape(fit: GammaFit, shape: Any) -> float:
    """Return the shape of an observation with weight 1."""
    if isinstance(shape, ShapeEstimate):
        shape = shape.shape
    if isinstance(shape, Real):  # of which check_real refuses True and False
        return check_real(shape, "shape", low=0, high=LARGEST_SHAPE, closed=False)
    if not isinstance(shape, str):
        raise TypeError(
            "`shape` must be one of 'pearson', 'deviance', 'ml', a positive number or a "
            f"ShapeEstimate, got {type(shape).__name__}."
        )
    return estimate_shape(fit, check_choice(shape, "shape", METHODS))


def _row_shape(fit: GammaFit, shape: Any, rows: GammaRows) -> Any:
    unit_shape = _unit_shape(fit, shape)
    # One number for all rows where it is one: faster, and it broadcasts.
    return unit_shape if np.all(rows.weights == 1) else unit_shape * rows.weights


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


def _pvalue(observed: Floats, simulated: Floats) -> float:
    return float((1 + np.sum(simulated >= observed[0])) / (1 + len(simulated)))


def _three_axes(ax: Any) -> Any:
    if ax is None:
        import matplotlib.pyplot as plt

        places = [["histogram", "histogram"], ["residuals", "quantiles"]]
        _, axes = plt.subplot_mosaic(places, figsize=(5.2, 5.6), layout="constrained")
        return np.array([axes[place] for place in ("histogram", "residuals", "quantiles")])
    axes = np.asarray(ax, dtype=object).ravel()
    if len(axes) != 3 or not all(hasattr(one, "stairs") for one in axes):
        raise ValueError(
            "`ax` must hold three matplotlib Axes (histogram, residuals, Q-Q), as from "
            f"`plt.subplots(1, 3)`, got {ax!r}."
        )
    return axes
