"""Adjusted mutual information against scikit-learn, all permutations, and exact sums."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import hypergeom
from sklearn import metrics

from afterfit import agreement
from afterfit.agreement._information import _expected_information
from afterfit.agreement._table import read_table

labellings = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), min_size=1, max_size=60).map(
    lambda pairs: tuple(map(list, zip(*pairs, strict=True)))
)


@given(labellings)
def test_scikit_learns(labels):
    expected = metrics.adjusted_mutual_info_score(*labels)
    found = agreement.adjusted_mutual_information(*labels)
    assert found == pytest.approx(expected, abs=1e-11)
    assert found == pytest.approx(agreement.adjusted_mutual_information(*labels[::-1]), abs=1e-11)


@pytest.mark.parametrize(
    ("y_true", "y_pred"),
    [([0, 0, 0, 1, 1, 2], [1, 1, 0, 0, 0, 0]), ([0, 0, 1, 2, 2, 2, 2], [0, 1, 1, 2, 3, 3, 3])],
)
def test_the_expectation_is_the_mean_over_all_permutations(y_true, y_pred):
    all_scores = [metrics.mutual_info_score(y_true, order) for order in set(permutations(y_pred))]
    found = _expected_information(read_table(y_true, y_pred))
    assert found == pytest.approx(np.mean(all_scores), abs=1e-13)


@pytest.mark.parametrize(
    ("sizes", "others"),
    [
        ([1, 1, 2, 3, 5], [4, 4, 4]),
        ([900, 99, 1], [500, 300, 200]),
        ([1000], [1] * 1000),
        ([4_000, 3_000, 2_999, 1], [7_000, 2_000, 900, 100]),
        (list(range(1, 40)), [390, 390]),
    ],
)
def test_the_expectation_as_a_sum_over_hypergeometric_probabilities(sizes, others):
    # Vinh, Epps and Bailey (2010), equation 24a, every term, with SciPy's probabilities.
    n, expected = sum(sizes), 0.0
    assert sum(others) == n
    for a in sizes:
        for b in others:
            k = np.arange(max(1, a + b - n), min(a, b) + 1)
            terms = k / n * np.log(k / a * (n / b)) * hypergeom.pmf(k, n, a, b)
            expected += terms.sum()
    y_true = np.repeat(np.arange(len(sizes)), sizes)
    y_pred = np.random.default_rng(0).permutation(np.repeat(np.arange(len(others)), others))
    found = _expected_information(read_table(y_true, y_pred))
    assert found == pytest.approx(expected, rel=2e-9, abs=1e-13)  # SciPy's are good to 1e-10


@pytest.mark.parametrize(("n_classes", "n_clusters"), [(700, 900), (3, 1500), (50, 50)])
def test_many_groups(n_classes, n_clusters):
    rng = np.random.default_rng(1)
    y_true = rng.integers(n_classes, size=2000)
    y_pred = np.where(rng.uniform(size=2000) < 0.5, y_true, rng.integers(n_clusters, size=2000))
    expected = metrics.adjusted_mutual_info_score(y_true, y_pred)
    found = agreement.adjusted_mutual_information(y_true, y_pred)
    assert found == pytest.approx(expected, abs=2e-10)


def test_blocks_change_nothing(monkeypatch):
    rng = np.random.default_rng(2)
    sizes = np.arange(1, 60)
    y_true = np.repeat(sizes, sizes)
    y_pred = rng.permutation(y_true)
    whole = agreement.adjusted_mutual_information(y_true, y_pred)
    monkeypatch.setattr(agreement._information, "_BLOCK_PAIRS", 7)
    monkeypatch.setattr(agreement._information, "_BLOCK_TERMS", 50)
    blocks = agreement.adjusted_mutual_information(y_true, y_pred)
    assert blocks == pytest.approx(whole, abs=1e-12)


@pytest.mark.parametrize(
    ("y_true", "y_pred", "expected"),
    [
        ([0, 0, 0], [1, 1, 1], 1),
        ([0, 1, 2], ["a", "b", "c"], 1),
        ([0], ["a"], 1),
        ([0, 0, 0], [0, 1, 2], 0),
        ([0, 0, 0, 1], [0, 1, 2, 3], 0),
    ],
)
def test_degenerate_partitions(y_true, y_pred, expected):
    found = agreement.adjusted_mutual_information(y_true, y_pred)
    assert found == pytest.approx(expected, abs=1e-12)
