"""What a chapter shows of its recorded simulation: how often the number of clusters was found.

From benchmarks/results/, as `bench_categorical.py --simulate` wrote it.
"""

from pathlib import Path

import pandas as pd
from docutils import nodes
from scipy.stats import binomtest
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from afterfit_book.tables import table

CRITERIA = ["knee", "silhouette", "gap", "stability"]  # as the columns are named
RULES = ["rule", *CRITERIA]


class ChosenNumbers(SphinxDirective):
    """Show how often each criterion and the rule found K in the recorded simulated tables.

    The content is for readers of the notebook, who do not see the tables.
    """

    has_content = True

    def run(self) -> list[nodes.Node]:
        path = Path(self.env.srcdir, "benchmarks/results/categorical_simulation.csv")
        self.env.note_dependency(str(path))
        tables = pd.read_csv(path)
        return [
            nodes.paragraph(text=chosen_in_words(tables)),
            table(["rows × values, noise", *RULES, "any"], share_rows(tables)),
            table(["no clusters", *RULES], invented_rows(tables)),
        ]


def hits(tables: pd.DataFrame) -> pd.DataFrame:
    """Return for each table with clusters who found their number; "any" is any but the rule."""
    tables = tables[tables["true_k"] > 1]
    found = tables[RULES].eq(tables["true_k"], axis=0)
    found["any"] = found[CRITERIA].any(axis=1)
    return found


def chosen_in_words(tables: pd.DataFrame) -> str:
    found, without = hits(tables), tables[tables["true_k"] == 1]
    by_rule, invented = found.loc[found["any"], "rule"], without["rule"].gt(1)
    at_most = binomtest(int(invented.sum()), len(invented), alternative="less").proportion_ci()
    dates = sorted(set(tables["measured"]))
    return (
        f"Where any criterion finds the number of clusters, in {found['any'].sum()} of "
        f"{len(found)} tables, the rule finds it in {by_rule.sum()} ({by_rule.mean():.1%}). Of the "
        f"{len(without)} tables without clusters it invents some in {invented.sum()} "
        f"({invented.mean():.1%}; with 95% confidence it does so in at most {at_most.high:.1%}). "
        f"(The gap alone, by the rule of Tibshirani et al., finds it in {found['gap'].sum()}, and "
        f"invents some in {without['gap'].gt(1).sum()}.) "
        f"Measured on {' to '.join(dict.fromkeys([dates[0], dates[-1]]))}."
    )


def share_rows(tables: pd.DataFrame) -> list[list[str]]:
    """Return a row for each kind of table: in how many per cent of them who found K."""
    found = hits(tables)
    kinds = [tables.loc[found.index, name] for name in ("rows", "values", "noise")]
    shares = found.groupby(kinds).mean()
    rows = [
        [f"{n:,} × {v}, {noise:.0%}", *map("{:.0%}".format, share)]
        for (n, v, noise), share in zip(shares.index, shares.to_numpy(), strict=True)
    ]
    return [*rows, ["all", *map("{:.0%}".format, found.mean())]]


def invented_rows(tables: pd.DataFrame) -> list[list[str]]:
    """Return a row for each size: in how many per cent of the tables who invented clusters."""
    without = tables[tables["true_k"] == 1]
    invented = without[RULES].gt(1)
    shares = invented.groupby(without["rows"]).mean()
    rows = [[f"{n:,} rows", *map("{:.0%}".format, shares.loc[n])] for n in shares.index]
    return [*rows, ["all", *map("{:.0%}".format, invented.mean())]]


def setup(app: Sphinx) -> None:
    app.add_directive("chosen-numbers", ChosenNumbers)
