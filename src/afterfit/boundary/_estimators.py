"""The class densities and priors that a fitted generative classifier stands for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from afterfit.boundary._densities import (
    Density,
    as_fitted,
    gaussian_density,
    is_mixture,
    mixture_covariances,
    mixture_summary,
)

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Model:
    """What `from_estimator` reads off an estimator."""

    classes: NDArray[Any]
    densities: tuple[Density, ...]
    priors: Array
    scores: tuple[Density, ...] | None = None  # in another space, where only there they are known


def read_estimator(estimator: Any) -> Model:
    from sklearn.discriminant_analysis import (
        LinearDiscriminantAnalysis,
        QuadraticDiscriminantAnalysis,
    )
    from sklearn.naive_bayes import GaussianNB
    from sklearn.pipeline import Pipeline
    from sklearn.utils.validation import check_is_fitted

    readers = {
        Pipeline: _read_pipeline,
        GaussianNB: _read_naive,
        QuadraticDiscriminantAnalysis: _read_quadratic,
        LinearDiscriminantAnalysis: _read_linear,
    }
    if is_mixture(estimator):
        return _read_mixture(estimator)
    for kind, read in readers.items():
        if isinstance(estimator, kind):
            check_is_fitted(estimator)
            return read(estimator)
    raise TypeError(
        "`estimator` must be a fitted GaussianNB, LinearDiscriminantAnalysis, "
        "QuadraticDiscriminantAnalysis, GaussianMixture, BayesianGaussianMixture, "
        "GaussianMixtureParameters or a Pipeline that ends in one, "
        f"got {type(estimator).__name__}. Of other models, give the class densities to BayesRule."
    )


def _read_mixture(estimator: Any) -> Model:
    weights, means, _ = mixture_summary(estimator)
    classes = np.arange(len(weights))
    return Model(classes, _gaussians(means, mixture_covariances(estimator), classes), weights)


def _read_naive(estimator: Any) -> Model:
    classes = estimator.classes_
    diagonal = [np.diag(variances) for variances in estimator.var_]
    return Model(classes, _gaussians(estimator.theta_, diagonal, classes), estimator.class_prior_)


def _read_quadratic(estimator: Any) -> Model:
    classes = estimator.classes_
    rotated = [
        (rotation * scaling) @ rotation.T
        for rotation, scaling in zip(estimator.rotations_, estimator.scalings_, strict=True)
    ]
    return Model(classes, _gaussians(estimator.means_, rotated, classes), estimator.priors_)


def _gaussians(
    means: Array, covariances: Sequence[Array] | Array, classes: NDArray[Any]
) -> tuple[Density, ...]:
    return tuple(
        gaussian_density(np.asarray(mean, dtype=float), covariance, f"class {label!r}")
        for mean, covariance, label in zip(means, covariances, classes.tolist(), strict=True)
    )


def _read_linear(estimator: Any) -> Model:
    """Return normal densities with the common covariance that the estimator's rule implies."""
    means, classes, priors = estimator.means_, estimator.classes_, estimator.priors_
    covariance: Any = getattr(estimator, "covariance_", None)
    if estimator.solver == "svd":
        # Its rule whitens by `scalings_` alone; they may differ from `covariance_` by a factor
        # n / (n - K), and in more when priors were given.
        scalings = estimator.scalings_
        covariance = _consistent_covariance(covariance, scalings)
        if covariance is None:
            return _in_discriminant_space(means, scalings, classes, priors)
    return Model(classes, _gaussians(means, [covariance] * len(means), classes), priors)


def _consistent_covariance(covariance: Array | None, scalings: Array) -> Array | None:
    """Return the covariance that the scalings whiten, if it can be known."""
    d, rank = scalings.shape
    if rank == d:
        return np.asarray(np.linalg.inv(scalings @ scalings.T))
    if covariance is None:
        return None
    whitened = scalings.T @ covariance @ scalings
    factor = np.trace(whitened) / rank
    if not np.allclose(whitened, factor * np.eye(rank), rtol=1e-8, atol=1e-8 * factor):
        return None
    return np.asarray(covariance / factor)


def _in_discriminant_space(
    means: Array, scalings: Array, classes: NDArray[Any], priors: Array
) -> Model:
    scores = _gaussians(means @ scalings, [np.eye(scalings.shape[1])] * len(means), classes)
    lifted = _lifted(scores, lambda X: X @ scalings, len(scalings))
    return Model(classes, lifted, priors, scores)


def _read_pipeline(pipeline: Any) -> Model:
    """Return the densities of what the last step sees, as functions of what the first one does.

    They lack the Jacobian determinant of the steps between, a factor common to all classes.
    """
    last = read_estimator(pipeline[-1])
    steps = pipeline[:-1]
    if len(steps) == 0:
        return last

    def transform(X: Array) -> Array:
        return np.asarray(steps.transform(as_fitted(pipeline, X)), dtype=np.float64)

    n_features = getattr(pipeline, "n_features_in_", None)  # a first step "passthrough" has none
    lifted = _lifted(last.densities, transform, n_features)
    return Model(last.classes, lifted, last.priors, last.scores or last.densities)


def _lifted(
    scores: Sequence[Density], transform: Callable[[Array], Array], n_features: int | None
) -> tuple[Density, ...]:
    """Return the densities of transformed points as functions of the points, (n, n_features)."""

    def lifted(score: Density) -> Density:
        def evaluate(X: Array) -> Array:
            return np.asarray(score.evaluate(transform(X)))

        return Density(name=score.name, evaluate=evaluate, n_features=n_features)

    return tuple(lifted(score) for score in scores)
