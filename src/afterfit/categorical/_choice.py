"""The rule: from the evidence to a number of clusters, how sure it is, and why, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from afterfit.categorical._latent import ERRORS, NOTHING, PAIRS, Examined

# Clusters that recur with less agreement (adjusted Rand index) than this are called unstable.
STABLE = 0.8

# Mean silhouettes of more than this are "a strong structure" (Kaufman & Rousseeuw 1990, table 4).
STRONG = 0.7

# Classes that are less than so many standard errors above a model without them are not taken.
LEAST_ERRORS = 1.0


@dataclass(frozen=True)
class Choice:
    """A number of clusters or None, how sure it is, what there is instead, and why."""

    n_clusters: int | None
    confidence: str
    structure: str
    reason: str


def decide(
    k_values: Sequence[int],
    suggestions: Mapping[str, int | None],
    evidence: pd.DataFrame,
    examined: Examined | None,
) -> Choice:
    """Return the choice by the rule that `choose_n_clusters` documents."""
    if examined is None:
        return _by_agreement(suggestions)
    n_classes, errors = examined.n_classes, examined.errors
    if n_classes == 1 or errors <= 0:
        return _without_clusters(k_values, evidence, examined)
    above = _above(examined)
    if n_classes > k_values[-1]:
        return Choice(
            None,
            "none",
            "more clusters",
            f"since latent classes grow beyond the largest K tried, {k_values[-1]}: try more",
        )
    if n_classes not in k_values:
        return Choice(
            None,
            "none",
            "clusters",
            f"since latent classes fit best with {n_classes}, which was not among the K tried",
        )
    if errors < LEAST_ERRORS and examined.best_rival != NOTHING:
        return Choice(
            None, "none", "undecided", f"since {n_classes} latent classes are only {above}"
        )
    reason = f"as many as the latent classes that fit best, {above}"
    sure = errors >= ERRORS
    if examined.agreement < STABLE:
        sure = False
        reason += (
            f"; the k-modes clusters are others (adjusted Rand index {examined.agreement:.2f})"
        )
    return Choice(n_classes, "high" if sure else "low", "clusters", reason)


def _without_clusters(
    k_values: Sequence[int], evidence: pd.DataFrame, examined: Examined
) -> Choice:
    """Return the choice where a model without classes fits best."""
    n_classes, errors = examined.n_classes, examined.errors
    compact = evidence.get("silhouette", pd.Series(dtype=float)).get(n_classes, np.nan)
    if n_classes > 1 and compact >= STRONG:
        reason = f"since its clusters are compact (silhouette {compact:.2f})"
        return Choice(n_classes, "low", "clusters", f"{reason}, though {_below(examined)}")
    again = evidence.get("stability", pd.Series(dtype=float))
    stable = again[(again.index > 1) & (again >= STABLE)]
    if n_classes > 1 and errors > -ERRORS and len(stable):
        reason = f"since {_below(examined)}, by less than {ERRORS:g} standard errors, and clusters"
        return Choice(None, "none", "undecided", f"{reason} recur in resamples")
    if examined.best_rival == NOTHING:
        structure, reason = "none", "since no latent classes fit better than independent columns"
    elif examined.best_rival == PAIRS:
        structure, reason = "dependence", f"since {_below(examined)}"
    else:
        structure, reason = "continuum", f"since {_below(examined)}"
        if len(stable):
            parts = f"K = {stable.idxmax()} cuts the continuum into parts that recur in"
            reason += f"; {parts} resamples ({stable.max():.2f}): segments, not clusters"
    if 1 not in k_values:
        return Choice(None, "none", structure, f"{reason}, and K = 1 was not tried")
    return Choice(1, "high" if errors <= -ERRORS else "low", structure, reason)


def _above(examined: Examined) -> str:
    rival = examined.best_rival
    which = rival if rival == NOTHING else f"the best model without classes ({rival})"
    return f"{examined.errors:.1f} standard errors above {which}"


def _below(examined: Examined) -> str:
    what = "columns that depend on each other in pairs"
    if examined.best_rival != PAIRS:
        what = f"a continuum ({examined.best_rival})"
    return f"{what} fit{'' if examined.best_rival == PAIRS else 's'} better than any latent classes"


def _by_agreement(suggestions: Mapping[str, int | None]) -> Choice:
    """Return the choice without latent classes: what all criteria agree on that suggest a K."""
    agreed = {k for k in suggestions.values() if k is not None}
    if len(agreed) != 1:
        reason = "since latent classes were not asked for, and without them all criteria must agree"
        return Choice(None, "none", "undecided", reason)
    k = agreed.pop()
    reason = "without latent classes, which alone tell clusters from dependence"
    return Choice(k, "low", "clusters" if k > 1 else "none", reason)


def summary(suggestions: Mapping[str, int | None], choice: Choice) -> str:
    """Return in words what each criterion suggests, whether they agree, and the choice."""
    by_k: dict[int | None, list[str]] = {}
    for name, k in suggestions.items():
        by_k.setdefault(k, []).append(f"the {name.replace('_', ' ')}")
    listed = ", ".join(_suggest(names, k) for k, names in by_k.items())
    if not by_k:
        verdict = "No criterion was asked for."
    elif len(by_k) > 1:
        verdict = f"{listed[0].upper()}{listed[1:]}: they disagree."
    elif len(suggestions) > 1 and None not in by_k:
        verdict = f"All criteria agree: K = {next(iter(by_k))}."
    else:
        verdict = f"{listed[0].upper()}{listed[1:]}."
    k = choice.n_clusters
    chosen = "No K is chosen" if k is None else f"Chosen: K = {k}"
    return f"{verdict} {chosen}, {choice.reason}."


def _suggest(names: Sequence[str], k: int | None) -> str:
    joined = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    several = len(names) > 1 or names[0].endswith("s")
    return f"{joined} suggest{'' if several else 's'} {'no K' if k is None else f'K = {k}'}"
