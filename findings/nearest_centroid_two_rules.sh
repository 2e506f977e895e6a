#!/usr/bin/env bash
# One classifier with two rules. scikit-learn 1.9.1, NumPy 2.4.6.
# Guess: `predict` of NearestCentroid is the class of highest `predict_proba`, as for every other classifier
#   of scikit-learn, and priors that equal the shares of the classes change nothing.
# Seen: on iris they differ for 11 of 150 flowers, and so does `decision_function`: with equal priors,
#   which iris has, `predict` takes the plain distance, the other two divide by each feature's scatter. Prior
#   shares of 0.3333, 0.3333, 0.3334 bring the 11 decisions over to the probabilities.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scikit-learn==1.9.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
from sklearn.datasets import load_iris
from sklearn.neighbors import NearestCentroid

X, y = load_iris(return_X_y=True)
for priors in ("uniform", "empirical", [0.3333, 0.3333, 0.3334]):
    rule = NearestCentroid(priors=priors).fit(X, y)
    predicted, probable = rule.predict(X), rule.predict_proba(X).argmax(axis=1)
    drawn = rule.decision_function(X).argmax(axis=1)
    print(priors, "other than the most probable:", (predicted != probable).sum(), "errors", (predicted != y).sum())
    assert (drawn == probable).all()
    assert (predicted != probable).sum() == (11 if isinstance(priors, str) else 0)
    assert (probable != y).sum() == 6 and (predicted != y).sum() == (11 if isinstance(priors, str) else 6)
PYTHON
