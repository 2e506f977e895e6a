"""Tests of the matching silhouette: each expected number says where it comes from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import silhouette_samples, silhouette_score

from afterfit.categorical import (
    _tables,
    cluster_profile,
    matching_silhouette_samples,
    matching_silhouette_score,
)

tables = st.integers(0, 2**32 - 1).map(
    lambda seed: (lambda rng: rng.integers(rng.integers(1, 5), size=rng.integers([3, 1], [30, 8])))(
        np.random.default_rng(seed)
    )
)


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
    times = weight.astype(np.intp)
    repeated, of_repeated = np.repeat(X, times, axis=0), np.repeat(labels, times)
    if len(set(of_repeated)) < 2:
        return
    ours = matching_silhouette_samples(X, labels, sample_weight=weight)
    expected = matching_silhouette_samples(repeated, of_repeated)
    assert np.abs(np.repeat(ours, times) - expected).max() <= 1e-12
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
