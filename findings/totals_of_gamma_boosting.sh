#!/usr/bin/env bash
# Totals of boosted trees with a gamma loss. LightGBM 4.7.0, scikit-learn 1.9.1, SciPy 1.17.1, NumPy 2.4.6.
# Guess: the means of fitted rows sum to about what the responses do at any number of trees, since boosting starts
#   from their mean; the `score` of a gamma booster is that of GammaRegressor, the share of deviance explained.
# Seen: with ten trees they sum to 0.86 of it by LightGBM and by HistGradientBoostingRegressor, and with 100 to 0.99;
#   with squared or Poisson loss to 1.00 at any number. `score` of the booster is R squared, 0.44, where the
#   share of deviance is 0.59.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check lightgbm==4.7.0 scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
from lightgbm import LGBMRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.metrics import d2_tweedie_score, r2_score

rng = np.random.default_rng(0)
x = rng.uniform(0, 4, (2000, 1))
y = rng.gamma(2, (1 + x[:, 0] ** 2) / 2)
totals = {}
for trees in (1, 10, 100):
    models = {
        "LightGBM gamma": LGBMRegressor(objective="gamma", n_estimators=trees, n_jobs=1, verbose=-1),
        "LightGBM poisson": LGBMRegressor(objective="poisson", n_estimators=trees, n_jobs=1, verbose=-1),
        "scikit-learn gamma": HistGradientBoostingRegressor(loss="gamma", max_iter=trees),
        "scikit-learn squared": HistGradientBoostingRegressor(max_iter=trees),
    }
    totals[trees] = {name: float(model.fit(x, y).predict(x).sum() / y.sum()) for name, model in models.items()}
    print(trees, "trees:", {name: round(share, 3) for name, share in totals[trees].items()})
    assert all(abs(share - 1) < 0.01 for name, share in totals[trees].items() if "gamma" not in name)
for name in ("LightGBM gamma", "scikit-learn gamma"):
    assert totals[10][name] < 0.88 and totals[100][name] > 0.98

booster = HistGradientBoostingRegressor(loss="gamma", max_iter=20).fit(x, y)
mean = booster.predict(x)
explained = d2_tweedie_score(y, mean, power=2)
print(f"score {booster.score(x, y):.3f}, R squared {r2_score(y, mean):.3f}, deviance explained {explained:.3f}")
assert booster.score(x, y) == r2_score(y, mean) and explained > booster.score(x, y) + 0.1
PYTHON
