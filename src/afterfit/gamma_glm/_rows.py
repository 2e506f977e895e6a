"""Rows to predict: fitted or new ones, from a formula's variables or a design's columns."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from afterfit._validation import as_float_array, as_pandas, check_matrix, listing
from afterfit.gamma_glm._estimators import EstimatorDesign, require_columns, take_columns
from afterfit.gamma_glm._fit import (
    GammaFit,
    GammaRows,
    check_responses,
    make_rows,
    refuse_rows,
    shifted,
)
from afterfit.gamma_glm._irls import is_log
from afterfit.gamma_glm._sources import check_vector

Floats = NDArray[np.float64]


def select_rows(
    fit: GammaFit, data: Any, offset: Any, exposure: Any, var_weights: Any
) -> GammaRows:
    """Return the fitted rows (`data` None) or new ones, with offset, exposure and var_weights.

    For fitted rows, what is given replaces the fit's own.
    """
    terms = {"offset": offset, "exposure": exposure, "var_weights": var_weights}
    terms = {name: value for name, value in terms.items() if value is not None}
    own: dict[str, Any] = {}
    if data is None:
        if not terms:
            return fit.fitted_rows
        design, labels, name = fit.design, fit.labels, "the fitted rows"
        own = {"offset": fit.offset, "exposure": fit.log_exposure, "var_weights": fit.var_weights}
    else:
        design, labels, name = *_new_design(fit, data), "`data`"
        _require_what_the_fit_used(fit, terms)
    if "exposure" in terms and not is_log(fit.link):
        raise ValueError(
            f"`exposure` needs the Log link, the fit has {type(fit.link).__name__}. Use `offset`, "
            "which adds to the linear predictor of any link."
        )
    for term, value in terms.items():
        own[term] = check_rows(value, term, labels)
        if term != "offset":
            refuse_rows(~(own[term] > 0), labels, f"`{term}`", "must be positive")
    if "exposure" in terms:
        own["exposure"] = np.log(own["exposure"])
    predictor = shifted(design @ fit.coefficients, own.get("offset"), own.get("exposure"))
    return make_rows(fit, predictor, design, own.get("var_weights", 1.0), labels, name)


def select_response(
    fit: GammaFit, y: Any, data: Any, labels: pd.Index, *, allow_zero: bool = False
) -> Floats:
    """Return the responses to judge: those given, or the fit's own where none are."""
    if y is None:
        if data is not None:
            raise ValueError(
                "`y` is needed with `data`: one value for each row of `data`, or one for all."
            )
        return fit.response
    advice = (
        " statsmodels drops rows with missing values: leave `y` out for the fitted responses, or "
        "give `data` as well."
    )
    response = check_rows(y, "y", labels, advice if data is None else "")
    judged = response != 0 if allow_zero else slice(None)
    check_responses(response[judged], labels[judged], "`y`")
    return response


def check_rows(values: Any, name: str, labels: pd.Index, advice: str = "") -> Floats:
    """Return `values` (one for all rows, or one for each) as finite floats, or raise."""
    index = values.index if isinstance(values, pd.Series) else labels
    if isinstance(values, pd.Series) and pd.api.types.is_numeric_dtype(values):
        values = values.to_numpy(dtype=np.float64, na_value=np.nan)
    array = as_float_array(values, name)
    if array.shape not in ((), (len(labels),)):
        raise ValueError(
            f"`{name}` must be one number or have shape ({len(labels)},), one value for each row, "
            f"got shape {array.shape}.{advice}"
        )
    if not index.equals(labels):
        raise ValueError(
            f"The index of `{name}` differs from that of the rows. Align them, or pass "
            f"`{name}.to_numpy()` if the order is meant."
        )
    array = np.broadcast_to(array, (len(labels),))
    refuse_rows(~np.isfinite(array), labels, f"`{name}`", "must be finite")
    return array


def _require_what_the_fit_used(fit: GammaFit, terms: dict[str, Any]) -> None:
    # statsmodels takes 0, 1 and 1 in silence, and is wrong for rows that differ.
    neutral = {
        "offset": "0 for none",
        "exposure": "1 for one unit",
        "var_weights": "1 for single observations",
    }
    for name in fit.needs:
        if name not in terms:
            raise ValueError(
                f"The fit used `{name}`: give `{name}` for the rows of `data` too (one value for "
                f"each row, or one for all; {neutral[name]})."
            )


