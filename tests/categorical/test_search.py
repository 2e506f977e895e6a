"""Tests of the search for modes of low cost: each expected number says where it comes from."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from afterfit.categorical import KModes, _engine, _search, _tables, choose_n_clusters


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


@pytest.mark.parametrize("seed", range(8))
def test_no_change_of_one_category_lowers_the_cost(seed, latent_classes, recount):
    # Brute force over all single changes of the fitted modes: the claim of `improve`.
    X, _ = latent_classes(60, 6, 3, 3, 0.7, seed)
    model = KModes(4, n_init=1, random_state=seed).fit(X)
    for k, j, value in itertools.product(range(4), range(6), range(3)):
        modes = model.cluster_centroids_.copy()
        modes[k, j] = value
        assert recount(X, modes)[0] >= model.cost_


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
def test_start_of_cao_counts_weights_and_goes_by_blocks(seed, monkeypatch, latent_classes):
    rng = np.random.default_rng(seed)
    X, _ = latent_classes(60, 4, 3, 3, 0.6, seed)
    weight = rng.integers(3, size=60)
    table = _tables.encode_table(X)
    repeated = [np.repeat(codes, weight.astype(np.intp)) for codes in table.codes]
    expected = _search.cao_modes(repeated, _tables.pack(repeated, table.sizes), 5)
    packed = _tables.pack(table.codes, table.sizes, weight.astype(float))
    monkeypatch.setattr(_search, "CAO_ROWS", 7)  # the first of equal rows, in any block
    assert (_search.cao_modes(table.codes, packed, 5) == expected).all()


# kmodes.util.init_methods.init_cao of kmodes 0.12.2 itself, run here on the same codes.
@pytest.mark.parametrize("seed", range(30))
def test_start_of_cao_is_that_of_kmodes(seed, latent_classes):
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


def test_cost_is_never_above_that_of_kmodes(latent_classes):
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
def test_large_tables_go_through_samples(init, monkeypatch, latent_classes, recount):
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


def test_as_many_starts_and_iterations_as_asked_for(monkeypatch, latent_classes):
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
