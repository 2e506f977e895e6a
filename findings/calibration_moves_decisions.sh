#!/usr/bin/env bash
# Calibrated probabilities and the decisions made from them. scikit-learn 1.9.1, NumPy 2.4.6.
# Guess: calibration of a fitted classifier is monotone, so that hardly any decision changes, whatever
#   the method.
# Seen: for a QDA fitted to 40 % of the breast cancer data and calibrated on a quarter of the rest,
#   temperature and isotonic change no decision of 86, the sigmoid, which is the default, changes 8 %
#   and accuracy falls from 0.942 to 0.860: the scores reach from -1130 to 44, and one sigmoid is
#   fitted through all of them. For a GaussianNB on the digits isotonic, one class against the rest,
#   changes 11 % of decisions and accuracy rises from 0.826 to 0.896; the sigmoid changes none.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scikit-learn==1.9.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB


def changes(load, estimator):
    X, y = load(return_X_y=True)
    X_fit, X_rest, y_fit, y_rest = train_test_split(X, y, random_state=0, test_size=0.6)
    estimator.fit(X_fit, y_fit)
    X_calibrate, X_test, y_calibrate, y_test = train_test_split(X_rest, y_rest, random_state=1)
    before = estimator.predict(X_test)
    found = {"none": (0.0, np.mean(before == y_test))}
    for method in ("temperature", "sigmoid", "isotonic"):
        calibrated = CalibratedClassifierCV(FrozenEstimator(estimator), method=method)
        after = calibrated.fit(X_calibrate, y_calibrate).predict(X_test)
        found[method] = (np.mean(after != before), np.mean(after == y_test))
    for method, (changed, accuracy) in found.items():
        print(f"{load.__name__:20} {method:12} changed {changed:.3f}, accuracy {accuracy:.3f}")
    scores = estimator.decision_function(X_test) if hasattr(estimator, "decision_function") else None
    return found, scores


cancer, scores = changes(load_breast_cancer, QuadraticDiscriminantAnalysis(reg_param=0.1))
print(f"scores from {scores.min():.0f} to {scores.max():.0f}, {len(scores)} rows")
digits, _ = changes(load_digits, GaussianNB())
assert cancer["temperature"][0] == cancer["isotonic"][0] == 0
assert cancer["sigmoid"][0] > 0.07 and cancer["sigmoid"][1] < cancer["none"][1] - 0.07
assert digits["temperature"][0] == digits["sigmoid"][0] == 0
assert digits["isotonic"][0] > 0.1 and digits["isotonic"][1] > digits["none"][1] + 0.06
PYTHON
