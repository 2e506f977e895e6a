#!/usr/bin/env bash
# A gamma GLM of statsmodels after the fit. statsmodels 0.15.0, pandas 3.1.1.
# Guess: `converged` exists after every method; fit_history holds the deviance; saving leaves the live
#   fit alone; `refit=True` refits after a ridge penalty; missing cells are dropped in any type.
# Seen: after newton, bfgs and lbfgs there is no `converged` (see mle_retvals). fit_history["deviance"]
#   is deviance / scale. save(remove_data=True) empties the live fit: fittedvalues then raises TypeError.
#   fit_regularized(L1_wt=0, refit=True) returns the penalised coefficients. One missing x drops its
#   row as float64, double[pyarrow], str and category; pandas Float64 and string[pyarrow] raise TypeError.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check statsmodels==0.15.0 numpy==2.4.6 scipy==1.17.1 pandas==3.1.1 patsy==1.0.3 pyarrow
"$folder/venv/bin/python" - <<'PYTHON'
import os
import tempfile
import warnings

import numpy as np
import pandas as pd
import statsmodels.api as sm
import statsmodels.formula.api as smf

warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
x = rng.uniform(size=200)
table = pd.DataFrame({"x": x, "y": rng.gamma(4, np.exp(1 + x) / 4)})
family = sm.families.Gamma(sm.families.links.Log())
model = smf.glm("y ~ x", table, family=family)
for method in ("newton", "bfgs", "lbfgs"):
    fit = model.fit(method=method)
    print(method, "has converged:", hasattr(fit, "converged"), "mle_retvals:", fit.mle_retvals["converged"])
    assert not hasattr(fit, "converged") and fit.mle_retvals["converged"]
fit = model.fit()
print("history:", fit.fit_history["deviance"][-1], "deviance:", fit.deviance, "scale:", fit.scale)
assert np.isclose(fit.fit_history["deviance"][-1], fit.deviance / fit.scale, rtol=1e-6)
again, once = (model.fit_regularized(alpha=1.0, L1_wt=0, refit=refit).params for refit in (True, False))
print("ridge, refit:", again.to_numpy(), "not refit:", once.to_numpy(), "unpenalised:", fit.params.to_numpy())
assert np.allclose(again, once) and not np.allclose(again, fit.params, rtol=0.05)
fit.save(os.path.join(tempfile.mkdtemp(), "fit"), remove_data=True)
try:
    fit.fittedvalues
    raise AssertionError("still there")
except TypeError as error:
    print("after save(remove_data=True):", error)
small = pd.DataFrame({"y": [1.0, 2, 3, 4, 5, 6], "x": [1.0, 2, None, 4, 5, 7]})
words = small.assign(x=pd.array(["a", "b", None, "a", "b", "a"], dtype="str"))
for frame, kinds in ((small, ("float64", "double[pyarrow]", "Float64")), (words, ("str", "category", "string[pyarrow]"))):
    for kind in kinds:
        try:
            found = int(smf.glm("y ~ x", frame.astype({"x": kind}), family=family).fit().nobs)
        except TypeError as error:
            found = f"TypeError: {error}"
        print(kind, found)
        assert found == 5 or kind in ("Float64", "string[pyarrow]") and str(found).startswith("TypeError")
        assert not (kind in ("Float64", "string[pyarrow]") and found == 5)
PYTHON
