"""Purity of ten million labels, all measures of many entities, and the cost of importing."""

import statistics
import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
from _harness import Report
from sklearn import metrics
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


def entities(n, n_entities, rng):
    """Return the entity of each record, and one in ten split off or merged with another."""
    entity = rng.integers(n_entities, size=n)
    wrong, merged = rng.uniform(size=n) < 0.1, rng.uniform(size=n_entities) < 0.1
    found = np.where(merged, rng.integers(n_entities, size=n_entities), np.arange(n_entities))
    return entity, np.where(wrong, n_entities + np.arange(n), found[entity])


def drawn(y_true, y_pred):
    """Draw a contingency table to the last pixel."""
    figure = agreement.plot_contingency_table(y_true, y_pred).figure
    figure.canvas.draw()
    plt.close(figure)


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
    for n in (20_000, 1_000_000):
        labels = entities(n, n // 2, rng)
        # scikit-learn's adjusted mutual information grows with the square of the entities.
        amis = {"adjusted_mutual_info_score": lambda: metrics.adjusted_mutual_info_score(*labels)}  # noqa: B023
        report.compare(
            f"all measures of {n:,} records of {n // 2:,} entities",
            ours=lambda: agreement.agreement_table(*labels),  # noqa: B023
            peers=amis if n == 20_000 else {},
            goal="at least 50 times as fast as AMI alone" if n == 20_000 else "under 10 seconds",
            rounds=1 if n == 20_000 else 3,
            n=n,
        )
    few = rng.integers(150, size=(2, 20_000))
    report.compare(
        "contingency plot of 150 x 150",
        ours=lambda: drawn(*few),
        peers={},
        goal="under 1 second",
        rounds=3,
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
