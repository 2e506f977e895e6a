"""What was measured: the page "How fast, against what", and a simulation that a chapter shows.

From benchmarks/results/, as `make bench` and `bench_categorical.py --simulate` wrote it.
"""

import json
import os
import textwrap
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
from afterfit_book.chapters import chapter_link, stems, title
from docutils import nodes
from scipy.stats import binomtest
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

OURS = "afterfit"
LINE = 58  # characters of the figure's text that fit its width
Case = dict[str, Any]
Drawn = tuple[bytes, str, str]  # SVG, caption, alternative text


class Benchmarks(SphinxDirective):
    """Show every measured case: who, time, memory, ratio; what grows with n; where and when."""

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(Path(self.env.srcdir, "_toc.yml")))
        chapters = stems(self.env.srcdir)
        reports = []
        for path in sorted(Path(self.env.srcdir, "benchmarks/results").glob("*.json")):
            self.env.note_dependency(str(path))
            reports.append(json.loads(path.read_text(encoding="utf-8")))
        reports.sort(key=lambda report: [*chapters, report["stem"]].index(report["stem"]))
        return [self.report(report, chapters) for report in reports]

    def report(self, report: Case, chapters: list[str]) -> nodes.section:
        stem, cases = report["stem"], report["cases"]
        name = stem.replace("_", "-")
        section = nodes.section(ids=[f"speed-{name}"])
        section += nodes.title("", "", nodes.literal(text=f"afterfit.{stem}"))
        if stem in chapters:
            line = nodes.paragraph(text="Chapter: ")
            line += chapter_link(title(self.env.srcdir, stem), stem)
            section += line
        versions = ", ".join(
            f"{package} {number}" for package, number in report["versions"].items()
        )
        section += nodes.paragraph(
            text=f"Measured on {report['measured']} on {report['machine']}, with Python "
            f"{report['python']}, {versions}."
        )
        section += self.figure(ratios(cases, f"afterfit.{stem}"), f"{name}-ratios")
        section += self.figure(growth(cases, f"afterfit.{stem}"), f"{name}-growth")
        for case in with_numbers(cases):
            section += case_nodes(case)
        self.state.document.note_explicit_target(section)
        return section

    def figure(self, drawn: Drawn | None, name: str) -> list[nodes.Node]:
        if drawn is None:
            return []
        data, caption, alt = drawn
        path = Path(self.env.app.outdir).parent / "benchmarks" / f"{name}.svg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        folder = Path(self.env.doc2path(self.env.docname)).parent
        figure = nodes.figure(classes=["drawn"])
        figure += nodes.image(uri=os.path.relpath(path, folder), alt=alt)
        figure += nodes.caption(text=caption)
        return [figure]


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


CRITERIA = ["knee", "silhouette", "gap", "stability"]  # as the columns are named
RULES = ["rule", *CRITERIA]


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


# --- tables ---


def with_numbers(cases: list[Case]) -> list[Case]:
    """Return the cases; numbers noted of all that were just compared go into their table."""
    joined: list[Case] = []
    for case in cases:
        before = joined[-1] if joined else {}
        if "numbers" in case and case["numbers"].keys() == before.get("seconds", {}).keys():
            more = case["case"].removeprefix(before["case"] + ": ")
            joined[-1] = before | {"noted": before.get("noted", {}) | {more: case["numbers"]}}
        else:
            joined.append(case)
    return joined


def case_nodes(case: Case) -> list[nodes.Node]:
    heading = nodes.paragraph("", "", nodes.strong(text=sentence(case["case"])), classes=["case"])
    if case.get("goal"):
        heading += nodes.inline(text=f" Goal: {case['goal']}.")
    if "seconds" not in case:
        rows = [[label(name), number_text(number)] for name, number in case["numbers"].items()]
        return [heading, table(["what", "number"], rows)]
    ours, noted = case["seconds"][OURS], case.get("noted", {})
    rows = [
        [
            who,
            time_text(seconds),
            "1" if who == OURS else ratio_text(seconds / ours),
            memory_text(case["peak_megabytes"][who]),
            *(number_text(numbers[who]) for numbers in noted.values()),
        ]
        for who, seconds in case["seconds"].items()
    ]
    return [heading, table(["who", "time", "times ours", "peak memory", *noted], rows)]


def table(head: list[str], rows: list[list[str]]) -> nodes.table:
    result = nodes.table(classes=["measured"])
    group = nodes.tgroup(cols=len(head))
    group += [nodes.colspec(colwidth=1) for _ in head]
    header, body = nodes.thead(), nodes.tbody()
    for part, lines in ((header, [head]), (body, rows)):
        for line in lines:
            row = nodes.row()
            for cell in line:
                row += nodes.entry("", nodes.paragraph(text=cell))
            part += row
    group += [header, body]
    result += group
    return result


def sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def label(name: str) -> str:
    return name.replace("_", " ")


