"""What the public functions of this wing accept, and how they say what they refuse."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from afterfit._arrays import is_foreign, open_array, to_numpy
from afterfit._labels import as_written
from afterfit._validation import (
    as_float_array,
    as_pandas,
    check_columns,
    check_integer,
    check_matrix,
    check_real,
    column_names,
    listing,
)
from afterfit.boundary._densities import as_fitted

Array = NDArray[np.float64]
Box = tuple[tuple[float, float], ...]

# Priors must add up to one within this much.
PRIOR_TOLERANCE = 1e-8

# Limits drawn around data: this fraction of the range on either side.
PADDING = 0.08


def as_labels(labels: Iterable[Any]) -> NDArray[Any]:
    """Return labels as an array of numbers or text, or of objects where kinds are mixed."""
    numpy_kinds = (np.bool_, np.integer, np.floating, np.str_)
    labels = [label.item() if isinstance(label, numpy_kinds) else label for label in labels]
    kinds = {type(label) for label in labels}
    if len(kinds) == 1 and kinds <= {int, float, bool, str}:
        return np.array(labels)
    array = np.empty(len(labels), dtype=object)
    array[:] = labels
    return array


def columns_of_fit(sources: Sequence[Any]) -> list[Any] | None:
    """Return the columns of the tables that models were fitted on, or raise if they differ."""
    fits = [list(s.feature_names_in_) for s in sources if hasattr(s, "feature_names_in_")]
    for columns in fits:
        if columns != fits[0]:
            raise ValueError(
                "`log_densities` must be fitted on the same columns in the same order, got "
                f"{listing([repr(name) for name in fits[0]])} and "
                f"{listing([repr(name) for name in columns])}."
            )
    return fits[0] if fits else None


def check_sources(log_densities: Any, classes: Any) -> tuple[list[Any], NDArray[Any]]:
    if isinstance(log_densities, Mapping):
        if classes is not None:
            raise ValueError("`classes` must be None with a mapping, whose keys are the classes.")
        sources, labels = list(log_densities.values()), list(log_densities)
    elif isinstance(log_densities, Sequence) and not isinstance(log_densities, str):
        sources = list(log_densities)
        classes = range(len(sources)) if classes is None else classes
        if not isinstance(classes, Iterable) or isinstance(classes, str | set | frozenset):
            raise TypeError(f"`classes` must be labels in an order, got {classes!r}.")
        labels = list(classes)
    else:
        raise TypeError(
            "`log_densities` must be a sequence or a mapping with one density a class, "
            f"got {type(log_densities).__name__}."
        )
    if len(sources) < 2:
        raise ValueError(f"`log_densities` must be for at least two classes, got {len(sources)}.")
    if len(labels) != len(sources):
        raise ValueError(
            f"`classes` must name each of the {len(sources)} densities, got {len(labels)} name(s)."
        )
    for label in labels:
        if not isinstance(label, Hashable):
            raise TypeError(f"`classes` must be hashable, got {label!r}.")
        if label is not None and pd.api.types.is_scalar(label) and pd.isna(label):
            raise ValueError(f"`classes` must not be missing, got {label!r}.")
    repeated = [label for i, label in enumerate(labels) if label in labels[:i]]
    if repeated:
        raise ValueError(f"`classes` must differ, got {listing(repeated)} more than once.")
    return sources, as_labels(labels)


def check_flag(value: Any, name: str) -> None:
    """Raise unless this is True or False."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"`{name}` must be True or False, got {value!r}.")


def check_priors(priors: Any, classes: NDArray[Any], name: str = "priors") -> Array:
    n = len(classes)
    if priors is None:
        return np.full(n, 1.0 / n)
    if isinstance(priors, Mapping | pd.Series):
        _check_names(list(priors.keys()), classes, name)
        named = dict(priors.items())
        priors = [named[label] for label in classes.tolist()]
    array = as_float_array(priors, name).copy()
    if array.shape != (n,):
        raise ValueError(
            f"`{name}` must hold one probability for each of the {n} classes, "
            f"got shape {array.shape}."
        )
    if not (array >= 0).all() or abs(array.sum() - 1.0) > PRIOR_TOLERANCE:
        raise ValueError(
            f"`{name}` must be at least 0 and add up to 1, got {array.tolist()} "
            f"(sum {array.sum():.10g})."
        )
    return array


def _check_names(names: list[Any], classes: NDArray[Any], argument: str) -> None:
    """Raise if what comes with labels of its own is labelled by anything but the classes."""
    if len(names) != len(classes) or set(names) != set(classes.tolist()):
        expected, got = (
            listing([repr(name) for name in side]) for side in (classes.tolist(), names)
        )
        raise ValueError(
            f"`{argument}` must be labelled by the classes ({expected}), got labels {got}. Give a "
            "list or an array to take them in the order of the classes."
        )


