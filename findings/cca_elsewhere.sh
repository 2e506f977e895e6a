#!/usr/bin/env bash
# What is called CCA elsewhere. hyppo 0.5.2, pyrcca 0.2, SciPy 1.17.1, NumPy 2.4.6.
# Guess: hyppo's CCA statistic is a canonical correlation, so it does not depend on units; pyrcca runs.
# Seen: hyppo's statistic of the same data changes from 0.43 to 0.38 and 0.24 when one column is
#   multiplied by 100. pyrcca calls scipy.linalg.eigh with an argument that is gone (TypeError).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check hyppo==0.5.2 pyrcca==0.2 scipy==1.17.1 numpy==2.4.6 scikit-learn==1.9.1
"$folder/venv/bin/python" - <<'PYTHON'
import warnings

import numpy as np

warnings.simplefilter("ignore")
import rcca
from hyppo.independence import CCA

rng = np.random.default_rng(0)
X = rng.normal(size=(100, 2))
Y = X + rng.normal(size=(100, 2))
found = [float(CCA().statistic(X * units, Y)) for units in ([1, 1], [1, 100], [100, 1])]
print("hyppo, three units:", np.round(found, 4))
assert abs(found[0] - found[1]) > 0.02 and abs(found[0] - found[2]) > 0.1
try:
    rcca.CCA(kernelcca=False, reg=0.0, numCC=2).train([X, Y])
    raise AssertionError("trained")
except TypeError as error:
    print("pyrcca:", error)
PYTHON
