"""What the welcome page begins with: a failure, run when the page is read, with its number."""

import re
import sys
from io import StringIO
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class Executed(SphinxDirective):
    """Run the code, show it with what it prints, and before it a text with its values.

    The text is the option `says`; names in braces are the code's, formatted as Python does. What
    only the text needs is in the option `with`, and not shown.
    """

    has_content = True
    option_spec = {  # noqa: RUF012  (docutils' convention)
        "says": directives.unchanged_required,
        "with": directives.unchanged,
    }

    def run(self) -> list[nodes.Node]:
        code = "\n".join(self.content)
        values, printed = executed(f"{code}\n{self.options.get('with', '')}")
        text = as_power(self.options["says"].format_map(values))
        before = nodes.container(classes=["opening"])
        self.state.nested_parse(StringList([text]), self.content_offset, before)
        shown = [before, nodes.literal_block(code, code, language="python")]
        if printed:
            box = nodes.container(classes=["printed"])
            box += nodes.literal_block(printed, printed, language="none")
            shown.append(box)
        self.env.note_dependency(str(Path(self.env.srcdir, "src/afterfit")))
        return shown


def executed(code: str) -> tuple[dict[str, object], str]:
    """Return the names that code defines, and what it prints."""
    values: dict[str, object] = {}
    printed, before = StringIO(), sys.stdout
    sys.stdout = printed
    try:
        exec(compile(code, "welcome", "exec"), values)
    finally:
        sys.stdout = before
    return values, printed.getvalue().rstrip()


def as_power(text: str) -> str:
    """Return a text with 5e-21 as 5 × 10⁻²¹."""
    raised = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
    return re.sub(
        r"(?<=\d)e([-+]\d+)", lambda power: " × 10" + f"{int(power[1])}".translate(raised), text
    )


def setup(app: Sphinx) -> None:
    app.add_directive("executed", Executed)
