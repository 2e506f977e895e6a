#!/usr/bin/env bash
# Raising `reg_covar` of GaussianMixture to cure a singular fit. scikit-learn 1.9.1.
# Guess: EM with a regularised covariance still raises its score with every iteration.
# Seen: with a third of the rows equal and reg_covar=0.1 the mean log-likelihood rises to iteration 5
#   (-2.3078) and falls from there (-2.3095, -2.3140): the M step no longer maximises what is scored.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scikit-learn==1.9.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import warnings

import numpy as np
from sklearn.mixture import GaussianMixture

warnings.simplefilter("ignore")
X = np.r_[np.random.default_rng(0).normal(size=(60, 2)), np.zeros((30, 2))]
score = {
    n: GaussianMixture(2, reg_covar=0.1, max_iter=n, tol=0, random_state=0).fit(X).score(X)
    for n in (1, 5, 20, 100)
}
print({n: round(value, 4) for n, value in score.items()})
assert score[1] < score[5] and score[100] < score[20] < score[5]
PYTHON
