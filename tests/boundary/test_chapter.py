"""What the chapter checks of a reader's table before it computes anything."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pandas as pd
import pytest

from afterfit.runs import ParameterError

NOTEBOOK = Path(__file__).parents[2] / "notebooks/boundary.ipynb"
COLUMNS = {"class_column": "group", "feature_columns": ["a", "b"]}


def table(sizes, seed=0):
    """Return a table with numbered classes of these sizes, 1, 2 and 10."""
    rng = np.random.default_rng(seed)
    group = np.repeat([10, 2, 1][: len(sizes)], sizes)
    return pd.DataFrame({"group": group, "a": rng.normal(group), "b": rng.normal(2 * group)})


def set_up(frame, tmp_path, **parameters):
    """Run the parameters and the set-up of the chapter on a table; return what they define."""
    path = tmp_path / "my.parquet"
    frame.to_parquet(path)
    found = {}
    with plt.rc_context():
        for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
            tags = cell.metadata.get("tags", [])
            if "parameters" in tags or "setup" in tags:
                exec(cell.source, found)
            if "parameters" in tags:
                found |= COLUMNS | {"data": str(path)} | parameters
    return found


def test_priors_go_to_the_classes_in_their_order(tmp_path):
    found = set_up(table([30, 20, 40]), tmp_path, priors=[0.7, 0.2, 0.1])
    assert found["prior"] == {"1": 0.7, "2": 0.2, "10": 0.1}
    assert found["rules"]["logistic"].classes.tolist() == ["1", "10", "2"]
    np.testing.assert_allclose(found["rules"]["logistic"].priors, [0.7, 0.1, 0.2])
    np.testing.assert_allclose(found["rules"]["Gaussian"].priors, [0.7, 0.2, 0.1])


def test_what_would_fail_in_cross_validation_is_refused_first(tmp_path):
    nearly = table([30, 20, 40])
    rows = nearly.index[nearly["group"] == 2]
    nearly.loc[rows, "b"] = 5.0
    nearly.loc[rows[3], "b"] = 6.0
    with pytest.raises(ParameterError, match=r"\['b'\] must vary, .* they do not in class '2'"):
        set_up(nearly, tmp_path)
    line = table([30, 20, 40])
    line.loc[line["group"] == 10, "b"] = 3 * line["a"]
    with pytest.raises(ParameterError, match=r"\['a', 'b'\] must vary, .* in class '10'"):
        set_up(line, tmp_path)
    with pytest.raises(ParameterError, match=r"`n_components` must be at most the 9 rows .* '2'"):
        set_up(table([30, 12, 40]), tmp_path, n_components=10)
    assert len(set_up(table([30, 12, 40]), tmp_path, n_components=9)["rules"]) == 4
    with pytest.raises(ParameterError, match=r"at least 10 complete rows each, got .*'2': 9"):
        set_up(table([30, 9, 40]), tmp_path)


def test_many_rows_are_thinned_and_every_class_kept(tmp_path):
    found = set_up(table([90_000, 60, 20_000]), tmp_path)
    sizes = found["y_used"].value_counts()
    assert sizes.to_dict() == {"10": 2000, "1": 2000, "2": 60}
    assert len(found["X"]) == 110_060  # for the decisions, all of them
    assert found["prior"]["10"] == pytest.approx(90_000 / 110_060)