def check_losses(losses: Any, classes: NDArray[Any]) -> Array:
    n_classes = len(classes)
    if losses is None:
        return 1.0 - np.eye(n_classes)
    if isinstance(losses, pd.DataFrame):
        for labels in (losses.index, losses.columns):
            _check_names(labels.tolist(), classes, "losses")
        losses = losses.loc[classes.tolist(), classes.tolist()]
    array = as_float_array(losses, "losses").copy()
    if array.shape != (n_classes, n_classes):
        raise ValueError(
            f"`losses` must have shape ({n_classes}, {n_classes}), losses[i, j] the cost of "
            f"deciding class j when the truth is class i, got shape {array.shape}."
        )
    return check_matrix(array, "losses")


def check_rejection(
    cost: float | None, label: Hashable | None, classes: NDArray[Any]
) -> tuple[float | None, Hashable | None]:
    if cost is None:
        if label is not None:
            raise ValueError(
                f"`reject_label` needs a `reject_cost`, got label {label!r} without one."
            )
        return None, None
    number = check_real(cost, "reject_cost")
    if not np.isfinite(number):
        raise ValueError(f"`reject_cost` must be finite, got {cost!r}.")
    if label is None:
        label = -1 if classes.dtype.kind in "iuf" else "reject"
    if label in classes.tolist():
        listed = listing([repr(one) for one in classes.tolist()])
        raise ValueError(f"`reject_label` must differ from all classes ({listed}), got {label!r}.")
    return number, label


def check_box(limits: Any, name: str, n_features: int | None) -> Box:
    """Return (low, high) for each feature of the rule, or raise."""
    array = as_float_array(limits, name)
    if array.shape == (2,):
        array = array[None, :]
    if array.ndim != 2 or array.shape[1:] != (2,) or len(array) == 0:
        raise ValueError(
            f"`{name}` must be (low, high) for one feature, or one such pair a feature, "
            f"got {limits!r}."
        )
    with np.errstate(over="ignore", invalid="ignore"):
        width = array[:, 1] - array[:, 0]
    if not (np.isfinite(width) & (width > 0)).all():
        raise ValueError(
            f"`{name}` must be finite with low < high and a finite difference, got {limits!r}."
        )
    if n_features is not None and len(array) != n_features:
        raise ValueError(
            f"`{name}` must have one (low, high) for each of the rule's {n_features} "
            f"feature(s), got {len(array)}."
        )
    return tuple((float(low), float(high)) for low, high in array)


def check_limits(limits: Any, n_features: int | None) -> Box:
    """Return the limits of one or two features, or raise."""
    if n_features is not None and n_features > 2:
        raise ValueError(
            f"`limits` are for one or two features, not the rule's {n_features} "
            "feature(s). Cut one or two features out with `slice`."
        )
    box = check_box(limits, "limits", n_features)
    if len(box) > 2:
        raise ValueError(f"`limits` must be for one or two features, got {len(box)}.")
    return box


def check_rows(X: Any, n_features: int | None) -> Any:
    """Return rows as a classifier takes them, tables as they are, or raise."""
    if isinstance(X, Sequence):
        X = np.asarray(X)
    if not hasattr(X, "shape"):
        raise TypeError(f"`X` must be an array or a table, got {type(X).__name__}.")
    if len(X.shape) == 1 and n_features == 1:
        X = np.asarray(X).reshape(-1, 1)
    if len(X.shape) != 2 or X.shape[0] == 0:
        raise ValueError(
            f"`X` must have shape (n_samples, n_features) with at least 1 row, got {X.shape}."
        )
    return X


def check_row(point: Any, columns: list[Any] | None) -> Any:
    """Return a point as one row: a DataFrame if it is named, in the order of the fit; or raise."""
    if isinstance(point, pd.Series) and isinstance(point.index, pd.RangeIndex):
        point = point.to_numpy()
    if isinstance(point, Mapping | pd.Series):
        point = pd.DataFrame([dict(point.items())])
    point = as_pandas(point, "point")
    if not isinstance(point, pd.DataFrame):
        return np.atleast_2d(as_float_array(point, "point"))
    if columns is None:
        return point
    if sorted(map(repr, point.columns)) != sorted(map(repr, columns)):
        raise ValueError(
            "`point` must have the columns of the fit: "
            f"{listing([repr(name) for name in columns])}; "
            f"got {listing([repr(name) for name in point.columns])}."
        )
    return point[columns]


