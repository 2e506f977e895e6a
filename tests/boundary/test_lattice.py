"""When a cell counts as resolved: bounds and gradients from 3 x 3 samples, by dense sampling."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from afterfit.boundary._lattice import _is_monotone, _lowest

SAMPLES = np.stack(np.meshgrid(*[[-1.0, 0.0, 1.0]] * 2, indexing="ij"), axis=-1)
DENSE = np.stack(np.meshgrid(*[np.linspace(-1, 1, 41)] * 2, indexing="ij"), axis=-1)
COEFFICIENTS = st.lists(st.floats(-3, 3), min_size=6, max_size=6)


def quadratic(c, points):
    x, y = points[..., 0], points[..., 1]
    return c[0] + c[1] * x + c[2] * y + c[3] * x**2 + c[4] * y**2 + c[5] * x * y


@given(COEFFICIENTS)
def test_no_value_in_the_cell_lies_below_the_bound(c):
    assert _lowest(quadratic(c, SAMPLES)[..., None])[0] <= quadratic(c, DENSE).min() + 1e-12


def test_the_bound_sees_a_dip_between_samples():
    # (x - 1/2)^2 - 0.01 is positive wherever it is sampled, and negative at 1/2.
    c = [0.25 - 0.01, -1.0, 0.0, 1.0, 0.0, 0.0]
    assert (quadratic(c, SAMPLES) > 0).all()
    assert _lowest(quadratic(c, SAMPLES)[..., None])[0] < 0


@pytest.mark.parametrize(
    "c", [[0, 0, 0, 0, 0, 1], [0, 0, 0, 1, -1, 0], [0, 0.1, 0.1, 0, 0, 1], [0, 0.2, 0, 0, 1, 0]]
)
def test_a_stationary_point_within_leaves_a_cell_unresolved(c):
    # Saddles along the diagonals and along the axes, one off the centre, and a valley.
    assert not _is_monotone(quadratic(c, SAMPLES)[..., None])[0]


def test_a_plane_is_resolved_and_cells_are_judged_one_by_one():
    plane, saddle = [1, 2, -1, 0, 0, 0], [0, 0, 0, 0, 0, 1]
    both = np.stack([quadratic(plane, SAMPLES), quadratic(saddle, SAMPLES)], axis=-1)
    assert _is_monotone(both).tolist() == [True, False]
