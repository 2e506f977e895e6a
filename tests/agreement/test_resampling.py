"""Chance by every model of it, and intervals, against closed forms and all partitions."""

from collections import Counter
from itertools import permutations, product

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from afterfit import agreement
from afterfit.agreement._resampling import _random_clusterings

MEASURES = (
    agreement.purity,
    agreement.inverse_purity,
    agreement.f_measure,
    agreement.pairwise_f_measure,
    agreement.matched_accuracy,
    lambda y_true, y_pred: agreement.bcubed(y_true, y_pred).f,
)


# --- chance ---


@pytest.mark.parametrize("measure", MEASURES)
def test_chance_is_the_mean_over_all_permutations(measure):
    y_true, y_pred = [0, 0, 0, 1, 1, 2], [1, 1, 0, 0, 0, 0]
    all_scores = np.array([measure(y_true, order) for order in permutations(y_pred)])
    score = agreement.adjust_for_chance(measure, y_true, y_pred, n_resamples=2000, random_state=1)
    assert score.observed == measure(y_true, y_pred)
    exact = all_scores.mean()
    assert score.expected == pytest.approx(exact, abs=4 * score.standard_error)
    assert score.standard_error == pytest.approx(all_scores.std() / 2000**0.5, rel=0.1)
    assert score.adjusted == pytest.approx((score.observed - exact) / (1 - exact), abs=0.03)
    at_least = np.mean(all_scores >= score.observed - 1e-12)
    # Binomial(2000, p), four standard deviations.
    assert score.pvalue == pytest.approx(at_least, abs=4 * (0.25 / 2000) ** 0.5)


def test_the_adjustment_of_given_scores():
    scores = iter([0.5, 0.1, 0.5, 0.2, 0.8])  # the observed one, then those of four orders
    score = agreement.adjust_for_chance(
        lambda *_: next(scores), [0, 1], [0, 1], n_resamples=4, random_state=0
    )
    assert (score.observed, score.n_resamples) == (0.5, 4)
    assert score.expected == pytest.approx(0.4)  # 1.6 / 4
    assert score.adjusted == pytest.approx(0.1 / 0.6)
    assert score.pvalue == 3 / 5  # the observed order, 0.5 and 0.8
    assert score.standard_error == pytest.approx((0.3 / 3) ** 0.5 / 2)  # squares sum to 0.3


def test_scores_that_differ_by_rounding_only_are_equal():
    def adjust(*scores):
        given = iter(scores)
        return agreement.adjust_for_chance(
            lambda *_: next(given), [0, 1], [0, 1], n_resamples=len(scores) - 1, random_state=0
        )

    assert adjust(0.1 + 0.2, 0.3, 0.3).pvalue == 1
    assert adjust(1 - 1e-15, 1 - 1e-15).adjusted == 1  # as at 1, of identical partitions
    assert adjust(1 + 1e-15, 0.5).observed == 1 + 1e-15
    assert adjust(0.5, 0.5).standard_error == np.inf  # one permutation tells no spread


def test_only_the_clusters_are_permuted():
    orders = []

    def metric(classes, clusters):
        orders.append((tuple(classes), tuple(clusters)))
        return 0.5

    score = agreement.adjust_for_chance(metric, list("aabb"), [1, 2, 3, 4], random_state=0)
    assert (score.n_resamples, len(orders)) == (999, 1000)
    assert {classes for classes, _ in orders} == {(0, 0, 1, 1)}
    assert {clusters for _, clusters in orders} == set(permutations(range(4)))


def test_adjusting_the_rand_index_gives_the_adjusted_rand_index():
    # Hubert and Arabie's expectation in closed form, by scikit-learn.
    rng = np.random.default_rng(3)
    y_true = rng.integers(3, size=200)
    y_pred = np.where(rng.uniform(size=200) < 0.5, y_true, rng.integers(3, size=200))
    score = agreement.adjust_for_chance(
        metrics.rand_score, y_true, y_pred, n_resamples=500, random_state=4
    )
    slope = 1 / (1 - score.expected)
    expected = metrics.adjusted_rand_score(y_true, y_pred)
    assert score.adjusted == pytest.approx(expected, abs=4 * slope * score.standard_error)
    assert score.pvalue == 1 / 501


