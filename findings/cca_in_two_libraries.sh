#!/usr/bin/env bash
# CCA in scikit-learn and statsmodels. scikit-learn 1.9.1, statsmodels 0.15.0, NumPy 2.4.6.
# Guess: a column that repeats two others adds nothing, so the correlations stay; set_output wraps
#   both results; a single column of Y is a valid side; the two tables of corr_test agree.
# Seen: with a column equal to the sum of two others up to 1e-9, the second correlation of CCA at
#   tol=1e-14 falls from 0.039 to 0.002 without a word. set_output(transform="pandas") wraps the first
#   result only. CanCorr squeezes a single column of Y and fails. Its corr_test().stats has 112
#   denominator degrees of freedom for Wilks' lambda, where stats_mv of the same object has 108.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scikit-learn==1.9.1 statsmodels==0.15.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import warnings

import numpy as np
from sklearn.cross_decomposition import CCA
from statsmodels.multivariate.cancorr import CanCorr

warnings.simplefilter("ignore")
rng = np.random.default_rng(1)
X, Y = rng.normal(size=(60, 4)), rng.normal(size=(60, 2))
Y[:, 0] += X[:, 0]


def correlations(X):
    scores = CCA(2, tol=1e-14, max_iter=20_000).fit(X, Y).transform(X, Y)
    return [np.corrcoef(scores[0][:, k], scores[1][:, k])[0, 1] for k in range(2)]


repeated = np.c_[X, X[:, 0] + X[:, 1] + 1e-9 * rng.normal(size=60)]
plain, doubled = correlations(X), correlations(repeated)
print("four columns:", np.round(plain, 4), "with their sum:", np.round(doubled, 4))
assert abs(plain[1] - 0.0393) < 1e-3 and doubled[1] < 0.01
both = CCA(2).set_output(transform="pandas").fit(X, Y).transform(X, Y)
print("set_output:", [type(result).__name__ for result in both])
assert [type(result).__name__ for result in both] == ["DataFrame", "ndarray"]
try:
    CanCorr(Y[:, :1], X)
    raise AssertionError("one column is taken")
except ValueError as error:
    print("one column:", error)
test = CanCorr(Y, X).corr_test()
wrong, right = float(test.stats["Den DF"].iloc[0]), float(test.stats_mv.loc["Wilks' lambda", "Den DF"])
print("denominator degrees of freedom:", wrong, right)
assert (wrong, right) == (112.0, 108.0)
PYTHON
