#!/usr/bin/env bash
# Gaussian mixtures and kernel density estimates at their edges. scikit-learn 1.9.1, SciPy 1.17.1,
# pandas 3.1.1, polars 2.1.0, narwhals 2.29.0, NumPy 2.4.6.
# Guess: rows in single precision give the same variance however they are stored; a shift of the data
#   leaves log densities alone for any covariance type; swapped columns are refused from any library;
#   Mixture.mode is the highest peak; logpdf is the logarithm of pdf; a kernel density can be drawn from.
# Seen: a million float32 rows around 1000 with variance 1 have the variance 14.8 if stored row by row, and
#   1.0 column by column, without an error. Diagonal covariances lose digits far from zero. A table of
#   narwhals with swapped columns is scored with a warning. SciPy's mode is the lower peak. A first weight of 0
#   makes logpdf of gaussian_kde NaN. Only two kernels of KernelDensity can be drawn from.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  scikit-learn==1.9.1 scipy==1.17.1 pandas==3.1.1 polars==2.1.0 narwhals==2.29.0 numpy==2.4.6
OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 "$work/venv/bin/python" - > "$work/seen" 2> /dev/null <<'PYTHON'
import warnings

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
from scipy import stats
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity

rng = np.random.default_rng(0)
rows = (1000 + rng.standard_normal((1_000_000, 2))).astype(np.float32)
for order, table in (("by row", rows), ("by column", np.asfortranarray(rows))):
    fit = GaussianMixture(1).fit(table)
    print(f"single precision, stored {order}: variance {fit.covariances_[0, 0, 0]:.1f}")

near = rng.standard_normal((500, 2))
for kind in ("full", "diag"):
    here = GaussianMixture(1, covariance_type=kind).fit(near).score_samples(near)
    far = GaussianMixture(1, covariance_type=kind).fit(near + 1e7).score_samples(near + 1e7)
    print(f"{kind} covariance, data moved by 1e7: log densities off by {abs(far - here).max():.0e}")

fit = GaussianMixture(1).fit(pd.DataFrame(near, columns=["a", "b"]))
swapped = pl.DataFrame(near, schema=["a", "b"]).select("b", "a")
for name, table in (("polars", swapped), ("narwhals", nw.from_native(swapped))):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            fit.score_samples(table)
            said = f"scored, warnings: {len(caught)}"
        except ValueError:
            said = "refused"
    print(f"columns swapped, {name}: {said}")

two = stats.Mixture([stats.Normal(mu=0.0), stats.Normal(mu=5.0, sigma=0.2)], weights=[0.7, 0.3])
print(f"density of a mixture: {float(two.pdf(0.0)):.2f} at 0, {float(two.pdf(5.0)):.2f} at 5")
print(f"its mode by SciPy: {abs(float(two.mode())):.1f}")

kde = stats.gaussian_kde([1.0, 2.0, 3.0], weights=[0.0, 0.5, 0.5])
print("gaussian_kde, first weight 0: pdf", kde.pdf(2.0).round(3), "logpdf", kde.logpdf(2.0))
try:
    KernelDensity(kernel="epanechnikov").fit(near).sample(1)
except NotImplementedError as error:
    print("KernelDensity.sample, epanechnikov:", type(error).__name__)
PYTHON
diff - "$work/seen" <<'SEEN'
single precision, stored by row: variance 14.8
single precision, stored by column: variance 1.0
full covariance, data moved by 1e7: log densities off by 2e-08
diag covariance, data moved by 1e7: log densities off by 3e-01
columns swapped, polars: refused
columns swapped, narwhals: scored, warnings: 1
density of a mixture: 0.28 at 0, 0.60 at 5
its mode by SciPy: 0.0
gaussian_kde, first weight 0: pdf [0.411] logpdf [nan]
KernelDensity.sample, epanechnikov: NotImplementedError
SEEN
echo "as recorded"
