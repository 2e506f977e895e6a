"""Tests of shares of categories by cluster: each expected number says where it comes from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats.contingency import association

from afterfit.categorical import cluster_profile


def test_profile_against_scipy_and_pandas(votes):
    X, party = votes
    profile = cluster_profile(X, party)
    values = profile["cramers_v"].groupby(level="column", sort=False).first()
    assert values.is_monotonic_decreasing
    for column in X:
        counts = pd.crosstab(X[column].fillna("?"), party)
        # scipy.stats.contingency.association(method="cramer")
        assert values[column] == pytest.approx(association(counts.to_numpy(), "cramer"))
    shares = profile.loc["crime", "democrat"].to_numpy()
    expected = pd.crosstab(X["crime"].fillna("~"), party, normalize="columns")["democrat"]
    assert shares == pytest.approx(expected.to_numpy())


def test_profile_weighs_rows_and_knows_constants():
    X = pd.DataFrame({"same": ["s"] * 3, "color": ["red", "red", "blue"]})
    profile = cluster_profile(X, ["a", "b", "b"], sample_weight=[2, 1, 3])
    assert profile.loc[("color", "red"), "all"] == 0.5
    assert profile.loc[("color", "blue"), "b"] == 0.75
    assert profile.loc[("same", "s"), "cramers_v"] == 0
    assert cluster_profile(X, ["a", "b", "b"]).loc[("color", "red"), "a"] == 1  # a row alone
    # A category and a cluster without weight say nothing: the table [[3, 1], [0, 2]] is left.
    X = pd.DataFrame({"color": ["red", "red", "blue", "green"]})
    profile = cluster_profile(X, ["a", "b", "b", "c"], sample_weight=[3, 1, 2, 0])
    expected = association(np.array([[3, 1], [0, 2]]), "cramer")
    assert profile["cramers_v"].tolist() == pytest.approx([expected] * 3)
    assert profile["c"].tolist() == [0, 0, 0]


@pytest.mark.parametrize("name", ["all", "cramers_v"])
def test_clusters_are_not_named_like_the_columns_of_a_profile(name):
    with pytest.raises(ValueError, match=f"`labels` must not name a cluster '{name}', which is a"):
        cluster_profile([["a"], ["b"]], [name, "other"])
    shares = cluster_profile([["a"], ["b"]], ["column", "category"])
    assert shares["column"].tolist() == [1, 0]
    assert shares["category"].tolist() == [0, 1]
