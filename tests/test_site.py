"""Around the pages: cards, error messages, speed, downloads, settings, print."""

import ast
import datetime
import importlib
import json
import math
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import yaml
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from sklearn.mixture import GaussianMixture

ROOT = Path(__file__).parents[1]
HTML = ROOT / "_build/html"
STEMS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.md"))

sys.path[:0] = [str(ROOT / "book/_ext"), str(ROOT / "book/pdf")]

import print_book  # noqa: E402
from afterfit_book import (  # noqa: E402
    benchmark_figures,
    benchmarks,
    definitions,
    errors,
    finish,
    install,
    lead,
    numbers,
    prompts,
    simulation,
    site,
    slim_svg,
    styles,
    surprises,
    thumbnails,
)

from afterfit import _dark, agreement, gamma_glm, mixture  # noqa: E402
from afterfit.datasets import load_table  # noqa: E402


def page(name):
    return BeautifulSoup((HTML / name).read_text(encoding="utf-8"), "html.parser")


# --- welcome ---


def test_each_card_asks_its_question_over_a_picture_of_its_own():
    cards = page("book/welcome.html").select("article .sd-card")
    assert len(cards) == len(STEMS)
    for card in cards:
        stem = Path(card.find("a", class_="sd-stretched-link")["href"]).stem
        assert card.find(class_="sd-card-title").get_text().strip().endswith("?")
        for picture in card.find_all("img"):
            assert picture["alt"].strip()
            assert picture["src"].startswith(f"../_images/card-{stem}")


@pytest.mark.parametrize("stem", STEMS)
def test_a_card_s_picture_is_the_same_when_drawn_again(stem):
    assert thumbnails.draw(stem) == thumbnails.draw(stem)


def test_the_book_opens_with_a_failure_and_its_number():
    eruptions = load_table("faithful")
    model = GaussianMixture(2, random_state=0).fit(eruptions.to_numpy())
    point = [8.0, 120.0]
    certain = model.predict_proba([point]).max()
    # The tail of a chi-squared variable with 2 degrees of freedom, in closed form.
    distances = [
        (point - mean) @ np.linalg.solve(covariance, point - mean)
        for mean, covariance in zip(model.means_, model.covariances_, strict=True)
    ]
    tail = np.exp(-min(distances) / 2)
    opening = page("book/welcome.html").select_one(".opening").get_text()
    assert f"answers {certain:.3f}" in opening
    assert f"probability of {lead.as_power(f'{tail:.0e}')}" in opening
    assert f"{len(eruptions)} recorded eruptions" in opening
    assert f"lasted {eruptions['eruptions'].max()} minutes" in opening
    assert eruptions["eruptions"].max() < 8


@pytest.mark.parametrize(
    ("text", "shown"), [("5e-21", "5 × 10⁻²¹"), ("1.2e+03", "1.2 × 10³"), ("the 5e", "the 5e")]
)
def test_powers_of_ten_in_words(text, shown):
    assert lead.as_power(text) == shown


# --- install ---


def test_the_wheel_is_the_package(tmp_path):
    name = install.wheel_name(ROOT)
    with zipfile.ZipFile(HTML / "downloads" / name) as wheel:
        names = {Path(name) for name in wheel.namelist()}
        packed = {name for name in names if name.parts[0] == "afterfit"}
        files = set(map(Path, git_files("src/afterfit")))
        assert packed == {path.relative_to("src") for path in files}
        for path in packed:
            assert wheel.read(path.as_posix()) == (ROOT / "src" / path).read_bytes(), path


def git_files(folder):
    """Return the files of a folder that belong to the package."""
    return [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]


def test_pip_takes_the_wheel_with_its_extra():
    """What the page says is a requirement that pip reads as this file with this extra."""
    line = page("book/welcome.html").select_one(".install pre").get_text().strip()
    assert line == f'pip install "{install.wheel_name(ROOT)}[plot]"'
    requirement = line.split('"')[1]
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--dry-run"]
    done = subprocess.run(
        [*command, "--ignore-installed", "--report", "-", "--quiet", requirement],
        cwd=HTML / "downloads",
        capture_output=True,
        text=True,
        check=True,
    )
    (taken,) = json.loads(done.stdout)["install"]
    assert taken["metadata"]["name"] == "afterfit"
    assert taken["requested_extras"] == ["plot"]


@pytest.mark.parametrize("stem", STEMS)
def test_above_each_short_answer_stands_how_to_install(stem):
    section = page(f"book/chapters/{stem}.html").find("section", id="short-answer")
    box = section.select_one(".install")
    wheel = (HTML / f"book/chapters/{stem}.html").parent / box.a["href"]
    assert wheel.resolve() == (HTML / "downloads" / install.wheel_name(ROOT)).resolve()
    assert box in list(section.find("pre").parents), "the first code is how to install"


def without_the_package(stem):
    names = {}
    exec((ROOT / f"book/without/{stem}.py").read_text(), names)
    return names


