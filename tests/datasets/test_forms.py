"""One table in all the ways in which R, pandas, Excel and databases write it."""

import gzip
import io
import json
import warnings
import zipfile
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from afterfit.datasets import TableWarning, load_table

TABLE = pd.DataFrame(
    {
        "code": ["007", "042", "007", "108"],
        "height": [1.5, 12.25, 1002.0, -3.0],
        "count": [3, 1, 4, 1],
        "color": ["red", "green; pale", "blue, dark", "red"],
    }
)
ROWS = list(TABLE.itertuples(index=False))


def text_of(**options):
    return TABLE.to_csv(index=False, lineterminator="\n", **options)


def lines_of(separator, *, decimal="."):
    def cell(value):
        return str(value).replace(".", decimal) if isinstance(value, float) else str(value)

    def quoted(text):
        return f'"{text}"' if separator in text else text

    lines = [separator.join(TABLE.columns)]
    lines += [separator.join(quoted(cell(value)) for value in row) for row in ROWS]
    return "\n".join(lines) + "\n"


def zipped(text):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("table.csv", text)
    return packed.getvalue()


def to_arrow(path):
    column = pa.array(TABLE["code"]).dictionary_encode()
    numbers = pa.array(TABLE["count"]).dictionary_encode()
    decimals = pa.array([Decimal(f"{value:.2f}") for value in TABLE["height"]])
    table = pa.table(
        {"code": column, "height": decimals, "count": numbers, "color": pa.array(TABLE["color"])}
    )
    pyarrow.parquet.write_table(table, path)


def to_workbook(path, **options):
    TABLE.to_excel(path, **options)


def two_sheets(path):
    with pd.ExcelWriter(path) as book:
        TABLE.to_excel(book, sheet_name="data", index=False)
        TABLE.head(1).to_excel(book, sheet_name="notes", index=False)


def json_lines():
    return "".join(json.dumps(row) + "\n" for row in TABLE.to_dict("records"))


# name of the file, what is written into it, a word of what is said to be found out (or nothing)
FORMS = {
    "pandas, index=False": ("t.csv", text_of(), ""),
    "pandas, with its index": ("t.csv", TABLE.to_csv(lineterminator="\n"), "counts rows"),
    "pandas, all quoted": ("t.csv", text_of(quoting=1), ""),
    "R, write.csv": (
        "t.csv",
        TABLE.set_axis(range(1, 5)).to_csv(quoting=2, lineterminator="\n"),
        "counts rows",
    ),
    "R, write.csv2": (
        "t.csv",
        TABLE.to_csv(index=False, sep=";", decimal=",", quoting=2, lineterminator="\n"),
        "';'; the decimal sign is a comma",
    ),
    "R, write.table with sep=,": (
        "t.csv",
        text_of().split("\n", 1)[0]
        + "\n"
        + "".join(f"{k},{line}\n" for k, line in enumerate(text_of().splitlines()[1:], 1)),
        "counts rows",
    ),
    "R, readr's write_excel_csv": ("t.csv", ("\ufeff" + text_of()).encode(), ""),
    "semicolons": ("t.csv", lines_of(";"), "the separator is ';'"),
    "semicolons and decimal commas": ("t.csv", lines_of(";", decimal=","), "is a comma"),
    "Excel's sep=;": ("t.csv", "sep=;\n" + lines_of(";", decimal=","), "is a comma"),
    "Excel's sep=,": ("t.csv", "sep=,\n" + text_of(), ""),
    "Excel's Unicode text": ("t.txt", lines_of("\t").encode("utf-16"), "a tab"),
    "Excel's CSV UTF-8": ("t.csv", ("\ufeff" + text_of()).replace("\n", "\r\n").encode(), ""),
    "tabs in .tsv": ("t.tsv", lines_of("\t"), ""),
    "tabs in .csv": ("t.csv", lines_of("\t"), "the separator is a tab"),
    "tabs in .txt": ("t.txt", lines_of("\t"), "the separator is a tab"),
    "tabs and decimal commas": ("t.tsv", lines_of("\t", decimal=","), "is a comma"),
    "bars": ("t.csv", lines_of("|"), "'|'"),
    "a comment line first": ("t.csv", "# made by hand, in 2026\n" + text_of(), "1 line(s)"),
    "three comment lines first": ("t.csv", "# a\n#\n# c\n" + text_of(), "3 line(s)"),
    "blanks after commas": ("t.csv", text_of().replace(",", ", ").replace(",  ", ", "), ""),
    "a separator at each end": (
        "t.csv",
        "".join(f"{line},\n" for line in text_of().splitlines()),
        "",
    ),
    "old line ends": ("t.csv", text_of().replace("\n", "\r\n").encode(), ""),
    "gzip": ("t.csv.gz", gzip.compress(text_of().encode()), ""),
    "zip": ("t.zip", zipped(text_of()), ""),
    "zip of a .csv": ("t.csv.zip", zipped(text_of()), ""),
    "workbook": ("t.xlsx", lambda path: to_workbook(path, index=False), ""),
    "workbook with an index": ("t.xlsx", to_workbook, "counts rows"),
    "workbook of two sheets": ("t.xlsx", two_sheets, "2 sheets the first was read, 'data'"),
    "JSON lines": ("t.jsonl", json_lines(), ""),
    "newline-delimited JSON": ("t.ndjson", json_lines(), ""),
    "Parquet": ("t.parquet", lambda path: TABLE.to_parquet(path), ""),
    "Parquet, decimals and dictionaries": ("t.parquet", to_arrow, ""),
    "Parquet, a filtered frame": (
        "t.parquet",
        lambda path: TABLE.set_axis(pd.RangeIndex(3, 7)).to_parquet(path),
        "",
    ),
    "Feather": ("t.feather", lambda path: TABLE.to_feather(path), ""),
}


