"""The shape of a fitted gamma GLM by three estimators, and its standard error.

Maximum likelihood starts from anywhere. With d_i the unit deviances, w_i the variance weights and
f_i the frequency weights, the likelihood equation is sum f w (log(a w) - digamma(a w)) = D / 2,
where D = sum f w d. The data enter through D alone: one pass over the rows, and the rest costs
nothing where the weights are equal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from afterfit._validation import check_choice, check_real
from afterfit.gamma_glm._fit import GammaFit
from afterfit.gamma_glm._optimum import SMALLEST_DISPERSION
from afterfit.gamma_glm._sources import read_fit

Floats = NDArray[np.float64]

METHODS = ("pearson", "deviance", "ml", "ml_corrected")
# Far beyond any measurement; from some 1e300 on the incomplete gamma functions overflow.
LARGEST_SHAPE = 1e100

# From here on the asymptotic series, whose first term left out is below 1e-15 of the sum.
SERIES_FROM = 12.0
# 1/(2x) + sum c_k / x^(2k), k = 1, 2, ...: Abramowitz & Stegun 6.3.18. Below, the recurrence
# digamma(x + 1) = digamma(x) + 1 / x (6.3.5) leads there.
LOG_MINUS_DIGAMMA = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12)
SHIFT = 12
# Rows that are worked on at a time: they stay in the processor's cache.
CHUNK = 16_384
# Weights are grouped if as many of the first rows repeat others at least half of the time.
PROBED_ROWS = 4_096
# Convergence is quadratic: after a step this short in log(shape) nothing is left to gain.
LAST_STEP = 1e-8
MAX_ITERATIONS = 50


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
    method : {"pearson", "deviance", "ml", "ml_corrected"}
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


def gamma_shape(results: Any, method: str = "pearson") -> ShapeEstimate:
    """Return the shape of a fitted gamma GLM by one of four estimators, with its standard error.

    Parameters
    ----------
    results : GLMResults or GammaFit
        A statsmodels GLM with gamma family, fitted; any link, arrays or formula.
    method : {"pearson", "deviance", "ml", "ml_corrected"}
        "pearson": phi = X^2 / (n - p), the mean squared relative error, which is what
        `results.scale` holds by default. "deviance": phi = D / (n - p). "ml": the maximum of the
        likelihood in the shape, as `gamma.shape` of R's MASS. "ml_corrected": the same less its
        bias, which is upwards and matters in small samples.

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
    - "ml_corrected": maximum likelihood is too large by
      b = (p / a + U'' / K) / (2 K), K the information and U'' the third derivative of the
      log-likelihood ([4]_; (p + 2) a / n for large a); b is taken at the estimate. The standard
      error is that of "ml" with n - p for n.
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
    .. [4] Cordeiro, G. M. and McCullagh, P. (1991). Bias correction in generalized linear models.
       Journal of the Royal Statistical Society B 53, 629-643.

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


def shape_method(shape: Any) -> str:
    """Return by which estimator `shape` is to be found; "given" if it is a number."""
    if isinstance(shape, ShapeEstimate):
        shape = shape.method
    return check_choice(shape, "shape", METHODS) if isinstance(shape, str) else "given"


def unit_shape_of(fit: GammaFit, shape: Any) -> float:
    """Return the shape of an observation with weight 1."""
    if isinstance(shape, ShapeEstimate):
        shape = shape.shape
    if isinstance(shape, Real):  # of which check_real refuses True and False
        return check_real(shape, "shape", low=0, high=LARGEST_SHAPE, closed=False)
    if not isinstance(shape, str):
        raise TypeError(
            "`shape` must be one of 'pearson', 'deviance', 'ml', 'ml_corrected', a positive number "
            f"or a ShapeEstimate, got {type(shape).__name__}."
        )
    return estimate_shape(fit, check_choice(shape, "shape", METHODS))


