"""How likely is a point under a fitted Gaussian mixture: under each component, and at all?

Three different numbers answer that question, and this module keeps them apart:

- the joint log density of a point and a component, log pi_k + log N(x; mu_k, Sigma_k), which is
  the unnormalised log responsibility (`component_log_joints`);
- the log density of the mixture, the log-sum-exp of the former (`log_density`);
- a number in [0, 1] that says how typical the point is: the upper chi-squared tail of its squared
  Mahalanobis distance within a component (`component_tail_probabilities`), and the mass of the
  region where the mixture's density is no higher than at the point (`hdr_tail_probability`).

The first two are (logarithms of) densities: they change with the units of the data and have no
upper bound. Only the third is a probability. All work is done in logarithms, after whitening by a
triangular solve, component by component and in blocks of rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas, lapack
from scipy.special import digamma, gammaincc

from afterfit._validation import (
    as_float_array,
    check_choice,
    check_columns,
    check_integer,
    check_matrix,
    check_random_state,
    listing,
)

__all__ = [
    "GaussianMixtureParameters",
    "component_log_densities",
    "component_log_joints",
    "component_tail_probabilities",
    "hdr_tail_probability",
    "log_density",
    "squared_mahalanobis",
]

COVARIANCE_TYPES = ("full", "tied", "diag", "spherical")

# Weights may miss a sum of one by the rounding of a fit in single precision, and by no more.
WEIGHT_SUM_TOLERANCE = 1e-6
# So may the two halves of a covariance matrix, relative to the two standard deviations.
SYMMETRY_TOLERANCE = 1e-6

# Values that a block of rows works on at a time: a megabyte, so that it stays in a core's cache.
BLOCK_VALUES = 2**17
MIN_BLOCK_ROWS, MAX_BLOCK_ROWS = 64, 8192

# Up to this many features, whitening substitutes panel by panel; above, BLAS does it in one call,
# in larger blocks. OpenBLAS starts its threads even for tiny triangular solves, and waiting for
# them then costs more than the work (a hundred times more on a busy machine). With panels this
# narrow its products stay below the size at which it does the same for them.
MAX_FEATURES_IN_PANELS = 64
PANEL = 4

# The table that finds the rank of a density among the draws: cells for each draw, and in all; the
# number of neighbours tried in one sweep after the other; the share of a block worth a sweep.
CELLS_PER_DRAW = 4
MAX_CELLS = 2**22
MAX_SWEEPS = 8
SWEEP_SHARE = 0.02

_LOG_2_PI = float(np.log(2.0 * np.pi))

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
        weights = _check_weights(self.weights, "weights")
        means = _check_means(self.means, "means", n_components=len(weights))
        covariances, factors = _check_covariances(
            self.covariances, "covariances", self.covariance_type, means.shape
        )
        for name, array in (("weights", weights), ("means", means), ("covariances", covariances)):
            object.__setattr__(self, name, _read_only_copy(array))
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


def component_log_densities(model: Any, X: Any) -> Array:
    """Return the log density of every point under every component, log N(x; mu_k, Sigma_k).

    Parameters
    ----------
    model : GaussianMixture, BayesianGaussianMixture or GaussianMixtureParameters
        The mixture; an estimator must be fitted. Its `weights_`, `means_` and `covariances_` are
        used, and nothing else.
    X : array-like of shape (n_samples, n_features)
        The points. A DataFrame must carry the columns of the fit, in that order.

    Returns
    -------
    ndarray of shape (n_samples, n_components)
        Natural logarithms, in any range: a density is not a probability. The unit is one over the
        product of the units of the features. -inf where even the logarithm is below the smallest
        float64.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If an estimator has not been fitted.
    ValueError
        If `X` is not finite, has another number of features, or other columns than the fit.
    TypeError
        If `model` is no Gaussian mixture or `X` is not numeric.

    See Also
    --------
    component_log_joints : With the log weights added.
    component_tail_probabilities : What is calibrated in [0, 1].

    Notes
    -----
    With the Cholesky factor Sigma_k = L L', the log density is
    -(d log 2 pi + \\|z\\|^2) / 2 - log det L, where L z = x - mu_k is solved by substitution. The
    difference is taken before whitening, so that data far from zero lose no digits.

    Examples
    --------
    A density may well exceed 1. Here it is 39.9, as the standard deviation is 0.01:

    >>> import numpy as np
    >>> from afterfit.mixture import GaussianMixtureParameters, component_log_densities
    >>> narrow = GaussianMixtureParameters([1.0], [[0.0]], [1e-4], covariance_type="spherical")
    >>> np.exp(component_log_densities(narrow, [[0.0]])).round(3)
    array([[39.894]])
    """
    parameters, X = _check_arguments(model, X)
    return _component_values(parameters, X, _log_normalisers(parameters))


def component_log_joints(model: Any, X: Any, *, variational: bool = False) -> Array:
    """Return the joint log density of points and components, log pi_k + log N(x; mu_k, Sigma_k).

    These are the unnormalised log responsibilities: their softmax over components is what a
    GaussianMixture's `predict_proba` returns, their log-sum-exp its `score_samples`.

    Parameters
    ----------
    model : GaussianMixture, BayesianGaussianMixture or GaussianMixtureParameters
        The mixture; an estimator must be fitted. Its `weights_`, `means_` and `covariances_` are
        used, and nothing else, unless `variational`.
    X : array-like of shape (n_samples, n_features)
        The points. A DataFrame must carry the columns of the fit, in that order.
    variational : bool, default=False
        For a BayesianGaussianMixture only: average the logarithms over the posterior of the
        parameters, as its own `predict_proba` and `score_samples` do, in place of the logarithms
        at the parameters that it reports. See the notes.

    Returns
    -------
    ndarray of shape (n_samples, n_components)
        Natural logarithms, in any range; -inf for a component of weight zero.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If an estimator has not been fitted.
    ValueError
        If `X` is not finite, has another number of features, or other columns than the fit; if
        `variational` is asked of a model that has no posterior.
    TypeError
        If `model` is no Gaussian mixture, `X` is not numeric or `variational` is not a bool.

    See Also
    --------
    log_density : Their log-sum-exp.
    hdr_tail_probability : What is calibrated in [0, 1].

    Notes
    -----
    For a BayesianGaussianMixture the default is the density at its `weights_`, `means_` and
    `covariances_`: a density that integrates to one, as the question asks. Its `predict_proba`
    and `score_samples` use E[log pi_k] + E[log N(x; mu_k, Sigma_k)] under the variational
    posterior ([1]_, equations 10.46 and 10.64 to 10.66). That differs by a constant for each
    component, and by Jensen's inequality its log-sum-exp belongs to a function that integrates
    to less than one.

    References
    ----------
    .. [1] Bishop, C. M. (2006). Pattern Recognition and Machine Learning. Springer, section 10.2.

    Examples
    --------
    A point thirty standard deviations away is "certainly" of the second component, although
    it is next to impossible under both:

    >>> from scipy.special import softmax
    >>> from afterfit.mixture import GaussianMixtureParameters, component_log_joints
    >>> mixture = GaussianMixtureParameters([0.5, 0.5], [[0.0], [2.0]], [1.0, 1.0], "spherical")
    >>> joints = component_log_joints(mixture, [[32.0]])
    >>> joints.round(2)
    array([[-513.61, -451.61]])
    >>> softmax(joints, axis=1).round(3)
    array([[0., 1.]])
    """
    if not isinstance(variational, bool | np.bool_):
        raise TypeError(f"`variational` must be True or False, got {variational!r}.")
    parameters, X = _check_arguments(model, X)
    log_weights = _variational_log_weights(model) if variational else _log(parameters.weights)
    return _component_values(parameters, X, log_weights + _log_normalisers(parameters))


def log_density(model: Any, X: Any) -> Array:
    """Return the log density of the mixture at every point, log sum_k pi_k N(x; mu_k, Sigma_k).

    Parameters
    ----------
    model : GaussianMixture, BayesianGaussianMixture or GaussianMixtureParameters
        The mixture; an estimator must be fitted. Its `weights_`, `means_` and `covariances_` are
        used, and nothing else.
    X : array-like of shape (n_samples, n_features)
        The points. A DataFrame must carry the columns of the fit, in that order.

    Returns
    -------
    ndarray of shape (n_samples,)
        Natural logarithms, in any range: also the sum over the components is a density and not
        a probability. Rescaling a feature by c shifts all of them by -log c.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If an estimator has not been fitted.
    ValueError
        If `X` is not finite, has another number of features, or other columns than the fit.
    TypeError
        If `model` is no Gaussian mixture or `X` is not numeric.

    See Also
    --------
    component_log_joints : The terms of the sum.
    hdr_tail_probability : How much of the mixture's mass lies where its density is no higher.

    Notes
    -----
    For a GaussianMixture this is `score_samples`. For a BayesianGaussianMixture it is the density
    at the parameters that it reports; see the notes of `component_log_joints`.

    Examples
    --------
    >>> from afterfit.mixture import GaussianMixtureParameters, log_density
    >>> mixture = GaussianMixtureParameters([0.5, 0.5], [[0.0], [2.0]], [1.0, 1.0], "spherical")
    >>> log_density(mixture, [[0.0], [1.0], [32.0], [1e160]]).round(3)
    array([  -1.485,   -1.419, -451.612,     -inf])
    """
    parameters, X = _check_arguments(model, X)
    return _log_density(parameters, X)


def squared_mahalanobis(model: Any, X: Any) -> Array:
    """Return the squared Mahalanobis distance of every point to the mean of every component.

    Parameters
    ----------
    model : GaussianMixture, BayesianGaussianMixture or GaussianMixtureParameters
        The mixture; an estimator must be fitted.
    X : array-like of shape (n_samples, n_features)
        The points. A DataFrame must carry the columns of the fit, in that order.

    Returns
    -------
    ndarray of shape (n_samples, n_components)
        (x - mu_k)' inverse(Sigma_k) (x - mu_k): at least 0, without unit; inf beyond the largest
        float64.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If an estimator has not been fitted.
    ValueError
        If `X` is not finite, has another number of features, or other columns than the fit.
    TypeError
        If `model` is no Gaussian mixture or `X` is not numeric.

    See Also
    --------
    component_tail_probabilities : Its upper tail under the component.

    Examples
    --------
    >>> from afterfit.mixture import GaussianMixtureParameters, squared_mahalanobis
    >>> mixture = GaussianMixtureParameters([0.5, 0.5], [[0.0], [2.0]], [1.0, 4.0], "spherical")
    >>> squared_mahalanobis(mixture, [[0.0], [1.0], [6.0]])
    array([[ 0.  ,  1.  ],
           [ 1.  ,  0.25],
           [36.  ,  4.  ]])
    """
    parameters, X = _check_arguments(model, X)
    distances = np.empty((len(X), parameters.n_components))
    for rows, squared in _squared_distances(parameters, X):
        distances[rows] = squared.T
    return distances


def component_tail_probabilities(model: Any, X: Any) -> Array:
    """Return how typical a point is of each component, as a tail probability in [0, 1].

    It is the probability that a draw from the component lies no closer to its mean, in
    Mahalanobis distance, than the point does: 1 at the mean, near 0 far out. The weights of the
    components play no part.

    Parameters
    ----------
    model : GaussianMixture, BayesianGaussianMixture or GaussianMixtureParameters
        The mixture; an estimator must be fitted.
    X : array-like of shape (n_samples, n_features)
        The points. A DataFrame must carry the columns of the fit, in that order.

    Returns
    -------
    ndarray of shape (n_samples, n_components)
        Upper tail of the chi-squared law with n_features degrees of freedom at the squared
        distance. Uniform on (0, 1) for draws from the component. Rows do not sum to one.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If an estimator has not been fitted.
    ValueError
        If `X` is not finite, has another number of features, or other columns than the fit.
    TypeError
        If `model` is no Gaussian mixture or `X` is not numeric.

    See Also
    --------
    hdr_tail_probability : The same for the mixture as a whole.

    Notes
    -----
    The law holds at known parameters. At estimated ones a point that took part in the fit
    looks more typical than a fresh one, the more so in many dimensions.

    Examples
    --------
    >>> from afterfit.mixture import GaussianMixtureParameters, component_tail_probabilities
    >>> mixture = GaussianMixtureParameters([0.5, 0.5], [[0.0], [2.0]], [1.0, 1.0], "spherical")
    >>> component_tail_probabilities(mixture, [[0.0], [1.96], [32.0]]).round(4)
    array([[1.    , 0.0455],
           [0.05  , 0.9681],
           [0.    , 0.    ]])
    """
    parameters, X = _check_arguments(model, X)
    tails = np.empty((len(X), parameters.n_components))
    for rows, squared in _squared_distances(parameters, X):
        tails[rows] = _chi_squared_tail(squared, parameters.n_features).T
    return tails


def hdr_tail_probability(
    model: Any, X: Any, *, n_draws: int = 100_000, random_state: Any = None
) -> Array:
    """Return how typical a point is of the mixture, P{p(Z) <= p(x)} for Z drawn from it.

    It is one minus the content of the smallest highest-density region that holds the point: 1 at
    the highest mode, near 0 where hardly any draw has so low a density.

    Parameters
    ----------
    model : GaussianMixture, BayesianGaussianMixture or GaussianMixtureParameters
        The mixture; an estimator must be fitted. Its `weights_`, `means_` and `covariances_` are
        used, and nothing else.
    X : array-like of shape (n_samples, n_features)
        The points. A DataFrame must carry the columns of the fit, in that order.
    n_draws : int, default=100_000
        Draws from the mixture, at least 1. Not used if only one component has a weight.
    random_state : None, int, Generator, RandomState or SeedSequence, default=None
        Source of the draws. An int makes the result reproducible.

    Returns
    -------
    ndarray of shape (n_samples,)
        Probabilities in [0, 1], uniform for draws from the mixture itself. Exact with one
        component; otherwise a share of the draws, whose standard error is
        sqrt(p (1 - p) / n_draws): at most 0.0016 with 100,000 draws.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If an estimator has not been fitted.
    ValueError
        If `X` is not finite, has another number of features, or other columns than the fit; if
        `n_draws` is below 1.
    TypeError
        If `model` is no Gaussian mixture, `X` is not numeric, or `n_draws` is not an integer.

    See Also
    --------
    component_tail_probabilities : The same within each component.

    Notes
    -----
    The set {z : p(z) > p(x)} is the highest-density region of [1]_, whose density quantile
    approach the Monte Carlo follows: the log densities of the draws are sorted once and each
    point finds its rank among them. One set of draws serves all points, so that their
    order by typicality is their order by density, and their errors are correlated.

    A result of 0 means that no draw had so low a density; with 95 percent confidence the
    probability is then below 3 / n_draws. With one component of weight, p(z) <= p(x) says that
    the Mahalanobis distance of z is no smaller, and the result is the chi-squared tail.

    References
    ----------
    .. [1] Hyndman, R. J. (1996). Computing and graphing highest density regions. The American
       Statistician 50, 120-126.

    Examples
    --------
    Between two clusters, and outside of them, points are less typical than at the centres:

    >>> from afterfit.mixture import GaussianMixtureParameters, hdr_tail_probability
    >>> mixture = GaussianMixtureParameters([0.7, 0.3], [[0.0], [6.0]], [1.0, 1.0], "spherical")
    >>> hdr_tail_probability(mixture, [[0.0], [2.5], [6.0], [32.0]], random_state=0).round(2)
    array([1.  , 0.02, 0.44, 0.  ])

    With one component the tail is exact, twice the normal tail beyond 1.96 standard deviations:

    >>> normal = GaussianMixtureParameters([1.0], [[0.0]], [1.0], "spherical")
    >>> hdr_tail_probability(normal, [[1.96]]).round(6)
    array([0.049996])
    """
    n_draws = check_integer(n_draws, "n_draws", low=1)
    generator = check_random_state(random_state)
    parameters, X = _check_arguments(model, X)
    present = np.flatnonzero(parameters.weights)
    if len(present) == 1:
        tails = np.empty(len(X))
        for rows, squared in _squared_distances(parameters, X):
            tails[rows] = _chi_squared_tail(squared[present[0]], parameters.n_features)
        return tails
    draws = _log_densities_of_draws(parameters, n_draws, generator)
    draws.sort()
    return _share_at_most(draws, _log_density(parameters, X))


# The door: what the public functions accept.


def _check_arguments(model: Any, X: Any) -> tuple[GaussianMixtureParameters, Array]:
    parameters = _as_parameters(model)
    matrix = check_matrix(X, "X")
    if matrix.shape[1] != parameters.n_features:
        raise ValueError(
            f"`X` must have {parameters.n_features} feature(s), as the components of the model "
            f"have, got {matrix.shape[1]}."
        )
    check_columns(X, getattr(model, "feature_names_in_", None), "X")
    return parameters, matrix


def _as_parameters(model: Any) -> GaussianMixtureParameters:
    if isinstance(model, GaussianMixtureParameters):
        return model
    _check_estimator(model)
    try:
        return GaussianMixtureParameters(
            model.weights_, model.means_, model.covariances_, model.covariance_type
        )
    except (TypeError, ValueError) as error:
        raise type(error)(f"The fitted {type(model).__name__} cannot be used: {error}") from None


def _check_estimator(model: Any) -> None:
    # scikit-learn loads slowly, and plain parameters do without it.
    from sklearn.exceptions import NotFittedError
    from sklearn.mixture import BayesianGaussianMixture, GaussianMixture

    if not isinstance(model, GaussianMixture | BayesianGaussianMixture):
        hint = (
            " Apply the earlier steps of the pipeline to `X` and pass its last step."
            if hasattr(model, "named_steps")
            else ""
        )
        raise TypeError(
            "`model` must be a fitted GaussianMixture or BayesianGaussianMixture, or "
            f"GaussianMixtureParameters, got {type(model).__name__}.{hint}"
        )
    missing = [name for name in ("weights_", "means_", "covariances_") if not hasattr(model, name)]
    if missing:
        raise NotFittedError(
            f"`model` must be fitted: this {type(model).__name__} has no {', '.join(missing)}. "
            "Call its `fit` first, or pass GaussianMixtureParameters."
        )


def _check_weights(weights: Any, name: str) -> Array:
    array = as_float_array(weights, name)
    if array.ndim != 1 or len(array) == 0:
        raise ValueError(
            f"`{name}` must have one dimension, (n_components,), with at least one component, "
            f"got shape {array.shape}."
        )
    bad = np.flatnonzero(~(np.isfinite(array) & (array >= 0)))
    if len(bad):
        raise ValueError(
            f"`{name}[{bad[0]}]` (component {bad[0]}) must be at least 0 and finite, "
            f"got {array[bad[0]]:g}."
        )
    total = float(array.sum())
    if abs(total - 1) > WEIGHT_SUM_TOLERANCE:
        raise ValueError(
            f"`{name}` must sum to one over the {len(array)} component(s), got {total:.9g}."
        )
    return array


def _check_means(means: Any, name: str, *, n_components: int) -> Array:
    array = check_matrix(means, name, axes="(n_components, n_features)")
    if len(array) != n_components:
        raise ValueError(
            f"`{name}` must have one row for each of the {n_components} component(s) that "
            f"`weights` counts, got {len(array)}."
        )
    return array


def _check_covariances(
    covariances: Any, name: str, covariance_type: str, shape: tuple[int, ...]
) -> tuple[Array, tuple[Array, ...]]:
    """Return the covariances, and one Cholesky factor (full, tied) or one row of standard
    deviations (diag, spherical) for each component; or raise."""
    n_components, n_features = shape
    if covariance_type == "tied":
        who = f"`{name}` (shared by all components)"
        matrix = _check_covariance(covariances, name, who, n_features)
        return matrix, (_cholesky(matrix, who),) * n_components
    if covariance_type == "full":
        return _check_full(covariances, name, n_components, n_features)
    expected = (n_components, n_features) if covariance_type == "diag" else (n_components,)
    variances = as_float_array(covariances, name)
    if variances.shape != expected:
        raise ValueError(
            f"`{name}` must have shape {expected} if `covariance_type` is {covariance_type!r}, "
            f"with {n_components} component(s) and {n_features} feature(s), "
            f"got shape {variances.shape}."
        )
    bad = np.argwhere(~(np.isfinite(variances) & (variances > 0)))
    if len(bad):
        index = ", ".join(str(i) for i in bad[0])
        raise ValueError(
            f"`{name}[{index}]` (component {bad[0][0]}) must be a positive, finite variance, "
            f"got {variances[tuple(bad[0])]:g}."
        )
    deviations = np.sqrt(variances).reshape(n_components, -1)
    return variances, tuple(np.broadcast_to(deviations, (n_components, n_features)))


def _check_full(
    covariances: Any, name: str, n_components: int, n_features: int
) -> tuple[Array, tuple[Array, ...]]:
    # Matrix by matrix, so that an error names its component.
    accepted = (
        f"`{name}` must have shape {(n_components, n_features, n_features)} if `covariance_type` "
        f"is 'full', with {n_components} component(s) and {n_features} feature(s)"
    )
    try:
        given = list(covariances)
    except TypeError:
        raise TypeError(f"{accepted}, got {covariances!r}.") from None
    if len(given) != n_components or any(np.ndim(covariance) != 2 for covariance in given):
        raise ValueError(f"{accepted}, got {_shape_text(covariances)}.")
    matrices, factors = [], []
    for k, covariance in enumerate(given):
        who = f"`{name}[{k}]` (component {k})"
        matrices.append(_check_covariance(covariance, f"{name}[{k}]", who, n_features))
        factors.append(_cholesky(matrices[-1], who))
    return np.stack(matrices), tuple(factors)


def _check_covariance(covariance: Any, name: str, who: str, n_features: int) -> Array:
    matrix = check_matrix(covariance, name, axes="(n_features, n_features)")
    if matrix.shape != (n_features, n_features):
        raise ValueError(f"{who} must have shape {(n_features, n_features)}, got {matrix.shape}.")
    variances = matrix.diagonal()
    if (variances <= 0).any():
        j = int(np.argmax(variances <= 0))
        raise ValueError(
            f"{who} must be symmetric positive definite, but the variance of feature {j} is "
            f"{variances[j]:g}."
        )
    deviations = np.sqrt(variances)
    with np.errstate(over="ignore", invalid="ignore"):
        correlations = matrix / deviations / deviations[:, np.newaxis]
        asymmetry = abs(correlations - correlations.T)
    if (asymmetry > SYMMETRY_TOLERANCE).any():
        i, j = np.argwhere(asymmetry > SYMMETRY_TOLERANCE)[0]
        raise ValueError(
            f"{who} must be symmetric positive definite, but it is not symmetric: "
            f"[{i}, {j}] is {matrix[i, j]:g} and [{j}, {i}] is {matrix[j, i]:g}."
        )
    beyond = np.argwhere(abs(correlations) > 1 + SYMMETRY_TOLERANCE)
    if len(beyond):
        i, j = beyond[0]
        raise ValueError(
            f"{who} must be symmetric positive definite, but the correlation of features {i} and "
            f"{j} would be {correlations[i, j]:g}."
        )
    return matrix


def _cholesky(covariance: Array, who: str) -> Array:
    """Return the lower Cholesky factor in Fortran order, as BLAS reads it; or raise."""
    # Powers of two bring every variance into [1, 4): exact, and nothing over- or underflows.
    exponents = (np.frexp(covariance.diagonal())[1] - 1) // 2
    scaled = np.ldexp(covariance, -(exponents + exponents[:, np.newaxis]))
    n_features = len(scaled)
    try:
        factor = np.asfortranarray(np.linalg.cholesky(scaled))
        # LAPACK's estimate of 1 / condition number. Small pivots alone do not tell: an earlier
        # one blows up the rounding of a later one, which then looks like a variance.
        reciprocal, _ = lapack.dpocon(factor, abs(scaled).sum(axis=0).max(), uplo="L")
    except np.linalg.LinAlgError:
        reciprocal = 0.0
    if reciprocal <= n_features * np.finfo(np.float64).eps:
        smallest = np.linalg.eigvalsh(scaled)[0]
        raise ValueError(
            f"{who} must be symmetric positive definite to working precision, but its smallest "
            f"eigenvalue is {smallest:.3g} (with every feature scaled to a variance near one). "
            "Drop features that repeat others, or add to its diagonal (`reg_covar` of the fit)."
        )
    return np.asfortranarray(np.ldexp(factor, exponents[:, np.newaxis]))


def _shape_text(arrays: list[Any]) -> str:
    try:
        return f"shape {np.shape(arrays)}"
    except ValueError:
        return f"shapes {listing([np.shape(array) for array in arrays])}"


def _read_only_copy(array: Array) -> Array:
    copy = np.array(array, dtype=np.float64)
    copy.flags.writeable = False
    return copy


# The mathematics: clean arrays only.


def _component_values(parameters: GaussianMixtureParameters, X: Array, constants: Array) -> Array:
    """Return constants[k] - (squared distance to component k) / 2, of shape (n, K)."""
    values = np.empty((len(X), parameters.n_components))
    for rows, squared in _squared_distances(parameters, X):
        values[rows] = _minus_half(squared, constants).T
    return values


def _log_density(parameters: GaussianMixtureParameters, X: Array) -> Array:
    constants = _log(parameters.weights) + _log_normalisers(parameters)
    values = np.empty(len(X))
    for rows, squared in _squared_distances(parameters, X):
        values[rows] = _log_sum_exp(_minus_half(squared, constants))
    return values


def _minus_half(squared: Array, constants: Array) -> Array:
    squared *= -0.5
    squared += constants[:, np.newaxis]
    return squared


def _log_sum_exp(values: Array) -> Array:
    """Return log(sum(exp(values), axis=0)), -inf where all are; overwrites `values`."""
    if len(values) == 1:
        return np.asarray(values[0])
    # Where all are -inf, so is the answer, and -inf - (-inf) must not be formed.
    largest = np.maximum(values.max(axis=0), -np.finfo(np.float64).max)
    values -= largest
    with np.errstate(under="ignore"):
        np.exp(values, out=values)
    return np.asarray(largest + _log(values.sum(axis=0)))


def _log(values: Array) -> Array:
    """Return the logarithm; -inf at zero is meant, for a weight as for a density."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(values))


