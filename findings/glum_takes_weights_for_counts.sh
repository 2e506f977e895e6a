#!/usr/bin/env bash
# Weights of a gamma regression: counts or precisions? glum 3.4.1, statsmodels 0.15.0, NumPy 2.4.6.
# Guess: two libraries that take `weights` for a gamma regression report the same dispersion.
# Seen: rows that are means of w values of dispersion 1/4: statsmodels (var_weights) divides by n - p and
#   reports 0.211; glum divides by sum(w) - p and reports 0.046, the dispersion of counted rows.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check glum==3.4.1 statsmodels==0.15.0 numpy==2.4.6 scipy==1.17.1 pandas==3.1.1
"$folder/venv/bin/python" - <<'PYTHON'
import warnings

import glum
import numpy as np
import statsmodels.api as sm

warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
x, w = rng.uniform(size=200), rng.integers(1, 9, 200)
y = rng.gamma(4 * w, np.exp(1 + x) / (4 * w))
fit = glum.GeneralizedLinearRegressor(family="gamma", link="log", alpha=0).fit(x[:, None], y, sample_weight=w)
mean = fit.predict(x[:, None])
theirs = glum.GammaDistribution().dispersion(y, mean, sample_weight=w, ddof=2, method="pearson")
family = sm.families.Gamma(sm.families.links.Log())
ours = sm.GLM(y, sm.add_constant(x), family=family, var_weights=w).fit().scale
pearson = np.sum(w * (y / mean - 1) ** 2)
print("glum:", theirs, "statsmodels:", ours)
assert np.isclose(theirs, pearson / (w.sum() - 2), rtol=1e-4)
assert np.isclose(ours, pearson / (len(y) - 2), rtol=1e-4)
PYTHON