def estimate_shape(fit: GammaFit, method: str) -> float:
    """Return the shape of an observation with weight 1, or raise if the fit leaves none."""
    observations = _number(fit)
    if not fit.df_resid > 0:
        counted = ""
        if observations < len(fit.response):
            counted = (
                f" The `freq_weights` of the fit count {len(fit.response)} rows as that many: "
                "weights that say how precise a row is are `var_weights`."
            )
        raise ValueError(
            f"`results` has {observations:g} observations and no residual degrees of freedom: "
            f"nothing is left to tell the dispersion. Fit fewer coefficients.{counted}"
        )
    total = float(np.sum(fit.precision * fit.excess**2))
    if method != "pearson":
        total = fit.deviance
    if not total > SMALLEST_DISPERSION * observations:
        raise ValueError(
            "`results` goes through every response (its dispersion is 0 but for rounding): the "
            "shape is infinite. Fit fewer coefficients, or give `shape` as a number."
        )
    if method in ("pearson", "deviance"):
        return fit.df_resid / total
    weights, counts = grouped_weights(fit.var_weights, fit.freq_weights)
    shapes = maximum_likelihood_shapes(np.array([total / 2]), weights, counts)[0]
    if method == "ml_corrected":
        shapes = corrected_shapes(shapes, fit.effective_parameters, weights, counts)
    return float(shapes[0])


def standard_error(fit: GammaFit, method: str, shape: float) -> float:
    """Return the first-order standard error of a shape: see the notes of `gamma_shape`."""
    if method == "pearson":
        return float(shape * np.sqrt(relative_variance_of_pearson(fit)(1 / shape)))
    weights, counts = grouped_weights(fit.var_weights, fit.freq_weights)
    if method in ("ml", "ml_corrected"):
        information = float(maximum_likelihood_information(np.array([shape]), weights, counts)[0])
        if method == "ml_corrected":
            information *= fit.df_resid / _number(fit)
        return float(1 / np.sqrt(information))
    likely = np.array([shape_behind_the_deviance(fit)])
    # var(w d) = 4 w^2 (trigamma(a w) - 1 / (a w)), and these sum to 4 times the information.
    variance = 4 * maximum_likelihood_information(likely, weights, counts)[0] / _number(fit)
    return float(shape**2 * np.sqrt(variance / fit.df_resid))


def relative_variance_of_pearson(fit: GammaFit) -> Callable[[Any], Any]:
    """Return the function that gives the variance of phi / E(phi) at a dispersion phi."""
    counts, weights, number = fit.freq_weights, fit.var_weights, _number(fit)
    if fit.origin is None:  # of which the constant is all that is known
        explained = number**2 / np.sum(counts * weights) if fit.n_parameters else 0.0
    else:
        total = (counts * fit.gradient) @ fit.design @ fit.transform
        explained = float(total @ total)  # s' A^-1 s, on a basis where A is the identity
    inverse_weight = float(np.sum(counts / weights)) / number
    cubic, residual_df = 6 * inverse_weight - 4 * explained / number, fit.df_resid
    return lambda dispersion: (2 + cubic * dispersion) / residual_df


def shape_behind_the_deviance(fit: GammaFit) -> float:
    """Return the shape under which this deviance is the expected one, coefficients estimated."""
    # Coefficients have taken their share of D: with n / (n - p) for it the shape is not too large.
    corrected = fit.half_deviance * _number(fit) / fit.df_resid
    weights, counts = grouped_weights(fit.var_weights, fit.freq_weights)
    return float(maximum_likelihood_shapes(np.array([corrected]), weights, counts)[0][0])


def digamma_terms(x: Floats) -> tuple[Floats, Floats]:
    """Return log(x) - digamma(x) and x^2 trigamma(x) - x for x > 0, to some 14 digits.

    The first lies between 1 / (2 x) and 1 / x, the second between 1/2 and 1. SciPy's functions
    would lose digits of the differences in proportion to x log x, and take ten times as long.
    """
    x = np.asarray(x, dtype=np.float64)
    first, second = _asymptotic_terms(np.maximum(x, SERIES_FROM))
    small = x < SERIES_FROM
    if small.any():
        first[small], second[small] = _recurrence_terms(x[small])
    return first, second


def grouped_weights(weights: Floats, counts: Floats) -> tuple[Floats, NDArray[Any]]:
    """Return distinct variance weights and how many observations have each, if that is shorter."""
    if np.all(weights == weights[0]):
        return weights[:1], np.array([np.sum(counts)])
    head = weights[:PROBED_ROWS]
    if 2 * len(np.unique(head)) > len(head):  # sorting would cost more than it saves
        return weights, counts
    levels, place = np.unique(weights, return_inverse=True)
    return levels, np.bincount(place, weights=counts)


