"""The form "Try it on your own table" in headless Chromium, with a stand-in for the engine.

What runs Python in the page is tested beside this; here it answers what a test has put into it, so
that the page's own code is tested without it.
"""

import ast
import csv
import io
import json
import re
import shlex
from pathlib import Path

import papermill
import pytest
import yaml
from bs4 import BeautifulSoup
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from papermill import cli as papermill_cli

from afterfit.runs import _arrange, _cli, _declared, _grid, _run

ROOT = Path(__file__).parents[2]
SITE = ROOT / "_build/html"
STEMS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.md"))

# For each chapter a table of the reader's own: its columns, those that are chosen, other values.
OWN = {
    "agreement": (
        ["class", "found, by me", "2019"],
        {"true_column": "class", "pred_column": "found, by me", "weight_column": "2019"},
        {"n_resamples": ("99", 99), "noise_label": ("-1", "-1")},
    ),
    "boundary": (
        ["kind", "it's long", "yes"],
        {"class_column": "kind", "feature_columns": ["yes", "it's long"]},
        {"priors": ("0.25\n1e-7", [0.25, 1e-7]), "feature_labels": ("a [m]\nb", ["a [m]", "b"])},
    ),
    "categorical": (
        ["color", "size: big?", "#"],
        {"category_columns": ["color", "size: big?"], "truth_column": ""},
        {"k_max": ("5", 5), "noise": ("0.25", 0.25)},
    ),
    "cca": (
        ["a", "b", "null", "ünï", "$x$"],
        {"x_columns": ["a", "null"], "y_columns": ["ünï", "$x$"], "covariate_columns": ["b"]},
        {
            "statistic": ("roy", "roy"),
            "decimal": (",", ","),
            "missing": ("-999\nn/a, or so", [-999, "n/a, or so"]),
        },
    ),
    "gamma_glm": (
        ["cost", "age", "region"],
        {"response_column": "cost", "feature_columns": ["age", "region"]},
        {"formula": ("np.log(age) * C(region)",) * 2, "positive_only": ("False", False)},
    ),
    "mixture": (
        ["name", "height", "true"],
        {"feature_columns": ["height", "true"], "label_columns": []},
        {"covariance_type": ("diag", "diag"), "n_components": ("2", 2)},
    ),
}


pytestmark = pytest.mark.browser


def give_file(page, columns, name="my table.csv"):
    """Choose a table of the reader's own, two rows of it."""
    text = io.StringIO()
    csv.writer(text).writerows([columns, ["1"] * len(columns), ["2"] * len(columns)])
    file = {"name": name, "mimeType": "text/csv", "buffer": text.getvalue().encode()}
    page.form.locator(".live-file").set_input_files(file)


def field(page, name):
    return page.form.locator(f".live-field[data-name={name}]")


def choose(page, columns, values):
    """Fill in the form as a reader does; return what was chosen."""
    page.form.locator("details").evaluate_all("all => all.forEach(one => (one.open = true))")
    for name, chosen in columns.items():
        if isinstance(chosen, str):
            field(page, name).locator("select").select_option(chosen)
            continue
        for column in chosen:
            field(page, name).get_by_label(column, exact=True).check()
    for name, (text, _) in values.items():
        control = field(page, name).locator(".live-value")
        if control.evaluate("one => one.tagName") == "SELECT":
            control.select_option(text)
        else:
            control.fill(text)
    return columns | {name: value for name, (_, value) in values.items()}


def run(page):
    page.form.locator(".live-run").click()
    page.form.locator(".live-status", has_text=re.compile("Running|Done|error")).wait_for()
    return page.evaluate("standin.calls.find(([what]) => what === 'run')[1]")


# --- the form ---


