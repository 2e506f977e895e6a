#!/usr/bin/env bash
# The number of clusters by the gap statistic. gap-stat 2.0.2, NumPy 2.4.6, pandas 3.1.1, SciPy 1.17.1, scikit-learn 1.9.1.
# Guess: OptimalK answers as Tibshirani, Walther and Hastie do, by the first K whose gap is within an error
#   of the next one's, so that uniform rows have one cluster.
# Seen: it answers the K with the largest gap: of 12 tables of uniform rows 2 to 6 in eleven. Its own table,
#   `gap_df`, holds what the rule needs, and by the rule eleven have one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  gap-stat==2.0.2 numpy==2.4.6 pandas==3.1.1 scipy==1.17.1 scikit-learn==1.9.1
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
from gap_statistic import OptimalK

np.random.seed(0)  # it draws its references from the global state
answers, by_rule = [], []
for seed in range(12):
    rows = np.random.default_rng(seed).uniform(size=(200, 2))
    search = OptimalK(n_jobs=1, parallel_backend=None)
    answers.append(int(search(rows, n_refs=20, cluster_array=np.arange(1, 7))))
    table = search.gap_df.sort_values("n_clusters")
    gap, error = table["gap_value"].to_numpy(), table["sk"].to_numpy()
    enough = gap[:-1] >= gap[1:] - error[1:]
    by_rule.append(int(enough.argmax()) + 1 if enough.any() else 0)
print("answers:", answers, "by the rule:", by_rule)
assert np.sum(np.array(answers) > 1) >= 8 and by_rule.count(1) >= 9
PYTHON
