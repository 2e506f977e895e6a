"""Every chapter as a reader runs it: other parameters, their own file, a mistake."""

import ast
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pandas as pd
import papermill
import pytest
from bs4 import BeautifulSoup
from papermill.parameterize import parameterize_notebook
from scipy import stats

from afterfit import agreement, datasets, runs
from afterfit.runs import _kernels

pytestmark = pytest.mark.usefixtures("warm")

ROOT = Path(__file__).parents[1]
TEXTS = sorted((ROOT / "notebooks").glob("*.md"))
STEMS = [path.stem for path in TEXTS]

SECTIONS = [
    "In one minute",
    "Short answer",
    "What goes wrong",
    "Why",
    "Against known truth",
    "On real data",
    "When it misleads",
    "What has changed",
    "Run it on your own data",
    "Summary",
    "References",
]


def execute(stem, out, **parameters):
    """Run a chapter and return what it recorded; its kernel comes from a warm process."""
    with tempfile.TemporaryDirectory() as scratch:
        papermill.execute_notebook(
            ROOT / f"notebooks/{stem}.ipynb",
            out,
            parameters=parameters,
            progress_bar=False,
            coalesce_streams=True,  # what a cell prints is one output, as in the book
            kernel_manager_class=_kernels.manager(scratch),
        )
    return runs.read_records(out)


# --- as it stands in the repository ---


def test_text_and_notebook_are_in_sync():
    check = [sys.executable, str(ROOT / "notebooks/sync.py"), "--check", *map(str, TEXTS)]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("stem", STEMS)