def test_the_same_without_the_package():
    rng = np.random.default_rng(0)
    y_true, y_pred = rng.integers(4, size=200), rng.integers(6, size=200)
    ours = agreement.purity(y_true, y_pred)
    assert without_the_package("agreement")["purity"](y_true, y_pred) == pytest.approx(ours)

    X = rng.normal(size=(300, 3)) * [1, 5, 0.1]
    model = GaussianMixture(3, random_state=0).fit(X)
    theirs = without_the_package("mixture")["joint_log_densities"](model, X)
    np.testing.assert_allclose(theirs, mixture.component_log_joints(model, X), rtol=1e-9)

    x = rng.uniform(size=200)
    y = rng.gamma(3, np.exp(1 + x) / 3)
    family = sm.families.Gamma(sm.families.links.Log())
    results = sm.GLM(y, sm.add_constant(x), family=family).fit()
    theirs = without_the_package("gamma_glm")["lower_tail_probability"](results, y)
    np.testing.assert_allclose(theirs, gamma_glm.lower_tail_probability(results, y), rtol=1e-9)


@pytest.mark.parametrize("stem", sorted(path.stem for path in (ROOT / "book/without").glob("*.py")))
def test_without_the_package_is_shown_below_the_short_answer(stem):
    section = page(f"book/chapters/{stem}.html").find("section", id="short-answer")
    code = (ROOT / f"book/without/{stem}.py").read_text().strip()
    assert section.select_one(".without pre").get_text().strip() == code


# --- for search engines ---


@pytest.mark.parametrize("path", sorted(HTML.glob("book/**/*.html")))
def test_every_page_says_what_it_is_about(path):
    head = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser").head
    (description,) = head.find_all("meta", attrs={"name": "description"})
    assert 20 < len(description["content"]) <= 200
    assert not re.match(r"\d+\. ", head.title.get_text())


# --- from chapter to chapter ---


@pytest.mark.parametrize(
    ("one", "other"),
    [("mixture", "boundary"), ("agreement", "categorical")],
)
def test_chapters_that_belong_together_lead_to_each_other(one, other):
    for here, there in ((one, other), (other, one)):
        article = page(f"book/chapters/{here}.html").article  # without the links in order
        assert article.find("a", href=f"{there}.html"), here


# --- "You came with an error message" ---


def rows():
    for stem in STEMS:
        text = (ROOT / f"notebooks/{stem}.md").read_text(encoding="utf-8")
        section = text.split("## What has changed")[1].split("\n## ")[0]
        for row in errors.CHANGE.findall(section):
            yield stem, row


def test_every_row_of_every_chapter_is_among_the_error_messages():
    shown = {}
    for entry in page("book/errors.html").select(".error-message"):
        message, old, new = (code.get_text() for code in entry.find_all("code"))
        shown[old, message, new] = {a["href"] for a in entry.select(".where a")}
    assert set(shown) == {row for _, row in rows()}
    for stem, row in rows():
        link = f"chapters/{stem}.html#what-has-changed"
        assert link in shown[row]
        assert page(f"book/{link.split('#')[0]}").find(id="what-has-changed")


