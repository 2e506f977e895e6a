"""The page on the bundled data: each set with its size, licence and source."""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from afterfit import datasets


class BundledData(SphinxDirective):
    """List the bundled data sets with size, description, source, licence and reference."""

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(datasets.__file__)
        return [self.section(datasets.describe(name)) for name in datasets.names()]

    def section(self, dataset: datasets.Dataset) -> nodes.section:
        table = datasets.load_table(dataset.name)
        section = nodes.section(ids=[f"data-{dataset.name.replace('_', '-')}"])
        title = nodes.title()
        title += [nodes.literal(text=dataset.name), nodes.Text(f": {dataset.title}")]
        section += title
        section += nodes.paragraph(text=dataset.description)
        facts = {
            "Size": f"{table.shape[0]:,} rows, {table.shape[1]} columns",
            "Missing cells": f"{int(table.isna().to_numpy().sum()):,}",
            "Source": dataset.source,
            "Licence": dataset.licence,
            "Reference": dataset.reference,
        }
        section += nodes.definition_list(
            "",
            *(
                nodes.definition_list_item(
                    "", nodes.term(text=name), nodes.definition("", nodes.paragraph(text=fact))
                )
                for name, fact in facts.items()
            ),
            classes=["facts"],
        )
        self.state.document.note_explicit_target(section)
        return section


def setup(app: Sphinx) -> None:
    app.add_directive("bundled-data", BundledData)
