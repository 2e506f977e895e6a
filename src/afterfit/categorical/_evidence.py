"""The evidence for a number of clusters: fits, references and resamples, and what follows."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from afterfit._labels import encode_labels
from afterfit.categorical._choice import STABLE
from afterfit.categorical._engine import Engine
from afterfit.categorical._latent import rand_index
from afterfit.categorical._search import Found, search
from afterfit.categorical._silhouette import silhouettes
from afterfit.categorical._tables import (
    CategoryTable,
    Packed,
    independent,
    sampled,
)

FloatArray = NDArray[np.float64]
Labels = NDArray[np.integer]

CRITERIA = ("knee", "silhouette", "gap", "stability", "latent_classes")

# References and resamples have no more rows than this; larger tables are represented, for these
# two criteria only, by random samples of so many rows.
COMPARED_ROWS = 20_000

# Costs below half a mismatch count as that: the logarithm of a perfect fit is no number.
LEAST_COST = 0.5

# The names under which estimators keep the cost of their fit.
COST_NAMES = ("cost_", "inertia_")


@dataclass(frozen=True)
class Fitted:
    """One fit of the table itself."""

    cost: float
    labels: Labels  # of the units (own fits) or rows (other estimators')
    silhouette: float | None
    model: Any


@dataclass(frozen=True)
class OwnFits:
    """Fits by the package's own k-modes. Each method is a task that may run elsewhere."""

    units: Packed
    n_init: int

    def data(self, n_clusters: int, rng: np.random.Generator, silhouette: bool) -> Fitted:
        """Return the fit of the table with K clusters."""
        found = self._search(self.units, n_clusters, rng)
        labels = Engine(self.units).labels(found.modes)
        score = None
        if silhouette and n_clusters > 1:
            score = mean_silhouette(self.units, labels, n_clusters)
        return Fitted(found.cost, labels, score, found)

    def costs(self, units: Packed, k_values: Sequence[int], rng: np.random.Generator) -> FloatArray:
        """Return the cost of other rows for each K."""
        return np.array([self._search(units, k, rng).cost for k in k_values])

    def resample(
        self,
        n_rows: int,
        k_values: Sequence[int],
        labels: Sequence[Labels],
        rng: np.random.Generator,
    ) -> FloatArray:
        """Return for each K how far a bootstrap sample's clusters agree with `labels`."""
        sample = sampled(self.units, n_rows, rng, replace=True)
        engine = Engine(self.units)
        agreement = []
        for k, known in zip(k_values, labels, strict=True):
            again = engine.labels(self._search(sample, k, rng).modes)
            agreement.append(rand_index(known, again, self.units.weights))
        return np.array(agreement)

    def _search(self, units: Packed, n_clusters: int, rng: np.random.Generator) -> Found:
        # A reference or resample may have fewer distinct rows than clusters: each is its own.
        return search(
            units,
            min(n_clusters, units.n_units),
            init="huang",
            n_init=self.n_init,
            max_iter=100,
            rng=rng,
        )


@dataclass(frozen=True)
class OtherFits:
    """Fits by another estimator with `fit`, `labels_` and a cost; it gets rows of categories."""

    estimator: Any
    X: Any
    sample_weight: FloatArray | None
    table: CategoryTable
    units: Packed  # the rows as they come, with their weights

    def data(self, n_clusters: int, rng: np.random.Generator, silhouette: bool) -> Fitted:
        """Return the fit of the table with K clusters."""
        weights = {} if self.sample_weight is None else {"sample_weight": self.sample_weight}
        model = self._fitted(self.X, n_clusters, rng, **weights)
        labels, names = encode_labels(labels_of(model, self.units.n_units), "labels_")
        n_found = len(names)
        score = None
        if silhouette and n_found > 1:
            score = mean_silhouette(self.units, labels, n_found)
        return Fitted(cost_of(model), labels, score, model)

    def costs(self, units: Packed, k_values: Sequence[int], rng: np.random.Generator) -> FloatArray:
        """Return the cost of other rows for each K."""
        X, most = self._rows(units), units.n_units
        return np.array([cost_of(self._fitted(X, min(k, most), rng)) for k in k_values])

    def resample(
        self,
        n_rows: int,
        k_values: Sequence[int],
        labels: Sequence[Labels],
        rng: np.random.Generator,
    ) -> FloatArray:
        """Return for each K how far a bootstrap sample's clusters agree with `labels`."""
        sample = sampled(self.units, n_rows, rng, replace=True)
        X, most = self._rows(sample), sample.n_units
        agreement = []
        for k, known in zip(k_values, labels, strict=True):
            again = self._fitted(X, min(k, most), rng).predict(self.X)
            codes = encode_labels(again, "predict(X)")[0]
            agreement.append(rand_index(known, codes, self.units.weights))
        return np.array(agreement)

    def _fitted(self, X: Any, n_clusters: int, rng: np.random.Generator, **weights: Any) -> Any:
        model = clone(self.estimator)
        parameters = {"n_clusters": n_clusters}
        if "random_state" in model.get_params():
            parameters["random_state"] = int(rng.integers(2**31 - 1))
        model.set_params(**parameters)
        model.fit(X, **weights)
        return model

    def _rows(self, units: Packed) -> Any:
        index = np.arange(units.n_units)
        if units.weights is not None:
            index = np.repeat(index, units.weights.astype(np.intp))
        rows = self.table.decode(units.rows(index))
        if not isinstance(self.X, pd.DataFrame):
            return rows
        return pd.DataFrame(rows, columns=self.X.columns).astype(dict(self.X.dtypes))