def maximum_likelihood_shapes(
    half_deviances: Floats, weights: Floats, counts: NDArray[Any]
) -> tuple[Floats, int]:
    """Return the shape of largest likelihood for each deviance, and the number of Newton steps.

    `weights` and `counts` may be grouped: `counts[k]` rows have the variance weight `weights[k]`.
    A step passes over them once.
    Since 1/(2x) < log(x) - digamma(x) < 1/x, the root lies between sum(counts) / D and twice that;
    and the equation is almost a straight line in the logarithms, so Newton meets it in a few steps.
    """
    low = np.log(np.sum(counts) / (2 * half_deviances))
    high = low + np.log(2)
    position = 0.5 * (low + high)
    for steps in range(1, MAX_ITERATIONS + 1):  # noqa: B007  (returned)
        shapes = np.exp(position)
        value, information = _likelihood_sums(shapes, weights, counts)
        excess = np.log(value / half_deviances)
        low, high = np.where(excess > 0, position, low), np.where(excess > 0, high, position)
        following = position + excess * shapes * value / information
        # Outside the bracket only rounding can lead: bisect.
        outside = (following < low) | (following > high)
        following = np.where(outside, 0.5 * (low + high), following)
        moved = np.max(np.abs(following - position))
        position = following
        if moved <= LAST_STEP:
            break
    return np.exp(position), steps


def maximum_likelihood_information(shapes: Floats, weights: Floats, counts: NDArray[Any]) -> Floats:
    """Return minus the second derivative of the log-likelihood with respect to the shape."""
    return np.asarray(_likelihood_sums(shapes, weights, counts)[1] / shapes**2)


def corrected_shapes(
    shapes: Floats, n_parameters: float, weights: Floats, counts: NDArray[Any]
) -> Floats:
    """Return maximum-likelihood shapes less their bias of first order.

    The derivative U of the log-likelihood has mean p / (2 a) where p coefficients are estimated,
    and is otherwise not random but for the deviance: bias = (p / a + U'' / K) / (2 K), K = -U'.
    With fewer than p + 3 observations nothing would be left.
    """
    information = maximum_likelihood_information(shapes, weights, counts)
    third = np.zeros(len(shapes))  # U''
    rows = max(1, CHUNK // len(shapes))
    for start in range(0, len(weights), rows):
        part = slice(start, start + rows)
        x = np.multiply.outer(shapes, weights[part])
        third -= (1 / x**2 + special.polygamma(2, x)) @ (counts[part] * weights[part] ** 3)
    bias = (n_parameters / shapes + third / information) / (2 * information)
    if not np.all(bias < shapes):
        raise ValueError(
            "`ml_corrected` needs more observations than coefficients plus two. Fit fewer "
            "coefficients, or take 'pearson'."
        )
    return np.asarray(shapes - bias)


def _number(fit: GammaFit) -> float:
    return float(np.sum(fit.freq_weights))


def _likelihood_sums(
    shapes: Floats, weights: Floats, counts: NDArray[Any]
) -> tuple[Floats, Floats]:
    """Return sum f w (log(x) - digamma(x)) and sum f (x^2 trigamma(x) - x) at x = shape * w."""
    value, information = np.zeros(len(shapes)), np.zeros(len(shapes))
    rows = max(1, CHUNK // len(shapes))
    for start in range(0, len(weights), rows):
        part = slice(start, start + rows)
        first, second = digamma_terms(np.multiply.outer(shapes, weights[part]))
        # einsum: the threads of a matrix product cost more than they save on so few numbers.
        value += np.einsum("ij,j", first, counts[part] * weights[part])
        information += np.einsum("ij,j", second, counts[part])
    return value, information


def _asymptotic_terms(x: Floats) -> tuple[Floats, Floats]:
    inverse = 1 / x
    square = inverse * inverse
    # The second is -x^2 times the derivative of the first.
    first, second = np.zeros_like(x), np.zeros_like(x)
    for k, coefficient in reversed(list(enumerate(LOG_MINUS_DIGAMMA, start=1))):
        first = coefficient + square * first
        second = 2 * k * coefficient + square * second
    return inverse * (0.5 + inverse * first), 0.5 + inverse * second


def _recurrence_terms(x: Floats) -> tuple[Floats, Floats]:
    shifted = x + SHIFT
    first, second = _asymptotic_terms(shifted)
    shares, squares = np.ones_like(x), np.ones_like(x)  # x / (x + k) at k = 0
    for k in range(1, SHIFT):
        share = x / (x + k)
        shares += share
        squares += share * share
    far = x / shifted
    return np.log(far) + first + shares / x, far * far * (second + shifted) + squares - x
