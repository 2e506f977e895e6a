#!/usr/bin/env bash
# SciPy's new distributions: a transformation that changes another, and a mode that is none. SciPy 1.17.1.
# Guess: stats.exp(X) does not depend on what else was computed; mode() is where the density is highest.
# Seen: stats.exp(Normal()).logpdf(0) is -inf; after abs(Normal()) was made anywhere in the process, a
#   new stats.exp(Normal()) gives NaN at 0. Mixture.mode() of 0.6 N(0, 1) + 0.4 N(4, 0.5) is 0, where
#   the density is 0.239; at 4 it is 0.319.
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
mixture = stats.Mixture(
    [stats.Normal(mu=0, sigma=1), stats.Normal(mu=4, sigma=0.5)], weights=[0.6, 0.4]
)
mode = float(mixture.mode())
print("mode:", round(mode, 6), "density there:", mixture.pdf(mode), "at 4:", mixture.pdf(4.0))
assert abs(mode) < 1e-6 and mixture.pdf(4.0) > 1.3 * mixture.pdf(mode)
PYTHON
