"""The Bayes rule on a million points, and boundary coordinates against a uniform grid."""

from __future__ import annotations

import warnings

import numpy as np
from _harness import Report
from scipy.stats import multivariate_normal
from sklearn.datasets import load_iris
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.mixture import GaussianMixture
from sklearn.naive_bayes import GaussianNB

from afterfit.boundary import BayesRule

POINTS_PER_AXIS = (100, 300, 1000)
TOLERANCE = 1e-6


def three_normals() -> list[object]:
    """Three full covariances, so that the boundary has curves and a junction."""
    return [
        multivariate_normal([0.0, 0.0], [[1.0, 0.5], [0.5, 2.0]]),
        multivariate_normal([3.0, 0.5], [[0.7, -0.2], [-0.2, 0.5]]),
        multivariate_normal([0.5, 3.0], [[2.0, 0.3], [0.3, 0.6]]),
    ]


def grid_for(rule: BayesRule, limits: tuple[tuple[float, float], ...]) -> float:
    """Return how many points a uniform grid needs for coordinates as exact, from its own errors.

    Crossings interpolated linearly between grid points err by a multiple of the square of their
    distance. The multiple is measured on a grid of 401 lines, against roots by the package.
    """
    n = 401
    x = np.linspace(*limits[0], n)
    y = np.linspace(*limits[1], n)
    mesh = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
    joints = rule.log_joints(mesh).reshape(n, n, -1)
    best = joints.argmax(axis=-1)
    i, j = np.nonzero(best[:, 1:] != best[:, :-1])  # sides along y on which the decision changes
    a, b = best[i, j], best[i, j + 1]
    odds = [joints[i, j + k, a] - joints[i, j + k, b] for k in (0, 1)]
    crossing = y[j] + (y[1] - y[0]) * odds[0] / (odds[0] - odds[1])
    errors = []
    for row, at in zip(i[::20], crossing[::20], strict=True):
        roots = rule.slice([x[row], 0.0], features=[1]).boundary(limits[1]).points
        errors.append(np.abs(roots - at).min())
    error = max(errors) / (limits[1][1] - limits[1][0])
    lines = (n - 1) * np.sqrt(error / TOLERANCE) + 1
    return float(lines**2)


def fitted_models(report: Report) -> None:
    """Compare rules of fitted models, built and asked, with the models' own `predict`."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((300, 3000)), rng.integers(2, size=300)
    naive = GaussianNB().fit(X, y)
    report.compare(
        "naive Bayes of 3,000 features, 300 points: rule built and asked",
        lambda: BayesRule.from_estimator(naive).predict(X),
        {"its own `predict` (scikit-learn)": lambda: naive.predict(X)},
        goal="within 3 times scikit-learn's own time",
        rounds=7,
    )
    many = GaussianMixture(1000, random_state=0, max_iter=1, init_params="random_from_data")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one iteration is enough here
        many.fit(rng.standard_normal((5000, 2)))
    points = rng.standard_normal((20_000, 2))
    report.compare(
        "mixture of 1,000 components, 20,000 points: rule built and asked",
        lambda: BayesRule.from_estimator(many).predict(points),
        {"its own `predict` (scikit-learn)": lambda: many.predict(points)},
        goal="within 3 times scikit-learn's own time",
        rounds=5,
    )
    petals, kinds = load_iris(return_X_y=True)
    keep = kinds > 0
    qda = QuadraticDiscriminantAnalysis().fit(petals[keep][:, 2:], kinds[keep])
    grid = np.stack(np.meshgrid(np.linspace(1, 8, 300), np.linspace(0, 3, 300)), axis=-1)
    report.compare(
        "boundary of two fitted Gaussians to 1e-6, rule built and traced",
        lambda: BayesRule.from_estimator(qda).boundary(((1, 8), (0, 3))),
        {"labels on a grid of 300 x 300": lambda: qda.predict(grid.reshape(-1, 2))},
        goal="none, for scale: the grid is three thousand times coarser",
        rounds=15,
    )


def main() -> None:
    report = Report("boundary")
    densities = three_normals()
    rule = BayesRule(densities, classes=["a", "b", "c"])
    limits = ((-4.0, 6.0), (-4.0, 6.0))
    for points_per_axis in POINTS_PER_AXIS:
        axis = np.linspace(-4.0, 6.0, points_per_axis)
        X = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)

        def log_densities(X: np.ndarray = X) -> None:
            for density in densities:
                density.logpdf(X)

        report.compare(
            f"decisions at {len(X):,} points, three full normals",
            lambda X=X: rule.predict(X),
            {"the three log densities once (SciPy)": log_densities},
            goal="within 1.2 times the cost of the log densities" if len(X) == 1_000_000 else "",
            rounds=7,
            n=len(X),
        )
    found = rule.boundary(limits, tolerance=TOLERANCE)
    interpolated = grid_for(rule, limits)
    report.note(
        "boundary coordinates to 1e-6 of the range",
        goal="at least 20 times fewer evaluations than the uniform grid of that resolution",
        evaluations=float(found.n_evaluations),
        vertices=float(len(found.points)),
        points_of_a_grid_with_lines_1e_6_apart=1e12,
        points_of_a_grid_interpolated_as_exactly=interpolated,
        times_fewer_than_the_interpolated_grid=interpolated / found.n_evaluations,
    )
    report.compare(
        "boundary coordinates to 1e-6 of the range",
        lambda: rule.boundary(limits, tolerance=TOLERANCE),
        {"labels on a grid of 1,000 x 1,000": lambda: rule.predict(X)},
        goal="none, for scale: the grid is a thousand times coarser",
        rounds=5,
    )
    fitted_models(report)
    report.save()


if __name__ == "__main__":
    main()
