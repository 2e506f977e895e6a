"""Tests of passes over packed rows: each expected number says where it comes from."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import adjusted_rand_score

from afterfit.categorical import KModes, _engine, _tables


def test_an_empty_cluster_starts_again_at_the_row_farthest_from_its_mode():
    X = np.array([[0, 0, 0]] * 3 + [[0, 0, 1]] * 2 + [[1, 1, 1]])
    table = _tables.encode_table(X)
    packed = _tables.merge_equal_rows(_tables.pack(table.codes, table.sizes))
    starts = np.array([[[0, 0, 0], [0, 0, 0]]])  # the second mode gets no row
    modes, costs, _ = _engine.lloyd(_engine.Engine(packed), starts, 10)
    assert modes[0].tolist() == [[0, 0, 0], [1, 1, 1]]
    assert costs[0] == 2


def test_many_columns_and_many_categories(recount):
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


def test_keys_of_distance_and_label_fit_their_type():
    # 17 modes, 15 columns apart: the largest key is 15 * 17 + 16 = 271, more than a byte holds.
    X = np.repeat(np.arange(17)[:, None], 15, axis=1)
    model = KModes(17, n_init=1).fit(X)
    assert model.cost_ == 0
    assert len(set(model.labels_)) == 17
