#!/usr/bin/env bash
# Columns in another order than in the fit, by library of the frame. scikit-learn 1.9.1, statsmodels
# 0.15.0, pandas 3.1.1, polars 2.1.0, narwhals 2.29.0, NumPy 2.4.6.
# Guess: names decide wherever both the fit and the new table have them.
# Seen: scikit-learn refuses swapped columns of pandas, polars and pyarrow; the same polars frame inside a
#   narwhals frame is scored by position, with a warning about names. statsmodels' GLM fitted to a pandas
#   design predicts by position from a pandas frame in another order, without a warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scikit-learn==1.9.1 statsmodels==0.15.0 pandas==3.1.1 polars==2.1.0 narwhals==2.29.0 pyarrow==26.0.1 numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" - <<'PYTHON'
import warnings

import narwhals
import numpy as np
import pandas as pd
import polars
import pyarrow
import statsmodels.api as sm
from sklearn.mixture import GaussianMixture

warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
X = pd.DataFrame({"a": rng.normal(size=50), "b": 5 + rng.normal(size=50)})
model, swapped = GaussianMixture(1).fit(X), X[["b", "a"]]
frames = {"pandas": swapped, "polars": polars.from_pandas(swapped), "pyarrow": pyarrow.Table.from_pandas(swapped)}
for name, frame in frames.items():
    try:
        model.score(frame)
        raise AssertionError(name)
    except ValueError as error:
        print(name, "is refused:", str(error).splitlines()[0])
wrapped = model.score(narwhals.from_native(frames["polars"], eager_only=True))
print("narwhals:", wrapped, "right:", model.score(X))
assert wrapped < model.score(X) - 10
y = rng.gamma(4, np.exp(1 + 0.1 * X["a"]) / 4)
family = sm.families.Gamma(sm.families.links.Log())
fit = sm.GLM(y, sm.add_constant(X), family=family).fit()
new = sm.add_constant(X).head(3)
right, wrong = np.asarray(fit.predict(new)), np.asarray(fit.predict(new[["b", "a", "const"]]))
print("statsmodels, in order:", right, "swapped:", wrong)
assert not np.allclose(right, wrong, rtol=0.1)
PYTHON