def _new_design(fit: GammaFit, data: Any) -> tuple[Floats, pd.Index]:
    data = _as_table(data, "data")
    labels = data.index if isinstance(data, pd.DataFrame | pd.Series) else None
    model = fit.origin
    if model is None:  # new rows are means
        means = check_vector(data, "data", None)
        refuse_rows(~(means > 0), pd.RangeIndex(len(means)), "`data`", "must be means > 0")
        design = np.log(means)[:, np.newaxis]
    elif isinstance(model, EstimatorDesign):
        design = model.design(data)
    elif hasattr(model, "smoother"):
        design = _design_of_additive_model(model, data, fit.names)
    elif getattr(model, "formula", None) is not None:
        spec = getattr(model.data, "model_spec", None)
        if spec is None:
            spec = getattr(model.data, "design_info", None)  # statsmodels 0.14
        design = _design_from_formula(model, spec, model.formula, fit.names, data)
    else:
        design = _design_from_columns(model, data, fit.names)
    return design, pd.RangeIndex(len(design)) if labels is None else labels


def _as_table(data: Any, name: str) -> Any:
    """Return what has columns with names (any table, a dict, a structured array) as a DataFrame."""
    is_dict = isinstance(data, dict)
    if not is_dict and not getattr(getattr(data, "dtype", None), "names", None):
        return as_pandas(data, name)
    try:
        return pd.DataFrame(data)
    except ValueError as error:
        raise ValueError(
            f"`{name}` must hold columns of equal length ({error}). One row is a table as "
            "`pandas.DataFrame([row])`."
        ) from None


def _design_of_additive_model(model: Any, data: Any, names: list[str]) -> Floats:
    """Return formula terms and spline columns of a table, or the rows of a design as they are."""
    spec = getattr(model, "model_spec_linear", None)
    if spec is None or not isinstance(data, pd.DataFrame):
        return _design_from_columns(model, data, names)
    names = names[: model.k_exog_linear]
    linear = _design_from_formula(model, spec, model.formula_linear, names, data)
    require_columns(data, model.smoother.variable_names)
    smooth = check_matrix(data[model.smoother.variable_names], "data", min_rows=0)
    return np.column_stack([linear, model.smoother.transform(smooth)])


def _design_from_columns(model: Any, data: Any, names: list[str]) -> Floats:
    original = getattr(model.data, "orig_exog", None)
    return take_columns(
        data,
        list(original.columns) if isinstance(original, pd.DataFrame) else None,
        names,
        hint=" A constant is added by `sm.add_constant(data, has_constant='add')`, not by "
        "statsmodels itself.",
    )


def _design_from_formula(
    model: Any, spec: Any, formula: str, names: list[str], data: Any
) -> Floats:
    frame = _as_table(getattr(model.data, "frame", None), "the fitted table")
    columns = _columns_in_formula(spec, frame)
    if not isinstance(data, pd.DataFrame):
        raise TypeError(
            f"The fit came from the formula {formula!r}: `data` must be a table with its column(s) "
            f"{listing([repr(column) for column in columns])}, got {type(data).__name__}. One row "
            "of a DataFrame is a table as `frame.iloc[[i]]`."
        )
    data = _checked_variables(data, columns, spec, frame)
    design = _evaluate_formula(spec, data, formula)
    if design.shape != (len(data), len(names)):
        raise ValueError(
            f"`data` has {len(data)} rows and the formula {formula!r} made a design of shape "
            f"{design.shape} of it: a transformation in the formula gives missing values."
        )
    bad = ~np.isfinite(design)
    if bad.any():
        terms = [repr(names[j]) for j in np.flatnonzero(bad.any(axis=0))]
        refuse_rows(bad.any(axis=1), data.index, f"the term(s) {listing(terms)}", "must be finite")
    return design


