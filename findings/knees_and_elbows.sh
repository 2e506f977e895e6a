#!/usr/bin/env bash
# Knees of falling curves. kneed 0.9.0, yellowbrick 1.5, scikit-learn 1.9.1, NumPy 2.4.6.
# Guess: KneeLocator finds the knee of a falling cost by itself; where a curve bends does not depend on
#   how much of it is shown; yellowbrick draws the elbow of scikit-learn's own KMeans.
# Seen: with its defaults KneeLocator answers 1, the first K, for a falling cost: it looks for the knee
#   of a rising concave curve. 1000 / K has its knee at 2, 3, 5, 7 for K up to 5, 10, 20, 50.
#   KElbowVisualizer(KMeans()) raises YellowbrickTypeError: no clustering estimator.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  kneed==0.9.0 yellowbrick==1.5 numpy==2.4.6 scikit-learn==1.9.1
"$work/venv/bin/python" - > "$work/seen" 2> /dev/null <<'PYTHON'
import matplotlib

matplotlib.use("Agg")
import numpy as np
from kneed import KneeLocator
from sklearn.cluster import KMeans
from yellowbrick.cluster import KElbowVisualizer

cost = [20, 10, 4, 3, 2, 1]
told = {"curve": "convex", "direction": "decreasing"}
print("a falling cost:", KneeLocator(range(1, 7), cost).knee, "by default,", end=" ")
print(KneeLocator(range(1, 7), cost, **told).knee, "when told what it is")
for largest in (5, 10, 20, 50):
    curve = [1000 / k for k in range(1, largest + 1)]
    print("1000 / K, K up to", largest, "knee", KneeLocator(range(1, largest + 1), curve, **told).knee)
X = np.random.default_rng(0).normal(size=(60, 2))
try:
    KElbowVisualizer(KMeans(n_init=1), k=(2, 6)).fit(X)
except Exception as error:
    print(type(error).__name__, str(error).split(";")[0])
PYTHON
diff - "$work/seen" <<'SEEN'
a falling cost: 1 by default, 3 when told what it is
1000 / K, K up to 5 knee 2
1000 / K, K up to 10 knee 3
1000 / K, K up to 20 knee 5
1000 / K, K up to 50 knee 7
YellowbrickTypeError The supplied model is not a clustering estimator
SEEN
echo "as recorded"
