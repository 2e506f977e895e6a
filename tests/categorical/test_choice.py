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


@pytest.mark.parametrize(
    ("suggestions", "expected", "confidence", "structure"),
    [
        ({"knee": 3, "silhouette": 3}, 3, "low", "clusters"),
        ({"stability": 1, "gap": 1}, 1, "low", "none"),
        ({"gap": 4}, 4, "low", "clusters"),
        ({"knee": 3, "silhouette": 2, "stability": 3}, None, "none", "undecided"),
        ({"knee": None, "silhouette": 2}, 2, "low", "clusters"),
        ({"knee": None}, None, "none", "undecided"),
        ({}, None, "none", "undecided"),
    ],
)
def test_rule_without_latent_classes(suggestions, expected, confidence, structure):
    table = pd.DataFrame({"cost": [4, 3, 2, 1]}, index=[1, 2, 3, 4])
    choice = _choice.decide([1, 2, 3, 4], suggestions, table, None)
    assert (choice.n_clusters, choice.confidence, choice.structure) == (
        expected,
        confidence,
        structure,
    )
    assert "latent classes" in choice.reason


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