# What today's line gives, in a case where the old one's number is known: by its documentation, or
# from arithmetic. `it` is the value of the line, or of its last part.
SAME_NUMBER = {
    "from scipy.optimize import linear_sum_assignment": (
        "np.column_stack(linear_sum_assignment([[4, 1], [2, 8]]))",
        [[0, 1], [1, 0]],
    ),
    "from sklearn.mixture import GaussianMixture": (
        "GaussianMixture(reg_covar=0, random_state=0).fit([[0], [2]]).score_samples([[1]])",
        [-0.5 * math.log(2 * math.pi)],
    ),
    "from sklearn.model_selection import train_test_split": (
        "sorted(sum(train_test_split([1, 2, 3, 4], random_state=0), []))",
        [1, 2, 3, 4],
    ),
    "from sklearn.metrics.cluster import contingency_matrix": (
        "contingency_matrix([0, 0, 1], [0, 1, 1])",
        [[1, 1], [0, 1]],
    ),
    "from scipy.special import comb": ("comb(5, 2)", 10),
    "[k for k in range(3)]": ("it", [0, 1, 2]),
    "from sklearn.discriminant_analysis import LinearDiscriminantAnalysis": (
        "LinearDiscriminantAnalysis().fit([[0], [2], [4], [6]], [0, 0, 1, 1])"
        ".decision_function([[3]])",
        [0],
    ),
    "from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis": (
        "QuadraticDiscriminantAnalysis().fit([[0], [2], [4], [6]], [0, 0, 1, 1])"
        ".predict_proba([[3]])",
        [[0.5, 0.5]],
    ),
    "from scipy.stats import multivariate_normal": (
        "multivariate_normal([0, 0], [[1, 0], [0, 4]]).pdf([0, 0])",
        1 / (4 * math.pi),
    ),
    "from numpy import flatnonzero": ("flatnonzero(np.array([3, 1, 2]) > 1)", [0, 2]),
    'import pandas as pd; pd.DataFrame({"a": ["x"]}).to_numpy()': ("(it == 'x').sum()", 1),
    "from sklearn.cluster import KMeans; KMeans(2)": (
        "it.set_params(random_state=0).fit([[0], [1], [10], [11]]).inertia_",
        1,
    ),
    'from kneed import KneeLocator; KneeLocator([1, 2, 3], [9, 4, 3], curve="convex", '
    'direction="decreasing")': (
        "KneeLocator(range(1, 7), [20, 10, 4, 3, 2, 1], curve='convex', "
        "direction='decreasing').knee",
        3,  # where the curve is farthest from the straight line between its ends
    ),
    "from afterfit.categorical import matching_silhouette_score; "
    'matching_silhouette_score([["a"], ["b"], ["b"]], [0, 1, 1])': ("it", 2 / 3),
    "import joblib": ("joblib.Parallel()([joblib.delayed(abs)(-2)])", [2]),
    "from sklearn.cross_decomposition import CCA": (
        "np.corrcoef(*CCA(1).fit_transform([[1.0], [2.0], [4.0]], [[2.0], [4.0], [8.0]]), "
        "rowvar=False)[0, 1]",
        1,
    ),
    "from afterfit.cca import fit_cca; fit_cca([[1.], [2.], [4.], [8.]], "
    "[[2.], [3.], [9.], [9.]]).x_scores": (
        "abs(np.corrcoef(it[:, 0], [1, 2, 4, 8])[0, 1])",
        1,
    ),
    "from afterfit.cca import canonical_correlations; "
    "canonical_correlations([[1.], [2.], [4.], [8.]], [[2.], [3.], [9.], [9.]])": (
        "it",
        [np.corrcoef([1, 2, 4, 8], [2, 3, 9, 9])[0, 1]],
    ),
    "from statsmodels.api import families as f; f.Gamma(f.links.Log())": (
        "it.link(np.exp(2.0))",
        2,
    ),
    'from statsmodels.api import GLM; GLM([1, 2], [1, 1]).fit().predict([1], which="linear")': (
        "it",
        [1.5],
    ),
    "float(0.5)": ("it", 0.5),
    "from sklearn.mixture import BayesianGaussianMixture": (
        "BayesianGaussianMixture(random_state=0).fit([[0], [2]]).weights_",
        [1],
    ),
    "from afterfit.mixture import component_log_densities": (
        "component_log_densities("
        "GaussianMixture(reg_covar=0, random_state=0).fit([[0], [2]]), [[1]])",
        [[-0.5 * math.log(2 * math.pi)]],
    ),
    "from sklearn.mixture import GaussianMixture; "
    "GaussianMixture(random_state=0).fit([[0], [1]]).covariances_": ("it", [[[0.25 + 1e-6]]]),
    "from sklearn.mixture import GaussianMixture; GaussianMixture(max_iter=100)": (
        "it.max_iter",
        100,
    ),
    "from scipy.special import logsumexp": ("logsumexp([0, 0])", math.log(2)),
    "from sklearn.mixture import GaussianMixture; "
    "m = GaussianMixture(random_state=0).fit([[0], [1], [3]]); "
    "log_p, resp = m.score_samples([[0], [1], [3]]), m.predict_proba([[0], [1], [3]])": (
        "resp",
        [[1], [1], [1]],
    ),
}


@pytest.mark.parametrize("line", sorted({new for _, (_, _, new) in rows()}))
def test_what_to_use_instead_gives_the_same_number(line):
    expression, expected = SAME_NUMBER[line]
    names = {"np": np, "GaussianMixture": GaussianMixture}
    *before, last = ast.parse(line).body
    exec(compile(ast.Module(before, []), "before", "exec"), names)
    if isinstance(last, ast.Expr):
        names["it"] = eval(compile(ast.Expression(last.value), "last", "eval"), names)
    else:
        exec(compile(ast.Module([last], []), "last", "exec"), names)
    np.testing.assert_allclose(eval(expression, names), expected, rtol=1e-6, atol=1e-9)


# --- surprises ---


def test_every_surprise_is_shown_with_the_script_that_shows_it():
    rows = surprises.read_rows(ROOT)
    shown = page("book/surprises.html").select(".surprise")
    assert len(shown) == len(rows) >= 15
    for row in rows:
        assert {*row} == {"chapter", "package", "expected", "seen", "instead", "script"}
        assert row["chapter"] in {*STEMS, surprises.RUNNING}
        assert re.search(r"\d", row["package"]), "a version"
        script = (ROOT / "findings" / row["script"]).read_text(encoding="utf-8")
        for package, version in re.findall(r"([\w-]+) (\d[\w.]*)", row["package"]):
            assert f"{package.lower()}==" in script.lower(), row["script"]
            assert version in script, row["script"]
    for link in page("book/surprises.html").select(".surprise .package a"):
        given = HTML / "book" / link["href"]
        assert given.read_bytes() == (ROOT / "findings" / given.name).read_bytes()


@pytest.mark.parametrize("path", sorted((ROOT / "findings").glob("*.sh")), ids=lambda p: p.stem)
def test_a_finding_states_its_guess_and_fails_if_the_output_changes(path):
    text = path.read_text(encoding="utf-8")
    head = text.split("set -euo pipefail")[0]
    assert "# Guess:" in head
    assert "# Seen:" in head
    assert "mktemp -d" in text
    compares = r"\bdiff\b|\bcmp\b|\bgrep\b|assert|SystemExit|\[\[? "
    assert re.search(compares, text), "nothing is compared"
    assert "afterfit" not in text, "findings run without the package"