def _log_normalisers(parameters: GaussianMixtureParameters) -> Array:
    """Return the log density of each component at its mean."""
    log_roots = [
        np.log(factor.diagonal() if factor.ndim == 2 else factor).sum()
        for factor in parameters._factors
    ]
    return -0.5 * parameters.n_features * _LOG_2_PI - np.array(log_roots)


def _variational_log_weights(model: Any) -> Array:
    """Return E[log pi_k] + (E[log N] - log N at the reported parameters), for each component.

    Bishop (2006), equations 10.64 to 10.66, for `weight_concentration_prior_type`
    "dirichlet_distribution"; for "dirichlet_process" Blei & Jordan (2006).
    """
    if not hasattr(model, "weight_concentration_"):
        raise ValueError(
            "`variational` must be False unless `model` is a fitted BayesianGaussianMixture: a "
            f"{type(model).__name__} has no posterior to average over."
        )
    n_components, n_features = model.means_.shape
    if isinstance(model.weight_concentration_, tuple):  # of a Dirichlet process
        first, second = (np.asarray(part, dtype=float) for part in model.weight_concentration_)
        log_total = digamma(first + second)
        log_rest = np.cumsum(digamma(second) - log_total)
        expected_log_weights = digamma(first) - log_total + np.r_[0.0, log_rest[:-1]]
    else:
        concentration = np.asarray(model.weight_concentration_, dtype=float)
        expected_log_weights = digamma(concentration) - digamma(concentration.sum())
    freedom = np.broadcast_to(np.asarray(model.degrees_of_freedom_, float), n_components)
    halves = (freedom[:, np.newaxis] - np.arange(n_features)) / 2
    log_precision = digamma(halves).sum(axis=1) - n_features * np.log(freedom / 2)
    spread_of_mean = n_features / np.asarray(model.mean_precision_, dtype=float)
    return np.asarray(expected_log_weights + 0.5 * (log_precision - spread_of_mean))


