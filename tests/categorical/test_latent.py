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

# Agresti (2002), Categorical Data Analysis, table 13.1: seven pathologists, 118 slides.
CARCINOMA = """0000000 34, 0000100 2, 0100000 6, 0100001 1, 0100100 4, 0100101 5, 1000000 2,
1010101 1, 1100000 2, 1100001 1, 1100100 2, 1100101 7, 1100111 1, 1101001 1, 1101101 2, 1101111 3,
1110101 13, 1110111 5, 1111101 10, 1111111 16"""

# Bock & Lieberman (1970): answers of 1,000 to section 6 of the LSAT, by patterns 00000 to 11111.
LSAT = [3, 6, 2, 11, 1, 1, 3, 4, 1, 8, 0, 16, 0, 3, 2, 15]
LSAT += [10, 29, 14, 81, 3, 28, 15, 80, 16, 56, 21, 173, 11, 61, 28, 298]


def units_of(X, weight=None):
    table = _tables.encode_table(X, missing="category")
    packed = _tables.pack(table.codes, table.sizes, weight)
    return _tables.merge_equal_rows(packed)


def indicators(X, weight=None):
    return _latent.Indicators(list(np.asarray(X).T), weight)


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


def test_likelihood_of_a_trait_is_that_of_ltm(monkeypatch):
    # Rizopoulos (2006), Journal of Statistical Software 17(5), section 3.1: the two-parameter
    # logistic model of the LSAT data, log-likelihood -2466.653 (R: ltm(LSAT ~ z1)).
    monkeypatch.setattr(_latent, "RIDGE", 0.0)
    X = np.array(list(itertools.product([0, 1], repeat=5)))
    seen = np.flatnonzero(LSAT)
    table = indicators(X[seen], np.array(LSAT, dtype=float)[seen])
    points, log_weight = _latent._points(1)
    gains, _ = _latent._Traits(table, points, log_weight, 1).fit(np.ones((len(seen), 1)))
    total = table.weights @ gains + of_independent(table)
    assert total == pytest.approx(-2466.653, abs=2e-3)


@pytest.mark.parametrize(("n_traits", "n_classes"), [(1, 1), (2, 1), (3, 1), (1, 2)])
def test_slope_of_the_likelihood_of_traits(n_traits, n_classes):
    # Central differences.
    rng = np.random.default_rng(0)
    table = indicators(rng.integers(3, size=(30, 4)), rng.integers(1, 4, size=30).astype(float))
    points, log_weight = _latent._points(n_traits)
    model = _latent._Traits(table, points, log_weight, n_classes)
    x = 0.5 * rng.normal(size=n_classes + (n_classes + n_traits) * len(table.shares))
    _, slope = model.objective(x)
    for i in range(0, len(x), 5):
        step = np.zeros(len(x))
        step[i] = 1e-5
        difference = model.objective(x + step)[0] - model.objective(x - step)[0]
        assert slope[i] == pytest.approx(difference / 2e-5, abs=1e-8)


def test_points_of_a_trait_have_its_moments():
    # Standard normal: 0, 1, 0, 3. Exponential less its mean: 0, 1, 2, 9 (Johnson & Kotz).
    points, log_weight = _latent._points(1)
    assert np.exp(log_weight).sum() == pytest.approx(1)
    moments = [np.exp(log_weight) @ points[:, 0] ** power for power in (1, 2, 3, 4)]
    assert moments == pytest.approx([0, 1, 0, 3], abs=1e-3)
    points, log_weight = _latent._skewed_points()
    moments = [np.exp(log_weight) @ points[:, 0] ** power for power in (1, 2, 3, 4)]
    assert moments == pytest.approx([0, 1, 2, 9], rel=2e-2, abs=2e-3)
    for n_traits in (2, 3):
        points, log_weight = _latent._points(n_traits)
        covariance = (points.T * np.exp(log_weight)) @ points
        assert covariance == pytest.approx(np.eye(n_traits), abs=2e-2)


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


@pytest.mark.parametrize(("rows", "charged"), [([30, 10], [30, 10]), ([38, 2], [38, 10])])
def test_a_class_is_charged_for_ten_rows_at_least(rows, charged):
    table = indicators(np.arange(40)[:, None] % 2)
    expected = (np.log(charged).sum() - np.log(40)) / 2
    assert table.charge(np.array(rows, dtype=float)) == pytest.approx(expected)


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


def test_standard_errors_between_two_models_by_hand():
    # Vuong (1989), formula 3.1 with the corrected statistic: differences 1, 1, 4 (weights 2, 1):
    # total 6, variance 2 * 1 + 4 = 6 about the mean 2, times n / (n - 1).
    a = _latent.Score(np.array([1.0, 4.0]), 6.0)
    b = _latent.Score(np.zeros(2), 0.0)
    assert a.errors_above(b, np.array([2.0, 1.0])) == pytest.approx(6 / np.sqrt(6 * 3 / 2))
    assert a.errors_above(a, np.ones(2)) == 0
    same = _latent.Score(np.array([2.0, 2.0]), 4.0)
    assert same.errors_above(b, np.ones(2)) == np.inf


def test_indicators_of_one_property_are_read_as_the_property():
    rng = np.random.default_rng(0)
    X = rng.integers(4, size=(300, 3))
    plain = _latent.plain_columns(units_of(X))
    for options in ({}, {"drop_first": True}):
        hot = pd.get_dummies(pd.DataFrame(X).astype(str), **options)
        columns = _latent.plain_columns(units_of(hot))
        assert len(columns) == 3
        # The rows come in another order: compare how often the categories come together.
        for codes, other in zip(columns, plain, strict=True):
            assert sorted(np.bincount(codes)) == sorted(np.bincount(other))
    # Indicators that overlap are properties of their own, and so are rare ones that do not happen
    # to: 300 rows with shares of 0.1 would overlap three times.
    overlapping = rng.integers(2, size=(300, 3))
    assert len(_latent.plain_columns(units_of(overlapping))) == 3
    rare = np.zeros((300, 2), dtype=int)
    rare[:30, 0], rare[30:60, 1] = 1, 1
    assert len(_latent.plain_columns(units_of(rare))) == 2


def test_copies_and_constants_count_once():
    X = np.array([[0, 0, "a", 1, 5, 3], [1, 1, "c", 1, 5, 4], [2, 2, "b", 0, 5, 3]])
    X = np.vstack([X, [2, 2, "b", 1, 5, 3]])
    columns = _latent.plain_columns(units_of(X))
    assert [sorted(np.bincount(codes)) for codes in columns] == [[1, 1, 2], [1, 3], [1, 3]]
    # Where nothing else is left they are all there is: rows of two patterns.
    assert len(_latent.plain_columns(units_of([["a", "x", 0]] * 3 + [["b", "y", 1]] * 3))) == 3


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_names_and_order_of_columns_and_weights_do_not_matter(seed):
    rng = np.random.default_rng(seed)
    X, weight = rng.integers(3, size=(12, 4)), rng.integers(1, 4, size=12)
    X[:3] = [[0], [1], [2]]  # every category is there
    table = indicators(X, weight.astype(float))
    repeated = indicators(np.repeat(X, weight, axis=0))
    start = rng.dirichlet([1, 1], size=12)
    again = np.repeat(start, weight, axis=0)
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
