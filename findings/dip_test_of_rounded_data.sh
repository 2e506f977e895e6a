#!/usr/bin/env bash
# Hartigan's dip test where values repeat. diptest 0.12.0, NumPy 2.4.6.
# Guess: rounding to less than a sixth of the standard deviation does not matter: a test at 5 % for more than one
#   mode rejects in fewer than 5 % of samples from one normal distribution.
# Seen: it rejects in all of 50 samples of 1000 heights (standard deviation 7 cm) in whole centimetres, p-values
#   about 3e-6, and in none in millimetres, or with uniform noise of half a centimetre added.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check diptest==0.12.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import diptest
import numpy as np

heights = [np.random.default_rng(seed).normal(170, 7, 1000) for seed in range(50)]
noise = np.random.default_rng(100).uniform(-0.5, 0.5, 1000)
seen = {}
for name, kept in (
    ("millimetres", lambda x: x.round(1)),
    ("centimetres", lambda x: x.round()),
    ("centimetres and noise", lambda x: x.round() + noise),
):
    pvalues = np.array([diptest.diptest(kept(sample))[1] for sample in heights])
    seen[name] = (pvalues < 0.05).mean()
    print(f"{name}: rejected {seen[name]:.2f}, median p-value {np.median(pvalues):.2g}")
assert seen == {"millimetres": 0, "centimetres": 1, "centimetres and noise": 0}
PYTHON
