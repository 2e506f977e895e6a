"""Reports: complete in one file, as in the book, and nothing of the reader's data is alive."""

import base64
import re
import sys
from importlib import metadata
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from afterfit import datasets, runs
from afterfit.runs import _cli, _report

ROOT = Path(__file__).parents[2]

ALIVE = [
    "<script>window.alive = 1</script>",
    '"><img src=x onerror="window.alive = 2">',
    "<svg onload='window.alive = 3'>",
    "=HYPERLINK(0)",
    "\\(\\href{javascript:window.alive=4}{x}\\)",
    "[x](javascript:alert(5)) {{7*7}} `{glue:text}`",
    "</title></style></pre></details>",
]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A table whose name, header and cells are markup."""
    rng = np.random.default_rng(0)
    truth = rng.choice(ALIVE, size=80)
    found = np.where(rng.uniform(size=80) < 0.8, truth, "<b onclick=alert(6)>other")
    path = tmp_path_factory.mktemp("hostile") / "<img src=x onerror=alert(7)>.csv"
    pd.DataFrame({ALIVE[0]: truth, ALIVE[1]: found}).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def page(hostile, tmp_path_factory):
    """The report on that table, made by the command."""
    out = tmp_path_factory.mktemp("report") / "report.html"
    command = ["report", str(ROOT / "notebooks/agreement.ipynb"), "-o", str(out)]
    command += ["-p", f"data={hostile}", f"true_column={ALIVE[0]}", f"pred_column={ALIVE[1]}"]
    assert _cli.main([*command, "-p", "n=100", "n_resamples=19"]) == _cli.OK
    return out


@pytest.fixture(scope="module")
def soup(page):
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


def test_all_that_it_shows_is_in_it(soup):
    for image in soup("img"):
        assert image["src"].startswith("data:image/"), image["src"][:80]
        assert len(image["alt"]) > 20
    assert len(soup("img")) >= 3
    for image in soup("img"):  # the same figure for the dark, and no inverted one
        dark = image.find_previous_sibling("source")
        assert "dark" in dark["media"]
        assert dark["media"].startswith("screen"), "paper is white"
        drawn = base64.b64decode(dark["srcset"].partition("base64,")[2]).decode()
        assert "#121212" in drawn
        assert "#ffffff" not in drawn
    assert not soup.find_all(["link", "iframe", "object"])
    assert not soup.find_all("script", src=True)
    assert "@import" not in "".join(style.get_text() for style in soup("style"))
    inside = {tag["id"] for tag in soup.find_all(id=True)}
    for link in soup("a", href=True):
        assert link["href"].startswith("https://") or link["href"][1:] in inside, link


def test_it_is_rendered_as_in_the_book(soup):
    main = soup.find("main")
    assert soup.find("title").get_text() == main.find("h1").get_text()
    assert len(main.find_all(class_="math")) > 5
    assert "Fig. 1" in main.get_text()
    for mark in ("{glue", "{term}", "{cite", "{numref}", "```", "¶"):
        text = main.get_text().replace(ALIVE[5], "")
        assert mark not in text
    assert "Manning" in main.get_text()
    terms = [item.find("strong").get_text() for item in main.find_all("li") if item.find("strong")]
    assert "adjusted Rand index" in terms
    assert "contingency table" not in terms, "only the terms that it uses"


def test_code_is_folded(soup):
    code = soup.find_all("div", class_="cell_input")
    assert len(code) > 10
    assert all(cell.find_parent("details") for cell in code)


def test_parameters_and_versions_stand_at_the_end(soup, hostile):
    last = soup.find_all("section")[-1]
    assert last["id"] == "parameters-and-versions"
    facts = {row("td")[0].get_text(): row("td")[1].get_text() for row in last("tr") if row("td")}
    assert facts["data"] == repr(str(hostile))
    assert facts["true_column"] == repr(ALIVE[0])
    assert (facts["n"], facts["seed"]) == ("100", "1")
    assert facts["numpy"] == metadata.version("numpy")
    assert facts["Python"] == sys.version.split()[0]


def test_nothing_of_the_data_is_alive(soup):
    main = soup.find("main")
    for text in ALIVE[:2]:  # the names of the columns
        assert text in main.get_text(), "it is there, as text"
    assert not main.find_all(["script", "svg", "b", "form"])
    for tag in main.find_all(True):
        assert not [name for name in tag.attrs if name.startswith("on")]
        assert "javascript:" not in tag.get("href", "")
    policy = soup.find("meta", {"http-equiv": "Content-Security-Policy"})["content"]
    assert "default-src 'none'" in policy
    scripts = soup("script")
    assert len(scripts) == 2, "settings of MathJax, and what unpacks it"
    assert policy.count("sha256-") == 3, "these, and what is unpacked"


def test_it_is_small(page):
    assert page.stat().st_size < 2.5e6


@pytest.mark.browser
def test_it_opens_without_a_network_and_without_a_complaint(page, browser):
    shown = browser.new_page(viewport={"width": 360, "height": 800})
    complaints, asked = [], []
    shown.on("console", lambda m: m.type == "error" and complaints.append(m.text))
    shown.on("pageerror", lambda error: complaints.append(str(error)))
    shown.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
    shown.on("request", lambda request: asked.append(request.url[:40]))
    shown.goto(page.as_uri())
    shown.wait_for_selector("mjx-container")
    shown.wait_for_timeout(300)
    assert complaints == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert shown.evaluate("window.alive") is None
    assert shown.locator("mjx-merror").count() == 0
    outside = shown.locator("mjx-container").evaluate_all(
        "items => items.filter(item => !item.closest('.math')).length"
    )
    assert outside == 0, "data that look like mathematics stay text"
    width = shown.evaluate("document.documentElement.scrollWidth")
    assert width <= 360, "the page scrolls sideways on a phone"
    shown.close()


# --- a notebook of one's own ---


def write_notebook(path, *cells):
    notebook = nbformat.v4.new_notebook()
    for kind, source, *tags in cells:
        make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
        notebook.cells.append(make(source, metadata={"tags": tags}))
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "", "language": "python"}
    nbformat.write(notebook, path)
    return path


OWN = [
    ("markdown", "# My *study*\n\nSee {doc}`another`, a {term}`thing` and {cite:t}`someone`."),
    ("code", "level: float = 0.5  # a level", "parameters"),
    ("code", "from afterfit import runs; runs.record(half=level / 2)", "remove-cell"),
    ("markdown", "```{note}\nHalf is {glue:text}`half:.2f`.\n```\n\n:::{tip}\n$x^2$\n:::"),
    ("code", "from IPython.display import HTML; HTML('<script>1</script><p onclick=x>kept</p>')"),
]


def test_a_notebook_that_is_not_of_the_book(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = write_notebook(tmp_path / "own.ipynb", *OWN)
    out = runs.report(path, {"level": 1}, "own.html")
    soup = BeautifulSoup((tmp_path / out).read_text(), "html.parser")
    main = soup.find("main")
    assert soup.find("title").get_text() == "My study"
    assert "See another, a thing and someone." in main.get_text()
    assert "Half is 0.50." in main.find("div", class_="note").get_text()
    assert main.find("div", class_="tip").find(class_="math")
    assert "runs.record" not in main.get_text(), "removed as in the book"
    assert main.find("p", string="kept").attrs == {}
    assert not main.find("script")
    assert (
        list(tmp_path.iterdir()) == [path, tmp_path / "own.html"]
        or len(list(tmp_path.iterdir())) == 2
    )


def test_a_run_that_fails_is_kept_and_said(tmp_path, capsys):
    path = write_notebook(tmp_path / "own.ipynb", *OWN[:2], ("code", "1 / 0"))
    out = tmp_path / "report.html"
    assert _cli.main(["report", str(path), "-o", str(out)]) == _cli.RUNS_FAILED
    said = capsys.readouterr().err
    assert "failed: ZeroDivisionError: division by zero" in said
    kept = re.search(r"got: (.*\.ipynb)\)", said)[1]
    assert nbformat.read(kept, as_version=4).cells[-1].outputs[0].ename == "ZeroDivisionError"
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-p", "sead=1"], "`sead` is not a parameter of this chapter. Nearest: seed."),
        (["-p", "n=many"], "`n` must be int, got 'many'"),
        (["-p", "data=none.csv"], "there is no file 'none.csv'"),
        (["-p", "data"], "'data' is no parameter: write name=value"),
        (["-o", "no/such/folder/x.html"], "`output` must be in a folder that is there"),
        (["-o", "."], "`output` must be a file of this machine, got '.'"),
        (["-o", "s3://bucket/x.html"], "`output` must be a file of this machine"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_run(
    arguments, message, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    notebook = str(ROOT / "notebooks/agreement.ipynb")
    assert _cli.main(["report", notebook, *arguments]) == _cli.NOT_DONE
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_without_the_books_tools_the_report_says_so(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "myst_nb", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'afterfit\[chapters,book\]'"):
        runs.report(ROOT / "notebooks/agreement.ipynb", {}, tmp_path / "x.html")


def test_what_a_page_takes_from_elsewhere_is_taken_out():
    soup = BeautifulSoup(
        '<div><a href=" java\nscript:x">a</a><a href="https://x.org">b</a>'
        '<img src="data:text/html,x" onerror="x"><iframe srcdoc="x"></iframe></div>',
        "html.parser",
    )
    _report._make_passive(soup)
    assert str(soup) == '<div><a>a</a><a href="https://x.org">b</a><img/></div>'


# --- files that are not what they should be ---


def wide():
    header = ",".join(f"column {j}" for j in range(10_000))
    return f"{header}\n{','.join(['1'] * 10_000)}\n".encode()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (wide(), (1, 10_000)),
        (b"a,b\n1,2\n3,4", (2, 2)),
        ("\ufeffa,b\n1,2\n".encode(), (1, 2)),
        (b"a,b\r\n1,2\r\n", (1, 2)),
        ("a,b\n\u00e9,1\n".encode("latin-1"), "UTF-8"),
        ("a,b\n1,2\n".encode("utf-16"), (1, 2)),
        (bytes(range(256)) * 20, "UTF-8|no readable CSV"),
        (b"PK\x03\x04" + b"\x00" * 500, "no readable"),
        (b'a,b\n"1,2\n', "is no readable text"),
    ],
    ids=["wide", "no last newline", "mark", "windows", "latin-1", "utf-16", "junk", "zip", "quote"],
)
def test_strange_files_are_read_or_refused_in_a_sentence(tmp_path, content, expected):
    path = tmp_path / "my.csv"
    path.write_bytes(content)
    if isinstance(expected, tuple):
        assert datasets.load_table(path).shape == expected
    else:
        with pytest.raises(ValueError, match=expected) as refusal:
            datasets.load_table(path)
        assert "my.csv" in str(refusal.value)
