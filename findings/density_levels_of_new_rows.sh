#!/usr/bin/env bash
# "Below the 5 % level of the density": fitted rows and new ones. scikit-learn 1.9.1.
# Guess: with 200 rows about 5 % of new points from the same distribution fall below the level under
#   which 5 % of the model's own draws fall; a little more, since the model was fitted.
# Seen: 20 features, five components: 1 % of the fitted rows and 66 % of new rows from the very same
#   normal distribution lie below it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scikit-learn==1.9.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
from sklearn.mixture import GaussianMixture

fitted, new = [], []
for seed in range(10):
    rng = np.random.default_rng(seed)
    X, fresh = rng.normal(size=(200, 20)), rng.normal(size=(2000, 20))
    model = GaussianMixture(5, random_state=seed, reg_covar=1e-3).fit(X)
    level = np.quantile(model.score_samples(model.sample(20_000)[0]), 0.05)
    fitted.append(np.mean(model.score_samples(X) < level))
    new.append(np.mean(model.score_samples(fresh) < level))
print("fitted rows:", np.mean(fitted), "new rows:", np.mean(new))
assert np.mean(fitted) < 0.03 and np.mean(new) > 0.5
PYTHON