@pytest.mark.parametrize("stem", STEMS)
def test_a_chapter_leads_to_its_surprises(stem):
    section = page(f"book/chapters/{stem}.html").find("section", id="when-it-misleads")
    rows = surprises.groups(ROOT).get(stem, [])
    links = section.find_all("a", href=f"../surprises.html#{stem.replace('_', '-')}")
    assert [link.get_text() for link in links] == [f"{len(rows)} surprises"] * bool(rows)


# --- benchmarks ---


def test_every_measured_case_is_shown():
    text = " ".join(page("book/speed.html").article.get_text().split())
    for path in (ROOT / "benchmarks/results").glob("*.json"):
        report = json.loads(path.read_text())
        for fact in (report["measured"], report["machine"], report["python"]):
            assert fact in text
        for case in report["cases"]:
            for number in case.get("numbers", {}).values():
                assert numbers.number_text(number) in text
        for case in benchmarks.with_numbers(report["cases"]):
            assert " ".join(benchmarks.sentence(case["case"]).split()) in text
            for ratio in case.get("peer_over_ours", {}).values():
                assert numbers.ratio_text(ratio) in text


def test_growth_is_drawn_where_cases_differ_in_n_alone():
    def case(n, seconds):
        return {"case": f"purity of {n:,} labels", "n": n, "seconds": {"afterfit": seconds}}

    cases = [case(10_000, 2.0), case(100, 0.5), case(100, 0.5) | {"case": "something else"}]
    families = benchmark_figures.families(cases)
    assert {name: [c["n"] for c in group] for name, group in families.items()} == {
        "purity of n labels": [100, 10_000]
    }
    svg, _, alt = benchmark_figures.growth(cases, "x")
    assert svg.startswith(b"<?xml")
    assert "from n = 100 to 10,000 the time of x grows 4-fold" in alt
    assert benchmark_figures.growth([case(100, 1.0)], "x") is None
    assert svg == benchmark_figures.growth(cases, "x")[0], "another figure at every build"


def test_numbers_of_all_that_were_compared_join_their_table():
    compared = {"case": "fit", "seconds": {"afterfit": 1.0, "peer": 2.0}}
    cost = {"case": "fit: cost", "numbers": {"afterfit": 5.0, "peer": 7.0}}
    other = {"case": "something else", "numbers": {"seconds": 3.0}}
    joined = benchmarks.with_numbers([other, compared, cost, cost | {"case": "x"}, other])
    noted = {"cost": cost["numbers"], "x": cost["numbers"]}
    assert joined == [other, compared | {"noted": noted}, other]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(2.5, "2.5 s"), (1500.0, "1,500 s"), (0.0123, "12.3 ms"), (4e-6, "4 µs"), (5e-9, "5 ns")],
)
def test_times_are_told_in_their_unit(seconds, text):
    assert numbers.time_text(seconds) == text


def test_recorded_simulation_is_counted():
    tables = pd.DataFrame(
        [
            # kind, seen, right, rule, knee, silhouette, stability, classes, structure, sure, date
            ["a", True, "3", 3, 3, 2, 1, 3, "clusters", "high", "2026-01-01"],
            ["a", False, "8 12 more", None, 3, 8, 1, None, "more clusters", "none", "2026-01-02"],
            ["b", True, "2", None, 3, None, 2, 2, "undecided", "none", "2026-01-02"],
            ["b", True, "2", 1, 3, None, 3, 1, "continuum", "high", "2026-01-02"],
            ["c", True, "1", 1, None, 2, 1, 2, "continuum", "high", "2026-01-02"],
            ["c", False, "1", 3, 4, 2, 1, 3, "clusters", "low", "2026-01-02"],
        ],
        columns=[
            *("kind", "seen", "right"),
            *simulation.RULES,
            *("structure", "confidence", "measured"),
        ],
    )
    tables["world"] = ["a", "a, later", "b", "b", "c", "c, later"]
    words = simulation.chosen_in_words(tables)
    assert words.startswith("There are 5 designs of tables. While the rule was made")
    assert "on 3 of them (on other tables), and 2 were written afterwards" in words
    assert "Of 4 tables that have clusters the rule is right in 2 (50.0% ± 25.0%)" in words
    assert "names no number in 1, and a wrong one or 1 in 1. Where any criterion is right" in words
    assert "in 3, it is in 2 (66.7%" in words
    assert "Of 2 tables without clusters it invents some in 1 (50.0%" in words
    assert "On the 2 tables of designs that were written after the rule it is right in 1" in words
    assert "where its confidence is high in 2 of 3" in words
    assert words.endswith("Measured on 2026-01-01 to 2026-01-02.")
    means = tables.assign(**dict.fromkeys(simulation.OTHERS, 3))
    assert ["gap", "25.0% ± 21.7%", "100%, all 2"] in simulation.means_rows(means)
    assert simulation.right_rows(tables) == [
        ["a", "2", "100%", "50%", "50%", "0%", "100%"],
        ["b", "2", "0%", "0%", "0%", "50%", "50%"],
        ["all", "4", "50%", "25%", "25%", "25%", "75%"],
    ]
    assert simulation.lost_rows(tables) == [
        ["c", "2", "50%", "50%", "100%", "0%", "100%"],
        ["all", "2", "50%", "50%", "100%", "0%", "100%"],
    ]