def write(path, content):
    if callable(content):
        content(path)
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("form", FORMS)
def test_one_table_in_all_forms(form, tmp_path):
    name, content, found = FORMS[form]
    path = write(tmp_path / name, content)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        table = load_table(path, numeric=["height", "count"])
    expected = TABLE.copy()
    if form == "blanks after commas":
        expected["color"] = [row.color.replace(",", ",") for row in ROWS]
    for column in TABLE:
        assert table[column].tolist() == expected[column].tolist(), column
    assert list(table) == list(TABLE)
    assert pd.api.types.is_numeric_dtype(table["height"].dtype)
    assert [warning.category for warning in said] == [TableWarning] * bool(found)
    if found:
        assert found in str(said[0].message)
        assert str(path) in str(said[0].message)


def test_there_are_thirty_five_forms():
    assert len(FORMS) >= 35


@pytest.mark.parametrize("cell", ["NULL", "n/a", "#N/A", "NA", ""])
def test_cells_that_mean_missing_everywhere(cell, tmp_path):
    path = write(tmp_path / "t.csv", f"a,b\n1,x\n{cell},{cell}\n3,z\n")
    table = load_table(path)
    assert table["a"].tolist()[::2] == [1, 3]
    assert table["a"].isna().tolist() == table["b"].isna().tolist() == [False, True, False]


@pytest.mark.parametrize("cell", ["none", "None", "-", ".", "?"])
def test_cells_that_mean_missing_among_numbers(cell, tmp_path):
    path = write(tmp_path / "t.csv", f"a,b,c\n1,x,{cell}\n{cell},{cell},2\n3,z,5\n")
    table = load_table(path)
    assert table["a"].isna().tolist() == [False, True, False]
    assert table["c"].isna().tolist() == [True, False, False]
    assert table["b"].tolist() == ["x", cell, "z"], "a category"
    asked = load_table(path, missing=[cell])
    assert asked["b"].isna().tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("cells", "numbers", "said"),
    [
        (["$5.00", "$1,234.50", "$7"], [5, 1234.5, 7], "the sign $ and what groups digits"),
        (["5 €", "7.5 €"], [5, 7.5], "the sign €"),
        (["12%", "3.5%", ""], [12, 3.5, np.nan], "numbers are in percent"),
        (["1,234,567", "12"], [1234567, 12], "what groups digits"),
        (["1'234", "12"], [1234, 12], "what groups digits"),
        (["1.234.567,5", "12,25"], [1234567.5, 12.25], "what groups digits"),
        (["1 234", "12"], [1234, 12], "what groups digits"),
    ],
)
def test_signs_in_columns_that_must_be_numeric(cells, numbers, said, tmp_path):
    lines = "".join(f'"{cell}",x\n' for cell in cells)
    path = write(tmp_path / "t.csv", "price,other\n" + lines)
    with pytest.warns(TableWarning, match="in 'price', ") as warned:
        table = load_table(path, ["price"], numeric={"response_column": ["price"]})
    np.testing.assert_array_equal(table["price"], numbers)
    assert said in str(warned[0].message)
    assert load_table(path)["price"].dropna().tolist() == [cell for cell in cells if cell]


def test_a_comma_that_may_mean_two_things_is_refused_with_the_way_out(tmp_path):
    path = write(tmp_path / "t.csv", 'a;b\n"1,234";x\n"5,678";y\n')
    with pytest.raises(ValueError, match=r"such as '1,234' in row 0 .* say `decimal` "):
        load_table(path, numeric=["a"])
    signed = write(tmp_path / "signed.csv", 'a,b\n"$1,234",x\n"$5",y\n')
    with pytest.raises(ValueError, match=r"such as '\$1,234' in row 0 .* say `decimal` "):
        load_table(signed, numeric=["a"])
    for decimal, expected in ((".", [1234, 5678]), (",", [1.234, 5.678])):
        with pytest.warns(TableWarning, match="separator is ';'"):
            found = load_table(path, numeric=["a"], decimal=decimal)["a"]
        assert found.tolist() == expected


def test_what_the_reader_says_goes_before_what_is_found_out(tmp_path):
    path = write(tmp_path / "t.csv", "a;b\n1;2\n3;4\n")
    assert list(load_table(path, separator=";")) == ["a", "b"]
    assert list(load_table(path, separator=",")) == ["a;b"]
    write(path, "a\tb\n1\t2\n")
    assert list(load_table(path, separator=r"\t")) == ["a", "b"], "as a shell passes it"


