"""Whether a fit is at its optimum, what keeps it away, and how to get there.

A fit is judged by its score, whatever it says of its own convergence: in an orthonormal basis of
its weighted columns the score of half the deviance, s, has the joint distance sqrt(s' s / phi)
from the maximum, in standard errors.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from afterfit._validation import listing
from afterfit.gamma_glm._estimators import EstimatorDesign
from afterfit.gamma_glm._fit import GammaFit, shifted
from afterfit.gamma_glm._irls import (
    RANK_TOLERANCE,
    MeanModel,
    fit_means,
    log_mean,
    orthonormal_transform,
)

Floats = NDArray[np.float64]

# A fit passes if its score is zero within so many standard errors, all coefficients together.
SOLVED_WITHIN = 0.01
# The optimum is solved for until no mean changes by more than this share.
OPTIMUM_TOLERANCE = 1e-11
# A dispersion below this is rounding: the fit goes through every point.
SMALLEST_DISPERSION = 1e-20
# Columns that differ more in size, and singular values smaller than these, make a fit fail.
LARGEST_RATIO = 1e5
NEARLY_COLLINEAR = 1e-5
# A column takes part in a collinearity with this share of the largest coefficient.
INVOLVED = 0.05


def check_is_optimum(fit: GammaFit) -> None:
    """Raise if the score is not zero within a hundredth of a standard error, naming the columns."""
    score = fit.transform.T @ (fit.design.T @ (fit.precision * fit.excess * fit.gradient))
    if fit.penalty is not None:
        score = score - fit.transform.T @ (fit.penalty @ fit.coefficients)
    total = float(np.sum(fit.precision * fit.excess**2))
    if not (fit.df_resid > 0 and total > SMALLEST_DISPERSION * len(fit.response)):
        return  # no dispersion to measure by: `estimate_shape` says so
    distance = float(np.linalg.norm(score) / np.sqrt(total / fit.df_resid))
    if not distance <= SOLVED_WITHIN:
        raise ValueError(
            f"`results` is not at its optimum: all coefficients together are {distance:.2g} "
            "standard errors from where the likelihood is largest, whatever it says of its "
            f"convergence. {_why_not(fit)} `gamma_glm.refit(results)` returns the optimum of the "
            "model as it is."
        )


def optimum(fit: GammaFit) -> GammaFit:
    """Return the same model with the coefficients of largest likelihood."""
    design = fit.design if fit.free is None else fit.design @ fit.free
    # What constraints fix stays: the part of the coefficients outside the free directions.
    fixed = np.zeros(len(fit.coefficients))
    if fit.free is not None:
        fixed = fit.coefficients - fit.free @ (fit.free.T @ fit.coefficients)
    shift = shifted(fit.design @ fixed, fit.offset, fit.log_exposure)
    weights = fit.freq_weights * fit.var_weights
    starts = [fit.link(fit.response), np.full(len(shift), fit.link(np.average(fit.response)))]
    best: Any = None
    for predictor in [fit.design @ (fit.coefficients - fixed) + shift, *starts]:
        model = _model_near(fit, design, shift, predictor, weights)
        log_ratio = (
            np.log(fit.response) - log_mean(fit.link, model[0].predictors(model[0].start))[0]
        )
        with np.errstate(all="ignore"):
            objective = float(np.sum(weights * (np.expm1(log_ratio) - log_ratio)))
        if np.isfinite(objective) and (best is None or objective < best[0]):
            best = (objective, *model)
    if best is None:
        raise RuntimeError("`results` has no coefficients under which all means are possible.")
    found = fit_means(best[1], np.log(fit.response)[np.newaxis], weights, OPTIMUM_TOLERANCE)[0][0]
    moved = best[2] @ found
    solved = replace(fit, coefficients=fixed + (moved if fit.free is None else fit.free @ moved))
    check_is_optimum(solved)
    return solved


def _model_near(
    fit: GammaFit, design: Floats, shift: Floats, predictor: Floats, weights: Floats
) -> tuple[MeanModel, Floats]:
    """Return a model of the means that starts near a linear predictor, and its transform."""
    with np.errstate(all="ignore"):
        root = np.sqrt(weights) * np.abs(log_mean(fit.link, predictor)[1])
    root = np.where(np.isfinite(root), root, 0.0)
    transform = orthonormal_transform(design, root)
    basis = design @ transform
    start = (basis * root[:, np.newaxis]).T @ (root * np.nan_to_num(predictor - shift))
    penalty = None
    if fit.penalty is not None:
        penalty = transform.T @ fit.penalty @ transform
    return MeanModel(basis, shift, fit.link, start, penalty), transform


def _why_not(fit: GammaFit) -> str:
    """Return what makes a fit miss its optimum, by the names of the columns, and what helps."""
    lengths = np.linalg.norm(fit.design, axis=0)
    kept = np.flatnonzero(lengths > 0)
    names = np.array([repr(name) for name in fit.names], dtype=object)[kept]
    sizes = lengths[kept] / np.sqrt(len(fit.response))
    _, singular, right = np.linalg.svd(fit.design[:, kept] / lengths[kept], full_matrices=False)
    is_constant = np.ptp(fit.design[:, kept], axis=0) == 0
    shares = singular / singular[0]
    near = np.flatnonzero((shares > RANK_TOLERANCE) & (shares < NEARLY_COLLINEAR))
    if len(near) > 0:
        direction = np.abs(right[near[-1]])
        involved = direction > INVOLVED * direction.max()
        helps = (
            "Centre and scale the variables in them before powers and products are formed."
            if np.any(involved & is_constant)
            else "Leave one of them out."
        )
        return f"Columns {listing(names[involved])} are nearly collinear. {helps}"
    if sizes.max() > LARGEST_RATIO * sizes.min():
        usual = sizes[is_constant][0] if is_constant.any() else np.median(sizes)
        apart = np.abs(np.log(sizes / usual)) > np.log(LARGEST_RATIO) / 2
        sized = [f"{names[j]} ({sizes[j]:.0e})" for j in np.flatnonzero(apart)]
        return f"Columns differ very much in size: {listing(sized)}. Centre and scale these."
    if shares[-1] <= RANK_TOLERANCE:
        repeated = np.abs(right[-1]) > INVOLVED
        if not np.any(repeated & is_constant):
            return f"Columns {listing(names[repeated])} repeat each other. Leave one of them out."
        return (
            f"The constant is a sum of other columns ({listing(names[~is_constant])}). Leave it "
            "out (`- 1` in the formula), or centre the spline (`constraints='center'`)."
        )
    if isinstance(fit.origin, EstimatorDesign):
        return (
            "`X`, `y`, weights and offset must be those of the fit, and its tolerance small: `tol` "
            "(glum: `gradient_tol`), with a larger `max_iter`."
        )
    return "Its iterations ended early: fit by `fit(maxiter=1000, tol=1e-12)`."
