"""A chapter on the reader's data: their answer first, in a notebook that stands alone."""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pandas as pd
import papermill
import pytest
from bs4 import BeautifulSoup
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from papermill.engines import papermill_engines

from afterfit import runs
from afterfit.runs import _alone, _arrange, _book, _cli, _execute

ROOT = Path(__file__).parents[2]

PARAMETERS = """seed: int = 1  # a seed
data: str = "penguins"  # a table
part: str = "all"  # or data
rows: str = ""  # a file"""
SETUP = """import pandas as pd
from afterfit import datasets, runs
runs.check_parameters(globals(), part=["all", "data"])
table = datasets.load_table(data)"""
CELLS = [
    ("markdown", "# Means in Python\n\n**How large is the mean?** People ask."),
    ("markdown", "## Short answer"),
    ("code", "print('short answer')"),
    ("markdown", "It is {glue:text}`example:.2f`, see {numref}`fig-data`."),
    ("code", PARAMETERS, "parameters"),
    ("code", SETUP, "setup"),
    ("markdown", "## Why\n\nBy {cite:t}`manning2008` {cite:p}`wachter1980,johnstone2008`."),
    ("code", "runs.record(example=1 / 3)", "remove-cell"),
    ("markdown", "```{note}\n## no heading\n```\n\n### Deeper"),
    ("markdown", "## On real data"),
    (
        "code",
        "import matplotlib.pyplot as plt\nmean = table.iloc[:, -1].mean()\n"
        "plt.plot([mean, 1])\nruns.record(mean=mean, file=data, first=table.columns[0])\n"
        "runs.write_rows(table, rows)",
        "data",
    ),
    (
        "markdown",
        "The mean of {glue:text}`first` is {glue:text}`mean:.1f`: {term}`so <Risk>`.",
        "data",
    ),
    ("markdown", "## When it misleads"),
    ("code", "print('the rest')"),
    ("markdown", "See {doc}`another <../x>` and {glue:text}`none:.2f`."),
]  # fmt: skip
FIGURE = {"mystnb": {"figure": {"caption": "Of {glue:text}`first`.", "name": "fig-data"}}}


def write_chapter(path, cells=CELLS, marked=True):
    notebook = nbformat.v4.new_notebook()
    for kind, source, *tags in cells:
        make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
        cell = make(source, metadata={"tags": tags})
        if "plt.plot" in source:
            cell.metadata |= FIGURE
        notebook.cells.append(cell)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "", "language": "python"}
    if marked:
        notebook.metadata[_arrange.MARK] = "chapter"
    nbformat.write(notebook, path)
    return path


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A chapter in a folder like the book's, and a table of somebody's."""
    house = tmp_path_factory.mktemp("house")
    (house / "notebooks").mkdir()
    (house / "book").mkdir()
    for name in ("references.bib", "glossary.md"):
        (house / "book" / name).write_bytes((ROOT / "book" / name).read_bytes())
    write_chapter(house / "notebooks/means.ipynb")
    (house / "<i>my $x$.csv").write_text("$\\bad$ <b>x</b>,y\na,1\nb,2\nc,6\n")
    return house


def papermill_command(house, *options, engine=()):
    out = house / "out.ipynb"
    command = [sys.executable, "-m", "papermill", "notebooks/means.ipynb", out, *options, *engine]
    done = subprocess.run(map(str, command), cwd=house, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return nbformat.read(out, as_version=4)


@pytest.fixture(scope="module")
def on_their_data(house):
    """What papermill's plain command leaves, with the rows that were asked for."""
    return papermill_command(
        house, "-p", "data", "<i>my $x$.csv", "-p", "rows", str(house / "r.csv")
    )