def check_free(features: Any, n_features: int, columns: list[Any] | None) -> list[int]:
    """Return the positions of one or two features, given by position or by name, or raise."""
    free = []
    for value in np.atleast_1d(np.asarray(features, dtype=object)).tolist():
        if isinstance(value, str) and columns is not None:
            if value not in columns:
                listed = listing([repr(name) for name in columns])
                raise ValueError(
                    f"`features` must be columns of the fit ({listed}), got {value!r}."
                )
            value = columns.index(value)
        free.append(check_integer(value, "features", low=0, high=n_features - 1))
    if len(free) not in (1, 2) or len(set(free)) < len(free):
        raise ValueError(f"`features` must be one or two distinct columns, got {features!r}.")
    return free


def check_points(X: Any, n_features: int | None, fitted: list[Any] | None) -> Array:
    """Return points of shape (n, n_features), of the columns of the fit where `X` has names."""
    if is_foreign(X):  # wherever it lies: rules are evaluated on the host
        X = to_numpy(open_array(X, "X"))
    if column_names(X) is None:
        X = as_float_array(X, "X")
        if X.ndim <= 1 and n_features not in (None, 1):
            raise ValueError(f"`X` must have shape (n_samples, {n_features}), got shape {X.shape}.")
        X = X.reshape(-1, 1) if X.ndim <= 1 else X
    check_columns(X, fitted)
    points = check_matrix(X)
    if n_features is not None and points.shape[1] != n_features:
        raise ValueError(f"`X` must have {n_features} feature(s), got {points.shape[1]}.")
    return points


def check_judge(
    of: Any, n_features: int, decisions: list[Hashable]
) -> Callable[[Array, Array], NDArray[np.intp]]:
    """Return the decisions of another rule or classifier as column numbers, or raise."""
    if not callable(getattr(of, "predict", None)):
        raise TypeError(
            "`of` must be a BayesRule or a fitted estimator with `predict`, "
            f"got {type(of).__name__}."
        )
    theirs = getattr(of, "n_features", getattr(of, "n_features_in_", None))
    if theirs not in (None, n_features):
        raise ValueError(f"`of` must have {n_features} feature(s) as the rule, got {theirs}.")
    number = {label: column for column, label in enumerate(decisions)}

    def decide(X: Array, _: Array) -> NDArray[np.intp]:
        decided = np.asarray(of.predict(as_fitted(of, X))).tolist()
        unknown = sorted({repr(label) for label in set(decided) - set(number)})
        if unknown:
            raise ValueError(
                f"`of` must decide for {listing([repr(label) for label in number])}, "
                f"got {listing(unknown)}."
            )
        return np.fromiter((number[label] for label in decided), np.intp, len(decided))

    return decide


def limits_of(data: Array | None) -> list[tuple[float, float]]:
    if data is None:
        raise ValueError("`limits` must be given where there are no data points `X` to set them.")
    low, high = data.min(axis=0), data.max(axis=0)
    room = PADDING * np.where(high > low, high - low, 1.0)
    return list(zip((low - room).tolist(), (high + room).tolist(), strict=True))


def check_levels(density_levels: Any) -> list[float]:
    """Return the distinct levels in increasing order, or raise."""
    levels = np.atleast_1d(density_levels).tolist()
    return sorted(
        {check_real(level, "density_levels", low=0.0, high=1.0, closed=False) for level in levels}
    )


def axis_names(X: Any, feature_names: Sequence[str] | None) -> tuple[str, ...]:
    if feature_names is not None:
        return tuple(str(name) for name in np.atleast_1d(feature_names))
    columns = column_names(X)
    if columns is None:  # a column of a table has a name of its own
        columns = [X.name] if getattr(X, "name", None) is not None else []
    return tuple(as_written(column) for column in columns)


def check_data_labels(
    y: Any, data: Array | None, classes: NDArray[Any], name: str = "y", of: str = "X"
) -> NDArray[Any] | None:
    if y is None:
        return None
    if data is None:
        raise ValueError(f"`{name}` must come with the data points `{of}`.")
    y = as_pandas(y, name)
    if not hasattr(y, "__len__"):
        raise TypeError(
            f"`{name}` must be one class for each row of `{of}`, got {type(y).__name__}."
        )
    shape = y.shape if hasattr(y, "shape") else (len(y),)
    if shape != (len(data),):
        raise ValueError(f"`{name}` must have shape ({len(data)},) as `{of}`, got {shape}.")
    labels = np.empty(len(y), dtype=object)
    labels[:] = list(y)
    known = set(classes.tolist())
    unknown = sorted(
        {repr(label) for label in labels if not isinstance(label, Hashable) or label not in known}
    )
    if unknown:
        accepted = listing([repr(label) for label in classes.tolist()])
        raise ValueError(
            f"`{name}` must hold classes of the rule ({accepted}), got {listing(unknown)}."
        )
    return labels