def _columns_in_formula(spec: Any, frame: Any) -> list[Any]:
    """Return the columns of the fitted frame that the right-hand side names."""
    parts = [part for factor in _factors(spec) for part in ast.walk(factor)]
    names = {_column_named_by(part) for part in parts}
    if frame is None:  # the fit has lost its frame: the formula engine will say what it lacks
        return []
    return [column for column in frame.columns if column in names]


def _columns_of_levels(spec: Any, fitted: pd.DataFrame) -> list[Any]:
    """Return the columns whose values are levels: what is in C(...), and what is no number."""
    found = []
    for factor in _factors(spec):
        treated = _is_call(factor, "C") and factor.args
        column = _column_named_by(factor.args[0] if treated else factor)
        if column in fitted and (treated or not _holds_numbers(fitted[column])):
            found.append(column)
    return found


def _factors(spec: Any) -> list[Any]:
    """Return the factors of the right-hand side, each of them a Python expression."""
    if hasattr(spec, "factors"):  # formulaic
        codes = [str(factor.expr) for factor in spec.factors]
    else:  # patsy
        codes = [factor.code for factor in spec.factor_infos if hasattr(factor, "code")]
    return [ast.parse(code, mode="eval").body for code in codes]


def _column_named_by(node: Any) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    # Q("a name with blanks") is patsy's and formulaic's way to name any column.
    return getattr(node.args[0], "value", None) if _is_call(node, "Q") and node.args else None


def _is_call(node: Any, name: str) -> bool:
    return isinstance(node, ast.Call) and getattr(node.func, "id", None) == name


def _checked_variables(
    data: pd.DataFrame, columns: Sequence[Any], spec: Any, fitted: Any
) -> pd.DataFrame:
    """Return `data` with its levels in the type that the fit saw, or raise."""
    # A column that is absent must not be looked up among the caller's variables, as patsy does.
    require_columns(data, columns)
    missing = {column: int(data[column].isna().sum()) for column in columns}
    found = [f"{column!r} ({count})" for column, count in missing.items() if count]
    if found:
        raise ValueError(
            f"`data` has missing values in column(s) {listing(found)}: drop or impute these rows."
        )
    for column in columns:
        if _holds_numbers(fitted[column]) and not _holds_numbers(data[column]) and len(data) > 0:
            raise ValueError(
                f"`data` must have numbers in column {column!r}, as in the fit, "
                f"got {data[column].dtype}."
            )
    levels = _columns_of_levels(spec, fitted) if columns else []
    for column in levels:
        _check_levels(data[column], fitted[column], column)
    # Engines read categories by their type: numbers would not be those of a text column. Without
    # rows no column has a type of its own.
    typed = levels if len(data) > 0 else columns
    return data.astype({column: fitted[column].dtype for column in typed})


def _holds_numbers(values: pd.Series) -> bool:
    return bool(values.dtype.kind in "iuf")


def _check_levels(new: pd.Series, fitted: pd.Series, column: Any) -> None:
    known = pd.unique(fitted.dropna())
    unseen = ~new.isin(known).to_numpy()
    if unseen.any():
        levels = listing(_plain(pd.unique(new[unseen])))
        raise ValueError(
            f"`data` has level(s) of {column!r} that the fit never saw: {levels}, in "
            f"{int(unseen.sum())} row(s) ({listing(list(new.index[unseen]))}). Known are "
            f"{listing(_plain(known))}. Leave these rows out, or fit with them."
        )


def _plain(levels: Any) -> list[str]:
    return [repr(level.item() if hasattr(level, "item") else level) for level in levels]


def _evaluate_formula(spec: Any, data: pd.DataFrame, formula: str) -> Floats:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # formulaic only warns of an unseen level, and gives the row that of the baseline.
        warnings.filterwarnings("error", message=".*categories outside of the nominated levels.*")
        try:
            if hasattr(spec, "get_model_matrix"):
                matrix = spec.get_model_matrix(data, output="numpy", na_action="ignore")
            else:
                import patsy  # type: ignore[import-untyped]

                matrix = patsy.dmatrix(spec, data, NA_action=patsy.NAAction(NA_types=[]))
            return np.asarray(matrix, dtype=np.float64)
        except Exception as error:
            detail = " ".join(str(error).split())
            raise ValueError(f"`data` does not fit the formula {formula!r}: {detail}") from error
