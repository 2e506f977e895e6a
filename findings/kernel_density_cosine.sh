#!/usr/bin/env bash
# A kernel density estimate that is no density. scikit-learn 1.9.1, NumPy 2.4.6.
# Guess: every kernel of KernelDensity integrates to 1 in any dimension.
# Seen: kernel="cosine" integrates to 0.36 in the plane, the others to 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scikit-learn==1.9.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
from sklearn.neighbors import KernelDensity

line = np.linspace(-6, 6, 481)
plane = np.array(np.meshgrid(line, line)).reshape(2, -1).T
mass = {}
for kernel in ("gaussian", "epanechnikov", "linear", "tophat", "cosine"):
    estimate = KernelDensity(kernel=kernel, bandwidth=1.0).fit(np.zeros((1, 2)))
    mass[kernel] = np.exp(estimate.score_samples(plane)).sum() * (line[1] - line[0]) ** 2
print({kernel: round(float(value), 3) for kernel, value in mass.items()})
assert abs(mass.pop("cosine") - 0.363) < 0.005
assert all(abs(value - 1) < 0.02 for value in mass.values())
PYTHON
