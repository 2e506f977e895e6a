"""`afterfit.datasets`: the bundled sets as their provenance states them, and readers' files."""

import gzip

import pandas as pd
import pytest

from afterfit import datasets

# Rows, columns, missing cells: the provenance table that came with the files.
STATED = {
    "acs_massachusetts": (47_078, 16, 0),
    "faithful": (272, 2, 0),
    "mushroom": (8_124, 23, 2_480),
    "penguins": (344, 8, 19),
    "seattle_weather": (1_461, 6, 0),
    "votes": (435, 17, 392),
    "zoo": (101, 17, 0),
}


@pytest.mark.parametrize("name", datasets.names())
def test_bundled_sets_are_what_their_provenance_says(name):
    table = datasets.load_table(name)
    assert (*table.shape, int(table.isna().to_numpy().sum())) == STATED[name]


def test_bundled_names():
    assert datasets.names() == sorted(STATED)


def test_people_in_massachusetts():
    assert datasets.load_table("acs_massachusetts", ["n_people"])["n_people"].sum() == 277_677


@pytest.mark.parametrize("name", datasets.names())
def test_every_set_says_where_it_comes_from(name):
    dataset = datasets.describe(name)
    for field in ("title", "description", "source", "licence", "reference"):
        assert len(getattr(dataset, field)) > 2, field


def write(tmp_path, text, name="my.csv"):
    path = tmp_path / name
    data = text if isinstance(text, bytes) else text.encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


@pytest.mark.parametrize(
    ("cells", "dtype", "values"),
    [
        (["007", "042"], "str", ["007", "042"]),
        (["0", "10"], "int64", [0, 10]),
        (["-3", "+4"], "int64", [-3, 4]),
        (["0.5", "1e3"], "float64", [0.5, 1000.0]),
        ([".5", "2."], "float64", [0.5, 2.0]),
        (["1", ""], "float64", [1.0, None]),
        (["1", "NA"], "float64", [1.0, None]),
        (["a", "NA"], "str", ["a", None]),
        (["a", "None"], "str", ["a", "None"]),
        (["True", "False"], "bool", [True, False]),
        (["True", ""], "str", ["True", None]),
        (["12345678901234567", "1"], "str", ["12345678901234567", "1"]),
        (["-123456789012345", "1"], "int64", [-123456789012345, 1]),
        (["٣", "1"], "str", ["٣", "1"]),
        (["1", "null"], "float64", [1.0, None]),
        (["1,5", "2"], "str", ["1,5", "2"]),
        (["2026-01-01", "2026-01-02"], "str", ["2026-01-01", "2026-01-02"]),
        (["", ""], "float64", [None, None]),
        (["é", "日本"], "str", ["é", "日本"]),
    ],
)
def test_cells_become_numbers_only_where_nothing_is_lost(tmp_path, cells, dtype, values):
    lines = "".join(f'"{cell}",x\n' for cell in cells)
    column = datasets.load_table(write(tmp_path, "c,other\n" + lines))["c"]
    assert str(column.dtype) == dtype
    found = [None if pd.isna(value) else value for value in column]
    assert found == values


@pytest.mark.parametrize("name", ["my.csv", "my.csv.gz", "MY.CSV"])
def test_reads_csv(tmp_path, name):
    path = write(tmp_path, "a,b\n1,x\n2,y", name)  # no final line end
    table = datasets.load_table(path)
    assert table.to_dict("list") == {"a": [1, 2], "b": ["x", "y"]}
    assert datasets.load_table(str(path)).equals(table)


def test_reads_csv_with_a_blank_after_each_comma(tmp_path):
    path = write(tmp_path, "a, b\n1, 2\n")
    assert datasets.load_table(path).to_dict("list") == {"a": [1], "b": [2]}


def test_reads_csv_with_a_byte_order_mark(tmp_path):
    path = write(tmp_path, "\ufeffa,b\n1,2\n")
    assert list(datasets.load_table(path).columns) == ["a", "b"]


def test_reads_parquet(tmp_path):
    table = pd.DataFrame({"a": [1, 2], "code": ["007", "042"]})
    table.to_parquet(tmp_path / "my.parquet")
    pd.testing.assert_frame_equal(datasets.load_table(tmp_path / "my.parquet"), table)


def test_selects_columns_in_the_order_asked_for(tmp_path):
    path = write(tmp_path, "a,b,c\n1,2,3\n")
    assert list(datasets.load_table(path, ["c", "a"]).columns) == ["c", "a"]


def test_reads_from_the_folder_one_is_in(tmp_path, monkeypatch):
    write(tmp_path, "a,b\n1,2\n")
    monkeypatch.chdir(tmp_path)
    assert len(datasets.load_table("my.csv")) == 1
    monkeypatch.setenv("HOME", str(tmp_path))
    assert len(datasets.load_table("~/my.csv")) == 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("my.csv", "", "is empty"),
        ("my.csv", "a,b\n", "has no rows"),
        ("my.csv", "a,a\n1,2\n", "more than one of 'a'"),
        ("my.csv", "a,\n1,2\n", "no name for column number 2"),
        ("my.csv", "a,b\n1,2\n4,5,6\n", "no readable text.*line 3"),
        ("my.csv", "a,b\né,1\n".encode("latin-1"), "UTF-8"),
        ("my.csv", bytes(range(256)) * 4, "UTF-8|no readable text"),
        ("my.parquet", "a,b\n1,2\n", "no readable Parquet file"),
        ("my.feather", "a,b\n1,2\n", "no readable Feather file"),
        ("my.xlsx", "a,b\n1,2\n", "no readable workbook"),
        ("my.jsonl", "a,b\n1,2\n", "no readable file of JSON lines"),
        ("my.jsonl", '{"a": [1, 2]}\n', "a hold lists or objects"),
        ("my.zip", "a,b\n", "no readable text"),
        ("my.dta", "a,b\n", r"its name must end in \.csv, .*\.feather"),
    ],
)
def test_says_what_is_wrong_with_a_file(tmp_path, name, content, message):
    with pytest.raises(ValueError, match=message):
        datasets.load_table(write(tmp_path, content, name))