@pytest.mark.parametrize("stem", STEMS)
def test_it_has_a_field_for_each_parameter_with_its_help(open_form, stem):
    page = open_form(stem)
    shown = papermill.inspect_notebook(str(ROOT / f"notebooks/{stem}.ipynb"))
    fields = {
        one.get_attribute("data-name"): one
        for one in page.form.locator(".live-field[data-name]").all()
    }
    assert set(fields) == set(shown) - {"data", "part", "rows"}
    for name, one in fields.items():
        type_name = shown[name]["inferred_type_name"]
        assert one.get_attribute("data-type") == type_name
        default = json.loads(one.get_attribute("data-default"))
        assert default == ast.literal_eval(shown[name]["default"])
        label = page.form.get_by_label(name, exact=True).first
        described = label.get_attribute("aria-describedby")
        assert page.locator(f"#{described}").text_content().startswith(shown[name]["help"])


@pytest.mark.parametrize("stem", STEMS)
def test_what_is_asked_above_is_about_the_table(open_form, stem):
    """`n` is about the book's simulations in all chapters: only a command has a use for it."""
    page = open_form(stem)
    above = page.form.locator("fieldset .live-field[data-name]").evaluate_all(
        "all => all.map(one => one.dataset.name)"
    )
    below = page.form.locator(".live-command .live-field[data-name]").evaluate_all(
        "all => all.map(one => one.dataset.name)"
    )
    assert "n" in below
    assert "n" not in above
    assert {name for name in above + below if name.endswith(("_column", "_columns"))} <= set(above)


@pytest.mark.parametrize("stem", STEMS)
def test_its_cells_are_the_chapter_s(open_form, stem):
    cells = cells_of(stem)
    executed = json.loads((ROOT / f"book/chapters/{stem}.ipynb").read_text("utf-8"))
    tagged = [
        cell
        for cell in executed["cells"]
        if {"parameters", "setup", "data"} & {*cell["metadata"].get("tags", [])}
    ]
    assert [cell["metadata"]["tags"] for cell in tagged] == [cell["tags"] for cell in cells]
    code = ["".join(cell["source"]) for cell in tagged if cell["cell_type"] == "code"]
    assert [cell["source"] for cell in cells if "source" in cell] == code


def cells_of(stem):
    html = (SITE / f"book/chapters/{stem}.html").read_text("utf-8")
    return json.loads(BeautifulSoup(html, "html.parser").select_one("script.live-cells").string)


@pytest.mark.parametrize("stem", STEMS)
def test_its_cells_come_first_in_a_run_on_a_readers_data(stem):
    """So they need no other cell: tests/test_chapters.py compares their numbers with the book's."""
    notebook = json.loads((ROOT / f"notebooks/{stem}.ipynb").read_text("utf-8"))
    run = _arrange.arranged(notebook, {"data": "my.csv"})
    code = ["".join(cell["source"]) for cell in run if cell["cell_type"] == "code"]
    of_the_form = [cell["source"] for cell in cells_of(stem) if "source" in cell]
    assert of_the_form
    assert code[: len(of_the_form)] == of_the_form


# --- the command ---


@pytest.mark.parametrize("stem", STEMS)
def test_the_commands_pass_what_was_chosen(open_form, stem, monkeypatch):
    page = open_form(stem, engine=False)
    columns, chosen, values = OWN[stem]
    give_file(page, columns)
    page.form.get_by_text("columns to choose from").wait_for()
    expected = choose(page, chosen, values) | {
        "data": "my table.csv", "part": "data", "rows": "rows.csv",
    }  # fmt: skip
    known = _declared.declared(_declared.read(ROOT / f"notebooks/{stem}.ipynb"))
    expected = {name: value for name, value in expected.items() if value != known[name].default}
    passed = of_papermill(page.form.locator(".live-papermill").inner_text(), monkeypatch)
    # What the chapter's own table has and this one has not is emptied.
    emptied = {name for name in passed if passed[name] in ("", [])}
    assert {
        name: passed[name] for name in passed if name not in emptied - set(expected)
    } == expected
    if "missing" in passed:  # which `afterfit run` reads as text
        passed["missing"] = [str(item) for item in passed["missing"]]
    assert of_afterfit(page.form.locator(".live-afterfit").inner_text(), monkeypatch) == passed
    assert page.complaints == []


