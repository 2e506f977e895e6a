"""Conformal p-values: brute force, exact levels, and models that are wrong."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joblib import parallel_config
from mixture_models import draw, random_parameters
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from sklearn.base import BaseEstimator
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture
from sklearn.model_selection import GroupKFold, KFold, LeaveOneOut, ShuffleSplit
from sklearn.neighbors import KernelDensity, LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from afterfit.mixture import conformal_pvalues, hdr_tail_probability

HALVES = ShuffleSplit(1, test_size=0.5, random_state=0)


class Distance(BaseEstimator):
    """Scores by the distance to the mean of what it was fitted to."""

    def fit(self, X):
        self.centre_ = np.mean(X, axis=0)
        return self

    def score_samples(self, X):
        return -np.abs(np.asarray(X) - self.centre_).max(axis=1)


class FirstColumn(BaseEstimator):
    def fit(self, X):
        return self

    def score_samples(self, X):
        return np.asarray(X)[:, 0]


def rows(n, seed=0, d=2):
    return np.random.default_rng(seed).standard_normal((n, d))


# The definition.


@pytest.mark.parametrize("cv", [KFold(4), LeaveOneOut(), HALVES, [(range(10), range(10, 25))]])
def test_new_rows_by_counting(cv):
    X, X_new = rows(25), rows(6, seed=1)
    splits = list(cv.split(X)) if hasattr(cv, "split") else cv
    below, held_out = np.zeros(6), 0
    for train, test in splits:
        model = Distance().fit(X[list(train)])
        scores = model.score_samples(X[list(test)])
        for j in range(6):
            below[j] += sum(score <= model.score_samples(X_new[[j]])[0] for score in scores)
        held_out += len(test)
    expected = (1 + below) / (held_out + 1)
    assert_allclose(conformal_pvalues(Distance(), X, X_new, cv=cv), expected, rtol=1e-15)


def test_own_rows_by_counting():
    X = rows(25)
    scores = np.empty(25)
    for train, test in KFold(4).split(X):
        scores[test] = Distance().fit(X[train]).score_samples(X[test])
    expected = [(scores <= score).mean() for score in scores]
    assert_allclose(conformal_pvalues(Distance(), X, cv=KFold(4)), expected, rtol=1e-15)


@given(st.lists(st.integers(0, 5), min_size=4, max_size=30), st.integers(2, 4))
@settings(max_examples=50)
def test_ranges_and_ranks_with_ties(values, n_folds):
    X = np.c_[np.array(values, dtype=float)]
    own = conformal_pvalues(FirstColumn(), X, cv=n_folds, random_state=0)
    # Without fits that differ the ranks are those of the rows themselves.
    assert_allclose(own, stats.rankdata(values, method="max") / len(values))
    new = conformal_pvalues(FirstColumn(), X, X, cv=n_folds, random_state=0)
    assert_allclose(new, (1 + stats.rankdata(values, method="max")) / (len(values) + 1))


def test_folds_are_shuffled_and_repeatable():
    X = np.sort(rows(60), axis=0)

    def pvalues(random_state, **options):
        return conformal_pvalues(Distance(), X, random_state=random_state, **options)

    assert_array_equal(pvalues(1), pvalues(1))
    assert_array_equal(pvalues(1), pvalues(np.random.default_rng(1)))
    assert (pvalues(1) != pvalues(2)).any()
    assert (pvalues(1) != pvalues(1, cv=KFold(10))).any()
    with parallel_config(backend="threading"):
        assert_array_equal(pvalues(1), pvalues(1, n_jobs=2))


def test_own_pvalues_are_the_ranks_whatever_the_model():
    # As the documentation says: the share a is always at or below a.
    X = rows(40)
    for estimator in (GaussianMixture(2, random_state=0, tol=1e-2), KernelDensity()):
        pvalues = conformal_pvalues(estimator, X, random_state=0)
        assert_allclose(np.sort(pvalues), np.arange(1, 41) / 40)


# Levels.


def test_a_single_split_is_exact():
    # The share of new rows at or below a is floor(a (m + 1)) / (m + 1), on average.
    m, n_repetitions = 19, 4000
    rng = np.random.default_rng(3)
    hits = np.zeros(3)
    levels = np.array([0.05, 0.12, 0.5])
    for _ in range(n_repetitions):
        X, X_new = rng.standard_cauchy((2 * m, 1)), rng.standard_cauchy((1, 1))
        split = [(np.arange(m), np.arange(m, 2 * m))]
        hits += conformal_pvalues(Distance(), X, X_new, cv=split)[0] <= levels + 1e-12
    expected = np.floor(levels * (m + 1) + 1e-12) / (m + 1)
    errors = np.sqrt(expected * (1 - expected) / n_repetitions)
    assert (abs(hits / n_repetitions - expected) < 4 * errors).all()


def test_an_overfitted_mixture_keeps_its_level_where_its_own_tail_does_not():
    # A Gaussian of 10 features fitted to 40 rows: its tails of new rows are far too small. A level
    # that is wrong by 0.02 is seen; that of the tails is wrong by 0.15 at least.
    shares = []
    for seed in range(20):
        X, X_new = rows(40, seed=seed, d=10), rows(200, seed=1000 + seed, d=10)
        model = GaussianMixture(1, random_state=0)
        conformal = conformal_pvalues(model, X, X_new, random_state=seed) <= 0.05
        own = hdr_tail_probability(model.fit(X), X_new) <= 0.05
        shares.append([conformal.mean(), own.mean()])
    means, errors = np.mean(shares, axis=0), np.std(shares, axis=0, ddof=1) / np.sqrt(20)
    # Two of 41 values are at or below 0.05: 0.0488.
    assert abs(means[0] - 2 / 41) < 4 * errors[0] < 0.02
    assert means[1] > 0.2


def test_a_model_of_the_wrong_shape_keeps_its_level():
    # A level that is wrong by 0.025 is seen; that of the model's own tails is wrong by 0.04.
    shares = []
    for seed in range(15):
        angle = np.random.default_rng(seed).uniform(0, 2 * np.pi, 300)
        ring = 3 * np.c_[np.cos(angle), np.sin(angle)] + 0.3 * rows(300, seed=seed)
        X, X_new = ring[:100], ring[100:]
        model = GaussianMixture(1, random_state=0)
        conformal = conformal_pvalues(model, X, X_new, random_state=0) <= 0.05
        own = hdr_tail_probability(model.fit(X), X_new) <= 0.05
        shares.append([conformal.mean(), own.mean()])
    means, errors = np.mean(shares, axis=0), np.std(shares, axis=0, ddof=1) / np.sqrt(15)
    assert abs(means[0] - 5 / 101) < 4 * errors[0] < 0.025
    assert means[1] < 0.01


def test_false_discoveries_after_benjamini_hochberg():
    # 15 of 100 new rows are outliers; on average at most a tenth of what is flagged is not.
    false, found = [], []
    for seed in range(100):
        X, X_new = rows(400, seed=seed), rows(100, seed=500 + seed)
        X_new[:15] += 5.0
        pvalues = conformal_pvalues(Distance(), X, X_new, cv=HALVES)
        flagged = stats.false_discovery_control(pvalues) <= 0.1
        false.append(flagged[15:].sum() / max(flagged.sum(), 1))
        found.append(flagged[:15].mean())
    assert np.mean(false) < 0.1 + 4 * np.std(false) / 10
    assert np.mean(found) > 0.9


def test_the_documented_length_of_a_reference_finds_one_outlier():
    # One among 20 at q = 0.1: m + 1 = 200 held-out rows and one more.
    X_new = np.vstack([rows(19, seed=1) / 100, [[50.0, 50.0]]])
    for m, n_found in ((199, 1), (198, 0)):
        X = rows(2 * m)
        split = [(np.arange(m), np.arange(m, 2 * m))]
        pvalues = conformal_pvalues(Distance(), X, X_new, cv=split)
        assert (stats.false_discovery_control(pvalues) <= 0.1).sum() == n_found


# What is accepted, and what is refused.


@pytest.mark.parametrize(
    "estimator",
    [
        GaussianMixture(2, random_state=0, tol=1e-2),
        BayesianGaussianMixture(n_components=2, random_state=0, tol=1e-1),
        KernelDensity(),
        IsolationForest(n_estimators=10, random_state=0),
        LocalOutlierFactor(5, novelty=True),
        make_pipeline(StandardScaler(), PCA(2), KernelDensity()),
    ],
)
def test_estimators_of_scikit_learn(estimator):
    X = draw(random_parameters("full", 3), 60, seed=1)[0]
    pvalues = conformal_pvalues(estimator, X, [[0.0] * 3, [500.0] * 3], cv=5, random_state=0)
    assert pvalues[1] == 1 / 61
    assert pvalues[0] > pvalues[1]


def test_a_fitted_estimator_is_left_as_it_is():
    model = GaussianMixture(1, random_state=0).fit(rows(20))
    before = model.means_.copy()
    conformal_pvalues(model, rows(30, seed=9), cv=3)
    assert_array_equal(model.means_, before)


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_tables_with_text_go_through_a_pipeline(make):
    table = {"x": rows(40)[:, 0], "kind": ["a", "b"] * 20}
    transform = make_column_transformer((OneHotEncoder(), ["kind"]), remainder="passthrough")
    estimator = make_pipeline(transform, KernelDensity())
    expected = conformal_pvalues(estimator, pd.DataFrame(table), cv=KFold(4))
    assert_array_equal(conformal_pvalues(estimator, make(table), cv=KFold(4)), expected)
    new = {"x": [0.0, 99.0], "kind": ["a", "a"]}
    pvalues = conformal_pvalues(estimator, make(table), make(new), cv=KFold(4))
    assert pvalues[1] == 1 / 41
    swapped = {"kind": new["kind"], "x": new["x"]}
    with pytest.raises(ValueError, match="`X_new` must have the columns of the fit"):
        conformal_pvalues(estimator, make(table), make(swapped))


def test_rows_that_belong_together_are_held_out_together():
    X, groups = rows(30), np.repeat(np.arange(10), 3)
    splits = list(GroupKFold(5).split(X, groups=groups))
    pvalues = conformal_pvalues(Distance(), X, cv=splits)
    assert_array_equal(pvalues, conformal_pvalues(Distance(), X, cv=iter(splits)))


class Broken(FirstColumn):
    def score_samples(self, X):
        return np.full(len(X), np.nan)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((random_parameters("full", 2), rows(9)), {}, TypeError, "got GaussianMixtureParameters"),
        ((StandardScaler(), rows(9)), {}, TypeError, "have `fit` and `score_samples`.*StandardSc"),
        ((LocalOutlierFactor(), rows(9)), {}, TypeError, "got LocalOutlierFactor"),
        ((Distance(), rows(9)), {"cv": 1}, ValueError, "`cv` must be between 2 and 9, got 1"),
        ((Distance(), rows(9)), {"cv": 10}, ValueError, "`cv` must be between 2 and 9, got 10"),
        ((Distance(), rows(9)), {"cv": 2.5}, TypeError, "`cv` must be an integer"),
        ((Distance(), rows(9)), {"cv": HALVES}, ValueError, "must hold out every row once"),
        (
            (Distance(), rows(9), rows(2)),
            {"cv": ShuffleSplit(5, test_size=0.5, random_state=0)},
            ValueError,
            r"no row more than once, but does so with row\(s\) ",
        ),
        ((Distance(), rows(9)), {"cv": [(range(9), range(9))]}, ValueError, "other rows than it"),
        ((Distance(), rows(9), rows(2)), {"cv": []}, ValueError, "must hold out every row once"),
        ((Distance(), rows(9), rows(2, d=3)), {}, ValueError, r"the 2 column\(s\) of `X`, got 3"),
        ((Distance(), [[np.nan]]), {}, ValueError, "`X` must be finite"),
        ((Distance(), rows(9), [[1.0, np.inf]]), {}, ValueError, "`X_new` must be finite"),
        ((Broken(), rows(9)), {"cv": 3}, ValueError, "must give numbers as scores, got NaN"),
    ],
)
def test_bad_arguments(arguments, options, error, message):
    with pytest.raises(error, match=message):
        conformal_pvalues(*arguments, **options)
