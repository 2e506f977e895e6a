#!/usr/bin/env bash
# Partial canonical correlations after the fit. cca-zoo 4.0.1, SciPy 1.17.1, NumPy 2.4.6.
# Guess: the score of a fitted PartialCCA is the mean of its partial correlations, 0.490, and transform without
#   the covariates is refused.
# Seen: transform(views, partials=C) gives the scores whose correlations are 0.752 and 0.228, as by residuals.
#   Without C it leaves the covariates in, without a word: 0.892 and 0.316; `score` does so always (0.604), since it
#   takes no partials.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check cca-zoo==4.0.1 scipy==1.17.1 numpy==2.4.6
"$folder/venv/bin/python" -W error::UserWarning - <<'PYTHON'
import numpy as np
from cca_zoo.linear import PartialCCA

rng = np.random.default_rng(0)
C = rng.normal(size=(100, 1))
X, Y = rng.normal(size=(100, 3)), rng.normal(size=(100, 3))
Y[:, 0] += X[:, 0]
X, Y = X + 2 * C, Y + 2 * C
views = [X, Y]


def correlations(scores):
    return np.array([np.corrcoef(scores[0][:, k], scores[1][:, k])[0, 1] for k in range(2)])


design = np.column_stack([np.ones(100), C])
bases = [np.linalg.qr(side - design @ np.linalg.lstsq(design, side, rcond=None)[0])[0] for side in views]
right = np.linalg.svd(bases[0].T @ bases[1], compute_uv=False)[:2]
model = PartialCCA(2).fit(views, partials=C)
given, without = (correlations(model.transform(views, **options)) for options in ({"partials": C}, {}))
score = float(model.score(views))
print("residuals", right.round(3), "transform with C", given.round(3), "without", without.round(3), "score", round(score, 3))
assert np.allclose(given, right) and np.isclose(score, without.mean()) and score > right.mean() + 0.1
try:
    model.score(views, partials=C)
    raise AssertionError("taken")
except TypeError as error:
    print("TypeError:", error)
PYTHON
