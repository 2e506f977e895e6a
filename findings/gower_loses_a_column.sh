#!/usr/bin/env bash
# Gower's distance and where zero is. gower 0.1.2, pandas 3.1.1, NumPy 2.4.6, SciPy 1.17.1.
# Guess: a number added to a whole column changes no distance, since each column is divided by its range; a
#   missing number leaves its column out of the pairs it is in; text is a category.
# Seen: a column whose largest value is 0 (a temperature, a debt, a logarithm) counts nothing: the distance
#   of the same two rows falls from 0.50 to 0. One missing number makes every distance of its row NaN, also that
#   to itself. Text in pandas 3 and categories raise TypeError; as object both work.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check gower==0.1.2 pandas==3.1.1 numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import gower
import numpy as np
import pandas as pd

text = pd.DataFrame({"x": [1000.0, 1005, 1010, 1003], "c": ["a", "b", "a", "a"]})
table = text.astype({"c": object})
for added in (0, -1000, -1004, -1010):
    distances = gower.gower_matrix(table.assign(x=table["x"] + added))
    print(f"largest value {1010 + added}: first row to the others", distances[0].round(3))
    assert np.allclose(distances[0], [0, 0.5, 0, 0] if added == -1010 else [0, 0.75, 0.5, 0.15], atol=1e-5)
missing = gower.gower_matrix(table.assign(x=[1000, np.nan, 1010, 1003]))
print("one number missing:", missing[1])
assert np.isnan(missing[1]).all()
for frame in (text, table.astype({"c": "category"})):
    try:
        gower.gower_matrix(frame)
        raise AssertionError("computed")
    except TypeError as error:
        print(frame["c"].dtype, "TypeError:", error)
PYTHON
