#!/usr/bin/env bash
# Standard errors of one gamma GLM with a log link, fitted by three methods. statsmodels 0.15.0,
# SciPy 1.17.1, NumPy 2.4.6, pandas 3.1.1.
# Guess: the method finds the optimum; at the same coefficients the standard errors are the same.
# Seen: IRLS takes the expected information, newton and lbfgs the observed one: 0.0725 and 0.0737 for
#   the constant, coefficients equal to 1e-4. `optim_hessian="eim"` steers the search and leaves the
#   errors; `cov_type="eim"` gives those of IRLS.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  statsmodels==0.15.0 scipy==1.17.1 numpy==2.4.6 pandas==3.1.1
"$folder/venv/bin/python" - <<'PYTHON'
import warnings

import numpy as np
import statsmodels.api as sm

warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
x = rng.uniform(0, 3, 200)
y = rng.gamma(4, np.exp(0.5 + 0.5 * x) / 4)
model = sm.GLM(y, sm.add_constant(x), family=sm.families.Gamma(sm.families.links.Log()))
irls = model.fit()
expected = np.sqrt(np.diag(np.linalg.inv(model.exog.T @ model.exog) * irls.scale))  # log link
print("irls", irls.bse.round(4))
assert np.allclose(irls.bse, expected, rtol=1e-9)
weights = y / irls.fittedvalues  # of the observed information
observed = np.sqrt(np.diag(np.linalg.inv(model.exog.T * weights @ model.exog) * irls.scale))
for method in ("newton", "lbfgs"):
    for options in ({}, {"optim_hessian": "eim"}, {"cov_type": "eim"}):
        fit = model.fit(method=method, disp=False, **options)
        print(method, options, fit.bse.round(4))
        assert np.allclose(fit.params, irls.params, atol=1e-4)
        wanted = expected if "cov_type" in options else observed
        assert np.allclose(fit.bse, wanted, rtol=1e-4)
assert abs(irls.bse[0] - observed[0]) > 0.001
PYTHON
