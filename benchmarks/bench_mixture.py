"""One million points, 8 dimensions, 5 components: joint log densities and HDR tails."""

from __future__ import annotations

import warnings

import numpy as np
from _harness import Report, peak_megabytes
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from sklearn.mixture._gaussian_mixture import _compute_precision_cholesky

from afterfit import mixture

N, D, K = 1_000_000, 8, 5
N_DRAWS = 100_000
JOINT_GOAL = "no slower than scikit-learn's private method: peer / ours at least 1.0"
MEMORY_GOAL = "at most two (n, K) arrays beyond the input's whitened copy"
MANY_GOAL = "1,000 components no slower than scikit-learn: peer / ours at least 1.0"
TAIL_GOAL = "HDR tail at most 1.5 times the log density: peer / ours at least 1 / 1.5 = 0.667"


def fitted(X: np.ndarray, covariance_type: str) -> GaussianMixture:
    """Return a mixture fitted to a few rows: what matters here is evaluating it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return GaussianMixture(K, covariance_type=covariance_type, max_iter=20, random_state=0).fit(
            X[:5_000]
        )


def many_components(covariance_type: str) -> GaussianMixture:
    """Return 1,000 components that no fit was needed for."""
    rng = np.random.default_rng(1)
    roots = rng.standard_normal((1_000, D, D + 2))
    covariances = roots @ roots.transpose(0, 2, 1) / D
    if covariance_type == "diag":
        covariances = covariances.diagonal(axis1=1, axis2=2)
    model = GaussianMixture(1_000, covariance_type=covariance_type)
    model.weights_, model.means_ = np.full(1_000, 1e-3), 2.0 * rng.standard_normal((1_000, D))
    model.covariances_ = covariances
    model.precisions_cholesky_ = _compute_precision_cholesky(covariances, covariance_type)
    return model


def main() -> None:
    rng = np.random.default_rng(0)
    centres = 2.0 * rng.standard_normal((K, D))
    X = centres[rng.integers(K, size=N)] + rng.standard_normal((N, D)) @ rng.standard_normal((D, D))
    report = Report("mixture")
    for covariance_type in ("full", "tied", "diag", "spherical"):
        model = fitted(X, covariance_type)
        report.compare(
            f"joint log densities, {N:,} x {D}, {K} {covariance_type} components",
            lambda model=model: mixture.component_log_joints(model, X),
            {
                "scikit-learn, _estimate_weighted_log_prob": (
                    lambda model=model: model._estimate_weighted_log_prob(X)
                ),
                "scikit-learn, _estimate_log_prob": lambda model=model: model._estimate_log_prob(X),
            },
            goal=JOINT_GOAL if covariance_type == "full" else "",
            n=N,
        )
    model = fitted(X, "full")
    report.note(
        "memory of the joint log densities, full",
        goal=MEMORY_GOAL,
        peak_megabytes=peak_megabytes(lambda: mixture.component_log_joints(model, X)),
        allowed_megabytes=(2 * N * K + N * D) * 8 / 1e6,
        one_n_by_k_array_megabytes=N * K * 8 / 1e6,
    )
    for n in (N // 100, N // 10, N):
        report.compare(
            f"log density, {n:,} x {D}, {K} full components",
            lambda n=n: mixture.log_density(model, X[:n]),
            {"scikit-learn, score_samples": lambda n=n: model.score_samples(X[:n])},
            goal="no slower than scikit-learn's",
            n=n,
        )
    for covariance_type in ("full", "diag"):
        many = many_components(covariance_type)
        report.compare(
            f"log density, 10,000 x {D}, 1,000 {covariance_type} components",
            lambda many=many: mixture.log_density(many, X[:10_000]),
            {"scikit-learn, score_samples": lambda many=many: many.score_samples(X[:10_000])},
            goal=MANY_GOAL,
            n=10_000,
        )
    report.compare(
        f"HDR tail, {N:,} points, {N_DRAWS:,} draws",
        lambda: mixture.hdr_tail_probability(model, X, n_draws=N_DRAWS, random_state=0),
        {"afterfit, log_density alone": lambda: mixture.log_density(model, X)},
        goal=TAIL_GOAL,
        n=N,
    )
    report.save()


if __name__ == "__main__":
    main()
