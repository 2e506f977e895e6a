"""Tables in which the number of clusters is known by construction, of many kinds.

Each world is a function of a random generator that returns a table; `WORLDS` says of each of which
kind it is, which answers are right (1 where there are no clusters, "more" for "more than were
tried"), how many clusters are tried, and whether the rule had been looked at on it while it was
made ("seen"): the others were written afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

Generator = np.random.Generator


@dataclass(frozen=True)
class World:
    """A way of making tables, and what is right to say of them."""

    make: Callable[[Generator], Any]
    kind: str
    right: frozenset[int | str]
    k_max: int
    seen: bool


WORLDS: dict[str, World] = {}


def world(kind: str, *right: int | str, k_max: int = 8, seen: bool = True) -> Callable:
    """Register a world."""

    def register(make: Callable[[Generator], Any]) -> Callable[[Generator], Any]:
        WORLDS[make.__name__] = World(make, kind, frozenset(right), k_max, seen)
        return make

    return register


def clusters(rng, n, modes, noise, n_values, sizes=None):
    """Return rows around modes, a share `noise` of the cells drawn at random."""
    shares = None if sizes is None else np.array(sizes) / sum(sizes)
    labels = rng.choice(len(modes), n, p=shares)
    random = rng.random((n, modes.shape[1])) < noise
    return np.where(random, rng.integers(n_values, size=random.shape), modes[labels])


def random_modes(rng, n, n_clusters, n_values, noise, n_columns, sizes=None):
    """Return rows around random modes."""
    modes = rng.integers(n_values, size=(n_clusters, n_columns))
    return clusters(rng, n, modes, noise, n_values, sizes)


def items(rng, trait, n_items, load):
    """Return yes/no answers that depend on a trait (n,) by a logistic curve each."""
    logit = load * np.asarray(trait)[:, None] - rng.normal(size=n_items)
    return (rng.random(logit.shape) < 1 / (1 + np.exp(-logit))).astype(int)


def one_hot(X, **options):
    """Return the indicators of all categories."""
    return pd.get_dummies(pd.DataFrame(X).astype(str), **options).to_numpy()


def missing(rng, X, rate):
    """Return a table whose cells are missing at a rate."""
    X = X.astype(float)
    X[rng.random(X.shape) < rate] = np.nan
    return pd.DataFrame(X)


def copied(rng, X, pairs):
    """Return X whose column b repeats column a in a share of the rows, for (a, b, share)."""
    for a, b, share in pairs:
        rows = rng.random(len(X)) < share
        X[rows, b] = X[rows, a]
    return X


# --- clusters of unequal size -------------------------------------------------------------------


@world("unequal sizes", 2)
def sizes_one_to_fifty(rng):
    return random_modes(rng, 1200, 2, 4, 0.3, 15, [1, 50])


@world("unequal sizes", 3)
def sizes_1_10_30(rng):
    return random_modes(rng, 1500, 3, 4, 0.3, 18, [1, 10, 30])


@world("unequal sizes", 2)
def sizes_binary_1_12(rng):
    return random_modes(rng, 1000, 2, 2, 0.3, 24, [1, 12])


@world("unequal sizes", 5)
def five_unequal(rng):
    return random_modes(rng, 1500, 5, 4, 0.4, 20, [1, 2, 4, 6, 8])


@world("unequal sizes", 3, seen=False)
def sizes_1_4_16(rng):
    return random_modes(rng, 900, 3, 3, 0.35, 16, [1, 4, 16])


@world("unequal sizes", 4, seen=False)
def sizes_halving(rng):
    return random_modes(rng, 2000, 4, 5, 0.5, 14, [8, 4, 2, 1])


# --- clusters in a background, or in few of the columns ------------------------------------------


@world("background", 2)
def cluster_in_background(rng):
    X = rng.integers(4, size=(800, 15))
    keep = (rng.random(800) < 0.3)[:, None] & (rng.random(X.shape) < 0.8)
    return np.where(keep, rng.integers(4, size=15), X)


@world("background", 3)
def two_clusters_in_background(rng):
    z = rng.choice(3, 1000, p=[0.5, 0.25, 0.25])
    X = rng.integers(4, size=(1000, 16))
    keep = (z > 0)[:, None] & (rng.random(X.shape) < 0.7)
    return np.where(keep, rng.integers(4, size=(3, 16))[z], X)


@world("background", 2)
def background_of_two_values(rng):
    X = rng.integers(2, size=(900, 20))
    keep = (rng.random(900) < 0.35)[:, None] & (rng.random(X.shape) < 0.8)
    return np.where(keep, rng.integers(2, size=20), X)


@world("background", 2, seen=False)
def small_cluster_in_background(rng):
    X = rng.integers(3, size=(1500, 14))
    keep = (rng.random(1500) < 0.08)[:, None] & (rng.random(X.shape) < 0.85)
    return np.where(keep, rng.integers(3, size=14), X)


@world("noise columns", 3)
def many_noise_columns(rng):
    X = clusters(rng, 900, np.array([[0] * 5, [1] * 5, [2] * 5]), 0.15, 4)
    return np.hstack([X, rng.integers(4, size=(900, 30))])


@world("noise columns", 4)
def noise_columns_24(rng):
    return np.hstack([random_modes(rng, 700, 4, 3, 0.2, 8), rng.integers(3, size=(700, 24))])


@world("noise columns", 2)
def noise_columns_of_two_values(rng):
    return np.hstack([random_modes(rng, 1000, 2, 2, 0.2, 8), rng.integers(2, size=(1000, 20))])


@world("noise columns", 3, seen=False)
def noise_columns_60(rng):
    return np.hstack([random_modes(rng, 600, 3, 4, 0.25, 10), rng.integers(4, size=(600, 60))])


@world("noise columns", 2, seen=False)
def noise_columns_of_names(rng):
    return np.hstack([random_modes(rng, 800, 2, 3, 0.3, 9), rng.integers(300, size=(800, 4))])


@world("skewed categories", 3)
def skewed_noise(rng):
    shares = np.array([0.6, 0.25, 0.1, 0.05])
    modes, random = rng.choice(4, (3, 15), p=shares), rng.random((900, 15)) < 0.4
    return np.where(random, rng.choice(4, (900, 15), p=shares), modes[rng.integers(3, size=900)])


@world("skewed categories", 4)
def skewed_noise_four(rng):
    shares = np.array([0.5, 0.2, 0.2, 0.1])
    modes, random = rng.choice(4, (4, 18), p=shares), rng.random((1000, 18)) < 0.4
    return np.where(random, rng.choice(4, (1000, 18), p=shares), modes[rng.integers(4, size=1000)])


@world("skewed categories", 2, seen=False)
def rare_properties(rng):
    shares = rng.uniform(0.02, 0.5, size=(2, 40))
    return (rng.random((1000, 40)) < shares[rng.integers(2, size=1000)]).astype(int)


# --- as many as there are ------------------------------------------------------------------------


@world("many clusters", 7)
def seven(rng):
    return random_modes(rng, 1500, 7, 4, 0.4, 20)


@world("many clusters", 8, 12, "more", k_max=8)
def twelve_tried_to_eight(rng):
    return random_modes(rng, 1200, 12, 4, 0.2, 15)


@world("many clusters", 6, 10, "more", k_max=6)
def ten_tried_to_six(rng):
    return random_modes(rng, 1500, 10, 4, 0.25, 16)


@world("many clusters", 9, k_max=10, seen=False)
def nine(rng):
    return random_modes(rng, 1800, 9, 3, 0.3, 22)


@world("few rows", 3)
def three_in_120_rows(rng):
    return random_modes(rng, 120, 3, 4, 0.3, 12)


@world("few rows", 3)
def few_distinct_rows(rng):
    X = rng.integers(3, size=(3, 6))[rng.integers(3, size=600)]
    rows = np.flatnonzero(rng.random(600) < 0.05)
    X[rows, rng.integers(6, size=len(rows))] = rng.integers(3, size=len(rows))
    return X


@world("few rows", 2, seen=False)
def two_in_80_rows(rng):
    return random_modes(rng, 80, 2, 3, 0.3, 14)


@world("one-hot", 3)
def one_hot_clusters(rng):
    return one_hot(random_modes(rng, 800, 3, 4, 0.35, 10))


@world("one-hot", 4, seen=False)
def one_hot_four(rng):
    return one_hot(random_modes(rng, 1000, 4, 3, 0.35, 14))


@world("missing cells", 4)
def clusters_with_missing_cells(rng):
    return missing(rng, random_modes(rng, 800, 4, 3, 0.3, 16), 0.1)


@world("missing cells", 3)
def clusters_and_missing_rates(rng):
    return missing(rng, random_modes(rng, 900, 3, 3, 0.3, 14), rng.beta(0.5, 5, size=(900, 1)))


@world("missing cells", 2, seen=False)
def half_the_rows_answer_less(rng):
    rate = np.where(rng.random(700) < 0.4, 0.45, 0.05)[:, None]
    return missing(rng, rng.integers(4, size=(700, 14)), rate)


@world("clusters and dependence", 3)
def clusters_and_a_pair(rng):
    return copied(rng, random_modes(rng, 4000, 3, 3, 0.4, 14), [(0, 1, 0.3)])


@world("clusters and dependence", 3)
def clusters_and_a_trait(rng):
    own = items(rng, rng.normal(size=1500), 8, 1.2)
    return np.hstack([random_modes(rng, 1500, 3, 3, 0.35, 14), own])


@world("clusters and dependence", 4, seen=False)
def clusters_and_copies(rng):
    X = random_modes(rng, 1000, 4, 4, 0.35, 14)
    return np.hstack([X, X[:, :2]])


# --- no clusters: independent columns ---


@world("independent", 1)
def one_hot_independent(rng):
    return one_hot(rng.integers(4, size=(600, 6)))


@world("independent", 1)
def one_hot_without_the_first(rng):
    return one_hot(rng.integers(4, size=(800, 6)), drop_first=True)


@world("independent", 1)
def skewed_independent(rng):
    return rng.choice(4, (800, 15), p=[0.7, 0.2, 0.06, 0.04])


@world("independent", 1)
def wide_independent(rng):
    return rng.integers(2, size=(150, 120))


@world("independent", 1, seen=False)
def few_rows_independent(rng):
    return rng.integers(4, size=(60, 12))


@world("independent", 1, seen=False)
def unequal_margins(rng):
    return (rng.random((2000, 25)) < rng.uniform(0.03, 0.97, size=25)).astype(int)


# --- no clusters: columns that depend on each other ---


@world("dependent columns", 1)
def one_question_asked_three_times(rng):
    X = rng.integers(3, size=(600, 8))
    return np.hstack([X, X[:, :1], X[:, :1]])


@world("dependent columns", 1)
def weak_dependence_many_rows(rng):
    return copied(rng, rng.integers(3, size=(20_000, 10)), [(0, 1, 0.15)])


@world("dependent columns", 1)
def three_pairs(rng):
    return copied(rng, rng.integers(3, size=(1500, 12)), [(0, 1, 0.4), (2, 3, 0.4), (4, 5, 0.4)])


@world("dependent columns", 1)
def a_chain(rng):
    X = rng.integers(3, size=(3000, 10))
    return copied(rng, X, [(j, j + 1, 0.5) for j in range(9)])


@world("dependent columns", 1, seen=False)
def a_star(rng):
    X = rng.integers(3, size=(1500, 12))
    return copied(rng, X, [(0, j, 0.35) for j in (1, 2, 3)])


@world("dependent columns", 1, seen=False)
def one_question_cut_in_ways(rng):
    X = rng.integers(6, size=(900, 9))
    return np.hstack([X, X[:, :1] // 2, X[:, :1] // 3])


@world("dependent columns", 1, seen=False)
def two_weak_pairs_many_rows(rng):
    return copied(rng, rng.integers(4, size=(12_000, 14)), [(0, 1, 0.12), (5, 9, 0.2)])


# --- no clusters: continua ---


@world("latent traits", 1)
def weak_trait(rng):
    return items(rng, rng.normal(size=1000), 20, 0.6)


@world("latent traits", 1)
def strong_trait(rng):
    return items(rng, rng.normal(size=1000), 25, 2.0)


@world("latent traits", 1)
def two_traits(rng):
    return np.hstack([items(rng, rng.normal(size=1200), 12, 1.2) for _ in range(2)])


@world("latent traits", 1)
def skewed_trait(rng):
    return items(rng, rng.exponential(size=1000) - 1, 18, 1.2)


@world("latent traits", 1)
def graded_answers(rng):
    y = 0.6 * rng.normal(size=(800, 1)) + 0.8 * rng.normal(size=(800, 12))
    return np.digitize(y, [-0.8, 0, 0.8])


@world("latent traits", 1)
def five_factors(rng):
    traits = np.repeat(rng.normal(size=(1200, 5)), 5, axis=1)
    y = 0.7 * traits + 0.7 * rng.normal(size=(1200, 25)) + 0.4 * rng.normal(size=25)
    return np.digitize(y, [-1.2, -0.4, 0.4, 1.2])


@world("latent traits", 1, seen=False)
def trait_of_few_items(rng):
    return items(rng, rng.normal(size=700), 10, 1.0)


@world("latent traits", 1, seen=False)
def trait_of_unequal_loads(rng):
    return items(rng, rng.normal(size=1500), 22, rng.uniform(0, 2.5, size=22))


@world("latent traits", 1, seen=False)
def three_traits(rng):
    return np.hstack([items(rng, rng.normal(size=1500), 8, 1.3) for _ in range(3)])


@world("latent traits", 1, seen=False)
def uniform_trait(rng):
    return items(rng, rng.uniform(-2, 2, size=900), 16, 1.1)


@world("missing rates", 1)
def missing_rates_vary(rng):
    return missing(rng, rng.integers(3, size=(600, 12)), rng.beta(0.5, 3, size=(600, 1)))


@world("missing rates", 1)
def missing_rates_vary_less(rng):
    return missing(rng, rng.integers(4, size=(900, 10)), rng.beta(1, 4, size=(900, 1)))


@world("missing rates", 1, seen=False)
def missing_rates_vary_more(rng):
    return missing(rng, rng.integers(3, size=(1000, 15)), rng.beta(0.3, 4, size=(1000, 1)))


@world("missing rates", 1, seen=False)
def answers_end_somewhere(rng):
    X = rng.integers(3, size=(700, 12)).astype(float)
    X[np.arange(12) >= rng.integers(4, 40, size=700)[:, None]] = np.nan
    return pd.DataFrame(X)


# --- further worlds of these kinds, written when the rule was done -------------------------------


@world("unequal sizes", 3, seen=False)
def sizes_1_20_40(rng):
    return random_modes(rng, 2000, 3, 5, 0.3, 12, [1, 20, 40])


@world("unequal sizes", 3, seen=False)
def sizes_binary_1_5_10(rng):
    return random_modes(rng, 800, 3, 2, 0.25, 30, [1, 5, 10])


@world("background", 4, seen=False)
def three_clusters_in_background(rng):
    z, X = rng.choice(4, 1200, p=[0.55, 0.15, 0.15, 0.15]), rng.integers(3, size=(1200, 20))
    keep = (z > 0)[:, None] & (rng.random(X.shape) < 0.75)
    return np.where(keep, rng.integers(3, size=(4, 20))[z], X)


@world("background", 3, seen=False)
def clusters_in_different_columns(rng):
    z, X = rng.choice(3, 1000, p=[0.4, 0.3, 0.3]), rng.integers(4, size=(1000, 20))
    own = np.zeros((3, 20), dtype=bool)
    own[1, :8] = own[2, 8:16] = True
    keep = own[z] & (rng.random(X.shape) < 0.75)
    return np.where(keep, rng.integers(4, size=20), X)


@world("noise columns", 4, seen=False)
def noise_columns_of_two_and_six_values(rng):
    noise = [rng.integers(2, size=(1200, 15)), rng.integers(6, size=(1200, 10))]
    return np.hstack([random_modes(rng, 1200, 4, 5, 0.3, 7), *noise])


@world("one-hot", 3, seen=False)
def one_hot_clusters_without_the_first(rng):
    return one_hot(random_modes(rng, 900, 3, 3, 0.3, 12), drop_first=True)


@world("missing cells", 3, seen=False)
def rates_differ_by_cluster(rng):
    z, modes = rng.integers(3, size=900), rng.integers(4, size=(3, 14))
    random = rng.random((900, 14)) < 0.35
    X = np.where(random, rng.integers(4, size=(900, 14)), modes[z])
    return missing(rng, X, np.array([0.05, 0.15, 0.3])[z][:, None])


@world("independent", 1, seen=False)
def one_hot_of_unequal_columns(rng):
    sizes = (2, 3, 4, 5, 6, 3, 4)
    return one_hot(np.column_stack([rng.choice(k, 700, p=rng.dirichlet([2] * k)) for k in sizes]))


@world("dependent columns", 1, seen=False)
def blocks_of_three(rng):
    copies = [(0, 1, 0.3), (0, 2, 0.3), (3, 4, 0.3), (3, 5, 0.3), (6, 7, 0.3)]
    return copied(rng, rng.integers(3, size=(2000, 14)), copies)


@world("dependent columns", 1, seen=False)
def a_ring(rng):
    X = rng.integers(3, size=(1500, 10))
    return copied(rng, X, [(j, (j + 1) % 10, 0.35) for j in range(10)])


@world("latent traits", 1, seen=False)
def heavy_tailed_trait(rng):
    y = rng.uniform(0.3, 0.9, 15) * rng.standard_t(4, size=(1500, 1))
    return np.digitize(y + 0.7 * rng.normal(size=y.shape), [-1.2, -0.4, 0.4, 1.2])


@world("latent traits", 1, seen=False)
def correlated_traits(rng):
    traits = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], 1200)
    y = 0.7 * np.repeat(traits, 10, axis=1) + 0.7 * rng.normal(size=(1200, 20))
    return np.digitize(y, [-0.5, 0.5])


@world("unfolding", 1, seen=False)
def places_on_a_line(rng):
    """Unfolding: a person agrees with what is near, and not with what is beyond."""
    distance = rng.normal(size=(1000, 1)) - 1.2 * rng.normal(size=15)
    return (rng.random(distance.shape) < 0.9 * np.exp(-(distance**2))).astype(int)


@world("missing rates", 1, seen=False)
def trait_and_missing_cells(rng):
    trait = rng.normal(size=1000)
    return missing(rng, items(rng, trait, 16, 1.2), 1 / (1 + np.exp(2 + trait))[:, None])