def test_pvalues_are_uniform_when_there_is_nothing_to_find():
    rng = np.random.default_rng(5)
    pvalues = np.array(
        [
            agreement.adjust_for_chance(
                agreement.pairwise_f_measure,
                rng.integers(3, size=120),
                rng.integers(4, size=120),
                n_resamples=39,
                random_state=rng,
            ).pvalue
            for _ in range(300)
        ]
    )
    # Binomial(300, p) at p = 0.05 and 0.5, four standard deviations.
    assert np.mean(pvalues <= 0.05) == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 300))
    assert np.mean(pvalues <= 0.5) == pytest.approx(0.5, abs=4 * np.sqrt(0.25 / 300))


@pytest.mark.parametrize(
    ("y_true", "y_pred", "adjusted"),
    [([1, 1, 1], [2, 2, 2], 1.0), ([1, 1, 1], [1, 2, 3], 0.0), ([0], ["a"], 1.0)],
)
def test_where_chance_alone_gives_one(y_true, y_pred, adjusted):
    # As scikit-learn's adjusted Rand index decides the same degenerate cases.
    score = agreement.adjust_for_chance(
        agreement.purity, y_true, y_pred, n_resamples=9, random_state=0
    )
    assert (score.expected, score.adjusted, score.pvalue) == (1.0, adjusted, 1.0)
    assert metrics.adjusted_rand_score(y_true, list(map(str, y_pred))) == adjusted


def test_where_chance_alone_gives_one_from_the_other_side():
    score = agreement.adjust_for_chance(
        agreement.inverse_purity, [1, 2, 3], [1, 1, 1], n_resamples=9, random_state=0
    )
    assert (score.expected, score.adjusted) == (1.0, 0.0)
    assert metrics.adjusted_rand_score([1, 2, 3], [1, 1, 1]) == 0


