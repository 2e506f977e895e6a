#!/usr/bin/env bash
# New rows in two methods of prince. prince 0.23.0, pandas 3.1.1, NumPy 2.4.6, SciPy 1.17.1, scikit-learn 1.9.1.
# Guess: the coordinates of a row do not depend on which other rows are asked for; a category that no row
#   has, as a filter leaves it behind, is passed over.
# Seen: row_coordinates of FAMD takes the shares of the categories from the rows it is given: the first
#   row of 60 is at 1.26, 1.17, -0.36 among all, at 0.34, -0.23, -0.12 alone. MCA has the same coordinates for
#   any subset. Its fit of a frame with an unused category raises ValueError ("Input contains NaN").
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  prince==0.23.0 pandas==3.1.1 numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
import pandas as pd
import prince

rng = np.random.default_rng(0)
table = pd.DataFrame(
    {
        "x": rng.normal(size=60),
        "z": rng.normal(5, 3, 60),
        "u": rng.choice(list("abc"), 60),
        "v": rng.choice(list("ab"), 60),
    }
)
mixed = prince.FAMD(n_components=3, random_state=0).fit(table)
among_all = mixed.row_coordinates(table)
moved = {n: float(abs(mixed.row_coordinates(table[:n]) - among_all[:n]).to_numpy().max()) for n in (1, 5, 30, 60)}
alone = mixed.row_coordinates(table[:1])
print("first row among all", among_all.iloc[0].round(2).tolist(), "alone", alone.iloc[0].round(2).tolist())
print("FAMD, largest change of a coordinate by number of rows asked for:", moved)
assert moved[60] < 1e-12 and moved[30] > 0.1 and moved[1] > 1

categories = table[["u", "v"]].astype("category")
multiple = prince.MCA(n_components=2, random_state=0).fit(categories)
asked = multiple.row_coordinates(categories[:5])
assert np.allclose(asked, multiple.row_coordinates(categories)[:5])
try:
    prince.MCA(n_components=2).fit(categories[categories["u"] != "c"])
    raise AssertionError("fitted")
except ValueError as error:
    print("MCA, unused category:", error)
    assert "NaN" in str(error)
prince.MCA(n_components=2).fit(categories[categories["u"] != "c"].astype(str))
PYTHON
