"""Densities, distances and tails of the single components, and the density of the mixture."""

from __future__ import annotations

from typing import Any

import numpy as np

from afterfit.mixture._kernel import (
    by_blocks,
    chi_squared_tail,
    component_values,
    log_density_of,
    log_normalisers,
    log_peaks,
    variational_log_weights,
)
from afterfit.mixture._parameters import check_arguments


def component_log_densities(model: Any, X: Any) -> Any:
    """Return the log density of every point under every component, log N(x; mu_k, Sigma_k).

    Parameters
    ----------
    model : GaussianMixture, BayesianGaussianMixture or GaussianMixtureParameters
        The mixture; an estimator must be fitted. Its `weights_`, `means_` and `covariances_` are
        used, and nothing else.
    X : array-like of shape (n_samples, n_features)
        The points. A table must carry the columns of the fit, in that order. An array of another
        library is computed on its device, and the result is one as well.

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
    parameters, X = check_arguments(model, X)
    return component_values(parameters, X, log_normalisers(parameters))


def component_log_joints(model: Any, X: Any, *, variational: bool = False) -> Any:
    """Return the joint log density of points and components, log pi_k + log N(x; mu_k, Sigma_k).

    These are the unnormalised log responsibilities: their softmax over components is what a
    GaussianMixture's `predict_proba` returns, their log-sum-exp its `score_samples`.

    Parameters
    ----------
    model : GaussianMixture, BayesianGaussianMixture or GaussianMixtureParameters
        The mixture; an estimator must be fitted. Its `weights_`, `means_` and `covariances_` are
        used, and nothing else, unless `variational`.
    X : array-like of shape (n_samples, n_features)
        The points. A table must carry the columns of the fit, in that order. An array of another
        library is computed on its device, and the result is one as well.
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
    parameters, X = check_arguments(model, X)
    if not variational:
        return component_values(parameters, X, log_peaks(parameters))
    log_weights = variational_log_weights(model)
    return component_values(parameters, X, log_weights + log_normalisers(parameters))


def log_density(model: Any, X: Any) -> Any:
    """Return the log density of the mixture at every point, log sum_k pi_k N(x; mu_k, Sigma_k).

    Parameters
    ----------
    model : GaussianMixture, BayesianGaussianMixture or GaussianMixtureParameters
        The mixture; an estimator must be fitted. Its `weights_`, `means_` and `covariances_` are
        used, and nothing else.
    X : array-like of shape (n_samples, n_features)
        The points. A table must carry the columns of the fit, in that order. An array of another
        library is computed on its device, and the result is one as well.

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
    parameters, X = check_arguments(model, X)
    return log_density_of(parameters, X)


def squared_mahalanobis(model: Any, X: Any) -> Any:
    """Return the squared Mahalanobis distance of every point to the mean of every component.

    Parameters
    ----------
    model : GaussianMixture, BayesianGaussianMixture or GaussianMixtureParameters
        The mixture; an estimator must be fitted.
    X : array-like of shape (n_samples, n_features)
        The points. A table must carry the columns of the fit, in that order. An array of another
        library is computed on its device, and the result is one as well.

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
    parameters, X = check_arguments(model, X)
    return by_blocks(parameters, X, lambda squared: squared)


def component_tail_probabilities(model: Any, X: Any) -> Any:
    """Return how far out a point is in each component, as a tail probability in [0, 1].

    It is the probability that a draw from the component lies no closer to its mean, in
    Mahalanobis distance, than the point does: 1 at the mean, near 0 far out. The weights of the
    components play no part.

    Parameters
    ----------
    model : GaussianMixture, BayesianGaussianMixture or GaussianMixtureParameters
        The mixture; an estimator must be fitted.
    X : array-like of shape (n_samples, n_features)
        The points. A table must carry the columns of the fit, in that order. An array of another
        library is computed on its device, and the result is one as well.

    Returns
    -------
    ndarray of shape (n_samples, n_components)
        Upper tail of the chi-squared distribution with n_features degrees of freedom at the squared
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
    The distribution is that at known parameters. At estimated ones a point that took part in the
    fit looks less unusual than a fresh one, the more so in many dimensions.

    Examples
    --------
    >>> from afterfit.mixture import GaussianMixtureParameters, component_tail_probabilities
    >>> mixture = GaussianMixtureParameters([0.5, 0.5], [[0.0], [2.0]], [1.0, 1.0], "spherical")
    >>> component_tail_probabilities(mixture, [[0.0], [1.96], [32.0]]).round(4)
    array([[1.    , 0.0455],
           [0.05  , 0.9681],
           [0.    , 0.    ]])
    """
    parameters, X = check_arguments(model, X)
    n_features = parameters.n_features
    return by_blocks(parameters, X, lambda squared: chi_squared_tail(squared, n_features))
