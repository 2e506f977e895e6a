#!/usr/bin/env bash
# The log-likelihoods of two nested gamma GLMs. statsmodels 0.15.0, NumPy 2.4.6, SciPy 1.17.1, pandas 3.1.1.
# Guess: another predictor cannot lower the maximum of the likelihood, so that `llf` of the larger model is
#   at least that of the smaller, and AIC counts every parameter.
# Seen: of 300 pairs (300 rows, shape 0.5, a predictor of noise) the larger model has the smaller `llf` in
#   61, though its deviance is smaller in all: `llf` is taken at the Pearson dispersion, which can rise.
#   `aic` is -2 llf + 2 p with p coefficients; the dispersion is not counted.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check statsmodels==0.15.0 numpy==2.4.6 scipy==1.17.1 pandas==3.1.1
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
import statsmodels.api as sm
from scipy import optimize, stats

family = sm.families.Gamma(sm.families.links.Log())


def maximum(fit):
    """The log-likelihood at the shape of highest likelihood; the means do not depend on it."""
    def negative(log_shape):
        shape = np.exp(log_shape)
        return -stats.gamma.logpdf(fit.model.endog, shape, scale=fit.fittedvalues / shape).sum()

    return -optimize.minimize_scalar(negative, bounds=(-5, 5), method="bounded", options={"xatol": 1e-9}).fun


lower = by_maximum = 0
for seed in range(300):
    rng = np.random.default_rng(seed)
    X = sm.add_constant(rng.normal(size=(300, 2)))
    y = rng.gamma(0.5, np.exp(0.5 * X[:, 1]) / 0.5)
    small, large = (sm.GLM(y, X[:, :k], family=family).fit(tol=1e-12, maxiter=200) for k in (2, 3))
    assert large.deviance < small.deviance
    lower += large.llf < small.llf
    by_maximum += maximum(large) < maximum(small) - 1e-6
print("pairs of 300 in which the larger model has the smaller llf:", lower, "at the best shape:", by_maximum)
assert 45 <= lower <= 70 and by_maximum == 0
print("aic", large.aic, "-2 llf + 2 * 3:", -2 * large.llf + 6)
assert np.isclose(large.aic, -2 * large.llf + 2 * 3, rtol=1e-12)
PYTHON
