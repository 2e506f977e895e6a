#!/usr/bin/env bash
# Dates beside numbers in frames of four libraries, given to a mixture. polars 2.1.0, narwhals 2.29.0,
# pandas 3.1.1, pyarrow 26.0.1, scikit-learn 1.9.1, NumPy 2.4.6.
# Guess: a date is no number, so a table that holds one is refused, whatever library it comes from.
# Seen: polars (and narwhals over it) makes a float64 array of it, days since 1970, and GaussianMixture
#   fits that without a word; pandas makes an array of objects; pyarrow raises NumPy's DTypePromotionError.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check polars==2.1.0 narwhals==2.29.0 pandas==3.1.1 pyarrow==26.0.1 scikit-learn==1.9.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import datetime

import narwhals
import numpy as np
import polars
from sklearn.mixture import GaussianMixture

days = [datetime.date(2026, 1, day) for day in (1, 2, 5, 9)]
frame = polars.DataFrame({"day": days, "value": [1.5, 2.5, 2.0, 1.0]})
print("polars:", frame.to_numpy().dtype, "narwhals:", narwhals.from_native(frame).to_numpy().dtype)
assert frame.to_numpy().dtype == narwhals.from_native(frame).to_numpy().dtype == np.float64
print("mean of the mixture:", GaussianMixture(1).fit(frame).means_[0])
assert GaussianMixture(1).fit(frame).means_[0, 0] > 20_000
assert frame.to_pandas().to_numpy().dtype == object
try:
    np.asarray(frame.to_arrow())
    raise AssertionError("an array")
except TypeError as error:
    print("pyarrow:", type(error).__name__)
    assert type(error).__name__ == "DTypePromotionError"
PYTHON
