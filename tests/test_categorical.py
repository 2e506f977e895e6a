"""Tests of `afterfit.categorical`: each expected number says where it comes from."""

from __future__ import annotations

import itertools
import re

import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats.contingency import association
from sklearn.base import BaseEstimator
from sklearn.cluster import DBSCAN
from sklearn.exceptions import NotFittedError
from sklearn.metrics import adjusted_rand_score, silhouette_samples, silhouette_score
from sklearn.utils.estimator_checks import check_estimator

from afterfit import datasets
from afterfit.categorical import (
    KModes,
    NClustersResult,
    _engine,
    _evidence,
    _search,
    _tables,
    choose_n_clusters,
    cluster_profile,
    matching_silhouette_samples,
    matching_silhouette_score,
    plot_profile,
    plot_silhouettes,
)


def latent_classes(n, n_columns, n_values, n_clusters, noise, seed):
    """Return rows of categories drawn around `n_clusters` random modes, and their clusters."""
    rng = np.random.default_rng(seed)
    modes = rng.integers(n_values, size=(n_clusters, n_columns))
    truth = rng.integers(n_clusters, size=n)
    redrawn = rng.random((n, n_columns)) < noise
    return np.where(redrawn, rng.integers(n_values, size=(n, n_columns)), modes[truth]), truth


def recount(X, modes, weights=1):
    """Return the cost and labels of modes by comparing every row with every mode."""
    distances = (np.asarray(X)[:, None, :] != np.asarray(modes)[None]).sum(axis=2)
    return (distances.min(axis=1) * weights).sum(), distances.argmin(axis=1)


@pytest.fixture(scope="module")
def votes():
    table = datasets.load_table("votes")
    return table.drop(columns="party"), table["party"]


tables = st.integers(0, 2**32 - 1).map(
    lambda seed: (lambda rng: rng.integers(rng.integers(1, 5), size=rng.integers([3, 1], [30, 8])))(
        np.random.default_rng(seed)
    )
)


# --- the silhouette -----------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(X=tables, data=st.data())
def test_silhouette_is_that_of_scikit_learn_on_codes(X, data):
    labels = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(X), max_size=len(X))))
    if not 2 <= len(set(labels)) < len(X):
        return  # scikit-learn has no answer
    expected = silhouette_samples(X, labels, metric="hamming")
    assert np.abs(matching_silhouette_samples(X, labels) - expected).max() <= 1e-12
    score = silhouette_score(X, labels, metric="hamming")
    assert matching_silhouette_score(X, labels) == pytest.approx(score, abs=1e-12)


@pytest.mark.parametrize("values", [[0, 1, 2, 3], [-5, -4, -3], [7, 9, 400]])
def test_integers_that_appear_late_are_categories_of_their_own(values):
    # Integers are looked for block by block: the last value comes in the last row alone.
    rng = np.random.default_rng(0)
    X = rng.choice(values[:-1], size=(5000, 2))
    X[-1] = values[-1]
    labels = rng.integers(3, size=len(X))
    as_text = matching_silhouette_samples(X.astype(str), labels)
    np.testing.assert_array_equal(matching_silhouette_samples(X, labels), as_text)


@settings(max_examples=50, deadline=None)
@given(X=tables, seed=st.integers(0, 2**32 - 1))
def test_a_row_of_weight_w_counts_as_w_rows(X, seed):
    rng = np.random.default_rng(seed)
    labels, weight = rng.integers(3, size=len(X)), rng.integers(4, size=len(X))
    repeated, of_repeated = np.repeat(X, weight, axis=0), np.repeat(labels, weight)
    if len(set(of_repeated)) < 2:
        return
    ours = matching_silhouette_samples(X, labels, sample_weight=weight)
    expected = matching_silhouette_samples(repeated, of_repeated)
    assert np.abs(np.repeat(ours, weight) - expected).max() <= 1e-12
    score = matching_silhouette_score(X, labels, sample_weight=weight)
    assert score == pytest.approx(expected.mean(), abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(X=tables, seed=st.integers(0, 2**32 - 1))
def test_names_and_order_do_not_matter_to_the_silhouette(X, seed):
    rng = np.random.default_rng(seed)
    labels = np.arange(len(X)) % 2
    expected = matching_silhouette_samples(X, labels)
    rows, columns = rng.permutation(len(X)), rng.permutation(X.shape[1])
    renamed = np.array(["pear", "fig", "apple", "quince"])[rng.permutation(4)][X]
    frame = pd.DataFrame(renamed[rows][:, columns])
    ours = matching_silhouette_samples(frame, np.array(["b", "a"])[labels[rows]])
    assert np.abs(ours - expected[rows]).max() <= 1e-12


def test_silhouette_by_hand():
    # Row 0: a = 1 (to row 1), b = 3 (to row 2, alone in its cluster): 2/3. Row 1: a = 1, b = 2.
    X = [["a", "a", "a"], ["a", "a", "b"], ["b", "c", "b"]]
    values = matching_silhouette_samples(X, ["x", "x", "y"])
    assert values == pytest.approx([2 / 3, 1 / 2, 0], abs=1e-15)


def test_clusters_of_one_have_silhouette_zero():
    # Rousseeuw (1987), p. 56: s(i) = 0 for a cluster of one. scikit-learn refuses all singletons.
    assert (matching_silhouette_samples(np.eye(4, dtype=int), np.arange(4)) == 0).all()
    assert (matching_silhouette_samples(np.zeros((4, 2)), [0, 0, 1, 1]) == 0).all()


def test_silhouette_of_a_row_of_weight_zero_compares_with_its_whole_cluster():
    # Row 2 is nobody: a = its mean distance to rows 0 and 1 = (0 + 2) / 2, b = 1.
    X = [["a", "a"], ["b", "b"], ["a", "a"], ["a", "b"]]
    values = matching_silhouette_samples(X, [0, 0, 0, 1], sample_weight=[1, 1, 0, 5])
    assert values[2] == pytest.approx(0.0, abs=1e-15)
    assert values[3] == pytest.approx(1.0, abs=1e-15)


def test_silhouette_takes_any_category_type():
    frame = pd.DataFrame(
        {
            "text": ["a", "b", "a", "b"],
            "mixed": [1, "one", None, 1],
            "dates": pd.to_datetime(["2020", "2021", "2020", "2021"]),
            "flags": [True, False, True, True],
            "category": pd.Categorical(["x", "y", "x", None], categories=["z", "y", "x"]),
            "floats": [0.5, np.nan, 0.5, np.nan],
        }
    )
    codes = np.column_stack([pd.factorize(frame[name], use_na_sentinel=False)[0] for name in frame])
    labels = [0, 1, 0, 1]
    expected = silhouette_samples(codes, labels, metric="hamming")
    assert matching_silhouette_samples(frame, labels) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    "labels",
    [
        np.array([-1, -1, 127, 127], dtype=np.int8),  # codes of a pandas Categorical: narrow
        np.array([0, 0, 2**64 - 1, 2**64 - 1], dtype=np.uint64),
        [2**63, 2**63, 2**63 + 1, 2**63 + 1],  # equal once they are floats
        [1, 1, "1", "1"],
        [("a", 1), ("a", 1), ("b",), ("b",)],
        pd.Series(["p", "p", "q", "q"], index=[3, 2, 1, 0], dtype="category"),
    ],
    ids=str,
)
def test_silhouette_takes_any_labels(labels):
    X = [["a", "x"], ["a", "y"], ["b", "y"], ["c", "z"]]
    expected = matching_silhouette_samples(X, [0, 0, 1, 1])
    assert (matching_silhouette_samples(X, labels) == expected).all()
    shares = cluster_profile(X, labels).iloc[:, 2:]
    assert shares.columns.tolist() == list(dict.fromkeys(labels))
    assert (shares.to_numpy() == cluster_profile(X, [0, 0, 1, 1]).iloc[:, 2:]).all(axis=None)


