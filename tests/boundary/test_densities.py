"""What gives a class its density: functions, SciPy, scikit-learn, mixtures."""

from __future__ import annotations

import re
from datetime import date

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import stats
from scipy.stats import multivariate_normal, norm
from sklearn.datasets import load_iris
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KernelDensity

from afterfit.boundary import BayesRule
from afterfit.mixture import GaussianMixtureParameters

TOLERANCE = 1e-6  # of the range: what `boundary` promises by default
SQUARE = ((-6.0, 6.0), (-6.0, 6.0))
IDENTITY = np.eye(2)


def normals(means, covariances=None, **options):
    """Return the rule of normal densities, with unit covariances unless given."""
    covariances = [IDENTITY] * len(means) if covariances is None else covariances
    densities = [multivariate_normal(m, c) for m, c in zip(means, covariances, strict=True)]
    return BayesRule(densities, **options)


def _mixture_density(model, X):
    """Return the log density of scikit-learn's mixture, by SciPy, component by component."""
    d = X.shape[1]
    covariances = {
        "full": lambda k: model.covariances_[k],
        "tied": lambda k: model.covariances_,
        "diag": lambda k: np.diag(model.covariances_[k]),
        "spherical": lambda k: model.covariances_[k] * np.eye(d),
    }[model.covariance_type]
    parts = [
        np.log(weight) + multivariate_normal.logpdf(X, mean, covariances(k))
        for k, (weight, mean) in enumerate(zip(model.weights_, model.means_, strict=True))
    ]
    return np.logaddexp.reduce(parts)


class TestDensities:
    def test_kinds_of_functions_agree(self):
        X = np.random.default_rng(0).normal(size=(20, 2))

        def scalar(mean):
            def density(x):
                assert x.shape == (2,)
                return np.exp(-0.5 * np.sum((x - mean) ** 2)) / (2 * np.pi)

            return density

        reference = normals([(0, 0), (1, 1)])
        means = [np.zeros(2), np.ones(2)]
        kinds = [
            BayesRule([lambda X, m=m: multivariate_normal.logpdf(X, m) for m in means]),
            BayesRule(
                [lambda X, m=m: multivariate_normal.pdf(X, m) for m in means], values="density"
            ),
            BayesRule([scalar(m) for m in means], values="density", vectorized=False),
        ]
        for rule in kinds:
            np.testing.assert_allclose(rule.log_joints(X), reference.log_joints(X), atol=1e-10)
            np.testing.assert_allclose(rule.log_joints(X[:1]), reference.log_joints(X[:1]))

    def test_one_feature_functions_get_floats_one_at_a_time(self):
        def density(x):
            assert type(x) is float
            return -0.5 * x * x

        rule = BayesRule([density, lambda x: -0.5 * (x - 2) ** 2], vectorized=False)
        np.testing.assert_allclose(rule.boundary((-5, 5), resolution=16).points, [1.0])

    def test_scipy_kernel_estimates_are_not_transposed(self):
        rng = np.random.default_rng(0)
        data = [rng.normal(size=(2, 50)), rng.normal(1, 2, size=(2, 50))]
        rule = BayesRule([stats.gaussian_kde(d) for d in data])
        X = rng.normal(size=(7, 2))
        expected = [np.log(0.5 * stats.gaussian_kde(d)(X.T)) for d in data]
        np.testing.assert_allclose(rule.log_joints(X), np.transpose(expected), rtol=1e-10)

    def test_kernel_densities_of_scikit_learn(self):
        rng = np.random.default_rng(0)
        fitted = [KernelDensity(bandwidth=0.5).fit(rng.normal(m, 1, size=(60, 2))) for m in (0, 2)]
        rule = BayesRule(fitted)
        X = rng.normal(size=(9, 2))
        expected = np.log(0.5) + np.column_stack([kde.score_samples(X) for kde in fitted])
        np.testing.assert_allclose(rule.log_joints(X), expected)
        assert np.abs(rule.margin(rule.boundary(((-3, 5), (-3, 5))).points)).max() < 1e-4

    def test_what_was_fitted_on_columns_is_asked_by_them(self):
        X = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 2)), columns=["a", "b"])
        y = (X["a"] > 0).astype(int)
        per_class = [KernelDensity().fit(X[y == k]) for k in (0, 1)]
        for rule in (BayesRule(per_class), BayesRule.from_estimator(GaussianNB().fit(X, y))):
            np.testing.assert_array_equal(rule.predict(X), rule.predict(X.to_numpy()))
            with pytest.raises(ValueError, match=r"`X` must have the columns .* 'a', 'b'; got 'b'"):
                rule.predict(X[["b", "a"]])
            line = rule.slice([0, 0], [1])
            assert len(line.predict(X[["b"]])) == 60
            with pytest.raises(ValueError, match=r"the columns of the fit, .*: 'b'; got 'a'"):
                line.predict(X[["a"]])
        swapped = KernelDensity().fit(X[["b", "a"]])
        with pytest.raises(ValueError, match=r"on the same columns .* 'a', 'b' and 'b', 'a'"):
            BayesRule([per_class[0], swapped])

    def test_new_style_scipy_distributions(self):
        normal = stats.Normal(mu=2.0, sigma=1.0)
        rule = BayesRule([norm(0, 1), normal])
        np.testing.assert_allclose(rule.boundary((-5, 5)).points, [1.0], atol=1e-9)
        assert rule.error_rate().risk == pytest.approx(norm.sf(1), abs=1e-9)

    @pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
    @pytest.mark.parametrize("kind", [GaussianMixture, BayesianGaussianMixture])
    def test_fitted_mixtures(self, kind, covariance_type):
        X, y = load_iris(return_X_y=True)
        X = X[:, 2:]
        models = [
            kind(n_components=2, covariance_type=covariance_type, random_state=0).fit(X[y == k])
            for k in (1, 2)
        ]
        rule = BayesRule(models, priors=[0.4, 0.6])
        if kind is GaussianMixture:
            expected = np.column_stack([m.score_samples(X) for m in models])
        else:  # scikit-learn's own adds the uncertainty of the parameters: the mixture itself here
            expected = np.column_stack([_mixture_density(m, X) for m in models])
        np.testing.assert_allclose(rule.log_joints(X), np.log([0.4, 0.6]) + expected, rtol=1e-9)
        rate = rule.error_rate(method="monte_carlo", n_draws=20_000, random_state=0)
        assert abs(rate.risk - rule.error_rate(tolerance=1e-5).risk) < 4 * rate.error

    def test_mixture_parameters(self):
        # The same mixture as parameters and as a function; XOR again.
        corners = [
            GaussianMixtureParameters([0.5, 0.5], [(2, s), (-2, -s)], [1.0, 1.0], "spherical")
            for s in (2.0, -2.0)
        ]
        rule = BayesRule(corners)
        found = rule.boundary(SQUARE).points
        assert np.minimum(*np.abs(found).T).max() < 12 * TOLERANCE
        # Each coordinate is right in sign with probability Phi(2); two wrong signs make a right.
        wrong = 2 * norm.cdf(2) * norm.cdf(-2)
        assert rule.error_rate().risk == pytest.approx(wrong, abs=1e-8)
        components = BayesRule.from_estimator(corners[0])
        (piece,) = components.boundary(SQUARE).pieces
        assert np.abs(piece.points.sum(axis=1)).max() < 12 * TOLERANCE


