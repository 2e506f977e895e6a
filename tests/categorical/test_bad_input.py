"""Tests of what is refused, and how: each expected number says where it comes from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.cluster import DBSCAN
from sklearn.exceptions import NotFittedError

from afterfit.categorical import (
    KModes,
    choose_n_clusters,
    cluster_profile,
    matching_silhouette_samples,
    matching_silhouette_score,
    plot_profile,
    plot_silhouettes,
)

X3 = [["a", "x"], ["b", "y"], ["c", "z"]]


TWICE = pd.DataFrame(X3, columns=["p", "p"])  # two columns of one name


@pytest.mark.parametrize(
    ("function", "arguments", "error", "message"),
    [
        (KModes(4).fit, (X3,), ValueError, r"the number of distinct rows \(3\), got 4"),
        (KModes(0).fit, (X3,), ValueError, "`n_clusters` must be at least 1, got 0"),
        (KModes(1.5).fit, (X3,), TypeError, "`n_clusters` must be an integer, got 1.5"),
        (KModes(2, init="Cao").fit, (X3,), ValueError, "`init` must be one of 'huang', 'cao'"),
        (KModes(2, n_init=0).fit, (X3,), ValueError, "`n_init` must be at least 1"),
        (KModes(2, max_iter=0).fit, (X3,), ValueError, "`max_iter` must be at least 1"),
        (KModes(2, missing="drop").fit, (X3,), ValueError, "`missing` must be one of 'error'"),
        (KModes(2, random_state=-1).fit, (X3,), ValueError, "`random_state` must be None"),
        (
            KModes(2).fit,
            ([["a"], [None]],),
            ValueError,
            r"missing values .* in column\(s\) 0 \(1\)",
        ),
        (KModes(2).fit, ([[1.0], [np.inf]],), ValueError, r"infinite values \(inf\) in column"),
        (KModes(2).fit, (["a", "b"],), ValueError, "two dimensions .* got shape"),
        (KModes(2).fit, (np.empty((0, 2)),), ValueError, "at least 1 row and 1 column"),
        (KModes(2).fit, ([[["a"]], [["b"]]],), ValueError, "two dimensions"),
        (KModes(2).fit, ([["a", "b"], ["a"]],), ValueError, "rows of equal length"),
        (KModes(2).fit, (pd.DataFrame({"p": [["a"], {}]}),), TypeError, "column 'p' does not: unh"),
        (KModes(2).fit, (X3, None, [1, 2]), ValueError, r"each of the 3 row\(s\)"),
        (KModes(2).fit, (X3, None, [1, 2, -1]), ValueError, "got -1 in row 2"),
        (KModes(2).fit, (X3, None, [1, 2, np.nan]), ValueError, "got nan in row 2"),
        (KModes(2).fit, (X3, None, [1, 2, np.inf]), ValueError, "finite.*, got inf in row 2"),
        (KModes(2).fit, (X3, None, [0, 0, 0]), ValueError, "at least one positive weight"),
        (KModes(2).fit, (X3, None, [1, "a", 1]), TypeError, "must be numbers, got 'a' in row 1"),
        (KModes(2).fit(X3).predict, ([["a"]],), ValueError, "has 1 features, but KModes is"),
        (KModes(2).predict, (X3,), NotFittedError, "not fitted"),
        (KModes(2).fit, (X3, None, [1, 1j, 1]), TypeError, r"must be numbers, got 1j in row 1"),
        (KModes(2).fit, (X3, None, ["1", "2", "1"]), TypeError, "must be numbers, got '1' in row"),
        (
            KModes(2).fit,
            (X3, None, np.array(["2020", "2021", "2022"], dtype="M8[D]")),
            TypeError,
            r"`sample_weight` must be numbers, got datetime.date\(2020, 1, 1\) in row 0",
        ),
        (
            KModes(2).fit,
            (X3, None, np.ma.masked_array([1, 1, 1], mask=[0, 1, 0])),
            ValueError,
            "`sample_weight` must be finite and not negative, got nan in row 1",
        ),
        (
            KModes(2).fit,
            (X3, None, [1, 1e308, 1e308]),
            ValueError,
            r"most 1e\+75 .* got 1e\+308 in",
        ),
        (
            KModes(2).fit,
            (np.ma.masked_equal([[1], [2], [3]], 2),),
            ValueError,
            r"missing .* 0 \(1\)",
        ),
        (
            KModes(2).fit,
            (pd.DataFrame({"p": pd.Categorical([1, np.inf, 2], categories=[1, np.inf, 2])}),),
            ValueError,
            r"infinite values \(inf\) in column\(s\) 'p'",
        ),
        (KModes(2).fit, (TWICE,), ValueError, "different name for each column, got 'p' more than"),
        (KModes(2).fit(X3).predict, (TWICE,), ValueError, "different name for each column"),
        (choose_n_clusters, (TWICE, [1, 2]), ValueError, "different name for each column"),
        (matching_silhouette_score, (X3, [1, 2]), ValueError, "`labels` must have one label"),
        (matching_silhouette_score, (X3, [1, 1, 1]), ValueError, "at least 2 clusters .*got 1"),
        (matching_silhouette_score, (X3, [1, None, 1]), ValueError, r"got 1 missing label\(s\)"),
        (cluster_profile, (X3, [1, 2]), ValueError, r"each of the 3 row\(s\) of `X`, got 2"),
        (cluster_profile, (X3, [{1}, {1}, {2}]), TypeError, "`labels` must hold hashable labels"),
        (cluster_profile, (X3, "abc"), TypeError, "`labels` must be a list, .* got str"),
        (
            cluster_profile,
            (X3, np.ma.masked_array([1, 2, 2], mask=[0, 1, 0])),
            ValueError,
            r"`labels` must have a label for every row, got 1 missing label\(s\), in row\(s\) 1",
        ),
        (plot_profile, (X3, [1, 1, np.nan]), ValueError, "missing label"),
        (plot_silhouettes, (X3, [1, 1, 1]), ValueError, "at least 2 clusters"),
        (choose_n_clusters, (X3, [1, 4]), ValueError, r"`k_values` .* distinct rows \(3\), got 4"),
        (choose_n_clusters, (X3, [0, 1]), ValueError, "`k_values` must be at least 1, got 0"),
        (choose_n_clusters, (X3, []), ValueError, "at least one number of clusters"),
        (choose_n_clusters, (X3, 3), TypeError, "`k_values` must be whole numbers, got 3"),
        (choose_n_clusters, (X3, "12"), TypeError, "`k_values` must be whole numbers, got '12'"),
    ],
)
def test_bad_input_is_named(function, arguments, error, message):
    with pytest.raises(error, match=message):
        function(*arguments)


@pytest.mark.parametrize(
    ("labels", "weight", "message"),
    [
        ([1, 1, 2], [1, 0.5, 1], "whole numbers.*got 0.5 in row 1"),
        ([1, 1, 2], [1, 1, 0], r"at least 2 clusters \(with rows of positive weight\), got 1"),
    ],
)
def test_bad_weights_of_a_silhouette_are_named(labels, weight, message):
    for function in (matching_silhouette_samples, matching_silhouette_score, plot_silhouettes):
        with pytest.raises(ValueError, match=message):
            function(X3, labels, sample_weight=weight)


class WithoutCost:
    """A clusterer that keeps no cost."""

    def __init__(self, n_clusters=2):
        self.n_clusters = n_clusters

    def get_params(self, deep=True):
        return {"n_clusters": self.n_clusters}

    def set_params(self, n_clusters):
        self.n_clusters = n_clusters
        return self

    def fit(self, X):
        self.labels_ = np.zeros(len(X))
        return self


class Keeping(BaseEstimator):
    """A clusterer that keeps what it is told to, and whose `fit` returns nothing."""

    def __init__(self, n_clusters=2, cost_=1.0, labels_=(0, 0, 1)):
        self.n_clusters, self.cost_, self.labels_ = n_clusters, cost_, labels_

    def fit(self, X):
        if self.labels_ is None:
            del self.labels_


def test_an_estimator_whose_fit_returns_nothing_is_taken():
    result = choose_n_clusters(X3, [1, 2], estimator=Keeping(), criteria=["silhouette"])
    # By hand: the three rows are 1 apart from each other in every column.
    assert result.table["silhouette"].tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"criteria": "gap"}, TypeError, "`criteria` must be a list of names among 'knee'"),
        ({"criteria": ["elbow"]}, ValueError, "`criteria` must be one of 'knee', 'silhouette'"),
        ({"n_references": 1}, ValueError, "`n_references` must be at least 2"),
        ({"n_jobs": 0}, ValueError, "n_jobs == 0 in Parallel has no meaning"),  # joblib's own
        ({"n_resamples": 0}, ValueError, "`n_resamples` must be at least 1"),
        ({"sample_weight": [1, 0.5, 1]}, ValueError, "whole numbers.*got 0.5 in row 1"),
        ({"estimator": KModes}, TypeError, "`estimator` must be an instance"),
        ({"estimator": 3}, TypeError, "lacks fit, get_params, set_params, predict"),
        ({"estimator": WithoutCost()}, TypeError, "lacks predict"),
        (
            {"estimator": DBSCAN(), "criteria": ["knee"]},
            TypeError,
            "must have a parameter `n_clusters`",
        ),
        (
            {"estimator": WithoutCost(), "criteria": ["knee"]},
            TypeError,
            "`estimator` must keep its cost in `cost_` or `inertia_`",
        ),
        (
            {"estimator": Keeping(cost_=-1), "criteria": []},
            ValueError,
            "finite and not negative, got -1 in `cost_` of Keeping",
        ),
        (
            {"estimator": Keeping(cost_=float("nan")), "criteria": []},
            ValueError,
            "finite and not negative, got nan",
        ),
        (
            {"estimator": Keeping(labels_=[0, 1]), "criteria": []},
            ValueError,
            r"one label for each of the 3 row\(s\) of `X` in `labels_`, got 2 from Keeping",
        ),
        (
            {"estimator": Keeping(labels_=None), "criteria": []},
            TypeError,
            "`estimator` must keep the cluster of each row in `labels_`",
        ),
        (
            {"estimator": WithoutCost(), "criteria": [], "sample_weight": [1, 1, 1]},
            TypeError,
            "`sample_weight` needs an estimator whose `fit` takes it",
        ),
    ],
)
def test_bad_options_are_named(options, error, message):
    with pytest.raises(error, match=message):
        choose_n_clusters(X3, [1, 2], **{"n_init": 1, "random_state": 0, **options})
