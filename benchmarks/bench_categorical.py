"""Time and memory of `afterfit.categorical` beside kmodes, compiled k-modes and scikit-learn.

Run `python benchmarks/bench_categorical.py`; it needs the packages of benchmarks/requirements.lock
(FasterKModes compiles itself with gcc when it is first used).

With `--simulate` it measures instead how often each criterion, and the rule, find the number of
clusters in simulated tables, and adds what is missing to results/categorical_simulation.csv: half
an hour on one core; `--simulate 2` uses two.
"""

from __future__ import annotations

import itertools
import sys
import warnings
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import pandas as pd
from _harness import RESULTS, Report, peak_megabytes
from joblib import Parallel, delayed
from kmodes.kmodes import KModes as PythonKModes
from numpy.typing import NDArray
from sklearn.metrics import silhouette_score

from afterfit.categorical import KModes, choose_n_clusters, matching_silhouette_score

N_COLUMNS, N_VALUES, N_CLUSTERS = 20, 4, 8

# The simulation. The rule was chosen on tables with other seeds. Fewer fits than by default.
SEED = 2026
FITS = {"n_init": 2, "n_references": 12, "n_resamples": 4}


class Design(NamedTuple):
    """A simulated table: what it is made of, and which of those made alike it is."""

    rows: int
    noise: float
    values: int
    true_k: int
    repetition: int


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


def simulated_designs() -> list[Design]:
    """Return the simulated tables, those that the result needs most first."""
    noises, values = (0.2, 0.4, 0.6), (2, 4)
    kinds = list(itertools.product((300, 2000), noises, values))
    everywhere = [Design(*kind, k, r) for r in (0, 1) for kind in kinds for k in range(1, 9)]
    # More tables without structure: whether clusters are invented is a matter of a few percent.
    without = [Design(*kind, 1, r) for r in range(2, 16) for kind in kinds]
    first = len(everywhere) // 2
    return (
        everywhere[:first]
        + without[: len(without) // 2]
        + everywhere[first:]
        + without[len(without) // 2 :]
    )


def simulated_table(design: Design) -> NDArray:
    """Return rows of 20 categories around random modes, a share of the cells drawn anew."""
    n, noise, values, n_clusters, repetition = design
    rng = np.random.default_rng([SEED, n, round(10 * noise), values, n_clusters, repetition])
    modes = rng.integers(values, size=(n_clusters, N_COLUMNS))
    truth = rng.integers(n_clusters, size=n)
    anew = rng.random((n, N_COLUMNS)) < noise
    return np.where(anew, rng.integers(values, size=(n, N_COLUMNS)), modes[truth])


def simulated_choice(design: Design) -> dict[str, object]:
    """Return what each criterion and the rule say of one simulated table."""
    result = choose_n_clusters(
        simulated_table(design), range(1, 11), **FITS, random_state=design.repetition
    )
    found = {**result.suggestions, "rule": result.n_clusters}
    return {**design._asdict(), **found, "measured": f"{datetime.now(UTC):%Y-%m-%d}"}


def simulate(n_jobs: int) -> None:
    """Add to the file the simulated tables that are not in it yet."""
    path = RESULTS / "categorical_simulation.csv"
    rows = pd.read_csv(path).to_dict("records") if path.exists() else []
    done = {Design(*(row[name] for name in Design._fields)) for row in rows}
    missing = [design for design in simulated_designs() if design not in done]
    choices = Parallel(n_jobs, return_as="generator")(map(delayed(simulated_choice), missing))
    for row in choices:
        rows.append(row)
        table = pd.DataFrame(rows).sort_values(list(Design._fields))
        counts = table.columns.difference(["noise", "measured"])
        table.astype(dict.fromkeys(counts, "Int64")).to_csv(path, index=False)


def counted(n_init: int) -> str:
    """Return a number of starts in words."""
    return "1 start" if n_init == 1 else f"{n_init} starts"


if __name__ == "__main__":
    if sys.argv[1:2] == ["--simulate"]:
        simulate(n_jobs=int(sys.argv[2]) if sys.argv[2:] else 1)
        raise SystemExit
    warnings.simplefilter("ignore")  # the peers' own
    report = Report("categorical")
    compare_with_compiled(report)
    compare_with_kmodes(report)
    silhouette(report)
    whole_choice(report)
    out_of_memory(report)
    report.save()
