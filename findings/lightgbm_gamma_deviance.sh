#!/usr/bin/env bash
# The gamma deviance in two libraries. LightGBM 4.7.0, scikit-learn 1.9.1, SciPy 1.17.1, NumPy 2.4.6.
# Guess: metric="gamma_deviance" is the mean over rows, as every other metric of LightGBM and as
#   mean_gamma_deviance, so that validation sets of different size compare.
# Seen: it is the sum: 174.14 for 300 rows whose mean deviance is 0.580, and twice that for the same rows
#   twice. metric="gamma" is a mean: the negative log-likelihood of a gamma with shape 1, whatever the shape.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check lightgbm==4.7.0 scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import lightgbm
import numpy as np
from scipy import stats
from sklearn.metrics import mean_gamma_deviance

rng = np.random.default_rng(0)
X = rng.normal(size=(300, 3))
y = rng.gamma(2, np.exp(1 + 0.5 * X[:, 0]) / 2)
rows = lightgbm.Dataset(X, y)
names = {"once": rows, "twice": lightgbm.Dataset(np.vstack([X, X]), np.append(y, y), reference=rows)}
parameters = {"objective": "gamma", "metric": ["gamma_deviance", "gamma"], "verbose": -1, "num_threads": 1}
found = {}
model = lightgbm.train(
    parameters, rows, 5, list(names.values()), list(names), callbacks=[lightgbm.record_evaluation(found)]
)
mean = model.predict(X)
by_sklearn = mean_gamma_deviance(y, mean)
deviance = {name: found[name]["gamma_deviance"][-1] for name in names}
likelihood = {name: found[name]["gamma"][-1] for name in names}
print("deviance", deviance, "scikit-learn", round(by_sklearn, 4), "gamma", likelihood)
assert np.isclose(deviance["once"], 300 * by_sklearn, rtol=1e-6) and abs(by_sklearn - 0.5805) < 0.02
assert np.isclose(deviance["twice"], 600 * by_sklearn, rtol=1e-6)
assert np.allclose(list(likelihood.values()), -stats.expon.logpdf(y, scale=mean).mean(), rtol=1e-6)
PYTHON
