#!/usr/bin/env bash
# Clusters of categories in three libraries. kmodes 0.12.2, kluster-fudge 0.3.1, stepmix 3.0.0, NumPy 2.4.6.
# Guess: after `fit`, labels_ holds a label a row; a category never seen is refused by `predict`;
#   `fit` returns the estimator; the codes of categories are names, so adding 1 to all changes nothing.
# Seen: kmodes with as many distinct rows as clusters, or fewer, leaves labels_ None without a word,
#   while fit_predict returns labels. Its predict puts a row of unseen categories in cluster 0.
#   KPrototypes.fit(X) without `categorical` raises NotImplementedError. kluster-fudge's fit returns None,
#   and has `labels`, no `labels_`. stepmix counts 17 parameters for codes 0, 1, 2 and 25 for 1, 2, 3 of
#   the same table: the same likelihood, another BIC. A code of -1 (a missing category of pandas) is not
#   refused: it counts as the last category of the column before, whose shares then sum to more than 1.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  kmodes==0.12.2 kluster-fudge==0.3.1 stepmix==3.0.0 numpy==2.4.6 scikit-learn==1.9.1
"$work/venv/bin/python" - > "$work/seen" <<'PYTHON'
import warnings

warnings.simplefilter("ignore")
import kluster_fudge
import numpy as np
from kmodes.kmodes import KModes
from kmodes.kprototypes import KPrototypes
from stepmix.stepmix import StepMix

two = np.array([["a"], ["a"], ["b"], ["b"]])
for n_clusters in (2, 3):
    model = KModes(n_clusters, n_init=1, random_state=0).fit(two)
    print("kmodes, 2 distinct rows,", n_clusters, "clusters: labels_ is", model.labels_)
print("its fit_predict:", KModes(2, n_init=1, random_state=0).fit_predict(two))

table = np.array([["a", "x"], ["a", "y"], ["b", "y"], ["b", "z"], ["b", "x"]])
model = KModes(2, n_init=1, random_state=0).fit(table)
print("unseen categories:", model.predict(np.array([["q", "q"], ["r", "s"]])))
try:
    KPrototypes(2).fit(table)
except NotImplementedError as error:
    print("KPrototypes:", str(error).split(",")[0])

codes = np.array([[0, 1], [0, 0], [1, 1], [1, 0]] * 10)
fudge = kluster_fudge.KModes(2)
print("kluster-fudge: fit returns", fudge.fit(codes), "labels_:", hasattr(fudge, "labels_"))

answers = np.random.default_rng(0).integers(3, size=(300, 4))
for first in (0, 1):
    model = StepMix(
        2, measurement="categorical", random_state=0, verbose=0, progress_bar=0, n_init=1
    ).fit(answers + first)
    print(
        "stepmix, codes from", first, "parameters", model.n_parameters,
        f"score {model.score(answers + first):.4f} BIC {model.bic(answers + first):.1f}",
    )

missing = np.array([[0, 0], [0, -1], [1, 1]] * 20)
model = StepMix(1, measurement="categorical", verbose=0, progress_bar=0).fit(missing)
shares = model.get_parameters()["measurement"]["pis"][0].round(3).reshape(2, 2)
print("stepmix, -1 in the second column: shares", *(column.tolist() for column in shares))
PYTHON
diff - "$work/seen" <<'SEEN'
kmodes, 2 distinct rows, 2 clusters: labels_ is None
kmodes, 2 distinct rows, 3 clusters: labels_ is None
its fit_predict: [0 0 1 1]
unseen categories: [0 0]
KPrototypes: No categorical data selected
kluster-fudge: fit returns None labels_: False
stepmix, codes from 0 parameters 17 score -4.3438 BIC 2703.3
stepmix, codes from 1 parameters 25 score -4.3438 BIC 2748.9
stepmix, -1 in the second column: shares [0.667, 0.667] [0.333, 0.333]
SEEN
echo "as recorded"