def texts(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def tags(notebook):
    return [cell.metadata.get("tags", []) for cell in notebook.cells]


def test_their_answer_is_first(on_their_data, house):
    sources = [cell.source for cell in on_their_data.cells]
    shown = BeautifulSoup(sources[0], "html.parser").get_text()
    assert shown == "# <i>my $x$.csv: How large is the mean?"
    assert [each[:1] for each in tags(on_their_data)[1:5]] == [
        ["parameters"], ["injected-parameters"], ["setup"], ["data"]
    ]  # fmt: skip
    example = next(i for i, source in enumerate(sources) if "## The book's example" in source)
    assert all("data" not in each for each in tags(on_their_data)[example:])
    assert "print('the rest')" in sources[example:]
    assert pd.read_csv(house / "r.csv")["y"].tolist() == [1, 2, 6]


def test_the_rest_is_marked_and_a_level_lower(on_their_data):
    text = "\n\n".join(texts(on_their_data))
    headings = re.findall(r"^#+ .*", text, flags=re.MULTILINE)
    assert [heading for heading in headings if heading.startswith("# ")] == [headings[0]]
    assert headings[1:] == [
        "## The book's example", "### Short answer", "### Why", "#### Deeper",
        "### When it misleads",
    ]  # fmt: skip
    assert "> ## no heading" in text
    assert "### On real data" not in headings, "nothing is left of that section"


def test_no_role_is_left_and_values_are_text(on_their_data):
    text = "\n\n".join(texts(on_their_data))
    assert not re.search(r"\{[a-z:]+\}`", text)
    shown = BeautifulSoup(text, "html.parser").get_text()
    assert "The mean of $\\bad$ <b>x</b> is 3.0: so." in shown
    assert "It is 0.33, see Fig. 1." in text
    assert "**Fig. 1.** Of " in text
    assert "By Manning et al. (2008) (" in text
    assert re.search(r"\(\[Wachter, 1980\]\(https://doi.org/.*\); \[Johnstone, 2008\]", text)
    assert "See another and (not computed)." in text
    assert "Christopher D.; Raghavan, Prabhakar; Schütze, Hinrich (2008)" in shown


def test_records_are_folded_and_still_read(on_their_data, house):
    assert runs.read_records(house / "out.ipynb")["mean"] == 3
    for cell in on_their_data.cells:
        if {"remove-cell", "setup"} & {*cell.metadata.get("tags", [])}:
            assert cell.metadata["jupyter"]["source_hidden"]
    nbformat.validate(on_their_data)


def test_the_rest_can_be_left_out(house):
    executed = papermill_command(house, "-p", "data", "<i>my $x$.csv", "-p", "part", "data")
    kinds = {name for each in tags(executed) for name in each}
    assert kinds == {"parameters", "injected-parameters", "setup", "data", _alone.CAPTION}
    assert "The book's example" not in " ".join(texts(executed))
    only_the_book = papermill_command(house, "-p", "part", "data")
    assert texts(only_the_book)[0] == "# penguins: How large is the mean?"


def test_on_the_books_data_the_order_is_the_books(house):
    executed = papermill_command(house, "-p", "seed", "3")
    assert [each.splitlines()[0] for each in texts(executed)[:2]] == [
        "# Means in Python", "## Short answer"
    ]  # fmt: skip
    assert "{glue" not in " ".join(texts(executed))


def test_other_notebooks_and_engines_are_left_alone(house):
    assert papermill_engines.get_engine("afterfit") is papermill_engines.get_engine(None)
    plain = papermill_command(house, "-p", "data", "<i>my $x$.csv", engine=["--engine", "nbclient"])
    assert "{glue:text}`mean:.1f`" in " ".join(texts(plain))
    own = write_chapter(house / "notebooks/own.ipynb", marked=False)
    parameters = {"data": str(house / "<i>my $x$.csv")}
    papermill.execute_notebook(own, house / "own.ipynb", parameters, progress_bar=False)
    executed = nbformat.read(house / "own.ipynb", as_version=4)
    assert texts(executed) == [source for kind, source, *_ in CELLS if kind == "markdown"]


def test_a_run_that_fails_stands_where_it_stopped(house):
    with pytest.raises(papermill.PapermillExecutionError, match="`part` must be one of"):
        papermill.execute_notebook(
            house / "notebooks/means.ipynb",
            house / "failed.ipynb",
            {"part": "dta", "data": str(house / "<i>my $x$.csv")},
            progress_bar=False,
        )
    text = "\n".join(texts(nbformat.read(house / "failed.ipynb", as_version=4)))
    assert "The mean of (not computed)" in text
    assert not re.search(r"\{[a-z:]+\}`", text)


# --- afterfit run, report and sweep ---


def test_afterfit_run(house, monkeypatch, capsys, on_their_data):
    monkeypatch.chdir(house)
    command = ["run", "notebooks/means.ipynb", "-p", "data=<i>my $x$.csv", "-o", "run.ipynb"]
    assert _cli.main([*command, "--rows", "rows.parquet"]) == _cli.OK
    assert capsys.readouterr().err == "running notebooks/means.ipynb\nwritten: run.ipynb\n"
    assert texts(nbformat.read("run.ipynb", as_version=4)) == texts(on_their_data)
    assert pd.read_parquet("rows.parquet")["y"].tolist() == [1, 2, 6]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-p", "sead=1"], "`sead` is not a parameter of this chapter."),
        (["-o", "no/such/out.ipynb"], "`output` must be in a folder that is there"),
        (["--rows", "rows.xlsx"], "`rows` must be empty or a file whose name ends in .csv"),
    ],
)
def test_what_cannot_be_run_is_said(house, monkeypatch, capsys, options, message):
    monkeypatch.chdir(house)
    assert _cli.main(["run", "notebooks/means.ipynb", *options]) == _cli.NOT_DONE
    assert message in capsys.readouterr().err