def test_a_gz_that_is_none(tmp_path):
    path = tmp_path / "my.csv.gz"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="no readable text"):
        datasets.load_table(path)


def test_names_the_nearest_files_and_sets(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"Nearest: penguins"):
        datasets.load_table("pengiuns")
    write(tmp_path, "a\n1\n", "birds.csv")
    with pytest.raises(FileNotFoundError, match=r"no such file.*Nearest: .*birds\.csv"):
        datasets.load_table(tmp_path / "bird.csv")
    with pytest.raises(FileNotFoundError, match="a folder"):
        datasets.load_table(tmp_path)


def test_a_column_asked_for_twice_is_refused():
    with pytest.raises(ValueError, match="`columns` must be distinct, got more than one of 'type'"):
        datasets.load_table("zoo", ["type", "legs", "type"])


def test_names_the_nearest_columns():
    with pytest.raises(ValueError, match=r"'bill_lenght_mm'.*Nearest: 'bill_length_mm'"):
        datasets.load_table("penguins", ["bill_lenght_mm"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((5,), "`source` must be a name or a path"),
        (("zoo", "type"), "`columns` must be a list of names, got the text 'type'"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(TypeError, match=message):
        datasets.load_table(*arguments)


def test_bad_options():
    with pytest.raises(TypeError, match="`numeric` must be a list of names, got the text 'legs'"):
        datasets.load_table("zoo", numeric="legs")
    with pytest.raises(ValueError, match="`min_complete` must be at least 0, got -1"):
        datasets.load_table("zoo", min_complete=-1)


def test_columns_may_be_any_iterable():
    for columns in (pd.Index(["type"]), (name for name in ["type"])):
        assert list(datasets.load_table("zoo", columns)) == ["type"]


@pytest.mark.parametrize(
    ("index", "columns"),
    [
        (pd.RangeIndex(5, 7), ["1"]),
        (pd.RangeIndex(2, name="id"), ["id", "1"]),
        (pd.Index(["x", "y"], name="code"), ["code", "1"]),
    ],
)
def test_the_index_of_a_parquet_file_is_a_column_unless_it_only_counts(tmp_path, index, columns):
    pd.DataFrame({1: [3, 4]}, index=index).to_parquet(tmp_path / "my.parquet")
    table = datasets.load_table(tmp_path / "my.parquet")
    assert list(table) == columns  # names are text, as a reader gives them
    assert table.index.equals(pd.RangeIndex(2))


def test_an_index_of_a_parquet_file_that_cannot_be_a_column(tmp_path):
    pd.DataFrame({"a": [1]}, index=pd.Index([2], name="a")).to_parquet(tmp_path / "my.parquet")
    with pytest.raises(ValueError, match=r"no readable Parquet file .*already exists"):
        datasets.load_table(tmp_path / "my.parquet")


def test_describe_names_the_nearest():
    with pytest.raises(ValueError, match="Nearest: votes"):
        datasets.describe("vote")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"numeric": ["b"]},
            r"column 'b' .*my.csv' must hold numbers, but 1 of its 3 cells do not, "
            "such as 'x' in row 1",
        ),
        ({"numeric": ["d"]}, "'d' .* must hold numbers, but 3 of its 3"),
        ({"numeric": ["e"]}, "'e' .* but 1 of its 3 cells do not, such as 'y' in row 1"),
        ({"numeric": ["z"]}, "`numeric` names 'z'"),
        (
            {"min_complete": 3},
            "must have at least 3 rows with a value in each of 'a', 'b', 'c', 'd', 'e'; "
            "it has 0 of 3. No row has a value in 'c'",
        ),
        ({"columns": ["a", "b"], "min_complete": 3}, "it has 2 of 3[.]$"),
    ],
)
def test_what_the_chapters_ask_of_a_file(tmp_path, arguments, message):
    path = tmp_path / "my.csv"
    path.write_text("a,b,c,d,e\n1,1,,007,\n,x,,007,y\n3,2,,008,5\n")
    assert len(datasets.load_table(path, numeric=["a", "c"])) == 3
    assert len(datasets.load_table(path, ["a", "b"], min_complete=2)) == 3
    with pytest.raises(ValueError, match=message):
        datasets.load_table(path, **arguments)


def test_numbers_of_a_file_are_finite(tmp_path):
    pd.DataFrame({"a": [1.0, None, float("inf")], "b": [1, 2, 3]}).to_csv(
        tmp_path / "my.csv", index=False
    )
    message = r"column 'a' .* finite numbers, but 1 of its 3 cells are infinite, the first in row 2"
    with pytest.raises(ValueError, match=message):
        datasets.load_table(tmp_path / "my.csv", numeric=["a", "b"])


def test_a_column_of_a_parquet_file_without_any_value(tmp_path):
    pd.DataFrame({"a": [None, None], "b": [1, 2]}).to_parquet(tmp_path / "my.parquet")
    with pytest.raises(ValueError, match=r"it has 0 of 2\. No row has a value in 'a'"):
        datasets.load_table(tmp_path / "my.parquet", ["a", "b"], numeric=["a"], min_complete=1)
