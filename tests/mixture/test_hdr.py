"""Tails of a whole mixture against closed forms, quadrature and counting."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mixture_models import TYPES, WEIGHTS, draw, fit, random_parameters
from numpy.testing import assert_allclose, assert_array_equal
from scipy import optimize, stats
from scipy.special import erfc
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline

from afterfit.mixture import (
    GaussianMixtureParameters,
    _hdr,
    component_tail_probabilities,
    hdr_tail_probability,
    hdr_threshold,
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
    shares = tails[tails > 0.01]  # of the draws themselves
    assert_allclose(shares * n_draws, np.round(shares * n_draws), atol=1e-8)


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
    labels = np.repeat([0, 1], counts.astype(np.intp))
    noise = generator.standard_normal(2000)
    draws = np.array([0.0, 3.0])[labels] + noise * np.array([1.0, 0.5])[labels]
    density = log_density(model, draws[:, np.newaxis])
    points = np.linspace(-3, 5, 50)[:, np.newaxis]
    expected = np.array([(density <= value).mean() for value in log_density(model, points)])
    tails = hdr_tail_probability(model, points, n_draws=2000, random_state=11)
    counted = expected >= 0.01  # the others are not counted
    assert counted.sum() > 30
    assert_array_equal(tails[counted], expected[counted])
    assert (tails[~counted] < 0.01).all()


# Far out, where no draw has so low a density.


@pytest.mark.parametrize("n_features", [1, 2, 20, 100])
def test_far_tail_of_one_normal_written_as_two(n_features):
    # Two equal components are one: the chi-squared tail, from 1e-3 down to 1e-250.
    twice = GaussianMixtureParameters(
        [0.5, 0.5], np.zeros((2, n_features)), [2.0, 2.0], "spherical"
    )
    expected = 10.0 ** -np.array([3, 9, 30, 100, 250])
    X = np.zeros((5, n_features))
    X[:, 0] = np.sqrt(2 * stats.chi2(n_features).isf(expected))
    tails = [hdr_tail_probability(twice, X, random_state=seed) for seed in range(10)]
    # The draws at one percent are 1,000, known to 3 percent; the far ones add little to that.
    ratios = np.array(tails) / expected
    assert_allclose(ratios.mean(axis=0), 1, atol=4 * 0.045 / np.sqrt(10))
    assert (ratios.std(axis=0) < 0.09).all()


def exact_far_tail(parameters, point):
    """Return the mass beyond the two outermost points, on a line, with the density of `point`."""
    means, deviations = parameters.means[:, 0], np.sqrt(parameters.covariances)
    level = log_density(parameters, [[point]])[0]

    def excess(x):
        return log_density(parameters, [[x]])[0] - level

    far = 100 * (abs(point) + abs(means).max())
    low = optimize.brentq(excess, -far, means.min(), xtol=1e-13)
    high = optimize.brentq(excess, means.max(), far, xtol=1e-13)
    laws = stats.norm(means, deviations)
    return parameters.weights @ (laws.cdf(low) + laws.sf(high))


@pytest.mark.parametrize(
    ("weights", "means", "variances"),
    [
        ([0.5, 0.5], [0.0, 2.0], [1.0, 1.0]),
        ([0.9, 0.1], [0.0, 3.0], [1.0, 4.0]),
        ([0.999, 0.001], [0.0, 0.0], [0.01, 1.0]),  # a narrow one in a wide one
        ([0.2, 0.3, 0.5], [-2.0, 0.0, 1.0], [1.0, 0.5, 2.0]),
    ],
)
def test_far_tail_in_one_dimension(weights, means, variances):
    model = GaussianMixtureParameters(weights, np.c_[means], variances, "spherical")
    points = np.array([6.0, 9.0, 14.0, 30.0, -12.0])
    exact = np.array([exact_far_tail(model, point) for point in points])
    assert (exact < 0.01).all()
    tails = [hdr_tail_probability(model, np.c_[points], random_state=seed) for seed in range(10)]
    ratios = np.array(tails) / exact
    assert_allclose(ratios.mean(axis=0), 1, atol=4 * 0.15 / np.sqrt(10))
    assert (ratios.std(axis=0) < 0.25).all()


def test_six_deviations_out_is_no_zero():
    # 2 Phi(-6) = 1.97e-9; the other component is a hundred deviations away.
    model = GaussianMixtureParameters([1 - 1e-15, 1e-15], [[0.0], [0.0]], [1.0, 1.0], "spherical")
    tail = hdr_tail_probability(model, [[6.0]], random_state=0)[0]
    assert tail == pytest.approx(2 * stats.norm.cdf(-6), rel=0.2)


def test_a_rare_component_is_reached():
    # The mode of a component that no draw comes from: everything below it is its own tail.
    model = GaussianMixtureParameters([1 - 1e-9, 1e-9], [[0.0], [50.0]], [1.0, 1.0], "spherical")
    X = [[50.0], [51.0]]
    expected = 1e-9 * np.array([1, 2 * stats.norm.cdf(-1)])
    beyond = 2 * stats.norm.cdf(-np.sqrt(-2 * np.log(1e-9) + [0, 1]))  # of the common one
    tails = hdr_tail_probability(model, X, random_state=0)
    assert_allclose(tails, expected + beyond, rtol=0.2)


@given(st.integers(0, 10_000), st.integers(1, 200))
@settings(max_examples=40)
def test_the_lower_the_density_the_smaller_the_tail(seed, n_draws):
    parameters = random_parameters("full", 2, seed)
    X = np.random.default_rng(seed).standard_cauchy((60, 2)) * 10
    tails = hdr_tail_probability(parameters, X, n_draws=n_draws, random_state=0)
    order = np.argsort(log_density(parameters, X))
    assert (np.diff(tails[order]) >= 0).all()
    assert (tails <= 1).all()


# Thresholds.


@pytest.mark.parametrize("covariance_type", TYPES)
def test_threshold_of_one_component_is_a_chi_squared_quantile(covariance_type):
    model = random_parameters(covariance_type, 3, weights=np.array([1.0]))
    masses = np.array([0.05, 0.5, 0.95, 1 - 1e-9])
    peak = log_density(model, model.means)[0]
    expected = peak - stats.chi2(3).ppf(masses) / 2
    assert_allclose(hdr_threshold(model, masses), expected, rtol=1e-12)
    assert hdr_threshold(model, 0.5) == pytest.approx(expected[1])


@pytest.mark.parametrize("mass", [0.3, 0.9, 0.999, 1 - 1e-7])
def test_threshold_and_tail_are_inverse(mass):
    # The point of this tail, far out in one dimension, and the threshold of the rest of the mass.
    model = GaussianMixtureParameters([0.9, 0.1], [[0.0], [3.0]], [1.0, 4.0], "spherical")
    threshold = hdr_threshold(model, mass, random_state=1)
    grid = np.linspace(-30, 30, 600_001)[:, np.newaxis]
    densities = log_density(model, grid)
    beyond = np.exp(densities[densities <= threshold]).sum() * 1e-4
    assert beyond == pytest.approx(1 - mass, rel=0.12)


SHAPES = stats.multivariate_normal([1.0, 2.0], [[2.0, 0.5], [0.5, 1.0]])


@pytest.mark.parametrize(
    ("density", "exact"),
    [
        (stats.norm(3.0, 2.0), stats.norm(3.0, 2.0).logpdf(3.0 + 2 * stats.norm.isf(0.05))),
        (stats.Normal(mu=3.0, sigma=2.0), stats.norm(3, 2).logpdf(3 + 2 * stats.norm.isf(0.05))),
        (stats.expon(), np.log(0.1)),  # exp(-x) > 0.1 for nine tenths of the mass
        (SHAPES, SHAPES.logpdf([1.0, 2.0]) - stats.chi2(2).ppf(0.9) / 2),
    ],
    ids=["frozen", "new", "exponential", "multivariate"],
)
def test_threshold_of_scipys_distributions(density, exact):
    threshold = hdr_threshold(density, 0.9, random_state=0)
    assert isinstance(threshold, float)
    # The standard error of the mass is 0.00095; a log density falls by less than 20 a unit here.
    assert threshold == pytest.approx(exact, abs=4 * 0.00095 * 20)


def test_threshold_of_kernel_density_estimates():
    # Both are mixtures of as many normals as points: the threshold of these parameters.
    points = np.random.default_rng(3).standard_normal((50, 2))
    h = 0.4
    same = GaussianMixtureParameters(np.full(50, 1 / 50), points, np.full(50, h**2), "spherical")
    expected = hdr_threshold(same, 0.9, random_state=1)
    forms = [
        KernelDensity(bandwidth=h).fit(points),
        make_pipeline(KernelDensity(bandwidth=h)).fit(points),
        stats.gaussian_kde(points.T, bw_method=h),
    ]
    assert hdr_threshold(forms[0], 0.9, random_state=2) == pytest.approx(expected, abs=0.03)
    # gaussian_kde scales the covariance of the sample, so with another one for its parameters.
    scaled = GaussianMixtureParameters(np.full(50, 1 / 50), points, np.cov(points.T) * h**2, "tied")
    expected = hdr_threshold(scaled, 0.9, random_state=1)
    assert hdr_threshold(forms[2], 0.9, random_state=2) == pytest.approx(expected, abs=0.03)
    with pytest.raises(TypeError, match="`X` a sample to measure the mass by: this Pipeline"):
        hdr_threshold(forms[1], 0.9)
    tophat = KernelDensity(kernel="epanechnikov").fit(points)
    with pytest.raises(TypeError, match="this KernelDensity cannot be drawn from"):
        hdr_threshold(tophat, 0.9)
    at_points = np.sort(tophat.score_samples(points))
    assert hdr_threshold(tophat, 0.9, points) == at_points[4]  # 45 of 50 are above


def test_threshold_of_a_sample_and_its_weights():
    model = random_parameters("full", 2)
    X, _ = draw(model, 200, seed=1)
    weights = np.random.default_rng(2).integers(0, 4, 200).astype(np.intp)
    repeated = np.repeat(X, weights, axis=0)
    for mass in (0.1, 0.5, 0.95):
        weighted = hdr_threshold(model, mass, X, sample_weight=weights)
        assert weighted == hdr_threshold(model, mass, repeated)
        values = np.sort(log_density(model, repeated))
        # The lowest value at or below which lies at least 1 - mass of the sample.
        assert weighted == values[(np.arange(1, len(values) + 1) / len(values) < 1 - mass).sum()]
    # Importance weights: draws from a wider normal, weighted to be the narrow one.
    wide, narrow = stats.norm(0, 2), stats.norm(0, 1)
    points = wide.rvs(200_000, random_state=3)
    threshold = hdr_threshold(
        narrow, 0.9, points, sample_weight=narrow.pdf(points) / wide.pdf(points)
    )
    assert threshold == pytest.approx(narrow.logpdf(narrow.isf(0.05)), abs=0.03)


@pytest.mark.parametrize(
    ("model", "options", "error", "message"),
    [
        (
            stats.norm(),
            {"mass": 0.0},
            ValueError,
            "`mass` must lie between.*, got 0.0",
        ),
        (stats.norm(), {"mass": [0.5, 1.0]}, ValueError, "`mass` must lie between 0 and 1"),
        (stats.norm(), {"mass": "half"}, TypeError, "`mass` must be numeric"),
        (stats.norm(), {"n_draws": 0}, ValueError, "`n_draws` must be at least 1"),
        (stats.norm(), {"sample_weight": [1.0]}, ValueError, "`sample_weight` must be None unless"),
        (
            stats.norm(),
            {"X": [1.0, 2.0], "sample_weight": [1.0, -2.0]},
            ValueError,
            r"`sample_weight` must be finite, at least 0 and not all 0, got -2 in row 1",
        ),
        (
            stats.norm(),
            {"X": [1.0], "sample_weight": [0.0]},
            ValueError,
            "`sample_weight` must be.*got only zeros",
        ),
        (stats.norm(), {"X": [1.0], "sample_weight": [1, 2]}, ValueError, "same number of rows"),
        (
            stats.norm(),
            {"X": [[1.0, 2.0]]},
            ValueError,
            r"one point a row.*\(1, 2\) for 1 rows",
        ),
        (
            stats.poisson(3),
            {},
            TypeError,
            "must have a log density.*got rv_discrete",
        ),
        (3, {}, TypeError, "this int cannot be drawn from"),
        (3, {"X": [1.0]}, TypeError, "`model` must have a log density.*got int"),
        (stats.norm(0, np.nan), {"X": [1.0, 2.0]}, ValueError, "is NaN at 2 of 2 points"),
        (GaussianMixture(), {}, NotFittedError, "must be fitted"),
    ],
)
def test_bad_thresholds(model, options, error, message):
    with pytest.raises(error, match=message):
        hdr_threshold(model, **{"mass": 0.9, **options})


def test_the_advice_of_a_model_that_cannot_be_drawn_from_helps():
    forest = IsolationForest(random_state=0).fit(np.random.default_rng(0).standard_normal((50, 2)))
    with pytest.raises(TypeError, match="or `X` a sample"):
        hdr_threshold(forest, 0.9)
    assert np.isfinite(hdr_threshold(forest, 0.9, np.zeros((3, 2))))


# The draws themselves.


def test_hdr_tail_where_a_standard_deviation_is_below_the_rounding_of_the_mean():
    # Draws near 1 with a standard deviation of 1e-20 are all 1 in float64. Only one point is
    # near: the mode of the higher component, the other's mode 0.3 of the mass below.
    model = GaussianMixtureParameters([0.7, 0.3], [[1.0], [5.0]], [1e-40, 1e-40], "spherical")
    tails = hdr_tail_probability(model, [[1.0], [5.0], [1.0 + 1e-15]], random_state=0)
    # At the mode of the second, log(3/7) below the first: chi-squared 1.6946 in component one.
    second = 0.3 + 0.7 * erfc(np.sqrt(np.log(7 / 3)))
    assert_allclose(tails, [1.0, second, 0.0], atol=5 * 0.0016)


def look_up(ordered, values):
    return _hdr._look_up(ordered, np.arange(len(ordered) + 1) / len(ordered), values)


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
    assert_array_equal(look_up(ordered, values), expected)


@pytest.mark.parametrize("crowd", [0.0, 0.5, 0.999])
def test_ranks_by_table_where_most_draws_share_a_cell(crowd):
    rng = np.random.default_rng(12)
    ordered = np.sort(np.where(rng.random(5000) < crowd, 1e-9, 1.0) * rng.standard_normal(5000))
    values = np.concatenate([rng.choice(ordered, 9000), rng.standard_normal(9000) * 1e-9])
    expected = np.searchsorted(ordered, values, side="right") / 5000
    assert_array_equal(look_up(ordered, values), expected)


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
    assert ((tails >= 0) & (tails <= 1)).all()


def test_draws_on_a_machine_of_32_bits(narrow_indices):
    parameters = random_parameters("full", 2)
    tails = hdr_tail_probability(parameters, np.zeros((2, 2)), n_draws=1000, random_state=0)
    assert ((tails >= 0) & (tails <= 1)).all()
