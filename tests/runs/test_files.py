"""Files of rows: all of them, found again by their index, whole or not at all."""

import numpy as np
import pandas as pd
import pytest

from afterfit import runs
from afterfit.runs import _files

FRAME = pd.DataFrame(
    {"cluster": [2, 0, 1], "density": [0.1, np.pi, 1e-300], "name": ["a,b", "=1+1", "\u00e9"]},
    index=[0, 3, 7],
)


@pytest.mark.parametrize(("name", "read"), [("x.csv", pd.read_csv), ("X.Parquet", pd.read_parquet)])
def test_rows_come_back_with_their_numbers(tmp_path, name, read):
    runs.write_rows(FRAME, str(tmp_path / name))
    back = read(tmp_path / name)
    assert list(back) == ["row", "cluster", "density", "name"]
    pd.testing.assert_frame_equal(
        back.set_index("row"), FRAME, check_exact=True, check_names=False, check_dtype=False
    )
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_named_index_keeps_its_name_and_a_file_is_replaced(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("old")
    runs.write_rows(FRAME.rename_axis("bird"), str(path))
    assert path.read_text().startswith("bird,cluster,")


def test_where_there_are_no_modes_as_in_webassembly(tmp_path, monkeypatch):
    monkeypatch.delattr(_files.os, "umask", raising=False)
    monkeypatch.delattr(_files.os, "chmod", raising=False)
    runs.write_rows(FRAME, str(tmp_path / "rows.csv"))
    assert (tmp_path / "rows.csv").read_text().startswith("row,cluster,")


def test_nothing_is_written_for_the_empty_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runs.write_rows(FRAME, "")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("frame", "name", "error", "message"),
    [
        (FRAME, "rows.xlsx", runs.ParameterError, "`path` must be empty or a file whose name ends"),
        (FRAME, "rows", runs.ParameterError, r"ends in .csv or .parquet, got '.*rows'"),
        (FRAME, "no/rows.csv", runs.ParameterError, "`path` must be in a folder that is there"),
        (FRAME["name"], "rows.csv", TypeError, "must be a DataFrame with a simple index, got a Se"),
        (FRAME.set_index(["name", "cluster"]), "rows.csv", TypeError, "got a MultiIndex"),
        (FRAME.rename(columns={"name": "row"}), "rows.csv", ValueError, "got 'row' twice"),
        (FRAME.set_axis(["a", "a", "b"], axis=1), "rows.csv", ValueError, "got 'a' twice"),
    ],
)
def test_what_cannot_be_written_is_named(tmp_path, frame, name, error, message):
    with pytest.raises(error, match=message):
        runs.write_rows(frame, str(tmp_path / name))
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_finished_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "rows.csv"
    path.write_text("old")
    monkeypatch.setattr(_files.os, "replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        runs.write_rows(FRAME, str(path))
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]
