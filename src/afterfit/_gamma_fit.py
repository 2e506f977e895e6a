"""What `afterfit.gamma_glm` reads from a statsmodels fit: checked once, then plain arrays."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.exceptions import NotFittedError

from afterfit._validation import check_matrix, listing

Floats = NDArray[np.float64]

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
        return float(self.results.df_resid)

    @cached_property
    def is_weighted(self) -> bool:
        """Whether any `var_weights` differ from 1."""
        return bool(np.any(self.var_weights != 1))

    @cached_property
    def mean(self) -> Floats:
        """The fitted means, (n,)."""
        return self.fitted_rows().mean

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

    def fitted_rows(self) -> GammaRows:
        """Return the rows that the fit was made of."""
        predictor = self.design @ self.coefficients
        for term in (self.offset, self.log_exposure):
            if term is not None:
                predictor = predictor + term
        return _rows(self, predictor, self.design, self.var_weights, self.labels, "the fit")


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
    _refuse(~(var_weights > 0), labels, "`var_weights` of the fit", "must be positive")
    _refuse(~(freq_weights >= 0), labels, "`freq_weights` of the fit", "must not be negative")
    offset, log_exposure = getattr(model, "offset", None), getattr(model, "exposure", None)
    return GammaFit(
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


def select_rows(
    fit: GammaFit, data: Any, *, offset: Any, exposure: Any, var_weights: Any
) -> GammaRows:
    """Return the fitted rows (`data` None) or new ones; what is given replaces the fit's own."""
    if data is None:
        if offset is None and exposure is None and var_weights is None:
            return fit.fitted_rows()
        design, labels, name = fit.design, fit.labels, "the fitted rows"
    else:
        design, labels, name = *_new_design(fit, data), "`data`"
        _require_what_the_fit_used(fit, offset, exposure, var_weights)
    predictor = design @ fit.coefficients
    shift = fit.offset if offset is None else check_rows(offset, "offset", labels)
    if shift is not None:
        predictor = predictor + shift
    shift = fit.log_exposure if exposure is None else _log_exposure(fit, exposure, labels)
    if shift is not None:
        predictor = predictor + shift
    weights: Floats | float = 1.0 if data is not None else fit.var_weights
    if var_weights is not None:
        weights = check_rows(var_weights, "var_weights", labels)
        _refuse(~(weights > 0), labels, "`var_weights`", "must be positive")
    return _rows(fit, predictor, design, weights, labels, name)


def select_response(fit: GammaFit, y: Any, data: Any, labels: pd.Index) -> Floats:
    """Return the responses to judge: those given, or the fit's own where none are."""
    if y is None:
        if data is not None:
            raise ValueError(
                "`y` is needed with `data`: one value for each row of `data`, or one for all."
            )
        return fit.response
    if data is None and np.ndim(y) == 1 and len(y) != len(labels):
        raise ValueError(
            f"`y` has {len(y)} values and the fit used {len(labels)} rows (rows with missing "
            "values are dropped by statsmodels). Leave `y` out for the fitted responses, give one "
            "value for all rows, or give `data` as well."
        )
    response = check_rows(y, "y", labels)
    check_responses(response, labels, "`y`")
    return response


def check_rows(values: Any, name: str, labels: pd.Index) -> Floats:
    """Return `values` (one for all rows, or one for each) as finite floats, or raise."""
    if isinstance(values, pd.DataFrame | pd.Series) and not values.index.equals(labels):
        raise ValueError(
            f"The index of `{name}` differs from that of the rows. Align them, or pass "
            f"`{name}.to_numpy()` if the order is meant."
        )
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "biuf":
            array = np.array(
                [np.nan if value is pd.NA else value for value in array.ravel()]
            ).reshape(array.shape)
        if array.dtype.kind not in "biuf":
            raise TypeError
        array = array.astype(np.float64, copy=False)
    except (TypeError, ValueError):
        raise TypeError(f"`{name}` must be numeric, got {type(values).__name__}.") from None
    if array.shape not in ((), (len(labels),)):
        raise ValueError(
            f"`{name}` must be one number or have shape ({len(labels)},), one value for each row, "
            f"got shape {array.shape}."
        )
    array = np.broadcast_to(array, (len(labels),))
    _refuse(~np.isfinite(array), labels, f"`{name}`", "must be finite")
    return array


def check_responses(response: Floats, labels: pd.Index, name: str) -> None:
    """Raise unless every response is finite and positive, saying how many and which are not."""
    if response.size and np.min(response) > 0 and np.max(response) < np.inf:
        return  # a NaN fails the comparison
    _refuse(~np.isfinite(response), labels, name, "must be finite: drop or impute these rows first")
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


