"""What the tests of k-modes share: simulated tables, a slow recount, the votes."""

from __future__ import annotations

import numpy as np
import pytest

from afterfit import datasets


@pytest.fixture(scope="session")
def latent_classes():
    return _latent_classes


@pytest.fixture(scope="session")
def recount():
    return _recount


@pytest.fixture(scope="module")
def votes():
    table = datasets.load_table("votes")
    return table.drop(columns="party"), table["party"]


def _latent_classes(n, n_columns, n_values, n_clusters, noise, seed):
    """Return rows of categories drawn around `n_clusters` random modes, and their clusters."""
    rng = np.random.default_rng(seed)
    modes = rng.integers(n_values, size=(n_clusters, n_columns))
    truth = rng.integers(n_clusters, size=n)
    redrawn = rng.random((n, n_columns)) < noise
    return np.where(redrawn, rng.integers(n_values, size=(n, n_columns)), modes[truth]), truth


def _recount(X, modes, weights=1):
    """Return the cost and labels of modes by comparing every row with every mode."""
    distances = (np.asarray(X)[:, None, :] != np.asarray(modes)[None]).sum(axis=2)
    return (distances.min(axis=1) * weights).sum(), distances.argmin(axis=1)
