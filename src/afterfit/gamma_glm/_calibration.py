"""Whether the fitted probabilities are uniform, judged by a parametric bootstrap.

Fitted parameters draw the model towards its data, so that the tabulated distributions of the
Kolmogorov-Smirnov and Anderson-Darling statistics do not hold. Each replicate therefore draws new
responses from the fitted model, refits coefficients and shape, and computes the same statistics.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from afterfit._validation import check_random_state
from afterfit.gamma_glm._bootstrap import Experiment, check_resampling, make_experiment
from afterfit.gamma_glm._fit import GammaFit
from afterfit.gamma_glm._irls import fit_means
from afterfit.gamma_glm._shape import (
    ShapeEstimate,
    grouped_weights,
    maximum_likelihood_information,
    relative_variance_of_pearson,
    shape_method,
    unit_shape_of,
)
from afterfit.gamma_glm._sources import read_fit
from afterfit.gamma_glm._tails import lower_tail, sorted_lower_tails

Floats = NDArray[np.float64]

# Probabilities enter logarithms: those that round to 0 or 1 count as the nearest number inside.
SMALLEST_PROBABILITY = 1e-300
LARGEST_PROBABILITY = 1 - 2.0**-53


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
    hausman : float
        (a_ml - a_pearson) / sqrt(var a_pearson - var a_ml): two estimators of one shape, if the
        response is gamma.
    hausman_pvalue : float
        Twice the share of replicates at least as far on its side.
    n_resamples : int
        Number of replicates, each drawn from the fitted model and refitted.
    n_observations : int
        Number of observations, rows with `freq_weights` repeated.

    Examples
    --------
    >>> CalibrationTest(0.05, 0.9, 0.3, 0.8, -0.2, 0.8, 99, n_observations=100).n_resamples
    99
    """

    kolmogorov_smirnov: float
    kolmogorov_smirnov_pvalue: float
    anderson_darling: float
    anderson_darling_pvalue: float
    hausman: float
    hausman_pvalue: float
    n_resamples: int
    n_observations: int


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
    results : GLMResults or GammaFit
        A statsmodels GLM with gamma family, fitted; any link, arrays or formula.
    shape : {"pearson", "deviance", "ml", "ml_corrected"}, float or ShapeEstimate
        The estimator, as in `gamma_shape`, re-estimated in each replicate; or a known shape.
    n_resamples : int
        Number of replicates, at least 19; the smallest p-value is 1 / (n_resamples + 1).
    random_state : None, int, Generator or RandomState
        Source of the replicates.
    n_jobs : int, optional
        Number of joblib workers, as in scikit-learn. It does not change the result.

    Returns
    -------
    CalibrationTest
        Kolmogorov-Smirnov and Anderson-Darling statistics, and the contrast of two shapes by
        Hausman, with their p-values.

    Raises
    ------
    TypeError, ValueError, NotFittedError
        As `gamma_shape`; and for `freq_weights` that are no counts, because they sum to more than
        a thousand times the rows.
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
    responses from the fitted model, refits coefficients and shape by the same estimators, and
    gives both statistics ([1]_); the p-value is (1 + number at least as large) / (1 + n_resamples).
    A ShapeEstimate is re-estimated by its method; only a number is taken as known. Replicates
    of "deviance" are drawn with the shape under which the deviance is as expected, so that its
    p-values hold for small shapes too; they judge the model, not the bias of that estimator.

    Maximum likelihood and Pearson's estimator agree if the response is gamma, and part if it is
    not. Hausman's contrast ([2]_) measures that in standard errors; its p-value is two-sided, and
    from the same replicates, whose estimates have the same bias.

    Rows with whole `freq_weights` are repeated. Fractional ones are weights of a survey: a row is
    drawn once, and weighs as much in the fits and in the distribution function.

    References
    ----------
    .. [1] Stute, W., Gonzalez Manteiga, W. and Presedo Quindimil, M. (1993). Bootstrap based
       goodness-of-fit-tests. Metrika 40, 243-256.
    .. [2] Hausman, J. A. (1978). Specification tests in econometrics. Econometrica 46, 1251-1271.

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
    return calibrate(fit, shape, 1, n_resamples, random_state, n_jobs).test


class Statistics(NamedTuple):
    """One value for each replicate; `counts` has one column for each bin."""

    kolmogorov_smirnov: Floats
    anderson_darling: Floats
    hausman: Floats
    counts: NDArray[Any]


@dataclass(frozen=True)
class Calibration:
    """What the test and the figures take their numbers from; arrays have repeated rows."""

    probabilities: Floats
    responses: Floats
    means: Floats
    row_shape: Floats
    observed: Statistics
    simulated: Statistics
    test: CalibrationTest


