"""Maximum likelihood of the coefficients, for many responses at a time, on an orthonormal basis.

Columns of a design may differ by ten powers of ten, or be all but collinear. Neither matters on an
orthonormal basis of the columns, weighted as in the likelihood: there the information is close to
the identity. A set of responses is a row of a (replicates, n) array, and what moves is its
coordinates on the basis, (replicates, rank).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Singular values below this share of the largest belong to columns that repeat others; that of R.
RANK_TOLERANCE = 1e-11
# Above this smallest eigenvalue the crossproduct of the columns has all digits that are needed.
WELL_CONDITIONED = 1e-3
# The iterations end when no mean of a replicate changes by more than this share of itself.
NEWTON_TOLERANCE = 1e-7
# Means many powers of ten too small grow back by one power of e a step.
MAX_NEWTON_STEPS = 1000
# The observed information is used if its smallest eigenvalue is above this share of the expected's.
DEFINITE = 1e-4
MAX_HALVINGS = 40
# A step that lowers half the deviance by no more than this share is rounding.
NO_GAIN = 1e-14
# So many steps of scoring with one matrix for all replicates; Newton takes over what is left.
SCORING_STEPS = 6
# Products of matrices below this size are left to one thread by OpenBLAS: more cost than they save.
UNTHREADED = 250_000
SCORING_TOLERANCE = 1e-6


@dataclass(frozen=True)
class MeanModel:
    """How coordinates move the means: link(mean) = offset + basis @ coordinates."""

    basis: Floats  # (n, rank)
    offset: Floats  # (n,), or one for each replicate, (B, n)
    link: Any
    start: Floats  # (rank,), coordinates that give possible means
    penalty: Floats | None = None  # (rank, rank), of c' P c / 2 beside half the deviance

    def of(self, replicates: NDArray[Any]) -> MeanModel:
        """Return the model of some replicates."""
        if self.offset.ndim == 1:
            return self
        return replace(self, offset=self.offset[replicates])

    def predictors(self, coordinates: Floats) -> Floats:
        """Return the linear predictors, (B, n), of coordinates (B, rank)."""
        return np.asarray(self.offset + coordinates @ self.basis.T)


def orthonormal_transform(design: Floats, weights: Floats | float) -> Floats:
    """Return T such that weights * design @ T is orthonormal and spans all that the columns do."""
    weighted = design if np.all(weights == 1) else design * np.reshape(weights, (-1, 1))
    crossproduct = weighted.T @ weighted
    lengths = np.sqrt(np.diag(crossproduct))
    kept = np.flatnonzero(lengths > 0)
    scales = lengths[kept]
    values, vectors = np.linalg.eigh(crossproduct[np.ix_(kept, kept)] / np.outer(scales, scales))
    if len(values) > 0 and not values[0] > WELL_CONDITIONED:
        scaled = weighted[:, kept] / scales
        _, singular, right = np.linalg.svd(scaled, full_matrices=False)
        vectors, values = right.T, singular**2
    sound = np.sqrt(np.maximum(values, 0)) > RANK_TOLERANCE * np.sqrt(np.max(values, initial=0.0))
    transform = np.zeros((design.shape[1], int(sound.sum())))
    transform[kept] = vectors[:, sound] / np.sqrt(values[sound]) / scales[:, np.newaxis]
    return transform


def product(left: Floats, right: Floats) -> Floats:
    """Return left @ right, in blocks of rows that one thread does faster than several."""
    result = np.empty((len(left), right.shape[1]))
    rows = max(1, UNTHREADED // max(1, right.size))
    for start in range(0, len(left), rows):
        np.matmul(left[start : start + rows], right, out=result[start : start + rows])
    return result


def is_log(link: Any) -> bool:
    """Return whether the link is the logarithm, under which most of the work falls away."""
    from statsmodels.genmod.families.links import Log

    return isinstance(link, Log)


def log_mean(link: Any, predictor: Floats) -> tuple[Floats, Floats | float]:
    """Return the logarithm of the mean, and its derivative in the predictor.

    Where the link allows no mean the logarithm is NaN, or that of zero or of infinity.
    """
    if is_log(link):
        return predictor, 1.0
    with np.errstate(all="ignore"):
        mean = np.asarray(link.inverse(predictor))
        return np.log(mean), np.asarray(link.inverse_deriv(predictor)) / mean


def half_deviances(log_ratios: Floats, weights: Floats) -> Floats:
    """Return sum w (r - 1 - log r) of each row, r the response over its mean."""
    with np.errstate(over="ignore"):
        return np.asarray(np.sum(weights * (np.expm1(log_ratios) - log_ratios), axis=-1))


def fit_means(
    model: MeanModel, log_responses: Floats, weights: Floats, tolerance: float = NEWTON_TOLERANCE
) -> tuple[Floats, Floats]:
    """Return coordinates, (B, rank), and log(response / mean), (B, n), at the maximum.

    `weights` are those of the rows, or of the rows of each replicate.
    """
    coordinates = np.tile(model.start, (len(log_responses), 1))
    if model.basis.shape[1] == 0:
        log_means = log_mean(model.link, model.predictors(coordinates))[0]
        return coordinates, log_responses - log_means
    if not is_log(model.link) or weights.ndim > 1 or len(log_responses) == 1:
        return _newton(model, log_responses, weights, tolerance)
    coordinates, log_ratios, left = _score(model, log_responses, weights)
    if left.any():
        coordinates[left], log_ratios[left] = _newton(
            model.of(left), log_responses[left], weights, tolerance
        )
    return coordinates, log_ratios


def _score(
    model: MeanModel, log_responses: Floats, weights: Floats
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Fisher scoring under the log link, where the information is the same for all replicates.

    A step costs an exponential and two products of matrices. The last array says who is not there.
    """
    basis = model.basis
    weighted = basis * weights[:, np.newaxis]
    information = basis.T @ weighted
    if model.penalty is not None:
        information = information + model.penalty
    inverse = np.linalg.inv(information)
    reach = float(np.sqrt(np.max(np.sum(basis**2, axis=1))))
    coordinates = np.tile(model.start, (len(log_responses), 1))
    log_ratios = log_responses - model.predictors(model.start[np.newaxis])
    before, total = np.ones(len(coordinates)), weighted.sum(axis=0)
    step = np.zeros_like(coordinates)
    rows = max(1, UNTHREADED // step.size)
    blocks = [slice(start, start + rows) for start in range(0, len(basis), rows)]
    for step_number in range(SCORING_STEPS):
        with np.errstate(all="ignore"):  # what diverges is left to Newton
            score = np.tile(-total, (len(step), 1))
            for block in blocks:
                log_ratios[:, block] -= step @ basis[block].T
                score += np.exp(log_ratios[:, block]) @ weighted[block]
            if model.penalty is not None:
                score -= coordinates @ model.penalty
            step = score @ inverse
            coordinates += step
            moved = reach * np.linalg.norm(step, axis=1)
            # The steps shrink by one factor, so that the next one is about this long.
            left = ~(moved * moved / before < SCORING_TOLERANCE)
        if step_number > 0 and not left.any():
            break
        before = moved
    for block in blocks:
        log_ratios[:, block] -= step @ basis[block].T
    return coordinates, log_ratios, left


def _newton(
    model: MeanModel, log_responses: Floats, weights: Floats, tolerance: float
) -> tuple[Floats, Floats]:
    """Newton from the start, halving a step that raises the deviance."""
    coordinates = np.tile(model.start, (len(log_responses), 1))
    log_ratios, objective = _objective(model, log_responses, weights, coordinates)
    left = np.arange(len(coordinates))  # who is not there yet
    for _ in range(MAX_NEWTON_STEPS):
        part, moved, ratios = model.of(left), coordinates[left], log_ratios[left]
        try:
            step = _newton_step(part, moved, ratios, weights)
        except np.linalg.LinAlgError:  # means at the edge have left no information
            break
        for _ in range(MAX_HALVINGS):
            trial_ratios, trial = _objective(part, log_responses[left], weights, moved + step)
            worse = ~(trial <= objective[left] + 1e-10 * (1 + objective[left]))
            if not worse.any():
                break
            step[worse] /= 2
        with np.errstate(invalid="ignore"):
            change = np.max(np.abs(np.expm1(ratios - trial_ratios)), axis=1)
        # A mean close to zero has few digits, and may never come to rest: then nothing is gained.
        gained = objective[left] - trial
        coordinates[left] = moved + step
        log_ratios[left], objective[left] = trial_ratios, trial
        left = left[~((change <= tolerance) | (gained <= NO_GAIN * (1 + trial)))]
        if len(left) == 0:
            return coordinates, log_ratios
    raise RuntimeError(
        "The fit of the coefficients did not converge. The means are close to the edge of what the "
        f"{type(model.link).__name__} link allows; a fit with the Log link has no such edge."
    )


def _objective(
    model: MeanModel, log_responses: Floats, weights: Floats, coordinates: Floats
) -> tuple[Floats, Floats]:
    """Return log(response / mean), and half the deviance with the penalty."""
    log_ratios = log_responses - log_mean(model.link, model.predictors(coordinates))[0]
    with np.errstate(all="ignore"):  # a step may leave the link's range: it is halved
        objective = half_deviances(log_ratios, weights)
    if model.penalty is not None:
        objective = objective + np.sum((coordinates @ model.penalty) * coordinates, axis=1) / 2
    return log_ratios, objective


def _newton_step(
    model: MeanModel, coordinates: Floats, log_ratios: Floats, weights: Floats
) -> Floats:
    """Return the step of the coordinates, (B, rank): Newton, or Fisher scoring where that fails.

    The observed information makes the last steps quadratic; scoring alone can swing for ever where
    responses are skewed. It need not be positive definite far from the solution: the expected one
    is.
    """
    link, basis = model.link, model.basis
    excess = np.expm1(log_ratios)
    predictor = model.predictors(coordinates)
    gradient = log_mean(link, predictor)[1]
    if is_log(link):
        second: Any = 1 + excess
    else:
        mean = np.asarray(link.inverse(predictor))
        curvature = np.asarray(link.deriv2(mean)) / np.asarray(link.deriv(mean)) ** 2
        second = gradient * (gradient * (1 + 2 * excess) + excess * curvature)
    score = (weights * excess * gradient) @ basis
    expected = _crossproduct(basis, weights * gradient**2, len(coordinates))
    observed = _crossproduct(basis, weights * second, len(coordinates))
    if model.penalty is not None:
        score = score - coordinates @ model.penalty
        expected, observed = expected + model.penalty, observed + model.penalty
    sound = np.linalg.eigvalsh(observed)[:, 0] > DEFINITE * np.linalg.eigvalsh(expected)[:, 0]
    information = np.where(sound[:, np.newaxis, np.newaxis], observed, expected)
    return np.asarray(np.linalg.solve(information, score[..., np.newaxis])[..., 0])


def _crossproduct(basis: Floats, weights: Any, size: int) -> Floats:
    """Return basis' diag(row) basis for each row of `weights`: (B, rank, rank)."""
    weights = np.broadcast_to(weights, (size, len(basis)))
    return np.stack([(weights * column) @ basis for column in basis.T], axis=1)
