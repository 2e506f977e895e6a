"""Canonical correlations on an accelerator: a table of times and errors, for a machine with one.

    python benchmarks/device_cca.py            # needs this package and torch; on CUDA in full
    python benchmarks/device_cca.py --small    # the same on the CPU, to see that it runs

Beside ours stands what people write, a singular value decomposition of each set by torch in
float32, and ours by NumPy on the processor. The reference is independent of both: Householder QR of
both sets and LAPACK's singular values, all in float64. Errors above 1e-11 end in exit status 1.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import torch

from afterfit.cca import CCAAccumulator, canonical_correlations, linear_cka

LARGEST_ERROR = 1e-11
Tensor = torch.Tensor


def sides(n: int, p: int, device: str, condition: float = 1.0) -> tuple[Tensor, Tensor]:
    """Return two float32 sides that share a tenth of their columns, X with a condition number."""
    generator = torch.Generator(device).manual_seed(0)
    x, y = (torch.randn(n, p, generator=generator, device=device) for _ in range(2))
    shared = max(1, p // 10)
    y[:, :shared] += x[:, :shared]
    if condition > 1.0:
        rotation = torch.linalg.qr(torch.randn(p, p, generator=generator, device=device))[0]
        stretch = torch.logspace(0, -float(np.log10(condition)), p, device=device)
        x = (x * stretch) @ rotation
    return x, y


def by_torch_svd(x: Tensor, y: Tensor) -> Tensor:
    """Return what is usually written: float32, the left singular vectors of both sets."""
    left, right = (torch.linalg.svd(s - s.mean(0), full_matrices=False)[0] for s in (x, y))
    return torch.linalg.svdvals(left.T @ right)


def reference(x: Tensor, y: Tensor) -> np.ndarray:
    """Return the correlations by Householder QR in float64 and LAPACK."""
    bases = []
    for side in (x, y):
        wide = side.double()
        bases.append(torch.linalg.qr(wide - wide.mean(0))[0])
    return np.linalg.svd((bases[0].T @ bases[1]).cpu().numpy(), compute_uv=False)


def seconds(function: Callable[[], object], device: str, rounds: int = 5) -> float:
    """Return the median seconds of a call, after one to warm up."""
    taken = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        function()
        if device == "cuda":
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken[1:])


def in_batches(x: Tensor, y: Tensor, size: int) -> np.ndarray:
    """Return the correlations from batches of rows."""
    seen = CCAAccumulator()
    for start in range(0, len(x), size):
        seen.partial_fit(x[start : start + size], y[start : start + size])
    return seen.result().correlations


def main() -> int:
    """Print the table; return 1 if an error is too large."""
    small = "--small" in sys.argv[1:] or not torch.cuda.is_available()
    device = "cpu" if small else "cuda"
    where = "processor" if small else torch.cuda.get_device_name()
    print(f"torch {torch.__version__}, numpy {np.__version__}, {where}")
    shapes = [(20_000, 64), (4_000, 256)] if small else [(1_000_000, 512), (50_000, 2048)]
    worst = 0.0
    for n, p in shapes:
        for condition in (1.0, 1e4):
            x, y = sides(n, p, device, condition)
            expected = reference(x, y)
            ways = {
                "ours": lambda x=x, y=y: canonical_correlations(x, y),
                "ours, batches of a tenth": lambda x=x, y=y, n=n: in_batches(x, y, n // 10),
                "torch, SVD in float32": lambda x=x, y=y: by_torch_svd(x, y).cpu().numpy(),
                "ours, linear CKA": lambda x=x, y=y: linear_cka(x, y),
            }
            print(f"\n{n:,} x {p} and {p}, float32, condition number of X {condition:g}")
            first = None
            for name, way in ways.items():
                taken = seconds(way, device)
                first = taken if first is None else first
                error = np.abs(way() - expected).max() if "CKA" not in name else np.nan
                print(f"  {name:<28}{taken:>10.4f} s {taken / first:>8.2f} x   error {error:.1e}")
                if name.startswith("ours") and "CKA" not in name:
                    worst = max(worst, float(error))
            hosts = [side.cpu().numpy() for side in (x, y)]
            taken = seconds(lambda hosts=hosts: canonical_correlations(*hosts), "cpu", rounds=1)
            print(f"  {'ours, NumPy on the CPU':<28}{taken:>10.4f} s {taken / first:>8.2f} x")
    x, y = sides(*shapes[0], device)
    for dtype in (torch.bfloat16, torch.float16):
        stored = x.to(dtype), y.to(dtype)
        error = np.abs(canonical_correlations(*stored) - reference(*stored)).max()
        worst = max(worst, float(error))
        print(f"\n{dtype}: error {error:.1e}")
    print(f"\nlargest error of ours {worst:.1e}, allowed {LARGEST_ERROR:.0e}")
    return int(worst > LARGEST_ERROR)


if __name__ == "__main__":
    sys.exit(main())
