"""What a gamma regression of scikit-learn or glum says of itself: design, coefficients, penalty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from afterfit._validation import as_pandas, check_matrix, column_names, listing

Floats = NDArray[np.float64]

ACCEPTED = (
    "a fitted GammaRegressor or TweedieRegressor(power=2) of scikit-learn, a "
    "GeneralizedLinearRegressor(family='gamma') of glum, or a Pipeline that ends in one, all with "
    "the log link"
)


@dataclass(frozen=True)
class EstimatorDesign:
    """How rows become a design: columns by name, the steps before the regression, a constant."""

    columns: list[Any] | None  # of the table of the fit; None for an array
    names: list[str]  # of the slopes
    steps: Any  # a fitted Pipeline, or None

    def design(self, X: Any, name: str = "data") -> Floats:
        """Return the design of rows in a table with these columns, or in an array."""
        X = as_pandas(X, name)
        if self.steps is not None:
            X = self.steps.transform(by_name(X, self.columns, name))
            matrix = take_columns(X, None, self.names, name)
        else:
            matrix = take_columns(X, self.columns, self.names, name)
        return np.column_stack([np.ones(len(matrix)), matrix])


@dataclass(frozen=True)
class LinearPart:
    """What `gamma_glm.from_estimator` takes from an estimator and its rows."""

    design: Floats
    coefficients: Floats
    names: list[str]
    ridge: Floats | None  # S of b' S b / 2 beside half the mean deviance
    origin: EstimatorDesign


def read_estimator(estimator: Any, X: Any) -> LinearPart:
    """Return design, coefficients and penalty of a fitted gamma regression, or raise."""
    from sklearn.pipeline import Pipeline
    from sklearn.utils.validation import check_is_fitted

    steps = None
    if isinstance(estimator, Pipeline):
        check_is_fitted(estimator)
        steps = estimator[:-1] if len(estimator.steps) > 1 else None
        estimator = estimator.steps[-1][1]
    alpha = _ridge_of_gamma(estimator)
    check_is_fitted(estimator)
    slopes = np.asarray(estimator.coef_, dtype=np.float64).ravel()
    columns = column_names(X, "X")
    names = [str(column) for column in columns or []]
    if steps is not None or len(names) != len(slopes):
        names = [f"x{j + 1}" for j in range(len(slopes))]
    origin = EstimatorDesign(columns, names, steps)
    return LinearPart(
        design=origin.design(X, "X"),
        coefficients=np.concatenate([[float(estimator.intercept_)], slopes]),
        names=["const", *names],
        ridge=None if alpha == 0 else alpha * np.diag([0.0, *np.ones(len(slopes))]),
        origin=origin,
    )


def take_columns(
    data: Any, columns: list[Any] | None, names: list[str], name: str = "data", hint: str = ""
) -> Floats:
    """Return the columns of a design: of a table by name if they have some, else in their order."""
    matrix = check_matrix(
        by_name(data, columns, name), name, min_rows=0, axes="(rows, columns of the fit's design)"
    )
    if matrix.shape[1] != len(names):
        raise ValueError(
            f"`{name}` must have the {len(names)} column(s) of the fit's design "
            f"({listing(names)}), got {matrix.shape[1]}.{hint}"
        )
    return matrix


def by_name(data: Any, columns: list[Any] | None, name: str) -> Any:
    """Return the columns of a table in the order of the fit, and anything else as it is."""
    if columns is None or not isinstance(data, pd.DataFrame) or list(data.columns) == columns:
        return data
    require_columns(data, columns, name)
    return data[columns]


def require_columns(data: pd.DataFrame, columns: Sequence[Any], name: str = "data") -> None:
    """Raise unless the table has each of the columns once."""
    absent = [column for column in columns if column not in data.columns]
    if absent:
        hint = " Add it with `sm.add_constant(data, has_constant='add')`."
        raise ValueError(
            f"`{name}` lacks {len(absent)} column(s) of the fit: "
            f"{listing([repr(column) for column in absent])}.{hint if 'const' in absent else ''}"
        )
    twice = [column for column in columns if (data.columns == column).sum() > 1]
    if twice:
        raise ValueError(
            f"`{name}` has more than one column named {listing([repr(one) for one in twice])}."
        )


def _ridge_of_gamma(estimator: Any) -> float:
    """Return the ridge penalty of a gamma regression with log link, or raise for any other."""
    from sklearn.linear_model import GammaRegressor, TweedieRegressor

    if isinstance(estimator, GammaRegressor):
        return float(estimator.alpha)
    is_tweedie = isinstance(estimator, TweedieRegressor)
    if is_tweedie and estimator.power == 2 and estimator.link in ("auto", "log"):
        return float(estimator.alpha)
    is_glum = type(estimator).__module__.startswith("glum")
    if not is_glum or not hasattr(estimator, "family"):
        raise TypeError(
            f"`estimator` must be {ACCEPTED}; got {type(estimator).__name__}. Any other model of "
            "the mean comes in by `gamma_glm.from_means(y, mean, n_parameters)`."
        )
    family, link = estimator.family, estimator.link
    # Names, or glum's own objects.
    is_gamma = family == "gamma" or getattr(family, "power", None) == 2
    if not is_gamma or not (link in ("auto", "log") or type(link).__name__ == "LogLink"):
        raise ValueError(f"`estimator` must be {ACCEPTED}; got family {family!r}, link {link!r}.")
    alpha = getattr(estimator, "alpha_", estimator.alpha)
    ratio = getattr(estimator, "l1_ratio_", estimator.l1_ratio)
    if alpha and (ratio != 0 or estimator.scale_predictors or estimator.P2 != "identity"):
        raise ValueError(
            f"`estimator` must be unpenalised or a plain ridge, got alpha={alpha!r} with "
            f"l1_ratio={ratio!r}. Fit the columns that a lasso has chosen with `alpha=0`."
        )
    return float(alpha or 0)
