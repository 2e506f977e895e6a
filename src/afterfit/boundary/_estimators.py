"""The class densities and priors that a fitted generative classifier stands for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from afterfit._arrays import to_numpy
from afterfit._validation import what_it_holds
from afterfit.boundary._densities import (
    Density,
    as_fitted,
    as_parameters,
    column_of,
    host,
    is_mixture,
    normal_density,
    scales_of,
)
from afterfit.mixture import (
    GaussianMixtureParameters,
    component_log_densities,
    component_log_joints,
    log_density,
    squared_mahalanobis,
)

Array = NDArray[np.float64]
Evaluate = Callable[[Any], Array]

# A covariance is that of a discriminant rule if it explains its coefficients to this fraction.
CONSISTENT = 1e-6

# Log densities must not be further off by rounding than this, at a standard deviation.
ROUNDING = 1e-6

# Why a rule may have no densities.
NO_COVARIANCE = (
    "it keeps no covariance, or a singular one, so that only its discriminant space is known. "
    "Drop features that repeat others, and fit with `store_covariance=True` or "
    '`solver="lsqr"`.'
)
NOT_AVERAGED = (
    "log densities averaged over a posterior are those of no density. Those of the reported "
    "parameters come with `variational=False`."
)

# Along a direction with less variance, of features scaled to variance one, there is only rounding.
LEAST = 1e-12

# Directions in which class means differ by less than this fraction of the most are none.
RANK_TOLERANCE = 1e-12


@dataclass(frozen=True)
class Model:
    """What `from_estimator` reads off an estimator.

    `evaluate` takes points (n, d) to the log densities of all classes (n, K), up to a term common
    to the classes: `common` (n,), if it is known. Apart, as it may be so large that in the sum the
    classes no longer differ. `scores` tells in which other space the densities are known whole.
    `lacks` says why there are no densities at all, or none outside of a subspace.
    """

    classes: NDArray[Any]
    priors: Array
    densities: tuple[Density, ...]
    evaluate: Evaluate
    common: Evaluate | None = None
    scores: Model | None = None
    lacks: str | None = None


def read_estimator(estimator: Any, variational: bool = False) -> Model:
    from sklearn.discriminant_analysis import (
        LinearDiscriminantAnalysis,
        QuadraticDiscriminantAnalysis,
    )
    from sklearn.naive_bayes import GaussianNB
    from sklearn.pipeline import Pipeline
    from sklearn.utils.validation import check_is_fitted

    readers = {
        GaussianNB: _read_naive,
        QuadraticDiscriminantAnalysis: _read_quadratic,
        LinearDiscriminantAnalysis: _read_linear,
    }
    if isinstance(estimator, Pipeline):
        check_is_fitted(estimator)
        return _read_pipeline(estimator, variational)
    if is_mixture(estimator):
        return _read_mixture(estimator, variational)
    if variational:
        raise ValueError(
            "`variational` must be False unless `estimator` is a fitted BayesianGaussianMixture, "
            f"got {type(estimator).__name__}."
        )
    for kind, read in readers.items():
        if isinstance(estimator, kind):
            check_is_fitted(estimator)
            return read(estimator)
    raise TypeError(
        "`estimator` must be a fitted GaussianNB, LinearDiscriminantAnalysis, "
        "QuadraticDiscriminantAnalysis, GaussianMixture, BayesianGaussianMixture, "
        "GaussianMixtureParameters or a Pipeline that ends in one, "
        f"got {type(estimator).__name__}. {_advice(estimator)}"
    )


def _advice(estimator: Any) -> str:
    """Return what to do with an estimator that is not taken."""
    if held := what_it_holds(estimator):
        return held
    if hasattr(estimator, "predict_proba"):
        return "What has posteriors and no densities goes in by `BayesRule.from_probabilities`."
    return "Of other models, give the class densities to BayesRule."


def _columns(
    classes: NDArray[Any], means: Array, factors: Sequence[Array], evaluate: Evaluate
) -> tuple[Density, ...]:
    """Return the normal densities of the classes, each a column of what is evaluated together."""
    return tuple(
        normal_density(f"class {label!r} (normal)", means[k], factors[k], column_of(evaluate, k))
        for k, label in enumerate(classes.tolist())
    )


def _read_mixture(estimator: Any, variational: bool) -> Model:
    parameters = as_parameters(estimator)
    weights, means = parameters.weights, parameters.means
    classes = np.arange(len(weights))
    # By a constant for each component the posterior's average differs from the reported model.
    shift: Array | float = 0.0
    if variational:
        averaged = component_log_joints(estimator, means[:1], variational=True)
        shift = (averaged - component_log_joints(parameters, means[:1]))[0]

    def evaluate(X: Any) -> Array:
        return np.asarray(component_log_densities(parameters, X) + shift)

    densities = _columns(classes, means, parameters._factors, evaluate)
    return Model(classes, weights, densities, evaluate, lacks=NOT_AVERAGED if variational else None)


def _read_naive(estimator: Any) -> Model:
    classes = to_numpy(estimator.classes_)
    means, variances = host(estimator.theta_), host(estimator.var_)
    constant = np.argwhere(~(variances > 0))
    if len(constant):
        k, j = constant[0].tolist()
        raise ValueError(
            f"`estimator` has no density: the variance of feature {j} in class "
            f"{classes.tolist()[k]!r} is {variances[k][j]:g}. Drop the feature, or raise "
            "`var_smoothing`."
        )
    equal = np.full(len(classes), 1.0 / len(classes))
    parameters = GaussianMixtureParameters(equal, means, variances, "diag")

    def evaluate(X: Any) -> Array:
        return np.asarray(component_log_densities(parameters, X))

    densities = _columns(classes, means, parameters._factors, evaluate)
    return Model(classes, host(estimator.class_prior_), densities, evaluate)


def _read_quadratic(estimator: Any) -> Model:
    """Return normal densities, whitened as the estimator's own `predict` does."""
    classes, means = estimator.classes_, host(estimator.means_)
    pairs = list(zip(estimator.rotations_, estimator.scalings_, strict=True))
    factors = [rotation * np.sqrt(scaling) for rotation, scaling in pairs]
    for label, factor, scale in zip(classes.tolist(), factors, scales_of(factors), strict=True):
        _refuse_singular(label, factor, scale)
    whiten = [rotation / np.sqrt(scaling) for rotation, scaling in pairs]
    constants = [
        -0.5 * (len(scaling) * np.log(2 * np.pi) + np.log(scaling).sum()) for _, scaling in pairs
    ]

    def evaluate(X: Any) -> Array:
        values = np.empty((len(X), len(means)), order="F")
        for k, mean in enumerate(means):
            z = (X - mean) @ whiten[k]
            values[:, k] = constants[k] - 0.5 * np.einsum("ij,ij->i", z, z)
        return values

    densities = _columns(classes, means, factors, evaluate)
    return Model(classes, estimator.priors_, densities, evaluate)


