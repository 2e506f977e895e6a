"""Tables as the book prints them: what a cell says, and that nothing but its form has changed."""

import io
import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import font_manager

from afterfit.runs import book_style
from afterfit.runs._tables import table_html


def cells(frame):
    table = BeautifulSoup(table_html(frame), "html.parser").table
    return [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in table("tr")]


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([0.5, 0.25, 3.0], ["0.50", "0.25", "3.00"]),
        ([1.0, np.nan, -2.0], ["1", "–", "−2"]),
        ([-0.0004, 0.9], ["−0.0004", "0.9000"]),
        ([-0.0, 0.1], ["0.0", "0.1"]),
        ([12345.0, 1.5], ["12,345.0", "1.5"]),
        ([12345, 1], ["12,345", "1"]),
        ([np.inf, 1.0], ["∞", "1"]),
        ([1e-17, 1.0], ["1 × 10−17", "1"]),
        ([True, False], ["yes", "no"]),
        (["a", None, ""], ["a", "–", "–"]),
        (["-1.5", "2.25"], ["−1.5", "2.25"]),
        (["-0.74 ± 0.03", "0.8 ± 0.1"], ["−0.74 ± 0.03", "0.8 ± 0.1"]),
        (["2026-11-28", "-x"], ["2026-11-28", "-x"]),
        (["1.7e-16", "0.0e+00"], ["1.7 × 10−16", "0.0"]),
        (["well-known", "<b>"], ["well-known", "<b>"]),
        (["Adelie", 0.25, 3750.0, "6.9e-05"], ["Adelie", "0.25", "3750", "6.9 × 10−5"]),
        (["linear_cka", "my_column"], ["linear CKA", "my_column"]),
    ],
)
def test_a_cell_says(values, shown):
    assert [row[0] for row in cells(pd.DataFrame({"x": values}))[1:]] == shown


@pytest.mark.parametrize("name", ["p-value", "AD p-value", "wilks_pvalue", "SAS p"])
def test_a_pvalue_is_never_zero(name):
    frame = pd.DataFrame({name: [0.0, 0.041]})
    assert [row[0] for row in cells(frame)[1:]] == ["< 0.001", "0.041"]
    frame = pd.DataFrame({name: ["1.5e-71", "0.0648"], "purity": [0.0, 0.5]})
    assert cells(frame)[1:] == [["< 0.001", "0.0"], ["0.0648", "0.5"]]
    bounded = pd.DataFrame({name: ["at most 0.005", "0.080"]})
    assert [row[0] for row in cells(bounded)[1:]] == ["≤ 0.005", "0.080"]
    assert "text-align: right" in table_html(bounded).split("<tbody>")[1]


def test_a_number_and_its_error_stay_on_one_line():
    html = table_html(pd.DataFrame({"share": ["0.84 ± 0.01", "0 of 240"]}))
    assert '<td style="white-space: nowrap">0.84 ± 0.01</td>' in html
    assert "<td>0 of 240</td>" in html


def test_one_row_of_heads():
    frame = pd.DataFrame({"n_clusters": [2, 3], "cost": [1.5, 2.0]}).set_index("n_clusters")
    assert cells(frame) == [["number of clusters", "cost"], ["2", "1.5"], ["3", "2.0"]]
    assert cells(frame.rename_axis(columns="true shape").T.rename_axis(index=None)) == [
        ["number of clusters", "2", "3"],
        ["cost", "1.5", "2"],
    ]
    groups = pd.concat({"one": frame, "other": frame}, axis=1)
    table = BeautifulSoup(table_html(groups), "html.parser").table
    assert [(cell.get_text(), cell.get("colspan")) for cell in table.tr("th")] == [
        ("", None),
        ("one", None),
        ("other", None),
    ]


def test_decimals_stand_under_each_other():
    table = BeautifulSoup(table_html(pd.DataFrame({"x": ["0.37", "12", "1.5"]})), "html.parser")
    rooms = [re.findall(r"([\d.]+)ch", cell["style"]) for cell in table("td")]
    assert rooms == [[], ["2.5"], ["1"]]
    table = BeautifulSoup(table_html(pd.DataFrame({"x": ["0.98", "7.9e-23"]})), "html.parser")
    first, second = (cell["style"] for cell in table("td"))
    assert "ch)" in first
    assert "ch)" not in second
    assert "nowrap" in second  # a number stays on one line


def test_what_pandas_shortens_is_left_to_it():
    assert table_html(pd.DataFrame({"x": range(1000)})) is None
    with pd.option_context("display.max_columns", 2):
        assert table_html(pd.DataFrame(np.ones((1, 3)))) is None


@given(
    st.lists(st.floats(-1e9, 1e9) | st.just(float("nan")), min_size=1, max_size=8),
    st.integers(0, 6),
)
def test_a_rounded_number_is_shown_as_it_is(values, digits):
    values = np.round(values, digits)
    for value, (shown,) in zip(values, cells(pd.DataFrame({"x": values}))[1:], strict=True):
        plain = shown.replace("−", "-").replace(",", "").replace(" × 10", "e")
        assert np.isnan(value) if shown == "–" else float(plain) == value


def test_figures_are_set_in_the_typeface_of_the_package(caplog):
    with plt.rc_context():
        book_style()
        figure, axes = plt.subplots()
        axes.set_title(r"$\hat\mathcal{N}(\mu_k)$ ρ ≤ 1")
        figure.savefig(io.BytesIO(), format="svg")
        used = font_manager.findfont("Inter Book", fallback_to_default=False)
        plt.close(figure)
    assert Path(used).parent.name == "fonts"
    assert "afterfit" in used
    assert "findfont" not in caplog.text
