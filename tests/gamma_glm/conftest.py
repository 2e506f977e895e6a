"""Fixtures of the tests of `afterfit.gamma_glm`, and the place of their shared module."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.formula import options as formula_options

sys.path.insert(0, str(Path(__file__).parent))  # for what the test files share

from gamma_fits import fit_glm, questions_design


@pytest.fixture(scope="module")
def plain():
    X, y = questions_design()
    return fit_glm(y, X)


@pytest.fixture(scope="module")
def frame():
    generator = np.random.default_rng(5)
    n = 90
    frame = pd.DataFrame(
        {
            "x": generator.uniform(0.2, 3, n),
            "group": generator.choice(["a", "b", "c"], n),
            "year": generator.choice([2019, 2020, 2021], n),
            "time": generator.uniform(0.5, 2, n),
            "a name": generator.normal(size=n),
        },
        index=[f"row{i}" for i in range(n)],
    )
    frame["y"] = generator.gamma(5, frame.time * np.exp(0.5 - frame.x / 3) / 5)
    return frame


@pytest.fixture
def engine(request):
    before = formula_options.formula_engine
    formula_options.formula_engine = request.param
    yield request.param
    formula_options.formula_engine = before
