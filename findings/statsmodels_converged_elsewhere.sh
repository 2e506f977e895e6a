#!/usr/bin/env bash
# A gamma GLM on columns of very different size. statsmodels 0.15.0, NumPy 2.4.6.
# Guess: `converged=True` means the optimum, and df_resid is n minus the number of columns.
# Seen: y ~ x + pop + I(pop**2) with populations of millions: converged, df_resid 298 of 300 rows (four
#   columns; with pop scaled 296), at a larger deviance than the same model with pop scaled. A cubic in
#   the calendar year ends 14 units of deviance above the same cubic in scaled years, with df_resid 297.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check statsmodels==0.15.0 numpy==2.4.6 scipy==1.17.1 pandas==3.1.1 patsy==1.0.3
"$folder/venv/bin/python" - <<'PYTHON'
import warnings

import numpy as np
import pandas as pd
import statsmodels.api as sm
import statsmodels.formula.api as smf

warnings.simplefilter("ignore")
family = sm.families.Gamma(sm.families.links.Log())
rng = np.random.default_rng(0)
n = 300
pop, x = rng.uniform(2e5, 8e6, n), rng.normal(size=n)
z = (pop - pop.mean()) / pop.std()
y = rng.gamma(2, np.exp(1 + 0.5 * x + 0.4 * z - 0.2 * z**2) / 2)
table = pd.DataFrame({"y": y, "x": x, "pop": pop, "z": z})
raw = smf.glm("y ~ x + pop + I(pop**2)", table, family=family).fit()
scaled = smf.glm("y ~ x + z + I(z**2)", table, family=family).fit()
print("pop:", raw.converged, raw.deviance, raw.df_resid, "scaled:", scaled.deviance, scaled.df_resid)
assert raw.converged and raw.df_resid == 298 and scaled.df_resid == 296
assert raw.deviance > scaled.deviance + 1e-3
year = 2000 + rng.integers(0, 24, n)
t = (year - 2012) / 7
table = pd.DataFrame({"y": rng.gamma(2, np.exp(1 + 0.3 * t + 0.2 * t**2 - 0.2 * t**3) / 2), "year": year, "t": t})
raw = smf.glm("y ~ year + I(year**2) + I(year**3)", table, family=family).fit()
scaled = smf.glm("y ~ t + I(t**2) + I(t**3)", table, family=family).fit()
print("year:", raw.deviance, raw.df_resid, "scaled:", scaled.deviance, scaled.df_resid)
assert raw.df_resid == 297 and scaled.df_resid == 296 and raw.deviance > scaled.deviance + 5
PYTHON
