"""Where matplotlib is missing, what draws names the extra that brings it; numbers come anyway."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

WITHOUT = """
import sys



class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "matplotlib":
            raise ModuleNotFoundError("No module named 'matplotlib'", name="matplotlib")


sys.meta_path.insert(0, Missing())
import numpy as np
import scipy.stats
from sklearn.mixture import GaussianMixture

from afterfit import agreement, boundary, categorical, cca, runs

rng = np.random.default_rng(0)
X = rng.normal(size=(30, 4))
labels = rng.integers(2, size=30)
assert 0 < agreement.purity(labels, labels[::-1]) <= 1
table = rng.integers(3, size=(30, 4))
rule = boundary.BayesRule([scipy.stats.norm(0), scipy.stats.norm(2)], n_features=1)
"""


@pytest.mark.parametrize(
    "drawn",
    [
        "agreement.plot_contingency_table(labels, labels)",
        "boundary.BayesBoundaryDisplay.from_rule(rule, (-3, 5))",
        "categorical.plot_profile(table, labels)",
        "categorical.plot_silhouettes(table, labels)",
        "categorical.choose_n_clusters(table, range(1, 3), n_init=1, random_state=0).plot()",
        "cca.fit_cca(X[:, :2], X[:, 2:]).plot()",
        "runs.book_style()",
    ],
)
def test_what_draws_names_the_extra(drawn):
    code = f"{WITHOUT}\n{drawn}\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ModuleNotFoundError: Drawing needs matplotlib"), done.stderr
    assert "[plot]" in last


def test_the_extra_brings_matplotlib():
    project = Path(__file__).parents[1] / "pyproject.toml"
    extras = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert any(wanted.startswith("matplotlib") for wanted in extras["plot"])
