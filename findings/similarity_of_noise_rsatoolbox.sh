#!/usr/bin/env bash
# The similarity of two representations of pure noise. rsatoolbox 0.3.2.
# Guess: `compare` of the dissimilarities of two independent noises is near 0 by its default method.
# Seen: the default is "cosine": 0.94 for 20 patterns and 30 channels, 0.99 for 200 channels. "cosine_cov",
#   which is linear CKA, has 0.60 and 0.91; "corr" and "corr_cov" lie within 0.05 of 0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: rsatoolbox==0.3.2
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
from rsatoolbox.data import Dataset
from rsatoolbox.rdm import calc_rdm, compare


def noise(seed, channels):
    return np.random.default_rng(seed).normal(size=(20, channels))


def linear_cka(X, Y):
    X, Y = X - X.mean(axis=0), Y - Y.mean(axis=0)
    return np.linalg.norm(X.T @ Y) ** 2 / np.linalg.norm(X.T @ X) / np.linalg.norm(Y.T @ Y)


for channels, right in ((30, [0.943, 0.60, 0, 0]), (200, [0.991, 0.91, 0, 0])):
    pairs = [(noise(seed, channels), noise(1000 + seed, channels)) for seed in range(20)]
    rdms = [[calc_rdm(Dataset(side)) for side in pair] for pair in pairs]
    found = {
        name: float(np.mean([compare(*pair, **options)[0, 0] for pair in rdms]))
        for name, options in [
            ("default", {}), ("cosine_cov", {"method": "cosine_cov"}),
            ("corr", {"method": "corr"}), ("corr_cov", {"method": "corr_cov"}),
        ]
    }
    print(channels, "channels:", {name: round(value, 3) for name, value in found.items()})
    assert np.allclose(list(found.values()), right, atol=0.06)
    assert np.isclose(found["cosine_cov"], np.mean([linear_cka(*pair) for pair in pairs]), rtol=1e-6)
PYTHON
