"""Other means of choosing the number of clusters, for the simulation: none is part of the rule.

Each takes a table of category codes (n, columns) and the numbers of clusters to try, and returns
one of these, 1 where it sees no clusters.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from stepmix.stepmix import StepMix

from afterfit.categorical import KModes, choose_n_clusters

Codes = NDArray[np.int64]

# Cheap settings: tables that the gap compares with, halvings, bootstrap samples, starts of EM.
N_REFERENCES = 4
N_HALVINGS = 4
N_RESAMPLES = 4
N_STARTS = 2

# All but the gap see no more rows than this, as the package's own latent classes.
MOST_ROWS = 4_000

# Strength from which on clusters are predicted (Tibshirani & Walther 2005), and Jaccard index from
# which on a cluster is stable (Hennig 2007, fpc::clusterboot).
PREDICTED = 0.8
STABLE = 0.75


def codes_of(X: Any) -> Codes:
    """Return the cells as codes from 0, a missing one as a category of its own."""
    frame = pd.DataFrame(X)
    columns = [pd.factorize(frame[name], use_na_sentinel=False)[0] for name in frame]
    return np.column_stack(columns)


def chosen_by_means(X: Any, k_values: Sequence[int], seed: int) -> dict[str, int | None]:
    """Return what each of the means says of a table."""
    codes = codes_of(X)
    by_gap = gap(codes, k_values, seed)
    if len(codes) > MOST_ROWS:
        codes = codes[np.random.default_rng(seed).choice(len(codes), MOST_ROWS, replace=False)]
    return {
        "gap": by_gap,
        "prediction_strength": greatest(prediction_strength, codes, k_values, PREDICTED, seed),
        "jaccard": greatest(least_jaccard, codes, k_values, STABLE, seed),
        **latent_classes(codes, k_values, seed),
    }


def gap(codes: Codes, k_values: Sequence[int], seed: int) -> int | None:
    """Return the first K whose gap the next does not exceed by a standard error, or None."""
    few = {"n_init": 1, "n_references": N_REFERENCES}
    result = choose_n_clusters(codes, k_values, criteria=["gap"], **few, random_state=seed)
    return result.suggestions["gap"]


def greatest(
    measure: Callable[[Codes, int, np.random.Generator], NDArray[np.float64]],
    codes: Codes,
    k_values: Sequence[int],
    enough: float,
    seed: int,
) -> int:
    """Return the greatest K whose mean measure, or one standard error more, is enough; else 1."""
    rng = np.random.default_rng(seed)
    found = 1
    for k in k_values:
        if k > 1:
            values = measure(codes, k, rng)
            error = values.std(ddof=1) / np.sqrt(len(values))
            found = k if values.mean() + error >= enough else found
    return found


def prediction_strength(codes: Codes, k: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return how well one half's clusters predict who is together in the other, for each halving.

    Of the least well predicted cluster, the share of its pairs of rows that are together there.
    """
    strengths = []
    for _ in range(N_HALVINGS):
        order = rng.permutation(len(codes))
        halves = codes[order[: len(codes) // 2]], codes[order[len(codes) // 2 :]]
        models = [clustered(half, k, rng) for half in halves]
        for own, half, other in zip(models, halves, models[::-1], strict=True):
            counts = pd.crosstab(own.labels_, other.predict(half)).to_numpy()
            sizes = counts.sum(axis=1)
            together = (counts * (counts - 1)).sum(axis=1)[sizes > 1]
            strengths.append(np.min(together / (sizes * (sizes - 1))[sizes > 1]))
    return np.array(strengths).reshape(-1, 2).mean(axis=1)


def least_jaccard(codes: Codes, k: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return for each bootstrap sample the Jaccard index of the cluster that is least stable.

    A cluster's index is that with the most similar cluster of the sample, of the rows in both.
    The least stable is the one with the least mean.
    """
    labels = clustered(codes, k, rng).labels_
    indices = np.zeros((N_RESAMPLES, k))
    for resample in indices:
        drawn = np.unique(rows := rng.integers(len(codes), size=len(codes)))
        again = clustered(codes[rows], k, rng).predict(codes[drawn])
        both = pd.crosstab(labels[drawn], again)
        either = both.sum(axis=1).to_numpy()[:, None] + both.sum().to_numpy() - both.to_numpy()
        resample[both.index] = (both.to_numpy() / either).max(axis=1)
    return indices[:, indices.mean(axis=0).argmin()]


def latent_classes(codes: Codes, k_values: Sequence[int], seed: int) -> dict[str, int | None]:
    """Return the numbers of latent classes with the least BIC and ICL, as stepmix fits them."""
    bic, icl = {}, {}
    for k in k_values:
        model = StepMix(
            k,
            measurement="categorical",
            n_init=N_STARTS if k > 1 else 1,
            abs_tol=1e-6,  # of the mean log likelihood
            max_iter=300,
            random_state=seed,
            progress_bar=0,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # steps that were not enough
            model.fit(codes)
        bic[k] = model.bic(codes)
        icl[k] = bic[k] + 2 * model.entropy(codes)
    return {"bic": min(bic, key=bic.__getitem__), "icl": min(icl, key=icl.__getitem__)}


def clustered(codes: Codes, k: int, rng: np.random.Generator) -> KModes:
    """Return k-modes of the rows, of as many clusters as there are distinct ones at most."""
    k = min(k, len(np.unique(codes, axis=0)))
    return KModes(k, n_init=1, random_state=int(rng.integers(2**31))).fit(codes)
