#!/usr/bin/env bash
# Units of the numeric columns in k-prototypes. kmodes 0.12.2, scikit-learn 1.9.1, NumPy 2.4.6.
# Guess: gamma, the weight of the categories, is by default taken from the scatter of the numeric columns, so
#   that metres or centimetres make no difference.
# Seen: gamma is half a standard deviation, while distances are squares: in units that make numbers 100
#   times larger the categories hardly count, in units that make them 100 times smaller the numbers do not. Of
#   the same 200 rows the adjusted Rand index with the truth is 0.63 as given, 0.42 and 0.91.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check kmodes==0.12.2 scikit-learn==1.9.1 numpy==2.4.6
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
from kmodes.kprototypes import KPrototypes
from sklearn.metrics import adjusted_rand_score

rng = np.random.default_rng(0)
truth = rng.integers(0, 3, 200)
numbers = rng.normal(size=(200, 2)) + 1.2 * truth[:, None]
categories = np.where(rng.uniform(size=(200, 3)) < 0.7, truth[:, None], rng.integers(0, 3, (200, 3)))


def fit(unit, gamma=None):
    rows = np.column_stack([(numbers * unit).astype(object), categories.astype(str)])
    return KPrototypes(3, n_init=3, random_state=0, gamma=gamma).fit(rows, categorical=[2, 3, 4])


seen = {}
for unit in (1, 100, 0.01):
    model = fit(unit)
    seen[unit] = adjusted_rand_score(truth, model.labels_)
    print(f"times {unit}: gamma {model.gamma:.4g}, adjusted Rand index {seen[unit]:.3f}")
    assert np.isclose(model.gamma, 0.5 * numbers.std() * unit, rtol=0.05)
assert abs(seen[100] - seen[1]) > 0.1 and abs(seen[0.01] - seen[1]) > 0.1
same = adjusted_rand_score(fit(1, gamma=1.0).labels_, fit(100, gamma=1e4).labels_)
print("gamma times the square of the unit: agreement", same)
assert same == 1
PYTHON
