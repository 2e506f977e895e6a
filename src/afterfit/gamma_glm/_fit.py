"""A fitted gamma GLM as plain arrays, wherever it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from afterfit._validation import listing
from afterfit.gamma_glm._irls import MeanModel, log_mean, orthonormal_transform

Floats = NDArray[np.float64]

# How closely link(inverse(eta)) must give eta back.
INVERSE_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False, repr=False)
class GammaFit:
    """A gamma GLM at its optimum, from `refit`, from scikit-learn or glum, or from means alone.

    All functions of this module take it as they take statsmodels' results. It is made by
    `refit`, `from_estimator` and `from_means`, not by hand.

    Attributes
    ----------
    response, mean : array of shape (n,)
        The fitted responses and their means.
    params : Series
        The coefficients by name; 1 for the logarithm of the mean if only means are known.
    deviance : float
        Twice the sum of the weighted unit deviances.
    df_resid : float
        Rows (repeated ones counted) minus the rank of the design, or minus the effective number
        of parameters of a penalised fit.

    Examples
    --------
    >>> from afterfit.gamma_glm import from_means
    >>> fit = from_means([1.0, 2.0, 4.0], mean=[2.0, 2.0, 2.0], n_parameters=1)
    >>> fit.df_resid
    2.0
    """

    response: Floats
    design: Floats
    coefficients: Floats
    link: Any
    var_weights: Floats
    freq_weights: Floats
    labels: pd.Index
    names: list[str]
    origin: Any  # what makes a design of new rows: a statsmodels model, an EstimatorDesign, None
    offset: Floats | None = None
    log_exposure: Floats | None = None
    free: Floats | None = None  # directions in which coefficients could move, if not all
    penalty: Floats | None = None  # S of b' S b / 2, beside half the deviance
    n_parameters: float | None = None  # where the design does not tell
    robust_covariance: Floats | None = None

    @property
    def params(self) -> pd.Series:
        """The coefficients by name."""
        return pd.Series(self.coefficients, index=self.names, dtype=np.float64)

    @property
    def deviance(self) -> float:
        """Twice the sum of the weighted unit deviances."""
        return 2 * self.half_deviance

    @property
    def mean(self) -> Floats:
        """The fitted means, (n,)."""
        return self.fitted_rows.mean

    @cached_property
    def df_resid(self) -> float:
        """Rows (repeated ones counted) minus the parameters."""
        return float(np.sum(self.freq_weights)) - self.effective_parameters

    @cached_property
    def effective_parameters(self) -> float:
        """The rank of the design, or the trace of the hat matrix of a penalised fit."""
        if self.n_parameters is not None:
            return float(self.n_parameters)
        rank = self.transform.shape[1]
        if self.penalty is None:
            return float(rank)
        penalty = self.transform.T @ self.penalty @ self.transform
        return float(np.trace(np.linalg.inv(np.eye(rank) + penalty)))

    @property
    def needs(self) -> list[str]:
        """What new rows must bring, since the fit used it."""
        used = {
            "offset": self.offset is not None,
            "exposure": self.log_exposure is not None,
            "var_weights": bool(np.any(self.var_weights != 1)),
        }
        return [name for name, is_used in used.items() if is_used]

    @cached_property
    def precision(self) -> Floats | float:
        """`freq_weights` times `var_weights`, or 1 where that is all there is."""
        product = self.freq_weights * self.var_weights
        return 1.0 if np.all(product == 1) else product

    @cached_property
    def excess(self) -> Floats:
        """The relative residuals y / mu - 1."""
        excess = self.response - self.mean  # not y / mu - 1, which loses digits near 0
        excess /= self.mean
        return np.asarray(excess)

    @cached_property
    def half_deviance(self) -> float:
        """Sum f w (y / mu - 1 - log(y / mu)), with the digits that a large shape needs."""
        excess = self.excess
        terms = excess - np.log1p(np.maximum(excess, -0.5))
        near_zero = excess < -0.5
        ratio = np.log(self.response[near_zero]) - np.log(self.mean[near_zero])
        terms[near_zero] = excess[near_zero] - ratio
        return float(np.sum(self.precision * terms))

    @cached_property
    def fitted_rows(self) -> GammaRows:
        """The rows that the fit was made of."""
        predictor = shifted(self.design @ self.coefficients, self.offset, self.log_exposure)
        return make_rows(self, predictor, self.design, self.var_weights, self.labels, "the fit")

    @cached_property
    def gradient(self) -> Floats | float:
        """The derivative of the log of the means in the linear predictor."""
        return log_mean(self.link, self.fitted_rows.linear_predictor)[1]

    @cached_property
    def transform(self) -> Floats:
        """The matrix T for which the columns ``sqrt(f w) |g| x T`` are orthonormal."""
        design = self.design if self.free is None else self.design @ self.free
        basis = orthonormal_transform(design, np.sqrt(self.precision) * np.abs(self.gradient))
        return basis if self.free is None else self.free @ basis

    def mean_model(self) -> MeanModel:
        """Return how replicates of the responses move the coordinates of the coefficients."""
        predictor = self.fitted_rows.linear_predictor
        if self.origin is None and len(self.response) > 0:
            basis = self._stand_in()
        else:
            basis = self.design @ self.transform
        start, penalty = np.zeros(basis.shape[1]), None
        if self.penalty is not None:
            start = np.linalg.pinv(self.transform) @ self.coefficients
            penalty = self.transform.T @ self.penalty @ self.transform
        return MeanModel(basis, predictor - basis @ start, self.link, start, penalty)

    def _stand_in(self) -> Floats:
        # Under a log link with a constant the effect of the coefficients on the distribution of
        # the probabilities does not depend on the other columns, to first order.
        n = len(self.response)
        columns = np.random.default_rng(0).standard_normal((n, round(self.n_parameters or 0)))
        columns[:, :1] = 1
        weighted = columns * np.sqrt(self.var_weights)[:, np.newaxis]
        return np.asarray(columns @ orthonormal_transform(weighted, 1.0))


@dataclass(frozen=True)
class GammaRows:
    """Rows, fitted or new, with the mean that the coefficients give them."""

    mean: Floats
    linear_predictor: Floats
    design: Floats
    weights: Floats | float
    labels: pd.Index


def shifted(predictor: Floats, *terms: Floats | None) -> Floats:
    """Return a linear predictor with what is added to it: offset, logarithm of the exposure."""
    for term in terms:
        predictor = predictor if term is None else predictor + term
    return predictor


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
    inside = is_possible(fit.link, predictor)
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


def is_possible(link: Any, predictor: Floats) -> NDArray[np.bool_]:
    """Return where a linear predictor has a positive and finite mean under a link."""
    from statsmodels.genmod.families.links import Identity, InversePower, Log

    with np.errstate(all="ignore"):
        mean = np.asarray(link.inverse(predictor), dtype=np.float64)
        possible = (mean > 0) & (mean < np.inf)
        if isinstance(link, Identity | InversePower | Log):
            return np.asarray(possible)
        # Squares and the like turn a predictor outside the link's range into a mean that looks
        # right.
        back = np.asarray(link(mean), dtype=np.float64)
    tolerance = INVERSE_TOLERANCE
    return np.asarray(possible & np.isclose(back, predictor, rtol=tolerance, atol=tolerance))