def _chi_squared_tail(squared: Array, n_features: int) -> Array:
    return np.asarray(gammaincc(n_features / 2, squared / 2))


def _squared_distances(
    parameters: GaussianMixtureParameters, X: Array
) -> Iterator[tuple[slice, Array]]:
    """Yield (rows, squared Mahalanobis distances of shape (K, n_rows)), block by block."""
    n_samples, n_features = X.shape
    size = _block_rows(n_features, parameters.n_components)
    for start in range(0, n_samples, size):
        rows = slice(start, min(start + size, n_samples))
        yield rows, _squared_distances_of_block(parameters, np.ascontiguousarray(X[rows].T))


def _squared_distances_of_block(
    parameters: GaussianMixtureParameters, block: Array, origins: Array | None = None
) -> Array:
    """Return the distances of a block of points that lies transposed, of shape (d, n_rows).

    So every operation runs along rows that are long and contiguous. With `origins`, of the same
    shape or one column for all, the points are block + origins, but that sum is not formed: the
    block may be far below the rounding of its origins.
    """
    work = np.empty_like(block)
    squared = np.empty((parameters.n_components, block.shape[1]))
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        for k, factor in enumerate(parameters._factors):
            mean = parameters.means[k][:, np.newaxis]
            if origins is None:
                np.subtract(block, mean, out=work)
            else:
                np.add(block, origins - mean, out=work)
            _whitened_square_sum(factor, work, squared[k])
    # Whatever substitution forms on its way to z is at most |z| times a standard deviation,
    # which is below the root of the largest float. So only a distance that is itself beyond
    # the largest float overflows on the way, perhaps to inf - inf.
    squared[np.isnan(squared)] = np.inf
    return squared


