"""The parametric bootstrap: responses drawn from a fitted gamma GLM, and refitted.

A replicate draws new responses from the fitted model, and fits coefficients and shape by the same
estimators. Many replicates are fitted at a time: a replicate is a row of a (replicates, n) array.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from afterfit._validation import check_integer
from afterfit.gamma_glm._fit import GammaFit
from afterfit.gamma_glm._irls import MeanModel, fit_means, log_mean
from afterfit.gamma_glm._shape import (
    corrected_shapes,
    grouped_weights,
    maximum_likelihood_shapes,
    shape_behind_the_deviance,
)

Floats = NDArray[np.float64]

# Fewer replicates cannot give a p-value of 0.05.
FEWEST_RESAMPLES = 19
# Numbers held at a time by one task: bounds its memory, and does not depend on `n_jobs`, so that
# the same seed gives the same p-values whatever runs them.
TASK_SIZE = 200_000
# Rows that stand for more equal responses than this are no counts: a gamma has no ties.
MOST_REPEATS = 1000


@dataclass(frozen=True)
class Experiment:
    """What a replicate needs to know of the fit: the model, and how it was fitted."""

    model: MeanModel
    weights: Floats  # (n,), variance weights
    counts: Floats  # (n,), of which those that are not whole numbers weigh a row in fits
    residual_df: float
    n_parameters: float
    method: str  # how the shape is estimated; "given" where it is not
    shape: float  # of the simulated responses

    def draw(self, generator: np.random.Generator, size: int) -> Floats:
        """Return the logarithms of responses of the fitted model, (size, n)."""
        row_shape = self.shape * self.weights
        one = np.all(row_shape == row_shape[0])  # faster, and the same numbers
        drawn = generator.standard_gamma(
            row_shape[0] if one else row_shape, size=(size, len(row_shape))
        )
        # A small shape can underflow to zero, where no fit has a logarithm.
        np.maximum(drawn, np.finfo(np.float64).tiny, out=drawn)
        log_means = log_mean(self.model.link, self.model.predictors(self.model.start))[0]
        return np.asarray(np.log(drawn, out=drawn) + (log_means - np.log(row_shape)))

    def refit(self, log_responses: Floats) -> tuple[Floats, Floats, Floats]:
        """Return coordinates, (B, rank), log(response / mean), (B, n), and shapes, (B,)."""
        coordinates, log_ratios = fit_means(self.model, log_responses, self.weights * self.counts)
        return coordinates, log_ratios, self.shapes(self.sums(log_ratios), self.method)

    def sums(self, log_ratios: Floats) -> tuple[Floats, Floats]:
        """Return half the deviance and Pearson's X^2 of responses over their means, (B, n)."""
        precision = self.weights * self.counts
        with np.errstate(over="ignore"):
            excess = np.expm1(log_ratios)
            half = (excess - log_ratios) @ precision
            excess *= excess
        return half, excess @ precision

    def shapes(self, sums: tuple[Floats, Floats], method: str) -> Floats:
        """Return the shape that a method gives to half the deviance and Pearson's X^2."""
        half, squared = sums
        if method == "given":
            return np.full(len(half), self.shape)
        if method == "pearson":
            return np.asarray(self.residual_df / squared)
        if method == "deviance":
            return np.asarray(self.residual_df / (2 * half))
        groups = grouped_weights(self.weights, self.counts)
        shapes = maximum_likelihood_shapes(half, *groups)[0]
        return corrected_shapes(shapes, self.n_parameters, *groups) if "_" in method else shapes

    def run(
        self,
        task: Callable[[Experiment, np.random.Generator, int], Any],
        n_resamples: int,
        generator: np.random.Generator,
        n_jobs: int | None,
    ) -> list[Any]:
        """Return what `task` makes of so many replicates at a time, in order."""
        from joblib import Parallel, delayed

        size = max(1, min(n_resamples, TASK_SIZE // len(self.weights)))
        sizes = [min(size, n_resamples - start) for start in range(0, n_resamples, size)]
        seeds = generator.integers(2**63, size=len(sizes))
        return list(
            Parallel(n_jobs=n_jobs)(
                delayed(task)(self, np.random.default_rng(int(seed)), count)
                for seed, count in zip(seeds, sizes, strict=True)
            )
        )


def make_experiment(fit: GammaFit, method: str, unit_shape: float) -> Experiment:
    """Return the bootstrap of a fit, with rows repeated as often as `freq_weights` say."""
    repeats = whole_repeats(fit)
    model, weights, counts = fit.mean_model(), fit.var_weights, fit.freq_weights
    if repeats is not None:
        basis, offset = np.repeat(model.basis, repeats, axis=0), np.repeat(model.offset, repeats)
        model = replace(model, basis=basis, offset=offset)
        weights = np.repeat(weights, repeats)
        counts = np.ones(len(weights))
    return Experiment(
        model=model,
        weights=weights,
        counts=counts,
        residual_df=fit.df_resid,
        n_parameters=fit.effective_parameters,
        method=method,
        # The deviance estimate has another limit than the shape: replicates come from the latter.
        shape=shape_behind_the_deviance(fit) if method == "deviance" else unit_shape,
    )


def whole_repeats(fit: GammaFit) -> NDArray[np.intp] | None:
    """Return how often each row is to be repeated, None where that is no whole number."""
    total, n_rows = float(np.sum(fit.freq_weights)), len(fit.response)
    repeats = np.rint(fit.freq_weights).astype(np.intp)
    if np.any(repeats != fit.freq_weights):
        return None
    if total > MOST_REPEATS * n_rows:
        raise ValueError(
            f"`freq_weights` of the fit sum to {total:g} for {n_rows} rows: so many equal "
            "responses do not come from a gamma. Weights of a survey that sum to its population "
            "are to sum to its rows: fit with `freq_weights=w * len(w) / w.sum()`."
        )
    return repeats


def check_resampling(n_resamples: Any, n_jobs: Any = None) -> int:
    """Return the number of replicates, or raise."""
    if n_jobs is not None and check_integer(n_jobs, "n_jobs", low=-(2**31)) == 0:
        raise ValueError("`n_jobs` must be a number of workers, or -1 for all processors, got 0.")
    return check_integer(n_resamples, "n_resamples", low=FEWEST_RESAMPLES)