def time_text(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:,.3g} {unit}" if seconds < 1000 else f"{seconds:,.0f} s"
    return f"{seconds / 1e-9:,.3g} ns"


def ratio_text(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.3g}"


def number_text(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.4g}"


def memory_text(megabytes: float) -> str:
    return f"{megabytes:,.0f} MB" if megabytes >= 100 else f"{megabytes:.2g} MB"


# --- figures ---


def ratios(cases: list[Case], name: str) -> Drawn | None:
    """Draw each alternative's time as a multiple of ours."""
    bars = [
        (f"{case['case']}: {peer}", ratio)
        for case in cases
        for peer, ratio in case.get("peer_over_ours", {}).items()
    ]
    if not bars:
        return None
    import matplotlib.pyplot as plt

    texts = [textwrap.fill(text, LINE) for text, _ in bars]
    lines = [text.count("\n") + 1 for text in texts]
    places, y = [], 0.0
    for count in lines:
        y += 0.2 * count
        places.append(y)
        y += 0.38
    with plt.style.context("afterfit.book"):
        figure, axes = plt.subplots(figsize=(5.2, y + 0.55))
        for place, text, (_, ratio) in zip(places, texts, bars, strict=True):
            axes.plot([1, ratio], [place, place], color="C0", linewidth=5, solid_capstyle="butt")
            axes.plot(ratio, place, "o", color="C0", markersize=8)
            axes.plot([1, 1], [place - 0.1, place + 0.1], color="black", linewidth=1.5)
            axes.text(
                0.0,
                place - 0.12,
                text,
                fontsize=11,
                va="bottom",
                transform=axes.get_yaxis_transform(),
            )
            axes.annotate(
                ratio_text(ratio), (max(ratio, 1), place), (8, 0), textcoords="offset points",
                va="center", fontsize=11, fontweight="bold",
            )  # fmt: skip
        axes.set_xscale("log")
        low, high = min(1, *(r for _, r in bars)), max(1, *(r for _, r in bars))
        axes.set_xlim(low / 1.6, high * max(3.0, (high / low) ** 0.22))
        axes.set_ylim(y + 0.05, 0)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("time of the alternative / time of ours")
        data = as_svg(figure)
    slower = sum(ratio > 1 for _, ratio in bars)
    alt = (
        f"Of {len(bars)} comparisons of {name} with alternatives, the alternative takes longer in "
        f"{slower}; its time is between {ratio_text(min(r for _, r in bars))} and "
        f"{ratio_text(max(r for _, r in bars))} times ours. The tables below have every number."
    )
    caption = (
        "Time of each alternative as a multiple of ours, on a logarithmic scale. "
        "Right of 1 (the short line) ours is faster."
    )
    return data, caption, alt


def families(cases: list[Case]) -> dict[str, list[Case]]:
    """Return the cases that differ in n alone, by their name with "n" in its place."""
    found: dict[str, list[Case]] = {}
    for case in cases:
        if case.get("n") and "seconds" in case:
            name = case["case"].replace(f"{case['n']:,}", "n").replace(str(case["n"]), "n")
            found.setdefault(name, []).append(case)
    return {
        name: sorted(group, key=lambda case: case["n"])
        for name, group in found.items()
        if len({case["n"] for case in group}) > 1
    }


def growth(cases: list[Case], name: str) -> Drawn | None:
    """Draw time against n for the cases that were measured at several n."""
    groups = families(cases)
    if not groups:
        return None
    import matplotlib.pyplot as plt

    with plt.style.context("afterfit.book"):
        figure, all_axes = plt.subplots(
            len(groups), figsize=(5.2, 3.6 * len(groups)), squeeze=False, sharex=False
        )
        for axes, (family, group) in zip(all_axes[:, 0], groups.items(), strict=True):
            lines = dict.fromkeys(who for case in group for who in case["seconds"])
            for position, who in enumerate(lines):
                points = [(c["n"], c["seconds"][who]) for c in group if who in c["seconds"]]
                axes.loglog(*zip(*points, strict=True), "os^Dv"[position % 5] + "-", label=who)
            axes.set_title("\n".join(textwrap.wrap(family, LINE)), fontsize=11)
            axes.set_xlabel("n")
            axes.set_ylabel("time (s)")
            axes.legend()
        data = as_svg(figure)
    said = []
    for family, group in groups.items():
        first, last = group[0], group[-1]
        grown = last["seconds"][OURS] / first["seconds"][OURS]
        said.append(
            f"{family}: from n = {first['n']:,} to {last['n']:,} the time of {name} grows "
            f"{ratio_text(grown)}-fold."
        )
    return data, "Time against n, both on logarithmic scales.", " ".join(said)


def as_svg(figure: Any) -> bytes:
    import matplotlib.pyplot as plt

    buffer = BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    plt.close(figure)
    return buffer.getvalue()


def setup(app: Sphinx) -> None:
    app.add_directive("benchmarks", Benchmarks)
    app.add_directive("chosen-numbers", ChosenNumbers)
