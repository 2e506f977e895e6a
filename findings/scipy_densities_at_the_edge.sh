#!/usr/bin/env bash
# Two SciPy densities at the edge of what they are defined for. SciPy 1.17.1, NumPy 2.4.6.
# Guess: a positive definite covariance is accepted; a distribution on the circle has no density beyond
#   (-pi, pi].
# Seen: multivariate_normal takes diag(1, 1e-11) for singular (LinAlgError), diag(1, 1e-9) not.
#   vonmises has density on the whole line (0.267 at 7, equal to that at 7 - 2 pi), and cdf(7) is 1.73.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scipy==1.17.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
from scipy import stats

stats.multivariate_normal([0, 0], np.diag([1, 1e-9]))
try:
    stats.multivariate_normal([0, 0], np.diag([1, 1e-11]))
    raise AssertionError("accepted")
except np.linalg.LinAlgError as error:
    print("diag(1, 1e-11):", error)
circle = stats.vonmises(1)
print("density at 7:", circle.pdf(7), "at 7 - 2 pi:", circle.pdf(7 - 2 * np.pi), "cdf(7):", circle.cdf(7))
assert np.isclose(circle.pdf(7), circle.pdf(7 - 2 * np.pi)) and circle.pdf(7) > 0.2
assert 1.7 < circle.cdf(7) < 1.75
PYTHON
