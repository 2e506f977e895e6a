#!/usr/bin/env bash
# Two independent columns of variance 1 around ten million, in float64. scikit-learn 1.9.1, NumPy 2.4.6.
# Guess: PCA has its usual seven or more digits there, IncrementalPCA by batches fewer; r_regression
#   gives the correlations that NumPy does.
# Seen: IncrementalPCA and PCA(svd_solver="full") find variances of 1.0102 and 0.9096. PCA(), which
#   takes products of columns ("covariance_eigh") from ten rows a column on, finds 0.98 and 0.55.
#   r_regression has 0.61 for a correlation of 0.71. No warning. (How far off depends on the BLAS.)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scikit-learn==1.9.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import warnings

import numpy as np
from sklearn.decomposition import PCA, IncrementalPCA
from sklearn.feature_selection import r_regression

warnings.simplefilter("error")
rng = np.random.default_rng(0)
x = np.round(rng.standard_normal(1000), 6)
y = x + rng.standard_normal(1000)
near = np.column_stack([x, np.round(rng.standard_normal(1000), 6)])
far = near + 1e7
by_default = PCA().fit(far).explained_variance_
full = PCA(svd_solver="full").fit(far).explained_variance_
by_batches = IncrementalPCA(batch_size=100).fit(far).explained_variance_
print(f"variances: {by_default}, full {full}, by batches {by_batches}")
assert np.allclose([full, by_batches], [1.01024866, 0.90964338], atol=1e-7)
assert abs(by_default[1] - 0.90964338) > 0.02
found, right = r_regression(far, y)[0], np.corrcoef(far[:, 0], y)[0, 1]
print(f"correlation: {found:.4f}, by NumPy {right:.4f}")
assert abs(right - 0.71257) < 1e-5 and abs(found - right) > 0.02
PYTHON
