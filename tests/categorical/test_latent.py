"""Tests of latent classes and their rivals: each expected number says where it comes from."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.special import expit
from sklearn.metrics import mutual_info_score

from afterfit.categorical import _latent, _tables
from afterfit.categorical._indicators import Indicators

# Agresti (2002), Categorical Data Analysis, table 13.1: seven pathologists, 118 slides.
CARCINOMA = """0000000 34, 0000100 2, 0100000 6, 0100001 1, 0100100 4, 0100101 5, 1000000 2,
1010101 1, 1100000 2, 1100001 1, 1100100 2, 1100101 7, 1100111 1, 1101001 1, 1101101 2, 1101111 3,
1110101 13, 1110111 5, 1111101 10, 1111111 16"""


def units_of(X, weight=None):
    table = _tables.encode_table(X, missing="category")
    packed = _tables.pack(table.codes, table.sizes, weight)
    return _tables.merge_equal_rows(packed)


def indicators(X, weight=None):
    return Indicators(list(np.asarray(X).T), weight)


def patterns(text):
    rows, counts = zip(*(line.split() for line in text.split(",")), strict=True)
    return np.array([[int(digit) for digit in row] for row in rows]), np.array(counts, dtype=float)


@pytest.mark.usefixtures("narrow_indices")
def test_sums_over_categories_on_a_machine_of_32_bits():
    table = indicators([[0, 1, 2], [1, 0, 0]])
    for part in (table, table.only(np.array([True, False, True]))):
        assert part.starts.dtype == np.int32  # else NumPy there refuses to sum between them
    assert table.starts.tolist() == [0, 2, 4]
    assert table.by_column(np.arange(7.0)).tolist() == [1, 5, 15]


def of_independent(table):
    """Return the log likelihood of independent columns."""
    return float(table.weights @ (table.cells @ np.log(table.shares)))


def test_likelihood_of_latent_classes_is_that_of_polca(monkeypatch):
    # Linzer & Lewis (2011), Journal of Statistical Software 42(10), p. 15: 2 classes of the
    # carcinoma data, maximum log-likelihood -317.2568; 1 class, -524.4648.
    monkeypatch.setattr(_latent, "PRIOR_ROWS", 0.0)
    monkeypatch.setattr(_latent, "EM_TOLERANCE", 1e-10)
    table = indicators(*patterns(CARCINOMA))
    assert of_independent(table) == pytest.approx(-524.4648, abs=5e-5)
    start = np.random.default_rng(0).dirichlet([1, 1], size=len(table.cells))
    with np.errstate(divide="ignore", invalid="ignore"):
        gains, _, _ = _latent._em(table, start)
    # The shares of the classes have a prior of one row each.
    assert table.weights @ gains + of_independent(table) == pytest.approx(-317.2568, abs=2e-3)


def test_charge_of_classes_by_hand(monkeypatch):
    # Classes of 30 and 10 rows that two columns tell apart for sure. A row of the first has
    # log(31 / 42), its class's share with a prior of one row each, less twice the logarithm of its
    # category's share among all rows. Charged are (log 30 + log 10 - log 40) / 2 for each of the
    # two columns and log 40 / 2 for the shares.
    monkeypatch.setattr(_latent, "PRIOR_ROWS", 1e-12)
    X = np.repeat([[0, 0, 0], [1, 1, 1]], [30, 10], axis=0)
    X[:, 2] = np.arange(40) % 2  # says nothing: no parameters
    table = indicators(X)
    fit = _latent.class_fit(table, np.eye(2)[X[:, 0]])
    gains = 30 * (np.log(31 / 42) - 2 * np.log(30 / 40)) + 10 * (
        np.log(11 / 42) - 2 * np.log(10 / 40)
    )
    charge = np.log(30) + np.log(10) - np.log(40) + np.log(40) / 2
    assert fit.worth[2] == 0
    assert fit.score.total == pytest.approx(gains - charge)


def test_forest_of_dependent_columns():
    # Mutual information by scikit-learn, the tree by SciPy.
    rng = np.random.default_rng(0)
    X = rng.integers(3, size=(400, 6))
    for a, b in [(0, 1), (1, 4), (2, 5)]:
        rows = rng.random(400) < 0.6
        X[rows, b] = X[rows, a]
    worth = np.zeros((6, 6))
    for a, b in itertools.combinations(range(6), 2):
        sizes = [np.bincount(X[:, j]) for j in (a, b)]
        charge = sum(np.log(size).sum() - np.log(400) for size in sizes) * 2 / 4
        worth[a, b] = max(400 * mutual_info_score(X[:, a], X[:, b]) - charge, 0)
    tree = minimum_spanning_tree(-worth)
    score = _latent.forest_score(indicators(X))
    assert score.total == pytest.approx(-tree.sum())
    assert np.flatnonzero(tree.toarray()).tolist() == [1, 10, 17]


def test_every_combination_of_its_own():
    # A parity: no two columns say anything of each other, all three together one bit.
    rng = np.random.default_rng(0)
    X = rng.integers(2, size=(400, 3))
    X[:, 2] = X[:, 0] ^ X[:, 1]
    table = indicators(X)
    counts = np.array(list(pd.DataFrame(X).value_counts()))
    log_likelihood = (counts * np.log(counts / 400)).sum()
    expected = log_likelihood - of_independent(table) - 4 * np.log(400) / 2  # 7 less 3 parameters
    assert _latent.joint_score(table).total == pytest.approx(expected)
    assert _latent.forest_score(table).total == 0


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_names_and_order_of_columns_and_weights_do_not_matter(seed):
    rng = np.random.default_rng(seed)
    X, weight = rng.integers(3, size=(12, 4)), rng.integers(1, 4, size=12)
    X[:3] = [[0], [1], [2]]  # every category is there
    table = indicators(X, weight.astype(float))
    repeated = indicators(np.repeat(X, weight.astype(np.intp), axis=0))
    start = rng.dirichlet([1, 1], size=12)
    again = np.repeat(start, weight.astype(np.intp), axis=0)
    for of in (
        lambda table, start: _latent.class_fit(table, start).score.total,
        lambda table, start: _latent.forest_score(table, start).total,
        lambda table, start: _latent.forest_score(table).total,
        lambda table, start: _latent.joint_score(table).total,
    ):
        assert of(table, start) == pytest.approx(of(repeated, again), abs=1e-6)
    shuffled = indicators(2 - X[:, ::-1], weight.astype(float))
    assert _latent.forest_score(shuffled).total == pytest.approx(_latent.forest_score(table).total)


def answers(rng, trait, n_items, load):
    return (rng.random((len(trait), n_items)) < expit(load * trait[:, None])).astype(int)


def random_answers(rng, n_classes):
    shares = rng.uniform(size=(n_classes, 15))
    return (rng.random((500, 15)) < shares[rng.integers(n_classes, size=500)]).astype(int)


@pytest.mark.parametrize(
    ("make", "n_classes", "rival"),
    [
        (lambda rng: answers(rng, rng.normal(size=500), 15, 1.5), 1, "1 trait"),
        (lambda rng: answers(rng, rng.exponential(size=800) - 1, 15, 1.5), 1, "1 skewed trait"),
        (lambda rng: answers(rng, 1 - rng.exponential(size=800), 15, 1.5), 1, "1 skewed trait"),
        (
            lambda rng: np.hstack([answers(rng, rng.normal(size=600), 8, 2.0) for _ in range(3)]),
            1,
            "3 traits",
        ),
        (lambda rng: rng.integers(3, size=(300, 8)), 1, "independent columns"),
        (lambda rng: random_answers(rng, 3), 3, "2 traits"),
    ],
)
def test_each_table_has_its_model(make, n_classes, rival):
    X = make(np.random.default_rng(0))
    found = _latent.examine(units_of(X), 5, {}, np.random.default_rng(0))
    assert found.best_rival == rival
    assert (found.n_classes if found.errors > 0 else 1) == n_classes


def test_dependence_within_classes_makes_no_more_classes(latent_classes):
    # Three clusters, and a trait that has nothing to do with them: more classes cut the trait.
    X, _ = latent_classes(1500, 14, 3, 3, 0.35, 0)
    rng = np.random.default_rng(0)
    X = np.hstack([X, answers(rng, rng.normal(size=1500), 8, 1.2)])
    found = _latent.examine(units_of(X), 6, {}, rng)
    assert max(found.scores, key=lambda k: found.scores[k]) > 3
    assert found.n_classes == 3


def test_large_and_wide_tables_are_cut_to_size(latent_classes, monkeypatch):
    monkeypatch.setattr(_latent, "LATENT_ROWS", 400)
    monkeypatch.setattr(_latent, "RIVAL_CELLS", 400 * 60)
    X, _ = latent_classes(1000, 40, 3, 3, 0.3, 0)
    seen = []
    trait_score = _latent.trait_score

    def watched(table, *args, **options):
        seen.append(table.cells.shape)
        return trait_score(table, *args, **options)

    monkeypatch.setattr(_latent, "trait_score", watched)
    found = _latent.examine(units_of(X), 4, {}, np.random.default_rng(0))
    assert found.n_classes == 3
    assert all(n_rows <= 400 and n_cells <= 60 for n_rows, n_cells in seen)


def test_table_of_constants_has_one_class():
    found = _latent.examine(units_of([["a", "b"]] * 3), 3, {}, np.random.default_rng(0))
    assert (found.n_classes, found.errors) == (1, -np.inf)
