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

# The means that were tried on some of the tables, and what they are called; shown once they have
# seen so many.
LEAST_TABLES = 30
OTHERS = {
    "gap": "gap",
    "prediction_strength": "prediction strength",
    "jaccard": "Jaccard stability of clusters",
    "bic": "latent classes, BIC (stepmix)",
    "icl": "latent classes, ICL (stepmix)",
}


class ChosenNumbers(SphinxDirective):
    """Show how often each criterion and the rule were right in the recorded simulated tables.

    The content is for readers of the notebook, who do not see the tables.
    """

    has_content = True

    def run(self) -> list[nodes.Node]:
        tables, real = self._recorded("simulation"), self._recorded("real")
        shown = [
            nodes.paragraph(text=chosen_in_words(tables)),
            table(["right where there are clusters", "tables", *HEADS], right_rows(tables)),
            table(["clusters invented where there are none", "tables", *HEADS], lost_rows(tables)),
            read_it_so("100% is right in the first table, and 0% in the second."),
            nodes.paragraph(text=real_in_words(real)),
            table(["table", "classes", "says", *HEADS], real_rows(real)),
            read_it_so(
                "a number in the last five columns is a choice of K, to compare with the classes; "
                "“none” names no number, and “says” is what the rule says instead."
            ),
        ]
        means = self._recorded("means")
        if len(means) >= LEAST_TABLES:
            compared = tables.merge(means, on=["world", "repetition"], suffixes=("", "_means"))
            shown.append(nodes.paragraph(text=means_in_words(compared)))
            shown.append(table(["means", "right", "invented"], means_rows(compared)))
            shown.append(
                read_it_so(
                    "the first column is of tables with clusters, the second of tables without; "
                    "what finds much and invents much finds clusters everywhere."
                )
            )
        return shown

    def _recorded(self, name: str) -> pd.DataFrame:
        path = Path(self.env.srcdir, f"benchmarks/results/categorical_{name}.csv")
        self.env.note_dependency(str(path))
        return pd.read_csv(path, dtype={"right": str}) if path.exists() else pd.DataFrame()


def read_it_so(text: str) -> nodes.paragraph:
    start = nodes.emphasis(text="Read it so:")
    return nodes.paragraph("", "", start, nodes.Text(f" {text}"))


def hits(tables: pd.DataFrame, names: list[str] = RULES) -> pd.DataFrame:
    """Return for each table who was right; "any" is any criterion."""
    said = tables[names].astype("Int64").astype("string").fillna("none")
    said.loc[tables["structure"] == "more clusters", "rule"] = "more"
    said.loc[tables["latent_classes"].isna(), "latent_classes"] = "more"
    right = tables["right"].str.split()
    found = pd.DataFrame(
        {name: [a in b for a, b in zip(said[name], right, strict=True)] for name in names},
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
    designs = tables.groupby("world")["seen"].first()
    return (
        f"There are {len(designs)} designs of tables. While the rule was made it had been looked "
        f"at on {designs.sum()} of them (on other tables), and {(~designs).sum()} were written "
        "afterwards. "
        f"Of {len(clustered)} tables that have clusters the rule is right in {right.sum()} "
        f"({_share(right)}), names no number in {silent}, and a wrong one or 1 in "
        f"{len(right) - int(right.sum()) - silent}. Where any criterion is right, in "
        f"{could.sum()}, it is in {int((right & could).sum())} ({_share(right[could])}). Of "
        f"{len(empty)} tables without clusters it invents some in {invented.sum()} "
        f"({invented.mean():.1%}; with 95% confidence it does so in at most "
        f"{at_most.high:.1%}). On the {later.sum()} tables of "
        f"designs that were written after the rule it is right in {found.loc[later, 'rule'].sum()} "
        f"({_share(found.loc[later, 'rule'])}), and where its confidence is high in "
        f"{found.loc[sure, 'rule'].sum()} of {sure.sum()}. (± is one standard error.) "
        f"Measured on {' to '.join(dict.fromkeys([dates[0], dates[-1]]))}."
    )


def means_in_words(tables: pd.DataFrame) -> str:
    none = int(without_clusters(tables).sum())
    dates = sorted(set(tables["measured_means"]))
    return (
        f"Other means were tried on {len(tables)} of these tables, drawn from all kinds, "
        f"{len(tables) - none} with clusters and {none} without: the gap with 4 references; "
        "prediction strength in 4 halvings and the bootstrap Jaccard index of the least stable "
        "cluster in 4 samples, both with the largest K at which the mean and one standard error "
        "reach 0.8 and 0.75; and latent classes of stepmix (2 starts) with BIC and with ICL. "
        "All see the same rows, 4,000 at most but for the gap. (± is one standard error.) "
        f"Measured on {' to '.join(dict.fromkeys([dates[0], dates[-1]]))}."
    )


def means_rows(tables: pd.DataFrame) -> list[list[str]]:
    """Return a row for each of the means: how often right, and how often it invents clusters."""
    none, found = without_clusters(tables), hits(tables, [*RULES, *OTHERS])
    names = dict(zip(RULES, HEADS, strict=True)) | OTHERS
    return [
        [shown, _share(found.loc[~none, name]), _share(tables.loc[none, name].gt(1))]
        for name, shown in names.items()
    ]


def real_in_words(real: pd.DataFrame) -> str:
    right = {name: int(real[name].eq(real["classes"]).sum()) for name in RULES}
    listed = ", ".join(
        f"{shown} {right[name]}" for name, shown in zip(RULES[1:], HEADS[1:], strict=True)
    )
    return (
        "Known classes need not be clusters. Tables that packages ship, measurements cut into "
        f"quarters: the number of the classes is found by the rule in {right['rule']} of "
        f"{len(real)} ({listed})."
    )


def real_rows(real: pd.DataFrame) -> list[list[str]]:
    """Return a row for each real table: its classes, what the rule and the criteria say."""
    said = real[RULES].astype("Int64").astype("string").fillna("none")
    return [
        [*map(str, row), *numbers]
        for row, numbers in zip(
            real[["table", "classes", "structure"]].to_numpy(), said.to_numpy(), strict=True
        )
    ]


def _share(right: pd.Series) -> str:
    """Return a share and its standard error, which says nothing where all are alike."""
    share = float(right.mean())
    if share in (0, 1):
        return f"{share:.0%}, all {len(right)}" if share else f"0%, none of {len(right)}"
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
