"""Weights, offsets and exposures, against explicitly repeated or rescaled data."""

import numpy as np
import pytest
import statsmodels.api as sm
from gamma_fits import (
    METHODS,
    ROW_FUNCTIONS,
    fit_glm,
    questions_design,
)
from numpy.testing import assert_allclose
from scipy import stats
from statsmodels.genmod.families import links

from afterfit.gamma_glm import (
    CalibrationDisplay,
    _shape,
    calibration_test,
    conditional_distribution,
    gamma_shape,
    lower_tail_probability,
    prediction_interval,
    quantile_residuals,
)
from afterfit.gamma_glm._sources import read_fit


@pytest.fixture(scope="module")
def repeated():
    """A fit with freq_weights (some are 0) and the same rows written out."""
    X, y = questions_design(n=60, shape=3.0)
    times = np.random.default_rng(2).integers(0, 5, 60).astype(np.intp)
    written_out = fit_glm(np.repeat(y, times), np.repeat(X, times, axis=0))
    return fit_glm(y, X, freq_weights=times), written_out, times


@pytest.mark.parametrize("method", METHODS)
def test_freq_weights_are_repeated_rows(repeated, method):
    weighted, written_out, times = repeated
    ours, theirs = gamma_shape(weighted, method), gamma_shape(written_out, method)
    assert_allclose(ours.shape, theirs.shape, rtol=1e-9)
    assert_allclose(ours.standard_error, theirs.standard_error, rtol=1e-9)
    for function in ROW_FUNCTIONS:
        assert_allclose(
            np.repeat(function(weighted, shape=method), times),
            function(written_out, shape=method),
            rtol=1e-7,
            atol=1e-9,
        )
    for option in ("plugin", "coefficients"):
        assert_allclose(
            np.repeat(
                prediction_interval(weighted, shape=method, method=option),
                times,
                axis=0,
            ),
            prediction_interval(written_out, shape=method, method=option),
            rtol=1e-7,
        )


def test_freq_weights_are_repeated_rows_in_calibration(repeated):
    weighted, written_out, _ = repeated
    ours = calibration_test(weighted, n_resamples=39, random_state=4)
    theirs = calibration_test(written_out, n_resamples=39, random_state=4)
    assert_allclose(ours.kolmogorov_smirnov, theirs.kolmogorov_smirnov, rtol=1e-7)
    assert_allclose(ours.anderson_darling, theirs.anderson_darling, rtol=1e-7)
    assert ours.kolmogorov_smirnov_pvalue == theirs.kolmogorov_smirnov_pvalue
    assert ours.n_observations == theirs.n_observations == written_out.nobs