def test_chapter_shows_the_recorded_simulation_and_it_reaches_its_goal():
    path = ROOT / "benchmarks/results/categorical_simulation.csv"
    tables = pd.read_csv(path, dtype={"right": str})
    found, none = simulation.hits(tables), simulation.without_clusters(tables)
    assert found.loc[found["any"] & ~none, "rule"].mean() >= 0.85
    assert tables.loc[none, "rule"].gt(1).mean() <= 0.05
    text = " ".join(page("book/chapters/categorical.html").article.get_text().split())
    assert simulation.chosen_in_words(tables) in text


# --- take it along ---


@pytest.mark.parametrize("stem", STEMS)
@pytest.mark.parametrize("suffix", ["ipynb", "md"])
def test_a_chapter_is_to_be_had_as_it_is(stem, suffix):
    assert page(f"book/chapters/{stem}.html").find("a", href=f"../../notebooks/{stem}.{suffix}")
    given, source = (folder / f"notebooks/{stem}.{suffix}" for folder in (HTML, ROOT))
    if suffix == "md":
        assert given.read_text() == source.read_text()
    else:
        assert nbformat.read(given, as_version=4) == nbformat.read(source, as_version=4)


@pytest.mark.parametrize("stem", STEMS)
def test_a_chapter_says_how_to_cite_it(stem):
    entry = page(f"book/chapters/{stem}.html").find(class_="highlight-bibtex").get_text()
    assert f"@incollection{{afterfit-{stem}," in entry
    assert f"Version {yaml.safe_load((ROOT / 'CITATION.cff').read_text())['version']}" in entry


def test_the_zip_holds_the_book(tmp_path):
    """The recipe of `make zip`, on the built book; Python for a server is not in it."""
    recipe = (ROOT / "Makefile").read_text("utf-8").split("\nzip: ")[1].split("\n\n")[0]
    lines = [line.strip("\t@") for line in recipe.splitlines()[1:] if "LIVE" not in line]
    script = "\n".join(lines).replace("../$(BIN)/python", sys.executable)
    (tmp_path / "_build").mkdir()
    (tmp_path / "_build/html").symlink_to(HTML)
    (tmp_path / "book").symlink_to(ROOT / "book")
    script = script.replace("cp -R _build/html ", "cp -R _build/html/ ")
    subprocess.run(["sh", "-ec", script], cwd=tmp_path, check=True)
    with zipfile.ZipFile(tmp_path / "_build/after-the-fit.zip") as book:
        names = {name.removeprefix("after-the-fit/") for name in book.namelist()}
        engine = book.read("after-the-fit/_static/live/engine.js").decode()
    files = {path.relative_to(HTML).as_posix() for path in HTML.rglob("*") if path.is_file()}
    assert {name for name in files if not name.startswith("_static/live/")} <= names
    assert "window.afterfitEngine = null" in engine


def test_the_single_page_has_every_page_once_and_no_loose_link():
    pages = print_book.reading_order()
    assert {f"book/chapters/{stem}.html" for stem in STEMS} < set(pages)
    book, headings = print_book.single_page(pages)
    ids = [tag["id"] for tag in book.find_all(id=True)]
    assert len(ids) == len(set(ids))
    assert set(headings) < set(ids)
    for link in book.find_all("a", href=True):
        if link["href"].startswith("#"):
            assert link["href"][1:] in ids, link
        else:
            assert link["href"].startswith("https://"), link
    for picture in book.find_all("img"):
        assert (HTML / picture["src"]).exists()
    print_book.write_page_numbers(book, dict.fromkeys(headings, 7))
    assert {mark.get_text() for mark in book.select(".book-contents .number")} == {"7"}


# --- settings ---


