#!/usr/bin/env bash
# Two summaries of a gamma GLM. statsmodels 0.15.0, SciPy 1.17.1, NumPy 2.4.6, pandas 3.1.1.
# Guess: a pseudo R squared does not depend on the unit of the response; resid_anscombe stands on the
#   scale of resid_deviance and resid_pearson.
# Seen: pseudo_rsquared("mcf") of one fit is 0.149, 0.035 in units a thousand times smaller, and -0.067 in
#   units a thousand times larger: log densities move with the unit. "cs", the default, is 0.472 in all.
#   resid_anscombe is divided by the root of the dispersion (0.467), the other two are not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  statsmodels==0.15.0 scipy==1.17.1 numpy==2.4.6 pandas==3.1.1
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
import statsmodels.api as sm

rng = np.random.default_rng(0)
x = rng.normal(size=200)
y = rng.gamma(2, np.exp(1 + 0.5 * x) / 2)
family = sm.families.Gamma(sm.families.links.Log())
found = []
for unit in (1, 1000, 0.001):
    fit = sm.GLM(y * unit, sm.add_constant(x), family=family).fit()
    found.append((fit.pseudo_rsquared("mcf"), fit.pseudo_rsquared()))
    print(f"y times {unit}: McFadden {found[-1][0]:.3f}, default {found[-1][1]:.3f}, deviance {fit.deviance:.3f}")
assert np.allclose(found, [(0.149, 0.472), (0.035, 0.472), (-0.067, 0.472)], atol=6e-4)

ratio = (y * unit) / fit.fittedvalues
anscombe = 3 * (np.cbrt(ratio) - 1)
print(f"dispersion {fit.scale:.3f}; standard deviations: Anscombe {fit.resid_anscombe.std():.3f}", end=", ")
print(f"deviance {fit.resid_deviance.std():.3f}, Pearson {fit.resid_pearson.std():.3f}")
assert np.allclose(fit.resid_anscombe, anscombe / np.sqrt(fit.scale))
assert np.allclose(fit.resid_pearson, ratio - 1) and np.isclose((fit.resid_deviance**2).sum(), fit.deviance)
PYTHON
