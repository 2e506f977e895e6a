"""What a classifier's probabilities are to a rule: likelihoods, up to a factor of each point."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from afterfit.boundary._arguments import check_priors
from afterfit.boundary._densities import Density, as_fitted, column_of
from afterfit.boundary._estimators import Model

Array = NDArray[np.float64]

# Probabilities add up to one within this much: some classifiers compute in single precision.
SUM_TOLERANCE = 1e-3

NO_DENSITIES = (
    "a classifier's probabilities are no densities. What it costs is the mean of the losses on "
    "held-out rows; whether a point is unlike all classes, densities tell."
)


def read_classifier(classifier: Any, training_priors: Any) -> Model:
    """Return the model of a fitted classifier with `predict_proba`, or raise."""
    from sklearn.utils.validation import check_is_fitted

    kind = type(classifier).__name__
    if isinstance(classifier, type) or not callable(getattr(classifier, "predict_proba", None)):
        raise TypeError(
            f"`classifier` must be a fitted classifier with `predict_proba`, got {kind}. One that "
            "has only `decision_function` gets it from `CalibratedClassifierCV(classifier)`."
        )
    check_is_fitted(classifier)
    classes = np.asarray(classifier.classes_)
    if classes.ndim != 1 or len(classes) < 2:
        raise ValueError(
            f"`classifier` must tell one label among at least two classes, got {kind} with "
            f"classes {classifier.classes_!r}."
        )
    shares = check_priors(training_priors, classes, "training_priors")
    if not (shares > 0).all():
        raise ValueError(
            f"`training_priors` must be above 0 for each class, got {shares.tolist()}."
        )

    def evaluate(X: Any) -> Array:
        return _log_probabilities(classifier, X) - np.log(shares)

    names = [f"class {label!r} (probability of {kind})" for label in classes.tolist()]
    n_features = getattr(classifier, "n_features_in_", None)
    densities = tuple(
        Density(name, column_of(evaluate, k), n_features=n_features) for k, name in enumerate(names)
    )
    return Model(classes, shares, densities, evaluate, lacks=NO_DENSITIES)


def _log_probabilities(classifier: Any, X: Any) -> Array:
    rows = as_fitted(classifier, X) if isinstance(X, np.ndarray) else X
    values = np.asarray(classifier.predict_proba(rows), dtype=np.float64)
    expected = (X.shape[0], len(classifier.classes_))
    if values.shape != expected:
        raise ValueError(
            f"`predict_proba` of {type(classifier).__name__} must return shape {expected}, got "
            f"{values.shape}."
        )
    wrong = ~((values >= 0).all(axis=1) & (np.abs(values.sum(axis=1) - 1.0) <= SUM_TOLERANCE))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise ValueError(
            f"`predict_proba` of {type(classifier).__name__} must return probabilities that add "
            f"up to 1, got {values[row].tolist()} for row {row}."
        )
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(values))
