#!/usr/bin/env bash
# Kernel density estimates that are no densities. scikit-learn 1.9.1, SciPy 1.17.1, NumPy 2.4.6.
# Guess: every kernel of KernelDensity integrates to 1 in any dimension; a weight of zero leaves a
#   point out of gaussian_kde, wherever it stands.
# Seen: KernelDensity(kernel="cosine") integrates to 0.36 in the plane, the other kernels to 1.
#   gaussian_kde with a zero as its FIRST weight: logpdf is NaN everywhere, pdf is right; with the zero
#   last, both are right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import warnings

import numpy as np
from scipy.stats import gaussian_kde
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
warnings.simplefilter("ignore")
first, last = (gaussian_kde(np.arange(5.0), weights=w) for w in ([0, 1, 1, 1, 1], [1, 1, 1, 1, 0]))
print("zero first:", first.logpdf([1, 2]), first.pdf([1, 2]), "zero last:", last.logpdf([1, 2]))
assert np.isnan(first.logpdf([1, 2])).all() and np.isfinite(first.pdf([1, 2])).all()
assert np.isfinite(last.logpdf([1, 2])).all()
PYTHON
