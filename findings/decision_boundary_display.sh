#!/usr/bin/env bash
# DecisionBoundaryDisplay: what it draws for three classes, and for a mixture. scikit-learn 1.9.1.
# Guess: three classes make three surfaces whatever the plot method; a mixture has predict_proba, so its
#   boundary is drawn by "auto".
# Seen: contourf and pcolormesh make three surfaces, contour four (the last one draws the boundary).
#   For a GaussianMixture "auto" and "predict_proba" raise ValueError (no classes_), "predict" and
#   "score_samples" are drawn.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scikit-learn==1.9.1 numpy==2.4.6 matplotlib
"$folder/venv/bin/python" - <<'PYTHON'
import matplotlib

matplotlib.use("Agg")
from sklearn.datasets import load_iris
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.mixture import GaussianMixture

X, y = load_iris(return_X_y=True)
X = X[:, :2]
rule, surfaces = LinearDiscriminantAnalysis().fit(X, y), {}
for method in ("contourf", "pcolormesh", "contour"):
    display = DecisionBoundaryDisplay.from_estimator(rule, X, plot_method=method, response_method="predict_proba")
    surfaces[method] = len(display.surface_)
print(surfaces)
assert surfaces == {"contourf": 3, "pcolormesh": 3, "contour": 4}
mixture, drawn = GaussianMixture(2, random_state=0).fit(X), {}
for method in ("auto", "predict_proba", "predict", "score_samples"):
    try:
        DecisionBoundaryDisplay.from_estimator(mixture, X, response_method=method)
        drawn[method] = True
    except ValueError as error:
        drawn[method] = False
        print(method, "->", str(error)[:80])
assert drawn == {"auto": False, "predict_proba": False, "predict": True, "score_samples": True}
PYTHON
