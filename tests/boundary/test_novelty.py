"""p-values of novelty: closed forms, counts by hand, and their level by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.stats import multivariate_normal, norm
from sklearn.datasets import load_iris
from sklearn.discriminant_analysis import (
    LinearDiscriminantAnalysis,
    QuadraticDiscriminantAnalysis,
)
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from afterfit.boundary import BayesRule
from afterfit.mixture import GaussianMixtureParameters

IRIS, SPECIES = load_iris(return_X_y=True)
PETALS = IRIS[:, 2:]


def test_two_sided_tails_of_normals():
    # In one feature the tail of the highest-density region is 2 Phi(-|x - m| / s).
    x = np.array([-3.0, 0.0, 1.3, 9.0])
    for rule in (
        BayesRule([norm(0, 1), norm(3, 2)]),
        BayesRule([stats.Normal(mu=0.0, sigma=1.0), stats.Normal(mu=3.0, sigma=2.0)]),
        BayesRule([multivariate_normal(0, 1), multivariate_normal(3, 4)]),
        BayesRule.from_estimator(
            GaussianMixtureParameters([0.5, 0.5], [[0.0], [3.0]], [1.0, 4.0], "spherical")
        ),
        BayesRule([GaussianMixtureParameters([1.0], [[m]], [s], "spherical")
                   for m, s in ((0.0, 1.0), (3.0, 4.0))]),
    ):  # fmt: skip
        expected = 2 * norm.sf(np.abs(np.subtract.outer(x, [0, 3]) / [1, 2]))
        np.testing.assert_allclose(rule.novelty_pvalues(x), expected, rtol=1e-9)


@pytest.mark.parametrize(
    "estimator",
    [
        QuadraticDiscriminantAnalysis(),
        LinearDiscriminantAnalysis(solver="lsqr"),
        make_pipeline(StandardScaler(), QuadraticDiscriminantAnalysis()),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_chi_squared_tails_of_fitted_normals(estimator):
    # Mahalanobis distances by NumPy; scaling in a pipeline changes none of them.
    rule = BayesRule.from_estimator(estimator.fit(PETALS, SPECIES))
    last = estimator[-1] if hasattr(estimator, "steps") else estimator
    Z = estimator[:-1].transform(PETALS) if hasattr(estimator, "steps") else PETALS
    for k in range(3):
        if hasattr(last, "rotations_"):
            S = (last.rotations_[k] * last.scalings_[k]) @ last.rotations_[k].T
        else:
            S = last.covariance_
        squared = np.einsum("ij,ij->i", Z - last.means_[k], (Z - last.means_[k]) @ np.linalg.inv(S))
        expected = stats.chi2.sf(squared, 2)
        np.testing.assert_allclose(rule.novelty_pvalues(PETALS)[:, k], expected, rtol=1e-6)


def test_a_flower_that_is_none_of_them():
    # Certainly virginica, says the posterior; unlike any species, say the p-values.
    rule = BayesRule.from_estimator(QuadraticDiscriminantAnalysis().fit(PETALS, SPECIES))
    odd = [[1.2, 2.4]]
    assert rule.posterior(odd)[0, 2] > 0.9999
    assert rule.novelty_pvalues(odd).max() < 1e-6
    assert rule.novelty_pvalues(PETALS).max(axis=1).mean() > 0.3


def test_draws_from_a_mixture_agree_with_the_integral():
    # P{f(Z) <= f(x)} of two normals by summing over a fine grid, to 4 Monte Carlo errors.
    mixture = GaussianMixtureParameters([0.7, 0.3], [[0.0], [4.0]], [1.0, 0.25], "spherical")
    rule = BayesRule([mixture, norm(0)])
    grid = np.linspace(-12, 12, 240_001)
    density = 0.7 * norm.pdf(grid) + 0.3 * norm.pdf(grid, 4, 0.5)
    x = np.array([0.0, 2.5, 4.0, 30.0])
    at = 0.7 * norm.pdf(x) + 0.3 * norm.pdf(x, 4, 0.5)
    expected = np.array([density[density <= value].sum() * 1e-4 for value in at])
    found = rule.novelty_pvalues(x, n_draws=50_000, random_state=0)[:, 0]
    assert (np.abs(found - expected) < 4 * np.sqrt(0.25 / 50_000) + 2e-5).all()
    assert found[-1] == 1 / 50_001  # never 0


def test_conformal_values_by_hand():
    # Held-out rows of class 0 at 1, 2, 3 and 4; nearer to 0 is denser: 2.5 has two no denser.
    rule = BayesRule([norm(0), norm(10)], classes=["a", "b"])
    held_out, labels = np.array([1.0, 2.0, 3.0, 4.0, 10.0]), ["a", "a", "a", "a", "b"]
    p = rule.novelty_pvalues([2.5, 0.0, 3.0, 50.0], held_out, labels)
    np.testing.assert_allclose(p[:, 0], [3 / 5, 5 / 5, 3 / 5, 1 / 5])
    np.testing.assert_allclose(p[:, 1], [1 / 2, 1 / 2, 1 / 2, 1 / 2])


def test_the_conformal_level_holds_though_the_density_is_wrong():
    # Exponential data, a normal density: P(p <= 2 / 20) = 2 / 20 with 19 held-out rows; the
    # tail of the highest-density region rejects another share. 4,000 runs, 4 Monte Carlo errors.
    rng = np.random.default_rng(0)
    rule = BayesRule([norm(0, 1), norm(50, 1)])
    runs, n = 4000, 19
    new, held_out = rng.exponential(size=runs), rng.exponential(size=(runs, n))
    labels = np.repeat([0, 1], [n, 1])
    rejected = [
        rule.novelty_pvalues([x], np.append(rows, 50.0), labels)[0, 0] <= 2 / 20
        for x, rows in zip(new, held_out, strict=True)
    ]
    error = np.sqrt(0.1 * 0.9 / runs)
    assert abs(np.mean(rejected) - 0.1) < 4 * error
    assert abs(np.mean(rule.novelty_pvalues(new)[:, 0] <= 0.1) - 0.1) > 4 * error


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: BayesRule([norm(0).logpdf, norm(1)]).novelty_pvalues([0.0]),
            r"class 0 \(function .*cannot be drawn from: give `X_calibration`",
        ),
        (
            lambda: BayesRule([norm(0), norm(1)]).novelty_pvalues([0.0], [1.0]),
            "`X_calibration` and `y_calibration` must be given together",
        ),
        (
            lambda: BayesRule([norm(0), norm(1)]).novelty_pvalues([0.0], [1.0], [0]),
            "`y_calibration` must hold rows of every class, got none of 1",
        ),
        (
            lambda: BayesRule([norm(0), norm(1)]).novelty_pvalues([0.0], [1.0], [7]),
            r"`y_calibration` must hold classes of the rule \(0, 1\), got 7",
        ),
        (
            lambda: BayesRule.from_estimator(
                LinearDiscriminantAnalysis().fit(IRIS, SPECIES)
            ).novelty_pvalues(IRIS),
            "only its discriminant space is known. .*`store_covariance=True`",
        ),
        (
            lambda: (
                BayesRule([multivariate_normal([0, 0])] * 2)
                .slice([0, 0], [0])
                .novelty_pvalues([0.0])
            ),
            "a slice of a density is not one",
        ),
    ],
)
def test_what_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_as_the_refusals_advise():
    functions = BayesRule([norm(0).logpdf, norm(1).logpdf])
    assert functions.novelty_pvalues([0.0], [0.3, 0.7], [0, 1]).shape == (1, 2)
    stored = LinearDiscriminantAnalysis(store_covariance=True).fit(IRIS, SPECIES)
    assert BayesRule.from_estimator(stored).novelty_pvalues(IRIS).max(axis=1).min() > 1e-6
    parts = [GaussianMixture(2, random_state=0).fit(PETALS[k == SPECIES]) for k in range(3)]
    assert (BayesRule(parts).novelty_pvalues(PETALS, n_draws=1000, random_state=0) > 0).all()
