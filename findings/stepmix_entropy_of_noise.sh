#!/usr/bin/env bash
# How well latent classes are separated. stepmix 3.0.0, scikit-learn 1.9.1, NumPy 2.4.6, SciPy 1.17.1, pandas 3.1.1.
# Guess: relative_entropy, 0 for classes that cannot be told apart and 1 for certain ones, is near 0 where
#   there are no classes: columns drawn independently.
# Seen: two classes in 300 rows of four such columns with three categories have 0.62, 0.56, 0.85, 0.79, 0.72;
#   four classes in 200 rows of six columns 0.71 to 0.85. BIC chooses one class in all ten tables.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  stepmix==3.0.0 scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1 pandas==3.1.1
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
from stepmix.stepmix import StepMix


def fit(table, classes):
    settings = {"measurement": "categorical", "n_init": 3, "random_state": 0, "progress_bar": 0}
    return StepMix(classes, **settings).fit(table)


for rows, columns, classes in ((300, 4, 2), (200, 6, 4)):
    entropies, chosen = [], 0
    for seed in range(5):
        table = np.random.default_rng(seed).integers(0, 3, (rows, columns))
        model = fit(table, classes)
        posterior = model.predict_proba(table)
        by_hand = 1 + np.sum(posterior * np.log(posterior)) / (rows * np.log(classes))
        assert np.isclose(model.relative_entropy(table), by_hand, atol=1e-6)
        entropies.append(float(model.relative_entropy(table)))
        chosen += fit(table, 1).bic(table) < model.bic(table)
    print(rows, "rows,", columns, "columns,", classes, "classes:", np.round(entropies, 2), "BIC for one class:", chosen)
    assert min(entropies) > 0.5 and max(entropies) > 0.8 and chosen == 5
PYTHON
