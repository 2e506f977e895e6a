"""Tests of the estimator: each expected number says where it comes from."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils.estimator_checks import check_estimator

from afterfit.categorical import KModes, choose_n_clusters, matching_silhouette_score

tables = st.integers(0, 2**32 - 1).map(
    lambda seed: (lambda rng: rng.integers(rng.integers(1, 5), size=rng.integers([3, 1], [30, 8])))(
        np.random.default_rng(seed)
    )
)


@settings(max_examples=60, deadline=None)
@given(X=tables, seed=st.integers(0, 2**32 - 1), init=st.sampled_from(["huang", "cao", "random"]))
def test_cost_and_labels_are_those_of_a_recount(X, seed, init, recount):
    rng = np.random.default_rng(seed)
    weight = rng.integers(1, 4, size=len(X))
    k = int(rng.integers(1, len(np.unique(X, axis=0)) + 1))
    model = KModes(k, init=init, n_init=2, random_state=seed).fit(X, sample_weight=weight)
    cost, labels = recount(X, model.cluster_centroids_, weight)
    assert model.cost_ == cost
    assert (model.labels_ == labels).all()
    assert (model.predict(X) == labels).all()
    assert set(labels) == set(range(k))  # no cluster is empty
    for cluster in range(k):  # and every mode is the first most frequent category of its rows
        for column, mode in zip(X.T, model.cluster_centroids_[cluster], strict=True):
            counts = np.bincount(column[labels == cluster], weight[labels == cluster])
            assert mode == counts.argmax()


@settings(max_examples=30, deadline=None)
@given(X=tables, seed=st.integers(0, 2**32 - 1))
def test_fit_depends_neither_on_the_order_of_rows_nor_on_how_equal_rows_are_counted(X, seed):
    rng = np.random.default_rng(seed)
    k = min(3, len(np.unique(X, axis=0)))
    weight = rng.integers(1, 4, size=len(X))
    model = KModes(k, n_init=2, random_state=1).fit(X, sample_weight=weight)
    rows = rng.permutation(np.repeat(np.arange(len(X)), weight.astype(np.intp)))
    again = KModes(k, n_init=2, random_state=1).fit(X[rows])
    assert again.cost_ == model.cost_
    assert (again.cluster_centroids_ == model.cluster_centroids_).all()
    assert (again.labels_ == model.labels_[rows]).all()


def test_rows_of_weight_zero_are_labelled_and_have_no_say():
    X = np.array([["a", "a"], ["a", "b"], ["b", "b"], ["z", "b"]])
    model = KModes(2, random_state=0).fit(X, sample_weight=[2, 1, 3, 0])
    same = KModes(2, random_state=0).fit(X[:3], sample_weight=[2, 1, 3])
    assert model.cost_ == same.cost_
    assert (model.cluster_centroids_ == same.cluster_centroids_).all()
    assert model.labels_[3] == model.labels_[2]


def test_ties_go_to_the_first_category_and_the_larger_cluster():
    # One cluster: "a" and "b" are equally frequent, "a" comes first in sorted order.
    assert KModes(1).fit([["b"], ["a"]]).cluster_centroids_[0, 0] == "a"
    # Two modes (x, x, x, x) and (y, y, y, y); the last row is at distance 2 from both, and the
    # cluster with four rows of its own has the smaller label.
    X = [list("yyyy")] * 4 + [list("xxxx")] * 3 + [list("xyxy")]
    model = KModes(2, random_state=0).fit(X)
    assert model.cost_ == 2
    assert model.labels_.tolist() == [0, 0, 0, 0, 1, 1, 1, 0]


def test_votes_against_the_party(votes):
    # Reference values of the project: cost 1701, purity 0.8644, silhouette 0.4893 at K = 2.
    X, party = votes
    for init, seed in itertools.product(["huang", "cao", "random"], range(4)):
        model = KModes(2, init=init, n_init=3, missing="category", random_state=seed).fit(X)
        assert model.cost_ == 1701
        purity = pd.crosstab(party, model.labels_).max(axis=0).sum() / len(X)
        assert purity == pytest.approx(0.8644, abs=5e-5)
        assert matching_silhouette_score(X, model.labels_) == pytest.approx(0.4893, abs=5e-5)


@pytest.mark.parametrize("seed", range(10))
def test_kmodes_results_are_reproduced_where_it_is_deterministic(seed, latent_classes):
    # kmodes.KModes(init="Cao") of kmodes 0.12.2, on clusters that are apart: the same labels.
    from kmodes.kmodes import KModes as TheirKModes

    X, _ = latent_classes(150, 12, 4, 3, 0.2, seed)
    theirs = TheirKModes(3, init="Cao", n_init=1, random_state=0).fit(X)
    ours = KModes(3, init="cao").fit(X)
    assert ours.cost_ == theirs.cost_
    assert (ours.labels_ == theirs.labels_).all()
    assert (ours.cluster_centroids_ == theirs.cluster_centroids_).all()


def test_real_weights_are_allowed(latent_classes, recount):
    X, _ = latent_classes(60, 5, 3, 2, 0.5, 0)
    weight = np.random.default_rng(0).random(60)
    model = KModes(3, random_state=0).fit(X, sample_weight=weight)
    assert model.cost_ == pytest.approx(recount(X, model.cluster_centroids_, weight)[0])
    # A single number is everybody's weight, as in scikit-learn.
    model = KModes(3, random_state=0).fit(X, sample_weight=2.5)
    assert model.cost_ == 2.5 * recount(X, model.cluster_centroids_)[0]


def test_missing_values_are_an_error_or_a_category(votes):
    X, _ = votes
    with pytest.raises(ValueError, match=r"'handicapped_infants' \(12\).*and 11 more; fill them"):
        KModes(2).fit(X)
    filled = KModes(3, missing="category", random_state=0).fit(X)
    same = KModes(3, random_state=0).fit(X.fillna("zz"))  # last in sorted order, as NaN is
    assert filled.cost_ == same.cost_
    assert (filled.labels_ == same.labels_).all()
    assert all(pd.isna(levels[-1]) for levels in filled.categories_)


def test_predict_takes_unknown_categories_for_different():
    model = KModes(2, random_state=0).fit([["a", "x"], ["a", "x"], ["b", "y"]])
    assert model.predict([["c", "y"], ["a", "z"]]).tolist() == [1, 0]
    with_missing = KModes(2, missing="category").fit([["a"], [None]])
    assert with_missing.predict([[None], ["a"], ["z"]]).tolist() == [1, 0, 0]  # None is known
    frame = pd.DataFrame({"p": ["a", "b"], "q": ["x", "y"]})
    named = KModes(2, random_state=0).fit(frame)
    assert list(named.feature_names_in_) == ["p", "q"]
    with pytest.raises(ValueError, match="feature names should match"):
        named.predict(frame[["q", "p"]])


@pytest.mark.parametrize("missing", ["error", "category"])
def test_check_estimator(missing):
    failing = {
        "check_clustering": "its points are continuous: no two rows share a category, so that "
        "every row is equally far from every other"
    }
    state = np.random.get_state()  # noqa: NPY002  (scikit-learn's own checks move it)
    results = check_estimator(
        KModes(2, missing=missing, random_state=0), expected_failed_checks=failing, on_skip=None
    )
    np.random.set_state(state)  # noqa: NPY002
    failed = {result["check_name"] for result in results if result["status"] == "xfail"}
    assert failed == set(failing)
    assert KModes(missing=missing).__sklearn_tags__().input_tags.allow_nan == (
        missing == "category"
    )


def test_fit_leaves_what_it_was_given_alone(latent_classes):
    X, _ = latent_classes(50, 4, 3, 2, 0.5, 0)
    before, weight = X.copy(), np.ones(50)
    KModes(2, random_state=0).fit(X, sample_weight=weight)
    choose_n_clusters(X, [1, 2], criteria=["gap", "stability"], n_references=2, n_resamples=1)
    assert np.array_equal(X, before)
    assert (weight == 1).all()


def test_predict_refuses_columns_of_other_types():
    model = KModes(2, random_state=0).fit([["1", "x"], ["1", "x"], ["2", "y"]])
    with pytest.raises(
        ValueError, match=r"column 0 has none of them. It holds 1, 2; in `fit` it h"
    ):
        model.predict([[1, "x"], [2, "y"]])
    with pytest.raises(ValueError, match=r"column 0 has none of them. It holds 1; in"):
        model.predict([[1, "x"]])
    with pytest.raises(ValueError, match=r"column 1 has none of them. It holds 'X', 'Y'; in"):
        model.predict([["1", "X"], ["2", "Y"]])
    assert model.predict([["3", "y"]]).tolist() == [1]  # a new category in a single row


def test_cells_of_half_precision():
    X = np.array([[0.5, 2], [0.5, 2], [1.5, 3]], dtype=np.float16)
    model = KModes(2, random_state=0).fit(X)
    assert model.cost_ == 0
    assert model.labels_.tolist() == [0, 0, 1]
    assert model.predict(X).tolist() == [0, 0, 1]
    assert KModes(2).fit(pd.DataFrame(X)).cost_ == 0