def of_papermill(command, monkeypatch):
    """Return the parameters that papermill's own command line makes of a command."""
    name, notebook, *arguments = shlex.split(command.replace("\\\n", " "))
    assert name == "papermill"
    assert (ROOT / notebook).exists()
    seen = {}
    monkeypatch.setattr(
        papermill_cli, "execute_notebook", lambda **options: seen.update(options["parameters"])
    )
    done = CliRunner().invoke(papermill_cli.papermill, [notebook, *arguments])
    assert done.exit_code == 0, done.output
    return seen


def of_afterfit(command, monkeypatch):
    name, *arguments = shlex.split(command.replace("\\\n", " "))
    assert name == "afterfit"
    seen = {}

    def run_to(notebook, parameters, output):
        seen.update(parameters)
        return output

    monkeypatch.setattr(_run, "run_to", run_to)
    monkeypatch.chdir(ROOT)
    assert _cli.main(arguments) == 0
    return seen


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)
NUMBERS = st.integers(-(2**31), 2**32) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.fixed_dictionaries(
    {
        "text": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r")),
        "texts": st.lists(TEXTS, max_size=4),
        "number": NUMBERS,
        "numbers": st.lists(NUMBERS, max_size=3),
        "is_true": st.booleans(),
    }
)


@settings(max_examples=40)
@given(values=VALUES)
def test_any_value_survives_the_shell_yaml_and_python(plain_page, values):
    """Against Python's own readers: shlex, PyYAML, ast, and the values of `afterfit run`."""
    command, code, ours = plain_page.evaluate(
        "v => [Live.papermill('x', v), Live.parametersCell(v).source, Live.afterfit('x', v)]",
        values,
    )
    words = shlex.split(command.replace("\\\n", " "))
    assert words[:3] == ["papermill", "notebooks/x.ipynb", "out.ipynb"]
    found, rest = {}, words[3:]
    while rest:
        if rest[0] == "-y":
            found |= yaml.safe_load(rest[1])
            rest = rest[2:]
        else:
            text = rest[2]
            found[rest[1]] = text if rest[0] == "-r" else ast.literal_eval(text)
            rest = rest[3:]
    assert found == values
    lines = ast.parse(code).body
    assert {line.targets[0].id: ast.literal_eval(line.value) for line in lines} == values
    if ours is None:
        assert any('"' in text or text != text.strip() for text in values["texts"])
        return
    types = {"text": "str", "texts": "list[str]", "number": "float", "numbers": "list[float]"}
    known = {n: _declared.Parameter(n, t, None) for n, t in {**types, "is_true": "bool"}.items()}
    items = shlex.split(ours.replace("\\\n", " "))
    given_items = [_grid.assignment(item) for item in items[items.index("-p") + 1 :]]
    assert {name: _grid.parse(text, known[name]) for name, text in given_items} == values


def test_the_command_is_copied(open_form):
    page = open_form(engine=False, permissions=["clipboard-read", "clipboard-write"])
    for name in ("papermill", "afterfit"):
        page.form.get_by_label(f"Copy the {name} command").click()
        command = page.form.locator(f".live-{name}").inner_text()
        assert page.evaluate("navigator.clipboard.readText()") == command


@pytest.mark.parametrize("stem", STEMS)
def test_without_javascript_the_command_stands(browser, site, stem):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    for path in (f"book/chapters/{stem}.html", "book/live.html"):
        page.goto(f"{site}/{path}")
        assert (
            page.locator(f"pre:visible:has-text('papermill notebooks/{stem}.ipynb')").count() >= 1
        )
        assert page.locator(".live:visible").count() == 0
    context.close()


def test_an_old_browser_is_told_and_has_the_command(open_form):
    page = open_form(answers={"isOld": True})
    assert "This browser cannot" in page.form.locator(".live-about").inner_text()
    assert page.form.locator(".live-run").is_hidden()
    assert page.form.locator(".live-papermill").is_visible()


# --- a run ---


