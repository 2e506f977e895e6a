#!/usr/bin/env bash
# Canonical correlations by three estimators of one package. cca-zoo 4.0.1, SciPy 1.17.1, NumPy 2.4.6.
# Guess: without a penalty or outliers CCAEY (by gradients) and HuberCCA find the pairs of CCA, in
#   falling order, whatever the units.
# Seen: CCA has 0.675 and 0.591, the other two 0.646 and 0.622; after one column is multiplied by 100 CCA has the
#   same and they have 0.612 and 0.656. `score`, the mean of a pair, is 0.633 or 0.634 in all: the plane is
#   found, the pairs in it are not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check cca-zoo==4.0.1 scipy==1.17.1 numpy==2.4.6
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
from cca_zoo.linear import CCA, CCAEY, HuberCCA

rng = np.random.default_rng(0)
Z = rng.normal(size=(100, 2))
X = np.hstack([Z + 0.7 * rng.normal(size=(100, 2)), rng.normal(size=(100, 3))])
Y = np.hstack([Z + rng.normal(size=(100, 2)), rng.normal(size=(100, 1))])
bases = [np.linalg.qr(side - side.mean(axis=0))[0] for side in (X, Y)]
right = np.linalg.svd(bases[0].T @ bases[1], compute_uv=False)[:2]
print("by singular values:", right.round(3))
for estimator in (CCA(2), CCAEY(2, random_state=0), HuberCCA(2, random_state=0)):
    for unit in (1, 100):
        views = [X * [1, unit, 1, 1, 1], Y]
        scores = estimator.fit(views).transform(views)
        pairs = np.array([np.corrcoef(scores[0][:, k], scores[1][:, k])[0, 1] for k in range(2)])
        score = float(estimator.score(views))
        print(type(estimator).__name__, "times", unit, pairs.round(3), "score", round(score, 3))
        assert abs(score - right.mean()) < 0.003
        if isinstance(estimator, CCA):
            assert np.allclose(pairs, right, atol=1e-6)
        else:
            assert pairs.max() < right[0] - 0.01 and (pairs[0] < pairs[1]) == (unit == 100)
PYTHON
