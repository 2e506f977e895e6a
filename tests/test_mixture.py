"""Other programs' numbers, closed forms, exact arithmetic and invariances for mixtures."""

import copy
import dataclasses
import pickle
import tracemalloc
from datetime import date
from decimal import Decimal, localcontext
from importlib.resources import files
from math import pi

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import integrate, stats
from scipy.sparse import csr_array
from scipy.special import erfc, logsumexp, softmax
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from afterfit import mixture
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


# Against other programs.


def log_likelihood(model, X):
    return log_density(model, X).sum()


def test_mclust_bic_of_one_component_on_iris():
    # R, mclust: Mclust(iris[, 1:4], G = 1, modelNames = "XXX")$bic is -829.9782; mclust's BIC is
    # 2 log L - (number of parameters) log n, with 4 means and 10 covariances.
    X = load_iris().data
    one = GaussianMixtureParameters([1.0], [X.mean(axis=0)], [np.cov(X.T, bias=True)])
    assert 2 * log_likelihood(one, X) - 14 * np.log(150) == pytest.approx(-829.9782, abs=2e-3)


def test_mclust_bic_of_two_components_on_iris():
    # R, mclust: Mclust(iris[, 1:4], G = 2, modelNames = "VVV")$bic is -574.0178; twice 14
    # parameters and one weight.
    X = load_iris().data
    model = GaussianMixture(2, reg_covar=0, tol=1e-8, max_iter=1000, random_state=0).fit(X)
    assert 2 * log_likelihood(model, X) - 29 * np.log(150) == pytest.approx(-574.0178, abs=2e-3)


def test_mclust_log_likelihood_of_old_faithful():
    # R, mclust: Mclust(faithful, G = 2, modelNames = "VVV"): log-likelihood -1130.264,
    # proportions 0.3559 and 0.6441.
    path = files("afterfit") / "data" / "faithful.csv"
    with path.open() as lines:
        X = pd.read_csv(lines)
    model = GaussianMixture(2, reg_covar=0, tol=1e-10, max_iter=1000, random_state=0).fit(X)
    assert log_likelihood(model, X) == pytest.approx(-1130.264, abs=1e-3)
    assert_allclose(np.sort(model.weights_), [0.3559, 0.6441], atol=5e-5)  # it is mclust's fit
    rounded = GaussianMixtureParameters([0.3559, 0.6441], *_sorted_by_weight(model))
    assert log_likelihood(rounded, X) == pytest.approx(-1130.264, abs=1e-3)


def _sorted_by_weight(model):
    order = np.argsort(model.weights_)
    return model.means_[order], model.covariances_[order]


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("n_features", [1, 2, 5, 9, 70])
def test_scipy_multivariate_normal(covariance_type, n_features):
    # 70 features take the way through BLAS, 9 do not fill the last panel.
    parameters = random_parameters(covariance_type, n_features)
    X, _ = draw(parameters, 50, seed=2)
    expected = np.column_stack(
        [
            stats.multivariate_normal(mean, matrix).logpdf(X)
            for mean, matrix in zip(parameters.means, covariance_matrices(parameters), strict=True)
        ]
    )
    assert_allclose(component_log_densities(parameters, X), expected, rtol=1e-10)
    joints = expected + np.log(WEIGHTS)
    assert_allclose(component_log_joints(parameters, X), joints, rtol=1e-10)
    assert_allclose(log_density(parameters, X), logsumexp(joints, axis=1), rtol=1e-10)


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("n_features", [1, 3])
def test_scikit_learns_gaussian_mixture(covariance_type, n_features):
    model, X = fit(GaussianMixture, covariance_type, n_features)
    joints = component_log_joints(model, X)
    assert joints.shape == (400, 3)
    assert_allclose(logsumexp(joints, axis=1), model.score_samples(X), rtol=0, atol=1e-12)
    assert_allclose(log_density(model, X), model.score_samples(X), rtol=0, atol=1e-12)
    assert_allclose(softmax(joints, axis=1), model.predict_proba(X), rtol=0, atol=1e-12)


@pytest.mark.parametrize("prior", ["dirichlet_process", "dirichlet_distribution"])
@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("n_features", [1, 3])
def test_scikit_learns_bayesian_gaussian_mixture(prior, covariance_type, n_features):
    model, X = fit(
        BayesianGaussianMixture, covariance_type, n_features, weight_concentration_prior_type=prior
    )
    joints = component_log_joints(model, X, variational=True)
    assert_allclose(logsumexp(joints, axis=1), model.score_samples(X), rtol=0, atol=1e-11)
    assert_allclose(softmax(joints, axis=1), model.predict_proba(X), rtol=0, atol=1e-12)
    assert_array_equal(component_log_joints(model, X, variational=np.True_), joints)
    other = {"dirichlet_process", "dirichlet_distribution"} - {prior}
    model.set_params(weight_concentration_prior_type=other.pop())  # it was fitted with the first
    assert_array_equal(component_log_joints(model, X, variational=True), joints)
    plain = GaussianMixtureParameters(
        model.weights_, model.means_, model.covariances_, covariance_type
    )
    for function in (component_log_densities, component_log_joints, log_density):
        assert_array_equal(function(model, X), function(plain, X))


def test_reported_parameters_give_a_density_and_variational_averages_do_not():
    model, _ = fit(BayesianGaussianMixture, "full", 1)
    grid = np.linspace(-60, 60, 200_001)

    def mass(log_values):
        return integrate.trapezoid(np.exp(log_values), grid)

    X = grid[:, np.newaxis]
    assert mass(log_density(model, X)) == pytest.approx(1, abs=1e-9)
    averaged = logsumexp(component_log_joints(model, X, variational=True), axis=1)
    assert mass(averaged) < 0.999  # Jensen


# Against closed forms, slow obvious code and exact arithmetic.


def test_a_density_is_no_probability():
    # 1 / (0.01 sqrt(2 pi)) = 39.894
    narrow = GaussianMixtureParameters([1.0], [[0.0]], [[[1e-4]]])
    assert np.exp(log_density(narrow, [[0.0]])[0]) == pytest.approx(100 / np.sqrt(2 * pi))


