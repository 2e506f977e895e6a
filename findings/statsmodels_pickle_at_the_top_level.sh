#!/usr/bin/env bash
# A pickled formula fit, loaded in two places of one script. statsmodels 0.15.0, patsy 1.0.3.
# Guess: a fit can be unpickled wherever Python can import statsmodels.
# Seen: pickle.loads of a formula fit at a script's top level raises AttributeError ("f_locals"); the
#   same bytes load inside a function.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check statsmodels==0.15.0 numpy==2.4.6 scipy==1.17.1 pandas==3.1.1 patsy==1.0.3
cat > "$folder/look.py" <<'PYTHON'
import pickle
import warnings

import numpy as np
import pandas as pd
import statsmodels.api as sm
import statsmodels.formula.api as smf

warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
table = pd.DataFrame({"c": list("123") * 20, "y": rng.gamma(2, np.tile([1.0, 2.0, 3.0], 20))})
family = sm.families.Gamma(sm.families.links.Log())
stored = pickle.dumps(smf.glm("y ~ c", table, family=family).fit())


def inside():
    return pickle.loads(stored).nobs


try:
    pickle.loads(stored)
    raise SystemExit("loaded at the top level")
except AttributeError as error:
    print("at the top level:", error, "| inside a function:", inside())
PYTHON
"$folder/venv/bin/python" "$folder/look.py"