def test_var_weights_are_means_of_so_many_rows():
    # The mean of w gamma observations of shape a is gamma with shape a w: a fit of the means with
    # var_weights w has the coefficients of the fit of all observations.
    generator = np.random.default_rng(8)
    X, _ = questions_design(n=50)
    times = generator.integers(1, 7, 50).astype(np.intp)
    X_all = np.repeat(X, times, axis=0)
    y_all = generator.gamma(4, np.exp(X_all @ [0.5, -1 / 3]) / 4)
    sums = np.bincount(np.repeat(np.arange(50), times), weights=y_all)
    means = sums / times
    everything, averaged = fit_glm(y_all, X_all), fit_glm(means, X, var_weights=times)
    assert_allclose(averaged.params, everything.params, rtol=1e-8)
    # with the same shape, the mean is as improbable as the sum under the sum's own distribution
    shape = gamma_shape(everything, "ml").shape
    expected = stats.gamma.cdf(sums, shape * times, scale=averaged.fittedvalues / shape)
    assert_allclose(lower_tail_probability(averaged, shape=shape), expected, rtol=1e-9)
    # both fits estimate the same shape
    for method in METHODS:
        one, two = gamma_shape(averaged, method), gamma_shape(everything, method)
        assert abs(one.shape - two.shape) < 3 * (one.standard_error + two.standard_error)
    # the wrong number: statsmodels' own distribution takes the weights for 1
    forgetful = averaged.get_distribution().cdf(means)
    assert np.max(np.abs(forgetful - lower_tail_probability(averaged))) > 0.1
    reminded = averaged.get_distribution(var_weights=times).cdf(means)
    assert_allclose(reminded, lower_tail_probability(averaged), rtol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_units_of_var_weights_do_not_matter(method):
    X, y = questions_design(n=60, shape=2.0)
    weights = np.random.default_rng(0).uniform(0.3, 3, 60)
    one, ten = fit_glm(y, X, var_weights=weights), fit_glm(y, X, var_weights=10 * weights)
    ours, theirs = gamma_shape(one, method), gamma_shape(ten, method)
    assert_allclose(ours.shape, 10 * theirs.shape, rtol=1e-9)
    assert_allclose(ours.standard_error, 10 * theirs.standard_error, rtol=1e-9)
    assert_allclose(
        lower_tail_probability(one, shape=method),
        lower_tail_probability(ten, shape=method),
        rtol=1e-8,
    )
    assert_allclose(
        prediction_interval(one, shape=method, method="plugin"),
        prediction_interval(ten, shape=method, method="plugin"),
        rtol=1e-8,
    )


def test_var_weights_in_calibration():
    X, y = questions_design(n=60, shape=2.0)
    weights = np.random.default_rng(0).uniform(0.3, 3, 60)
    one, ten = fit_glm(y, X, var_weights=weights), fit_glm(y, X, var_weights=10 * weights)
    display = CalibrationDisplay.from_results(one, n_resamples=39, random_state=0)
    assert_allclose(display.probabilities, lower_tail_probability(one))
    assert_allclose(display.residuals, quantile_residuals(one))
    again = calibration_test(ten, n_resamples=39, random_state=0)
    assert again.anderson_darling_pvalue == display.test.anderson_darling_pvalue


def test_both_weights_together():
    X, y = questions_design(n=60, shape=2.0)
    generator = np.random.default_rng(0)
    precision = generator.uniform(0.3, 3, 60)
    times = generator.integers(1, 4, 60).astype(np.intp)
    both = fit_glm(y, X, var_weights=precision, freq_weights=times)
    written_out = fit_glm(
        np.repeat(y, times), np.repeat(X, times, axis=0), var_weights=np.repeat(precision, times)
    )
    for method in METHODS:
        ours, theirs = gamma_shape(both, method), gamma_shape(written_out, method)
        assert_allclose(ours.shape, theirs.shape, rtol=1e-9)
        assert_allclose(ours.standard_error, theirs.standard_error, rtol=1e-9)


def test_grouped_and_ungrouped_weights_agree(monkeypatch):
    X, y = questions_design(n=80, shape=2.0)
    times = np.arange(80) // 40 + 1
    fit = read_fit(fit_glm(y, X, var_weights=np.arange(80) % 4 + 1.0, freq_weights=times))
    grouped = _shape.estimate_shape(fit, "ml")
    assert len(_shape.grouped_weights(fit.var_weights, fit.freq_weights)[0]) == 4
    monkeypatch.setattr(_shape, "PROBED_ROWS", 4)
    assert len(_shape.grouped_weights(fit.var_weights, fit.freq_weights)[0]) == 80
    monkeypatch.setattr(_shape, "CHUNK", 7)
    assert_allclose(_shape.estimate_shape(fit, "ml"), grouped, rtol=1e-13)


@pytest.mark.parametrize("keyword", ["offset", "exposure", "both"])
def test_offset_and_exposure_are_rescaled_responses(keyword):
    # log link: log(mean) = offset + x'b is a fit to y / exp(offset)
    X, y = questions_design(n=70, shape=4.0)
    time = np.random.default_rng(0).uniform(0.2, 5, 70)
    terms = {
        "offset": {"offset": np.log(time)},
        "exposure": {"exposure": time},
        "both": {"offset": 0.3 * np.log(time), "exposure": time**0.7},
    }[keyword]
    fit, rescaled = fit_glm(y * time, X, **terms), fit_glm(y, X)
    for method in METHODS:
        ours, theirs = gamma_shape(fit, method), gamma_shape(rescaled, method)
        assert_allclose(ours.shape, theirs.shape, rtol=1e-8)
        assert_allclose(ours.standard_error, theirs.standard_error, rtol=1e-7)
    for function in ROW_FUNCTIONS:
        assert_allclose(function(fit), function(rescaled), rtol=1e-6, atol=1e-8)
    factor = time[:, np.newaxis]
    for option in ("plugin", "coefficients"):
        assert_allclose(
            prediction_interval(fit, method=option),
            factor * prediction_interval(rescaled, method=option),
            rtol=1e-6,
        )
    # the fitted rows given as new ones, with the same terms
    assert_allclose(lower_tail_probability(fit, y * time, X, **terms), lower_tail_probability(fit))
    # ours replace those of the fit
    assert_allclose(
        conditional_distribution(fit, **{name: 0 * v + 1 for name, v in terms.items()}).mean(),
        rescaled.fittedvalues * (1 if keyword == "exposure" else np.e),
        rtol=1e-6,
    )
    # replicates of the bootstrap keep the shift: same seed, same p-value as for rescaled data
    one, two = (calibration_test(f, n_resamples=39, random_state=1) for f in (fit, rescaled))
    assert one.kolmogorov_smirnov_pvalue == two.kolmogorov_smirnov_pvalue


def test_what_is_not_replaced_stays_as_it_was():
    X, y = questions_design(n=30)
    generator = np.random.default_rng(0)
    terms = {
        "offset": generator.normal(size=30),
        "exposure": generator.uniform(1, 2, 30),
        "var_weights": generator.uniform(1, 2, 30),
    }
    fit = fit_glm(y, X, **terms)
    for name in terms:
        value = np.linspace(1, 2, 30)
        one = conditional_distribution(fit, **{name: value})
        all_of_them = conditional_distribution(fit, X, **{**terms, name: value})
        assert_allclose(one.mean(), all_of_them.mean(), rtol=1e-12)
        assert_allclose(one.var(), all_of_them.var(), rtol=1e-12)
        assert not np.allclose(one.var(), conditional_distribution(fit).var())


@pytest.mark.parametrize(
    "link", [links.InversePower(), links.Identity(), links.Sqrt(), links.Power(-0.5), links.Log()]
)
def test_any_link(link):
    generator = np.random.default_rng(0)
    X = sm.add_constant(generator.uniform(0, 3, 80))
    mean = link.inverse(X @ [1.0, 0.5])
    y = generator.gamma(8, mean / 8)
    offset = generator.uniform(0, 0.2, 80)
    fit = fit_glm(y, X, link, offset=offset)
    new, new_offset = X[:5] + np.array([0, 0.01]), np.linspace(0, 0.2, 5)
    # statsmodels' own get_distribution(exog=, offset=) takes the offset for an exposure
    mean = fit.predict(new, offset=new_offset)
    expected = stats.gamma.cdf(y[:5], 1 / fit.scale, scale=mean * fit.scale)
    assert_allclose(
        lower_tail_probability(fit, y[:5], new, offset=new_offset), expected, rtol=1e-10
    )
    assert_allclose(lower_tail_probability(fit), fit.get_distribution().cdf(y), rtol=1e-10)
    test = calibration_test(fit, n_resamples=39, random_state=0)
    assert test.anderson_darling_pvalue > 0.02
