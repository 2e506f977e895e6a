#!/usr/bin/env bash
# numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1 (November 2026, Python 3.11)
#
# Guess: `scipy.stats.bootstrap(..., paired=True)` on labels and clusters gives a 95% interval of the
# Fowlkes-Mallows index; its default, BCa, corrects the bias of a score that counts pairs of rows.
#
# Seen: for small clusters (80 rows in 40 clusters) no resample scores as low as the data, since a
# row and its copy are a pair that agrees. So BCa, which takes its correction from the share of
# resamples below the observed score, is NaN in most tables ("the distribution is degenerate or the
# statistic is np.min": neither holds), and contains the true value in none of the others; the
# percentiles and the basic interval contain it in 3 tables of 20.
#
# What helps: halves of the rows, drawn without replacement, have no copies.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1
cat > "$folder/run.py" <<'PY'
import warnings

import numpy as np
from scipy import stats
from sklearn.metrics import fowlkes_mallows_score

# Two classes, 40 clusters, nine rows of ten in a cluster of the same class.
population = np.full((2, 40), 0.1 / 40)
population[np.arange(40) % 2, np.arange(40)] = 0.9 / 40
both, classes, clusters = ((p**2).sum() for p in (population, population.sum(1), population.sum(0)))
truth = both / (classes * clusters) ** 0.5
rng = np.random.default_rng(0)
contains, missing, warned = {"percentile": 0, "basic": 0, "BCa": 0}, 0, set()
for _ in range(20):
    labels = np.divmod(rng.choice(80, size=80, p=population.ravel()), 40)
    for method in contains:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            low, high = stats.bootstrap(
                labels, lambda x, y: fowlkes_mallows_score(x, y), paired=True, vectorized=False,
                n_resamples=199, method=method, rng=rng,
            ).confidence_interval
        warned |= {str(w.message)[:52] for w in caught if "degenerate" in str(w.message)}
        missing += method == "BCa" and bool(np.isnan(low))
        contains[method] += bool(low <= truth <= high)
print(f"true index {truth:.3f}; intervals that contain it, of 20: {contains}; BCa is NaN in {missing}")
print(*warned)
PY
"$folder/venv/bin/python" "$folder/run.py" > "$folder/seen"
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
true index 0.183; intervals that contain it, of 20: {'percentile': 3, 'basic': 3, 'BCa': 0}; BCa is NaN in 16
The BCa confidence interval cannot be calculated. Th
SEEN
