#!/usr/bin/env bash
# A DECIMAL column of Parquet as the response. pandas 3.1.1, pyarrow, statsmodels 0.15.0, scikit-learn 1.9.1.
# Guess: numbers with two decimals are numbers to every library that fits.
# Seen: pandas reads the column as objects. scikit-learn fits it; statsmodels' formula takes it for
#   categories and then speaks of shapes: "operands could not be broadcast together with shapes (12,2) (12,)".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pandas==3.1.1 pyarrow==26.0.1 statsmodels==0.15.0 scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" - <<'PYTHON'
import tempfile
import warnings
from decimal import Decimal

import pandas as pd
import statsmodels.api as sm
import statsmodels.formula.api as smf
from sklearn.linear_model import LinearRegression

warnings.simplefilter("ignore")
table = pd.DataFrame({"y": [Decimal("1.5")] * 5 + [Decimal("2.5")] * 7, "x": range(12)})
with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
    table.to_parquet(file.name)
    table = pd.read_parquet(file.name)
print("dtype:", table["y"].dtype, "scikit-learn:", LinearRegression().fit(table[["x"]], table["y"]).coef_)
assert table["y"].dtype == object
try:
    smf.glm("y ~ x", table, family=sm.families.Gamma(sm.families.links.Log())).fit()
    raise AssertionError("fitted")
except ValueError as error:
    print("statsmodels:", error)
    assert "(12,2) (12,)" in str(error)
PYTHON