def test_no_link_to_a_repository_while_none_is_named():
    assert site.repository(ROOT) == "", "set: let this test follow"
    for name in (f"book/chapters/{STEMS[0]}.html", "book/welcome.html"):
        for word in ("mybinder.org", "colab.research", "/edit/"):
            assert word not in (HTML / name).read_text()
    assert not (HTML / "sitemap.xml").exists()
    assert 'property="og:' not in (HTML / "book/welcome.html").read_text()


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A small book with both settings: the repository's address and the site's."""
    house = tmp_path_factory.mktemp("published") / "house"
    ignore = shutil.ignore_patterns(".*", "_build", "__pycache__", "tests", "api", "sweep")
    shutil.copytree(ROOT, house, ignore=ignore)
    toc = {
        "format": "jb-book",
        "root": "book/bibliography",
        "chapters": [{"file": "book/chapters/agreement.ipynb"}, {"file": "book/glossary"}],
    }
    (house / "_toc.yml").write_text(yaml.safe_dump(toc))
    (house / "book/bibliography.md").write_text("# Bibliography\n\n```{bibliography}\n:all:\n```\n")
    settings = yaml.safe_load((house / "_config.yml").read_text())
    settings["html"]["baseurl"] = "https://example.org/book/"
    (house / "_config.yml").write_text(yaml.safe_dump(settings))
    project = (house / "pyproject.toml").read_text()
    named = project.replace('# Repository = ""', 'Repository = "https://github.com/us/fit.git"')
    assert named != project
    (house / "pyproject.toml").write_text(named)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    done = subprocess.run(
        [str(Path(sys.executable).with_name("jupyter-book")), "build", str(house), "--quiet"],
        capture_output=True,
        text=True,
        env=environment | {"GIT_CEILING_DIRECTORIES": str(house.parent)},
        check=False,
    )
    assert (house / "_build/html/book/chapters/agreement.html").exists(), done.stderr
    return house / "_build/html"


def test_with_both_settings_everything_leads_to_them(published):
    text = (published / "book/chapters/agreement.html").read_text()
    for address in (
        "https://mybinder.org/v2/gh/us/fit/main?labpath=notebooks%2Fagreement.ipynb",
        "https://colab.research.google.com/github/us/fit/blob/notebooks/agreement.ipynb",
        "https://github.com/us/fit/edit/main/notebooks/agreement.md",
        'property="og:url" content="https://example.org/book/book/chapters/agreement.html"',
        'property="og:image" content="https://example.org/book/_static/cards/chapters-agreement.png"',
    ):
        assert address in text
    assert "/edit/main/book/glossary.md" in (published / "book/glossary.html").read_text()
    assert (published / "_static/cards/chapters-agreement.png").read_bytes()[:4] == b"\x89PNG"
    sitemap = (published / "sitemap.xml").read_text()
    assert sitemap.count("<loc>https://example.org/book/book/") == 3
    assert '<base href="/book/">' in (published / "404.html").read_text()


def test_colab_is_told_how_to_install(published):
    given = nbformat.read(published / "notebooks/agreement.ipynb", as_version=4)
    nbformat.validate(given)
    source = nbformat.read(ROOT / "notebooks/agreement.ipynb", as_version=4)
    assert (
        '%pip install -q "afterfit[chapters] @ git+https://github.com/us/fit"'
        in given.cells[0].source
    )
    assert given.cells[1:] == source.cells


@pytest.mark.parametrize("stem", STEMS)
def test_the_executed_notebook_for_download_needs_no_book(stem):
    """Checked on what the book was made of, and that the site offers it."""
    executed = nbformat.read(ROOT / f"book/chapters/{stem}.ipynb", as_version=4)
    given = nbformat.read(HTML / f"notebooks/{stem}-executed.ipynb", as_version=4)
    nbformat.validate(given)
    text = "\n".join(cell.source for cell in given.cells if cell.cell_type == "markdown")
    assert not re.search(r"\{[a-z:-]+\}`", text), "a role"
    assert not re.search(r"^[`:]{3,}\{", text, flags=re.MULTILINE), "a directive"
    assert "(not computed)" not in text
    assert "**Works cited**" in text
    assert "https://doi.org/" in text
    images = [images_of(notebook) for notebook in (executed, given)]
    assert images[0] == images[1]
    assert len(images[0]) >= text.count("**Fig. ") > 2
    assert not [cell for cell in given.cells if "papermill" in cell.metadata]
    page = (HTML / f"book/chapters/{stem}.html").read_text(encoding="utf-8")
    assert page.count(f"../../notebooks/{stem}-executed.ipynb") >= 2


def images_of(notebook):
    return [
        data
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        for mime, data in output.get("data", {}).items()
        if mime.startswith("image/")
    ]


def test_outside_git_the_version_is_that_of_the_release(published):
    released = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    day = site.day_text(datetime.date.fromisoformat(str(released["date-released"])))
    footer = (published / "book/glossary.html").read_text()
    assert f"Version {released['version']} ({day}). Text CC BY 4.0" in footer


def test_in_git_commit_and_day_are_named(tmp_path):
    for name in ("pyproject.toml", "CITATION.cff"):
        shutil.copy(ROOT / name, tmp_path)
    commit = ["-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm", "one"]
    for arguments in (["init", "-q"], ["add", "."], [*commit, "--date=2026-01-02T03:04:05Z"]):
        subprocess.run(
            ["git", *arguments],
            cwd=tmp_path,
            check=True,
            env=os.environ | {"GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z"},
        )
    words, day = site.built_from(tmp_path)
    assert re.fullmatch(r"Version [\d.]+, commit [0-9a-f]{7,}", words)
    assert day == datetime.date(2026, 1, 2)
    (tmp_path / "new").touch()
    assert site.built_from(tmp_path)[0].endswith(" and local changes")


def test_a_doi_is_asked_of_its_registry():
    asked = site.ask_the_registry(None, "https://doi.org/10.1007/BF01908075")
    assert asked == "https://doi.org/api/handles/10.1007/BF01908075"
    assert site.ask_the_registry(None, "https://example.org/") is None


def test_names_in_citations_have_their_accents():
    labels = [label.get_text() for label in page("book/bibliography.html").select(".label")]
    assert len(labels) > 30
    assert any("Björck and Golub, 1973" in label for label in labels)
    assert not [label for label in labels if re.search(r"[\\{}\"'`^~]", label)]


def test_not_found_leads_back():
    links = {link["href"] for link in page("404.html").find_all("a")}
    assert {f"book/chapters/{stem}.html" for stem in STEMS} < links


# --- the last touch ---


@pytest.mark.parametrize(
    ("css", "slim"),
    [
        (".a{x:1}.b{y:2}", ".a{x:1}"),
        (".a,.b .a,p>.b{x:1}", ".a{x:1}"),
        (".a:not(.b),.b:not(.a){x:1}", ".a:not(.b){x:1}"),
        ("@media print{.b{x:1}}@media print{.a{x:1}.b{x:1}}", "@media print{.a{x:1}}"),
        ('.a:before{content:"}.b{"}.b{x:1}', '.a:before{content:"}.b{"}'),
        ("@import url(a.css);.a{x:url(data:a;b)}", "@import url(a.css);.a{x:url(data:a;b)}"),
        ("@font-face{font-family:b}p{x:1}/* .b{ */", "@font-face{font-family:b}p{x:1}"),
        (r".a\:b{x:1}", r".a\:b{x:1}"),
    ],
)
def test_styles_keep_what_may_match(css, slim):
    assert styles.slim(css, {"a"}.__contains__) == slim


def test_styles_keep_the_variables_that_are_asked_for():
    sheets = [':root{--a:1;--b:var(--a);--c:2;--d:3;--e:";"}', "p{x:var(--b)}", "p{--f:4}"]
    kept = [':root{--a:1;--b:var(--a);--d:3;--e:";"}', "p{x:var(--b)}", "p{}"]
    assert styles.without_idle_variables(sheets, {"--d"}) == kept
    chain = [":root{--a:1;--b:var(--a)}"]  # nobody asks for --b, and so nobody for --a
    assert styles.without_idle_variables(chain, set()) == [":root{}"]


def test_references_of_docstrings_are_numbered():
    page = (HTML / "book/api/cca.html").read_text(encoding="utf-8")
    assert re.search(r'<a class="reference internal" href="#r\w+-1"[^>]*><span>\[1\]</span>', page)
    assert not re.search(r">\[R[0-9a-f]+-\d+\]<", page)


def test_code_keeps_its_text_and_colours():
    code = '<span class="n">f</span><span class="p">(</span><span class="s2">&quot;</span>'
    code += '<span class="s2">a</span><span class="s2">&quot;</span><span class="mi">1</span>'
    assert finish.finished("a.html", code) == (
        'f(<span class="s2">&quot;a&quot;</span><span class="mi">1</span>'
    )
    css = (HTML / "_static/pygments.css").read_text()
    for theme in ("light", "dark"):
        start = rf'html\[data-theme="{theme}"\] \.highlight'
        colours = dict(re.findall(start + r"( \.\w+)?\{[^}]*?(?<!-)color: (#\w+)", css))
        own = {colours.get(f" .{name}", colours[""]) for name in ("n", "nn", "p", "w")}
        assert own == {colours[""]}, "it has a colour: leave its spans"


@pytest.mark.parametrize(
    ("path", "short"),
    [
        ("M 1.234567 2 \nL 3 2 \nL 3 2.004 \nL 3 4 \nz", "m1.23 2h1.77v2z"),
        ("M 0 0 L 0.5 0.25 L 1.5 -0.25 L 1.5 -0.25", "m0 0 .5.25 1-.5"),
        ("M 0 0 L 1 0 L 3 0 L 2 0 L 2 -1 L 2 -3", "m0 0h3-1v-3"),
        ("M 10 10 L 11 12 M 1 1 Q 2 2 3 1 Q 4 0 5 1", "m10 10 1 2m-10-11q1 1 2 0 1-1 2 0"),
    ],
)
def test_a_path_in_fewer_letters(path, short):
    assert slim_svg.relative(path, 2) == short


@given(
    st.lists(
        st.tuples(
            st.sampled_from("MLLLQCz"),
            st.lists(st.integers(-1, 1) | st.floats(-500, 500), min_size=6, max_size=6),
        ),
        max_size=30,
    ),
    st.sampled_from([0, 1, 2]),
)
def test_a_path_stays_where_it_was(commands, digits):
    sizes = {"M": 2, "L": 2, "Q": 4, "C": 6, "z": 0}
    commands = [("M", [0.0] * 6), *commands]
    path = " ".join(
        " ".join([letter, *(f"{number:.6f}" for number in numbers[: sizes[letter]])])
        for letter, numbers in commands
    )
    was, now = points(path), points(slim_svg.relative(path, digits))
    was, now = ([tuple(round(x * 10**digits) for x in one) for one in it] for it in (was, now))
    assert corners(was) == corners(now)


def corners(points):
    """Return the points without those that a straight line along an axis passes."""
    kept = []
    for point in points:
        while len(kept) > 1 and any(
            kept[-2][i] == kept[-1][i] == point[i]
            and sorted([kept[-2], kept[-1], point])[1] == kept[-1]
            for i in (0, 1)
        ):
            kept.pop()
        if kept[-1:] != [point]:
            kept.append(point)
    return kept


def points(path):
    """Return every point that a path names, as SVG's grammar reads it."""
    tokens = re.findall(r"[A-Za-z]|-?(?:\d+\.?\d*|\.\d+)", path)
    sizes = {"m": 2, "l": 2, "h": 1, "v": 1, "q": 4, "c": 6}
    here = start = (0.0, 0.0)
    letter, found = "", []
    while tokens:
        if tokens[0].isalpha():
            letter = tokens.pop(0)
        if letter in "zZ":
            here = start
            continue
        numbers = [float(tokens.pop(0)) for _ in range(sizes[letter.lower()])]
        if letter in "hv":
            numbers = [numbers[0], 0.0] if letter == "h" else [0.0, numbers[0]]
        base = here if letter.islower() else (0.0, 0.0)
        steps = zip(numbers[::2], numbers[1::2], strict=True)
        found += [(base[0] + x, base[1] + y) for x, y in steps]
        here = found[-1]
        if letter in "mM":
            start, letter = here, "l" if letter == "m" else "L"
    return found