def test_silhouette_of_many_clusters_and_categories_in_blocks(monkeypatch):
    monkeypatch.setattr("afterfit.categorical._silhouette.BLOCK_CELLS", 1)
    monkeypatch.setattr(_tables, "BLOCK_ROWS", 100)
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.integers(300, size=1500), rng.integers(3, size=(1500, 5))])
    labels = rng.integers(60, size=1500)
    expected = silhouette_samples(X, labels, metric="hamming")
    assert np.abs(matching_silhouette_samples(X, labels) - expected).max() <= 1e-12


# --- k-modes ------------------------------------------------------------------------------------


def partitions(n, k):
    """Yield every assignment of n rows to exactly k clusters, up to the clusters' names."""
    for labels in itertools.product(range(k), repeat=n):
        seen = list(dict.fromkeys(labels))
        if seen == list(range(k)):
            yield np.array(labels)


def least_cost(X, k):
    """Return the least cost over all partitions: rows less the count of each most common value."""
    costs = []
    for labels in partitions(len(X), k):
        cost = 0
        for cluster in range(k):
            for column in X[labels == cluster].T:
                cost += len(column) - np.bincount(column).max()
        costs.append(cost)
    return min(costs)


@pytest.mark.parametrize("seed", range(25))
def test_tiny_tables_reach_the_least_cost_over_all_partitions(seed):
    rng = np.random.default_rng(seed)
    X = rng.integers(rng.integers(2, 5), size=(7, rng.integers(2, 7)))
    k = min(int(rng.integers(1, 5)), len(np.unique(X, axis=0)))
    assert KModes(k, random_state=seed).fit(X).cost_ == least_cost(X, k)


@settings(max_examples=60, deadline=None)
@given(X=tables, seed=st.integers(0, 2**32 - 1), init=st.sampled_from(["huang", "cao", "random"]))
def test_cost_and_labels_are_those_of_a_recount(X, seed, init):
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


@pytest.mark.parametrize("seed", range(8))
def test_no_change_of_one_category_lowers_the_cost(seed):
    # Brute force over all single changes of the fitted modes: the claim of `improve`.
    X, _ = latent_classes(60, 6, 3, 3, 0.7, seed)
    model = KModes(4, n_init=1, random_state=seed).fit(X)
    for k, j, value in itertools.product(range(4), range(6), range(3)):
        modes = model.cluster_centroids_.copy()
        modes[k, j] = value
        assert recount(X, modes)[0] >= model.cost_


@settings(max_examples=30, deadline=None)
@given(X=tables, seed=st.integers(0, 2**32 - 1))
def test_fit_depends_neither_on_the_order_of_rows_nor_on_how_equal_rows_are_counted(X, seed):
    rng = np.random.default_rng(seed)
    k = min(3, len(np.unique(X, axis=0)))
    weight = rng.integers(1, 4, size=len(X))
    model = KModes(k, n_init=2, random_state=1).fit(X, sample_weight=weight)
    rows = rng.permutation(np.repeat(np.arange(len(X)), weight))
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


def test_an_empty_cluster_starts_again_at_the_row_farthest_from_its_mode():
    X = np.array([[0, 0, 0]] * 3 + [[0, 0, 1]] * 2 + [[1, 1, 1]])
    table = _tables.encode_table(X)
    packed = _tables.merge_equal_rows(_tables.pack(table.codes, table.sizes))
    starts = np.array([[[0, 0, 0], [0, 0, 0]]])  # the second mode gets no row
    modes, costs, _ = _engine.lloyd(_engine.Engine(packed), starts, 10)
    assert modes[0].tolist() == [[0, 0, 0], [1, 1, 1]]
    assert costs[0] == 2


def engine_of(X):
    table = _tables.encode_table(np.asarray(X))
    return _engine.Engine(_tables.pack(table.codes, table.sizes))


def test_clusters_are_numbered_by_the_rows_nearest_to_them_alone():
    # Rows of their own: 3 of mode 0000, 2 of 1111, 1 of 2222; four more are as near to two modes.
    X = [[0] * 4] * 3 + [[1] * 4] * 2 + [[2] * 4] + [[1, 1, 2, 2]] * 4
    modes = np.array([[2] * 4, [1] * 4, [0] * 4])
    assert _search._largest_first(engine_of(X), modes).tolist() == [2, 1, 0]
    # Equal numbers: by the modes' categories.
    X = [[0, 1], [0, 0], [1, 1]]
    order = _search._largest_first(engine_of(X), np.array([[1, 1], [0, 1], [0, 0]]))
    assert order.tolist() == [2, 1, 0]


@pytest.mark.parametrize("init", ["huang", "random"])
def test_starts_are_drawn_by_weight(init):
    # 180 of 200 starts are expected at the first row (standard error 4.2).
    codes = [np.arange(3)]
    engine = _engine.Engine(_tables.pack(codes, np.array([3]), np.array([90.0, 5.0, 5.0])))
    starts = _search.initial_modes(engine, 1, init, 200, np.random.default_rng(0))
    assert abs(np.count_nonzero(starts == 0) - 180) < 20


