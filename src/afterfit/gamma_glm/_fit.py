"""What `afterfit.gamma_glm` reads from a statsmodels fit: checked once, then plain arrays."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.exceptions import NotFittedError

from afterfit._validation import listing

Floats = NDArray[np.float64]

# A fit that did not report convergence passes if its score is zero within so many standard errors.
SOLVED_WITHIN = 0.01
# How closely link(inverse(eta)) must give eta back.
INVERSE_TOLERANCE = 1e-6

REFIT = "`sm.GLM(y, X, family=sm.families.Gamma(link=sm.families.links.Log())).fit()`"


@dataclass(frozen=True)
class GammaFit:
    """The fitted rows of a gamma GLM, and what its coefficients need to meet new ones.

    `offset` and `log_exposure` are None where the fit had none.
    """

    results: Any
    response: Floats
    design: Floats
    coefficients: Floats
    offset: Floats | None
    log_exposure: Floats | None
    var_weights: Floats
    freq_weights: Floats
    labels: pd.Index

    @property
    def link(self) -> Any:
        """The statsmodels link, which knows its inverse and its derivative."""
        return self.results.model.family.link

    @property
    def residual_df(self) -> float:
        """Rows (repeated ones counted) minus the rank of the design."""
        if getattr(self.results, "regularized", False):  # statsmodels forgets repeated rows there
            return float(np.sum(self.freq_weights) - np.count_nonzero(self.coefficients))
        return float(self.results.df_resid)

    @cached_property
    def is_weighted(self) -> bool:
        """Whether any `var_weights` differ from 1."""
        return bool(np.any(self.var_weights != 1))

    @cached_property
    def precision(self) -> Floats | float:
        """`freq_weights` times `var_weights`, or 1 where that is all there is."""
        product = self.freq_weights * self.var_weights
        return 1.0 if np.all(product == 1) else product

    @cached_property
    def mean(self) -> Floats:
        """The fitted means, (n,)."""
        return self.fitted_rows.mean

    @cached_property
    def free_design(self) -> Floats:
        """The design of what the fit was free to choose: fewer columns under constraints."""
        constraints = getattr(self.results, "constraints", None)
        if constraints is not None:
            from scipy.linalg import null_space

            matrix = np.atleast_2d(np.asarray(constraints.constraint_matrix, dtype=np.float64))
            return np.asarray(self.design @ null_space(matrix))
        if getattr(self.results, "regularized", False):
            return self.design[:, self.coefficients != 0]
        return self.design

    @cached_property
    def fitted_rows(self) -> GammaRows:
        """The rows that the fit was made of."""
        predictor = self.design @ self.coefficients
        for term in (self.offset, self.log_exposure):
            if term is not None:
                predictor = predictor + term
        return make_rows(self, predictor, self.design, self.var_weights, self.labels, "the fit")


@dataclass(frozen=True)
class GammaRows:
    """Rows, fitted or new, with the mean that the coefficients give them."""

    mean: Floats
    linear_predictor: Floats
    design: Floats
    weights: Floats | float
    labels: pd.Index


def read_fit(results: Any) -> GammaFit:
    """Return the checked parts of a fitted gamma GLM, or raise."""
    results = _check_is_gamma_glm(results)
    model = results.model
    if model.endog is None or model.exog is None:
        raise ValueError(
            "`results` no longer holds its data (`remove_data` was called, or it was saved without "
            "them): the dispersion cannot be estimated. Fit anew, or load a complete copy."
        )
    response = np.asarray(model.endog, dtype=np.float64)
    n_rows = response.shape[0]
    labels = getattr(model.data, "row_labels", None)
    labels = pd.RangeIndex(n_rows) if labels is None else pd.Index(labels)
    check_responses(response, labels, "the fitted response")
    var_weights = _ones_or(model.var_weights, n_rows)
    freq_weights = _ones_or(model.freq_weights, n_rows)
    refuse_rows(~(var_weights > 0), labels, "`var_weights` of the fit", "must be positive")
    offset, log_exposure = getattr(model, "offset", None), getattr(model, "exposure", None)
    if getattr(results, "regularized", False) and log_exposure is not None:
        raise ValueError(
            "`results` is a refitted regularised fit with `exposure`, whose logarithm statsmodels "
            "takes twice: its coefficients are wrong. Fit with `offset=np.log(exposure)` instead."
        )
    fit = GammaFit(
        results=results,
        response=response,
        design=np.asarray(model.exog, dtype=np.float64),
        coefficients=np.asarray(results.params, dtype=np.float64),
        offset=None if offset is None else np.asarray(offset, dtype=np.float64),
        log_exposure=None if log_exposure is None else np.asarray(log_exposure, dtype=np.float64),
        var_weights=var_weights,
        freq_weights=freq_weights,
        labels=labels,
    )
    if not getattr(results, "converged", True):
        _warn_unless_solved(fit)
    return fit


def check_responses(response: Floats, labels: pd.Index, name: str) -> None:
    """Raise unless every response is finite and positive, saying how many and which are not."""
    if response.size == 0 or (np.min(response) > 0 and np.max(response) < np.inf):
        return  # a NaN fails the comparison
    refuse_rows(
        ~np.isfinite(response), labels, name, "must be finite", "Drop or impute these rows."
    )
    advice = (
        "a gamma distribution has no mass at or below zero. Model zeros apart (is it zero, and how "
        "large if not?) and fit the positive rows"
    )
    zero, negative = response == 0, response < 0
    kinds = [("zero", zero), ("negative", negative)]
    found = "; ".join(
        f"{int(mask.sum())} {kind} (row(s) {listing(list(labels[mask]))})"
        for kind, mask in kinds
        if mask.any()
    )
    raise ValueError(
        f"{name[0].upper() + name[1:]} must be positive, got {found} among {response.size} rows: "
        f"{advice}."
    )


def make_rows(
    fit: GammaFit,
    predictor: Floats,
    design: Floats,
    weights: Floats | float,
    labels: pd.Index,
    name: str,
) -> GammaRows:
    """Return the rows with their means, or raise where a mean is impossible."""
    with np.errstate(all="ignore"):  # what overflows is refused, by row, in the next lines
        mean = np.asarray(fit.link.inverse(predictor), dtype=np.float64)
    inside = (mean > 0) & (mean < np.inf) & _is_invertible(fit.link, predictor, mean)
    if not np.all(inside):
        link = type(fit.link).__name__
        refuse_rows(
            ~inside,
            labels,
            f"the mean of {name}",
            f"must be positive and finite (the link is {link})",
            "" if link == "Log" else "A fit with the Log link keeps every mean positive.",
        )
    return GammaRows(mean, predictor, design, weights, labels)


def refuse_rows(bad: Any, labels: pd.Index, name: str, demand: str, advice: str = "") -> None:
    """Raise if any row is `bad`, saying how many and which."""
    if bad.any():
        raise ValueError(
            f"{name[0].upper() + name[1:]} {demand}, which {int(bad.sum())} of {bad.size} row(s) "
            f"break: row(s) {listing(list(labels[bad]))}.{advice and ' ' + advice}"
        )


def _check_is_gamma_glm(results: Any) -> Any:
    from statsmodels.base.elastic_net import RegularizedResults
    from statsmodels.genmod.families import Gamma
    from statsmodels.genmod.generalized_estimating_equations import GEE
    from statsmodels.genmod.generalized_linear_model import GLM, GLMResults

    plain = getattr(results, "_results", results)
    if isinstance(plain, GLM):
        raise NotFittedError("`results` is a GLM that is not fitted: pass `model.fit()`.")
    model = getattr(plain, "model", None)
    if isinstance(plain, RegularizedResults) and isinstance(model, GLM):
        raise ValueError(
            "`results` is a regularised fit, which has no scale and no standard errors. Fit with "
            "`fit_regularized(..., refit=True)`, or with `fit()`, and pass that."
        )
    # A GEE is a GLM to Python, but its rows are dependent: no likelihood, no replicates.
    if not isinstance(plain, GLMResults) or isinstance(model, GEE):
        raise TypeError(
            f"`results` must be a fitted statsmodels GLM with gamma family, got "
            f"{type(plain).__name__}. Such a fit is {REFIT}."
        )
    if not isinstance(plain.model.family, Gamma):
        raise ValueError(
            f"`results` must have the Gamma family, got {type(plain.model.family).__name__}. "
            f"Fit with {REFIT}."
        )
    return plain


def _warn_unless_solved(fit: GammaFit) -> None:
    # statsmodels is silent when its iterations run out; a fit under constraints may be sound.
    from statsmodels.tools.sm_exceptions import ConvergenceWarning

    rows = fit.fitted_rows
    excess = fit.response / rows.mean - 1
    gradient = np.asarray(fit.link.inverse_deriv(rows.linear_predictor)) / rows.mean
    design = fit.free_design * gradient[:, np.newaxis]
    precision = fit.freq_weights * fit.var_weights
    score = (precision * excess) @ design
    spread = np.sqrt(np.mean(precision * excess**2) * (precision @ design**2))
    distance = np.max(np.abs(score) / np.where(spread > 0, spread, np.inf), initial=0.0)
    if distance > SOLVED_WITHIN:
        warnings.warn(
            f"`results` did not converge: a coefficient is some {distance:.2g} standard errors "
            "from where the likelihood is largest. Fit with a larger `maxiter`.",
            ConvergenceWarning,
            stacklevel=4,  # the caller of the public function
        )


def _is_invertible(link: Any, predictor: Floats, mean: Floats) -> Any:
    # Squares and the like turn a predictor outside the link's range into a mean that looks right.
    from statsmodels.genmod.families.links import Identity, InversePower, Log

    if isinstance(link, Identity | InversePower | Log):
        return True
    with np.errstate(all="ignore"):
        back = np.asarray(link(mean), dtype=np.float64)
    return np.isclose(back, predictor, rtol=INVERSE_TOLERANCE, atol=INVERSE_TOLERANCE)


def _ones_or(weights: Any, n_rows: int) -> Floats:
    given = 1.0 if weights is None else weights
    return np.broadcast_to(np.asarray(given, dtype=np.float64), (n_rows,))