def _refuse_singular(label: Any, factor: Array, scale: Array) -> None:
    """Raise if the covariance factor @ factor.T is singular to working precision."""
    # Of features scaled to variance one, so that units make no difference.
    spread = np.linalg.svd(factor / scale[:, None], compute_uv=False)
    if not spread.min() ** 2 > len(scale) * np.finfo(np.float64).eps * spread.max() ** 2:
        raise ValueError(
            f"`estimator` has no density: the covariance of class {label!r} is singular to working "
            f"precision (of features scaled to variance one, its smallest eigenvalue is "
            f"{spread.min() ** 2:.3g}). Drop features that repeat others, or regularise the fit."
        )


def _read_linear(estimator: Any) -> Model:
    """Return normal densities with a common covariance, and the differences of `predict` itself.

    Whatever the solver, and however degenerate the features, scores linear in the features decide:
    they are taken as they are. The term common to all classes makes densities of them, where there
    is a covariance from which these scores follow.
    """
    classes, priors = to_numpy(estimator.classes_), host(estimator.priors_)
    means = host(estimator.means_)
    coef, constant = _linear_scores(estimator, means, priors)
    common = _common_normal(estimator, means, coef)

    def scores(X: Any) -> Array:
        return np.asarray(X @ coef.T + constant)

    if common is None:
        lifted = _lifted(classes, scores, means.shape[1])
        known = _in_discriminant_space(estimator, means, coef, priors)
        return Model(classes, priors, lifted, scores, scores=known, lacks=NO_COVARIANCE)
    offset = 0.5 * squared_mahalanobis(common, means).mean()

    def about_centre(X: Any) -> Array:
        return np.asarray(log_density(common, X) - offset)

    def evaluate(X: Any) -> Array:
        return np.asarray(scores(X) + about_centre(X)[:, None])

    densities = _columns(classes, means, common._factors * len(classes), evaluate)
    return Model(classes, priors, densities, scores, about_centre)


def _linear_scores(estimator: Any, means: Array, priors: Array) -> tuple[Array, Array]:
    """Return coefficients (K, d) and constants (K,) of the log densities, centred over classes."""
    coef = host(estimator.coef_)
    _refuse_rounding(estimator, coef)
    if len(means) == 2:  # scikit-learn keeps the difference alone
        coef = np.concatenate([-0.5 * coef, 0.5 * coef])
        own = host(estimator.intercept_)
        intercept = np.concatenate([-0.5 * own, 0.5 * own])
    else:
        intercept = host(estimator.intercept_)
    if (priors > 0).all():
        constant = intercept - np.log(priors)
    else:  # its intercept is infinite; between two classes the scores tie halfway
        constant = -0.5 * np.einsum("ij,ij->i", means + means[0], coef - coef[0])
    return coef - coef.mean(axis=0), constant - constant.mean()