def reference_costs(
    fits: OwnFits | OtherFits, rows: Packed, k_values: Sequence[int], rng: np.random.Generator
) -> FloatArray:
    """Return the cost for each K of a table with independent columns and the same margins."""
    return fits.costs(independent(rows, rng), k_values, rng)


def mean_silhouette(units: Packed, labels: Labels, n_clusters: int) -> float | None:
    """Return the mean silhouette over rows, or None where fewer than two clusters have rows."""
    if len(np.unique(labels)) < 2:
        return None
    values = silhouettes(units.columns(), units.sizes, labels, n_clusters, units.weights)
    return float(np.average(values, weights=units.weights))


def cost_of(model: Any) -> float:
    """Return the cost that a fitted estimator keeps, or raise."""
    kept = [name for name in COST_NAMES if hasattr(model, name)]
    if not kept:
        names = " or ".join(f"`{name}`" for name in COST_NAMES)
        raise TypeError(
            f"`estimator` must keep its cost in {names} once it is fitted, got "
            f"{type(model).__name__}, which has neither."
        )
    cost = float(getattr(model, kept[0]))
    if not 0 <= cost < np.inf:
        raise ValueError(
            f"`estimator` must keep a cost that is finite and not negative, got {cost:g} in "
            f"`{kept[0]}` of {model!r}."
        )
    return cost


def labels_of(model: Any, n_rows: int) -> Any:
    """Return the labels that a fitted estimator keeps, or raise."""
    if not hasattr(model, "labels_"):
        raise TypeError(
            "`estimator` must keep the cluster of each row in `labels_` once it is fitted, got "
            f"{type(model).__name__}, which has none."
        )
    if len(model.labels_) != n_rows:
        raise ValueError(
            f"`estimator` must keep one label for each of the {n_rows} row(s) of `X` in `labels_`, "
            f"got {len(model.labels_)} from {model!r}."
        )
    return model.labels_


def knee_of(k_values: Sequence[int], costs: FloatArray) -> int | None:
    """Return the knee of the costs (Satopaa et al. 2011), or None where there is none."""
    from kneed import KneeLocator

    if len(k_values) < 3 or costs[0] <= costs[-1]:
        return None
    with warnings.catch_warnings():  # kneed warns where it finds none; None says so too
        warnings.simplefilter("ignore")
        knee = KneeLocator(k_values, costs, curve="convex", direction="decreasing").knee
    return None if knee is None else int(knee)


def gap_of(costs: FloatArray, references: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the gap statistic and its standard error for each K (Tibshirani et al. 2001).

    Costs are whole numbers: where the references agree, the error is that of half a mismatch.
    """
    logs = np.log(np.maximum(references, LEAST_COST))
    gap = logs.mean(axis=0) - np.log(np.maximum(costs, LEAST_COST))
    least = LEAST_COST / np.maximum(references.mean(axis=0), LEAST_COST)
    spread = np.maximum(logs.std(axis=0), least)
    return gap, spread * np.sqrt(1 + 1 / len(references))


def first_within(k_values: Sequence[int], gap: FloatArray, error: FloatArray) -> int | None:
    """Return the first K with gap(K) >= gap(next K) - error(next K), or None."""
    for i, k in enumerate(k_values[:-1]):
        if gap[i] >= gap[i + 1] - error[i + 1]:
            return k
    return None


def best_silhouette(k_values: Sequence[int], scores: FloatArray) -> int | None:
    """Return the K with the largest silhouette above 0, the first where equal, or None."""
    if np.isnan(scores).all() or np.nanmax(scores) <= 0:
        return None
    return k_values[int(np.nanargmax(scores))]


def most_stable(k_values: Sequence[int], agreement: FloatArray) -> int | None:
    """Return the K > 1 whose clusters recur best, the largest where equal.

    Where none is stable it is 1, if 1 was tried; else None.
    """
    several = [i for i, k in enumerate(k_values) if k > 1 and np.isfinite(agreement[i])]
    best = max(several, key=lambda i: (round(float(agreement[i]), 12), i), default=None)
    if best is not None and agreement[best] >= STABLE:
        return k_values[best]
    return 1 if 1 in k_values else None
