#!/usr/bin/env bash
# Columns of text, and columns in another order, given to glum. glum 3.4.1, pandas 3.1.1, NumPy 2.4.6.
# Guess: a column of text is a category to a library for categories, or it is refused; names decide which
#   column of a new table is which.
# Seen: text (of pandas 3, object or Arrow) is left out, and the fit is of the other columns: a warning of
#   another package says so, and n_features_in_ is 1 of 2. predict reads a table by position: with the
#   columns swapped it gives other means, without a warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check glum==3.4.1 pandas==3.1.1 numpy==2.4.6 pyarrow==26.0.1 scipy==1.17.1
"$folder/venv/bin/python" - <<'PYTHON'
import warnings

import glum
import numpy as np
import pandas as pd

rng = np.random.default_rng(0)
place = rng.choice(["low", "mid", "high"], 90)
table = pd.DataFrame({"place": place, "x": rng.normal(size=90), "z": rng.normal(5, 1, 90)})
y = rng.gamma(2, np.where(place == "mid", 3.0, 1.0))
regression = glum.GeneralizedLinearRegressor(family="gamma", link="log", alpha=0, drop_first=True)
for kind, columns in [("str", 1), (object, 1), ("string[pyarrow]", 1), ("category", 3)]:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        fit = regression.fit(table[["place", "x"]].astype({"place": kind}), y)
    print(kind, fit.feature_names_, [(str(one.message), one.filename.split("/")[-2]) for one in said])
    assert fit.n_features_in_ == columns and len(said) == (columns == 1)

with warnings.catch_warnings():
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", message="Input array is not contiguous")  # of memory, not of names
    fit = regression.fit(table[["x", "z"]], y)
    swapped = fit.predict(table[["z", "x"]])
print("as in the fit", fit.predict(table[["x", "z"]])[:2], "swapped", swapped[:2])
assert np.allclose(swapped, fit.predict(table[["z", "x"]].to_numpy()))
assert not np.allclose(swapped, fit.predict(table[["x", "z"]]), rtol=0.1)
PYTHON
