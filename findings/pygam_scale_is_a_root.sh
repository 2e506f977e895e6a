#!/usr/bin/env bash
# The scale of a gamma additive model. pyGAM 0.12.0, statsmodels 0.15.0, SciPy 1.16.3, NumPy 2.4.6, pandas 3.1.1.
# Guess: GammaGAM of linear terms without a penalty is the gamma GLM with a log link: the same
#   coefficients, dispersion, deviance and, given those, log-likelihood.
# Seen: coefficients and standard errors agree. statistics_["scale"] is the root of the Pearson dispersion,
#   0.695 for 0.483, and pyGAM takes it for the dispersion: log-likelihood, AIC and draws are those of a
#   gamma with shape 1 / 0.695. statistics_["deviance"] is 240.5, 167.1 divided by 0.695.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  pygam==0.12.0 statsmodels==0.15.0 scipy==1.16.3 numpy==2.4.6 pandas==3.1.1
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
import statsmodels.api as sm
from pygam import GammaGAM, l
from scipy import stats

rng = np.random.default_rng(0)
X = rng.normal(size=(300, 3))
y = rng.gamma(2, np.exp(1 + 0.5 * X[:, 0]) / 2)
additive = GammaGAM(l(0) + l(1) + l(2), lam=1e-12).fit(X, y)
linear = sm.GLM(y, sm.add_constant(X), family=sm.families.Gamma(sm.families.links.Log())).fit()
found = additive.statistics_
constant_last = [1, 2, 3, 0]
assert np.allclose(additive.coef_, linear.params[constant_last], atol=1e-4)
assert np.allclose(found["se"], linear.bse[constant_last], atol=1e-4)
print(f"scale {found['scale']:.4f}, dispersion {linear.scale:.4f}, its root {linear.scale**0.5:.4f}")
assert np.isclose(found["scale"], linear.scale**0.5, rtol=1e-6)
print(f"deviance {found['deviance']:.2f}, {linear.deviance:.2f}")
assert np.isclose(found["deviance"], linear.deviance / found["scale"], rtol=1e-4)
mean = linear.fittedvalues
by_root, by_dispersion = (
    stats.gamma.logpdf(y, 1 / dispersion, scale=mean * dispersion).sum() for dispersion in (found["scale"], linear.scale)
)
print(f"log-likelihood {found['loglikelihood']:.2f}; at the root {by_root:.2f}, at the dispersion {by_dispersion:.2f}")
assert np.isclose(found["loglikelihood"], by_root, rtol=1e-5) and by_dispersion > by_root + 5
np.random.seed(0)  # it draws from the global state
drawn = additive.distribution.sample(np.full(200_000, 2.0))
print(f"variance of draws over the square of their mean {drawn.var() / drawn.mean() ** 2:.3f}")
assert np.isclose(drawn.var() / drawn.mean() ** 2, found["scale"], rtol=0.03)
PYTHON