def _block_rows(n_features: int, n_components: int) -> int:
    values = BLOCK_VALUES if n_features <= MAX_FEATURES_IN_PANELS else 8 * BLOCK_VALUES
    rows = values // (2 * n_features + n_components)
    return min(max(rows, MIN_BLOCK_ROWS), MAX_BLOCK_ROWS)


def _whitened_square_sum(factor: Array, work: Array, result: Array) -> None:
    """Whiten the differences in `work`, in place, and sum their squares into `result`."""
    if factor.ndim == 2:
        _solve_lower(factor, work)
    else:
        np.divide(work, factor[:, np.newaxis], out=work)
    np.multiply(work, work, out=work)
    np.add.reduce(work, axis=0, out=result)


def _solve_lower(factor: Array, work: Array) -> None:
    """Replace `work`, of shape (d, n_rows), by the solution z of `factor` z = `work`."""
    n_features = len(factor)
    if n_features > MAX_FEATURES_IN_PANELS:
        # As z' factor' = work', since the transpose of `work` lies in Fortran order: in place.
        blas.dtrsm(1.0, factor, work.T, side=1, lower=1, trans_a=1, overwrite_b=1)
        return
    product = np.empty(work.shape[1])
    for first in range(0, n_features, PANEL):
        last = min(first + PANEL, n_features)
        if first > 0:
            work[first:last] -= factor[first:last, :first] @ work[:first]
        for i in range(first, last):
            for j in range(first, i):
                np.multiply(work[j], factor[i, j], out=product)
                work[i] -= product
            work[i] /= factor[i, i]