@pytest.mark.parametrize("covariance_type", TYPES)
def test_naive_loop(covariance_type):
    # The textbook formula, with an explicit inverse and determinant, point by point.
    parameters = random_parameters(covariance_type, 3)
    X, _ = draw(parameters, 30, seed=3)
    distances, densities = np.empty((2, 30, 3))
    for i, x in enumerate(X):
        for k, matrix in enumerate(covariance_matrices(parameters)):
            difference = x - parameters.means[k]
            distances[i, k] = difference @ np.linalg.inv(matrix) @ difference
            norm = np.sqrt((2 * pi) ** 3 * np.linalg.det(matrix))
            densities[i, k] = np.exp(-distances[i, k] / 2) / norm
    assert_allclose(squared_mahalanobis(parameters, X), distances, rtol=1e-11)
    assert_allclose(np.exp(component_log_densities(parameters, X)), densities, rtol=1e-11)
    assert_allclose(np.exp(component_log_joints(parameters, X)), WEIGHTS * densities, rtol=1e-11)
    assert_allclose(np.exp(log_density(parameters, X)), densities @ WEIGHTS, rtol=1e-11)
    assert_allclose(
        component_tail_probabilities(parameters, X), stats.chi2(3).sf(distances), rtol=1e-10
    )


@pytest.mark.parametrize("n_samples", [1, mixture.MAX_BLOCK_ROWS, mixture.MAX_BLOCK_ROWS + 1])
def test_blocks_fit_together(n_samples):
    parameters = random_parameters("full", 2)
    X, _ = draw(parameters, n_samples, seed=4)
    pieces = [log_density(parameters, X[i : i + 1000]) for i in range(0, n_samples, 1000)]
    assert_allclose(log_density(parameters, X), np.concatenate(pieces), rtol=1e-13)
    for function in FUNCTIONS[:3]:
        alone = function(parameters, X[-1:])
        assert_allclose(function(parameters, X)[-1:], alone, rtol=1e-13)


def exact_log_density_and_distance(x, mean, covariance):
    """Return log N(x; mean, covariance) and the squared distance, in 80 decimal digits."""
    with localcontext() as context:
        context.prec = 80
        context.Emin, context.Emax = -(10**9), 10**9
        d = len(x)
        sigma = [[Decimal(float(entry)) for entry in row] for row in covariance]
        factor = [[Decimal(0)] * d for _ in range(d)]
        z = [Decimal(0)] * d
        for i in range(d):
            for j in range(i + 1):
                rest = sigma[i][j] - sum(factor[i][k] * factor[j][k] for k in range(j))
                factor[i][j] = rest.sqrt() if i == j else rest / factor[j][j]
            difference = Decimal(float(x[i])) - Decimal(float(mean[i]))
            z[i] = (difference - sum(factor[i][k] * z[k] for k in range(i))) / factor[i][i]
        distance = sum(value * value for value in z)
        log_root = sum(factor[i][i].ln() for i in range(d))
        log_2_pi = Decimal("1.8378770664093454835606594728112352797227949472755668")
        return float(-(d * log_2_pi + distance) / 2 - log_root), float(distance)


COLLINEAR = 1 - 1e-10
EXTREMES = {
    "a thousand standard deviations": ([1e3], [0.0], [[1.0]]),
    "tiny variance": ([3e-150], [1e-150], [[1e-300]]),
    "subnormal variance": ([1e-160], [0.0], [[1e-310]]),
    "subnormal covariances": ([1e-157, 2e-157], [0, 0], [[1e-315, 5e-316], [5e-316, 1e-315]]),
    "huge variance": ([1e154], [-1e154], [[1e308]]),
    "far from the origin": ([1e8 + 2.5, 1e8 - 1.25], [1e8, 1e8], [[1.0, 0.5], [0.5, 1.0]]),
    "units apart": ([1e-140, 3e140], [0, 0], [[1e-280, 0.5], [0.5, 1e280]]),
    "1e160 against standard deviations of 1e150": (
        [1e160, -1e160],
        [0, 0],
        [[1e300, 0], [0, 1e300]],
    ),
    "1e150": ([1e150, -1e150, 1e150], [0, 1, 0], np.eye(3)),
    "nearly collinear": ([2.0, 2.5], [0, 0], [[1.0, COLLINEAR], [COLLINEAR, 1.0]]),
}


@pytest.mark.parametrize("case", EXTREMES)
def test_exact_in_extreme_cases(case):
    x, mean, covariance = EXTREMES[case]
    expected, distance = exact_log_density_and_distance(x, mean, covariance)
    assert np.isfinite(expected)
    model = GaussianMixtureParameters([1.0], [mean], [covariance])
    # The relative error is machine epsilon times the condition number, here at most 2e10.
    rtol = 1e-5 if case == "nearly collinear" else 4e-15
    assert_allclose(squared_mahalanobis(model, [x])[0, 0], distance, rtol=rtol)
    for value in (component_log_densities(model, [x])[0, 0], log_density(model, [x])[0]):
        # Logarithms of scales may cancel, as in "units apart": 640 - 640.
        assert_allclose(value, expected, rtol=rtol, atol=2e-13)


@pytest.mark.parametrize("seed", range(5))
def test_exact_on_random_ill_conditioned_covariances(seed):
    rng = np.random.default_rng(seed)
    scales = 10.0 ** rng.uniform(-100, 100, 4)
    root = rng.standard_normal((4, 4)) * scales[:, np.newaxis]
    covariance, mean = root @ root.T, scales * rng.standard_normal(4)
    x = mean + scales * rng.standard_normal(4) * 10
    expected, distance = exact_log_density_and_distance(x, mean, covariance)
    model = GaussianMixtureParameters([1.0], [mean], [covariance])
    assert_allclose(squared_mahalanobis(model, [x])[0, 0], distance, rtol=1e-11)
    assert_allclose(log_density(model, [x])[0], expected, rtol=1e-11)


