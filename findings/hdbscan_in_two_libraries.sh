#!/usr/bin/env bash
# HDBSCAN in two libraries. hdbscan 0.8.44, scikit-learn 1.9.1, SciPy 1.17.1, NumPy 2.4.6.
# Guess: the same min_cluster_size and min_samples find the same clusters, or nearly.
# Seen: scikit-learn counts the row itself among min_samples, hdbscan does not. On the wine data with 5 and 3 they
#   find 12 clusters and 30 rows of noise, and 5 and 4: an adjusted Rand index of 0.20. With 4 in scikit-learn
#   it is 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  hdbscan==0.8.44 scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import hdbscan
from sklearn.cluster import HDBSCAN
from sklearn.datasets import load_wine
from sklearn.metrics import adjusted_rand_score

X = load_wine().data
found = {
    "hdbscan, 3": hdbscan.HDBSCAN(min_cluster_size=5, min_samples=3).fit(X).labels_,
    "scikit-learn, 3": HDBSCAN(min_cluster_size=5, min_samples=3).fit(X).labels_,
    "scikit-learn, 4": HDBSCAN(min_cluster_size=5, min_samples=4).fit(X).labels_,
}
first = found["hdbscan, 3"]
agreement = {name: adjusted_rand_score(first, labels) for name, labels in found.items()}
for name, labels in found.items():
    print(name, "clusters", labels.max() + 1, "noise", (labels == -1).sum(), "agreement", round(agreement[name], 3))
assert agreement["scikit-learn, 3"] < 0.4 and agreement["scikit-learn, 4"] > 0.99
PYTHON
