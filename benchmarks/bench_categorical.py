"""Time and memory of `afterfit.categorical` beside kmodes, compiled k-modes and scikit-learn.

Run `python benchmarks/bench_categorical.py`; it needs the packages of benchmarks/requirements.lock
(FasterKModes compiles itself with gcc when it is first used).

With `--simulate` it measures instead how often each criterion, and the rule, are right on simulated
tables of the worlds in _worlds.py, and adds what is missing to results/categorical_simulation.csv:
ten minutes on one core; `--simulate 2` uses two. `--means` does the same for the means that the
rule does without (_means.py), on one table of each world, in results/categorical_means.csv, and
`--real` asks tables with known classes that packages ship (_real.py).
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
from _harness import RESULTS, Report, peak_megabytes
from _worlds import WORLDS, World
from joblib import Parallel, delayed
from kmodes.kmodes import KModes as PythonKModes
from numpy.typing import NDArray
from sklearn.metrics import silhouette_score

from afterfit.categorical import KModes, choose_n_clusters, matching_silhouette_score

N_COLUMNS, N_VALUES, N_CLUSTERS = 20, 4, 8

# The simulation: tables of each world, and fewer fits than by default. Without the gap, which takes
# the most time and no part in the rule.
SEED = 2026
REPETITIONS = 4
CRITERIA = ["knee", "silhouette", "stability", "latent_classes"]
CHOICES = [*CRITERIA, "rule", "gap", "prediction_strength", "jaccard", "bic", "icl"]
FITS = {"n_init": 1, "n_resamples": 2}

# The means that the rule does without are tried on so many tables of each world.
MEANS_REPETITIONS = 1


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
    """kmodes itself: one start from structure to pure noise, and its default of ten."""
    cases = [(0.4, "Huang", 1), (0.6, "Huang", 1), (1.0, "Huang", 1), (0.6, "Cao", 1)]
    for noise, init, n_init in [*cases, (0.4, "Huang", 10)]:
        X = latent_classes(50_000, noise, 0)
        costs: dict[str, float] = {}

        def ours(init: str = init, n_init: int = n_init, costs: dict[str, float] = costs) -> None:
            model = KModes(N_CLUSTERS, init=init.lower(), n_init=n_init, random_state=0)
            costs["afterfit"] = model.fit(X).cost_  # noqa: B023

        def theirs(init: str = init, n_init: int = n_init, costs: dict[str, float] = costs) -> None:
            model = PythonKModes(N_CLUSTERS, init=init, n_init=n_init, random_state=0)
            costs["kmodes"] = float(model.fit(X).cost_)  # noqa: B023

        ours()
        case = f"k-modes, 50,000 x 20, K = 8, {noise:.0%} noise, {init}, {counted(n_init)}"
        report.compare(case, ours, {"kmodes": theirs}, goal="at least 200 times", rounds=1)
        report.note(f"{case}: cost", goal="equal or lower", **costs)


def compare_with_compiled(report: Report) -> None:
    """The two compiled packages, with one and with ten starts."""
    from FasterKModes import FasterKModes
    from kluster_fudge import KModes as FudgeKModes

    for noise in (0.4, 0.6, 1.0):
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

            case = f"k-modes, 50,000 x 20, K = 8, {noise:.0%} noise, Huang, {counted(n_init)}"
            report.compare(
                case,
                ours,
                {"FasterKModes": faster, "kluster-fudge": fudge},
                goal="not slower",
                rounds=5 if n_init == 1 else 1,
            )
            report.note(f"{case}: cost", goal="equal or lower", **costs)


def wide(report: Report) -> None:
    """Tables of many columns without structure: ties are rare, and there are no clusters."""
    for n_columns in (200, 400, 800):
        rng = np.random.default_rng(0)
        X = rng.integers(N_VALUES, size=(1_000, n_columns), dtype=np.uint8)
        costs: dict[str, float] = {}

        def ours(X: NDArray[np.uint8] = X, costs: dict[str, float] = costs) -> None:
            model = KModes(N_CLUSTERS, n_init=1, random_state=0)
            costs["afterfit"] = model.fit(X).cost_

        def theirs(X: NDArray[np.uint8] = X, costs: dict[str, float] = costs) -> None:
            model = PythonKModes(N_CLUSTERS, init="Huang", n_init=1, random_state=0)
            costs["kmodes"] = float(model.fit(X).cost_)

        case = f"k-modes, 1,000 x {n_columns}, K = 8, 100% noise, Huang, {counted(1)}"
        report.compare(case, ours, {"kmodes": theirs}, goal="at least 4 times", rounds=1)
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


def default_choice(report: Report) -> None:
    """The choice of K with all defaults."""
    X = latent_classes(10_000, 0.6, 0)

    def ours() -> None:
        assert choose_n_clusters(X, random_state=0).n_clusters == N_CLUSTERS

    report.compare(
        "choice of K with defaults, 10,000 x 20", ours, {}, goal="as fast as before", rounds=1
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


def simulated(name: str, repetition: int) -> tuple[World, Any]:
    """Return a world and one of its tables."""
    made = WORLDS[name]
    number = list(WORLDS).index(name)
    return made, made.make(np.random.default_rng([SEED, number, repetition]))


def simulated_choice(name: str, repetition: int) -> dict[str, object]:
    """Return what each criterion and the rule say of one simulated table."""
    made, X = simulated(name, repetition)
    ks = range(1, made.k_max + 1)
    result = choose_n_clusters(
        X, ks, criteria=CRITERIA, missing="category", **FITS, random_state=repetition
    )
    examined = result.latent_classes
    return {
        "world": name,
        "repetition": repetition,
        "kind": made.kind,
        "seen": made.seen,
        "right": " ".join(map(str, sorted(made.right, key=str))),
        **result.suggestions,
        "rule": result.n_clusters,
        "confidence": result.confidence,
        "structure": result.structure,
        "rival": examined.best_rival,
        "errors": round(examined.errors, 2),
        "agreement": round(examined.agreement, 3),
        "measured": f"{datetime.now(UTC):%Y-%m-%d}",
    }


def other_means(name: str, repetition: int) -> dict[str, object]:
    """Return what the means that the rule does without say of the same table."""
    from _means import chosen_by_means

    made, X = simulated(name, repetition)
    means = chosen_by_means(X, range(1, made.k_max + 1), repetition)
    measured = f"{datetime.now(UTC):%Y-%m-%d}"
    return {"world": name, "repetition": repetition, **means, "measured": measured}


def simulate(
    record: Callable[[str, int], dict[str, object]], file: str, repetitions: int, n_jobs: int
) -> None:
    """Add to the file what is recorded of the simulated tables that are not in it yet."""
    path = RESULTS / file
    rows = pd.read_csv(path).to_dict("records") if path.exists() else []
    done = {(row["world"], row["repetition"]) for row in rows}
    order = list(WORLDS)
    mixed = [order[i] for i in np.random.default_rng(SEED).permutation(len(order))]
    designs = [(name, r) for r in range(repetitions) for name in mixed]  # all kinds from the start
    missing = [design for design in designs if design not in done]
    for row in Parallel(n_jobs, return_as="generator")(delayed(record)(*d) for d in missing):
        rows.append(row)
        table = pd.DataFrame(rows)
        table = table.iloc[np.lexsort((table["repetition"], table["world"].map(order.index)))]
        counts = [name for name in CHOICES if name in table]
        table.astype(dict.fromkeys(counts, "Int64")).to_csv(path, index=False)


def counted(n_init: int) -> str:
    """Return a number of starts in words."""
    return "1 start" if n_init == 1 else f"{n_init} starts"


if __name__ == "__main__":
    n_jobs = int(sys.argv[2]) if sys.argv[2:] else 1
    if sys.argv[1:2] == ["--simulate"]:
        simulate(simulated_choice, "categorical_simulation.csv", REPETITIONS, n_jobs)
        raise SystemExit
    if sys.argv[1:2] == ["--means"]:
        simulate(other_means, "categorical_means.csv", MEANS_REPETITIONS, n_jobs)
        raise SystemExit
    if sys.argv[1:2] == ["--real"]:
        from _real import real_choices

        table = pd.DataFrame(real_choices(criteria=CRITERIA, **FITS))
        counts = dict.fromkeys([*CRITERIA, "rule"], "Int64")
        table.astype(counts).to_csv(RESULTS / "categorical_real.csv", index=False)
        raise SystemExit
    warnings.simplefilter("ignore")  # the peers' own
    report = Report("categorical")
    compare_with_compiled(report)
    compare_with_kmodes(report)
    wide(report)
    silhouette(report)
    default_choice(report)
    whole_choice(report)
    out_of_memory(report)
    report.save()