def calibrate(
    fit: GammaFit, shape: Any, n_bins: int, n_resamples: Any, random_state: Any, n_jobs: Any
) -> Calibration:
    """Return the probabilities of the fitted rows, and the statistics of data and replicates."""
    n_resamples = check_resampling(n_resamples, n_jobs)
    generator = check_random_state(random_state)
    unit_shape = unit_shape_of(fit, shape)
    experiment = make_experiment(fit, shape_method(shape), unit_shape)
    contrast = partial(_hausman, experiment, relative_variance_of_pearson(fit))
    repeats = np.ones(len(fit.response), dtype=np.intp)
    if len(experiment.weights) != len(fit.response):
        repeats = fit.freq_weights.astype(np.intp)
    responses, means = np.repeat(fit.response, repeats), np.repeat(fit.mean, repeats)
    row_shape = unit_shape * experiment.weights
    probabilities = lower_tail(row_shape, responses, means)
    log_ratios = (np.log(responses) - np.log(means))[np.newaxis]
    observed = distances_from_uniform(
        np.sort(probabilities)[np.newaxis],
        None if np.all(experiment.counts == 1) else experiment.counts[np.argsort(probabilities)],
        n_bins,
        contrast(experiment.sums(log_ratios)),
    )
    parts = experiment.run(partial(_judge, contrast, n_bins), n_resamples, generator, n_jobs)
    simulated = Statistics(*map(np.concatenate, zip(*parts, strict=True)))
    test = _tested(observed, simulated, n_resamples, int(np.sum(fit.freq_weights)))
    return Calibration(probabilities, responses, means, row_shape, observed, simulated, test)


def _tested(
    observed: Statistics, simulated: Statistics, n_resamples: int, n_observations: int
) -> CalibrationTest:
    """Return every statistic with its p-value, that of the contrast from both sides."""
    above, below = (_pvalue(sign * observed[2], sign * simulated[2]) for sign in (1, -1))
    return CalibrationTest(
        kolmogorov_smirnov=float(observed.kolmogorov_smirnov[0]),
        kolmogorov_smirnov_pvalue=_pvalue(observed[0], simulated[0]),
        anderson_darling=float(observed.anderson_darling[0]),
        anderson_darling_pvalue=_pvalue(observed[1], simulated[1]),
        hausman=float(observed.hausman[0]),
        hausman_pvalue=min(1.0, 2 * min(above, below)),
        n_resamples=n_resamples,
        n_observations=n_observations,
    )


def _judge(
    contrast: Any, n_bins: int, experiment: Experiment, generator: np.random.Generator, size: int
) -> Statistics:
    """Simulate, refit and judge `size` replicates."""
    _, log_ratios = fit_means(
        experiment.model, experiment.draw(generator, size), experiment.weights * experiment.counts
    )
    sums = experiment.sums(log_ratios)
    shapes, hausman = experiment.shapes(sums, experiment.method), contrast(sums)
    is_weighted = not np.all(experiment.counts == 1)
    if not is_weighted and np.all(experiment.weights == experiment.weights[0]):
        ordered = sorted_lower_tails(shapes * experiment.weights[0], log_ratios)
        return distances_from_uniform(ordered, None, n_bins, hausman)
    row_shapes = shapes[:, np.newaxis] * experiment.weights
    probabilities = lower_tail(row_shapes, np.exp(log_ratios), np.ones(1))
    if not is_weighted:
        return distances_from_uniform(np.sort(probabilities, axis=1), None, n_bins, hausman)
    order = np.argsort(probabilities, axis=1)
    return distances_from_uniform(
        np.take_along_axis(probabilities, order, axis=1), experiment.counts[order], n_bins, hausman
    )


def distances_from_uniform(
    ordered: Floats, counts: Any, n_bins: int, hausman: Floats
) -> Statistics:
    """Return the distance of each row of ordered probabilities, (B, n), from the uniform.

    With F the (weighted) distribution function of n observations, the statistic of Anderson and
    Darling is n times the integral of (F(t) - t)^2 / (t (1 - t)), piece by piece.
    """
    size, n = ordered.shape
    total = float(n if counts is None else np.sum(counts) * n / counts.size)
    weights = np.full(n, 1.0) if counts is None else counts
    after = np.cumsum(weights, axis=-1) / total
    before = after - weights / total
    inside = np.clip(ordered, SMALLEST_PROBABILITY, LARGEST_PROBABILITY)
    lower, upper = after**2 - before**2, (1 - before) ** 2 - (1 - after) ** 2
    if counts is None:
        squared = np.log(inside) @ lower + np.log(1 - inside) @ upper
    else:
        squared = np.sum(np.log(inside) * lower + np.log(1 - inside) * upper, axis=1)
    cell = np.minimum((ordered * n_bins).astype(np.intp), n_bins - 1)
    cell += n_bins * np.arange(size)[:, np.newaxis]
    binned = np.bincount(
        cell.ravel(),
        weights=None if counts is None else np.broadcast_to(counts, cell.shape).ravel(),
        minlength=size * n_bins,
    )
    return Statistics(
        kolmogorov_smirnov=np.maximum(
            (after - ordered).max(axis=1), (ordered - before).max(axis=1)
        ),
        anderson_darling=-total * (1 + squared),
        hausman=hausman,
        counts=binned.reshape(size, n_bins),
    )


def _hausman(experiment: Experiment, variance: Any, sums: tuple[Floats, Floats]) -> Floats:
    """Return maximum likelihood minus Pearson over the standard error of that difference."""
    likely, moment = (experiment.shapes(sums, method) for method in ("ml", "pearson"))
    groups = grouped_weights(experiment.weights, experiment.counts)
    information = likely**2 * maximum_likelihood_information(likely, *groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = np.sqrt(variance(1 / likely) - 1 / information)
        return np.asarray(np.nan_to_num((likely - moment) / (likely * scale)))


def _pvalue(observed: Floats, simulated: Floats) -> float:
    return float((1 + np.sum(simulated >= observed[0])) / (1 + len(simulated)))
