#!/usr/bin/env bash
# Robust standard errors of one gamma GLM in two libraries. statsmodels 0.15.0, glum 3.4.1,
# SciPy 1.17.1, pandas 3.1.1, NumPy 2.4.6.
# Guess: HC0 to HC3 are four estimates, HC1 being HC0 times sqrt(n / (n - p)) and HC3 the largest, for a
#   GLM as for OLS; glum's std_errors are those of statsmodels.
# Seen: for a GLM statsmodels takes all four names and returns HC0 each time; for OLS they differ. glum's
#   std_errors are robust unless told otherwise, and with robust=False are sqrt(n / (n - p)) times those of
#   statsmodels: for a constant of 30 rows and 5 coefficients 0.148 by default, 0.158, and 0.144.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  statsmodels==0.15.0 glum==3.4.1 scipy==1.17.1 pandas==3.1.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import glum
import numpy as np
import statsmodels.api as sm

rng = np.random.default_rng(0)
n, p = 30, 5
X = rng.normal(size=(n, p - 1))
y = rng.gamma(2, np.exp(1 + 0.5 * X[:, 0]) / 2)
family = sm.families.Gamma(sm.families.links.Log())
design = sm.add_constant(X)
kinds = ("HC0", "HC1", "HC2", "HC3")
of_glm, of_ols = (
    np.array([model.fit(cov_type=kind).bse for kind in kinds])
    for model in (sm.GLM(y, design, family=family), sm.OLS(y, design))
)
print("statsmodels, slope of x1:", dict(zip(kinds, of_glm[:, 1].round(4))), "OLS", of_ols[:, 1].round(4))
assert (of_glm == of_glm[0]).all()
assert np.allclose(of_ols[1], of_ols[0] * np.sqrt(n / (n - p))) and (of_ols[3] > of_ols[1]).all()

plain = sm.GLM(y, design, family=family).fit()
# The sandwich with the observed information, by hand.
weighted = design * (y / plain.fittedvalues - 1)[:, np.newaxis]
bread = np.linalg.inv(design.T @ (design * (y / plain.fittedvalues)[:, np.newaxis]))
sandwich = np.sqrt(np.diag(bread @ weighted.T @ weighted @ bread))
fit = glum.GeneralizedLinearRegressor(family="gamma", link="log", alpha=0, gradient_tol=1e-10).fit(X, y)
by_default, not_robust = fit.std_errors(X, y), fit.std_errors(X, y, robust=False)
print("glum:", by_default.round(4), "not robust:", not_robust.round(4), "statsmodels:", plain.bse.round(4))
larger = np.sqrt(n / (n - p))
assert np.allclose(of_glm[0], sandwich, rtol=1e-4) and np.allclose(by_default, sandwich * larger, rtol=1e-4)
assert np.allclose(not_robust, plain.bse * larger, rtol=1e-4)
PYTHON
