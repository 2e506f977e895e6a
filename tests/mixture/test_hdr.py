"""Tails of a whole mixture against closed forms, quadrature and counting."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mixture_models import TYPES, WEIGHTS, draw, fit, random_parameters
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from scipy.special import erfc
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture

from afterfit.mixture import (
    GaussianMixtureParameters,
    _hdr,
    component_tail_probabilities,
    hdr_tail_probability,
    log_density,
    squared_mahalanobis,
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
    assert_array_equal(_hdr._share_at_most(ordered, values), expected)


@pytest.mark.parametrize("crowd", [0.0, 0.5, 0.999])
def test_ranks_by_table_where_most_draws_share_a_cell(crowd):
    rng = np.random.default_rng(12)
    ordered = np.sort(np.where(rng.random(5000) < crowd, 1e-9, 1.0) * rng.standard_normal(5000))
    values = np.concatenate([rng.choice(ordered, 9000), rng.standard_normal(9000) * 1e-9])
    expected = np.searchsorted(ordered, values, side="right") / 5000
    assert_array_equal(_hdr._share_at_most(ordered, values), expected)


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


def test_draws_on_a_machine_of_32_bits(narrow_indices):
    parameters = random_parameters("full", 2)
    tails = hdr_tail_probability(parameters, np.zeros((2, 2)), n_draws=1000, random_state=0)
    assert ((tails >= 0) & (tails <= 1)).all()