def test_start_of_huang_takes_each_row_once():
    # Huang (1998), section 3.4: a drawn mode is replaced by the row nearest to it that no other
    # mode has taken; the rows here are 0, 1 and 2 away from all three.
    engine = engine_of([[0, 0], [1, 0], [1, 1]])
    drawn = np.zeros((3, 2), dtype=np.int64)
    assert _search._nearest_free_units(engine, drawn).tolist() == [0, 1, 2]


@pytest.mark.parametrize("seed", range(10))
def test_start_of_cao_counts_weights_and_goes_by_blocks(seed, monkeypatch):
    rng = np.random.default_rng(seed)
    X, _ = latent_classes(60, 4, 3, 3, 0.6, seed)
    weight = rng.integers(3, size=60)
    table = _tables.encode_table(X)
    repeated = [np.repeat(codes, weight) for codes in table.codes]
    expected = _search.cao_modes(repeated, _tables.pack(repeated, table.sizes), 5)
    packed = _tables.pack(table.codes, table.sizes, weight.astype(float))
    monkeypatch.setattr(_search, "CAO_ROWS", 7)  # the first of equal rows, in any block
    assert (_search.cao_modes(table.codes, packed, 5) == expected).all()


def test_votes_against_the_party(votes):
    # Reference values of the project: cost 1701, purity 0.8644, silhouette 0.4893 at K = 2.
    X, party = votes
    for init, seed in itertools.product(["huang", "cao", "random"], range(4)):
        model = KModes(2, init=init, n_init=3, missing="category", random_state=seed).fit(X)
        assert model.cost_ == 1701
        purity = pd.crosstab(party, model.labels_).max(axis=0).sum() / len(X)
        assert purity == pytest.approx(0.8644, abs=5e-5)
        assert matching_silhouette_score(X, model.labels_) == pytest.approx(0.4893, abs=5e-5)


# kmodes.util.init_methods.init_cao of kmodes 0.12.2 itself, run here on the same codes.
@pytest.mark.parametrize("seed", range(30))
def test_start_of_cao_is_that_of_kmodes(seed):
    from kmodes.util.dissim import matching_dissim
    from kmodes.util.init_methods import init_cao

    rng = np.random.default_rng(seed)
    X, _ = latent_classes(rng.integers(20, 200), 6, 3, 4, 0.6, seed)
    k = int(rng.integers(2, 7))
    table = _tables.encode_table(X)
    packed = _tables.pack(table.codes, table.sizes)
    ours = _search.cao_modes(table.codes, packed, k)
    theirs = init_cao(np.column_stack(table.codes).astype(np.int32), k, matching_dissim)
    assert (ours == theirs.astype(int)).all()


@pytest.mark.parametrize("seed", range(10))
def test_kmodes_results_are_reproduced_where_it_is_deterministic(seed):
    # kmodes.KModes(init="Cao") of kmodes 0.12.2, on clusters that are apart: the same labels.
    from kmodes.kmodes import KModes as TheirKModes

    X, _ = latent_classes(150, 12, 4, 3, 0.2, seed)
    theirs = TheirKModes(3, init="Cao", n_init=1, random_state=0).fit(X)
    ours = KModes(3, init="cao").fit(X)
    assert ours.cost_ == theirs.cost_
    assert (ours.labels_ == theirs.labels_).all()
    assert (ours.cluster_centroids_ == theirs.cluster_centroids_).all()


def test_cost_is_never_above_that_of_kmodes():
    # kmodes 0.12.2, the same number of starts; 40 tables from structured to pure noise.
    from kmodes.kmodes import KModes as TheirKModes

    lower = 0
    for seed in range(40):
        rng = np.random.default_rng([seed, 1])
        shape = rng.choice([40, 80, 160]), rng.choice([4, 8, 16]), rng.choice([2, 3, 5])
        X, _ = latent_classes(*shape, rng.integers(1, 7), rng.choice([0.3, 0.6, 1.0]), seed)
        k = min(int(rng.integers(2, 8)), len(np.unique(X, axis=0)))
        init, n_init = [("Cao", 1), ("Huang", 1), ("random", 1), ("Huang", 4)][seed % 4]
        theirs = TheirKModes(k, init=init, n_init=n_init, random_state=seed).fit(X)
        ours = KModes(k, init=init.lower(), n_init=n_init, random_state=seed).fit(X)
        assert ours.cost_ <= theirs.cost_
        lower += ours.cost_ < theirs.cost_
    assert lower >= 20


@pytest.mark.parametrize("init", ["huang", "cao", "random"])
def test_large_tables_go_through_samples(init, monkeypatch):
    monkeypatch.setattr(_search, "SCOUT_UNITS", 128)
    monkeypatch.setattr(_search, "IMPROVE_UNITS", 512)
    monkeypatch.setattr(_engine, "BLOCK_ROWS_RANGE", (64, 256))
    monkeypatch.setattr(_tables, "BLOCK_ROWS", 500)
    monkeypatch.setattr(_search, "CAO_ROWS", 300)
    X, truth = latent_classes(4000, 15, 3, 4, 0.4, 0)
    for weight in (None, np.arange(4000) % 3):
        model = KModes(4, init=init, n_init=2, random_state=0).fit(X, sample_weight=weight)
        weights = 1 if weight is None else weight
        cost, labels = recount(X, model.cluster_centroids_, weights)
        assert model.cost_ == cost
        assert (model.labels_ == labels).all()
        assert adjusted_rand_score(truth, labels) > 0.9


def test_streaming_keeps_the_result(monkeypatch):
    # Rows packed anew in every pass, and rows that are not merged, give the same clusters.
    X, _ = latent_classes(3000, 10, 3, 3, 0.3, 1)
    expected = KModes(3, init="cao").fit(X)
    monkeypatch.setattr(_tables, "LAZY_ROWS", 100)
    lazy = KModes(3, init="cao").fit(X)
    assert lazy.cost_ == expected.cost_
    assert (lazy.labels_ == expected.labels_).all()
    monkeypatch.setattr(_tables, "MERGE_TRIAL_ROWS", 500)
    unmerged = KModes(3, init="cao").fit(X)
    assert unmerged.cost_ == expected.cost_
    assert (unmerged.labels_ == expected.labels_).all()


@pytest.mark.parametrize("n_values", [2, 40])
def test_merging_block_by_block_counts_every_row(n_values, monkeypatch):
    X = np.random.default_rng(0).integers(n_values, size=(2000, 3))
    table = _tables.encode_table(X)
    packed = _tables.pack(table.codes, table.sizes)
    at_once = _tables.merge_equal_rows(packed)
    monkeypatch.setattr(_tables, "MERGE_TRIAL_ROWS", 300)
    in_parts = _tables.merge_equal_rows(packed)
    assert in_parts.total == at_once.total == 2000
    rows, counts = np.unique(X, axis=0, return_counts=True)
    if n_values == 2:  # 8 distinct rows: merged
        assert (in_parts.weights == counts[np.lexsort(rows.T[::-1])]).all()
    else:  # nearly all different: kept as they come
        assert in_parts.n_units == 2000


