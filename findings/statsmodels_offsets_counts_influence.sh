#!/usr/bin/env bash
# Offsets, counts and influence after a gamma GLM. statsmodels 0.15.0, SciPy 1.17.1, NumPy 2.4.6, pandas 3.1.1.
# Guess: get_prediction() of a fit predicts the fitted means, as predict() does; freq_weights are rows that repeat,
#   whatever is asked; d_params is close to what leaving a row out does.
# Seen: get_prediction() leaves offset and exposure out: 2.81 for 4.65 on average, with standard errors and
#   intervals about it; predict() has them. Of rows with counts nobs is 200 for 413, and pseudo_rsquared 0.634, for
#   the same rows repeated 0.385; llf, scale and errors agree. d_params is 2.5 times the change at a shape of
#   0.5 (slope of one on the other over all rows), 1.3 to 1.4 times at 2, 1.0 at 20.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  statsmodels==0.15.0 scipy==1.17.1 numpy==2.4.6 pandas==3.1.1
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
import statsmodels.api as sm

family = sm.families.Gamma(sm.families.links.Log())
rng = np.random.default_rng(0)
X = sm.add_constant(rng.normal(size=200))
offset = rng.normal(size=200)
y = rng.gamma(2, np.exp(1 + 0.5 * X[:, 1] + offset) / 2)
for shift in ({"offset": offset}, {"exposure": np.exp(offset)}):
    fit = sm.GLM(y, X, family=family, **shift).fit()
    own, without = fit.get_prediction().predicted_mean, np.exp(X @ fit.params)
    print(*shift, "mean of get_prediction()", own.mean().round(2), "of predict()", fit.predict().mean().round(2))
    assert np.allclose(own, without) and np.allclose(fit.predict(), fit.fittedvalues)
    assert np.allclose(fit.get_prediction(X, **shift).predicted_mean, fit.fittedvalues)
    assert abs(own.mean() / fit.fittedvalues.mean() - 1) > 0.2

counts = rng.integers(1, 4, 200)
y = rng.gamma(2, np.exp(1 + 0.5 * X[:, 1]) / 2)
counted = sm.GLM(y, X, family=family, freq_weights=counts).fit()
repeated = sm.GLM(np.repeat(y, counts), np.repeat(X, counts, axis=0), family=family).fit()
for fit in (counted, repeated):
    print(f"nobs {fit.nobs:.0f}, scale {fit.scale:.4f}, llf {fit.llf:.2f}, pseudo R squared {fit.pseudo_rsquared():.3f}")
assert np.isclose(counted.llf, repeated.llf) and np.allclose(counted.bse, repeated.bse)
assert counted.nobs == 200 and counted.pseudo_rsquared() > repeated.pseudo_rsquared() + 0.1

for shape, low, high in ((0.5, 2.0, 3.0), (2, 1.2, 1.6), (20, 0.98, 1.1)):
    rng = np.random.default_rng(0)
    X = sm.add_constant(rng.normal(size=200))
    y = rng.gamma(shape, np.exp(1 + 0.5 * X[:, 1]) / shape)
    fit = sm.GLM(y, X, family=family).fit()
    left_out = (sm.GLM(np.delete(y, i), np.delete(X, i, axis=0), family=family).fit().params for i in range(200))
    change = fit.params - np.array(list(left_out))
    ratio = np.sum(fit.get_influence().d_params * change, axis=0) / np.sum(change**2, axis=0)
    print("shape", shape, "d_params over the change:", ratio.round(2))
    assert (ratio > low).all() and (ratio < high).all()
PYTHON
