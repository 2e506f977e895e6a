"""The parametric bootstrap behind the calibration figures of `afterfit.gamma_glm`.

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

from afterfit.gamma_glm._fit import GammaFit
from afterfit.gamma_glm._shape import (
    grouped_weights,
    maximum_likelihood_shapes,
    shape_behind_the_deviance,
)
from afterfit.gamma_glm._tails import lower_tail

Floats = NDArray[np.float64]

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
