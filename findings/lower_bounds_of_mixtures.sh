#!/usr/bin/env bash
# The lower bounds of two mixtures. scikit-learn 1.9.1, NumPy 2.4.6, SciPy 1.17.1.
# Guess: lower_bound_ of BayesianGaussianMixture is on the scale of that of GaussianMixture, per row; a
#   change of units adds the same number whatever n_components, so that it may choose among them.
# Seen: it is a sum over the 400 rows (-717 where the other is -3.5). In units that make the data 100 times larger it
#   loses n d log 100, and 18.42 more for each component: of one to five components the bound is
#   highest for two there, and for five in the units given. The data are two clusters.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture

rng = np.random.default_rng(0)
X = np.concatenate([rng.normal(size=(200, 2)), rng.normal(4, 1, (200, 2))])
plain = GaussianMixture(2, random_state=0).fit(X)
bounds = {}
for unit in (1, 100):
    models = [
        BayesianGaussianMixture(n_components=k, n_init=3, max_iter=2000, tol=1e-8, random_state=0).fit(X * unit)
        for k in range(1, 6)
    ]
    bounds[unit] = np.array([model.lower_bound_ for model in models]) + X.size * np.log(unit)
    print("data times", unit, "bounds without the units:", bounds[unit].round(2))
print("plain mixture of two:", round(plain.lower_bound_, 3))
lost = bounds[1] - bounds[100]
print("lost for each component:", (lost / range(1, 6)).round(2), "4 log 100 =", round(4 * np.log(100), 2))
assert np.allclose(lost[:2], 4 * np.log(100) * np.array([1, 2]), rtol=1e-3)
assert bounds[1].argmax() == 4 and bounds[100].argmax() == 1
assert -4 < plain.lower_bound_ < -3 and -750 < bounds[1][1] < -700
PYTHON
