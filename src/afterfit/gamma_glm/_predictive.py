"""Behind the intervals: the bootstrap of means and shapes at new rows, and residuals of folds.

Calibration: with U = F(Y; fit) the fitted probability of a new observation and G its distribution,
the interval that leaves p on one side ends where the fit gives G^-1(p) instead of p. G is that of
the bootstrap, G(u) = E* F(F^-1(u; refit); fit), a mean over the refits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from afterfit.gamma_glm._bootstrap import Experiment, make_experiment
from afterfit.gamma_glm._fit import GammaFit, GammaRows, is_possible
from afterfit.gamma_glm._irls import is_log, log_mean, product
from afterfit.gamma_glm._tails import log_tail, normal_scores

Floats = NDArray[np.float64]

# Rows times replicates that are held at a time.
CHUNK_SIZE = 500_000
# The calibrated level is found within this, in normal scores, and the last step is still taken.
SCORE_TOLERANCE = 3e-3
MAX_STEPS = 12
# Log quantiles of a shape are polynomials of this degree in the score, over the range of a step.
SCORE_NODES = 5


@dataclass(frozen=True)
class Refits:
    """The replicates of a fit, as new rows see them."""

    shapes: Floats  # (B,)
    coordinates: Floats  # (B, rank), from those of the fit
    drawn_shape: float  # under which the replicates were drawn

    def log_means(self, fit: GammaFit, rows: GammaRows, part: Any) -> Floats:
        """Return log(refitted mean / mean), (rows, B), infinite beyond what the link allows."""
        moved = product(rows.design[part] @ fit.transform, self.coordinates.T)
        predictor = rows.linear_predictor[part, np.newaxis] + moved
        return shifted_log_means(fit.link, predictor, rows.mean[part])


def shifted_log_means(link: Any, predictor: Floats, mean: Floats) -> Floats:
    """Return the logarithm of the means over `mean`; where there is none, that of 0 or infinity."""
    logs = log_mean(link, predictor)[0] - np.log(mean)[:, np.newaxis]
    if not is_log(link):
        possible = is_possible(link, predictor)
        if not possible.all():
            with np.errstate(all="ignore"):
                rising = np.asarray(link.inverse_deriv(link(mean)))[:, np.newaxis] > 0
            logs = np.where(possible, logs, np.where(rising, -np.inf, np.inf))
    return np.asarray(logs)


def refits(
    fit: GammaFit,
    method: str,
    unit_shape: float,
    n_resamples: int,
    generator: np.random.Generator,
    n_jobs: int | None,
) -> Refits:
    """Return coefficients and shapes of so many replicates of a fit."""
    if fit.origin is None and fit.n_parameters:
        raise ValueError(
            "`results` is made from means, and their errors at new rows are not known. Ask for "
            "method='plugin', or give means of rows that the model has not seen (n_parameters=0)."
        )
    experiment = make_experiment(fit, method, unit_shape)
    parts = experiment.run(_coordinates_and_shapes, n_resamples, generator, n_jobs)
    coordinates = np.concatenate([part[0] for part in parts]) - experiment.model.start
    return Refits(np.concatenate([part[1] for part in parts]), coordinates, experiment.shape)


def _coordinates_and_shapes(
    experiment: Experiment, generator: np.random.Generator, size: int
) -> tuple[Floats, Floats]:
    coordinates, _, shapes = experiment.refit(experiment.draw(generator, size))
    return coordinates, shapes


def calibrated_scores(
    fit: GammaFit, rows: GammaRows, replicates: Refits, unit_shape: float, tail: float
) -> Floats:
    """Return the normal scores that a tail of `tail` calls for, (2, m): below, and above."""
    weights = np.broadcast_to(rows.weights, rows.mean.shape)
    scores = np.empty((2, len(weights)))
    rows_at_once = max(1, CHUNK_SIZE // len(replicates.shapes))
    for start in range(0, len(weights), rows_at_once):
        part = slice(start, start + rows_at_once)
        moved = replicates.log_means(fit, rows, part)
        for weight in np.unique(weights[part]):
            group = np.flatnonzero(weights[part] == weight)
            shape, shapes = unit_shape * weight, replicates.shapes * weight
            own = moved if len(group) == len(moved) else moved[group]
            for upper in (False, True):
                scores[int(upper), start + group] = scores_of_group(shape, shapes, own, tail, upper)
    return scores


def scores_of_group(
    shape: float, shapes: Floats, moved: Floats, tail: float, upper: bool
) -> Floats:
    """Solve mean(F(F^-1(u; refit); fit)) = tail for the score of u, by secants, for all rows."""
    target = float(special.ndtri(tail))

    def found(scores: Floats) -> Floats:
        logs = _log_quantiles(shapes, scores, upper) + moved
        return np.asarray(special.ndtri(np.mean(np.exp(log_tail(shape, upper, logs)), axis=1)))

    before = np.full(len(moved), target)
    value_before = found(before)
    scores = before - (value_before - target)
    for _ in range(MAX_STEPS):
        if not np.max(np.abs(value_before - target), initial=0.0) > SCORE_TOLERANCE:
            break
        value = found(scores)
        with np.errstate(all="ignore"):
            slope = (value - value_before) / (scores - before)
        # A rising function close to a straight line: where the secant is none, a slope of one.
        slope = np.where((slope > 0.1) & (slope < 10), slope, 1.0)
        before, value_before, scores = scores, value, scores - (value - target) / slope
    return np.where(np.isfinite(scores), scores, target)


def _log_quantiles(shapes: Floats, scores: Floats, upper: bool) -> Floats:
    """Return log F^-1(ndtr(score)) of gammas with mean 1, (m or 1, B)."""
    low, high = np.min(scores), np.max(scores)
    if not high - low > 1e-9:
        nodes, shares = np.array([low]), np.ones((1, 1))
    else:
        angles = (2 * np.arange(SCORE_NODES) + 1) * np.pi / (2 * SCORE_NODES)
        nodes = (low + high) / 2 - (high - low) / 2 * np.cos(angles) / np.cos(angles[0])
        distance = scores[:, np.newaxis] - nodes
        shares = np.stack(
            [
                np.prod(np.delete(distance, k, axis=1) / np.delete(nodes[k] - nodes, k), axis=1)
                for k in range(SCORE_NODES)
            ],
            axis=1,
        )
    inverse = special.gammainccinv if upper else special.gammaincinv
    quantiles = inverse(shapes, special.ndtr(nodes)[:, np.newaxis])
    return product(shares, np.log(np.maximum(quantiles, np.finfo(float).tiny) / shapes))


@dataclass(frozen=True)
class Folds:
    """Absolute quantile residuals of rows by a fit without their fold."""

    residuals: Floats  # (n,), normal scores
    fold: NDArray[np.intp]  # (n,)
    refits: Refits  # one for each fold


def cross_fit(
    fit: GammaFit, method: str, unit_shape: float, n_folds: int, generator: np.random.Generator
) -> Folds:
    """Return the residuals of every row by the fit to the other folds."""
    if fit.origin is None and fit.n_parameters:
        raise ValueError(
            "`results` is made from means that were fitted to these rows. A conformal interval "
            "needs means of rows that the model has not seen (n_parameters=0)."
        )
    # Means that have not seen any of the rows leave nothing to refit.
    experiment = make_experiment(fit, "given" if fit.origin is None else method, unit_shape)
    n = len(experiment.weights)
    if n != int(np.sum(fit.freq_weights)):
        raise ValueError(
            "A conformal interval needs rows that count once, or `freq_weights` that are whole: "
            "rows with weights of a survey are not exchangeable."
        )
    n_folds = 1 if fit.origin is None else min(n_folds, n)
    fold = generator.permutation(np.arange(n) % n_folds)
    responses = np.log(np.repeat(fit.response, fit.freq_weights.astype(np.intp)))[np.newaxis]
    residuals, parts = np.empty(n), []
    for k in range(n_folds):
        out = fold == k
        rest = experiment
        if n_folds > 1:
            rest = replace(
                experiment,
                counts=np.where(out, 0.0, 1.0),
                residual_df=experiment.residual_df - int(out.sum()),
            )
        coordinates, log_ratios, shape = rest.refit(responses)
        parts.append((shape, coordinates - experiment.model.start))
        ratios = np.exp(log_ratios[0, out])
        residuals[out] = normal_scores(
            shape * experiment.weights[out], ratios, np.ones_like(ratios)
        )
    shapes, moved = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Folds(np.abs(residuals), fold, Refits(shapes, moved, unit_shape))


def conformal_ends(
    fit: GammaFit, rows: GammaRows, folds: Folds, level: float
) -> tuple[Floats, Floats]:
    """Return the ends of the CV+ interval of every row, in units of its mean."""
    n, m = len(folds.residuals), len(rows.mean)
    low_rank = int(np.floor((1 - level) * (n + 1) * (1 + 1e-12)))
    high_rank = int(np.ceil(level * (n + 1) * (1 - 1e-12)))
    lower, upper = np.zeros(m), np.full(m, np.inf)
    weights = np.broadcast_to(rows.weights, rows.mean.shape)
    tail = special.ndtr(-folds.residuals)
    rows_at_once = max(1, CHUNK_SIZE // n)
    for weight in np.unique(weights):
        shapes = folds.refits.shapes[folds.fold] * weight
        sides = [
            (ends, inverse(shapes, tail) / shapes, rank - 1)
            for ends, inverse, rank in (
                (lower, special.gammaincinv, low_rank),
                (upper, special.gammainccinv, high_rank),
            )
            if 0 < rank <= n
        ]
        group = np.flatnonzero(weights == weight)
        for start in range(0, len(group), rows_at_once):
            part = group[start : start + rows_at_once]
            factors = np.exp(folds.refits.log_means(fit, rows, part))[:, folds.fold]
            for ends, quantiles, place in sides:
                ends[part] = np.partition(quantiles * factors, place, axis=1)[:, place]
    return lower, upper