def test_many_columns_and_many_categories():
    # More than 255 mismatches and more than 65,536 combinations: wider keys and codes.
    rng = np.random.default_rng(0)
    X = rng.integers(3, size=(40, 400))
    X[:20, :300] = 0
    model = KModes(2, n_init=2, random_state=0).fit(X)
    assert model.cost_ == recount(X, model.cluster_centroids_)[0]
    assert adjusted_rand_score(model.labels_, np.arange(40) < 20) > 0.8
    Y = np.column_stack([np.arange(70_000) % 69_000, np.arange(70_000) % 2])
    model = KModes(2, n_init=1, random_state=0).fit(Y)
    assert model.cost_ == recount(Y, model.cluster_centroids_)[0]


def test_real_weights_are_allowed():
    X, _ = latent_classes(60, 5, 3, 2, 0.5, 0)
    weight = np.random.default_rng(0).random(60)
    model = KModes(3, random_state=0).fit(X, sample_weight=weight)
    assert model.cost_ == pytest.approx(recount(X, model.cluster_centroids_, weight)[0])
    # A single number is everybody's weight, as in scikit-learn.
    model = KModes(3, random_state=0).fit(X, sample_weight=2.5)
    assert model.cost_ == 2.5 * recount(X, model.cluster_centroids_)[0]


def test_a_pandas_categorical_keeps_its_order_and_loses_what_is_not_there():
    order = ["none", "small", "large"]
    X = pd.DataFrame({"size": pd.Categorical(["large", "small"], categories=order)})
    model = KModes(1).fit(X)
    assert model.categories_[0].tolist() == ["small", "large"]
    assert model.cluster_centroids_.tolist() == [["small"]]  # the first of equally frequent ones
    assert model.predict(X.astype(str)).tolist() == [0, 0]
    levels = cluster_profile(X, [0, 1]).index.get_level_values("category")
    assert levels.tolist() == ["small", "large"]


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


def test_as_many_starts_and_iterations_as_asked_for(monkeypatch):
    X, _ = latent_classes(200, 8, 3, 6, 0.8, 0)
    fits = {
        max_iter: KModes(6, init="random", n_init=1, max_iter=max_iter, random_state=2).fit(X)
        for max_iter in (1, 2, 100)
    }
    assert [fits[1].n_iter_, fits[2].n_iter_] == [1, 2]
    assert 2 < fits[100].n_iter_ < 100
    assert KModes(2).fit([["a"], ["b"]]).n_iter_ == 1  # nothing to do is an iteration too
    starts = []
    initial_modes = _search.initial_modes

    def watched(engine, n_clusters, init, n_init, rng):
        starts.append(n_init)
        return initial_modes(engine, n_clusters, init, n_init, rng)

    monkeypatch.setattr(_search, "initial_modes", watched)
    KModes(3, n_init=7).fit(X)
    assert starts[0] == 7
    starts.clear()
    choose_n_clusters(X, [3], n_init=5, criteria=[])
    assert starts[0] == 5


@pytest.mark.parametrize("convert", [pd.Series, lambda column: column.astype("category")])
def test_columns_are_encoded_in_blocks(convert, monkeypatch):
    # numpy.unique sorts the values and says which one each row has.
    monkeypatch.setattr(_tables, "BLOCK_ROWS", 100)
    column = pd.Series(np.random.default_rng(0).choice([-3, 7, 900], size=1234))
    levels, codes = np.unique(column, return_inverse=True)
    table = _tables.encode_table(convert(column).to_frame())
    assert table.levels[0].tolist() == levels.tolist()
    assert table.codes[0].tolist() == codes.tolist()


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [
        ("int8", -128, 128),
        ("uint8", 3, 7),
        ("int16", -300, 9),
        ("uint16", 5, 305),  # more than 256 codes, of the column's own type
        ("int64", -(2**63), 2**63),  # too far apart for a look-up
        ("uint64", 2**63, 2**64),
    ],
)
def test_integers_of_any_type_are_encoded_in_their_order(dtype, low, high):
    # numpy.unique sorts the values and says which one each row has.
    rng = np.random.default_rng(0)
    X = rng.integers(low, high, size=(3000, 2), dtype=dtype)
    table = _tables.encode_table(X)
    for j, column in enumerate(X.T):
        levels, codes = np.unique(column, return_inverse=True)
        assert table.levels[j].tolist() == levels.tolist()
        assert table.codes[j].tolist() == codes.tolist()


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ([10, "b", 9, "a"], [9, 10, "a", "b"]),  # sorted by type, and then by value
        (["1", 1], [1, "1"]),  # a number is not its text
        ([(1, "a"), ("a", 1)], [(1, "a"), ("a", 1)]),  # no order: as they appear
    ],
)
def test_categories_of_several_types_are_kept_apart(column, expected):
    model = KModes(len(column)).fit(pd.DataFrame({"p": column}, dtype=object))
    assert model.categories_[0].tolist() == expected
    assert model.cost_ == 0
    if not isinstance(column[0], tuple):
        cells = KModes(len(column)).fit([[cell] for cell in column])
        assert cells.categories_[0].tolist() == expected


def test_rows_that_differ_in_one_of_many_columns_are_different_rows():
    # More combinations than a 64-bit integer tells apart.
    X = np.random.default_rng(0).integers(2, size=(50, 100))
    X[1] = X[0]
    X[1, 0] = 1 - X[0, 0]
    assert KModes(50, n_init=1).fit(X).cost_ == 0


def test_keys_of_distance_and_label_fit_their_type():
    # 17 modes, 15 columns apart: the greatest key is 15 * 17 + 16 = 271, more than a byte holds.
    X = np.repeat(np.arange(17)[:, None], 15, axis=1)
    model = KModes(17, n_init=1).fit(X)
    assert model.cost_ == 0
    assert len(set(model.labels_)) == 17


def test_encoded_arrays_are_not_copied():
    X = np.asfortranarray(np.tile(np.arange(4, dtype=np.uint8), (5, 1)).T)
    table = _tables.encode_table(X)
    assert all(np.shares_memory(code, X) for code in table.codes)