def test_a_thousand_standard_deviations_away():
    # log N(1000; 0, 1) = -500000 - log(2 pi) / 2, and 998 from the mean 2.
    model = GaussianMixtureParameters([0.25, 0.75], [[0.0], [2.0]], [1.0, 1.0], "spherical")
    joints = component_log_joints(model, [[1000.0]])[0]
    constant = -np.log(2 * pi) / 2
    assert joints[0] == pytest.approx(np.log(0.25) + constant - 1000**2 / 2, rel=1e-15)
    assert joints[1] == pytest.approx(np.log(0.75) + constant - 998**2 / 2, rel=1e-15)
    assert softmax(joints).tolist() == [0, 1]  # all that predict_proba could say
    assert log_density(model, [[1000.0]])[0] == joints[1]
    assert component_tail_probabilities(model, [[1000.0]]).tolist() == [[0, 0]]
    assert hdr_tail_probability(model, [[1000.0]], random_state=0).tolist() == [0]


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("n_features", [1, 2, 6, 70])
@pytest.mark.parametrize("size", [1e160, -1e160, np.finfo(float).max])
def test_beyond_the_largest_float(covariance_type, n_features, size):
    parameters = random_parameters(covariance_type, n_features)
    X = np.zeros((3, n_features))
    X[1, 0], X[2] = size, size
    for function, limit in zip(FUNCTIONS, (-np.inf, -np.inf, 0, 0, -np.inf, np.inf), strict=True):
        options = {"n_draws": 1000} if function is hdr_tail_probability else {}
        values = function(parameters, X, **options)
        assert (values[1:] == limit).all()
        assert np.isfinite(values[0]).all()  # the neighbours in the block stay as they are


def test_difference_beyond_the_largest_float():
    largest = np.finfo(float).max
    model = GaussianMixtureParameters(
        [0.5, 0.5], [[-largest], [largest]], [1e308, 1e308], "spherical"
    )
    assert squared_mahalanobis(model, [[largest]]).tolist() == [[np.inf, 0]]
    assert component_tail_probabilities(model, [[largest]]).tolist() == [[0, 1]]
    assert np.isfinite(log_density(model, [[largest]])).all()
    assert hdr_tail_probability(model, [[largest]], n_draws=500, random_state=0).tolist() == [1]


def test_a_component_without_weight():
    model = GaussianMixtureParameters([1.0, 0.0], [[0.0], [5.0]], [1.0, 1.0], "spherical")
    alone = GaussianMixtureParameters([1.0], [[0.0]], [1.0], "spherical")
    X = [[0.0], [5.0], [1e160]]
    assert (component_log_joints(model, X)[:, 1] == -np.inf).all()
    assert component_log_densities(model, X)[1, 1] == pytest.approx(-np.log(2 * pi) / 2)
    assert_array_equal(log_density(model, X), log_density(alone, X))
    assert_array_equal(hdr_tail_probability(model, X), hdr_tail_probability(alone, X))
    second = GaussianMixtureParameters([0.0, 1.0], [[5.0], [0.0]], [1.0, 1.0], "spherical")
    assert_array_equal(hdr_tail_probability(second, X), hdr_tail_probability(alone, X))


def test_weights_above_one_by_the_rounding_of_single_precision():
    weights = [1 + 5e-7, 1e-9]
    model = GaussianMixtureParameters(weights, [[0.0], [50.0]], [1.0, 1.0], "spherical")
    tail = hdr_tail_probability(model, [[1.96]], random_state=0)[0]
    assert tail == pytest.approx(2 * stats.norm.cdf(-1.96), abs=4 * 0.0007)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_components_without_weight_are_left_out_of_the_hdr(covariance_type):
    three = random_parameters(covariance_type, 2, weights=np.array([0.7, 0.0, 0.3]))
    keep = [0, 2]
    covariances = three.covariances if covariance_type == "tied" else three.covariances[keep]
    two = GaussianMixtureParameters([0.7, 0.3], three.means[keep], covariances, covariance_type)
    X, _ = draw(two, 20, seed=5)
    assert_array_equal(
        hdr_tail_probability(three, X, random_state=0), hdr_tail_probability(two, X, random_state=0)
    )


# The tail probabilities.


@pytest.mark.parametrize("covariance_type", TYPES)
def test_hdr_tail_of_one_normal_is_twice_the_normal_tail(covariance_type):
    # 2 Phi(-d) = erfc(d / sqrt 2), also far out, where Monte Carlo would say 0.
    covariances = {"full": [[[4.0]]], "tied": [[4.0]], "diag": [[4.0]], "spherical": [4.0]}
    model = GaussianMixtureParameters([1.0], [[3.0]], covariances[covariance_type], covariance_type)
    d = np.array([0.0, 0.1, 1.0, 1.96, 5.0, 30.0])
    X = 3.0 + 2.0 * d[:, np.newaxis]
    assert_allclose(hdr_tail_probability(model, X), erfc(d / np.sqrt(2)), rtol=1e-12)
    assert_allclose(hdr_tail_probability(model, X), 2 * stats.norm.cdf(-d), rtol=1e-12)


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("n_features", [2, 4])
def test_hdr_tail_of_one_component_is_its_chi_squared_tail(covariance_type, n_features):
    model = random_parameters(covariance_type, n_features, weights=np.array([1.0]))
    X, _ = draw(model, 200, seed=6)
    distances = squared_mahalanobis(model, X)[:, 0]
    # Upper tails of chi-squared in closed form: exp(-x/2), and (1 + x/2) exp(-x/2).
    factor = 1 if n_features == 2 else 1 + distances / 2
    expected = factor * np.exp(-distances / 2)
    assert_allclose(hdr_tail_probability(model, X), expected, rtol=1e-12)
    assert_array_equal(component_tail_probabilities(model, X)[:, 0], hdr_tail_probability(model, X))


