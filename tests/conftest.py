"""What every test must leave behind as it found it: the global random state and no open figure."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest


@pytest.fixture(autouse=True)
def _global_random_state_is_left_alone():
    before = np.random.get_state()  # noqa: NPY002  (watching the legacy state is the point)
    yield
    after = np.random.get_state()  # noqa: NPY002
    assert before[2:] == after[2:], "the test moved NumPy's global random state"
    assert np.array_equal(before[1], after[1]), "the test moved NumPy's global random state"


@pytest.fixture(autouse=True)
def _no_figure_stays_open():
    yield
    open_figures = plt.get_fignums()
    plt.close("all")
    assert not open_figures, f"the test left {len(open_figures)} figure(s) open"
