#!/usr/bin/env bash
# Logarithms of tail probabilities by SciPy's two kinds of distributions. SciPy 1.17.1, NumPy 2.4.6.
# Guess: `logsf` and `logcdf` are there for tails that are too small for `sf` and `cdf`, so they are
#   finite where the logarithm is.
# Seen: they are for the normal, the exponential and the logistic distribution. For gamma, chi2, beta
#   and t they are the logarithm of a number that has become 0: -inf. make_distribution(stats.gamma)
#   gives -793.31 at 800 and -921.73 at 1e-200, as the closed form does.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scipy==1.17.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import math
import warnings

import numpy as np
from scipy import stats

warnings.simplefilter("ignore")  # of the logarithm of 0
for distribution, x in [(stats.norm(), 60), (stats.expon(), 800), (stats.logistic(), 800)]:
    tail = distribution.logsf(x)
    print(distribution.dist.name, "logsf", f"{tail:.2f}")
    assert np.isfinite(tail)
for distribution, x in [
    (stats.gamma(2), 800),
    (stats.chi2(3), 1600),
    (stats.beta(2, 500), 0.9),
    (stats.t(5), 1e80),
]:
    tail = distribution.logsf(x)
    print(distribution.dist.name, "logsf", tail)
    assert tail == -np.inf
new = stats.make_distribution(stats.gamma)(a=2)
upper, lower = new.logccdf(800), new.logcdf(1e-200)
print(f"gamma by make_distribution: {upper:.2f}, {lower:.2f}; old logcdf {stats.gamma(2).logcdf(1e-200)}")
# In closed form for shape 2: P(Y > y) = (1 + y) exp(-y), and P(Y <= y) is near y^2 / 2.
assert math.isclose(upper, math.log(801) - 800, rel_tol=1e-12)
assert math.isclose(lower, 2 * math.log(1e-200) - math.log(2), rel_tol=1e-12)
assert stats.gamma(2).logcdf(1e-200) == -np.inf
PYTHON