def test_a_log_says_how_far_a_run_is(house, monkeypatch, capsys):
    monkeypatch.chdir(house)
    monkeypatch.setattr(_execute, "SAID_EVERY", 0.0)
    assert _cli.main(["report", "notebooks/means.ipynb", "-o", "said.html"]) == _cli.OK
    first, *cells, page, last = capsys.readouterr().err.splitlines()
    assert first == "running notebooks/means.ipynb"
    assert len(cells) >= sum(kind == "code" for kind, *_ in CELLS)
    assert all(re.fullmatch(r"\d+ of \d+ cells, \d+ s", line) for line in cells)
    assert [page, last] == ["the page is being written", "written: said.html"]


def test_a_sweeps_notebooks_stand_alone(house, tmp_path, monkeypatch):
    from distributed import Client

    data = str(house / "<i>my $x$.csv")
    with Client(
        processes=False, n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0"
    ) as client:
        table = runs.sweep(
            house / "notebooks/means.ipynb", {"data": [data]}, tmp_path, scheduler=client
        )
        more = {"data": [data, "penguins"], "rows": "r.csv"}
        given = runs.sweep(
            house / "notebooks/means.ipynb", more, tmp_path / "rows", scheduler=client
        )
        (tmp_path / "rows" / given["rows"][1]).unlink()
        again = runs.sweep(
            house / "notebooks/means.ipynb", more, tmp_path / "rows", scheduler=client
        )
    assert table["mean"].tolist() == [3]
    assert len(set(given["rows"])) == 2, "a file for each run"
    assert pd.read_csv(tmp_path / "rows" / given["rows"][0])["y"].tolist() == [1, 2, 6]
    assert len(pd.read_csv(tmp_path / "rows" / again["rows"][1])) == 344, "made anew"
    assert again["seconds"][0] == given["seconds"][0], "the other was not run again"
    executed = nbformat.read(tmp_path / table["notebook"][0], as_version=4)
    assert "my &#36;x&#36;.csv" in texts(executed)[0]
    assert "Schütze" in texts(executed)[-1]


def test_a_report_begins_with_the_answer(house, monkeypatch):
    monkeypatch.chdir(house)
    out = runs.report("notebooks/means.ipynb", {"data": "<i>my $x$.csv"}, "report.html")
    soup = BeautifulSoup(out.read_text(), "html.parser")
    assert soup.find("title").get_text() == "<i>my $x$.csv: How large is the mean?"
    main = soup.find("main")
    following = main.find("h1").find_all_next(["img", "p", "pre"])
    visible = [tag for tag in following if not tag.find_parent("details")]
    assert visible[0].name == "img", "the figure of the result comes first"
    assert all(cell.get_text(strip=True) or cell.find("img") for cell in main(class_="cell"))
    assert "The mean of $\\bad$ <b>x</b> is 3.0" in main.get_text()
    assert "Of $\\bad$ <b>x</b>." in main.find("figcaption").get_text()
    assert not main.find("i", string=re.compile("my"))
    assert main.get_text().count("The book’s example") == 1


# --- what the parts do ---


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        (r"Amig{\'o}, Enrique", "Amigó, Enrique"),
        (r'Bj{\"o}rck, {\AA}ke', "Björck, Åke"),
        (r'Satop{\"a}{\"a}, Ville', "Satopää, Ville"),
        (r"Statistics \& Data", "Statistics & Data"),
        (r"{Wilks'} criterion", "Wilks' criterion"),
    ],
)  # fmt: skip
def test_bibtex_as_text(tex, text):
    assert _book._plain(tex) == text


def test_every_work_of_the_book_is_read():
    book = _book.book_of(ROOT / "notebooks/agreement.ipynb")
    keys = re.findall(r"^@\w+\{(.*),", (ROOT / "book/references.bib").read_text(), re.MULTILINE)
    assert list(book.works) == keys
    for key, work in book.works.items():
        assert re.fullmatch(r"\d{4}", work.year), key
        assert not re.search(r"[{}\\]|\(\)|\.\.", work.line), work.line
        assert work.who, key
    assert book.works["amigo2009"].who == "Amigó et al."
    assert book.works["hubert1985"].who == "Hubert and Arabie"
    glossary = (ROOT / "book/glossary.md").read_text().split("```")[1]
    assert len(book.terms) == len(re.findall(r"^\S.*\n  ", glossary, flags=re.MULTILINE)) > 30
    assert _book.book_of("s3://bucket/x.ipynb") == _book.book_of("/no/such/x.ipynb") == _book.Book()


@example("1. a")
@example("1) a")
@example("- a")
@example("=")
@example("{glue:text}`x`")
@example("$x$ <b> [a](b) **c**")
@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1))
def test_text_is_shown_as_it_is(text):
    html = MarkdownIt().enable("table").render(f"{_arrange.as_text(text)} y")
    shown = BeautifulSoup(html, "html.parser")
    assert " ".join(shown.get_text().split()) == " ".join(f"{text} y".split())
    assert [tag.name for tag in shown.find_all(True)] == ["p"]
