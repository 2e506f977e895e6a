"""Other programs' numbers, closed forms, exact arithmetic and invariances for densities."""

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
from mixture_models import (
    FUNCTIONS,
    TYPES,
    WEIGHTS,
    covariance_matrices,
    draw,
    fit,
    random_parameters,
)
from numpy.testing import assert_allclose, assert_array_equal
from scipy import integrate, stats
from scipy.sparse import csr_array
from scipy.special import logsumexp, softmax
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_info, threadpool_limits

from afterfit.mixture import (
    GaussianMixtureParameters,
    _kernel,
    component_log_densities,
    component_log_joints,
    component_tail_probabilities,
    hdr_tail_probability,
    log_density,
    squared_mahalanobis,
)

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
@pytest.mark.parametrize("n_features", [1, 2, 4, 5, 9, 70])
def test_scipy_multivariate_normal(covariance_type, n_features):
    # Up to 4 features go row by row, up to 64 to BLAS on one thread, more to BLAS as it likes.
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


def test_blas_gets_its_threads_back():
    def threads():
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    parameters = random_parameters("full", 9)
    with threadpool_limits(2, user_api="blas"):
        before = threads()
        log_density(parameters, parameters.means)
        assert threads() == before


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


@pytest.mark.parametrize("n_samples", [1, _kernel.MAX_BLOCK_ROWS, _kernel.MAX_BLOCK_ROWS + 1])
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
    # One set of draws: the order by HDR tail is the order by density.
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


def test_what_holds_a_mixture():
    X = np.random.default_rng(0).normal(size=(60, 2))
    search = GridSearchCV(GaussianMixture(random_state=0), {"n_components": [1, 2]}).fit(X)
    with pytest.raises(TypeError, match=r"got GridSearchCV\. Pass .* `\.best_estimator_`"):
        log_density(search, X)
    assert_allclose(log_density(search.best_estimator_, X), search.best_estimator_.score_samples(X))
    frozen = FrozenEstimator(search.best_estimator_)
    with pytest.raises(TypeError, match=r"got FrozenEstimator\. Pass .* `\.estimator`"):
        log_density(frozen, X)
    assert (log_density(frozen.estimator, X) == log_density(search.best_estimator_, X)).all()


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
    assert peak < result_bytes + X.nbytes / 8 + 3 * _kernel.BLOCK_VALUES * 8
