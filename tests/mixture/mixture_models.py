"""Mixtures, draws from them and fits to these, for all tests of the wing."""

import numpy as np

from afterfit.mixture import (
    GaussianMixtureParameters,
    component_log_densities,
    component_log_joints,
    component_tail_probabilities,
    hdr_tail_probability,
    log_density,
    squared_mahalanobis,
)

TYPES = ("full", "tied", "diag", "spherical")
FUNCTIONS = (
    component_log_densities,
    component_log_joints,
    component_tail_probabilities,
    hdr_tail_probability,
    log_density,
    squared_mahalanobis,
)
WEIGHTS = np.array([0.6, 0.3, 0.1])


def random_parameters(covariance_type, n_features, seed=0, weights=WEIGHTS):
    """Return unequal weights, and full covariances that are far from diagonal."""
    rng = np.random.default_rng(seed)
    n_components = len(weights)
    roots = rng.standard_normal((n_components, n_features, n_features + 1))
    matrices = roots @ roots.transpose(0, 2, 1) + 0.1 * np.eye(n_features)
    variances = rng.uniform(0.2, 3.0, (n_components, n_features))
    covariances = {
        "full": matrices,
        "tied": matrices[0],
        "diag": variances,
        "spherical": variances[:, 0],
    }[covariance_type]
    means = 2.0 * rng.standard_normal((n_components, n_features))
    return GaussianMixtureParameters(weights, means, covariances, covariance_type)


def covariance_matrices(parameters):
    """Return the covariances as K full matrices, whatever their type."""
    shape = (parameters.n_components, parameters.n_features, parameters.n_features)
    identity = np.eye(parameters.n_features)
    if parameters.covariance_type == "spherical":
        return parameters.covariances[:, np.newaxis, np.newaxis] * identity
    if parameters.covariance_type == "diag":
        return parameters.covariances[:, np.newaxis, :] * identity
    return np.broadcast_to(parameters.covariances, shape)


def draw(parameters, n, seed):
    """Return draws from the mixture, made without the module under test."""
    rng = np.random.default_rng(seed)
    matrices = covariance_matrices(parameters)
    labels = rng.choice(parameters.n_components, size=n, p=parameters.weights)
    X = np.empty((n, parameters.n_features))
    for k in range(parameters.n_components):
        mine = labels == k
        X[mine] = rng.multivariate_normal(parameters.means[k], matrices[k], size=mine.sum())
    return X, labels


def fit(estimator, covariance_type, n_features, **settings_):
    """Return a fitted estimator of scikit-learn and its data."""
    X, _ = draw(random_parameters("full", n_features), 400, seed=1)
    model = estimator(
        n_components=3,
        covariance_type=covariance_type,
        random_state=0,
        max_iter=500,
        tol=1e-2,
        reg_covar=1e-3,
        **settings_,
    )
    return model.fit(X), X