def test_notebook_has_no_outputs(stem):
    notebook = nbformat.read(ROOT / f"notebooks/{stem}.ipynb", as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert not cell.outputs
            assert cell.execution_count is None
        assert "papermill" not in cell.metadata


@pytest.mark.parametrize("stem", STEMS)
def test_order_of_a_chapter(stem):
    text = (ROOT / f"notebooks/{stem}.md").read_text()
    sections = re.findall(r"^## (.*)", text, flags=re.MULTILINE)
    if "Details" in sections:  # what serves few readers
        assert sections.pop(-2) == "Details"
    assert sections == SECTIONS
    assert re.search(r"^# .*\n\n\*\*.*?\?\*\*", text, re.MULTILINE), "the question comes next"
    tags = [cell.metadata.get("tags", []) for cell in cells_of(stem)]
    first = next(i for i, cell in enumerate(cells_of(stem)) if "## Short answer" in cell.source)
    parameters = next(i for i, names in enumerate(tags) if "parameters" in names)
    assert first < parameters, "the short answer stands before the parameters"
    assert "setup" in tags[parameters + 1], "the checks follow the parameters"
    assert any("data" in names for names in tags), "no cell is the answer for the reader's data"


def cells_of(stem):
    return nbformat.read(ROOT / f"notebooks/{stem}.ipynb", as_version=4).cells


def is_tagged(cell, *names):
    return bool({*names} & {*cell.metadata.get("tags", [])})


def declared_parameters(stem):
    cell = next(cell for cell in cells_of(stem) if is_tagged(cell, "parameters"))
    statements = ast.parse(cell.source).body
    return [node.target.id for node in statements if isinstance(node, ast.AnnAssign)]


@pytest.mark.parametrize("stem", STEMS)
def test_every_parameter_explains_itself(stem):
    shown = papermill.inspect_notebook(ROOT / f"notebooks/{stem}.ipynb")
    shared = ["seed", "n", "data", "separator", "decimal", "missing", "part", "rows"]
    assert [name for name in shown if name in shared] == shared
    assert list(shown) == declared_parameters(stem), "papermill sees one parameter a line"
    for parameter in shown.values():
        assert parameter["inferred_type_name"] != "None", parameter
        assert parameter["help"], parameter


@pytest.mark.parametrize("stem", STEMS)
def test_code_cells_stay_short(stem):
    notebook = nbformat.read(ROOT / f"notebooks/{stem}.ipynb", as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.source.count("\n") < 40, cell.source
            bar = cell.metadata.get("mystnb", {}).get("code_prompt_show", "")
            said = re.search(r", (\d+) lines?$", bar)
            n_lines = sum(bool(line.strip()) for line in cell.source.splitlines())
            assert said is None or int(said[1]) == n_lines, bar
    cells = iter(notebook.cells)
    assert any("## Short answer" in cell.source for cell in cells)
    short = next(cell.source for cell in cells if cell.cell_type == "code")
    assert sum(bool(line.strip()) for line in short.splitlines()) <= 10
    without = ROOT / f"book/without/{stem}.py"
    copied = [short, without.read_text()] if without.exists() else [short]
    assert max(len(line) for code in copied for line in code.splitlines()) <= 72


@pytest.mark.parametrize("stem", STEMS)
def test_short_answer_runs_when_copied_alone(stem, tmp_path):
    notebook = nbformat.read(ROOT / f"notebooks/{stem}.ipynb", as_version=4)
    cells = iter(notebook.cells)
    assert any("## Short answer" in cell.source for cell in cells)
    short = next(cell.source for cell in cells if cell.cell_type == "code")
    script = tmp_path / "short.py"
    script.write_text("import matplotlib\nmatplotlib.use('Agg')\n" + short)
    done = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("stem", STEMS)
def test_every_figure_has_caption_name_and_alternative_text(stem):
    executed = nbformat.read(ROOT / f"book/chapters/{stem}.ipynb", as_version=4)
    figures = 0
    for cell in executed.cells:
        images = [
            mime
            for output in cell.get("outputs", [])
            for mime in output.get("data", {})
            if mime.startswith("image/")
        ]
        removed = {"remove-cell", "remove-output"} & set(cell.metadata.get("tags", []))
        if images and not removed:
            figures += 1
            settings = cell.metadata["mystnb"]
            assert settings["figure"]["caption"].strip()
            assert settings["figure"]["name"].startswith("fig-")
            assert len(settings["image"]["alt"].strip()) > 20
    assert figures >= 2


@pytest.mark.parametrize("stem", STEMS)
def test_no_warning_is_visible(stem):
    executed = nbformat.read(ROOT / f"book/chapters/{stem}.ipynb", as_version=4)
    for cell in executed.cells:
        for output in cell.get("outputs", []):
            assert output.get("name") != "stderr", output["text"]
            assert output["output_type"] != "error"


@pytest.mark.parametrize("stem", STEMS)
def test_after_each_table_stands_how_to_read_it(stem):
    cells = nbformat.read(ROOT / f"book/chapters/{stem}.ipynb", as_version=4).cells
    shown = [any("<table" in str(o.get("data")) for o in c.get("outputs", [])) for c in cells]
    assert any(shown)
    for place, has_table in enumerate(shown):
        if has_table:
            after = next(cell for cell in cells[place:] if cell.cell_type == "markdown")
            assert after.source.startswith("*Read it so:*"), cells[place].source


def changes():
    row = re.compile(r"^\| `(.+?)` \| `(.+?)` \| `(.+?)` \|$", flags=re.MULTILINE)
    for text in TEXTS:
        section = text.read_text().split("## What has changed")[1].split("\n## ")[0]
        lines = [line for line in section.splitlines() if line.startswith("|")]
        assert lines[0] == "| Old answers use | Today that says | Use instead |"
        rows = row.findall(section)
        assert len(rows) == len(lines) - 2, "a row is not of the form that is tested"
        for old, message, new in rows:
            yield pytest.param(old, message, new, id=f"{text.stem}: {old[:50]}")


@pytest.mark.filterwarnings("ignore")  # some old names warn before they fail
@pytest.mark.parametrize(("old", "message", "new"), list(changes()))
def test_what_has_changed(old, message, new):
    state = np.random.get_state()  # noqa: NPY002  (old code may draw from the global state)
    with pytest.raises(Exception, match=re.escape(message)):
        exec(old, {})
    exec(new, {})
    np.random.set_state(state)  # noqa: NPY002


# --- as a reader runs it ---

SMALL = {
    "agreement": {"seed": 3, "n": 120, "n_resamples": 19, "n_clusters": 2},
    "boundary": {"seed": 3, "n": 20, "n_repetitions": 4, "n_components": 1},
    "categorical": {"seed": 3, "n": 100, "n_tables": 2, "k_max": 4, "n_references": 5},
    "cca": {"seed": 3, "n": 60, "n_resamples": 19},
    "gamma_glm": {"seed": 3, "n": 60, "n_resamples": 19, "feature_columns": ["wind"]},
    "mixture": {"seed": 3, "n": 120, "n_draws": 5000, "n_flagged": 2, "covariance_type": "diag"},
}


def test_a_wrong_parameter_stops_the_run_at_the_second_cell(tmp_path):
    out = tmp_path / "out.ipynb"
    with pytest.raises(
        papermill.PapermillExecutionError, match="`sead` is not a parameter"
    ) as stop:
        execute("agreement", out, sead=1)
    assert stop.value.ename == "ParameterError"
    executed = [
        cell
        for cell in nbformat.read(out, as_version=4).cells
        if cell.cell_type == "code" and cell.execution_count
    ]
    assert is_tagged(executed[-3], "parameters")
    assert is_tagged(executed[-2], "injected-parameters")
    sentence = "".join(executed[-1].outputs[-1]["traceback"])
    assert sentence.startswith("ParameterError: `sead` is not a parameter of this chapter.")
    assert "File" not in sentence


@pytest.fixture
def two_labels(tmp_path):
    rng = np.random.default_rng(0)
    classes = rng.choice(["007", "042", "é <b>"], size=90)
    clusters = np.where(rng.uniform(size=90) < 0.8, classes, "other")
    table = pd.DataFrame({"truth": classes, "found": clusters, "unused": np.arange(90)})
    table.loc[:3, "truth"] = None
    table.to_csv(tmp_path / "my labels.csv", index=False)
    return tmp_path / "my labels.csv", table.dropna()


@pytest.mark.parametrize(("folder", "part"), [("root", "all"), ("elsewhere", "data")])
def test_papermill_from_any_folder(two_labels, tmp_path, folder, part):
    path, table = two_labels
    if folder == "root":
        where, notebook, data = ROOT, "notebooks/agreement.ipynb", path
    else:
        where, notebook, data = tmp_path, ROOT / "notebooks/agreement.ipynb", path.name
    command = [sys.executable, "-m", "papermill", notebook, tmp_path / "out.ipynb"]
    command += ["-p", "data", data, "-p", "true_column", "truth", "-p", "pred_column", "found"]
    command += ["-p", "n", "100", "-p", "part", part]
    subprocess.run(list(map(str, command)), cwd=where, check=True, capture_output=True)
    records = runs.read_records(tmp_path / "out.ipynb")
    expected = agreement.agreement_table(table["truth"], table["found"])["value"]
    for measure, value in expected.items():
        name = measure.lower().replace(" ", "_").replace("-", "_")
        assert records[name] == pytest.approx(value), measure
    assert (records["n_rows"], records["n_dropped"]) == (86, 4)
    assert (records["n_classes"], records["n_found"]) == (3, 4)


def test_purity_of_as_many_clusters_as_a_register_has_persons(tmp_path):
    # The full table of 17,284 persons and their clusters would have 300 million cells.
    rng = np.random.default_rng(0)
    person = np.concatenate([np.arange(17_284), rng.integers(17_284, size=22_716)])
    found = np.where(rng.uniform(size=40_000) < 0.9, person, 17_284 + np.arange(40_000))
    pd.DataFrame({"person": person, "found": found}).to_parquet(tmp_path / "register.parquet")
    own = {"data": str(tmp_path / "register.parquet"), "part": "data", "n_resamples": 19}
    columns = {"true_column": "person", "pred_column": "found"}
    records = execute("agreement", tmp_path / "out.ipynb", **own, **columns)
    assert (records["n_rows"], records["n_classes"]) == (40_000, 17_284)
    assert records["purity"] == 1
    expected = agreement.adjusted_mutual_information(person, found)
    assert records["adjusted_mutual_information"] == pytest.approx(expected)


def test_purity_with_weights_and_noise(tmp_path):
    table = pd.DataFrame(
        {"truth": list("aabbc"), "found": [0.0, 0, 1, -1, None], "weight": [3, 2, 4, 1, 5]}
    )
    table.to_csv(tmp_path / "my.csv", index=False)
    own = {"data": str(tmp_path / "my.csv"), "part": "data", "rows": str(tmp_path / "rows.csv")}
    columns = {"true_column": "truth", "pred_column": "found", "weight_column": "weight"}
    out = tmp_path / "out.ipynb"
    records = execute("agreement", out, **own, **columns, noise_label="-1", n_resamples=19)
    assert (records["purity"], records["share_not_noise"]) == (1, pytest.approx(0.9))
    assert (records["n_rows"], records["n_dropped"], records["n_found"]) == (4, 1, 2)
    assert "9 rows in 2 classes and 2 clusters" in records["data_said"]
    assert "noise: 10.0% of the rows" in records["data_said"]
    rows = pd.read_csv(tmp_path / "rows.csv", dtype=str)
    assert rows["matched"].tolist() == ["a", "a", "b", "-1"]


def test_clusters_of_categories_are_compared_with_classes_by_weight(tmp_path):
    """The purity that is shown is that of the counts, counted here from the rows it wrote."""
    rng = np.random.default_rng(0)
    group = rng.integers(2, size=80)
    table = pd.DataFrame({"truth": np.array(["a", "b"])[group]})
    for name in ("x", "y", "z"):
        table[name] = np.where(rng.random(80) < 0.8, group, rng.integers(3, size=80)).astype(str)
    table["count"] = rng.integers(0, 30, size=80)
    table.to_csv(tmp_path / "my.csv", index=False)
    own = {"data": str(tmp_path / "my.csv"), "part": "data", "rows": str(tmp_path / "rows.csv")}
    columns = {"category_columns": ["x", "y", "z"], "truth_column": "truth"}
    weighted = own | columns | SMALL["categorical"] | {"weight_column": "count"}
    said = execute("categorical", tmp_path / "out.ipynb", **weighted)
    assert said["n_rows"] == table["count"].sum()
    clusters = pd.read_csv(tmp_path / "rows.csv")["cluster"]
    counts = table.groupby([clusters, "truth"])["count"].sum()
    by_weight = counts.groupby(level=0).max().sum() / counts.sum()
    assert said["compared"].startswith(f"{by_weight:.1%} of the rows")
    assert "purity" in said["compared"]
    by_rows = table.groupby([clusters, "truth"]).size().groupby(level=0).max().sum() / 80
    assert f"{by_rows:.1%}" != f"{by_weight:.1%}", "else the test sees no difference"


def test_priors_of_classes_nine_and_ten_are_theirs(tmp_path):
    """In the order of numbers; the posteriors written are those of Bayes' rule, by SciPy."""
    rng = np.random.default_rng(0)
    of_class = {10: rng.normal(0, 1, (40, 2)), 9: rng.normal(1, 1, (60, 2))}
    table = pd.concat(
        [pd.DataFrame(points, columns=["a", "b"]).assign(k=k) for k, points in of_class.items()]
    )
    table.to_csv(tmp_path / "my.csv", index=False)
    own = {"data": str(tmp_path / "my.csv"), "part": "data", "rows": str(tmp_path / "rows.csv")}
    own |= {"class_column": "k", "feature_columns": ["a", "b"], "priors": [0.9, 0.1]}
    said = execute("boundary", tmp_path / "out.ipynb", **(SMALL["boundary"] | own))
    assert "9: 0.900, 10: 0.100" in said["data_said"]
    X = table[["a", "b"]].to_numpy()
    joints = {
        k: prior * stats.multivariate_normal(x.mean(axis=0), np.cov(x.T)).pdf(X)
        for (k, prior), x in zip(
            {9: 0.9, 10: 0.1}.items(), (of_class[9], of_class[10]), strict=True
        )
    }
    written = pd.read_csv(tmp_path / "rows.csv")
    np.testing.assert_allclose(written["posterior 9"], joints[9] / (joints[9] + joints[10]))
    decided = np.where(joints[9] > joints[10], 9, 10)
    np.testing.assert_array_equal(written["decision"], decided)


@pytest.mark.parametrize("stem", STEMS)
def test_papermill_explains_every_parameter(stem):
    notebook = ROOT / f"notebooks/{stem}.ipynb"
    command = [sys.executable, "-m", "papermill", "--help-notebook", str(notebook)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for name, parameter in papermill.inspect_notebook(notebook).items():
        assert re.search(rf"\b{name}: ", shown), name
        assert parameter["help"][:20] in shown


# --- a reader's file, right and wrong in five ways ---

# What each chapter is told of the columns of the file below. `numeric` is the column that holds
# text where numbers belong; categories may be anything, so there it is the column of counts.
READERS = {
    "agreement": {"true_column": "group", "feature_columns": ["height", "weight"]},
    "boundary": {"class_column": "group", "feature_columns": ["height", "weight"]},
    "categorical": {
        "category_columns": ["color", "size", "shape"],
        "truth_column": "group",
        "weight_column": "height",
    },
    "cca": {"x_columns": ["height", "weight"], "y_columns": ["speed", "reach"]},
    "gamma_glm": {
        "response_column": "height",
        "feature_columns": ["weight", "group"],
        "formula": "np.log(weight) * C(group)",
    },
    "mixture": {"feature_columns": ["height", "weight"], "label_columns": ["group"]},
}
WRONG = {
    "missing column": (lambda table: table.drop(columns="height"), "'height'"),
    "text for numbers": (
        lambda table: table.assign(height=["tall", *table["height"].iloc[1:]]),
        "height",
    ),
    "empty": (lambda table: table.head(0), "no rows"),
    "one row": (lambda table: table.head(1), r"\b1\b"),
    "all missing": (lambda table: table.assign(height=None, color=None), r"height|\b0\b"),
}


@pytest.fixture(scope="module")
def readers_table():
    rng = np.random.default_rng(0)
    group = rng.integers(3, size=120)
    table = pd.DataFrame({"group": np.array(["<s>a</s>", "$\\b$", "007"])[group]})
    for name in ("height", "weight", "speed", "reach"):
        table[name] = np.round(rng.gamma(20, 1 + group) + 1).astype(int)
    for name in ("color", "size", "shape"):
        table[name] = rng.choice(["x", "$\\y$", "<b>z</b>"], size=len(table))
    return table


def strange(name):
    """Return a column's name as nobody should write it: markup, and a formula that is none."""
    return f"{name} <img src=x onerror=alert(1)> $\\bad$"


def with_strange_names(parameters, names):
    """Return the parameters with the names, alone, in a list or in a formula, made strange."""
    renamed = {
        key: [strange(item) if item in names else item for item in value]
        if isinstance(value, list)
        else strange(value)
        if value in names
        else value
        for key, value in parameters.items()
    }
    if "formula" in renamed:
        quoted = {name: f"Q({strange(name)!r})" for name in names}
        renamed["formula"] = re.sub(r"\w+", lambda m: quoted.get(m[0], m[0]), renamed["formula"])
    return renamed


def test_what_the_page_on_running_reads_back_is_recorded():
    page = (ROOT / "book/running.md").read_text()
    (name,) = re.findall(r'read_records\("out.ipynb"\)\["(\w+)"\]', page)
    assert name in runs.read_records(ROOT / "book/chapters/agreement.ipynb")


@pytest.mark.parametrize("stem", STEMS)
def test_a_readers_own_file_and_other_parameters(stem, readers_table, tmp_path):
    readers_table.rename(columns=strange).to_csv(tmp_path / "my.csv", index=False)
    columns = with_strange_names(READERS[stem], set(readers_table))
    parameters = SMALL[stem] | columns | {"data": str(tmp_path / "my.csv")}
    records = execute(stem, tmp_path / "out.ipynb", **parameters)
    defaults = runs.read_records(ROOT / f"book/chapters/{stem}.ipynb")
    assert records.keys() == defaults.keys()
    assert_their_answer_is_first(tmp_path / "out.ipynb", "my.csv")
    assert not roles_in(tmp_path / "out.ipynb"), "a role is left"
    for shown in pages_in(tmp_path / "out.ipynb"):
        alive = BeautifulSoup(shown, "html.parser").find_all(["img", "script", "b", "s"])
        assert not alive, "names and cells are data, no markup"


def assert_their_answer_is_first(path, name):
    """The title names the file; the first that is shown is a result, and figures come early."""
    cells = nbformat.read(path, as_version=4).cells
    assert cells[0].source.startswith(f"# {name}: ")
    first = [is_tagged(cell, "parameters", "injected-parameters", "setup") for cell in cells[1:]]
    n_before = first.index(False)
    answer = cells[1 + n_before :]
    assert is_tagged(answer[0], "data"), "the cells before it are parameters and set-up"
    shown = [cell for cell in answer if is_tagged(cell, "data")]
    images = [i for i, cell in enumerate(shown) if has_image(cell)]
    assert images, "a figure of their data"
    assert len([c for c in shown[: images[0]] if c.cell_type == "markdown"]) <= 1
    example = next(i for i, cell in enumerate(answer) if "## The book's example" in cell.source)
    assert not any(is_tagged(cell, "data") for cell in answer[example:])


def roles_in(path):
    cells = nbformat.read(path, as_version=4).cells
    texts = [cell.source for cell in cells if cell.cell_type == "markdown"]
    return re.findall(r"\{[a-z:]+\}`.*?`", "\n".join(texts))


def has_image(cell):
    data = [mime for output in cell.get("outputs", []) for mime in output.get("data", {})]
    return any(mime.startswith("image/") for mime in data)


@pytest.mark.parametrize("stem", STEMS)
def test_their_answer_alone(stem, readers_table, tmp_path):
    path, rows = tmp_path / "my.csv", tmp_path / "rows.csv"
    readers_table.to_csv(path, index=False)
    own = {"data": str(path), "part": "data", "rows": str(rows)}
    execute(stem, tmp_path / "out.ipynb", **(SMALL[stem] | READERS[stem] | own))
    cells = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells
    assert not any("The book's example" in cell.source for cell in cells)
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert "(not computed)" not in text
    assert not roles_in(tmp_path / "out.ipynb"), "a role is left"
    for bundled in datasets.names():
        assert bundled not in text.lower(), "a text about their data speaks of the book's"
    written = pd.read_csv(rows)
    assert written.columns[0] == "row"
    assert set(written["row"]) <= set(readers_table.index)


@pytest.mark.parametrize("stem", STEMS)
def test_many_rows_make_no_large_notebook(stem, readers_table, tmp_path):
    """A sample of what a million rows do: figures of 30,000 rows are as small as those of few."""
    rng = np.random.default_rng(1)
    table = readers_table.iloc[rng.integers(len(readers_table), size=30_000)]
    for name in ("height", "weight", "speed", "reach"):
        table[name] = table[name] * rng.lognormal(0, 0.05, size=len(table))
    if stem == "categorical":
        table["height"] = 1
    table.to_parquet(tmp_path / "my.parquet", index=False)
    own = {"data": str(tmp_path / "my.parquet"), "part": "data"}
    records = execute(stem, tmp_path / "out.ipynb", **(SMALL[stem] | READERS[stem] | own))
    assert records["n_rows"] == len(table)
    assert (tmp_path / "out.ipynb").stat().st_size < 1e6


def test_a_sweep_shows_how_many_components_a_table_asks_for(tmp_path):
    """Two clouds: both criteria name two; with one component both follow from a formula."""
    from distributed import Client

    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(0, 1, (150, 2)), rng.normal(6, 1, (150, 2))])
    pd.DataFrame(points, columns=["a", "b"]).to_csv(tmp_path / "my.csv", index=False)
    grid = {"data": str(tmp_path / "my.csv"), "label_columns": [[]], "n_components": [1, 2, 3]}
    own = {"part": "data", "n_draws": 1000}
    local = {"processes": False, "n_workers": 1, "threads_per_worker": 1}
    with Client(**local, dashboard_address="127.0.0.1:0") as client:
        table = runs.sweep(
            ROOT / "notebooks/mixture.ipynb", grid | own, tmp_path / "runs", scheduler=client
        )
    assert table["status"].tolist() == ["ok"] * 3
    assert {"bic", "held_out_log_density"} < set(table.columns[: len(grid | own) + 14])
    assert table["n_components"][table["bic"].idxmin()] == 2
    assert table["n_components"][table["held_out_log_density"].idxmax()] == 2
    # The likelihood of one Gaussian at its maximum: -n/2 (d log 2 pi + log |S| + d).
    n, d = points.shape
    S = np.cov(points.T, ddof=0) / np.outer(points.std(0, ddof=1), points.std(0, ddof=1))
    log_likelihood = -n / 2 * (d * np.log(2 * np.pi) + np.linalg.slogdet(S)[1] + d)
    n_parameters = d + d * (d + 1) / 2
    expected = n_parameters * np.log(n) - 2 * log_likelihood
    assert table["bic"][0] == pytest.approx(expected, abs=0.01)  # reg_covar adds 1e-6
    assert table["held_out_log_density"][0] < log_likelihood / n


@pytest.mark.browser
@pytest.mark.parametrize("stem", STEMS)
def test_the_first_screen_of_a_report_holds_the_answer(stem, readers_table, tmp_path, browser):
    readers_table.to_csv(tmp_path / "my.csv", index=False)
    own = {"data": str(tmp_path / "my.csv"), "part": "data"}
    parameters = SMALL[stem] | READERS[stem] | own
    page = runs.report(ROOT / f"notebooks/{stem}.ipynb", parameters, tmp_path / "report.html")
    shown = browser.new_page(viewport={"width": 1280, "height": 800})
    shown.goto(page.as_uri())
    assert shown.locator("h1").inner_text().startswith("my.csv: ")
    figure = shown.locator("main img").first.bounding_box()
    assert figure["y"] + figure["height"] / 2 < 800, "the figure of the result is below the fold"
    text = shown.locator("main").inner_text()
    assert not re.search(r"\{[a-z:]+\}`", text)
    shown.close()


@pytest.mark.parametrize("stem", STEMS)
def test_executed_twice_and_in_another_order_a_chapter_is_the_same(stem, tmp_path):
    """Every number, table and figure, with what was printed; and the cells for a reader alone.

    The bundled table comes from a file: a chapter that is arranged for a reader, with the numbers
    of the book. Its cells `parameters`, `setup` and `data`, which are those of the form on the
    page, run before all others: what they find depends on no other cell.
    """
    shown = papermill.inspect_notebook(ROOT / f"notebooks/{stem}.ipynb")
    name = ast.literal_eval(shown["data"]["default"])
    path = tmp_path / f"{name}.parquet"
    datasets.load_table(name).to_parquet(path)
    execute(stem, tmp_path / "again.ipynb", data=str(path))
    first = outputs(ROOT / f"book/chapters/{stem}.ipynb")
    second = outputs(tmp_path / "again.ipynb")
    assert list(first) != list(second), "another order"
    assert {id for id in first if first[id] != second[id].replace(str(path), name)} == set()
    assert sum("image/svg+xml" in output for output in first.values()) > 1
    assert "papermill.record" in "".join(
        first[cell.id] for cell in cells_of(stem) if is_tagged(cell, "data") and cell.id in first
    )


def outputs(path):
    """Return the outputs of each code cell, as text: a NaN is equal to a NaN."""
    cells = nbformat.read(path, as_version=4).cells
    return {
        cell.id: json.dumps([{**output, "execution_count": None} for output in cell.outputs])
        for cell in cells
        if cell.cell_type == "code"
    }


def pages_in(path):
    """Return the HTML that an executed notebook shows, its own and what the prose refers to."""
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", []):
            assert "text/markdown" not in output.get("data", {})
            for mime, text in output.get("data", {}).items():
                if mime.endswith("text/html"):
                    yield text


def run_natively(stem, parameters, *tags):
    """Run a chapter's parameters and its cells of these tags; return what they leave."""
    notebook = papermill.iorw.load_notebook_node(str(ROOT / f"notebooks/{stem}.ipynb"))
    wanted = ("parameters", "injected-parameters", *tags)
    cells = parameterize_notebook(notebook, parameters).cells
    sources = [c.source for c in cells if c.cell_type == "code" and is_tagged(c, *wanted)]
    namespace = {"In": sources}
    with plt.rc_context(), pd.option_context("display.max_colwidth", None):
        try:
            for source in sources:
                exec(source, namespace)
        finally:
            plt.close("all")
    return namespace


def checked_and_loaded(stem, parameters):
    return run_natively(stem, parameters, "setup")


def refusal_before_the_first_result(stem, parameters):
    """Return the error of a chapter that checks and loads, or None."""
    try:
        checked_and_loaded(stem, parameters)
    except Exception as error:
        return type(error).__name__, str(error)
    return None


@pytest.mark.parametrize("stem", STEMS)
def test_how_a_file_is_written_can_be_said(stem, readers_table, tmp_path):
    """A code that is no outlier, a separator that nobody guesses, a comma that could group."""
    path = tmp_path / "my.csv"
    table = readers_table.assign(height=readers_table["height"] + 0.125)
    table.loc[[3, 5], ["height", "color"]] = np.nan, "unknown"
    text = table.to_csv(index=False, sep=":", decimal=",", na_rep="7", float_format="%.3f")
    path.write_text(text)
    said = {"separator": ":", "decimal": ",", "missing": [7, "unknown"]}
    parameters = SMALL[stem] | READERS[stem] | {"data": str(path)}
    if stem == "categorical":
        parameters |= {"weight_column": "weight"}
    assert refusal_before_the_first_result(stem, parameters), "it must be said"
    loaded = checked_and_loaded(stem, parameters | said)["table"]
    expected = table.assign(color=table["color"].replace("unknown", np.nan))[list(loaded)]
    pd.testing.assert_frame_equal(loaded, expected, check_dtype=False)
    with pytest.raises(runs.ParameterError, match="`missing` must be list, got '7'"):
        checked_and_loaded(stem, parameters | {"missing": "7"})
    with pytest.raises(ValueError, match="`decimal` must be one of"):
        checked_and_loaded(stem, parameters | {"decimal": ";"})


@pytest.mark.parametrize("stem", STEMS)
@pytest.mark.parametrize(
    ("parameter", "ename", "message"),
    [
        ({"sead": 1}, "ParameterError", "`sead` is not a parameter of this chapter."),
        ({"seed": "one"}, "ParameterError", "`seed` must be int, got 'one'."),
        ({"n": 0}, "ParameterError", "`n` must be between "),
        ({"data": "none.csv"}, "FileNotFoundError", "'none.csv' is no such file"),
    ],
)
def test_a_wrong_parameter_is_named(stem, parameter, ename, message):
    refused, said = refusal_before_the_first_result(stem, parameter)
    assert refused == ename
    assert message in said


@pytest.mark.parametrize("stem", STEMS)
def test_a_readers_file_that_is_wrong_is_refused_in_a_sentence(stem, readers_table, tmp_path):
    path = tmp_path / "my.csv"
    parameters = SMALL[stem] | READERS[stem] | {"data": str(path)}
    readers_table.to_csv(path, index=False)
    assert refusal_before_the_first_result(stem, parameters) is None, "the file as it should be"
    wrong = {}
    for way, (change, message) in WRONG.items():
        change(readers_table).to_csv(path, index=False)
        ename, said = refusal_before_the_first_result(stem, parameters) or (
            "nothing",
            "not refused",
        )
        is_sentence = said.endswith(".") and "\n" not in said
        is_ours = ename in ("ValueError", "TypeError", "ParameterError")
        if not (is_sentence and is_ours and re.search(message, said)):
            wrong[way] = f"{ename}: {said}"
    assert wrong == {}


@pytest.mark.parametrize("stem", STEMS)
def test_the_smallest_table_that_is_taken_is_answered(stem, readers_table, tmp_path):
    """One row less is refused in a sentence; whatever passes the checks runs to the end."""
    path = tmp_path / "my.parquet"
    parameters = SMALL[stem] | READERS[stem] | {"data": str(path), "part": "data"}
    refusal = None
    for n_rows in range(2, len(readers_table)):
        readers_table.head(n_rows).to_parquet(path)
        before, refusal = refusal, refusal_before_the_first_result(stem, parameters)
        if refusal is None:
            break
    assert refusal is None, "no table is taken"
    if before is not None:
        assert before[0] in ("ValueError", "ParameterError")
        assert before[1].endswith(".")
    run_natively(stem, parameters, "setup", "data")


@pytest.mark.parametrize("n_classes", [1, 2])
@pytest.mark.parametrize("stem", STEMS)
def test_tables_of_one_and_of_two_classes(stem, n_classes, readers_table, tmp_path):
    """They are answered, or refused by the name of the parameter that needs more classes."""
    path = tmp_path / "my.parquet"
    groups = readers_table["group"].unique()[:n_classes]
    readers_table[readers_table["group"].isin(groups)].to_parquet(path)
    parameters = SMALL[stem] | READERS[stem] | {"data": str(path), "part": "data"}
    if (stem, n_classes) == ("boundary", 1):
        with pytest.raises(runs.ParameterError, match="`class_column` 'group' must hold at least"):
            run_natively(stem, parameters, "setup", "data")
    else:
        run_natively(stem, parameters, "setup", "data")
