"""What a folded cell says: what is in it, and how many lines."""

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

COUNT = re.compile(r", \d+ lines?$")


class CountLines(SphinxTransform):
    """Write on the bar of each folded cell how many lines it has, counted here: those not blank."""

    default_priority = 200

    def apply(self) -> None:
        for cell in self.document.findall(nodes.container):
            code = next(cell.findall(nodes.literal_block), None)
            if "prompt_show" in cell and code is not None:
                cell["prompt_show"] = counted(cell["prompt_show"], code.astext())


def counted(prompt: str, code: str) -> str:
    n_lines = sum(bool(line.strip()) for line in code.splitlines())
    return f"{COUNT.sub('', prompt)}, {n_lines} line{'' if n_lines == 1 else 's'}"


def setup(app: Sphinx) -> None:
    app.add_transform(CountLines)
