#!/usr/bin/env bash
# GaussianMixture far from zero, by type of covariance. scikit-learn 1.9.1, NumPy 2.4.6, SciPy 1.17.1.
# Guess: the types differ in their number of parameters only, so all lose the same few digits.
# Seen: data at 1e7 with variance 1: log densities of diagonal and spherical fits are off by 0.05
#   from the density at the model's own parameters, those of full and tied fits by 5e-9. The first
#   expand (x - mu)^2 into x^2 - 2 x mu + mu^2; the others subtract first.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
from scipy.stats import multivariate_normal
from sklearn.mixture import GaussianMixture

X = np.random.default_rng(0).normal(size=(500, 2)) + 1e7
error = {}
for kind in ("full", "tied", "diag", "spherical"):
    model = GaussianMixture(1, covariance_type=kind).fit(X)
    covariance = {
        "full": lambda m: m.covariances_[0], "tied": lambda m: m.covariances_,
        "diag": lambda m: np.diag(m.covariances_[0]), "spherical": lambda m: m.covariances_[0] * np.eye(2),
    }[kind](model)
    exact = multivariate_normal(model.means_[0], covariance).logpdf(X)
    error[kind] = np.abs(model.score_samples(X) - exact).max()
print({kind: f"{value:.1e}" for kind, value in error.items()})
assert error["full"] < 1e-7 and error["tied"] < 1e-7
assert error["diag"] > 0.01 and error["spherical"] > 0.01
PYTHON
