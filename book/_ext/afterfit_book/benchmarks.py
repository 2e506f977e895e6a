"""What was measured: every case against its alternatives, from benchmarks/results/."""

import json
import os
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from afterfit_book.benchmark_figures import OURS, Case, Drawn, growth, ratios
from afterfit_book.chapters import chapter_link, stems, title
from afterfit_book.numbers import memory_text, number_text, ratio_text, time_text
from afterfit_book.tables import folded, table


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
        return [overview(reports), *(self.report(report, chapters) for report in reports)]

    def report(self, report: Case, chapters: list[str]) -> nodes.section:
        stem, cases = report["stem"], report["cases"]
        name = stem.replace("_", "-")
        section = nodes.section(ids=[f"speed-{name}"])
        if "title" in report:
            section += nodes.title(text=report["title"])
        else:
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
        details = with_numbers(cases)
        section += folded(
            f"The {len(details)} measurements of {stem}",
            [node for case in details for node in case_nodes(case)],
        )
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


def overview(reports: list[Case]) -> nodes.table:
    """Return one table of all comparisons, a row each; the script lets readers sort it."""
    rows = [
        [
            case["case"].replace(" x ", " × "),
            peer,
            ratio_text(ratio),
            time_text(case["seconds"][OURS]),
            time_text(case["seconds"][peer]),
            report["stem"].replace("_", " "),
        ]
        for report in reports
        for case in report["cases"]
        for peer, ratio in case.get("peer_over_ours", {}).items()
        if peer in case.get("seconds", {})
    ]
    head = ["what", "alternative", "times ours", "ours", "its time", "technique"]
    return table(head, rows, classes=["measured", "sortable"])


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


def sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def label(name: str) -> str:
    return name.replace("_", " ")


def setup(app: Sphinx) -> None:
    app.add_directive("benchmarks", Benchmarks)
