"""Purity of ten million labels, and the cost of importing the package."""

import statistics
import subprocess
import sys

import numpy as np
from _harness import Report
from sklearn.metrics.cluster import contingency_matrix

from afterfit import agreement

IMPORTS = 15


def one_liner(y_true, y_pred):
    counts = contingency_matrix(y_true, y_pred)
    return np.sum(np.amax(counts, axis=0)) / np.sum(counts)


def import_seconds(statement):
    """Return the median seconds of a statement in fresh interpreters."""
    code = f"import time; t = time.perf_counter(); {statement}; print(time.perf_counter() - t)"
    runs = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
        for _ in range(IMPORTS)
    ]
    return statistics.median(runs)


def main():
    report = Report("agreement")
    rng = np.random.default_rng(0)
    for n in (100_000, 1_000_000, 10_000_000):
        y_true = rng.integers(10, size=n)
        y_pred = np.where(rng.uniform(size=n) < 0.7, y_true, rng.integers(12, size=n))
        assert agreement.purity(y_true, y_pred) == one_liner(y_true, y_pred)
        report.compare(
            f"purity of {n:,} integer labels",
            ours=lambda: agreement.purity(y_true, y_pred),  # noqa: B023
            peers={"one-liner on contingency_matrix": lambda: one_liner(y_true, y_pred)},  # noqa: B023
            goal="at least 6 times as fast, with less memory" if n == 10_000_000 else "",
            rounds=3,
            n=n,
        )
    names = np.array([f"class {code}" for code in range(12)], dtype=object)
    texts_true, texts_pred = names[y_true[: n // 10]], names[y_pred[: n // 10]]
    report.compare(
        "purity of 1,000,000 text labels",
        ours=lambda: agreement.purity(texts_true, texts_pred),
        peers={"one-liner on contingency_matrix": lambda: one_liner(texts_true, texts_pred)},
        goal="not slower",
        rounds=3,
        n=n // 10,
    )
    report.note(
        "import afterfit",
        goal="under 0.05 seconds",
        seconds=import_seconds("import afterfit"),
        numpy_seconds=import_seconds("import numpy"),
    )
    report.save()


if __name__ == "__main__":
    main()
