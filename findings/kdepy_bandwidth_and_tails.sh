#!/usr/bin/env bash
# Kernel densities of KDEpy beside scikit-learn's. KDEpy 1.1.12, scikit-learn 1.9.1, SciPy 1.17.1, NumPy 2.4.6.
# Guess: the same kernel and bandwidth are the same estimate in both; KDEpy's three estimators agree as
#   far as rounding goes.
# Seen: KDEpy's bandwidth is the standard deviation of any kernel, scikit-learn's the half width of those that
#   end: 0.5 of an Epanechnikov kernel adds a variance of 0.25 in one, 0.05 in the other. TreeKDE cuts
#   kernels off: of 10,000 draws the density beyond 4 is 2.2e-16 where it is 4.7e-10, and of two points
#   2.2e-16 where it is 1.3e-4. NaiveKDE has 2.2e-16 for anything smaller, too.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check KDEpy==1.1.12 scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
from KDEpy import NaiveKDE, TreeKDE
from scipy import stats
from sklearn.neighbors import KernelDensity

grid = np.linspace(-3, 3, 6001)
point = np.zeros(1)
kdepy = NaiveKDE(kernel="epa", bw=0.5).fit(point).evaluate(grid)
sklearn = np.exp(KernelDensity(kernel="epanechnikov", bandwidth=0.5).fit(point[:, None]).score_samples(grid[:, None]))
added = [float(np.trapezoid(grid**2 * density, grid)) for density in (kdepy, sklearn)]
print("variance that a bandwidth of 0.5 adds, KDEpy and scikit-learn:", np.round(added, 4))
assert np.allclose(added, [0.25, 0.05], atol=1e-4)

many = np.random.default_rng(0).normal(size=10_000)
for data, width, x in ((many, 0.2, 4.5), (np.array([0.0, 1.0]), 0.5, 3.0)):
    tree, naive = (kind(bw=width).fit(data).evaluate(np.array([x]))[0] for kind in (TreeKDE, NaiveKDE))
    truth = stats.norm(data, width).pdf(x).mean()
    print(f"{len(data)} points, at {x}: tree {tree:.3g}, naive {naive:.3g}, sum of kernels {truth:.3g}")
    assert tree == np.finfo(float).eps and np.isclose(naive, truth, rtol=1e-4)
far = NaiveKDE(bw=0.2).fit(many).evaluate(np.array([8.0]))[0]
assert far == np.finfo(float).eps
PYTHON
