#!/usr/bin/env bash
# Three indices of clusterings that look at names or not at labels. permetrics 2.1.0, scikit-learn 1.9.1,
# SciPy 1.17.1, NumPy 2.4.6.
# Guess: an index of a clustering does not depend on how the clusters are numbered; Dunn's index is the smallest
#   distance between clusters over the largest diameter; the scatter in the Xie-Beni index is that of the clusters
#   given; a measure of agreement is 1 for a labelling with itself, and at most 1.
# Seen: dunn_index of iris by species is 0.198 and, with the numbers reversed, 0.170; by the definition, which is
#   use_modified=False, it is 0.058. xie_beni_index gives each row to the nearest centre: 0.210 for 0.227. tau_score of
#   the species with themselves is 1.221.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  permetrics==2.1.0 scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
from permetrics.clustering import ClusteringMetric
from scipy.spatial.distance import cdist, pdist
from sklearn.datasets import load_iris

X, y = load_iris(return_X_y=True)
by_number = [ClusteringMetric(X=X, y_pred=labels) for labels in (y, 2 - y)]
dunn = [metric.dunn_index() for metric in by_number]
plain = [metric.dunn_index(use_modified=False) for metric in by_number]
groups = [X[y == k] for k in range(3)]
apart = min(cdist(groups[i], groups[j]).min() for i in range(3) for j in range(i))
by_definition = apart / max(pdist(group).max() for group in groups)
print("Dunn by two numberings", np.round(dunn, 3), "not modified", np.round(plain, 3), "definition", round(by_definition, 3))
assert abs(dunn[0] - dunn[1]) > 0.01 and np.allclose(plain, by_definition)

centres = np.array([group.mean(axis=0) for group in groups])
within = sum(((group - centre) ** 2).sum() for group, centre in zip(groups, centres))
right = within / len(X) / pdist(centres, "sqeuclidean").min()
found = by_number[0].xie_beni_index()
nearest = (cdist(X, centres).min(axis=1) ** 2).mean() / pdist(centres, "sqeuclidean").min()
print("Xie-Beni", round(found, 4), "of the clusters given", round(right, 4), "of the nearest centres", round(nearest, 4))
assert np.isclose(found, nearest) and right > found + 0.01

tau = ClusteringMetric(y_true=y, y_pred=y).tau_score()
print("tau of the species with themselves", round(tau, 3))
assert tau > 1.1
PYTHON
