"""What search engines, phones and chats ask of a page: its description, its picture, the map.

All but the description needs the site's address: while `html: baseurl` in _config.yml is unset,
nothing of it is written.
"""

import re
from html import escape
from io import BytesIO
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

from afterfit_book.site import Context, built_from


def add_tags(
    app: Sphinx, page: str, template: str, context: Context, doctree: nodes.document | None
) -> None:
    if doctree is None:
        return
    said = f'\n<meta name="description" content="{escape(summary(doctree))}" />'
    context["metatags"] = context.get("metatags", "") + said
    if app.config.html_baseurl:
        context["metatags"] += social_tags(app, page, context, doctree)


def absolute(app: Sphinx, path: str) -> str:
    return f"{app.config.html_baseurl.rstrip('/')}/{path}"


def summary(doctree: nodes.document) -> str:
    """Return the page's first paragraph, cut at a word's end as search engines show it."""
    for paragraph in doctree.findall(nodes.paragraph):
        text = re.sub(r"\s+", " ", paragraph.astext()).strip()
        if len(text) > 40:
            return text if len(text) <= 200 else text[:199].rsplit(" ", 1)[0] + " …"
    return ""


def card_name(page: str) -> str:
    return f"_static/cards/{page.removeprefix('book/').replace('/', '-')}.png"


def social_tags(app: Sphinx, page: str, context: Context, doctree: nodes.document) -> str:
    heading = re.sub(r"<[^>]+>", "", context.get("title", "")) or app.config.html_title
    tags = {
        "og:type": "article",
        "og:site_name": app.config.html_title,
        "og:title": heading,
        "og:description": summary(doctree),
        "og:url": absolute(app, f"{page}.html"),
        "og:image": absolute(app, card_name(page)),
        "og:image:width": "1200",
        "og:image:height": "630",
        "og:image:alt": heading,
    }
    write_card(Path(app.outdir, card_name(page)), heading, app.config.html_title)
    properties = "".join(
        f'\n<meta property="{name}" content="{escape(text)}" />' for name, text in tags.items()
    )
    return properties + '\n<meta name="twitter:card" content="summary_large_image" />'


def write_card(path: Path, heading: str, book: str) -> None:
    """Write the picture that shows a link to a page: its title, 1200 by 630 pixels."""
    import textwrap

    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(12, 6.3), facecolor="#14345b")
    lines = "\n".join(textwrap.wrap(heading.replace("$", r"\$"), 30))
    size = 44 if lines.count("\n") < 4 else 34
    figure.text(0.07, 0.56, lines, color="white", fontsize=size, va="center", fontweight="bold")
    figure.text(0.07, 0.09, book, color="#f0b64a", fontsize=26)
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = BytesIO()
    figure.savefig(buffer, dpi=100, format="png", metadata={"Software": None})
    plt.close(figure)
    path.write_bytes(buffer.getvalue())


def write_sitemap(app: Sphinx) -> None:
    _, day = built_from(app.srcdir)
    urls = "".join(
        f"  <url><loc>{escape(absolute(app, page + '.html'))}</loc><lastmod>{day}</lastmod></url>\n"
        for page in sorted(app.env.found_docs)
    )
    Path(app.outdir, "sitemap.xml").write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{urls}</urlset>\n',
        encoding="utf-8",
    )


def finish(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.name == "html" and app.config.html_baseurl:
        write_sitemap(app)


def setup(app: Sphinx) -> None:
    app.connect("html-page-context", add_tags, priority=901)
    app.connect("build-finished", finish)
