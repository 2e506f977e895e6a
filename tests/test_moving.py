"""The figures that move: their formulas against the package, by keyboard, without another host."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import adjusted_mutual_info_score, normalized_mutual_info_score
from sklearn.mixture import GaussianMixture

from afterfit import agreement, boundary, cca, datasets, mixture

ROOT = Path(__file__).parents[1]
SITE = ROOT / "_build/html"
SCRIPTS = sorted((ROOT / "book/_static/moving").glob("*.js"))
STEMS = sorted(path.stem for path in SCRIPTS if path.stem != "shared")

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser):
    page = browser.new_page()
    yield page
    page.close()


def opened(page, site, stem):
    """Open a chapter; return a list that fills with what goes wrong on it."""
    wrong = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: request.url.startswith(site) or wrong.append(request.url))
    page.goto(f"{site}/book/chapters/{stem}.html")
    page.wait_for_selector(f"#moving-{stem} .moving-says:not(:empty)")
    return wrong


@pytest.fixture(scope="module")
def computed(browser, site):
    """What a chapter's formula makes of these arguments; each chapter is opened once."""
    pages = {}

    def compute(stem, *arguments):
        if stem not in pages:
            pages[stem] = browser.new_page()
            opened(pages[stem], site, stem)
        return pages[stem].evaluate(f"(a) => Moving.formulas.{stem}(...a)", list(arguments))

    yield compute
    for page in pages.values():
        page.close()


def test_there_is_one_for_each_chapter_and_all_are_small():
    assert sorted(path.stem for path in (ROOT / "notebooks").glob("*.md")) == STEMS
    assert all(path.stat().st_size < 15_000 for path in SCRIPTS)


@pytest.mark.parametrize("stem", STEMS)
def test_by_keyboard_and_in_words(page, site, stem):
    wrong = opened(page, site, stem)
    says = page.locator(f"#moving-{stem} .moving-says")
    before = says.inner_text()
    control = page.locator(f"#moving-{stem} .moving-controls :is(input, button)").first
    control.focus()
    for key in ("Enter",) if stem == "agreement" else ("ArrowRight", "PageUp", "PageUp"):
        page.keyboard.press(key)
    assert says.inner_text() != before
    assert wrong == []


@pytest.mark.parametrize("stem", STEMS)
def test_without_javascript_the_page_is_as_it_was(browser, site, stem):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}/book/chapters/{stem}.html")
    assert page.locator(".moving").count() == 0
    assert page.locator("#short-answer img").count() >= 1
    context.close()


@pytest.mark.parametrize("stem", STEMS)
def test_fits_a_phone(page, site, stem):
    page.set_viewport_size({"width": 360, "height": 740})
    opened(page, site, stem)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


CLASSES = [stats.norm(0, 1), stats.norm(3, 1.5)]


@pytest.mark.parametrize("prior", [0.1, 0.5, 0.8])
@pytest.mark.parametrize(("miss", "alarm"), [(1, 1), (5, 1), (0.5, 2)])
@pytest.mark.parametrize("reject", [0.15, 1])
def test_boundary(computed, prior, miss, alarm, reject):
    setting = {"prior": prior, "miss": miss, "alarm": alarm, "reject": reject}
    found = computed("boundary", setting)
    costs = [[0, alarm], [miss, 0]]
    rule = boundary.BayesRule(
        [dist.logpdf for dist in CLASSES], [1 - prior, prior], losses=costs, reject_cost=reject,
        n_features=1,
    )  # fmt: skip
    roots = sorted(float(piece.points[0]) for piece in rule.boundary((-60, 60)).pieces)
    shown = [root for root in found["thresholds"] if abs(root) < 60]
    np.testing.assert_allclose(shown, roots, atol=1e-6)
    risk = rule.error_rate()
    assert found["risk"] == pytest.approx(risk.risk, abs=1e-7)


@pytest.mark.parametrize("shape", [0.5, 1, 4, 20])
@pytest.mark.parametrize("mean", [0.2, 2, 5])
def test_gamma_glm(computed, shape, mean):
    for y in (0.05, 1.5, 6):
        found = computed("gamma_glm", y, mean, shape)
        expected = {
            "right": stats.gamma.cdf(y, shape, scale=mean / shape),
            "scaleAsScale": stats.gamma.cdf(y, mean * shape, scale=1 / shape),
            "shapeAndScale": stats.gamma.cdf(y, shape, scale=1 / shape),
            "scaleAsShape": stats.gamma.cdf(y, 1 / shape, scale=mean * shape),
        }
        assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("n", "p", "q"), [(100, 20, 20), (60, 5, 30), (1000, 1, 100), (50, 40, 30)]
)
def test_cca(computed, n, p, q):
    for rho in (0.1, 0.35, 0.6, 0.9):
        edge, density = computed("cca", n, p, q, rho)
        assert edge == pytest.approx(cca.null_edge(n, p, q), abs=1e-12)
        if edge < 1:
            assert density == pytest.approx(cca.null_density(rho, n, p, q), abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_agreement(computed, seed):
    table = np.random.default_rng(seed).integers(0, 30, size=(3, 2 + seed))
    found = computed("agreement", table.tolist())
    y_true, y_pred = (np.repeat(index.ravel(), table.ravel()) for index in np.indices(table.shape))
    assert found == pytest.approx(
        {
            "purity": agreement.purity(y_true, y_pred),
            "inverse purity": agreement.inverse_purity(y_true, y_pred),
            "matched accuracy": agreement.matched_accuracy(y_true, y_pred),
            "B-cubed F": agreement.bcubed(y_true, y_pred).f,
            "adjusted Rand index": agreement.agreement_table(y_true, y_pred).loc[
                "adjusted Rand index", "value"
            ],
            "normalized mutual information": normalized_mutual_info_score(y_true, y_pred),
            "adjusted mutual information": adjusted_mutual_info_score(y_true, y_pred),
        },
        abs=1e-10,
    )


def test_mixture(computed):
    X = datasets.load_table("faithful")
    model = GaussianMixture(2, random_state=1).fit(X)
    points = pd.DataFrame([[4.4, 81], [2.0, 54], [3.2, 66], [6.5, 45]], columns=X.columns)
    k = mixture.component_log_joints(model, points).argmax(axis=1)
    rows = np.arange(len(points))
    expected = np.column_stack(
        [
            model.predict_proba(points)[rows, k],
            mixture.log_density(model, points),
            mixture.component_tail_probabilities(model, points)[rows, k],
        ]
    )
    found = np.array([computed("mixture", point.tolist()) for point in points.to_numpy()])
    np.testing.assert_allclose(found[:, :3], expected, rtol=1e-7)
    # A million draws on both sides: four standard errors of their difference.
    hdr = mixture.hdr_tail_probability(model, points, n_draws=1_000_000, random_state=0)
    np.testing.assert_allclose(found[:, 3], hdr, atol=4 * np.sqrt(0.5 / 1e6) + 1e-3)


def test_categorical(computed):
    path = ROOT / "benchmarks/results/categorical_simulation.csv"
    tables = pd.read_csv(path, dtype={"right": str})
    first = tables[tables["kind"] == tables["kind"].iloc[0]]
    shares = computed("categorical", 0)
    for name, share in shares.items():
        said = first[name.replace(" ", "_")].astype("Int64").astype("string")
        is_right = (said == first["right"]).fillna(False)  # who names no number is wrong
        assert share == pytest.approx(is_right.mean(), abs=1e-8)
