"""What a chapter shows of its recorded simulation: how often the number of clusters was found.

From benchmarks/results/, as `bench_categorical.py --simulate` wrote it.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from docutils import nodes
from scipy.stats import binomtest
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from afterfit_book.tables import table

CRITERIA = ["knee", "silhouette", "stability", "latent_classes"]  # as the columns are named
RULES = ["rule", *CRITERIA]
HEADS = ["rule", "knee", "silhouette", "stability", "latent classes"]


class ChosenNumbers(SphinxDirective):
    """Show how often each criterion and the rule were right in the recorded simulated tables.

    The content is for readers of the notebook, who do not see the tables.
    """

    has_content = True

    def run(self) -> list[nodes.Node]:
        path = Path(self.env.srcdir, "benchmarks/results/categorical_simulation.csv")
        self.env.note_dependency(str(path))
        tables = pd.read_csv(path, dtype={"right": str})
        return [
            nodes.paragraph(text=chosen_in_words(tables)),
            table(["right where there are clusters", "tables", *HEADS], right_rows(tables)),
            table(["clusters invented where there are none", "tables", *HEADS], lost_rows(tables)),
        ]


def hits(tables: pd.DataFrame) -> pd.DataFrame:
    """Return for each table who was right; "any" is any criterion."""
    said = tables[RULES].astype("Int64").astype("string").fillna("none")
    said.loc[tables["structure"] == "more clusters", "rule"] = "more"
    said.loc[tables["latent_classes"].isna(), "latent_classes"] = "more"
    right = tables["right"].str.split()
    found = pd.DataFrame(
        {name: [a in b for a, b in zip(said[name], right, strict=True)] for name in RULES},
        index=tables.index,
    )
    found["any"] = found[CRITERIA].any(axis=1)
    return found


def without_clusters(tables: pd.DataFrame) -> pd.Series:
    return tables["right"] == "1"


def chosen_in_words(tables: pd.DataFrame) -> str:
    none, found = without_clusters(tables), hits(tables)
    clustered, empty = tables[~none], tables[none]
    right = found.loc[clustered.index, "rule"]
    could = found.loc[clustered.index, "any"]
    silent = int(clustered["rule"].isna().sum() - (right & clustered["rule"].isna()).sum())
    invented = empty["rule"].gt(1)
    at_most = binomtest(int(invented.sum()), len(invented), alternative="less").proportion_ci()
    later = ~tables["seen"].astype(bool)
    sure = tables["confidence"] == "high"
    dates = sorted(set(tables["measured"]))
    return (
        f"Of {len(clustered)} tables that have clusters the rule is right in {right.sum()} "
        f"({_share(right)}), names no number in {silent}, and a wrong one or 1 in "
        f"{len(right) - int(right.sum()) - silent}. Where any criterion is right, in "
        f"{could.sum()}, it is in {int((right & could).sum())} ({_share(right[could])}). Of "
        f"{len(empty)} tables without clusters it invents some in {invented.sum()} "
        f"({invented.mean():.1%}; with 95% confidence it does so in at most "
        f"{at_most.high:.1%}). On the {later.sum()} tables of "
        f"kinds that were written after the rule it is right in {found.loc[later, 'rule'].sum()} "
        f"({_share(found.loc[later, 'rule'])}), and where its confidence is high in "
        f"{found.loc[sure, 'rule'].sum()} of {sure.sum()}. (± is one standard error.) "
        f"Measured on {' to '.join(dict.fromkeys([dates[0], dates[-1]]))}."
    )


def _share(right: pd.Series) -> str:
    share = float(right.mean())
    return f"{share:.1%} ± {np.sqrt(share * (1 - share) / len(right)):.1%}"


def right_rows(tables: pd.DataFrame) -> list[list[str]]:
    """Return a row for each kind of table with clusters: in how many per cent who was right."""
    clustered = tables[~without_clusters(tables)]
    return _rows(clustered, hits(tables).loc[clustered.index, RULES])


def lost_rows(tables: pd.DataFrame) -> list[list[str]]:
    """Return a row for each kind without clusters: in how many per cent who invented some."""
    empty = tables[without_clusters(tables)]
    return _rows(empty, empty[RULES].gt(1))


def _rows(tables: pd.DataFrame, what: pd.DataFrame) -> list[list[str]]:
    shares = what.groupby(tables["kind"], sort=False).mean()
    counts = tables["kind"].value_counts()
    rows = [
        [kind, f"{counts[kind]}", *map("{:.0%}".format, share)]
        for kind, share in zip(shares.index, shares.to_numpy(), strict=True)
    ]
    return [*rows, ["all", f"{len(tables)}", *map("{:.0%}".format, what.mean())]]


def setup(app: Sphinx) -> None:
    app.add_directive("chosen-numbers", ChosenNumbers)
