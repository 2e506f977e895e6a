#!/usr/bin/env bash
# Conformal p-values of one classifier, asked for twice. crepes 0.9.1, scikit-learn 1.9.1, NumPy 2.4.6, pandas 3.1.1.
# Guess: predict_p of a calibrated classifier is a function of the row; its `seed` makes it one in any case.
# Seen: ties are broken by a draw: two calls differ by 0.3 or more (GaussianNB on iris, 50 rows to calibrate). With
#   a seed a row's value depends on its place in the table, by up to 0.19 from that of the row alone. The largest
#   p-value is 1 for 13 of 50 rows with smoothing=False, and 0.80 for these on average with draws.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  crepes==0.9.1 scikit-learn==1.9.1 numpy==2.4.6 pandas==3.1.1
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
from crepes import WrapClassifier
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB

X, y = load_iris(return_X_y=True)
order = np.random.default_rng(0).permutation(150)
X, y = X[order], y[order]
model = WrapClassifier(GaussianNB())
model.fit(X[:50], y[:50])
model.calibrate(X[50:100], y[50:100])
new = X[100:]
twice = [model.predict_p(new) for _ in range(2)]
one_by_one = np.vstack([model.predict_p(row[None], seed=0) for row in new])
in_table = model.predict_p(new, seed=0)
fixed = model.predict_p(new, smoothing=False)
print("largest difference of two calls", abs(twice[0] - twice[1]).max().round(3))
print("with a seed, in the table or alone", abs(one_by_one - in_table).max().round(3))
certain = fixed.max(axis=1) == 1
drawn = in_table.max(axis=1)[certain].mean()
print("rows with a p-value of 1 without draws", certain.sum(), "their mean with draws", drawn.round(3))
assert abs(twice[0] - twice[1]).max() > 0.2 and abs(one_by_one - in_table).max() > 0.1
assert certain.sum() == 13 and 0.7 < drawn < 0.9
assert (in_table == model.predict_p(new, seed=0)).all() and (fixed == model.predict_p(new, smoothing=False)).all()
PYTHON
