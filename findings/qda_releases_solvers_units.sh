#!/usr/bin/env bash
# QuadraticDiscriminantAnalysis between two releases, two solvers and two units. scikit-learn 1.8.0 and
# 1.9.1, NumPy 2.4.6.
# Guess: a point release leaves covariances alone; `reg_param` acts whatever the solver; units do not
#   matter to a discriminant rule.
# Seen: 1.8.0 divides by n - 1, 1.9.1 by n (iris, first class, first feature: 0.12425 and 0.12176), so
#   boundaries move between releases. solver="eigen" ignores reg_param without a word. Iris in metres
#   instead of centimetres is refused as "not full rank".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/look.py" <<'PYTHON'
import numpy as np
import sklearn
from sklearn.datasets import load_iris
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis as QDA

X, y = load_iris(return_X_y=True)
variance = QDA(store_covariance=True).fit(X, y).covariance_[0][0, 0]
ddof = 1 if sklearn.__version__ == "1.8.0" else 0
print(sklearn.__version__, "variance", round(variance, 5), "divided by", "n - 1" if ddof else "n")
assert np.isclose(variance, X[y == 0, 0].var(ddof=ddof), rtol=1e-12)
if not ddof:
    with_it, without = (QDA(solver="eigen", reg_param=reg).fit(X, y).predict_proba(X) for reg in (0.9, 0.0))
    print("eigen solver, reg_param 0.9 and 0: largest difference", np.abs(with_it - without).max())
    assert np.array_equal(with_it, without)
    by_svd = QDA(solver="svd", reg_param=0.9).fit(X, y).predict_proba(X)
    assert np.abs(by_svd - QDA(solver="svd").fit(X, y).predict_proba(X)).max() > 0.1
    try:
        QDA().fit(X * 0.01, y)
        raise AssertionError("fitted")
    except np.linalg.LinAlgError as error:
        print("iris in metres:", str(error)[:60])
PYTHON
for release in scikit-learn==1.8.0 scikit-learn==1.9.1; do
  python3 -m venv --clear "$folder/venv"
  "$folder/venv/bin/pip" install --quiet --disable-pip-version-check $release numpy==2.4.6
  "$folder/venv/bin/python" "$folder/look.py"
done
