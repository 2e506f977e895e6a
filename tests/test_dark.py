"""Figures for the dark: legible, what was more is still more, and a hue stays what it was."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex

from afterfit import _dark


@pytest.mark.parametrize("colour", sorted(set(_dark.PALETTE) - {"#ffffff"}))
def test_the_palette_is_legible_in_the_dark(colour):
    assert _dark.contrast(_dark.dark_colour(colour), _dark.PAPER) >= 4.5


def test_contrast_as_wcag_defines_it():
    assert _dark.contrast("#ffffff", "#000000") == pytest.approx(21)
    assert _dark.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("name", ["Blues", "viridis", "Greys", "Oranges"])
def test_what_is_more_stays_more_in_the_dark(name):
    """Along a colour map the contrast with the page grows to the end that had more ink."""
    places = np.linspace(0, 1, 25)
    colours = [to_hex(colour) for colour in plt.colormaps[name](places)]
    dark = [_dark.contrast(_dark.dark_colour(colour), _dark.PAPER) for colour in colours]
    assert np.all(np.diff(dark) > 0)
    assert dark[-1] > 6


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_an_ink_keeps_its_hue_in_the_dark(rgb):
    light = np.array(rgb) / 255
    dark = _dark.on_dark_paper(light)
    assert np.all((dark >= 0) & (dark <= 1))
    if np.ptp(light) == 0:  # a grey stays a grey but for the tint of the ink and the page
        assert np.ptp(dark) < 0.06
    grey = _dark.on_dark_paper(np.full(3, 1 - 0.5 * (1 - light.min())))
    assert grey.sum() > 0


def test_oklab_of_known_colours():
    # White is (1, 0, 0); red by the draft of CSS Color 4 is 0.628 0.2249 0.1258.
    np.testing.assert_allclose(_dark.to_oklab(np.ones(3)), [1, 0, 0], atol=1e-4)
    red = _dark.to_oklab(np.array([1.0, 0, 0]))
    np.testing.assert_allclose(red, [0.628, 0.2249, 0.1258], atol=5e-4)
    np.testing.assert_allclose(_dark.from_oklab(red), [1, 0, 0], atol=1e-6)
