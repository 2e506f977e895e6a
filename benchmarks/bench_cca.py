"""Canonical correlations beside scikit-learn's NIPALS, statsmodels' CanCorr and two bare QRs."""

from __future__ import annotations

import time
import warnings

import numpy as np
from _harness import Report
from sklearn.cross_decomposition import CCA
from sklearn.exceptions import ConvergenceWarning
from statsmodels.multivariate.cancorr import CanCorr

from afterfit import cca
from afterfit.cca import _whitening


def popular_answer(X: np.ndarray, Y: np.ndarray) -> list[float]:
    """Return what the most read answer computes: a correlation for each transformed column."""
    model = CCA(n_components=min(X.shape[1], Y.shape[1]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        x_scores, y_scores = model.fit(X, Y).transform(X, Y)
    return [np.corrcoef(u, v)[0, 1] for u, v in zip(x_scores.T, y_scores.T, strict=True)]


def two_householder_factors(X: np.ndarray, Y: np.ndarray) -> None:
    """Compute R of both sets by Householder QR (LAPACK's geqrf), without forming Q."""
    np.linalg.qr(X, mode="r")
    np.linalg.qr(Y, mode="r")


def in_batches(X: np.ndarray, Y: np.ndarray, size: int) -> np.ndarray:
    """Return the correlations of rows that come in batches."""
    seen = cca.CCAAccumulator()
    for start in range(0, len(X), size):
        seen.partial_fit(X[start : start + size], Y[start : start + size])
    return seen.result().correlations


def main() -> None:
    rng = np.random.default_rng(0)
    report = Report("cca")

    X, Y = rng.standard_normal((2000, 100)), rng.standard_normal((2000, 50))
    report.compare(
        "correlations, 2000 x 100 and 2000 x 50",
        lambda: cca.canonical_correlations(X, Y),
        {"statsmodels CanCorr": lambda: CanCorr(Y, X).cancorr},
        goal="CanCorr >= 4 x",
        rounds=41,
    )
    report.compare(
        "correlations, 2000 x 100 and 2000 x 50, popular answer",
        lambda: cca.canonical_correlations(X, Y),
        {"scikit-learn CCA and corrcoef": lambda: popular_answer(X, Y)},
        goal="popular answer >= 150 x",
        rounds=3,
    )
    ours, theirs = cca.canonical_correlations(X, Y), np.array(popular_answer(X, Y))
    report.note(
        "largest error of the popular answer on the same data",
        goal="",
        error=float(np.abs(ours - theirs).max()),
    )

    tall_x, tall_y = rng.standard_normal((2, 1_000_000, 50))
    for n in (10_000, 100_000, 1_000_000):
        x, y = tall_x[:n], tall_y[:n]
        report.compare(
            f"correlations, {n:,} x 50 and 50",
            lambda x=x, y=y: cca.canonical_correlations(x, y),
            {"two Householder QRs (R only)": lambda x=x, y=y: two_householder_factors(x, y)},
            goal="two QRs >= 1 / 1.3 x" if n == 1_000_000 else "",
            rounds=3,
            n=n,
        )
    report.compare(
        "correlations, 1,000,000 x 50 and 50, in batches",
        lambda: cca.canonical_correlations(tall_x, tall_y),
        {
            f"CCAAccumulator, batches of {size:,} rows": lambda size=size: in_batches(
                tall_x, tall_y, size
            )
            for size in (1_000, 10_000, 100_000)
        },
        goal="batches <= 1.3 x",
        rounds=3,
    )
    tall_x[:, 7] = tall_x[:, 3] - tall_x[:, 5]
    report.compare(
        "the same with a collinear column",
        lambda: cca.canonical_correlations(tall_x, tall_y),
        {"two Householder QRs (R only)": lambda: two_householder_factors(tall_x, tall_y)},
        goal="",
        rounds=1,
    )

    report.compare(
        "99 permutations, 2000 x 100 and 2000 x 50",
        lambda: cca.permutation_test(X, Y, n_resamples=99, random_state=0),
        {
            "CanCorr of every permuted table, first root only": lambda: [
                CanCorr(Y[rng.permutation(2000)], X).cancorr for _ in range(11)
            ]
        },
        goal="",
        rounds=5,
        scale_peers=9.0,  # 11 of the 99
    )
    factorisations = _count_factorisations(X, Y, n_resamples=999)
    report.note(
        "999 permutations, 2000 x 100 and 2000 x 50: factorisations of a set",
        goal="1 a set, whatever the number of permutations",
        **factorisations,
    )
    report.save()


def _count_factorisations(X: np.ndarray, Y: np.ndarray, n_resamples: int) -> dict[str, float]:
    calls = 0
    original = _whitening.open_side

    def counted(*arguments: object) -> object:
        nonlocal calls
        calls += 1
        return original(*arguments)  # type: ignore[arg-type]

    _whitening.open_side = counted  # type: ignore[assignment]
    start = time.perf_counter()
    cca.permutation_test(X, Y, n_resamples=n_resamples, random_state=0)
    seconds = time.perf_counter() - start
    _whitening.open_side = original
    return {"calls": calls / 2, "seconds": seconds}


if __name__ == "__main__":
    main()