def _log_densities_of_draws(
    parameters: GaussianMixtureParameters, n_draws: int, generator: np.random.Generator
) -> Array:
    """Return the log densities of draws from the mixture, in blocks, the draws not being kept."""
    counts = generator.multinomial(n_draws, parameters.weights / parameters.weights.sum())
    labels = np.repeat(np.arange(parameters.n_components), counts.astype(np.intp))
    size = _block_rows(parameters.n_features, parameters.n_components)
    constants = _log(parameters.weights) + _log_normalisers(parameters)
    densities = np.empty(n_draws)
    for start in range(0, n_draws, size):
        block = labels[start : start + size]
        offsets = generator.standard_normal((parameters.n_features, len(block)))
        first, last = int(block[0]), int(block[-1])
        for k in range(first, last + 1):  # the labels are sorted: each has one stretch
            mine = slice(*np.searchsorted(block, [k, k + 1]))
            factor = parameters._factors[k]
            noise = offsets[:, mine]
            offsets[:, mine] = factor @ noise if factor.ndim == 2 else noise * factor[:, np.newaxis]
        # Where all come from one component, one column says it for all.
        owners = block[:1] if first == last else block
        origins = parameters.means[owners].T
        squared = _squared_distances_of_block(parameters, offsets, origins)
        densities[start : start + size] = _log_sum_exp(_minus_half(squared, constants))
    return densities