def test_fit_leaves_what_it_was_given_alone():
    X, _ = latent_classes(50, 4, 3, 2, 0.5, 0)
    before, weight = X.copy(), np.ones(50)
    KModes(2, random_state=0).fit(X, sample_weight=weight)
    choose_n_clusters(X, [1, 2], criteria=["gap", "stability"], n_references=2, n_resamples=1)
    assert np.array_equal(X, before)
    assert (weight == 1).all()


# --- how many clusters --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n_clusters", "noise", "n_values"), [(1, 0.4, 2), (1, 0.2, 4), (3, 0.4, 2), (5, 0.6, 4)]
)
def test_rule_finds_the_number_of_latent_classes(n_clusters, noise, n_values):
    X, _ = latent_classes(300, 20, n_values, n_clusters, noise, 3)
    result = choose_n_clusters(
        X, range(1, 7), n_init=1, n_references=8, n_resamples=2, random_state=0
    )
    assert result.n_clusters == n_clusters


def test_votes_fall_into_two(votes):
    X, _ = votes
    result = choose_n_clusters(
        X, range(1, 6), n_init=1, n_references=3, missing="category", random_state=0
    )
    assert result.n_clusters == 2
    assert result.suggestions["silhouette"] == result.suggestions["knee"] == 2
    assert result.table.loc[2, "cost"] == 1701
    assert result.table.loc[2, "silhouette"] == pytest.approx(0.4893, abs=5e-5)
    assert result.table["silhouette"].idxmax() == 2
    assert "they disagree" in result.summary  # the gap goes on growing
    assert result.model is result.models[2]
    assert (result.model.predict(X) == result.model.labels_).all()  # missing values too
    assert result.model.feature_names_in_.tolist() == X.columns.tolist()
    assert result.model.get_params()["n_init"] == 1


def test_table_is_that_of_the_models_and_the_definitions():
    X, _ = latent_classes(120, 8, 3, 3, 0.4, 0)
    weight = 1 + np.arange(120) % 3
    result = choose_n_clusters(
        X, [1, 2, 3, 5], sample_weight=weight, n_init=2, n_references=5, random_state=0
    )
    assert list(result.table.columns) == [
        "cost",
        "knee",
        "silhouette",
        "gap",
        "gap_standard_error",
        "stability",
    ]
    assert np.isnan(result.table.loc[1, "silhouette"])
    assert result.table.index[result.table["knee"]].tolist() == [result.suggestions["knee"]]
    for k, model in result.models.items():
        assert result.table.loc[k, "cost"] == model.cost_
        assert model.cost_ == recount(X, model.cluster_centroids_, weight)[0]
        assert (model.predict(X) == model.labels_).all()
        if k > 1:
            score = matching_silhouette_score(X, model.labels_, sample_weight=weight)
            assert result.table.loc[k, "silhouette"] == pytest.approx(score, abs=1e-12)
    assert result.table.loc[1, "gap"] == pytest.approx(0, abs=1e-12)  # the margins are kept
    assert result.table.loc[1, "stability"] == 1


def test_weights_and_repeated_rows_choose_alike():
    X, _ = latent_classes(60, 8, 3, 3, 0.3, 0)
    weight = 1 + np.arange(60) % 3
    options = {"criteria": ["knee", "silhouette"], "n_init": 2, "random_state": 0}
    weighted = choose_n_clusters(X, range(1, 6), sample_weight=weight, **options)
    repeated = choose_n_clusters(np.repeat(X, weight, axis=0), range(1, 6), **options)
    pd.testing.assert_frame_equal(weighted.table, repeated.table)


def test_gap_by_hand():
    # Tibshirani et al. (2001), section 3: mean of log W* - log W; sd sqrt(1 + 1/B), sd over B.
    gap, error = _evidence.gap_of(np.array([10.0, 5.0]), np.array([[10.0, 8.0], [10.0, 6.0]]))
    assert gap == pytest.approx([0, (np.log(8) + np.log(6)) / 2 - np.log(5)])
    # The references cost the same at K = 1: half a mismatch in 10 stands in for their spread.
    assert error == pytest.approx(np.array([0.05, np.log(8 / 6) / 2]) * np.sqrt(1.5))


def test_rule_of_tibshirani_by_hand():
    gap, error = np.array([0.0, 1.0, 1.15, 1.0]), np.full(4, 0.1)
    assert _evidence.first_within([1, 2, 3, 4], gap, error) == 3
    assert _evidence.first_within([1, 2, 3, 4], gap, 2 * error) == 2
    assert _evidence.first_within([1, 2], gap[:2], error[:2]) is None
    # At least the next gap less its error: equal is enough.
    assert _evidence.first_within([1, 2], np.array([1.0, 1.0]), np.zeros(2)) == 1
    # It is the next K's error that counts: 1.0 >= 1.15 - 0.2, whatever the error of K = 2.
    assert _evidence.first_within([1, 2, 3, 4], gap, np.array([0, 0, 0.2, 0])) == 2
    assert _evidence.first_within([1, 2, 3, 4], gap, np.array([0, 0.2, 0, 0])) == 3


@pytest.mark.parametrize(
    ("k_values", "gap", "error", "expected"),
    [
        ([1, 2, 3, 4], [0.0, 1.0, 1.15, 1.0], 0.1, 3),
        ([1, 2, 3, 4], [0.0, 1.0, 1.15, 1.0], 0.2, 2),  # 1.0 is within one error of 1.15
        ([1, 2, 3, 4], [0.0, 1.0, 1.15, 1.0], [1, 1, 0.1, 1], 3),  # the greatest gap's error counts
        ([1, 2, 3, 4], [0.0, 0.2, 0.29, 0.1], 0.1, 1),  # not three errors above K = 1
        ([1, 2, 3, 4], [0.0, 0.2, 0.31, 0.1], 0.1, 3),  # three errors above it
        ([1, 2, 3], [0.0, -0.1, -0.2], 0.1, 1),
        ([2, 3, 4], [0.0, 0.2, 0.1], 0.1, 3),  # K = 1 was not tried: one error among all
        ([1, 2], [0.0, 1.0], 0.1, None),  # it still grows
        ([1, 2, 3], [0.0, 1.0, 0.5], 0.0, 2),
        ([1], [0.0], 0.1, 1),
    ],
)
def test_how_far_there_is_structure(k_values, gap, error, expected):
    error = np.broadcast_to(np.asarray(error, dtype=float), len(gap))
    assert _evidence.last_structure(k_values, np.array(gap), error) == expected


