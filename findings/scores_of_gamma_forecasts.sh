#!/usr/bin/env bash
# Scores of forecasts of a gamma response. scoringrules 0.10.0, model-diagnostics 1.5.0, SciPy 1.17.1,
# NumPy 2.4.6, scikit-learn 1.9.1, polars 2.1.0.
# Guess: logs_gamma is minus the log density for any shape; `decompose` finds no miscalibration in forecasts
#   that are the true means.
# Seen: at a shape of 150 logs_gamma is -inf, the best score there is, and from 172 on NaN (a standard deviation
#   of 8 % of the mean); crps_gamma is right. decompose finds a miscalibration of 0.115 in 100 true means, 0.022 in
#   1000, of a score of 0.56.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  scoringrules==0.10.0 model-diagnostics==1.5.0 scipy==1.17.1 numpy==2.4.6 scikit-learn==1.9.1 polars==2.1.0
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
import scoringrules
from model_diagnostics.scoring import GammaDeviance, decompose
from scipy import integrate, stats

for shape, seen in ((100, None), (150, -np.inf), (172, np.nan), (500, np.nan)):
    law = stats.gamma(shape, scale=1 / shape)
    logarithmic = float(scoringrules.logs_gamma(1.1, shape, scale=1 / shape))
    ranked = float(scoringrules.crps_gamma(1.1, shape, scale=1 / shape))
    below = integrate.quad(lambda t: law.cdf(t) ** 2, 0.2, 1.1)[0]
    by_hand = below + integrate.quad(lambda t: law.sf(t) ** 2, 1.1, 2)[0]
    right = -law.logpdf(1.1)
    print(f"shape {shape}: {logarithmic:.4f} for {right:.4f}, CRPS {ranked:.5f} for {by_hand:.5f}")
    assert np.isclose(ranked, by_hand, rtol=1e-4)
    assert np.isclose(logarithmic, right if seen is None else seen, equal_nan=True)

found = {}
for n in (100, 1000, 10_000):
    rng = np.random.default_rng(0)
    mean = np.exp(0.5 * rng.normal(size=n))
    y = rng.gamma(2, mean / 2)
    parts = decompose(y_obs=y, y_pred=mean, scoring_function=GammaDeviance())
    found[n] = parts["miscalibration"][0]
    print(n, "true means: miscalibration", round(found[n], 4), "of a score of", round(parts["score"][0], 3))
assert np.allclose(list(found.values()), [0.115, 0.022, 0.005], atol=1e-3)
PYTHON
