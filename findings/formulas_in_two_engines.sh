#!/usr/bin/env bash
# The same formula by statsmodels' two engines, and what predict wants again. statsmodels 0.15.0,
# patsy 1.0.3, formulaic 1.2.2, pandas 3.1.1, NumPy 2.4.6.
# Guess: the engines agree in what they refuse; "x^2" is no valid square in either; a model that was
#   fitted can predict; predict knows the exposure of the fit, or asks for it.
# Seen: a level never seen is refused by patsy and predicted as the baseline by formulaic (a warning).
#   Integers for a column of text are refused by patsy; formulaic predicts a mean that no level has,
#   without a warning. "y ~ x^2" is a TypeError in patsy, and just x in formulaic: no square, no word.
#   A function of the caller in the formula is fitted by both; formulaic cannot predict with it from
#   another function. predict(new rows) of a fit with exposure 5 takes an exposure of 1 in silence.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  statsmodels==0.15.0 patsy==1.0.3 formulaic==1.2.2 pandas==3.1.1 numpy==2.4.6
"$work/venv/bin/python" - > "$work/seen" 2> /dev/null <<'PYTHON'
import warnings

import numpy as np
import pandas as pd
import statsmodels.api as sm
import statsmodels.formula.api as smf
from statsmodels.formula import options

rng = np.random.default_rng(0)
table = pd.DataFrame({"g": rng.choice(["a", "b", "c"], 60), "x": rng.uniform(1, 2, 60)})
table["y"] = rng.gamma(2, np.exp(table["x"] + (table["g"] == "b")) / 2)
gamma = sm.families.Gamma(sm.families.links.Log())


def attempt(function):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = function()
        except Exception as error:
            return type(error).__name__
    return f"{result}{' and a warning' if caught else ''}"


def fit(formula):
    return smf.glm(formula, table, family=gamma).fit()


def predicted(model, **row):
    return f"{model.predict(pd.DataFrame(row)).iloc[0]:.3f}"


def fit_with_own_function():
    def own(values):
        return values * 2

    return smf.glm("y ~ own(x)", table, family=gamma).fit()


for engine in ("patsy", "formulaic"):
    options.formula_engine = engine
    model = fit("y ~ g + x")
    print(engine, "means at x = 1.5:", *(predicted(model, g=[level], x=[1.5]) for level in "abc"))
    print(engine, "level z:", attempt(lambda: predicted(model, g=["z"], x=[1.5])))
    print(engine, "level 1:", attempt(lambda: predicted(model, g=[1], x=[1.5])))
    print(engine, "x^2:", attempt(lambda: list(fit("y ~ x^2").params.index)))
    own = fit_with_own_function()
    print(engine, "own function:", attempt(lambda: predicted(own, x=[1.5]) != ""))

X = sm.add_constant(table["x"])
model = sm.GLM(table["y"], X, family=gamma, exposure=np.full(60, 5.0)).fit()
print(f"fitted / predicted, exposure 5: {model.fittedvalues[0] / model.predict(X[:1])[0]:.3f}")
PYTHON
diff - "$work/seen" <<'SEEN'
patsy means at x = 1.5: 3.572 14.883 3.571
patsy level z: PatsyError
patsy level 1: PatsyError
patsy x^2: PatsyError
patsy own function: True
formulaic means at x = 1.5: 3.572 14.883 3.571
formulaic level z: 3.572 and a warning
formulaic level 1: 14.878
formulaic x^2: ['Intercept', 'x']
formulaic own function: FactorEvaluationError
fitted / predicted, exposure 5: 5.000
SEEN
echo "as recorded"
