#!/usr/bin/env bash
# A million float32 rows around 1000 with variance 1. scikit-learn 1.9.1, NumPy 2.4.6.
# Guess: a mean of single-precision numbers is right to about seven digits, in any fit.
# Seen: GaussianNB reports class means of 996.3 and variances of 14.7: whole rows are added up one after
#   the other in single precision. GaussianMixture with diagonal covariances raises ValueError for the
#   row-major array, and for the same numbers column-major gives variances that are off by 6 to 44 %
#   (0.94 and 0.56, or 1.06 and 1.13: the order of the sums decides). In float64 all is right. No warning from GaussianNB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scikit-learn==1.9.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
from sklearn.mixture import GaussianMixture
from sklearn.naive_bayes import GaussianNB

X = (1000 + np.random.default_rng(0).normal(size=(1_000_000, 2))).astype(np.float32)
y = np.arange(len(X)) % 2
rows, columns = GaussianNB().fit(X, y), GaussianNB().fit(np.asfortranarray(X), y)
double = GaussianNB().fit(X.astype(np.float64), y)
print("GaussianNB, rows:   ", rows.theta_[0, 0], rows.var_[0, 0])
print("GaussianNB, columns:", columns.theta_[0, 0], columns.var_[0, 0])
print("GaussianNB, float64:", double.theta_[0, 0], double.var_[0, 0])
assert abs(rows.theta_[0, 0] - 1000) > 2 and rows.var_[0, 0] > 10
assert abs(columns.theta_[0, 0] - 1000) > 2 and columns.var_[0, 0] > 10
assert abs(double.theta_[0, 0] - 1000) < 0.01 and abs(double.var_[0, 0] - 1) < 0.01
try:
    GaussianMixture(1, covariance_type="diag").fit(X)
    raise AssertionError("fitted")
except ValueError as error:
    print("GaussianMixture diag, rows:", str(error)[:60])
variances = GaussianMixture(1, covariance_type="diag").fit(np.asfortranarray(X)).covariances_[0]
print("GaussianMixture diag, columns:", variances)
assert (np.abs(variances - 1) > 0.03).all()
PYTHON
