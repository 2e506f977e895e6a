"""Tests of latent traits: each expected number says where it comes from."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from afterfit.categorical import _traits
from afterfit.categorical._indicators import Indicators

# Bock & Lieberman (1970): answers of 1,000 to section 6 of the LSAT, by patterns 00000 to 11111.
LSAT = [3, 6, 2, 11, 1, 1, 3, 4, 1, 8, 0, 16, 0, 3, 2, 15]
LSAT += [10, 29, 14, 81, 3, 28, 15, 80, 16, 56, 21, 173, 11, 61, 28, 298]


def indicators(X, weight):
    return Indicators(list(X.T), weight)


def test_likelihood_of_a_trait_is_that_of_ltm(monkeypatch):
    # Rizopoulos (2006), Journal of Statistical Software 17(5), section 3.1: the two-parameter
    # logistic model of the LSAT data, log-likelihood -2466.653 (R: ltm(LSAT ~ z1)).
    monkeypatch.setattr(_traits, "RIDGE", 0.0)
    X = np.array(list(itertools.product([0, 1], repeat=5)))
    seen = np.flatnonzero(LSAT)
    table = indicators(X[seen], np.array(LSAT, dtype=float)[seen])
    points, log_weight = _traits._points(1)
    gains, _ = _traits._Traits(table, points, log_weight, 1).fit(np.ones((len(seen), 1)))
    total = table.weights @ gains + table.weights @ (table.cells @ np.log(table.shares))
    assert total == pytest.approx(-2466.653, abs=2e-3)


@pytest.mark.parametrize(("n_traits", "n_classes"), [(1, 1), (2, 1), (3, 1), (1, 2)])
def test_slope_of_the_likelihood_of_traits(n_traits, n_classes):
    # Central differences.
    rng = np.random.default_rng(0)
    table = indicators(rng.integers(3, size=(30, 4)), rng.integers(1, 4, size=30).astype(float))
    points, log_weight = _traits._points(n_traits)
    model = _traits._Traits(table, points, log_weight, n_classes)
    x = 0.5 * rng.normal(size=n_classes + (n_classes + n_traits) * len(table.shares))
    _, slope = model.objective(x)
    for i in range(0, len(x), 5):
        step = np.zeros(len(x))
        step[i] = 1e-5
        difference = model.objective(x + step)[0] - model.objective(x - step)[0]
        assert slope[i] == pytest.approx(difference / 2e-5, abs=1e-8)


def test_points_of_a_trait_have_its_moments():
    # Standard normal: 0, 1, 0, 3. Exponential less its mean: 0, 1, 2, 9 (Johnson & Kotz).
    points, log_weight = _traits._points(1)
    assert np.exp(log_weight).sum() == pytest.approx(1)
    moments = [np.exp(log_weight) @ points[:, 0] ** power for power in (1, 2, 3, 4)]
    assert moments == pytest.approx([0, 1, 0, 3], abs=1e-3)
    points, log_weight = _traits._skewed_points()
    moments = [np.exp(log_weight) @ points[:, 0] ** power for power in (1, 2, 3, 4)]
    assert moments == pytest.approx([0, 1, 2, 9], rel=2e-2, abs=2e-3)
    for n_traits in (2, 3):
        points, log_weight = _traits._points(n_traits)
        covariance = (points.T * np.exp(log_weight)) @ points
        assert covariance == pytest.approx(np.eye(n_traits), abs=2e-2)