def _check_is_gamma_glm(results: Any) -> Any:
    from statsmodels.base.elastic_net import RegularizedResults
    from statsmodels.genmod.families import Gamma
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
    if not isinstance(plain, GLMResults):
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


def _rows(
    fit: GammaFit,
    predictor: Floats,
    design: Floats,
    weights: Floats | float,
    labels: pd.Index,
    name: str,
) -> GammaRows:
    with np.errstate(all="ignore"):  # what overflows is refused, by row, in the next lines
        mean = np.asarray(fit.link.inverse(predictor), dtype=np.float64)
    if not (mean.size == 0 or (np.min(mean) > 0 and np.max(mean) < np.inf)):
        link = type(fit.link).__name__
        _refuse(
            ~((mean > 0) & (mean < np.inf)),
            labels,
            f"the mean of {name}",
            f"must be positive and finite under the {link} link. A fit with the Log link cannot "
            "leave that range",
        )
    return GammaRows(mean, predictor, design, weights, labels)


def _refuse(bad: Any, labels: pd.Index, name: str, demand: str) -> None:
    if bad.any():
        raise ValueError(
            f"{name[0].upper() + name[1:]} {demand}: {int(bad.sum())} of {bad.size} row(s) not, "
            f"row(s) {listing(list(labels[bad]))}."
        )


def _ones_or(weights: Any, n_rows: int) -> Floats:
    given = 1.0 if weights is None else weights
    return np.broadcast_to(np.asarray(given, dtype=np.float64), (n_rows,))


def _log_exposure(fit: GammaFit, exposure: Any, labels: pd.Index) -> Floats:
    from statsmodels.genmod.families.links import Log

    if not isinstance(fit.link, Log):
        raise ValueError(
            f"`exposure` needs the Log link, the fit has {type(fit.link).__name__}. Use `offset`, "
            "which adds to the linear predictor of any link."
        )
    values = check_rows(exposure, "exposure", labels)
    _refuse(~(values > 0), labels, "`exposure`", "must be positive")
    return np.asarray(np.log(values))


def _require_what_the_fit_used(fit: GammaFit, offset: Any, exposure: Any, var_weights: Any) -> None:
    # statsmodels takes 0, 1 and 1 in silence, and is wrong for rows that differ.
    used = {
        "offset": (fit.offset is not None and offset is None, "0 for none"),
        "exposure": (fit.log_exposure is not None and exposure is None, "1 for one unit"),
        "var_weights": (fit.is_weighted and var_weights is None, "1 for single observations"),
    }
    for name, (lacking, neutral) in used.items():
        if lacking:
            raise ValueError(
                f"The fit used `{name}`: give `{name}` for the rows of `data` too (one value for "
                f"each row, or one for all; {neutral})."
            )


def _new_design(fit: GammaFit, data: Any) -> tuple[Floats, pd.Index]:
    model = fit.results.model
    labels = data.index if isinstance(data, pd.DataFrame) else None
    if getattr(model, "formula", None) is not None and not hasattr(model, "smoother"):
        design = _design_from_formula(model, data)
    else:
        design = _design_from_columns(model, data)
    return design, pd.RangeIndex(len(design)) if labels is None else labels


def _design_from_columns(model: Any, data: Any) -> Floats:
    names = [str(name) for name in model.exog_names]
    original = getattr(model.data, "orig_exog", None)
    if isinstance(data, pd.DataFrame) and isinstance(original, pd.DataFrame):
        absent = [column for column in original.columns if column not in data.columns]
        if absent:
            hint = (
                " Add it with `sm.add_constant(data, has_constant='add')`."
                if "const" in absent
                else ""
            )
            raise ValueError(
                f"`data` lacks {len(absent)} column(s) of the fit: "
                f"{listing([repr(column) for column in absent])}.{hint}"
            )
        data = data[list(original.columns)]  # by name: the order need not be the fit's
    matrix = check_matrix(data, "data")
    if matrix.shape[1] != len(names):
        raise ValueError(
            f"`data` must have the {len(names)} column(s) of the fit's design ({listing(names)}), "
            f"got {matrix.shape[1]}. A constant is added by "
            "`sm.add_constant(data, has_constant='add')`, not by statsmodels itself."
        )
    return matrix


