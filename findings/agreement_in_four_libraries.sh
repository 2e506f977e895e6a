#!/usr/bin/env bash
# Agreement of two labellings in four libraries. scikit-learn 1.9.1, pandas 3.1.1, clusim 0.4,
# permetrics 2.1.0, NumPy 2.4.6.
# Guess: identical partitions score 1 by every measure; two Series are counted row by row; purity is
#   not symmetric; entropy is an average over clusters; a separation without any scatter inside is
#   infinitely good.
# Seen: fowlkes_mallows_score of identical partitions into single points is 0.0 (adjusted Rand 1.0).
#   pd.crosstab aligns two Series by their index, contingency_matrix counts by position: purity 0.67 and
#   1.0 of the same two. clusim's purity_index is 1/3 in both orders where one must be 1. permetrics'
#   entropy is the sum over clusters, not their mean weighted by size (0.918 for 0.459).
#   calinski_harabasz_score of two clusters without scatter is 1.0, that of a poorer one 200.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  scikit-learn==1.9.1 pandas==3.1.1 clusim==0.4 permetrics==2.1.0 numpy==2.4.6
"$work/venv/bin/python" - > "$work/seen" 2> /dev/null <<'PYTHON'
import clusim.clustering
import clusim.sim
import numpy as np
import pandas as pd
from permetrics.clustering import ClusteringMetric
from sklearn import metrics
from sklearn.metrics.cluster import contingency_matrix

single = [0, 1, 2]
print("single points, with themselves: Fowlkes-Mallows", metrics.fowlkes_mallows_score(single, single), end=", ")
print("adjusted Rand", metrics.adjusted_rand_score(single, single))

y_true = pd.Series(["x", "x", "y"])
y_pred = pd.Series(["p", "p", "q"], index=[2, 1, 0])
for name, counts in (
    ("crosstab", pd.crosstab(y_true, y_pred).to_numpy()),
    ("contingency_matrix", contingency_matrix(y_true, y_pred)),
):
    print(f"{name}: purity {counts.max(axis=0).sum() / counts.sum():.2f}")

halves = clusim.clustering.Clustering().from_membership_list([0, 0, 0, 1, 1, 1])
points = clusim.clustering.Clustering().from_membership_list([0, 1, 2, 3, 4, 5])
print(f"clusim: {clusim.sim.purity_index(halves, points):.4f} {clusim.sim.purity_index(points, halves):.4f}")

y_true, y_pred = np.array([0, 0, 0, 0, 1, 1]), np.array([0, 0, 0, 1, 1, 1])
shares = np.array([1, 2]) / 3  # the second cluster, of half the rows; the first is pure
entropy = -(shares * np.log2(shares)).sum()
theirs = ClusteringMetric(y_true=y_true, y_pred=y_pred).entropy_score()
print(f"permetrics: entropy {theirs:.3f}, mean over rows {entropy / 2:.3f}")

for name, x in (("no scatter", [0, 0, 10, 10]), ("some", [0, 1, 10, 11])):
    score = metrics.calinski_harabasz_score(np.array(x, float)[:, None], [0, 0, 1, 1])
    print(f"Calinski-Harabasz, {name}: {score:.1f}")
PYTHON
diff - "$work/seen" <<'SEEN'
single points, with themselves: Fowlkes-Mallows 0.0, adjusted Rand 1.0
crosstab: purity 0.67
contingency_matrix: purity 1.00
clusim: 0.3333 0.3333
permetrics: entropy 0.918, mean over rows 0.459
Calinski-Harabasz, no scatter: 1.0
Calinski-Harabasz, some: 200.0
SEEN
echo "as recorded"
