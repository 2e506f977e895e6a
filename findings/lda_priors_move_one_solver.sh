#!/usr/bin/env bash
# scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1 (November 2026, Python 3.11)
#
# Guess: the solvers of LinearDiscriminantAnalysis are three ways to one rule, and `priors` shift its
# boundaries without turning them; `covariance_` is the covariance that the rule uses.
#
# Seen: without `priors` the solvers agree to rounding. With priors 0.98, 0.01, 0.01 on iris the
# posteriors of "svd" and "lsqr" differ by up to 0.95, and three flowers are named otherwise: "lsqr"
# and "eigen" weigh the covariances of the classes by the priors, so that slopes change, "svd" does
# not. With `store_covariance=True` "svd" keeps a `covariance_` weighted by the priors beside
# coefficients that follow from another.
#
# What helps: fit without priors, and shift the posteriors or the intercepts by the log ratio.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
cat > "$folder/run.py" <<'PY'
import numpy as np
from sklearn.datasets import load_iris
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis as LDA

X, y = load_iris(return_X_y=True)
for priors in (None, [0.98, 0.01, 0.01]):
    svd, lsqr, eigen = (LDA(solver=s, priors=priors).fit(X, y) for s in ("svd", "lsqr", "eigen"))
    p, q, r = (model.predict_proba(X) for model in (svd, lsqr, eigen))
    print(f"priors {priors}: svd and lsqr differ by {np.abs(p - q).max():.2f} in a posterior,",
          f"lsqr and eigen by {np.abs(q - r).max():.2f};",
          f"{(svd.predict(X) != lsqr.predict(X)).sum()} flowers")
kept = LDA(priors=[0.98, 0.01, 0.01], store_covariance=True).fit(X, y)
plain = LDA(store_covariance=True).fit(X, y)
slopes = [model.coef_[1] - model.coef_[0] for model in (kept, plain)]
print("svd: the same slopes,", np.allclose(*slopes), "and the same covariance,",
      np.allclose(kept.covariance_, plain.covariance_))
PY
"$folder/venv/bin/python" "$folder/run.py" > "$folder/seen"
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
priors None: svd and lsqr differ by 0.00 in a posterior, lsqr and eigen by 0.00; 0 flowers
priors [0.98, 0.01, 0.01]: svd and lsqr differ by 0.95 in a posterior, lsqr and eigen by 0.00; 3 flowers
svd: the same slopes, True and the same covariance, False
SEEN
