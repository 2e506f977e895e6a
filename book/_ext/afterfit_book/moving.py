"""Figures that move, on the pages of the chapters: their scripts, and the numbers they start from.

The scripts are in `_static/moving/`; a page carries its numbers as JSON: nothing is fetched.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from docutils import nodes
from sklearn.mixture import GaussianMixture
from sphinx.application import Sphinx

from afterfit import datasets, mixture
from afterfit_book.chapters import CHAPTERS
from afterfit_book.simulation import RULES, hits

# How finely the tail of the density is known: so many quantiles, from so many draws.
N_QUANTILES = 2001
N_DRAWS = 1_000_000


def old_faithful(source: Path) -> dict[str, Any]:
    """Return the mixture of the short answer, quantiles of its log density, and the eruptions."""
    X = datasets.load_table("faithful")
    model = GaussianMixture(2, random_state=1).fit(X)
    draws = model.sample(N_DRAWS)[0]  # by the model's own random state
    levels = np.quantile(mixture.log_density(model, draws), np.linspace(0, 1, N_QUANTILES))
    return {
        "weights": model.weights_.tolist(),
        "means": model.means_.tolist(),
        "covariances": model.covariances_.tolist(),
        "levels": levels.round(4).tolist(),
        "points": X.to_numpy().tolist(),
    }


def right_by_kind(source: Path) -> dict[str, Any]:
    """Return how often each criterion was right in the recorded simulation, by kind of table."""
    path = source / "benchmarks/results/categorical_simulation.csv"
    tables = pd.read_csv(path, dtype={"right": str})
    kinds = tables.groupby("kind", sort=False)
    shares = hits(tables)[RULES].groupby(tables["kind"], sort=False).mean()
    return {
        "kinds": shares.index.tolist(),
        "shares": {name.replace("_", " "): shares[name].tolist() for name in RULES},
        "tables": kinds.size().tolist(),
    }


DATA: dict[str, Callable[[Path], dict[str, Any]]] = {
    "mixture": old_faithful,
    "categorical": right_by_kind,
}


def add_scripts(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Give a chapter's page its script, and the numbers that it starts from."""
    stem = page.removeprefix(CHAPTERS)
    if stem == page or not Path(app.srcdir, f"book/_static/moving/{stem}.js").exists():
        return
    app.add_css_file("moving/moving.css")
    app.add_js_file("moving/shared.js", loading_method="defer")
    app.add_js_file(f"moving/{stem}.js", loading_method="defer")
    if stem in DATA:
        numbers = json.dumps(DATA[stem](Path(app.srcdir)), separators=(",", ":"))
        app.add_js_file(None, body=numbers, type="application/json", id="moving-data")


def setup(app: Sphinx) -> None:
    app.connect("html-page-context", add_scripts)
