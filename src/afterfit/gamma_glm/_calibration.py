"""Whether the fitted probabilities are uniform, judged by a parametric bootstrap.

Fitted parameters draw the model towards its data, so that the tabulated distributions of the
Kolmogorov-Smirnov and Anderson-Darling statistics do not hold. Each replicate therefore draws new
responses from the fitted model, fits coefficients and shape anew, and computes the same statistics.
Many replicates are fitted at a time: a replicate is a row of a (replicates, n) array.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from afterfit._validation import check_integer, check_random_state
from afterfit.gamma_glm._fit import GammaFit, read_fit
from afterfit.gamma_glm._shape import (
    ShapeEstimate,
    grouped_weights,
    maximum_likelihood_shapes,
    shape_behind_the_deviance,
    shape_method,
    unit_shape_of,
)
from afterfit.gamma_glm._tails import lower_tail

Floats = NDArray[np.float64]

# Fewer replicates cannot give a p-value of 0.05.
FEWEST_RESAMPLES = 19
# Numbers held at a time by one task: bounds its memory, and does not depend on `n_jobs`, so that
# the same seed gives the same p-values whatever runs them.
TASK_SIZE = 200_000
# Probabilities enter logarithms: those that round to 0 or 1 count as the nearest number inside.
SMALLEST_PROBABILITY = 1e-300
LARGEST_PROBABILITY = 1 - 2.0**-53
# Singular values below this share of the largest belong to columns that repeat others.
RANK_TOLERANCE = 1e-10
# The iterations end when no mean changes by more than this share of itself.
NEWTON_TOLERANCE = 1e-7
# Means many powers of ten too small come back by one power of e a step.
MAX_NEWTON_STEPS = 1000
# The observed information is used if its smallest eigenvalue is above this share of the expected's.
DEFINITE = 0.01
MAX_HALVINGS = 40


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
    return calibrate_and_test(fit, shape, 1, n_resamples, random_state, n_jobs)[1]


def calibrate_and_test(
    fit: GammaFit, shape: Any, n_bins: int, n_resamples: int, random_state: Any, n_jobs: Any
) -> tuple[Calibration, CalibrationTest]:
    generator = check_random_state(random_state)
    if n_jobs is not None and check_integer(n_jobs, "n_jobs", low=-(2**31)) == 0:
        raise ValueError("`n_jobs` must be a number of workers, or -1 for all processors, got 0.")
    unit_shape = unit_shape_of(fit, shape)
    found = calibrate(
        fit,
        method=shape_method(shape),
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


@dataclass(frozen=True)
class Experiment:
    """What a replicate needs to know of the fit: the model, and how it was fitted."""

    linear_predictor: Floats  # (n,), of the fit
    basis: Floats  # (n, rank), orthonormal: the directions in which coefficients move it
    link: Any
    weights: Floats  # (n,)
    residual_df: float
    method: str  # how the shape is estimated; "given" where it is not
    shape: float  # of the simulated responses

    def replicates(self, seed: int, size: int, n_bins: int) -> Statistics:
        """Simulate, refit and judge `size` replicates."""
        generator = np.random.default_rng(seed)
        row_shape = self.shape * self.weights
        mean = np.asarray(self.link.inverse(self.linear_predictor))
        drawn = generator.standard_gamma(row_shape, size=(size, len(mean)))
        # A small shape can underflow to zero, where no fit has a logarithm.
        responses = np.maximum(drawn * (mean / row_shape), np.finfo(np.float64).tiny)
        return self.judge(responses, *refit(self, responses), n_bins)

    def judge(self, responses: Floats, means: Floats, shapes: Floats, n_bins: int) -> Statistics:
        """Return the statistics of responses under the given means (B, n) and shapes (B,)."""
        row_shapes = shapes[:, np.newaxis] * self.weights
        return distances_from_uniform(lower_tail(row_shapes, responses, means), n_bins)


@dataclass(frozen=True)
class Statistics:
    """One value for each replicate; `counts` has one column for each bin."""

    kolmogorov_smirnov: Floats
    anderson_darling: Floats
    counts: NDArray[np.int64]


@dataclass(frozen=True)
class Calibration:
    """What the test and the figures take their numbers from; arrays have repeated rows."""

    probabilities: Floats
    responses: Floats
    means: Floats
    row_shape: Floats
    observed: Statistics
    simulated: Statistics


def calibrate(
    fit: GammaFit,
    *,
    method: str,
    unit_shape: float,
    n_bins: int,
    n_resamples: int,
    generator: np.random.Generator,
    n_jobs: int | None,
) -> Calibration:
    """Return the probabilities of the fitted rows, and the statistics of data and replicates."""
    if hasattr(fit.results.model, "smoother"):
        raise ValueError(
            "`results` is an additive model (GLMGam): its penalised fit is not repeated by the "
            "bootstrap. Judge `quantile_residuals(results)` by eye, or fit a GLM with spline terms."
        )
    repeats = _whole_repeats(fit)
    rows = fit.fitted_rows
    weights = np.repeat(fit.var_weights, repeats)
    experiment = Experiment(
        linear_predictor=np.repeat(rows.linear_predictor, repeats),
        basis=orthonormal_basis(np.repeat(fit.free_design, repeats, axis=0)),
        link=fit.link,
        weights=weights,
        residual_df=fit.residual_df,
        method=method,
        # The deviance estimate has another limit than the shape: replicates come from the latter.
        shape=shape_behind_the_deviance(fit) if method == "deviance" else unit_shape,
    )
    responses, means = np.repeat(fit.response, repeats), np.repeat(rows.mean, repeats)
    row_shape = unit_shape * weights
    probabilities = lower_tail(row_shape, responses, means)
    return Calibration(
        probabilities=probabilities,
        responses=responses,
        means=means,
        row_shape=row_shape,
        observed=distances_from_uniform(probabilities[np.newaxis], n_bins),
        simulated=bootstrap(experiment, n_resamples, n_bins, generator, n_jobs),
    )


def bootstrap(
    experiment: Experiment,
    n_resamples: int,
    n_bins: int,
    generator: np.random.Generator,
    n_jobs: Any,
) -> Statistics:
    """Return the statistics of `n_resamples` replicates, fitted anew each."""
    from joblib import Parallel, delayed

    size = max(1, min(n_resamples, TASK_SIZE // len(experiment.weights)))
    sizes = [min(size, n_resamples - start) for start in range(0, n_resamples, size)]
    seeds = generator.integers(2**63, size=len(sizes))
    parts = Parallel(n_jobs=n_jobs)(
        delayed(experiment.replicates)(int(seed), task, n_bins)
        for seed, task in zip(seeds, sizes, strict=True)
    )
    return Statistics(
        np.concatenate([part.kolmogorov_smirnov for part in parts]),
        np.concatenate([part.anderson_darling for part in parts]),
        np.concatenate([part.counts for part in parts]),
    )


def distances_from_uniform(probabilities: Floats, n_bins: int) -> Statistics:
    """Return the distance of each row of `probabilities`, (B, n), from the uniform distribution."""
    size, n = probabilities.shape
    ordered = np.sort(probabilities, axis=1)
    rank = np.arange(1, n + 1)
    above, below = rank / n - ordered, ordered - (rank - 1) / n
    inside = np.clip(ordered, SMALLEST_PROBABILITY, LARGEST_PROBABILITY)
    logs = np.log(inside) + np.log1p(-inside[:, ::-1])
    cell = np.minimum((probabilities * n_bins).astype(np.int64), n_bins - 1)
    cell += n_bins * np.arange(size)[:, np.newaxis]
    return Statistics(
        kolmogorov_smirnov=np.maximum(above, below).max(axis=1),
        anderson_darling=-n - logs @ ((2 * rank - 1) / n),
        counts=np.bincount(cell.ravel(), minlength=size * n_bins).reshape(size, n_bins),
    )


def orthonormal_basis(design: Floats) -> Floats:
    """Return orthonormal columns that span those of `design`, whatever its rank."""
    norms = np.linalg.norm(design, axis=0)
    scaled = design[:, norms > 0] / norms[norms > 0]
    left, singular, _ = np.linalg.svd(scaled, full_matrices=False)
    return np.asarray(left[:, singular > RANK_TOLERANCE * singular.max(initial=0.0)])


def refit(experiment: Experiment, responses: Floats) -> tuple[Floats, Floats]:
    """Return the fitted means, (B, n), and shapes, (B,), of each row of `responses`."""
    means = _fit_means(experiment, responses)
    return means, _fit_shapes(experiment, responses, means)


def _pvalue(observed: Floats, simulated: Floats) -> float:
    return float((1 + np.sum(simulated >= observed[0])) / (1 + len(simulated)))


def _whole_repeats(fit: GammaFit) -> NDArray[np.int64]:
    repeats = np.rint(fit.freq_weights).astype(np.int64)
    broken = repeats != fit.freq_weights
    if broken.any():
        raise ValueError(
            f"`freq_weights` of the fit must be whole numbers, got {int(broken.sum())} that are "
            f"not, such as {fit.freq_weights[broken][0]:g}: a simulation cannot repeat a row a "
            "fraction of a time. Weights for precision are `var_weights`."
        )
    return repeats


def _fit_means(experiment: Experiment, responses: Floats) -> Floats:
    """Newton from the true parameters, halving a step that raises the deviance."""
    link, basis, weights = experiment.link, experiment.basis, experiment.weights
    predictor = np.broadcast_to(experiment.linear_predictor, responses.shape)
    means = np.asarray(link.inverse(predictor))
    if basis.shape[1] == 0:  # a regularised fit may keep no coefficient at all
        return means
    deviance = _half_deviances(responses, means, weights)
    for _ in range(MAX_NEWTON_STEPS):
        try:
            step = _newton_step(experiment, responses, predictor, means) @ basis.T
        except np.linalg.LinAlgError:  # means at the edge have left no information
            break
        for _ in range(MAX_HALVINGS):
            with np.errstate(all="ignore"):  # a step may leave the link's range: it is halved
                trial_means = np.asarray(link.inverse(predictor + step))
                trial = _half_deviances(responses, trial_means, weights)
            worse = ~(trial <= deviance + 1e-10 * (1 + deviance))
            if not worse.any():
                break
            step[worse] /= 2
        change = np.max(np.abs(trial_means / means - 1))
        predictor, means, deviance = predictor + step, trial_means, trial
        if change <= NEWTON_TOLERANCE:
            return means
    raise RuntimeError(
        "A replicate of the bootstrap did not converge. The fitted means are close to the edge of "
        f"what the {type(link).__name__} link allows; a fit with the Log link has no such edge."
    )


def _newton_step(
    experiment: Experiment, responses: Floats, predictor: Floats, means: Floats
) -> Floats:
    """Return the step of the coefficients, (B, rank): Newton, or Fisher scoring where that fails.

    The observed information makes the last steps quadratic; scoring alone can swing for ever where
    responses are skewed. It need not be positive definite far from the solution: the expected one
    is.
    """
    link, basis, weights = experiment.link, experiment.basis, experiment.weights
    # In quotients: statsmodels clips its derivatives of the Log link below 2e-16, not these.
    gradient = np.asarray(link.inverse_deriv(predictor)) / means  # d log(mean) / d predictor
    curvature = np.asarray(link.deriv2(means)) / np.asarray(link.deriv(means)) ** 2
    excess = responses / means - 1
    score = (weights * excess * gradient) @ basis
    expected = _crossproduct(basis, weights * gradient**2)
    observed = _crossproduct(
        basis, weights * gradient * (gradient * (1 + 2 * excess) + excess * curvature)
    )
    sound = np.linalg.eigvalsh(observed)[:, 0] > DEFINITE * np.linalg.eigvalsh(expected)[:, 0]
    information = np.where(sound[:, np.newaxis, np.newaxis], observed, expected)
    return np.asarray(np.linalg.solve(information, score[..., np.newaxis])[..., 0])


def _fit_shapes(experiment: Experiment, responses: Floats, means: Floats) -> Floats:
    weights = experiment.weights
    if experiment.method == "given":
        return np.full(len(responses), experiment.shape)
    if experiment.method == "pearson":
        return np.asarray(experiment.residual_df / (((responses - means) / means) ** 2 @ weights))
    half = _half_deviances(responses, means, weights)
    if experiment.method == "deviance":
        return np.asarray(experiment.residual_df / (2 * half))
    return maximum_likelihood_shapes(half, *grouped_weights(weights, np.ones_like(weights)))[0]


def _half_deviances(responses: Floats, means: Floats, weights: Floats) -> Floats:
    ratio = responses / means
    return np.asarray((ratio - 1 - np.log(ratio)) @ weights)


def _crossproduct(basis: Floats, weights: Floats) -> Floats:
    """Return basis' diag(row) basis for each row of `weights`: (B, rank, rank)."""
    return np.stack([(weights * column) @ basis for column in basis.T], axis=1)