def test_null_tables_keep_the_margins_and_the_number_of_rows():
    X, _ = latent_classes(200, 5, 3, 2, 0.2, 0)
    table = _tables.encode_table(X)
    weight = np.arange(200) % 3.0
    packed = _tables.pack(table.codes, table.sizes, weight)
    null = _tables.independent(packed, np.random.default_rng(0))
    assert null.total == weight.sum()
    drawn = null.rows(np.arange(null.n_units))
    counts = np.ones(null.n_units) if null.weights is None else null.weights
    for j in range(5):
        expected = np.bincount(X[:, j], weight)
        assert (np.bincount(drawn[:, j], counts) == expected).all()


def test_bootstrap_samples():
    # Efron (1979): a share 1 - 1 / e of the rows is drawn, here 632 of 1,000 (standard error 10).
    rng = np.random.default_rng(0)
    codes = np.arange(1000, dtype=np.int64)
    packed = _tables.pack([codes], np.array([1000]))
    sample = _tables.sampled(packed, 1000, rng, replace=True)
    assert sample.total == 1000
    assert abs(sample.n_units - 632) < 50
    # Weights are odds: 900 of 1,000 draws are expected of the first unit (standard error 9.5).
    packed = _tables.pack([codes[:2]], np.array([2]), np.array([9.0, 1.0]))
    assert abs(_tables.sampled(packed, 1000, rng).weights[0] - 900) < 50


def test_knee_moves_with_the_range():
    # kneed 0.9 on costs 100 / K: KneeLocator(range(1, n), ..., "convex", "decreasing").knee.
    costs = 100 / np.arange(1.0, 31)
    knees = [_evidence.knee_of(range(1, n + 1), costs[:n]) for n in (6, 30)]
    assert knees == [2, 5]
    assert _evidence.knee_of([1, 2, 3], np.array([5.0, 5.0, 5.0])) is None
    assert _evidence.knee_of([1, 2], np.array([5.0, 1.0])) is None


def test_suggestions_at_their_limits():
    silhouette = _evidence.best_silhouette
    assert silhouette([1, 2, 3], np.array([np.nan, 0.1, 0.1])) == 2  # the first where equal
    assert silhouette([1, 2], np.array([np.nan, 0.0])) is None  # above 0
    assert silhouette([2, 3], np.array([-0.2, -0.1])) is None
    assert silhouette([1], np.array([np.nan])) is None
    stable = _evidence.most_stable
    assert stable([1, 2, 3], np.array([1.0, 0.9, 0.9])) == 3  # the greatest where equal
    assert stable([1, 2], np.array([1.0, 0.8])) == 2  # reaches 0.8
    assert stable([1, 2], np.array([1.0, 0.79])) == 1


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_weighted_rand_index_is_that_of_repeated_rows(seed):
    rng = np.random.default_rng(seed)
    a, b, weight = (rng.integers(high, size=20) for high in (3, 4, 5))
    if weight.sum() < 2:
        return
    expected = adjusted_rand_score(np.repeat(a, weight), np.repeat(b, weight))
    assert _evidence.rand_index(a, b, weight) == pytest.approx(expected, abs=1e-12)


EVIDENCE = {"gap": [0, 1, 2, 1.9], "gap_standard_error": [0.1] * 4}


@pytest.mark.parametrize(
    ("suggestions", "evidence", "expected", "words"),
    [
        ({"gap": 3}, EVIDENCE, 3, "no longer clearly grows"),
        ({"gap": 3, "stability": 3}, {**EVIDENCE, "stability": [1, 0.9, 0.95, 0.5]}, 3, "0.95"),
        ({"gap": 3, "stability": 2}, {**EVIDENCE, "stability": [1, 0.9, 0.5, 0.5]}, 2, "up to K"),
        (
            {"gap": 4, "silhouette": 2, "stability": 3},
            {**EVIDENCE, "gap": [0, 1, 2, 3], "stability": [1, 0.85, 0.9, 0.5]}
            | {"silhouette": [np.nan, 0.5, 0.3, 0.6]},
            2,
            "with the greatest silhouette of the K whose clusters come back in resamples",
        ),
        ({"gap": 3, "stability": 1}, {**EVIDENCE, "stability": [1, 0.4, 0.5, 0.5]}, 3, "though no"),
        ({"gap": None, "silhouette": 2}, {**EVIDENCE, "gap": [0, 1, 2, 3]}, 2, "still grows"),
        (
            {"gap": 1, "stability": 2},
            {**EVIDENCE, "gap": [0] * 4, "stability": [1] * 4},
            1,
            "no longer",
        ),
        ({"stability": 4}, {"stability": [1, 0.9, 0.8, 0.95]}, 4, "0.95"),
        ({"stability": 1, "knee": 3}, {"stability": [1, 0.1, 0.1, 0.1]}, 1, "the stability"),
        ({"silhouette": None, "knee": 3}, {}, 3, "the knee suggests"),
        ({"silhouette": 2, "knee": 3}, {}, 2, "the silhouette suggests"),
        ({"gap": 3, "stability": 3}, {**EVIDENCE, "stability": [1, 0.9, 0.8, 0.5]}, 3, "0.80"),
        ({"gap": 3, "stability": 2}, {**EVIDENCE, "stability": [1, 0.8, 0.5, 0.5]}, 2, "grows up"),
        ({"knee": None}, {}, None, "nothing decides"),
        ({}, {}, None, "nothing decides"),
    ],
)
def test_rule(suggestions, evidence, expected, words):
    table = pd.DataFrame({"cost": [4, 3, 2, 1], **evidence}, index=[1, 2, 3, 4])
    k, reason = _evidence.decide([1, 2, 3, 4], suggestions, table)
    assert k == expected
    assert words in reason


@pytest.mark.parametrize(
    ("suggestions", "words"),
    [
        ({"gap": 3, "knee": 3}, "All criteria agree: K = 3. Chosen: K = 3, why."),
        (
            {"gap": 3, "knee": None},
            "The gap suggests K = 3, the knee suggests no K: they disagree.",
        ),
        (
            {"knee": 2, "gap": None, "silhouette": 2, "stability": 2},
            "The knee, the silhouette and the stability suggest K = 2, the gap suggests no K: they",
        ),
        ({"gap": None, "knee": None}, "The gap and the knee suggest no K. Chosen"),
        ({"gap": 3}, "The gap suggests K = 3. Chosen"),
        ({}, "No criterion was asked for."),
    ],
)
def test_summary(suggestions, words):
    assert words in _evidence.summary(suggestions, 3, "why")


