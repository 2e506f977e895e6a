#!/usr/bin/env bash
# SciPy's new distributions: a transformation that changes another. SciPy 1.17.1, NumPy 2.4.6.
# Guess: stats.exp(X) does not depend on what else was computed in the process.
# Seen: stats.exp(Normal()).logpdf(0) is -inf; after abs(Normal()) was made, a new stats.exp(Normal())
#   gives NaN at 0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scipy==1.17.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import warnings

import numpy as np
from scipy import stats

warnings.simplefilter("ignore")
before = stats.exp(stats.Normal()).logpdf(0)
abs(stats.Normal())
after = stats.exp(stats.Normal()).logpdf(0)
print("before:", before, "after:", after)
assert before == -np.inf and np.isnan(after)
PYTHON
