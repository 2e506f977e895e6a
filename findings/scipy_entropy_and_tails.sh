#!/usr/bin/env bash
# SciPy's new distributions: entropy of a mixture, quantiles of a tail. SciPy 1.17.1, NumPy 2.4.6.
# Guess: `entropy` of a mixture counts every component, and the median of a truncated distribution is
#   the same by `icdf` as by `iccdf`.
# Seen: two normals with standard deviation 1 have the entropy 2.112 while 100 apart, and 1.056, one
#   half of it, from 400 on. The median of a normal above 8 is 8.077 by `median` and `icdf`, 8.085 by
#   `iccdf`, which is right; above 10 it is inf. No warning says so. For a gamma above 40 they differ
#   too: 40.46 and 40.71.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scipy==1.17.1 numpy==2.4.6
"$folder/venv/bin/python" -W error - <<'PYTHON'
import numpy as np
from scipy import stats
from scipy.stats import Mixture, Normal

right = np.log(2) + 0.5 * np.log(2 * np.pi * np.e)  # the components hardly overlap
for distance, share in ((100.0, 1.0), (400.0, 0.5), (5000.0, 0.5)):
    pair = Mixture([Normal(mu=0.0, sigma=1.0), Normal(mu=distance, sigma=1.0)], weights=[0.5, 0.5])
    print(f"{distance:g} apart: entropy {pair.entropy():.4f}, right {right:.4f}")
    assert abs(pair.entropy() - share * right) < 1e-6

for low, seen in ((8.0, 8.0766), (10.0, np.inf)):
    above = stats.truncate(Normal(), lb=low)
    truth = stats.norm.isf(0.5 * stats.norm.sf(low))  # half of the mass above `low`
    print(f"above {low:g}: {above.median():.4f} by icdf, {above.iccdf(0.5):.4f} by iccdf, {truth:.4f}")
    assert np.isclose(above.median(), seen, atol=1e-4) and above.median() == above.icdf(0.5)
    assert np.isclose(above.iccdf(0.5), truth, rtol=1e-9)

above = stats.truncate(stats.make_distribution(stats.gamma)(a=2.0), lb=40.0)
truth = stats.gamma.isf(0.5 * stats.gamma.sf(40.0, 2.0), 2.0)
print(f"gamma above 40: {above.icdf(0.5):.4f} by icdf, {above.iccdf(0.5):.4f} by iccdf, {truth:.4f}")
assert abs(above.icdf(0.5) - 40.4616) < 1e-3 and np.isclose(above.iccdf(0.5), truth, rtol=1e-9)
PYTHON