def test_stability_is_low_for_noise_and_high_for_clusters():
    noise, _ = latent_classes(150, 10, 3, 1, 1.0, 0)
    clear, _ = latent_classes(150, 10, 3, 2, 0.2, 0)
    options = {"criteria": ["stability"], "n_init": 2, "n_resamples": 4, "random_state": 0}
    assert choose_n_clusters(noise, [1, 2, 3], **options).suggestions == {"stability": 1}
    assert choose_n_clusters(noise, [2, 3], **options).suggestions == {"stability": None}
    found = choose_n_clusters(clear, [1, 2, 3], **options)
    assert found.suggestions == {"stability": 2}
    assert found.table.loc[2, "stability"] > 0.95


def test_stability_is_the_mean_over_resamples_of_as_many_rows_as_the_table(monkeypatch):
    X, _ = latent_classes(30, 5, 3, 2, 0.4, 0)
    weight = 1 + np.arange(30) % 3
    agreements = [np.array([1.0, 0.2]), np.array([1.0, 0.6])]
    seen = []

    def watched(self, n_rows, *given):
        seen.append(n_rows)
        return agreements[len(seen) - 1]

    monkeypatch.setattr(_evidence.OwnFits, "resample", watched)
    options = {"criteria": ["stability"], "n_init": 1, "n_resamples": 2}
    result = choose_n_clusters(X, [1, 2], sample_weight=weight, **options)
    assert result.table["stability"].tolist() == [1.0, 0.4]
    assert seen == [weight.sum()] * 2


@pytest.mark.parametrize("estimator", [None, KModes(n_init=1)])
def test_stability_counts_weights_and_draws_with_replacement(estimator, monkeypatch):
    seen, drawn = [], []
    sampled = _tables.sampled

    def watched(packed, n_rows, rng, *, replace=False):
        drawn.append((n_rows, replace))
        return sampled(packed, n_rows, rng, replace=replace)

    monkeypatch.setattr(_evidence, "sampled", watched)
    monkeypatch.setattr(_evidence, "rand_index", lambda a, b, w: seen.append(w.sum()) or 1.0)
    X, _ = latent_classes(30, 5, 3, 2, 0.4, 0)
    options = {"criteria": ["stability"], "n_init": 1, "n_resamples": 1, "estimator": estimator}
    choose_n_clusters(X, [1, 2], sample_weight=np.arange(30), **options)
    assert seen == [435.0] * 2  # 0 + 1 + ... + 29
    assert drawn == [(435, True)]


@pytest.mark.parametrize("estimator", [None, KModes(n_init=1)])
@pytest.mark.parametrize("X", [[["a"]], [["a"], ["b"], ["c"]]])
def test_samples_with_fewer_distinct_rows_than_clusters(X, estimator):
    result = choose_n_clusters(
        X, range(1, len(X) + 1), estimator=estimator, n_init=1, n_references=2, random_state=0
    )
    assert result.table.loc[len(X), "cost"] == 0
    assert np.isfinite(result.table[["gap", "stability"]]).all(axis=None)


def test_numbers_of_clusters_come_in_any_order_and_once():
    X, _ = latent_classes(40, 5, 3, 2, 0.9, 0)
    result = choose_n_clusters(X, [8, 1, 8], criteria=[], n_init=1)
    assert result.table.index.tolist() == [1, 8]
    assert len(set(result.models[8].labels_)) == 8


def test_a_criterion_that_was_not_asked_for_costs_nothing(monkeypatch):
    X, _ = latent_classes(60, 5, 3, 2, 0.4, 0)
    fits = []
    search = _search.search

    def counted(*args, **options):
        fits.append(args)
        return search(*args, **options)

    monkeypatch.setattr(_evidence, "search", counted)
    silhouettes = []
    monkeypatch.setattr(_evidence, "mean_silhouette", lambda *args: silhouettes.append(args) or 0.5)
    expected = {
        (): (3, 0),
        ("knee",): (3, 0),
        ("silhouette",): (3, 2),
        ("gap",): (3 + 4 * 3, 0),
        ("stability",): (3 + 2 * 3, 0),
    }
    tables = []
    for criteria, counts in expected.items():
        fits.clear(), silhouettes.clear()
        result = choose_n_clusters(
            X, [1, 2, 3], criteria=criteria, n_references=4, n_resamples=2, n_init=1, random_state=0
        )
        assert (len(fits), len(silhouettes)) == counts
        assert set(result.suggestions) == set(criteria)
        tables.append(result.table["cost"].tolist())
    assert all(costs == tables[0] for costs in tables)  # and changes no other number


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_n_jobs_does_not_change_the_numbers(n_jobs):
    X, _ = latent_classes(80, 6, 3, 2, 0.4, 0)
    options = {"n_init": 1, "n_references": 3, "n_resamples": 2, "random_state": 5}
    expected = choose_n_clusters(X, [1, 2, 3], **options)
    result = choose_n_clusters(X, [1, 2, 3], n_jobs=n_jobs, **options)
    pd.testing.assert_frame_equal(result.table, expected.table)


def test_fits_go_to_a_dask_cluster():
    distributed = pytest.importorskip("distributed")
    X, _ = latent_classes(80, 6, 3, 2, 0.4, 0)
    options = {"n_init": 1, "n_references": 3, "n_resamples": 2, "random_state": 5}
    expected = choose_n_clusters(X, [1, 2, 3], **options)
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
        joblib.parallel_config("dask"),
    ):
        result = choose_n_clusters(X, [1, 2, 3], **options)
        ran = client.run_on_scheduler(lambda dask_scheduler: dask_scheduler.transition_log)
    pd.testing.assert_frame_equal(result.table, expected.table)
    assert len(ran) > 0  # the tasks were the cluster's


def test_another_estimator_is_taken():
    from kmodes.kmodes import KModes as TheirKModes

    X, _ = latent_classes(80, 8, 3, 2, 0.3, 0)
    weight = 1.0 + np.arange(80) % 2
    frame = pd.DataFrame(np.array(["a", "b", "c"])[X], columns=list("abcdefgh"))
    result = choose_n_clusters(
        frame,
        [1, 2, 3],
        estimator=TheirKModes(init="Huang", n_init=2),
        sample_weight=weight,
        n_references=3,
        n_resamples=2,
        random_state=0,
    )
    assert result.n_clusters == 2
    assert isinstance(result.model, TheirKModes)
    for k, model in result.models.items():
        assert model.n_clusters == k
        assert result.table.loc[k, "cost"] == model.cost_
    assert result.table.loc[1, "gap"] == pytest.approx(0, abs=1e-12)  # the margins are kept
    labels = result.models[2].labels_
    score = matching_silhouette_score(frame, labels, sample_weight=weight)
    assert result.table.loc[2, "silhouette"] == pytest.approx(score, abs=1e-12)


