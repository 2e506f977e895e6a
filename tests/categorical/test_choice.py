"""Tests of the rule: what it says of made-up evidence, and in which words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from afterfit.categorical import _choice
from afterfit.categorical._latent import NOTHING, PAIRS, Examined


def examined(n_classes, errors, rival=NOTHING, agreement=0.95):
    return Examined({1: 0.0}, n_classes, {rival: 0.0}, rival, errors, agreement)


def evidence(silhouette=0.2, stability=0.5, k_values=(1, 2, 3, 4)):
    table = pd.DataFrame({"silhouette": silhouette, "stability": stability}, index=k_values)
    table.loc[table.index == 1, "stability"] = 1.0
    return table


@pytest.mark.parametrize(
    ("found", "table", "expected"),
    [
        (examined(3, 5.0), evidence(), (3, "high", "clusters")),
        (examined(3, 1.5), evidence(), (3, "low", "clusters")),
        (examined(3, 5.0, agreement=0.79), evidence(), (3, "low", "clusters")),
        (examined(3, 5.0, agreement=0.8), evidence(), (3, "high", "clusters")),
        (examined(3, 0.5), evidence(), (3, "low", "clusters")),
        (examined(3, 0.99, "1 trait"), evidence(), (None, "none", "undecided")),
        (examined(3, 1.0, "1 trait"), evidence(), (3, "low", "clusters")),
        (examined(3, 2.0, PAIRS), evidence(), (3, "high", "clusters")),
        (examined(5, 9.0), evidence(), (None, "none", "more clusters")),
        (examined(3, 9.0), evidence(k_values=(1, 2, 4)), (None, "none", "clusters")),
        (examined(1, -np.inf), evidence(), (1, "high", "none")),
        (examined(1, -1.0), evidence(), (1, "low", "none")),
        (examined(3, -5.0, "1 trait"), evidence(), (1, "high", "continuum")),
        (examined(3, -5.0, "2 traits"), evidence(stability=0.9), (1, "high", "continuum")),
        (examined(3, -5.0, PAIRS), evidence(), (1, "high", "dependence")),
        (examined(3, -1.0, PAIRS), evidence(), (1, "low", "dependence")),
        (examined(3, -1.0, PAIRS), evidence(stability=0.8), (None, "none", "undecided")),
        (examined(3, -2.0, PAIRS), evidence(stability=0.8), (1, "high", "dependence")),
        (examined(3, -5.0, PAIRS), evidence(silhouette=0.7), (3, "low", "clusters")),
        (examined(3, -5.0, PAIRS), evidence(silhouette=0.69), (1, "high", "dependence")),
        (examined(1, -9.0), evidence(silhouette=0.9), (1, "high", "none")),
        (examined(3, -5.0, PAIRS), evidence(k_values=(2, 3)), (None, "none", "dependence")),
        # Neither silhouette nor stability was asked for.
        (examined(3, -1.0, PAIRS), pd.DataFrame(index=[1, 2, 3]), (1, "low", "dependence")),
    ],
)
def test_rule_with_latent_classes(found, table, expected):
    choice = _choice.decide(list(table.index), {}, table, found)
    assert (choice.n_clusters, choice.confidence, choice.structure) == expected


@pytest.mark.parametrize(
    ("found", "table", "words"),
    [
        (examined(3, 5.04, "1 trait"), evidence(), "5.0 standard errors above the best model with"),
        (examined(3, 5.0, agreement=0.3), evidence(), "k-modes clusters are others (adjusted Rand"),
        (examined(5, 9.0), evidence(), "grow beyond the largest K tried, 4: try more"),
        (examined(3, 9.0), evidence(k_values=(1, 2, 4)), "with 3, which was not among the K tried"),
        (examined(3, -5.0, "1 trait"), evidence(stability=0.9), "K = 2 cuts the continuum into"),
        (
            examined(3, -5.0, PAIRS),
            evidence(),
            "columns that depend on each other in pairs fit bet",
        ),
        (examined(3, -5.0, PAIRS), evidence(silhouette=0.7), "are compact (silhouette 0.70)"),
        (examined(1, -9.0), evidence(k_values=(2, 3)), "and K = 1 was not tried"),
        (examined(3, -1.0, PAIRS), evidence(stability=0.8), "by less than 2 standard errors, and"),
    ],
)
def test_reasons(found, table, words):
    assert words in _choice.decide(list(table.index), {}, table, found).reason


GAP = {"gap": [0, 1, 2, 1.9], "gap_standard_error": [0.1] * 4}
GROWS = {**GAP, "gap": [0, 1, 2, 3]}


@pytest.mark.parametrize(
    ("suggestions", "columns", "expected", "words"),
    [
        (["gap"], GAP, 3, "no longer clearly grows"),
        (["gap", "stability"], {**GAP, "stability": [1, 0.9, 0.95, 0.5]}, 3, "0.95"),
        (["gap", "stability"], {**GAP, "stability": [1, 0.9, 0.5, 0.5]}, 2, "largest stability"),
        (
            ["gap", "silhouette", "stability"],
            {**GROWS, "stability": [1, 0.85, 0.9, 0.5], "silhouette": [np.nan, 0.5, 0.3, 0.6]},
            2,
            "the largest silhouette of the K whose clusters recur in resamples (0.85)",
        ),
        (["gap", "stability"], {**GAP, "stability": [1, 0.4, 0.5, 0.5]}, None, "no clusters recur"),
        (["gap", "stability"], {**GAP, "stability": [1, 0.4, 0.8, 0.5]}, 3, "0.80"),
        (["gap", "stability"], {**GAP, "gap": [0] * 4, "stability": [1] * 4}, 1, "no gap"),
        (["stability"], {"stability": [1, 0.9, 0.8, 0.95]}, 4, "0.95"),
        (["stability", "knee"], {"stability": [1, 0.1, 0.1, 0.1]}, 1, "no clusters recur"),
        (["silhouette", "knee"], {}, 2, "the silhouette suggests"),
        (["knee"], {}, 3, "the knee suggests"),
        ([], {}, None, "nothing decides"),
    ],
)
def test_rule_without_latent_classes(suggestions, columns, expected, words):
    table = pd.DataFrame({"cost": [4, 3, 2, 1], **columns}, index=[1, 2, 3, 4])
    suggested = {"gap": 3, "stability": 3, "silhouette": 2, "knee": 3}
    given = {name: suggested[name] for name in suggestions}
    choice = _choice.decide([1, 2, 3, 4], given, table, None)
    assert choice.n_clusters == expected
    assert choice.confidence == ("none" if expected is None else "low")
    assert words in choice.reason


@pytest.mark.parametrize(
    ("k_values", "gap", "error", "expected"),
    [
        ([1, 2, 3, 4], [0.0, 1.0, 1.15, 1.0], 0.1, 3),
        ([1, 2, 3, 4], [0.0, 1.0, 1.15, 1.0], 0.2, 2),  # 1.0 is within one error of 1.15
        ([1, 2, 3, 4], [0.0, 1.0, 1.15, 1.0], [1, 1, 0.1, 1], 3),  # the largest gap's error counts
        ([1, 2, 3, 4], [0.0, 0.2, 0.29, 0.1], 0.1, 1),  # not three errors above K = 1
        ([1, 2, 3, 4], [0.0, 0.2, 0.31, 0.1], 0.1, 3),  # three errors above it
        ([1, 2, 3], [0.0, -0.1, -0.2], 0.1, 1),
        ([2, 3, 4], [0.0, 0.2, 0.1], 0.1, 3),  # K = 1 was not tried: one error among all
        ([1, 2], [0.0, 1.0], 0.1, None),  # it still grows
        ([1, 2, 3], [0.0, 1.0, 0.5], 0.0, 2),
        ([1], [0.0], 0.1, 1),
    ],
)
def test_how_far_there_is_structure(k_values, gap, error, expected):
    error = np.broadcast_to(np.asarray(error, dtype=float), len(gap))
    assert _choice.last_structure(k_values, np.array(gap), error) == expected


@pytest.mark.parametrize(
    ("suggestions", "words"),
    [
        ({"gap": 3, "knee": 3}, "All criteria agree: K = 3. Chosen: K = 3, why."),
        (
            {"gap": 3, "knee": None},
            "The gap suggests K = 3, the knee suggests no K: they disagree.",
        ),
        (
            {"knee": 2, "gap": None, "silhouette": 2, "stability": 2},
            "The knee, the silhouette and the stability suggest K = 2, the gap suggests no K: they",
        ),
        ({"gap": None, "knee": None}, "The gap and the knee suggest no K. Chosen"),
        ({"gap": 3}, "The gap suggests K = 3. Chosen"),
        ({}, "No criterion was asked for."),
        (
            {"latent_classes": 2, "gap": 3},
            "The latent classes suggest K = 2, the gap suggests K = 3",
        ),
    ],
)
def test_summary(suggestions, words):
    choice = _choice.Choice(3, "high", "clusters", "why")
    assert words in _choice.summary(suggestions, choice)