def _design_from_formula(model: Any, data: Any) -> Floats:
    spec = getattr(model.data, "model_spec", None)
    spec = getattr(model.data, "design_info", None) if spec is None else spec  # statsmodels < 0.15
    frame = getattr(model.data, "frame", None)
    columns = _columns_in_formula(spec, frame)
    if not isinstance(data, pd.DataFrame):
        raise TypeError(
            f"The fit came from the formula {model.formula!r}: `data` must be a DataFrame with its "
            f"column(s) {listing([repr(column) for column in columns])}, "
            f"got {type(data).__name__}."
        )
    _check_formula_columns(data, columns, model)
    design = _evaluate_formula(spec, data, model.formula)
    if design.shape != (len(data), len(model.exog_names)):
        raise ValueError(
            f"`data` has {len(data)} rows and the formula {model.formula!r} made a design of shape "
            f"{design.shape} of it: a transformation in the formula gives missing values."
        )
    bad = ~np.isfinite(design)
    if bad.any():
        terms = [repr(str(model.exog_names[j])) for j in np.flatnonzero(bad.any(axis=0))]
        _refuse(bad.any(axis=1), data.index, f"the term(s) {listing(terms)}", "must be finite")
    return design


def _columns_in_formula(spec: Any, frame: Any) -> list[Any]:
    """Return the columns of the fitted frame that the right-hand side names."""
    if hasattr(spec, "required_variables"):  # formulaic
        names = {str(name) for name in spec.required_variables}
    else:  # patsy: the code of every factor is a Python expression
        names = set()
        for factor in spec.factor_infos:
            code = getattr(factor, "code", None)
            tree = ast.walk(ast.parse(code, mode="eval")) if code else ()
            names |= {node.id for node in tree if isinstance(node, ast.Name)}
            names |= _quoted_columns(code or "")
    if frame is None:  # the fit has lost its frame: the formula engine will say what it lacks
        return []
    return [column for column in frame.columns if column in names]


def _quoted_columns(code: str) -> set[str]:
    # Q("a name with blanks") is patsy's and formulaic's way to name any column.
    return {
        node.args[0].value
        for node in ast.walk(ast.parse(code or "0", mode="eval"))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Q"
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def _check_formula_columns(data: pd.DataFrame, columns: Sequence[Any], model: Any) -> None:
    # A column that is absent must not be looked up among the caller's variables, as patsy does.
    absent = [column for column in columns if column not in data.columns]
    if absent:
        raise ValueError(
            f"`data` lacks {len(absent)} column(s) that the formula needs: "
            f"{listing([repr(column) for column in absent])}."
        )
    missing = {column: int(data[column].isna().sum()) for column in columns}
    found = [f"{column!r} ({count})" for column, count in missing.items() if count]
    if found:
        raise ValueError(
            f"`data` has missing values in column(s) {listing(found)}: drop or impute these rows."
        )
    for column in columns:
        fitted = model.data.frame[column]
        # Numbers are levels where the formula says so: C(year).
        treated = re.search(rf"\bC\(\s*{re.escape(str(column))}\s*[,)]", str(model.formula))
        if treated or not pd.api.types.is_numeric_dtype(fitted):
            _check_levels(data[column], fitted, column)


def _check_levels(new: pd.Series, fitted: pd.Series, column: Any) -> None:
    if pd.api.types.is_datetime64_any_dtype(fitted):
        return
    known = pd.unique(fitted.dropna())
    unseen = ~new.isin(known).to_numpy()
    if unseen.any():
        levels = listing([repr(level) for level in pd.unique(new[unseen])])
        raise ValueError(
            f"`data` has level(s) of {column!r} that the fit never saw: {levels}, in "
            f"{int(unseen.sum())} row(s) ({listing(list(new.index[unseen]))}). Known are "
            f"{listing([repr(level) for level in known])}. Leave these rows out, or fit with them."
        )


def _evaluate_formula(spec: Any, data: pd.DataFrame, formula: str) -> Floats:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # formulaic only warns of an unseen level, and gives the row that of the baseline.
        warnings.filterwarnings("error", message=".*categories outside of the nominated levels.*")
        try:
            if hasattr(spec, "get_model_matrix"):
                matrix = spec.get_model_matrix(data, output="numpy")
            else:
                import patsy  # type: ignore[import-untyped]

                matrix = patsy.dmatrix(spec, data, NA_action="raise")
            return np.asarray(matrix, dtype=np.float64)
        except Exception as error:
            detail = " ".join(str(error).split())
            raise ValueError(f"`data` does not fit the formula {formula!r}: {detail}") from error
