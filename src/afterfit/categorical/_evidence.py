"""The evidence for a number of clusters: fits, references and resamples, and what follows."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from afterfit._labels import encode_labels
from afterfit.categorical._engine import Engine
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

CRITERIA = ("knee", "silhouette", "gap", "stability")

# References and resamples have no more rows than this; larger tables are represented, for these
# two criteria only, by random samples of so many rows.
COMPARED_ROWS = 20_000

# Costs below half a mismatch count as that: the logarithm of a perfect fit is no number.
LEAST_COST = 0.5

# Clusters that come back with less agreement (adjusted Rand index) than this are not stable.
STABLE = 0.8

# By how many standard errors the greatest gap must exceed that of K = 1 to be taken for structure
# (it is the greatest of many), and that of another K to be taken for more of it (Tibshirani's).
STRUCTURE_ERRORS = 3.0
MORE_ERRORS = 1.0

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

    def reference(
        self, rows: Packed, k_values: Sequence[int], rng: np.random.Generator
    ) -> FloatArray:
        """Return the cost for each K of a table with independent columns and the same margins."""
        return self.costs(independent(rows, rng), k_values, rng)

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

    def reference(
        self, rows: Packed, k_values: Sequence[int], rng: np.random.Generator
    ) -> FloatArray:
        """Return the cost for each K of a table with independent columns and the same margins."""
        return self.costs(independent(rows, rng), k_values, rng)

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
            index = np.repeat(index, units.weights.astype(np.int64))
        rows = self.table.decode(units.rows(index))
        if not isinstance(self.X, pd.DataFrame):
            return rows
        return pd.DataFrame(rows, columns=self.X.columns).astype(dict(self.X.dtypes))


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


def rand_index(a: Labels, b: Labels, weights: FloatArray | None) -> float:
    """Return the adjusted Rand index of two labellings of weighted rows (Hubert & Arabie 1985)."""
    n_b = int(b.max()) + 1
    index = a.astype(np.int64) * n_b + b
    table = np.bincount(index, weights, minlength=(int(a.max()) + 1) * n_b).reshape(-1, n_b)
    total = float(table.sum())

    def pairs(counts: FloatArray) -> float:
        return float((counts * (counts - 1)).sum() / 2)

    both = pairs(table.astype(np.float64))
    in_a, in_b = pairs(table.sum(axis=1)), pairs(table.sum(axis=0))
    expected = in_a * in_b / max(total * (total - 1) / 2, 1.0)
    most = (in_a + in_b) / 2
    return 1.0 if most == expected else (both - expected) / (most - expected)


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


def last_structure(k_values: Sequence[int], gap: FloatArray, error: FloatArray) -> int | None:
    """Return the first K whose gap is hardly below the greatest: up to there it clearly grows.

    None where that is the last K of several: the gap still grows there.
    """
    greatest = int(np.argmax(gap))
    n_errors = np.where(np.asarray(k_values) == 1, STRUCTURE_ERRORS, MORE_ERRORS)
    near = int(np.argmax(gap >= gap[greatest] - n_errors * error[greatest]))
    return None if near == len(k_values) - 1 > 0 else k_values[near]


def best_silhouette(k_values: Sequence[int], scores: FloatArray) -> int | None:
    """Return the K with the greatest silhouette above 0, the first where equal, or None."""
    if np.isnan(scores).all() or np.nanmax(scores) <= 0:
        return None
    return k_values[int(np.nanargmax(scores))]


def most_stable(k_values: Sequence[int], agreement: FloatArray) -> int | None:
    """Return the K > 1 whose clusters come back best, the greatest where equal.

    Where none is stable it is 1, if 1 was tried; else None.
    """
    several = [i for i, k in enumerate(k_values) if k > 1 and np.isfinite(agreement[i])]
    best = max(several, key=lambda i: (round(float(agreement[i]), 12), i), default=None)
    if best is not None and agreement[best] >= STABLE:
        return k_values[best]
    return 1 if 1 in k_values else None


def decide(
    k_values: Sequence[int], suggestions: Mapping[str, int | None], evidence: pd.DataFrame
) -> tuple[int | None, str]:
    """Return the K of the rule and why; `choose_n_clusters` documents it."""
    last = None
    if "gap" in suggestions:
        gap, error = (evidence[name].to_numpy() for name in ("gap", "gap_standard_error"))
        last = last_structure(k_values, gap, error)
        if last is not None and (last == 1 or "stability" not in suggestions):
            return last, "after which the gap no longer clearly grows"
    if "stability" in suggestions:
        most = k_values[-1] if last is None else last
        again = evidence["stability"][(evidence.index > 1) & (evidence.index <= most)]
        if last is not None and again[last] >= STABLE:
            return last, (
                "after which the gap no longer clearly grows; its clusters come back in resamples "
                f"(adjusted Rand index {again[last]:.2f})"
            )
        stable = again[again >= STABLE]
        if len(stable):
            by = evidence["silhouette"] if "silhouette" in suggestions else again
            k = int(by[stable.index].idxmax())
            return k, _among_stable(k, again, most, last, suggestions)
        if last is not None:
            return last, (
                "after which the gap no longer clearly grows, though no K has clusters that come "
                "back in resamples"
            )
    for name in ("silhouette", "stability", "knee"):
        suggested = suggestions.get(name)
        if suggested is not None:
            since = "since the gap still grows at the greatest K tried, "
            return suggested, f"{since if 'gap' in suggestions else ''}what the {name} suggests"
    return None, "nothing decides"


def _among_stable(
    k: int, again: pd.Series, most: int, last: int | None, suggestions: Mapping[str, int | None]
) -> str:
    best = "the greatest silhouette" if "silhouette" in suggestions else "the best"
    reason = (
        f"with {best} of the K whose clusters come back in resamples (adjusted Rand index "
        f"{again[k]:.2f})"
    )
    if "gap" not in suggestions:
        return reason
    grows = "still grows at the greatest K tried" if last is None else f"grows up to K = {most}"
    return f"{reason}; the gap {grows}, where that index is {again[most]:.2f}"


def summary(suggestions: Mapping[str, int | None], n_clusters: int | None, reason: str) -> str:
    """Return in words what each criterion suggests, whether they agree, and the choice."""
    by_k: dict[int | None, list[str]] = {}
    for name, k in suggestions.items():
        by_k.setdefault(k, []).append(f"the {name}")
    listed = ", ".join(_suggest(names, k) for k, names in by_k.items())
    if not by_k:
        verdict = "No criterion was asked for."
    elif len(by_k) > 1:
        verdict = f"{listed[0].upper()}{listed[1:]}: they disagree."
    elif len(suggestions) > 1 and None not in by_k:
        verdict = f"All criteria agree: K = {next(iter(by_k))}."
    else:
        verdict = f"{listed[0].upper()}{listed[1:]}."
    chosen = "No K is chosen" if n_clusters is None else f"Chosen: K = {n_clusters}"
    return f"{verdict} {chosen}, {reason}."


def _suggest(names: Sequence[str], k: int | None) -> str:
    joined = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    return f"{joined} suggest{'s' if len(names) == 1 else ''} {'no K' if k is None else f'K = {k}'}"