def test_random_state_reproduces():
    first, again, other = (
        agreement.adjust_for_chance(
            agreement.purity,
            [0, 0, 0, 1, 1, 2],
            [1, 1, 0, 0, 0, 0],
            n_resamples=50,
            random_state=seed,
        )
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first.expected != other.expected


# --- other models of chance ---


def partitions(n, k=None):
    """Return all partitions of n rows (into k clusters), each row by the first row like it."""
    every = {tuple(map(labels.index, labels)) for labels in product(range(n), repeat=n)}
    return [labels for labels in every if k is None or len(set(labels)) == k]


@pytest.mark.parametrize(
    ("model", "k", "n_partitions"),
    [("n_clusters", 2, 15), ("n_clusters", 3, 25), ("n_clusters", 4, 10), ("all", 2, 52)],
)
def test_every_partition_is_equally_likely(model, k, n_partitions):
    # Stirling's and Bell's numbers of 5.
    every = partitions(5, k if model == "n_clusters" else None)
    assert len(every) == n_partitions
    clusters = np.minimum(np.arange(5), k - 1)
    draw = _random_clusterings(model, clusters, np.random.default_rng(0))
    labels = [draw().tolist() for _ in range(2000)]
    drawn = Counter(tuple(map(one.index, one)) for one in labels)
    assert set(drawn) <= set(every)
    assert stats.chisquare([drawn[one] for one in every]).pvalue > 0.001


@pytest.mark.parametrize("model", ["n_clusters", "all"])
@pytest.mark.parametrize("measure", MEASURES)
def test_chance_is_the_mean_over_all_partitions(measure, model):
    y_true, y_pred = [0, 0, 1, 1, 2], [1, 1, 0, 0, 0]
    all_scores = [measure(y_true, p) for p in partitions(5, 2 if model == "n_clusters" else None)]
    score = agreement.adjust_for_chance(
        measure, y_true, y_pred, model=model, n_resamples=1000, random_state=1
    )
    assert score.observed == measure(y_true, y_pred)
    assert score.expected == pytest.approx(np.mean(all_scores), abs=4 * score.standard_error)
    at_least = np.mean(np.array(all_scores) >= score.observed - 1e-12)
    assert score.pvalue == pytest.approx(at_least, abs=4 * (0.25 / 1000) ** 0.5)


@pytest.mark.parametrize(
    ("model", "together"),
    [
        # A pair is together in S(n - 1, k) of the S(n, k) partitions, in B(n - 1) of the B(n)
        # (Gates and Ahn, 2017): S(11, 3) = 28501, S(12, 3) = 86526; B(11) = 678570,
        # B(12) = 4213597.
        ("n_clusters", 28501 / 86526),
        ("all", 678570 / 4213597),
    ],
)
def test_the_rand_index_of_one_sided_chance(model, together):
    y_true, y_pred = np.repeat([0, 1, 2], [2, 4, 6]), np.repeat([0, 1, 2], 4)
    in_class = (1 + 6 + 15) / 66
    expected = in_class * together + (1 - in_class) * (1 - together)
    score = agreement.adjust_for_chance(
        metrics.rand_score, y_true, y_pred, model=model, n_resamples=600, random_state=2
    )
    assert score.expected == pytest.approx(expected, abs=4 * score.standard_error)


@pytest.mark.parametrize("n_clusters", [1, 2, 30, 199, 200])
def test_any_number_of_clusters_can_be_kept(n_clusters):
    clusters = np.minimum(np.arange(200), n_clusters - 1)
    draw = _random_clusterings("n_clusters", clusters, np.random.default_rng(0))
    for _ in range(5):
        labels = draw()
        assert (labels.size, np.unique(labels).size) == (200, n_clusters)


# --- intervals ---


def test_the_standard_error_of_a_share():
    # Where each cluster has a clear majority, purity is the share p of a binomial count; halves
    # drawn without replacement give sqrt(p (1 - p) / (n - 1)) exactly.
    counts = [[170, 20], [30, 180]]
    p, n = 350 / 400, 400
    interval = agreement.confidence_interval(
        agreement.purity, counts, level=0.9, n_resamples=4000, random_state=0
    )
    error = (p * (1 - p) / (n - 1)) ** 0.5
    assert interval.estimate == p
    assert interval.standard_error == pytest.approx(error, rel=4 / 8000**0.5)
    assert interval.bias == pytest.approx(0, abs=4 * error / 4000**0.5)
    reach = 1.6448536 * interval.standard_error  # the normal quantile at 0.95, by any table
    middle = p - interval.bias
    assert (interval.low, interval.high) == pytest.approx((middle - reach, middle + reach))
    assert (interval.level, interval.n_resamples) == (0.9, 4000)


def test_the_interval_of_given_scores():
    # Halves of 2 and of 3 rows: variances of differences go by 1/2 - 1/5, of 5 rows by 1/5.
    scores = iter([0.5, 0.1, 0.4, 0.9])
    interval = agreement.confidence_interval(
        lambda *_: next(scores), [0, 1, 0, 1, 0], [0, 1, 0, 1, 0], n_resamples=3, random_state=0
    )
    excess = np.array([-0.4, -0.1, 0.4])
    assert interval.bias == pytest.approx(excess.mean() * 2 / 3)
    assert interval.standard_error == pytest.approx(excess.std(ddof=1) * (2 / 3) ** 0.5)
    assert interval.high == 1  # no score is above it


def test_halves_have_half_of_the_rows_and_no_row_twice():
    sizes = []

    def metric(classes, clusters):
        sizes.append(len(classes))
        assert len(set(classes.tolist())) == len(classes)
        return 0.5

    agreement.confidence_interval(metric, range(9), range(9), n_resamples=5, random_state=0)
    assert sizes == [9, 4, 4, 4, 4, 4]


def test_a_difference_of_shares():
    # Rows right in the one and wrong in the other, b = 30 and c = 12 of n = 200: the difference
    # is (b - c) / n, its variance ((b + c) / n - ((b - c) / n)^2) / (n - 1), as in McNemar's test.
    y_true = np.repeat([0, 1], 100)
    ours, other = y_true.copy(), y_true.copy()
    other[:15] = 1
    other[100:115] = 0
    ours[50:56] = 1
    ours[150:156] = 0
    difference = agreement.compare_clusterings(
        agreement.purity, y_true, ours, other, n_resamples=4000, random_state=0
    )
    error = ((42 / 200 - (18 / 200) ** 2) / 199) ** 0.5
    assert difference.estimate == pytest.approx(18 / 200)
    assert difference.standard_error == pytest.approx(error, rel=4 / 8000**0.5)
    back = agreement.compare_clusterings(
        agreement.purity, y_true, other, ours, n_resamples=4000, random_state=0
    )
    assert (back.low, back.high) == pytest.approx((-difference.high, -difference.low))


def test_the_interval_covers_as_often_as_it_says():
    # The pairwise F measure of the population, 30 small clusters: a bootstrap with replacement
    # counts a row and its copy as a pair, and its percentiles cover the truth in half of the cases.
    population = np.full((3, 30), 0.1)
    population[np.arange(30) % 3, np.arange(30)] = 0.8
    population /= population.sum()
    both, classes, clusters = (
        (sums**2).sum() for sums in (population, population.sum(axis=1), population.sum(axis=0))
    )
    truth = 2 * both / (classes + clusters)
    rng = np.random.default_rng(3)
    covered = []
    for _ in range(150):
        counts = rng.multinomial(300, population.ravel()).reshape(3, 30)
        interval = agreement.confidence_interval(
            agreement.pairwise_f_measure, counts, n_resamples=60, random_state=rng
        )
        covered.append(interval.low <= truth <= interval.high)
    # Binomial(150, 0.95), four standard deviations.
    assert np.mean(covered) == pytest.approx(0.95, abs=4 * (0.95 * 0.05 / 150) ** 0.5)


@pytest.mark.parametrize("function", [agreement.adjust_for_chance, agreement.confidence_interval])
def test_tables_and_noise_are_taken_by_all(function):
    y_true, y_pred = [0, 0, 1, 1, 1, 2], [5, 5, 7, -1, 7, -1]
    options = {"n_resamples": 5, "random_state": 0}
    expected = function(agreement.purity, [0, 0, 1, 1], [5, 5, 7, 7], **options)
    assert function(agreement.purity, y_true, y_pred, noise_label=-1, **options) == expected
    table = agreement.contingency_table(y_true, y_pred, noise_label=-1)
    assert function(agreement.purity, table, **options) == expected
    with pytest.raises(ValueError, match="Resampling must be given whole numbers of rows"):
        function(agreement.purity, table / 4, **options)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n_resamples": 0}, ValueError, "`n_resamples` must be at least 1, got 0"),
        ({"n_resamples": 1.5}, TypeError, "`n_resamples` must be an integer, got 1.5"),
        ({"random_state": -1}, ValueError, "`random_state` must be None"),
        ({"model": "sizes"}, ValueError, "`model` must be one of 'permutation', 'n_clusters'"),
        ({"metric": "purity"}, TypeError, "`metric` must be a function"),
        ({"metric": agreement.bcubed}, TypeError, "must return a number, got BCubed; .*lambda"),
        ({"metric": lambda *_: np.nan}, ValueError, "must be at most 1 .* got nan"),
        ({"metric": lambda *_: 1.5}, ValueError, "must be at most 1 .* got 1.5"),
        ({"metric": lambda *_: -np.inf}, ValueError, "must be at most 1 .* got -inf"),
    ],
)
def test_bad_arguments_of_the_adjustment(arguments, error, message):
    arguments = {"metric": agreement.purity, "y_true": [0, 1], "y_pred": [0, 1], **arguments}
    with pytest.raises(error, match=message):
        agreement.adjust_for_chance(**arguments)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"level": 1}, ValueError, r"`level` must lie in \(0, 1\), got 1"),
        ({"n_resamples": 1}, ValueError, "`n_resamples` must be at least 2, got 1"),
        ({"metric": "purity"}, TypeError, "`metric` must be a function"),
        ({"y_true": [0], "y_pred": [0]}, ValueError, "at least 2 rows, got 1"),
        ({"y_true": [0]}, ValueError, "`y_true` has 1, `y_pred` has 2"),
    ],
)
def test_bad_arguments_of_the_intervals(arguments, error, message):
    arguments = {"metric": agreement.purity, "y_true": [0, 1], "y_pred": [0, 1], **arguments}
    with pytest.raises(error, match=message):
        agreement.confidence_interval(**arguments)
    other = arguments["y_pred"]
    with pytest.raises(error, match=message):
        agreement.compare_clusterings(**arguments, y_other=other)