def test_codes_for_missing_values_are_kept_with_a_warning(tmp_path):
    path = write(tmp_path / "t.csv", "a,b\n1.5,-999\n2,3\n-999,4\n1.7,5\n")
    with pytest.warns(TableWarning, match="1 cell.s. of 'a' are -999.* pass `missing`: "):
        assert load_table(path, numeric=["a"])["a"].tolist() == [1.5, 2, -999, 1.7]
    for advised in (["-999"], [-999], [-999.0]):
        found = load_table(path, numeric=["a", "b"], missing=advised)
        assert found.isna().to_numpy().sum() == 2
    ordinary = write(tmp_path / "ordinary.csv", "a\n98\n99\n100\n-1\n")
    assert len(load_table(ordinary, numeric=["a"])) == 4, "99 among such numbers is one of them"


@pytest.mark.parametrize("ending", [".parquet", ".feather", ".jsonl", ".xlsx"])
def test_codes_are_found_and_left_out_in_every_format(ending, tmp_path):
    table = pd.DataFrame({"a": [1.5, 2, -999, 1.7], "n": [3, 4, 5, -999], "b": list("xyzx")})
    path = tmp_path / f"t{ending}"
    writers = {".parquet": table.to_parquet, ".feather": table.to_feather}
    writers |= {".jsonl": lambda path: table.to_json(path, orient="records", lines=True)}
    writers.get(ending, lambda path: table.to_excel(path, index=False))(path)
    with pytest.warns(TableWarning, match=r"of 'a' are -999.* pass `missing`: \[-999\]"):
        load_table(path)
    found = load_table(path, missing=[-999, "x"])
    assert found.isna().to_numpy().tolist() == [
        [False, False, True], [False] * 3, [True, False, False], [False, True, True]
    ]  # fmt: skip
    with pytest.raises(ValueError, match=f"`separator` is for text, and 't{ending}' is none"):
        load_table(path, separator=";")


def test_a_number_that_means_missing_however_it_is_written(tmp_path):
    path = write(tmp_path / "t.csv", 'a,b,c\n1.5,9,"$1,000.00"\n-999.00,-9.99e2,"$5"\n')
    with pytest.warns(TableWarning, match="the sign"):
        found = load_table(path, numeric=["c"], missing=[-999, 1000])
    assert found.isna().to_numpy().tolist() == [[False, False, True], [True, True, False]]


def test_a_last_row_of_totals_is_kept_with_a_warning(tmp_path):
    path = write(tmp_path / "t.csv", "town,n\nA,1\nB,2\nTotal,3\n")
    with pytest.warns(TableWarning, match="last row begins with 'Total': .* delete that line"):
        assert len(load_table(path)) == 3
    with pytest.warns(TableWarning, match="last row begins with 'Total'"):
        load_table(path, ["n"])  # also where its text is not asked for
    write(path, "".join(path.read_text().splitlines(keepends=True)[:-1]))  # the advice
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_table(path)["n"].tolist() == [1, 2]


def test_row_names_are_a_column(tmp_path):
    path = write(tmp_path / "t.csv", '"","mpg"\n"Mazda RX4",21\n"Datsun 710",22.8\n')
    with pytest.warns(TableWarning, match="called 'row_name'"):
        assert load_table(path)["row_name"].tolist() == ["Mazda RX4", "Datsun 710"]


def test_a_header_that_begins_with_a_number_sign_is_a_header(tmp_path):
    path = write(tmp_path / "t.csv", "#id,a\n1,2\n")
    assert list(load_table(path)) == ["#id", "a"]


def test_errors_name_the_parameter_that_was_typed(tmp_path):
    path = write(tmp_path / "t.csv", "height,b\nx,1\ny,2\n")
    with pytest.raises(ValueError, match=r"`x_columns` names 'hight', .*Nearest: 'height'"):
        load_table(path, {"x_columns": ["hight"], "y_columns": ["b"]})
    with pytest.raises(ValueError, match=r"`x_columns` and `y_columns` must be distinct.*'b'"):
        load_table(path, {"x_columns": ["b"], "y_columns": ["b"]})
    with pytest.raises(ValueError, match=r"\(`response_column`\) must hold numbers"):
        load_table(path, numeric={"response_column": ["height"]})


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"separator": ";;"}, ValueError, "`separator` must be one character"),
        ({"decimal": "'"}, ValueError, "`decimal` must be one of"),
        ({"separator": ",", "decimal": ","}, ValueError, "must differ"),
        ({"missing": "-999"}, TypeError, "`missing` must be a list of cells, got the text '-999'"),
    ],
)
def test_bad_options(options, error, message):
    with pytest.raises(error, match=message):
        load_table("zoo", **options)


def test_a_zip_of_two_files(tmp_path):
    path = tmp_path / "t.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "a\n1\n")
        archive.writestr("b.csv", "a\n1\n")
    with pytest.raises(ValueError, match=r"it holds 2 files, a.csv, b.csv; pack one"):
        load_table(path)