def exact_hdr_tails(parameters, points):
    """Integrate the density of a one-dimensional mixture over {p <= p(x)} on a fine grid."""
    edges = np.linspace(-15, 25, 400_001)
    middle = (edges[1:] + edges[:-1]) / 2
    deviations = np.sqrt(parameters.covariances.ravel())
    laws = [stats.norm(m, s) for m, s in zip(parameters.means[:, 0], deviations, strict=True)]
    mass = sum(w * np.diff(law.cdf(edges)) for w, law in zip(parameters.weights, laws, strict=True))

    def density(x):
        return sum(w * law.pdf(x) for w, law in zip(parameters.weights, laws, strict=True))

    return np.array([mass[density(middle) <= density(x)].sum() for x in points])


@pytest.mark.parametrize("n_points", [7, 20_001])
def test_hdr_tail_within_its_stated_standard_error(n_points):
    # With more points than draws the ranks are found by table, with fewer by binary search.
    model = GaussianMixtureParameters([0.8, 0.2], [[0.0], [6.0]], [1.0, 4.0], "spherical")
    points = np.linspace(-6, 12, n_points)  # 0 is next to the mode
    checked = slice(None, None, max(1, n_points // 30))
    exact = exact_hdr_tails(model, points[checked])
    assert exact.min() < 0.01
    assert exact.max() > 0.9
    n_draws = 20_000
    tails = hdr_tail_probability(model, points[:, np.newaxis], n_draws=n_draws, random_state=1)
    errors = (tails[checked] - exact) / np.sqrt(np.maximum(exact * (1 - exact), 1e-4) / n_draws)
    assert abs(errors).max() < 4
    assert_allclose(tails * n_draws, np.round(tails * n_draws), atol=1e-8)


def test_the_stated_standard_error_is_the_spread_over_repetitions():
    model = GaussianMixtureParameters([0.8, 0.2], [[0.0], [6.0]], [1.0, 4.0], "spherical")
    points = np.array([-1.5, 3.5, 6.0])
    tails = np.array(
        [
            hdr_tail_probability(model, points[:, np.newaxis], n_draws=500, random_state=seed)
            for seed in range(400)
        ]
    )
    exact = exact_hdr_tails(model, points)
    stated = np.sqrt(exact * (1 - exact) / 500)
    # 400 repetitions: a standard deviation is known to 3.5 percent, a mean to a twentieth of it.
    assert_allclose(tails.std(axis=0) / stated, 1, atol=4 * 0.0354)
    assert (abs(tails.mean(axis=0) - exact) < 4 * stated / 20).all()


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("n_features", [1, 3])
def test_tail_probabilities_are_uniform_under_the_model(covariance_type, n_features):
    parameters = random_parameters(covariance_type, n_features)
    X, labels = draw(parameters, 4000, seed=7)
    hdr = hdr_tail_probability(parameters, X, random_state=8)
    assert stats.kstest(hdr, "uniform").pvalue > 1e-3
    tails = component_tail_probabilities(parameters, X)
    for k in range(3):
        assert stats.kstest(tails[labels == k, k], "uniform").pvalue > 1e-3
    # The chosen seeds are no lucky ones: a wrong number of degrees of freedom is far off.
    wrong = stats.chi2(n_features + 1).sf(squared_mahalanobis(parameters, X)[labels == 0, 0])
    assert stats.kstest(wrong, "uniform").pvalue < 1e-12


@pytest.mark.parametrize("estimator", [GaussianMixture, BayesianGaussianMixture])
def test_hdr_tail_is_uniform_for_samples_of_a_fitted_model(estimator):
    model, _ = fit(estimator, "full", 2)
    X, _ = model.sample(3000)
    assert stats.kstest(hdr_tail_probability(model, X, random_state=9), "uniform").pvalue > 1e-3


def test_hdr_tail_against_counting_the_draws():
    # The same draws, counted point by point: in one dimension the standard normal deviates of
    # the generator, in the order of the components.
    model = GaussianMixtureParameters([0.7, 0.3], [[0.0], [3.0]], [1.0, 0.25], "spherical")
    generator = np.random.default_rng(11)
    counts = generator.multinomial(2000, [0.7, 0.3])
    labels = np.repeat([0, 1], counts)
    noise = generator.standard_normal(2000)
    draws = np.array([0.0, 3.0])[labels] + noise * np.array([1.0, 0.5])[labels]
    density = log_density(model, draws[:, np.newaxis])
    points = np.linspace(-3, 5, 50)[:, np.newaxis]
    expected = [(density <= value).mean() for value in log_density(model, points)]
    assert_array_equal(hdr_tail_probability(model, points, n_draws=2000, random_state=11), expected)


def test_hdr_tail_where_a_standard_deviation_is_below_the_rounding_of_the_mean():
    # Draws near 1 with a standard deviation of 1e-20 are all 1 in float64. Only one point is
    # near: the mode of the higher component, the other's mode 0.3 of the mass below.
    model = GaussianMixtureParameters([0.7, 0.3], [[1.0], [5.0]], [1e-40, 1e-40], "spherical")
    tails = hdr_tail_probability(model, [[1.0], [5.0], [1.0 + 1e-15]], random_state=0)
    # At the mode of the second, log(3/7) below the first: chi-squared 1.6946 in component one.
    second = 0.3 + 0.7 * erfc(np.sqrt(np.log(7 / 3)))
    assert_allclose(tails, [1.0, second, 0.0], atol=5 * 0.0016)


ORDERED = st.lists(
    st.floats(-1e6, 1e6) | st.sampled_from([-1e300, 0.0, 1e-300, 5.0]), min_size=1, max_size=60
)


@given(
    ORDERED, st.lists(st.floats(allow_nan=False) | st.sampled_from([0.0, 5.0, -1e300]), min_size=1)
)
@settings(max_examples=300, deadline=None)
def test_ranks_by_table_are_ranks_by_binary_search(ordered, values):
    ordered = np.sort(ordered)
    values = np.resize([*values, *ordered], max(len(values), 2 * len(ordered)))
    expected = np.searchsorted(ordered, values, side="right") / len(ordered)
    assert_array_equal(mixture._share_at_most(ordered, values), expected)


@pytest.mark.parametrize("crowd", [0.0, 0.5, 0.999])
def test_ranks_by_table_where_most_draws_share_a_cell(crowd):
    rng = np.random.default_rng(12)
    ordered = np.sort(np.where(rng.random(5000) < crowd, 1e-9, 1.0) * rng.standard_normal(5000))
    values = np.concatenate([rng.choice(ordered, 9000), rng.standard_normal(9000) * 1e-9])
    expected = np.searchsorted(ordered, values, side="right") / 5000
    assert_array_equal(mixture._share_at_most(ordered, values), expected)


def test_random_state_decides():
    model, X = random_parameters("full", 2), np.zeros((1, 2))

    def tail(random_state):
        return hdr_tail_probability(model, X, n_draws=10_000, random_state=random_state)[0]

    assert tail(3) == tail(3) == tail(np.random.default_rng(3)) == tail(np.random.SeedSequence(3))
    assert tail(3) != tail(4)
    assert tail(3) != hdr_tail_probability(model, X, random_state=3)  # of 100,000 draws
    assert_array_equal(
        hdr_tail_probability(model, X, random_state=3),
        hdr_tail_probability(model, X, n_draws=100_000, random_state=3),
    )
    assert 0 <= tail(None) <= 1
    assert 0 <= tail(np.random.RandomState(0)) <= 1


# Invariances.


def transformed(parameters, A, shift):
    return GaussianMixtureParameters(
        parameters.weights,
        parameters.means @ A.T + shift,
        A @ covariance_matrices(parameters) @ A.T,
    )


@given(seed=st.integers(0, 10_000), triangular=st.booleans(), n_features=st.integers(1, 5))
@settings(max_examples=40, deadline=None)
def test_affine_maps(seed, triangular, n_features):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((n_features, n_features)) + 3 * np.eye(n_features)
    if triangular:
        A = np.tril(A)
        A[np.diag_indices(n_features)] = abs(A.diagonal()) + 0.1
    log_determinant = np.linalg.slogdet(A)[1]
    parameters = random_parameters("full", n_features, seed)
    X, _ = draw(parameters, 20, seed)
    shift = 10 * rng.standard_normal(n_features)
    model, Y = transformed(parameters, A, shift), X @ A.T + shift
    rtol = 1e-13 * np.linalg.cond(A) ** 2 * 1e3
    before, after = component_log_joints(parameters, X), component_log_joints(model, Y)
    assert_allclose(after, before - log_determinant, rtol=rtol, atol=rtol)
    assert_allclose(
        log_density(model, Y), log_density(parameters, X) - log_determinant, rtol=rtol, atol=rtol
    )
    assert_allclose(softmax(after, axis=1), softmax(before, axis=1), atol=100 * rtol)
    for function in (squared_mahalanobis, component_tail_probabilities):
        assert_allclose(function(model, Y), function(parameters, X), rtol=100 * rtol, atol=rtol)
    tails = [
        hdr_tail_probability(mixture_, points, n_draws=2000, random_state=0)
        for mixture_, points in ((parameters, X), (model, Y))
    ]
    # Under triangular maps (a change of units is one) the very draws are mapped; otherwise the
    # two answers differ by the errors of two simulations.
    atol = 3 / 2000 if triangular else 5 * np.sqrt(2) * 0.5 / np.sqrt(2000)
    assert_allclose(tails[0], tails[1], atol=atol)


def test_unit_of_one_feature():
    parameters = random_parameters("full", 2)
    X, _ = draw(parameters, 30, seed=13)
    A = np.diag([1 / 64, 1.0])  # a power of two: nothing is rounded
    assert_allclose(
        log_density(transformed(parameters, A, 0), X @ A), log_density(parameters, X) + np.log(64)
    )
    assert_array_equal(
        hdr_tail_probability(transformed(parameters, A, 0), X @ A, n_draws=1000, random_state=0),
        hdr_tail_probability(parameters, X, n_draws=1000, random_state=0),
    )


@pytest.mark.parametrize("function", FUNCTIONS)
def test_order_of_components_and_of_rows(function):
    parameters = random_parameters("full", 3)
    order = [2, 0, 1]
    permuted = GaussianMixtureParameters(
        parameters.weights[order], parameters.means[order], parameters.covariances[order]
    )
    X, _ = draw(parameters, 40, seed=14)
    options = {"random_state": 0} if function is hdr_tail_probability else {}
    values = function(parameters, X, **options)
    assert_allclose(function(parameters, X[::-1], **options), values[::-1], rtol=1e-12)
    if values.ndim == 2:
        assert_allclose(function(permuted, X), values[:, order], rtol=1e-12)
    else:
        atol = 5 * 0.0023 if function is hdr_tail_probability else 1e-12
        assert_allclose(function(permuted, X, **options), values, atol=atol)


def test_equivalent_covariance_types():
    spherical = GaussianMixtureParameters(WEIGHTS, np.eye(3), [1.0, 2.0, 3.0], "spherical")
    X, _ = draw(spherical, 20, seed=15)
    diag = np.outer([1.0, 2.0, 3.0], np.ones(3))
    full = diag[:, np.newaxis, :] * np.eye(3)
    for function in (*FUNCTIONS[:3], log_density, squared_mahalanobis):
        expected = function(spherical, X)
        same = GaussianMixtureParameters(WEIGHTS, np.eye(3), diag, "diag")
        assert_allclose(function(same, X), expected, rtol=1e-13)
        same = GaussianMixtureParameters(WEIGHTS, np.eye(3), full, "full")
        assert_allclose(function(same, X), expected, rtol=1e-13)
    tied = GaussianMixtureParameters(WEIGHTS, np.eye(3), full[1], "tied")
    repeated = GaussianMixtureParameters(WEIGHTS, np.eye(3), full[[1, 1, 1]], "full")
    assert_array_equal(log_density(tied, X), log_density(repeated, X))


@given(st.integers(0, 10_000))
@settings(max_examples=50, deadline=None)
def test_ranges_and_definitions(seed):
    parameters = random_parameters("full", 2, seed)
    X = np.random.default_rng(seed).standard_cauchy((30, 2)) * 5
    joints, densities = component_log_joints(parameters, X), component_log_densities(parameters, X)
    assert_allclose(joints, densities + np.log(WEIGHTS), rtol=1e-14)
    assert_allclose(log_density(parameters, X), logsumexp(joints, axis=1), rtol=1e-13)
    assert (squared_mahalanobis(parameters, X) >= 0).all()
    tails = component_tail_probabilities(parameters, X)
    hdr = hdr_tail_probability(parameters, X, n_draws=500, random_state=0)
    for values in (tails, hdr):
        assert (values >= 0).all()
        assert (values <= 1).all()
    # One set of draws: the order by typicality is the order by density.
    order = np.argsort(log_density(parameters, X))
    assert (np.diff(hdr[order]) >= 0).all()


# What is accepted, and what is refused.


@pytest.mark.parametrize(
    "convert",
    [
        lambda X: X.tolist(),
        np.asfortranarray,
        lambda X: np.repeat(X, 2, axis=0)[::2],
        lambda X: pd.DataFrame(X, columns=["a", "b"]),
    ],
    ids=["list", "Fortran order", "strided", "DataFrame"],
)
def test_forms_of_the_data(convert):
    parameters = random_parameters("full", 2)
    X = draw(parameters, 30, seed=16)[0].round(3)
    assert_array_equal(log_density(parameters, convert(X)), log_density(parameters, X))


@pytest.mark.parametrize(
    "convert",
    [
        np.float32,
        lambda values: np.array(values, dtype=">f8"),
        lambda values: pd.Series(values, index=[7, 3], dtype="Float64"),
        lambda values: [Decimal(value) for value in values],
    ],
    ids=["float32", "big-endian", "nullable Series", "Decimal"],
)
def test_forms_of_the_parameters(convert):
    expected = GaussianMixtureParameters([0.25, 0.75], [[0.0], [2.0]], [1.5, 4.0], "spherical")
    means = np.reshape(convert([0.0, 2.0]), (2, 1))
    model = GaussianMixtureParameters(
        convert([0.25, 0.75]), means, convert([1.5, 4.0]), "spherical"
    )
    for name in ("weights", "means", "covariances"):
        assert getattr(model, name).dtype == np.float64
        assert_array_equal(getattr(model, name), getattr(expected, name))


def test_halves_of_a_covariance_that_differ_by_rounding():
    half = 0.5 + 1e-9
    model = GaussianMixtureParameters([1.0], [[0.0, 0.0]], [[[1.0, 0.5], [half, 1.0]]])
    expected = stats.multivariate_normal([0, 0], [[1.0, 0.5], [0.5, 1.0]]).logpdf([1.0, 2.0])
    assert log_density(model, [[1.0, 2.0]])[0] == pytest.approx(expected, abs=1e-8)


def test_single_precision_and_integers():
    model, X = fit(GaussianMixture, "full", 2)
    single = GaussianMixture(3, random_state=0, max_iter=500).fit(X.astype(np.float32))
    assert log_density(single, X.astype(np.float32)).dtype == np.float64
    whole = X.round().astype(int)
    assert_array_equal(log_density(model, whole), log_density(model, whole.astype(float)))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_inputs_are_left_alone(function):
    parameters = random_parameters("full", 2)
    X, _ = draw(parameters, 30, seed=17)
    before = X.copy()
    X.flags.writeable = False
    function(parameters, X)
    assert_array_equal(X, before)
    assert function(parameters, X).flags.writeable


def test_parameters_are_immutable_copies():
    weights, means, covariances = np.array([1.0]), np.zeros((1, 2)), np.eye(2)[np.newaxis].copy()
    model = GaussianMixtureParameters(weights, means, covariances)
    expected = log_density(model, [[1.0, 2.0]])
    covariances[0, 0, 0] = means[0, 0] = weights[0] = 9.0
    assert_array_equal(log_density(model, [[1.0, 2.0]]), expected)
    with pytest.raises(ValueError, match="read-only"):
        model.means[0, 0] = 1.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        model.weights = weights
    assert (model.n_components, model.n_features) == (1, 2)
    revived = pickle.loads(pickle.dumps(model))
    assert_array_equal(log_density(revived, [[1.0, 2.0]]), expected)
    for copied in (revived, copy.deepcopy(model)):
        assert not copied.covariances.flags.writeable
    assert "weights=" in repr(model)


EYE = np.eye(2)
TWO = {"weights": [0.5, 0.5], "means": [[0.0, 0.0], [1.0, 1.0]], "covariances": [EYE, EYE]}
INDEFINITE = [[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]]
BAD_PARAMETERS = [
    ({"weights": [0.5, 0.4]}, r"`weights` must sum to one over the 2 component\(s\), got 0\.9"),
    ({"weights": [1.5, -0.5]}, r"`weights\[1\]` \(component 1\) must be at least 0.*got -0\.5"),
    ({"weights": [0.5, np.nan]}, r"`weights\[1\]` \(component 1\).*finite, got nan"),
    ({"weights": [[0.5, 0.5]]}, r"`weights` must have one dimension.*got shape \(1, 2\)"),
    ({"weights": [0.5, 0.50001]}, r"`weights` must sum to one.*got 1\.00001"),
    ({"weights": np.ma.array([0.5, 0.5], mask=[0, 1])}, r"`weights\[1\]`.*finite, got nan"),
    ({"weights": [[1.0], [0.5, 0.5]]}, r"`weights` must have rows of equal length"),
    ({"weights": []}, r"`weights` must have one dimension.*at least one component"),
    ({"weights": [0.2, 0.3, 0.5]}, r"`means` must have one row for each of the 3 component"),
    ({"means": [0.0, 1.0]}, r"`means` must have two dimensions \(n_components, n_features\)"),
    ({"means": [[0.0, np.inf], [1.0, 1.0]]}, r"`means` must be finite.*column\(s\) 1"),
    ({"covariances": [EYE]}, r"`covariances` must have shape \(2, 2, 2\).*got shape \(1, 2, 2\)"),
    ({"covariances": EYE}, r"`covariances` must have shape \(2, 2, 2\).*got shape \(2, 2\)"),
    ({"covariances": pd.DataFrame(EYE)}, r"`covariances` must have shape.*got shape \(2, 2\)"),
    ({"covariances": [EYE, [1.0]]}, r"`covariances` must have.*shapes \(2, 2\), \(1,\)"),
    ({"covariances": [EYE, np.eye(3)]}, r"`covariances\[1\]` \(component 1\) must have shape"),
    ({"covariances": [EYE, EYE * np.nan]}, r"`covariances\[1\]` must be finite"),
    (
        {"covariances": [EYE, [[1.0, 0.5], [0.4, 1.0]]]},
        r"`covariances\[1\]` \(component 1\) .*symmetric.*\[0, 1\] is 0\.5.*\[1, 0\] is 0\.4",
    ),
    (
        {"covariances": [EYE, [[1.0, 0.5], [0.5001, 1.0]]]},
        r"`covariances\[1\]` .*not symmetric: \[0, 1\] is 0\.5 and \[1, 0\] is 0\.5001",
    ),
    (
        {"covariances": [EYE, [[1.0, 2.0], [2.0, 1.0]]]},
        r"`covariances\[1\]` \(component 1\).*positive definite.*correlation of features 0 and 1 "
        r"would be 2",
    ),
    (
        {"covariances": [EYE, [[1.0, -2.0], [-2.0, 4.0 / 9]]]},
        r"`covariances\[1\]` .*correlation of features 0 and 1 would be -3",
    ),
    (
        {"covariances": [EYE, [[1.0, 1e300], [1e300, 1e-300]]]},
        r"`covariances\[1\]` \(component 1\).*positive definite",
    ),
    (
        {"covariances": [[[0.0, 0.0], [0.0, 1.0]], EYE]},
        r"`covariances\[0\]` \(component 0\).*positive definite.*variance of feature 0 is 0",
    ),
    (
        {"covariances": [EYE, [[1.0, 1.0], [1.0, 1.0]]]},
        r"`covariances\[1\]` \(component 1\).*positive definite to working precision",
    ),
    (
        {"means": np.zeros((2, 3)), "covariances": [INDEFINITE, np.eye(3)]},
        r"`covariances\[0\]` \(component 0\).*smallest eigenvalue is -0\.8",
    ),
    (
        {"covariances": [[1.0, 2.0], [2.0, 1.0]], "covariance_type": "tied"},
        r"`covariances` \(shared by all components\).*positive definite",
    ),
    (
        {"covariances": [1.0, 2.0], "covariance_type": "tied"},
        r"`covariances` must have two dimensions \(n_features, n_features\), got shape \(2,\)",
    ),
    (
        {"covariances": np.eye(3), "covariance_type": "tied"},
        r"`covariances` \(shared by all components\) must have shape \(2, 2\), got \(3, 3\)",
    ),
    (
        {"covariances": [[1.0, -2.0], [0.0, 1.0]], "covariance_type": "diag"},
        r"`covariances\[0, 1\]` \(component 0\) must be a positive, finite variance, got -2",
    ),
    (
        {"covariances": [1.0, 0.0], "covariance_type": "spherical"},
        r"`covariances\[1\]` \(component 1\) must be a positive, finite variance, got 0",
    ),
    (
        {"covariances": [np.inf, 1.0], "covariance_type": "spherical"},
        r"`covariances\[0\]` \(component 0\) must be a positive, finite variance, got inf",
    ),
    (
        {"covariances": np.ma.array([1.0, 1.0], mask=[1, 0]), "covariance_type": "spherical"},
        r"`covariances\[0\]` \(component 0\) must be a positive, finite variance, got nan",
    ),
    (
        {"covariances": [1.0, 1.0], "covariance_type": "diag"},
        r"`covariances` must have shape \(2, 2\) if `covariance_type` is 'diag'.*\(2,\)",
    ),
    (
        {"covariances": EYE, "covariance_type": "spherical"},
        r"`covariances` must have shape \(2,\) if `covariance_type` is 'spherical'",
    ),
    ({"covariance_type": "VVV"}, r"`covariance_type` must be one of 'full', 'tied', 'diag'"),
]


@pytest.mark.parametrize(("changes", "message"), BAD_PARAMETERS)
def test_bad_parameters(changes, message):
    with pytest.raises(ValueError, match=message):
        GaussianMixtureParameters(**{**TWO, **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights": ["0.5", "0.5"]}, "`weights` must be numeric, got dtype <U3"),
        ({"weights": {0: 0.5, 1: 0.5}}, "`weights` must be numeric, got dict"),
        ({"means": [["a", "b"], ["c", "d"]]}, "`means` must be numeric"),
        ({"covariances": 3.0}, "`covariances` must have shape"),
        ({"covariances": 1j * EYE, "covariance_type": "tied"}, "`covariances` must be real"),
        ({"covariances": ["a", "b"], "covariance_type": "spherical"}, "`covariances` must be num"),
    ],
)
def test_parameters_that_are_no_numbers(changes, message):
    with pytest.raises(TypeError, match=message):
        GaussianMixtureParameters(**{**TWO, **changes})


@pytest.mark.parametrize("seed", range(10))
def test_rank_below_the_number_of_features(seed):
    # Rounding leaves a Cholesky factorisation that succeeds, with a last pivot of pure noise.
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((4, 3)) * [[1.0], [1e-5], [1e5], [1.0]]
    singular = root @ root.T
    with pytest.raises(ValueError, match=r"`covariances\[1\]` \(component 1\).*working precision"):
        GaussianMixtureParameters([0.5, 0.5], np.zeros((2, 4)), [np.eye(4), singular])


def test_a_fitted_model_whose_parameters_were_tampered_with():
    model, X = fit(GaussianMixture, "full", 2)
    model.covariances_ = model.covariances_.copy()
    model.covariances_[2] = -np.eye(2)
    with pytest.raises(ValueError, match=r"GaussianMixture.*`covariances\[2\]` \(component 2\)"):
        log_density(model, X)
    model.covariance_type = "VVV"
    with pytest.raises(ValueError, match=r"GaussianMixture cannot.*`covariance_type`.*got 'VVV'"):
        log_density(model, X)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (np.zeros((5, 3)), ValueError, r"`X` must have 2 feature\(s\), as the components.*got 3"),
        (np.zeros(2), ValueError, r"`X` must have two dimensions"),
        (np.zeros((0, 2)), ValueError, r"`X` must have at least 1 row"),
        (np.full((5, 2), np.nan), ValueError, r"`X` must be finite.*column\(s\) 0 \(5\), 1 \(5\)"),
        (np.zeros(2), ValueError, r"for one sample with `\.reshape\(1, -1\)`"),
        ([["a", "b"]], TypeError, r"`X` must be numeric"),
        ([["1.5", "2"]], TypeError, r"`X` must be numeric, got dtype <U3"),
        (np.array([["1.5", 2]], dtype=object), TypeError, r"`X` must be numeric"),
        (np.array([["2020-01-01"] * 2], "M8[D]"), TypeError, r"numeric, got dtype datetime64"),
        ([[1j, 0]], TypeError, r"`X` must be real, got complex"),
        (csr_array(np.eye(2)), TypeError, r"got csr_array\. Make it dense with `\.toarray\(\)`"),
        ([[1.0, 2.0], [3.0]], ValueError, r"`X` must have rows of equal length"),
        (np.ma.masked_equal(np.eye(2), 1), ValueError, r"missing.*column\(s\) 0 \(1\), 1 \(1\)"),
        (pd.DataFrame({"u": [1.0], "v": ["x"]}), TypeError, r"columns are not: 'v'"),
    ],
)
def test_bad_data(function, X, error, message):
    with pytest.raises(error, match=message):
        function(random_parameters("full", 2), X)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("estimator", [GaussianMixture, BayesianGaussianMixture])