def test_another_estimator_gets_tables_like_the_one_given():
    seen = []

    class Watching(KModes):
        def fit(self, X, y=None, sample_weight=None):
            seen.append(X.dtypes)
            return super().fit(X, y, sample_weight)

    frame = pd.DataFrame({"p": [1, 2, 3, 1], "q": pd.Categorical(["a", "b", "a", "b"])})
    options = {"n_references": 2, "n_resamples": 1, "random_state": 0}
    choose_n_clusters(frame, [1, 2], estimator=Watching(n_init=1), **options)
    assert len(seen) == 2 * (1 + 2 + 1)
    assert all(dtypes.equals(frame.dtypes) for dtypes in seen)


def test_estimator_with_inertia_is_taken():
    from sklearn.cluster import KMeans

    X, _ = latent_classes(80, 8, 2, 2, 0.2, 0)
    options = {"estimator": KMeans(n_init=1), "criteria": ["silhouette"], "random_state": 0}
    result = choose_n_clusters(X, [1, 2, 3, 6], **options)
    assert result.suggestions == {"silhouette": 2}
    again = choose_n_clusters(X, [1, 2, 3, 6], **options)
    pd.testing.assert_frame_equal(result.table, again.table)


def test_large_tables_are_compared_through_samples(monkeypatch):
    monkeypatch.setattr(_evidence, "COMPARED_ROWS", 200)
    monkeypatch.setattr("afterfit.categorical._n_clusters.COMPARED_ROWS", 200)
    seen = []
    independent = _tables.independent

    def watched(packed, rng):
        seen.append(packed.total)
        return independent(packed, rng)

    monkeypatch.setattr(_evidence, "independent", watched)
    X, _ = latent_classes(1000, 12, 3, 3, 0.3, 0)
    result = choose_n_clusters(
        X, range(1, 6), n_init=1, n_references=4, n_resamples=2, random_state=0
    )
    assert result.n_clusters == 3
    assert result.table.loc[1, "gap"] == pytest.approx(0, abs=1e-12)  # one sample for both
    assert seen == [200.0] * 4


def test_progress_is_written_to_the_standard_error(capsys):
    X, _ = latent_classes(40, 4, 3, 2, 0.4, 0)
    choose_n_clusters(X, [1, 2], criteria=["gap"], n_references=2, n_init=1, verbose=True)
    lines = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"choose_n_clusters: fits 2 of 2, [\d.]+ s", lines[0])
    assert lines[-1].startswith("choose_n_clusters: references 2 of 2")
    choose_n_clusters(X, [1, 2], criteria=[], n_init=1)
    assert capsys.readouterr().err == ""


def test_perfect_clusters_have_a_finite_gap():
    X = np.repeat(np.eye(3, dtype=int), 20, axis=0)
    result = choose_n_clusters(X, [1, 2, 3], n_init=1, n_references=3, n_resamples=2)
    assert np.isfinite(result.table["gap"]).all()
    assert result.table.loc[3, "cost"] == 0
    assert result.n_clusters == 3


def test_no_choice_says_so():
    X, _ = latent_classes(40, 4, 3, 2, 0.4, 0)
    result = choose_n_clusters(X, [2, 3], criteria=[], n_init=1)
    assert isinstance(result, NClustersResult)
    assert result.n_clusters is None
    with pytest.raises(ValueError, match="No number of clusters was chosen"):
        _ = result.model
    with pytest.raises(ValueError, match="`n_clusters` must be one of 2, 3, got 4"):
        result.plot_profile(n_clusters=4)
    with pytest.raises(TypeError, match=r"`n_clusters` must be an integer, got \[2\]"):
        result.plot_profile(n_clusters=[2])


def test_one_cluster_has_no_silhouettes_to_draw():
    result = choose_n_clusters([["a"], ["b"]], [1], criteria=["stability"], n_resamples=1)
    for n_clusters in (None, 1):
        with pytest.raises(ValueError, match="2 or more; the model for 1 has one cluster"):
            result.plot_silhouettes(n_clusters=n_clusters)


# --- profiles and figures -----------------------------------------------------------------------


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


def test_figures(votes):
    import matplotlib.pyplot as plt

    X, party = votes
    result = choose_n_clusters(
        X, range(1, 5), n_init=1, n_references=3, n_resamples=2, missing="category", random_state=0
    )
    panel = result.plot()
    titles = [ax.get_title() for ax in panel.flat]
    assert titles[:2] == ["knee: K = 2", "silhouette: K = 2"]
    assert all(ax.get_xlabel() == "number of clusters K" and ax.get_ylabel() for ax in panel.flat)
    assert panel.flat[2].containers[0].has_yerr  # the gap with its standard errors
    ax = result.plot_silhouettes()
    assert [text.get_text() for text in ax.get_yticklabels()] == ["0", "1"]
    assert "mean 0.49" in ax.texts[0].get_text()
    ax = result.plot_profile(n_columns=2, n_clusters=3)
    assert [text.get_text() for text in ax.get_xticklabels()] == ["all", "0", "1", "2"]
    _, own = plt.subplots(1, 2)
    assert result.plot_profile(ax=own[0]) is own[0]
    weight = np.arange(435) % 3 * (party == "democrat")
    weight[0] = 300  # a republican
    assert plot_silhouettes(X, party, sample_weight=weight, ax=own[1]) is own[1]
    score = matching_silhouette_score(X, party, sample_weight=weight)
    assert f"mean {score:.2f}" in own[1].texts[0].get_text()
    ax = plot_profile(X, party, n_columns=1)
    assert [text.get_text() for text in ax.get_yticklabels()] == [
        "physician_fee_freeze: n",
        "physician_fee_freeze: y",
        "physician_fee_freeze: missing",
    ]
    shares = cluster_profile(X, party).loc["physician_fee_freeze"].drop(columns="cramers_v")
    expected = [f"{100 * share:.0f}" for share in shares.to_numpy().ravel()]
    assert [text.get_text() for text in ax.texts] == expected
    with pytest.raises(ValueError, match="`axes` must hold at least 4 axes"):
        result.plot(own)
    few = choose_n_clusters(X, [1, 2], criteria=["gap"], n_references=2, missing="category")
    assert few.plot().size == 2
    three = choose_n_clusters(
        X, [1, 2], criteria=["silhouette", "gap"], n_references=2, missing="category"
    )
    assert not three.plot().flat[3].get_visible()
    plt.close("all")


# --- what is refused ----------------------------------------------------------------------------

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