def _share_at_most(ordered: Array, values: Array) -> Array:
    """Return which share of the `ordered` numbers is no larger than each of the `values`."""
    n_ordered = len(ordered)
    n_cells = min(CELLS_PER_DRAW * n_ordered, MAX_CELLS)
    with np.errstate(all="ignore"):
        scale = n_cells / (ordered[-1] - ordered[0])
    if len(values) < n_ordered or not np.isfinite(scale):
        return np.asarray(np.searchsorted(ordered, values, side="right") / n_ordered)
    # A binary search misses the cache at every step. Here a table of equal cells leads next to
    # the place. `_cells` never decreases, so what lies in an earlier cell is smaller for sure.
    occupancy = np.bincount(_cells(ordered, ordered[0], scale, n_cells), minlength=n_cells)
    # Half the size of an index, so that more of the table stays in the cache.
    integer = np.int32 if n_ordered < 2**31 else np.int64
    starts = (np.cumsum(occupancy) - occupancy).astype(integer)
    padded = np.append(ordered, np.inf)
    shares = np.empty(len(values))
    for first in range(0, len(values), MAX_BLOCK_ROWS):
        block = values[first : first + MAX_BLOCK_ROWS]
        cells = _cells(block, ordered[0], scale, n_cells)
        places = starts.take(cells, mode="clip").astype(np.intp)
        shares[first : first + MAX_BLOCK_ROWS] = _advance(places, ordered, padded, block)
    shares /= n_ordered
    return shares


def _cells(values: Array, origin: float, scale: float, n_cells: int) -> NDArray[np.intp]:
    with np.errstate(over="ignore"):
        positions = values - origin
        positions *= scale
    np.maximum(positions, 0, out=positions)
    np.minimum(positions, n_cells - 1, out=positions)
    return positions.astype(np.intp)


def _advance(
    places: NDArray[np.intp], ordered: Array, padded: Array, values: Array
) -> NDArray[np.intp]:
    """Move each place up to the first of `ordered` that is larger than its value."""
    at_places = np.empty(len(values))
    for sweep in range(MAX_SWEEPS + 1):
        padded.take(places, out=at_places, mode="clip")
        smaller = at_places <= values
        few = np.count_nonzero(smaller) <= SWEEP_SHARE * len(values)
        if few or sweep == MAX_SWEEPS:
            break
        places += smaller
    late = np.flatnonzero(smaller)
    places[late] = np.searchsorted(ordered, values[late], side="right")
    return places