def test_not_fitted(function, estimator):
    message = f"this {estimator.__name__} has no weights_, means_, covariances_"
    with pytest.raises(NotFittedError, match=message):
        function(estimator(n_components=2), [[0.0]])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_mixture(function):
    with pytest.raises(TypeError, match=r"`model` must be a fitted GaussianMixture.*got int"):
        function(3, [[0.0]])
    pipeline = make_pipeline(StandardScaler(), GaussianMixture())
    with pytest.raises(TypeError, match="Apply the earlier steps of the pipeline to `X`"):
        function(pipeline, [[0.0]])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_columns_of_another_order(function):
    X = pd.DataFrame(draw(random_parameters("full", 2), 100, seed=18)[0], columns=["a", "b"])
    model = GaussianMixture(2, random_state=0, max_iter=500).fit(X)
    message = r"`X` must have the columns of the fit, in their order: 'a', 'b'; got 'b', 'a'"
    with pytest.raises(ValueError, match=message):
        function(model, X[["b", "a"]])
    assert len(function(model, X.to_numpy())) == 100
    for table in (pa.Table.from_pandas(X), pl.from_pandas(X), nw.from_native(pl.from_pandas(X))):
        assert len(function(model, table)) == 100
        with pytest.raises(ValueError, match=message):
            function(model, table.select(["b", "a"]))


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table])
def test_a_date_beside_a_number(make):
    table = make({"a": [1.0], "when": [date(2020, 1, 1)]})
    with pytest.raises(TypeError, match=r"`X` must be numeric; these columns are not: 'when' \("):
        log_density(random_parameters("full", 2), table)


