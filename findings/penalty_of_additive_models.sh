#!/usr/bin/env bash
# The penalty of an additive model. statsmodels 0.15.0, NumPy 2.4.6, SciPy 1.17.1, pandas 3.1.1.
# Guess: GLMGam maximises the log-likelihood less alpha b' S b / 2, as the textbooks do, so that at its
#   optimum the score X'(y / mu - 1) of a gamma with log link is alpha S b; and its effective degrees
#   of freedom are the trace of (X'X + alpha S)^-1 X'X.
# Seen: the score is 2 alpha S b: `alpha` counts twice. The effective degrees of freedom, 2.899, are
#   that trace with neither alpha S nor 2 alpha S, expected or observed information.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  statsmodels==0.15.0 numpy==2.4.6 scipy==1.17.1 pandas==3.1.1
"$work/venv/bin/python" - > "$work/seen" 2> /dev/null <<'PYTHON'
import numpy as np
import statsmodels.api as sm
from statsmodels.gam.api import BSplines, GLMGam

rng = np.random.default_rng(0)
x = rng.uniform(0, 3, 300)
y = rng.gamma(2, np.exp(np.sin(2 * x)) / 2)
family = sm.families.Gamma(link=sm.families.links.Log())
smoother = BSplines(x, df=[8], degree=[3])
model = GLMGam(y, np.ones((300, 1)), smoother=smoother, alpha=[5.0], family=family)
fit = model.fit()
X, mu, b = model.exog, fit.fittedvalues, fit.params
S = model.penal.penalty_matrix(model.alpha)
score, pull = X.T @ (y / mu - 1), S @ b
print(f"score over alpha S b: {score[1:] @ pull[1:] / (pull[1:] @ pull[1:]):.4f}")
print(f"edf of statsmodels: {fit.edf.sum():.3f}")
for name, weights in (("expected", np.ones(300)), ("observed", y / mu)):
    A = (X * weights[:, None]).T @ X
    for factor in (1, 2):
        print(f"trace, {name}, {factor} S: {np.trace(np.linalg.solve(A + factor * S, A)):.3f}")
PYTHON
diff - "$work/seen" <<'SEEN'
score over alpha S b: 2.0000
edf of statsmodels: 2.899
trace, expected, 1 S: 3.205
trace, expected, 2 S: 2.877
trace, observed, 1 S: 3.165
trace, observed, 2 S: 2.845
SEEN
echo "as recorded"