@pytest.mark.parametrize("stem", STEMS)
def test_the_chapter_s_cells_run_on_the_chosen_table(open_form, stem):
    columns, chosen, values = OWN[stem]
    outputs = [{"data": {"text/html": "<table><tr><td>cell</td></tr></table>"}}]
    page = open_form(stem, {"outputs": outputs, "records": {}, "rows": "row,found\n0,1\n"})
    give_file(page, columns)
    page.form.get_by_text("columns to choose from").wait_for()
    expected = choose(page, chosen, values)
    cells = run(page)
    page.form.get_by_text("Done in").wait_for()
    own = [cell for cell in cells_of(stem) if "source" in cell]
    assert [cell["source"] for cell in cells if "injected-parameters" not in cell["tags"]] == [
        cell["source"] for cell in own
    ]
    place = [number for number, cell in enumerate(cells) if "parameters" in cell["tags"]]
    injected = cells[place[0] + 1]
    assert injected["tags"] == ["injected-parameters"]
    assert injected["source"].startswith("# Parameters\n")
    passed = {
        line.targets[0].id: ast.literal_eval(line.value)
        for line in ast.parse(injected["source"]).body
    }
    assert passed["data"] == "/data/my table.csv"
    assert (passed["part"], passed["rows"]) == ("data", "rows.csv")
    known = _declared.declared(_declared.read(ROOT / f"notebooks/{stem}.ipynb"))
    for name, value in expected.items():
        assert passed.get(name, known[name].default) == value
    assert page.form.locator(".live-result table").inner_text() == "cell"
    assert page.form.locator(".live-result h3").inner_text().startswith("my table.csv: ")
    with page.expect_download() as download:
        page.form.get_by_text("Save the rows").click()
    assert download.value.suggested_filename == f"{stem}-rows.csv"
    assert Path(download.value.path()).read_text("utf-8") == "row,found\n0,1\n"
    said = page.form.locator(".live-versions").inner_text()
    assert "python 3.15.0, numpy 2.5.2" in said
    assert "The book was built with Python" in said
    assert page.complaints == []


def test_nothing_is_loaded_before_the_click_and_nothing_foreign_ever(open_form, site):
    page = open_form()
    page.wait_for_load_state("networkidle")
    assert [url for url in page.requests if not url.startswith((site, "data:"))] == []
    live = {url.split("/live/")[1].split("?")[0] for url in page.requests if "/live/" in url}
    assert live == {
        f"{n}.js" for n in ("engine", "command", "table", "dark", "result", "fields", "form")
    } | {"live.css"}
    assert page.evaluate("standin.calls") == []
    assert "26.1 MB" in page.form.locator(".live-run").inner_text()
    run(page)
    assert [url for url in page.requests if not url.startswith((site, "data:", "blob:"))] == []
    page.form.get_by_text("Done in").wait_for()
    assert page.form.locator(".live-run").inner_text() == "Run in this page"


def test_the_sentence_of_an_error_is_shown(open_form):
    sentence = "ParameterError: `true_column` names the column 'clas', which is not there."
    page = open_form(answers={"error": sentence})
    run(page)
    assert page.form.get_by_role("alert").inner_text() == sentence
    assert page.form.locator(".live-prose:visible").count() == 0


def test_a_file_that_cannot_be_read_says_why(open_form):
    page = open_form(answers={"table": {"error": "`data` must be a table, got two rows."}})
    give_file(page, ["a"], "odd.txt")  # one column: its first line says nothing for certain
    page.form.locator(".live-read").click()
    page.form.get_by_text("`data` must be a table, got two rows.").wait_for()


def test_columns_of_the_engine_come_with_their_kinds(open_form):
    page = open_form("gamma_glm")
    give_file(page, ["height"], "odd.txt")
    assert "26.1 MB" in page.form.locator(".live-read").inner_text()
    page.form.locator(".live-read").click()
    options = field(page, "response_column").locator("option")
    options.first.wait_for(state="attached")
    assert options.all_inner_texts() == ["(choose a column)", "height (number)", "kind (text)"]
    calls = page.evaluate("standin.calls.map(([what]) => what)")
    assert calls == ["load", "putFile", "columns"]