def test_draws_on_a_machine_of_32_bits(narrow_indices):
    parameters = random_parameters("full", 2)
    tails = hdr_tail_probability(parameters, np.zeros((2, 2)), n_draws=1000, random_state=0)
    assert ((tails >= 0) & (tails <= 1)).all()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_draws": 0}, ValueError, "`n_draws` must be at least 1, got 0"),
        ({"n_draws": 1e5}, TypeError, "`n_draws` must be an integer"),
        ({"n_draws": True}, TypeError, "`n_draws` must be an integer"),
        ({"random_state": "a"}, TypeError, "`random_state` must be None"),
        ({"random_state": -1}, ValueError, "`random_state` must be None"),
    ],
)
@pytest.mark.parametrize("weights", [[1.0], WEIGHTS], ids=["one component", "three"])
def test_bad_options_of_the_hdr_tail(options, error, message, weights):
    with pytest.raises(error, match=message):
        hdr_tail_probability(
            random_parameters("full", 2, weights=weights), np.zeros((1, 2)), **options
        )


def test_one_draw():
    model = random_parameters("full", 2)
    tails = hdr_tail_probability(model, np.zeros((3, 2)), n_draws=1, random_state=0)
    assert set(tails) <= {0.0, 1.0}


def test_bad_variational():
    model, X = fit(GaussianMixture, "full", 2)
    with pytest.raises(ValueError, match="fitted BayesianGaussianMixture: a GaussianMixture has"):
        component_log_joints(model, X, variational=True)
    with pytest.raises(TypeError, match="`variational` must be True or False, got 'yes'"):
        component_log_joints(model, X, variational="yes")


# Memory.


def test_memory_beyond_the_result_is_a_few_blocks():
    parameters = random_parameters("full", 8)
    X = np.random.default_rng(0).standard_normal((200_000, 8))
    result_bytes = 200_000 * 3 * 8
    component_log_joints(parameters, X[:10])
    tracemalloc.start()
    try:
        component_log_joints(parameters, X)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # The mask of finite entries is an eighth of X; a block of rows takes three megabytes.
    assert peak < result_bytes + X.nbytes / 8 + 3 * mixture.BLOCK_VALUES * 8
