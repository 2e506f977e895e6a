"""Ten million points in 8 dimensions, 5 components, where they lie: for a machine with a GPU.

Needs torch, which the package does not, and SciPy's switch for arrays of other libraries:

    SCIPY_ARRAY_API=1 python benchmarks/device_mixture.py

Prints one JSON object. Without CUDA it runs on the CPU, with fewer points, to show that it runs.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable

import numpy as np
import sklearn
import torch
from sklearn.mixture import GaussianMixture

from afterfit import mixture

D, K, ROUNDS = 8, 5, 7
CUDA = torch.cuda.is_available()
DEVICE = torch.device("cuda" if CUDA else "cpu")
N = 10_000_000 if CUDA else 200_000
GOALS = {
    "log_density_per_pass": "at most 1.3 times moving the data through memory once per component",
    "score_samples_per_log_density": "at least 1",
}


def seconds(function: Callable[[], object]) -> float:
    """Return the median time of a call, the device having finished."""
    times = []
    for _ in range(ROUNDS + 2):  # the first two compile and warm up
        if CUDA:
            torch.cuda.synchronize()
        start = time.perf_counter()
        function()
        if CUDA:
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return statistics.median(times[2:])


def main() -> None:
    generator = torch.Generator(DEVICE).manual_seed(0)
    options = {"generator": generator, "device": DEVICE, "dtype": torch.float64}
    centres = 2.0 * torch.randn(K, D, **options)
    labels = torch.randint(K, (N,), generator=generator, device=DEVICE)
    X = centres[labels] + torch.randn(N, D, **options) @ torch.randn(D, D, **options)
    target = torch.empty_like(X)

    def through_memory() -> None:
        for _ in range(K):
            target.copy_(X)

    with sklearn.config_context(array_api_dispatch=True):
        start = {"init_params": "random_from_data", "random_state": 0, "tol": 1e-2}
        model = GaussianMixture(K, **start).fit(X[:20_000])
        theirs = seconds(lambda: model.score_samples(X))
        difference = float((model.score_samples(X) - mixture.log_density(model, X)).abs().max())
    ours = seconds(lambda: mixture.log_density(model, X))
    copies = seconds(through_memory)
    tails = seconds(lambda: mixture.hdr_tail_probability(model, X, random_state=0))
    on_host = X[:200_000].cpu().numpy()
    host = GaussianMixture(K, random_state=0, tol=1e-2).fit(on_host[:20_000])
    started = time.perf_counter()
    mixture.log_density(host, on_host)
    numpy_seconds = (time.perf_counter() - started) * N / len(on_host)
    report = {
        "device": torch.cuda.get_device_name() if CUDA else "cpu",
        "torch": torch.__version__,
        "scikit-learn": sklearn.__version__,
        "numpy": np.__version__,
        "shape": [N, D, K],
        "goals": GOALS,
        "log_density_seconds": ours,
        "copies_seconds": copies,
        "log_density_per_pass": ours / copies,
        "score_samples_seconds": theirs,
        "score_samples_per_log_density": theirs / ours,
        "hdr_tail_seconds": tails,
        "numpy_log_density_seconds": numpy_seconds,
        "largest_difference": difference,
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
