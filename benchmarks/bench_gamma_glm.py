"""Speed of `afterfit.gamma_glm` beside the popular loop, bare SciPy and single passes.

Run alone: `python benchmarks/bench_gamma_glm.py`.
"""

from __future__ import annotations

import time
from unittest import mock

import numpy as np
import statsmodels.api as sm
from _harness import Report
from scipy import stats

from afterfit.gamma_glm import (
    _shape,
    calibration_test,
    conditional_distribution,
    gamma_shape,
    lower_tail_probability,
    prediction_interval,
)

N_ROWS = 200_000
LOOP_ROWS = 2_000  # the loop runs on these and is multiplied
N_ROWS_SHAPE = 1_000_000


def question(n, weights=None):
    """Return a fit of the question's design: shape 10, mean exp(0.5 - x / 3)."""
    generator = np.random.default_rng(0)
    x = generator.uniform(0, 3, n)
    shape = 10 if weights is None else 10 * weights
    y = generator.gamma(shape, np.exp(0.5 - x / 3) / shape)
    family = sm.families.Gamma(link=sm.families.links.Log())
    return sm.GLM(y, sm.add_constant(x), family=family, var_weights=weights).fit()


def bench_probabilities(report):
    fit = question(N_ROWS)
    y, mean, phi = fit.model.endog, fit.fittedvalues, fit.scale

    def loop():
        return [stats.gamma(a=1 / phi, scale=mean[i] * phi).cdf(y[i]) for i in range(LOOP_ROWS)]

    report.compare(
        "P(Y <= y), 200,000 rows, against the loop over frozen distributions",
        lambda: lower_tail_probability(fit),
        {"loop (2,000 rows, times 100)": loop},
        goal="at least 1,000 times as fast as the loop, extrapolated from 2,000 rows",
        rounds=3,
        n=N_ROWS,
        scale_peers=N_ROWS / LOOP_ROWS,
    )
    report.compare(
        "P(Y <= y), 200,000 rows, against bare SciPy",
        lambda: lower_tail_probability(fit),
        {"scipy.stats.gamma.cdf": lambda: stats.gamma.cdf(y, 1 / phi, scale=mean * phi)},
        goal="within 1.1 times the bare scipy.stats.gamma.cdf call",
        rounds=41,
        n=N_ROWS,
    )
    for n in (N_ROWS // 100, N_ROWS // 10):
        fit = question(n)
        report.compare(
            f"P(Y <= y), {n:,} rows, against bare SciPy",
            lambda fit=fit: lower_tail_probability(fit),
            {
                "scipy.stats.gamma.cdf": lambda fit=fit: stats.gamma.cdf(
                    fit.model.endog, 1 / fit.scale, scale=fit.fittedvalues * fit.scale
                )
            },
            goal="",
            rounds=41,
            n=n,
        )


def bench_shape(report):
    generator = np.random.default_rng(1)
    for name, weights in (
        ("equal weights", None),
        ("1,000,000 different weights", generator.uniform(0.5, 2, N_ROWS_SHAPE)),
    ):
        fit = question(N_ROWS_SHAPE, weights)
        y, mean, phi = fit.model.endog, fit.fittedvalues, fit.scale
        report.compare(
            f"maximum-likelihood shape, 1,000,000 rows, {name}",
            lambda fit=fit: gamma_shape(fit, "ml"),
            {
                "one pass: log-likelihood of statsmodels": (
                    lambda fit=fit, y=y, mean=mean, phi=phi: fit.family.loglike(
                        y, mean, var_weights=fit.model.var_weights, scale=phi
                    )
                )
            },
            goal="under 10 passes over the data",
            rounds=5,
            n=N_ROWS_SHAPE,
        )
        report.note(
            f"passes of the estimate and its standard error, {name}",
            goal="under 10",
            passes_over_rows=_counted_passes(fit),
        )


def _counted_passes(fit):
    """Return how often deviance or digamma terms of a row are computed, a mean over the rows."""
    rows = fit.model.endog.size  # of the deviance

    def counted(x, function=_shape.digamma_terms):
        nonlocal rows
        rows += x.size
        return function(x)

    with mock.patch.object(_shape, "digamma_terms", counted):
        gamma_shape(fit, "ml")
    return rows / fit.model.endog.size


def bench_calibration(report):
    """99 refits of 25,000 rows with 6 columns: the test, and calibrated intervals at all rows."""
    generator = np.random.default_rng(0)
    X = sm.add_constant(generator.normal(size=(25_000, 5)))
    mean = np.exp(X @ [0.5, 0.1, 0.2, -0.1, 0.3, 0.0])
    family = sm.families.Gamma(link=sm.families.links.Log())
    fit = sm.GLM(generator.gamma(3, mean / 3), X, family=family).fit()
    options = {"n_resamples": 99, "random_state": 0}
    report.compare(
        "calibrated interval of 25,000 rows, 6 columns, 99 refits, beside the calibration test",
        lambda: prediction_interval(fit, method="calibrated", **options),
        {"calibration_test": lambda: calibration_test(fit, **options)},
        goal="at most 1.5 times the calibration test",
        rounds=5,
        n=25_000,
    )
    small = question(1_000)
    start = time.perf_counter()
    prediction_interval(small, method="calibrated", random_state=0)
    report.note(
        "calibrated interval of 1,000 rows, 999 refits",
        goal="under 1 s",
        seconds=time.perf_counter() - start,
    )


def bench_rest(report):
    fit = question(10_000)
    start = time.perf_counter()
    calibration_test(fit, n_resamples=199, random_state=0)
    report.note(
        "calibration test, 10,000 rows, 199 refits",
        goal="",
        seconds=time.perf_counter() - start,
    )
    report.compare(
        "prediction interval with uncertain coefficients, 10,000 rows",
        lambda: prediction_interval(fit, method="coefficients"),
        {"without": lambda: prediction_interval(fit, method="plugin")},
        goal="",
        rounds=3,
        n=10_000,
    )
    report.compare(
        "conditional distribution, 10,000 rows",
        lambda: conditional_distribution(fit).cdf(fit.model.endog),
        {"get_distribution of statsmodels": lambda: fit.get_distribution().cdf(fit.model.endog)},
        goal="",
        rounds=5,
        n=10_000,
    )


if __name__ == "__main__":
    report = Report("gamma_glm")
    bench_probabilities(report)
    bench_shape(report)
    bench_calibration(report)
    bench_rest(report)
    report.save()
