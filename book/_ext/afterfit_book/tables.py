"""Tables that directives make."""

from docutils import nodes


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