def test_stop_ends_a_run_and_the_next_starts_anew(open_form):
    page = open_form(answers={"hangs": True})
    run(page)
    page.form.locator(".live-stop").click()
    assert page.form.locator(".live-status").inner_text() == "Stopped."
    assert page.form.locator(".live-stop").is_hidden()
    page.evaluate("standin.hangs = false")
    page.form.locator(".live-run").click()
    page.form.get_by_text("Done in").wait_for()
    calls = page.evaluate("standin.calls.map(([what]) => what)")
    assert calls == ["load", "run", "stop", "load", "run"]


def test_a_run_of_another_form_ends_the_first(open_form):
    page = open_form("cca", {"hangs": True}, path="book/live.html#live-{}")
    run(page)
    page.get_by_label("The question").select_option("mixture")
    page.evaluate("standin.hangs = false")
    page.locator("#live-mixture .live-run").click()
    page.locator("#live-mixture").get_by_text("Done in").wait_for()
    assert page.form.locator(".live-status").text_content() == "Stopped."
    calls = page.evaluate("standin.calls.map(([what]) => what)")
    assert calls == ["load", "run", "stop", "load", "run"]


def test_values_are_written_into_the_text(open_form):
    records = {
        "n_permutations": {"text/plain": "99", "application/json": "99"},
        "data_said": {"text/plain": "<b>7</b> rows", "application/json": '"<b>7</b> rows"'},
        "data_limits": {"text/plain": "-5e-21 and 3", "application/json": '"-5e-21 and 3"'},
    }
    page = open_form(answers={"records": records})
    run(page)
    prose = page.form.locator(".live-prose:visible")
    assert prose.first.inner_text() == "<b>7</b> rows"
    assert "over 99 permutations" in prose.nth(1).inner_text()
    assert prose.nth(2).inner_text().endswith("−5 × 10⁻²¹ and 3")


# --- for everybody ---


def test_by_keyboard(open_form):
    page = open_form()
    page.form.locator(".live-file").focus()
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.className") == "live-run":
            break
    page.keyboard.press("Enter")
    page.form.get_by_text("Done in").wait_for()
    field(page, "feature_columns").get_by_label("year").focus()
    page.keyboard.press("Space")
    text = field(page, "feature_columns").locator("textarea")
    assert text.input_value().split("\n") == ["bill_length_mm", "bill_depth_mm", "year"]


def test_one_page_has_all_chapters(open_form):
    page = open_form("cca", path="book/live.html#live-{}")
    assert page.locator(".live:visible").count() == 1
    assert page.form.is_visible()
    for stem in STEMS:
        page.get_by_label("The question").select_option(stem)
        assert page.locator(".live:visible").get_attribute("id") == f"live-{stem}"
    assert page.complaints == []


def test_a_table_of_the_book_has_its_columns_at_once(open_form):
    page = open_form(engine=False)
    page.form.locator(".live-data").select_option("zoo")
    assert field(page, "true_column").locator("select").input_value() == ""
    field(page, "true_column").locator("select").select_option("type")
    command = page.form.locator(".live-papermill").inner_text()
    assert "-r data zoo" in command
    assert "-r true_column type" in command
    page.form.locator(".live-data").select_option("penguins")
    assert "true_column" not in page.form.locator(".live-papermill").inner_text()


def test_a_first_try_is_short_and_the_chapter_s_own_table_is_to_be_had(open_form):
    page = open_form("categorical", engine=False)
    command = page.form.locator(".live-papermill")
    assert page.form.locator(".live-data").input_value() == "zoo"
    assert "-r data zoo" in command.inner_text()
    assert "-r truth_column type" in command.inner_text()
    page.form.locator(".live-data").select_option("mushroom")
    assert field(page, "truth_column").locator("select").input_value() == "class"
    assert "column" not in command.inner_text()
    page.form.locator(".live-data").select_option("zoo")
    assert field(page, "truth_column").locator("select").input_value() == "type"