def _refuse_rounding(estimator: Any, coef: Array) -> None:
    """Raise if coefficients that all classes share are so large that differences are rounding."""
    if estimator.solver == "svd":
        return
    scale = np.sqrt(np.abs(np.diagonal(host(estimator.covariance_))))
    if np.finfo(coef.dtype).eps * np.max(np.abs(coef) * scale) > ROUNDING:
        raise ValueError(
            "`estimator` decides by rounding errors: its coefficients reach "
            f"{np.abs(coef).max():.1g} and cancel, since features repeat others (such as a full "
            'set of indicators). Drop what repeats, or fit with `solver="svd"`.'
        )


def _common_normal(estimator: Any, means: Array, coef: Array) -> GaussianMixtureParameters | None:
    """Return the normal density about the centre whose covariance the coefficients follow from."""
    covariance: Any = getattr(estimator, "covariance_", None)
    if estimator.solver == "svd" and estimator.scalings_.shape[1] == means.shape[1]:
        scalings = host(estimator.scalings_)
        covariance = np.linalg.inv(scalings @ scalings.T)
    if covariance is None:
        return None
    covariance = host(covariance)
    covariance = 0.5 * (covariance + covariance.T)
    scale = np.sqrt(covariance.diagonal())
    if not (scale > 0).all() or np.linalg.eigvalsh(covariance / scale / scale[:, None])[0] < LEAST:
        return None
    centre = means.mean(axis=0)
    differences, explained = means - centre, coef @ covariance
    # What is kept may differ by a factor n / (n - K) from what the scores were made with.
    size = np.sum(coef * differences)
    factor = np.sum(coef * explained) / size if size > 0 else 1.0
    try:
        common = GaussianMixtureParameters(
            np.ones(1), centre[None, :], covariance[None, :] / factor, "full"
        )
    except ValueError:
        return None  # singular to working precision
    missed = squared_mahalanobis(common, centre + explained / factor - differences)
    total = squared_mahalanobis(common, means)
    return common if missed.max() <= CONSISTENT**2 * total.max() else None


def _in_discriminant_space(estimator: Any, means: Array, coef: Array, priors: Array) -> Model:
    """Return the model of the linear scores alone, as normal densities with covariance one."""
    if estimator.solver == "svd":
        places = means @ host(estimator.scalings_)
    else:
        differences = coef[1:] - coef[0]
        spread = differences @ host(estimator.covariance_) @ differences.T
        values, vectors = np.linalg.eigh(0.5 * (spread + spread.T))
        kept = values > RANK_TOLERANCE * values.max()
        places = means @ differences.T @ (vectors[:, kept] / np.sqrt(values[kept]))
    equal = np.full(len(places), 1.0 / len(places))
    ones = np.ones(len(places))
    if places.shape[1] == 0:  # all means are equal
        places = np.zeros((len(places), 1))
    parameters = GaussianMixtureParameters(equal, places, ones, "spherical")

    def evaluate(X: Any) -> Array:
        return np.asarray(component_log_densities(parameters, X))

    classes = to_numpy(estimator.classes_)
    densities = _columns(classes, places, parameters._factors, evaluate)
    return Model(classes, priors, densities, evaluate)


def _read_pipeline(pipeline: Any, variational: bool) -> Model:
    """Return the densities of what the last step sees, as functions of what the first one does.

    They lack the Jacobian determinant of the steps between, a factor common to all classes.
    """
    steps = pipeline[:-1]
    if len(steps) == 0:
        return read_estimator(pipeline[-1], variational)
    try:
        last = read_estimator(pipeline[-1], variational)
    except TypeError as error:
        raise TypeError(f"Of the Pipeline's last step: {error}") from None

    def transform(X: Any) -> Array:
        return np.asarray(steps.transform(as_fitted(pipeline, X)), dtype=np.float64)

    def evaluate(X: Any) -> Array:
        return last.evaluate(transform(X))

    n_features = getattr(pipeline, "n_features_in_", None)  # a first step "passthrough" has none
    lifted = _lifted(last.classes, evaluate, n_features)
    own = last.common
    common = None if own is None else lambda X: own(transform(X))
    scores = last.scores or last
    return Model(last.classes, last.priors, lifted, evaluate, common, scores, last.lacks)


def _lifted(
    classes: NDArray[Any], evaluate: Evaluate, n_features: int | None
) -> tuple[Density, ...]:
    """Return the densities of the classes as columns of what is evaluated together."""
    return tuple(
        Density(
            name=f"class {label!r} (normal)",
            evaluate=column_of(evaluate, k),
            n_features=n_features,
        )
        for k, label in enumerate(classes.tolist())
    )