def _nan_beyond(x):
    return np.where(x > 2, np.nan, -x * x)


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        (
            _nan_beyond,
            {},
            r"class 'b' \(function '_nan_beyond'\) returned nan at the point \(3.125\)",
        ),
        (lambda x: -x * x, {"values": "density"}, r"returned -1 at the point \(1\); a density is"),
        (lambda x: np.zeros(3), {}, r"class 'b' .*must return shape \(4,\) .*got shape \(3,\)"),
        (lambda x: 0.0, {}, r"must return shape \(4,\) .*`vectorized=False`"),
        (lambda x: x.astype(str), {}, "class 'b' .*must return real numbers, got dtype <U"),
        (lambda x: x + 0j, {}, "class 'b' .*must return real numbers, got dtype complex128"),
        (
            lambda x: [0.0, 1.0],
            {"vectorized": False},
            r"one number for one point.*\(2,\)",
        ),
    ],
)
def test_functions_that_misbehave_are_named(function, options, message):
    densities = {"a": norm(0), "b": function}
    with pytest.raises((ValueError, TypeError), match=message):
        BayesRule(densities, **options).predict([0.0, 1.0, 3.125, 4.0])


def test_errors_of_functions_say_whose_they_are():
    def broken(X):
        raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside") as caught:
        BayesRule({"a": norm(0), "b": broken}).predict([0.0])
    assert "class 'b' (function" in caught.value.__notes__[0]
    assert "`vectorized=False`" in caught.value.__notes__[0]


def test_misbehaving_functions_are_named_with_the_point_in_the_plane():
    def hole(X):
        return np.where(np.hypot(*X.T) < 1, np.nan, -np.sum(X**2, axis=1))

    rule = BayesRule({"a": multivariate_normal([0, 0]), "b": hole})
    with pytest.raises(ValueError, match=r"class 'b' .*hole.* returned nan at the point") as caught:
        rule.boundary(SQUARE)
    point = re.search(r"point \((.+), (.+)\)", str(caught.value)).groups()
    assert np.hypot(*map(float, point)) < 1


class TestSingularDistributions:
    @pytest.mark.parametrize(
        "source",
        [
            multivariate_normal([0, 0], [[1, 1], [1, 1]], allow_singular=True),
            stats.multivariate_t([0, 0], [[1, 1], [1, 1]], df=3, allow_singular=True),
        ],
        ids=lambda source: type(source).__name__,
    )
    def test_have_no_density(self, source):
        with pytest.raises(ValueError, match=r"class 1 must have a covariance of full rank, got r"):
            BayesRule([multivariate_normal([0, 0]), source])

    def test_full_rank_is_taken_whatever_was_allowed(self):
        allowed = multivariate_normal([0, 0], np.eye(2), allow_singular=True)
        rule = BayesRule([allowed, multivariate_normal([2, 0])])
        assert rule.error_rate().risk == pytest.approx(norm.cdf(-1), abs=1e-8)


class TestTables:
    @pytest.mark.parametrize("as_table", [pl.DataFrame, pd.DataFrame, pl.DataFrame.to_arrow])
    def test_columns_in_another_order_are_refused(self, as_table):
        rng = np.random.default_rng(0)
        X = pd.DataFrame(rng.normal(size=(60, 2)), columns=["a", "b"])
        y = (X["a"] > 0).astype(int)
        rule = BayesRule.from_estimator(GaussianNB().fit(X, y))
        polars = pl.from_pandas(X)
        table = as_table(polars) if as_table is not pd.DataFrame else X
        other = polars.select("b", "a")
        swapped = as_table(other) if as_table is not pd.DataFrame else X[["b", "a"]]
        assert (rule.predict(table) == rule.predict(X)).all()
        with pytest.raises(ValueError, match=r"`X` must have the columns of the fit, in their ord"):
            rule.predict(swapped)
        with pytest.raises(TypeError, match=r"not: 'b' \(Date"):
            rule.predict(polars.with_columns(b=pl.lit(date(2026, 1, 1))))