def test_a_figure_looks_the_same_in_fewer_bytes(browser, tmp_path):
    with plt.style.context("afterfit.book"):
        figure, axes = plt.subplots()
        rng = np.random.default_rng(0)
        axes.scatter(*rng.normal(size=(2, 200)), c=rng.uniform(size=200))
        axes.plot(np.linspace(-3, 3, 500), np.sin(np.linspace(-9, 9, 500)), "--", label="a curve")
        axes.bar([-1, 0, 1], [1, 2, 3], hatch="//", alpha=0.4, label=r"$\hat\mu_k$, é")
        axes.imshow(rng.uniform(size=(5, 5)), extent=(-3, 3, -3, 0), alpha=0.3)
        axes.legend()
        drawn = benchmark_figures.as_svg(figure).decode()
    short = slim_svg.slim_figure(drawn)
    assert len(short) < 0.6 * len(drawn)
    assert slim_svg.slim_figure(short) == short
    pictures = []
    for text in (drawn, short):
        (tmp_path / "a.svg").write_text(text)
        page = browser.new_page(device_scale_factor=2)
        page.goto((tmp_path / "a.svg").as_uri())
        page.screenshot(path=tmp_path / "a.png")
        pictures.append(plt.imread(tmp_path / "a.png")[..., :3].mean(axis=2))
        page.close()
    differing = np.abs(pictures[0] - pictures[1]) > 0.2  # of black to white
    assert pictures[0].std() > 0.05, "nothing was drawn"
    assert differing.mean() < 1e-3


