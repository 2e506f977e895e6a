"""A small picture for each chapter's card: one message, drawn from what the package computes."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np

from afterfit import agreement, boundary, categorical, cca, datasets, mixture, runs

SIZE = (3.4, 2.0)  # inches; a card shows it at most at 1.3 times that
QUIET = "#999999"


def draw(stem: str) -> bytes:
    """Return the picture of a chapter as SVG."""
    import matplotlib.pyplot as plt

    with plt.rc_context():
        runs.book_style()
        plt.rcParams |= {"font.size": 13, "axes.labelsize": 13}
        figure, axes = plt.subplots(figsize=SIZE)
        PICTURES[stem](axes)
        buffer = BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
        plt.close(figure)
    return buffer.getvalue()


def bare(axes: Any, **keep: Any) -> None:
    axes.set(xticks=[], yticks=[], **keep)
    axes.spines["left"].set_visible(False)


def draw_mixture(axes: Any) -> None:
    """A density with a peak above 1."""
    parameters = mixture.GaussianMixtureParameters([0.7, 0.3], [[0.0], [1.3]], [[[0.04]], [[0.12]]])
    x = np.linspace(-0.8, 2.4, 300)
    density = np.exp(mixture.log_density(parameters, x[:, None]))
    axes.plot(x, density, color="C0")
    axes.axhline(1, color=QUIET, linestyle="--", linewidth=1.5)
    axes.text(2.4, 1.04, "1", color="black", ha="right", va="bottom")
    peak = density.argmax()
    axes.plot(x[peak], density[peak], "o", color="C0")
    axes.text(x[peak] + 0.15, density[peak], f"density {density[peak]:.1f}", va="center")
    bare(axes, ylim=(0, 1.6), xlabel="x")


def draw_categorical(axes: Any) -> None:
    """The score of latent classes by number of clusters, and that of a model without any."""
    rng = np.random.default_rng(1)  # the table of the chapter's short answer
    kinds = rng.choice(["never", "sometimes", "often"], size=(3, 12))
    answers = kinds[rng.integers(3, size=300)]
    other = rng.random(answers.shape) < 0.5
    answers = np.where(other, rng.permuted(answers, axis=0), answers)
    found = categorical.choose_n_clusters(
        answers, range(1, 7), criteria=["latent_classes"], n_init=2, random_state=1
    ).latent_classes
    numbers, scores = zip(*sorted(found.scores.items()), strict=True)
    best = int(np.argmax(scores))
    axes.plot(numbers, scores, "-", color=QUIET)
    axes.plot(numbers[best], scores[best], "o", color="C0", markersize=9)
    axes.annotate(
        f"K = {numbers[best]}",
        (numbers[best], scores[best]),
        xytext=(0, 9),
        textcoords="offset points",
        ha="center",
    )
    rival = max(found.rivals.values())
    axes.axhline(rival, color="black", linestyle="--", linewidth=1.5)
    axes.text(6.3, min(scores), "dashed: without clusters", ha="right", va="bottom")
    bare(axes, xlabel="number of clusters K", ylabel="score", xlim=(0.7, 6.4))
    axes.set_xticks(list(numbers))
    axes.margins(y=0.25)


def draw_cca(axes: Any) -> None:
    """Seven canonical correlations, and the edge of what noise gives."""
    rng = np.random.default_rng(3)
    shared = rng.normal(size=(300, 2))
    X = np.hstack([shared + 0.6 * rng.normal(size=(300, 2)), rng.normal(size=(300, 5))])
    Y = np.hstack([shared + 0.6 * rng.normal(size=(300, 2)), rng.normal(size=(300, 5))])
    roots = cca.canonical_correlations(X, Y)
    edge = cca.null_edge(300, 7, 7)
    numbers = np.arange(1, roots.size + 1)
    axes.bar(numbers, roots, color=np.where(roots > edge, "C0", QUIET), width=0.55)
    axes.axhline(edge, color="black", linestyle="--", linewidth=1.5)
    axes.text(numbers[-1] + 0.4, edge + 0.03, "noise ends here", ha="right", va="bottom")
    bare(axes, ylim=(0, 1), xlabel="root", ylabel="correlation")
    axes.set_xticks(numbers)


def draw_gamma_glm(axes: Any) -> None:
    """The share of a gamma distribution below y."""
    from scipy import stats

    gamma = stats.gamma(2.5, scale=1.0)
    y, low = 2.2, np.linspace(0, 2.2, 100)
    x = np.linspace(0, 9, 300)
    axes.plot(x, gamma.pdf(x), color="black")
    axes.fill_between(low, gamma.pdf(low), color="C0", linewidth=0)
    axes.text(2.9, 0.235, f"P(Y ≤ y) = {gamma.cdf(y):.2f}")
    bare(axes, ylim=(0, None), xlim=(0, 9), xlabel="y")
    axes.set_xticks([y], ["y"])
    axes.set_xlabel("")


def draw_agreement(axes: Any) -> None:
    """Classes by clusters, in square cells."""
    from sklearn.mixture import GaussianMixture

    penguins = datasets.load_table("penguins").dropna(subset=["bill_length_mm"])
    X = penguins[["bill_length_mm", "bill_depth_mm"]].to_numpy()
    found = GaussianMixture(3, n_init=5, random_state=1).fit_predict(X)
    labels = agreement.match_labels(penguins["species"], found)
    counts = agreement.contingency_table(penguins["species"], labels)
    counts = counts[list(counts.index)]
    axes.imshow(counts / counts.to_numpy().max(), cmap="Blues", vmin=0, vmax=1.2)
    for (row, column), count in np.ndenumerate(counts.to_numpy()):
        axes.text(
            column, row, count, ha="center", va="center", color="black" if count < 70 else "white"
        )
    axes.set(xticks=[], xlabel="clusters")
    axes.set_yticks(range(3), list(counts.index))
    axes.tick_params(length=0)
    axes.spines[["left", "bottom"]].set_visible(False)


def draw_boundary(axes: Any) -> None:
    """Two normal classes, and the curve between them."""
    from scipy import stats

    one = stats.multivariate_normal([0, 0], [[1.0, 0.3], [0.3, 0.5]])
    other = stats.multivariate_normal([3.2, 0.5], [[0.3, 0], [0, 1.6]])
    limits = ((-2.6, 5.4), (-2.2, 2.9))
    rule = boundary.BayesRule([one, other], n_features=2)
    x1, x2 = np.meshgrid(np.linspace(*limits[0], 120), np.linspace(*limits[1], 80))
    points = np.dstack([x1, x2])
    for density in (one, other):
        heights = density.pdf(points)
        levels = heights.max() * np.array([0.15, 0.5])
        axes.contour(x1, x2, heights, levels, colors=QUIET, linewidths=1.2)
    for piece in rule.boundary(limits).pieces:
        axes.plot(*np.asarray(piece.points).T, color="C0", linewidth=3)
    axes.text(0, 0, "A", ha="center", va="center")
    axes.text(3.2, 0.5, "B", ha="center", va="center")
    axes.set(xticks=[], yticks=[], aspect="equal")
    axes.spines[["left", "bottom"]].set_visible(False)


PICTURES: dict[str, Callable[[Any], None]] = {
    "agreement": draw_agreement,
    "boundary": draw_boundary,
    "categorical": draw_categorical,
    "cca": draw_cca,
    "gamma_glm": draw_gamma_glm,
    "mixture": draw_mixture,
}
