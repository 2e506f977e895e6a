"""Tables with known classes that packages ship, for the simulation of the number of clusters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from sklearn import datasets as sklearn_datasets
from sklearn.metrics import adjusted_rand_score

from afterfit import datasets
from afterfit.categorical import choose_n_clusters

K_MAX = 12


def real_choices(**options: Any) -> Iterator[dict[str, object]]:
    """Yield what the criteria and the rule say of each table, and how its classes compare."""
    for name, (X, classes) in real_tables().items():
        result = choose_n_clusters(
            X, range(1, K_MAX + 1), missing="category", random_state=0, **options
        )
        n_classes = len(set(classes))
        yield {
            "table": name,
            "rows": len(X),
            "columns": np.shape(X)[1],
            "classes": n_classes,
            **result.suggestions,
            "rule": result.n_clusters,
            "confidence": result.confidence,
            "structure": result.structure,
            "rand": round(adjusted_rand_score(classes, result.models[n_classes].labels_), 2),
        }


def real_tables() -> dict[str, tuple[Any, Any]]:
    """Return tables of categories and their classes; measurements are cut into quarters."""
    tables: dict[str, tuple[Any, Any]] = {}
    for name, column in [("votes", "party"), ("mushroom", "class"), ("zoo", "type")]:
        table = datasets.load_table(name)
        tables[name] = table.drop(columns=column), table[column]
    digits = sklearn_datasets.load_digits()
    tables["digits, dark or not"] = digits.data > 7, digits.target
    penguins = datasets.load_table("penguins").dropna()
    measured = [name for name in penguins if name.endswith(("_mm", "_g"))]
    tables["penguins, cut"] = cut(penguins[measured]), penguins["species"]
    for name in ("iris", "wine", "breast_cancer"):
        loaded = getattr(sklearn_datasets, f"load_{name}")()
        tables[f"{name.replace('_', ' ')}, cut"] = cut(loaded.data), loaded.target
    return tables


def cut(X: Any) -> Any:
    return np.column_stack(
        [pd.qcut(column, 4, labels=False, duplicates="drop") for column in np.asarray(X).T]
    )
