#!/usr/bin/env bash
# Fits of SciPy's distributions with and without a location. SciPy 1.17.1, NumPy 2.4.6.
# Guess: `fit` maximises the likelihood, so that with a free location, its default, every draw has a
#   density, and the likelihood is at least that of `floc=0`.
# Seen: of 60 Weibull samples (shape 1.5, 100 draws) 15 fits leave draws out: their density is 0, the likelihood too.
#   Of 200 gamma samples (shape 2) one fit is 53.8 lower than with floc=0: -331.4 for -277.6. No warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scipy==1.17.1 numpy==2.4.6
"$folder/venv/bin/python" -W error - <<'PYTHON'
import numpy as np
from scipy import stats

left_out = []
for seed in range(60):
    draws = stats.weibull_min(1.5, scale=3).rvs(100, random_state=np.random.default_rng(seed))
    left_out.append(np.sum(stats.weibull_min(*stats.weibull_min.fit(draws)).pdf(draws) == 0))
    assert (stats.weibull_min(*stats.weibull_min.fit(draws, floc=0)).pdf(draws) > 0).all()
left_out = np.array(left_out)
print("Weibull fits of 60 that leave draws out:", (left_out > 0).sum(), "most draws of 100:", left_out.max())
assert 10 <= (left_out > 0).sum() <= 20 and left_out.max() >= 4

draws = np.random.default_rng(53).gamma(2.0, 3.0, 100)
free, fixed = stats.gamma.fit(draws), stats.gamma.fit(draws, floc=0)
found = [float(stats.gamma.logpdf(draws, *fit).sum()) for fit in (free, fixed)]
print("gamma, log-likelihood with a free location and with floc=0:", np.round(found, 1), "free:", np.round(free, 2))
assert found[0] < found[1] - 20
PYTHON
