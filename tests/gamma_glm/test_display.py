"""What the calibration figure holds and draws."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from gamma_fits import (
    fit_glm,
    questions_design,
)
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from afterfit.gamma_glm import (
    CalibrationDisplay,
    calibration_test,
    lower_tail_probability,
    plot_calibration,
    quantile_residuals,
)


def test_display_holds_what_it_draws(plain):
    display = plot_calibration(plain, n_bins=6, n_resamples=39, level=0.9, random_state=3)
    try:
        assert isinstance(display, CalibrationDisplay)
        assert display.counts.sum() == 120
        assert display.band.shape == (2, 6)
        assert (display.band[0] <= display.band[1]).all()
        assert_allclose(display.probabilities, lower_tail_probability(plain))
        assert_allclose(display.residuals, quantile_residuals(plain))
        assert_allclose(display.fitted_values, plain.fittedvalues)
        assert display.test == calibration_test(plain, n_resamples=39, random_state=3)
        assert len(display.axes_) == 3
        for axes in display.axes_:
            assert axes.get_xlabel()
            assert axes.get_ylabel()
        band, counts = (patch.get_data() for patch in display.axes_[0].patches)
        assert_array_equal([band.baseline, band.values], display.band)
        assert_array_equal(counts.values, display.counts)
        expected = np.histogram(display.probabilities, bins=6, range=(0, 1))[0]
        assert_array_equal(display.counts, expected)
        drawn = display.axes_[1].lines[-1].get_xydata().T
        assert_array_equal(drawn, [display.fitted_values, display.residuals])
        drawn = display.axes_[2].lines[-1].get_xydata().T
        # Hazen's positions, (i - 1/2) / n
        normal = stats.norm.ppf(np.linspace(0.5, 119.5, 120) / 120)
        assert_allclose(drawn, [normal, np.sort(display.residuals)], atol=1e-12)
    finally:
        plt.close(display.figure_)


def test_display_draws_where_it_is_told(plain):
    figure, axes = plt.subplots(1, 3)
    display = CalibrationDisplay.from_results(plain, n_resamples=19, random_state=0)
    assert display.plot(axes) is display
    assert display.figure_ is figure
    for wrong in (axes[0], [*axes, axes[0]], ["a", "b", "c"]):
        with pytest.raises(ValueError, match="three matplotlib Axes"):
            display.plot(wrong)
    plt.close(figure)


@pytest.mark.parametrize("level", [0.5, 0.95])
def test_band_is_that_of_uniform_counts(level):
    # 1000 rows and 2 coefficients: the band of a bin is close to binomial quantiles, n p = 100;
    # of 399 replicates the quartile has a standard error of 0.6, the outer quantile of 1.3
    X, y = questions_design(n=1000)
    display = CalibrationDisplay.from_results(
        fit_glm(y, X), n_bins=10, level=level, n_resamples=399, random_state=0
    )
    expected = stats.binom.ppf([[(1 - level) / 2], [(1 + level) / 2]], 1000, 0.1)
    assert_allclose(display.band, np.broadcast_to(expected, (2, 10)), atol=8 if level > 0.9 else 3)
