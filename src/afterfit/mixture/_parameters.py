"""A Gaussian mixture as its parameters, and the checks that all functions of the wing share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from afterfit._arrays import check_foreign_matrix, is_foreign, open_array, to_numpy
from afterfit._validation import (
    as_float_array,
    check_choice,
    check_columns,
    check_matrix,
    listing,
    what_it_holds,
)

COVARIANCE_TYPES = ("full", "tied", "diag", "spherical")

# Weights may miss a sum of one by the rounding of a fit in single precision, and by no more.
WEIGHT_SUM_TOLERANCE = 1e-6
# So may the two halves of a covariance matrix, relative to the two standard deviations.
SYMMETRY_TOLERANCE = 1e-6

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GaussianMixtureParameters:
    """A Gaussian mixture given by its parameters alone, with no fit behind it.

    The arrays are checked, copied to float64 and made read-only.

    Parameters
    ----------
    weights : array-like of shape (n_components,)
        Mixing proportions, at least 0, with sum one (to 1e-6).
    means : array-like of shape (n_components, n_features)
        Means of the components.
    covariances : array-like
        In scikit-learn's convention, (n_components, n_features, n_features) if "full",
        (n_features, n_features) if "tied", (n_components, n_features) if "diag",
        (n_components,) if "spherical". The last two hold variances, not standard deviations.
    covariance_type : {"full", "tied", "diag", "spherical"}, default="full"
        How `covariances` is to be read.

    Raises
    ------
    ValueError
        If shapes do not fit together, a weight is negative, the weights do not sum to one, or a
        covariance is not symmetric positive definite. The component is named.
    TypeError
        If an argument is not numeric.

    Examples
    --------
    Two clusters of unequal size, the second of them elongated:

    >>> from afterfit.mixture import GaussianMixtureParameters, log_density
    >>> mixture = GaussianMixtureParameters(
    ...     weights=[0.8, 0.2],
    ...     means=[[0.0, 0.0], [4.0, 4.0]],
    ...     covariances=[[[1.0, 0.0], [0.0, 1.0]], [[2.0, 1.2], [1.2, 1.0]]],
    ... )
    >>> log_density(mixture, [[0.0, 0.0], [4.0, 4.0]]).round(4)
    array([-2.061 , -3.1574])
    """

    weights: Array
    means: Array
    covariances: Array
    covariance_type: str = "full"
    _factors: tuple[Array, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_choice(self.covariance_type, "covariance_type", COVARIANCE_TYPES)
        weights = _check_weights(on_host(self.weights))
        means = _check_means(on_host(self.means), n_components=len(weights))
        covariances, factors = _check_covariances(
            on_host(self.covariances), self.covariance_type, means.shape
        )
        for name, array in (("weights", weights), ("means", means), ("covariances", covariances)):
            copy = np.array(array)
            copy.flags.writeable = False
            object.__setattr__(self, name, copy)
        object.__setattr__(self, "_factors", factors)

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy is checked and read-only as the original is.
        return type(self), (self.weights, self.means, self.covariances, self.covariance_type)

    @property
    def n_components(self) -> int:
        """Number of components."""
        return len(self.weights)

    @property
    def n_features(self) -> int:
        """Number of features."""
        return int(self.means.shape[1])


# The door: what the public functions accept.


def check_arguments(model: Any, X: Any) -> tuple[GaussianMixtureParameters, Any]:
    """Return the parameters of the model, on the host, and finite points where they are."""
    parameters = as_parameters(model)
    if is_foreign(X):
        matrix = check_foreign_matrix(open_array(X, "X"), "X")
    else:
        matrix = check_matrix(X, "X")
    if matrix.shape[1] != parameters.n_features:
        raise ValueError(
            f"`X` must have {parameters.n_features} feature(s), as the components of the model "
            f"have, got {matrix.shape[1]}."
        )
    check_columns(X, getattr(model, "feature_names_in_", None), "X")
    return parameters, matrix


def as_parameters(model: Any) -> GaussianMixtureParameters:
    if isinstance(model, GaussianMixtureParameters):
        return model
    _check_estimator(model)
    try:
        return GaussianMixtureParameters(
            model.weights_, model.means_, model.covariances_, model.covariance_type
        )
    except (TypeError, ValueError) as error:
        raise type(error)(f"The fitted {type(model).__name__} cannot be used: {error}") from None


def on_host(values: Any) -> Any:
    """Return what is small, and perhaps of another library, as an array of NumPy."""
    return to_numpy(open_array(values, "model")) if is_foreign(values) else values


def is_mixture(model: Any) -> bool:
    # scikit-learn loads slowly, and plain parameters do without it.
    from sklearn.mixture import BayesianGaussianMixture, GaussianMixture

    kinds = GaussianMixtureParameters | GaussianMixture | BayesianGaussianMixture
    return isinstance(model, kinds)


def _check_estimator(model: Any) -> None:
    from sklearn.exceptions import NotFittedError

    if not is_mixture(model):
        hint = what_it_holds(model)
        if hasattr(model, "named_steps"):
            hint = "Apply the earlier steps of the pipeline to `X` and pass its last step."
        raise TypeError(
            "`model` must be a fitted GaussianMixture or BayesianGaussianMixture, or "
            f"GaussianMixtureParameters, got {type(model).__name__}. {hint}".rstrip()
        )
    missing = [name for name in ("weights_", "means_", "covariances_") if not hasattr(model, name)]
    if missing:
        raise NotFittedError(
            f"`model` must be fitted: this {type(model).__name__} has no {', '.join(missing)}. "
            "Call its `fit` first, or pass GaussianMixtureParameters."
        )


def _check_weights(weights: Any) -> Array:
    array = as_float_array(weights, "weights")
    if array.ndim != 1 or len(array) == 0:
        raise ValueError(
            "`weights` must have one dimension, (n_components,), with at least one component, "
            f"got shape {array.shape}."
        )
    bad = np.flatnonzero(~(np.isfinite(array) & (array >= 0)))
    if len(bad):
        raise ValueError(
            f"`weights[{bad[0]}]` (component {bad[0]}) must be at least 0 and finite, "
            f"got {array[bad[0]]:g}."
        )
    total = float(array.sum())
    if abs(total - 1) > WEIGHT_SUM_TOLERANCE:
        raise ValueError(
            f"`weights` must sum to one over the {len(array)} component(s), got {total:.9g}."
        )
    return array


def _check_means(means: Any, *, n_components: int) -> Array:
    array = check_matrix(means, "means", axes="(n_components, n_features)")
    if len(array) != n_components:
        raise ValueError(
            f"`means` must have one row for each of the {n_components} component(s) that "
            f"`weights` counts, got {len(array)}."
        )
    return array


def _check_covariances(
    covariances: Any, covariance_type: str, shape: tuple[int, ...]
) -> tuple[Array, tuple[Array, ...]]:
    """Return the covariances, and one Cholesky factor (full, tied) or one row of standard
    deviations (diag, spherical) for each component; or raise."""
    n_components, n_features = shape
    if covariance_type == "tied":
        who = ["`covariances` (shared by all components)"]
        matrices = _check_matrices([covariances], ["covariances"], who, n_features)
        return matrices[0], tuple(_cholesky(matrices, who)) * n_components
    expected: dict[str, tuple[int, ...]] = {
        "full": (n_components, n_features, n_features),
        "diag": (n_components, n_features),
        "spherical": (n_components,),
    }
    accepted = (
        f"`covariances` must have shape {expected[covariance_type]} if `covariance_type` is "
        f"{covariance_type!r}, with {n_components} component(s) and {n_features} feature(s)"
    )
    if covariance_type == "full":
        try:
            given = list(covariances)
        except TypeError:
            raise TypeError(f"{accepted}, got {covariances!r}.") from None
        if len(given) != n_components or any(np.ndim(covariance) != 2 for covariance in given):
            raise ValueError(f"{accepted}, got {_shape_text(covariances)}.")
        names = [f"covariances[{k}]" for k in range(n_components)]
        who = [f"`{name}` (component {k})" for k, name in enumerate(names)]
        matrices = _check_matrices(given, names, who, n_features)
        return matrices, tuple(_cholesky(matrices, who))
    variances = as_float_array(covariances, "covariances")
    if variances.shape != expected[covariance_type]:
        raise ValueError(f"{accepted}, got shape {variances.shape}.")
    bad = np.argwhere(~(np.isfinite(variances) & (variances > 0)))
    if len(bad):
        index = ", ".join(str(i) for i in bad[0])
        raise ValueError(
            f"`covariances[{index}]` (component {bad[0][0]}) must be a positive, finite variance, "
            f"got {variances[tuple(bad[0])]:g}."
        )
    deviations = np.sqrt(variances).reshape(n_components, -1)
    return variances, tuple(np.broadcast_to(deviations, shape))


def _check_matrices(given: list[Any], names: list[str], who: list[str], n_features: int) -> Array:
    """Return the matrices, checked one by one, so that an error names its component; or raise."""
    matrices = []
    for covariance, name, owner in zip(given, names, who, strict=True):
        matrix = check_matrix(covariance, name, axes="(n_features, n_features)")
        if matrix.shape != (n_features, n_features):
            expected = (n_features, n_features)
            raise ValueError(f"{owner} must have shape {expected}, got {matrix.shape}.")
        matrices.append(matrix)
    return np.stack(matrices)


def _cholesky(matrices: Array, who: list[str]) -> list[Array]:
    """Return the lower Cholesky factor of each, in Fortran order, as BLAS reads it; or raise."""
    variances = matrices.diagonal(axis1=1, axis2=2)
    for k, j in np.argwhere(variances <= 0)[:1]:
        raise ValueError(
            f"{who[k]} must be symmetric positive definite, but the variance of feature {j} is "
            f"{variances[k, j]:g}."
        )
    deviations = np.sqrt(variances)
    with np.errstate(over="ignore", invalid="ignore"):
        correlations = matrices / deviations[:, np.newaxis] / deviations[:, :, np.newaxis]
        asymmetry = abs(correlations - correlations.transpose(0, 2, 1))
    for k, i, j in np.argwhere(asymmetry > SYMMETRY_TOLERANCE)[:1]:
        raise ValueError(
            f"{who[k]} must be symmetric positive definite, but it is not symmetric: "
            f"[{i}, {j}] is {matrices[k, i, j]:g} and [{j}, {i}] is {matrices[k, j, i]:g}."
        )
    for k, i, j in np.argwhere(abs(correlations) > 1 + SYMMETRY_TOLERANCE)[:1]:
        raise ValueError(
            f"{who[k]} must be symmetric positive definite, but the correlation of features {i} "
            f"and {j} would be {correlations[k, i, j]:g}."
        )
    # Powers of two bring every variance into [1, 4): exact, and nothing over- or underflows.
    exponents = (np.frexp(variances)[1] - 1) // 2
    scaled = np.ldexp(matrices, -(exponents[:, np.newaxis] + exponents[:, :, np.newaxis]))
    return [
        np.asfortranarray(np.ldexp(_factor(matrix, name), exponent[:, np.newaxis]))
        for matrix, name, exponent in zip(scaled, who, exponents, strict=True)
    ]


def _factor(scaled: Array, who: str) -> Array:
    try:
        factor = np.asfortranarray(np.linalg.cholesky(scaled))
        # LAPACK's estimate of 1 / condition number. Small pivots alone do not tell: an earlier
        # one blows up the rounding of a later one, which then looks like a variance.
        reciprocal, _ = lapack.dpocon(factor, abs(scaled).sum(axis=0).max(), uplo="L")
    except np.linalg.LinAlgError:
        reciprocal = 0.0
    if reciprocal <= len(scaled) * np.finfo(np.float64).eps:
        smallest = np.linalg.eigvalsh(scaled)[0]
        raise ValueError(
            f"{who} must be symmetric positive definite to working precision, but its smallest "
            f"eigenvalue is {smallest:.3g} (with every feature scaled to a variance near one). "
            "Drop features that repeat others, or add to its diagonal (`reg_covar` of the fit)."
        )
    return factor


def _shape_text(arrays: list[Any]) -> str:
    try:
        return f"shape {np.shape(arrays)}"
    except ValueError:
        return f"shapes {listing([np.shape(array) for array in arrays])}"