# --- figures for the dark ---


def test_each_figure_is_there_for_the_light_and_for_the_dark():
    for path in HTML.glob("book/**/*.html"):
        both = page(path.relative_to(HTML)).select("article img")
        light = [image for image in both if "in-the-light" in image["class"]]
        dark = [image for image in both if "in-the-dark" in image["class"]]
        assert [image["alt"] for image in light] == [image["alt"] for image in dark]
        assert len(light) + len(dark) == len(both)
        for one, other in zip(light, dark, strict=True):
            assert one["src"].removesuffix(".svg") == other["src"].removesuffix("-dark.svg")
            text = (path.parent / other["src"]).read_text(encoding="utf-8")
            assert _dark.PAPER in text
            assert "#ffffff" not in text


def test_a_finished_page_is_finished():
    for name in ("book/chapters/agreement.html", "book/welcome.html", "book/glossary.html"):
        html = (HTML / name).read_text(encoding="utf-8")
        assert finish.finished(Path(name).name, html) == html


def test_recorded_numbers_are_set_as_in_a_journal():
    html = '<span class="pasted-text">{}</span>'
    for recorded, shown in (
        ("-1.5", "−1.5"),
        ("6.9e-05", "6.9\xa0×\xa010<sup>−5</sup>"),
        ("pre-e-2", "pre-e-2"),
    ):
        assert finish.finished("a.html", html.format(recorded)) == html.format(shown)


@pytest.mark.parametrize(
    ("prompt", "code", "shown"),
    [
        ("Show the code", "a = 1\nb = 2\n", "Show the code, 2 lines"),
        ("The simulation, 9 lines", "a = 1", "The simulation, 1 line"),
    ],
)
def test_a_bar_counts_its_lines(prompt, code, shown):
    assert prompts.counted(prompt, code) == shown


@pytest.mark.parametrize("stem", STEMS)
def test_every_bar_says_how_many_lines_it_folds(stem):
    bars = page(f"book/chapters/{stem}.html").select("details.hide > summary .collapsed")
    assert len(bars) > 3
    for bar in bars:
        assert re.search(r", \d+ lines?$", bar.get_text().strip()), bar


# --- terms ---


def test_terms_know_what_they_mean():
    meanings = definitions.read_definitions(HTML / "book/glossary.html")
    assert meanings["term-purity"].startswith("The share of rows that have the most common class")
    used = page("book/chapters/agreement.html").select("a[data-definition]")
    assert len(used) >= 5
    for link in used:
        anchor = link["href"].split("#")[1]
        assert link["data-definition"] == definitions.readable(meanings[anchor])
        assert "\\(" not in link["data-definition"]


# --- API pages ---


@pytest.mark.parametrize("module", [*STEMS, "datasets", "runs"])
def test_an_api_page_has_a_line_for_each_name_functions_first(module):
    content = page(f"book/api/{module}.html")
    shown = [row.find("code").get_text() for row in content.select("table.api tbody tr")]
    public = importlib.import_module(f"afterfit.{module}").__all__
    assert sorted(shown) == sorted(public)
    entries = [dt["id"] for dt in content.select("dl.py > dt[id]") if dt["id"].count(".") == 2]
    assert entries == [f"afterfit.{module}.{name}" for name in shown], "another order below"
    functions = [not name[0].isupper() for name in shown]
    assert functions == sorted(functions, reverse=True)
    if module in STEMS:
        links = content.select("table.api td:nth-child(3) a")
        assert links
        assert all(link["href"].startswith(f"../chapters/{module}.html#") for link in links)
