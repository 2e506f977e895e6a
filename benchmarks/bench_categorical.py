"""Time and memory of `afterfit.categorical` beside kmodes, compiled k-modes and scikit-learn.

Run `python benchmarks/bench_categorical.py`; it needs the packages of benchmarks/requirements.lock
(FasterKModes compiles itself with gcc when it is first used).
"""

from __future__ import annotations

import warnings

import numpy as np
from _harness import Report, peak_megabytes
from FasterKModes import FasterKModes
from kluster_fudge import KModes as FudgeKModes
from kmodes.kmodes import KModes as PythonKModes
from numpy.typing import NDArray
from sklearn.metrics import silhouette_score

from afterfit.categorical import KModes, choose_n_clusters, matching_silhouette_score

N_COLUMNS, N_VALUES, N_CLUSTERS = 20, 4, 8


def latent_classes(n: int, noise: float, seed: int) -> NDArray[np.uint8]:
    """Return rows of categories around random modes, a share `noise` of the cells redrawn."""
    rng = np.random.default_rng(seed)
    modes = rng.integers(N_VALUES, size=(N_CLUSTERS, N_COLUMNS), dtype=np.uint8)
    X = modes[rng.integers(N_CLUSTERS, size=n)]
    for column in X.T:  # column by column: no large table of random numbers
        redrawn = rng.random(n) < noise
        column[redrawn] = rng.integers(N_VALUES, size=int(redrawn.sum()), dtype=np.uint8)
    return X


def compare_with_kmodes(report: Report) -> None:
    """One start each way, from structured tables to pure noise, and what they cost."""
    for noise in (0.4, 0.6, 0.8, 1.0):
        X = latent_classes(50_000, noise, 0)
        for init in ("Huang", "Cao"):
            costs: dict[str, float] = {}

            def ours(init: str = init, costs: dict[str, float] = costs) -> None:
                model = KModes(N_CLUSTERS, init=init.lower(), n_init=1, random_state=0)
                costs["afterfit"] = model.fit(X).cost_  # noqa: B023

            def theirs(init: str = init, costs: dict[str, float] = costs) -> None:
                model = PythonKModes(N_CLUSTERS, init=init, n_init=1, random_state=0)
                costs["kmodes"] = float(model.fit(X).cost_)  # noqa: B023

            ours()
            case = f"k-modes, 50,000 x 20, K = 8, {noise:.0%} noise, {init}, 1 start"
            report.compare(case, ours, {"kmodes": theirs}, goal="at least 200 times", rounds=1)
            report.note(f"{case}: cost", goal="equal or lower", **costs)


def compare_with_compiled(report: Report) -> None:
    """The two compiled packages, with one and with ten starts."""
    for noise in (0.4, 0.6, 0.8, 1.0):
        X = latent_classes(50_000, noise, 0)
        for n_init in (1, 10):
            costs: dict[str, float] = {}

            def ours(n_init: int = n_init, costs: dict[str, float] = costs) -> None:
                model = KModes(N_CLUSTERS, n_init=n_init, random_state=0).fit(X)  # noqa: B023
                costs["afterfit"] = model.cost_

            def faster(n_init: int = n_init, costs: dict[str, float] = costs) -> None:
                model = FasterKModes(
                    N_CLUSTERS, n_init=n_init, init="huang", random_state=0, print_log=False
                )
                model.fit(X)  # noqa: B023
                costs["FasterKModes"] = float(model.best_cost)

            def fudge(n_init: int = n_init, costs: dict[str, float] = costs) -> None:
                model = FudgeKModes(N_CLUSTERS, n_init=n_init, init_method="huang", random_state=0)
                model.fit(X)  # noqa: B023
                costs["kluster-fudge"] = float(model.cost_)

            case = f"k-modes, 50,000 x 20, K = 8, {noise:.0%} noise, Huang, {n_init} start(s)"
            report.compare(
                case, ours, {"FasterKModes": faster, "kluster-fudge": fudge}, goal="not slower"
            )
            report.note(f"{case}: cost", goal="equal or lower", **costs)


def silhouette(report: Report) -> None:
    """The exact silhouette: scikit-learn's at 10,000 rows, and its growth."""
    sizes, seconds = (10_000, 100_000, 1_000_000, 10_000_000), []
    for n in sizes:
        X = latent_classes(n, 0.6, 0)
        labels = KModes(N_CLUSTERS, n_init=1, random_state=0).fit(X).labels_
        peers = {}
        if n == sizes[0]:
            peers["scikit-learn"] = lambda: silhouette_score(X, labels, metric="hamming")  # noqa: B023
        report.compare(
            f"matching silhouette, {n:,} x 20",
            lambda: matching_silhouette_score(X, labels),  # noqa: B023
            peers,
            goal="at least 400 times as fast as scikit-learn's at 10,000 rows",
            rounds=3,
            n=n,
        )
        seconds.append(report.cases[-1]["seconds"]["afterfit"])
    exponent = np.polyfit(np.log(sizes), np.log(seconds), 1)[0]
    report.note("matching silhouette, growth", goal="exponent <= 1.1", exponent=float(exponent))


def whole_choice(report: Report) -> None:
    """The choice of K on a million rows, in one process."""
    X = latent_classes(1_000_000, 0.6, 0)

    def ours() -> None:
        result = choose_n_clusters(
            X, range(1, 11), criteria=["knee", "silhouette"], n_init=10, random_state=0
        )
        assert result.suggestions["silhouette"] == N_CLUSTERS

    report.compare(
        "choice of K in 1..10, 10 starts, 1,000,000 x 20, knee and silhouette",
        ours,
        {},
        goal="under 60 s and 1,500 MB",
        rounds=1,
    )


def out_of_memory(report: Report) -> None:
    """The memory of a fit beyond the encoded table itself."""
    n = 20_000_000
    X = latent_classes(n, 0.6, 0)
    model = KModes(N_CLUSTERS, n_init=1, random_state=0)
    peak = peak_megabytes(lambda: model.fit(X))
    report.note(
        "k-modes, 20,000,000 x 20: memory beside the encoded table",
        goal="little beyond the encoded columns",
        table_megabytes=X.nbytes / 1e6,
        labels_megabytes=model.labels_.nbytes / 1e6,
        peak_megabytes=peak,
    )


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # the peers' own
    report = Report("categorical")
    compare_with_compiled(report)
    compare_with_kmodes(report)
    silhouette(report)
    whole_choice(report)
    out_of_memory(report)
    report.save()
