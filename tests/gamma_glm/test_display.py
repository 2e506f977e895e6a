"""What the calibration figure holds and draws."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import statsmodels.api as sm
from gamma_fits import fit_glm, gamma_family, questions_design
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


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_a_right_model_leaves_the_band_as_often_as_it_says(level):
    # 300 right models of 60 rows: the binomial standard deviation is 0.023 and 0.013
    generator = np.random.default_rng(0)
    X, _ = questions_design(n=60)
    mean = np.exp(X @ [0.5, -1 / 3])
    left = []
    for _ in range(300):
        fit = sm.GLM(generator.gamma(3, mean / 3), X, family=gamma_family()).fit()
        display = CalibrationDisplay.from_results(
            fit, level=level, n_resamples=99, random_state=generator
        )
        left.append(np.any((display.counts < display.band[0]) | (display.counts > display.band[1])))
    assert abs(np.mean(left) - (1 - level)) < 3 * np.sqrt(level * (1 - level) / 300)


def test_the_band_holds_all_bins_at_once_and_is_wider_for_that():
    # 1000 rows: a bin is close to binomial, with a standard deviation of 9.5; of 10 bins the
    # farthest stays within 2.8 of them in 95 %, a single one within 1.96
    X, y = questions_design(n=1000)
    display = CalibrationDisplay.from_results(fit_glm(y, X), n_resamples=399, random_state=0)
    half_width = np.diff(display.band, axis=0)[0] / 2
    # (estimates hold the outer bins tighter)
    assert_allclose(half_width[1:-1], 2.8 * np.sqrt(1000 * 0.1 * 0.9), rtol=0.15)
