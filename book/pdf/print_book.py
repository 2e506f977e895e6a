"""Print the whole book to one file: `make pdf`.

The pages that `make book` wrote become one page, in the order of the table of contents; Chromium
prints it. It is printed twice: the first tells on which page each heading is, for the contents.
"""

import re
import sys
import threading
from functools import partial
from html import escape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath
from shutil import which
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup, Tag

ROOT = Path(__file__).parents[2]
HTML = ROOT / "_build/html"
PDF = ROOT / "_build/after-the-fit.pdf"
SINGLE = "print.html"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
MARGINS = {"top": "20mm", "bottom": "20mm", "left": "18mm", "right": "18mm"}
# What is left between the margins of A4, in CSS pixels.
WIDTH = round((210 - 36) / 25.4 * 96)
HEIGHT = round((297 - 40) / 25.4 * 96)

STYLE = """
@page { size: A4; }
html { font-size: 14px; scroll-padding: 0; }
body { background: white; color: black; margin: 0; padding: 0; }
.page { break-before: page; }
.title-page { height: 200mm; display: flex; flex-direction: column; justify-content: center; }
.title-page h1 { font-size: 3.2rem; margin: 0 0 1rem; }
.book-contents a { display: flex; text-decoration: none; color: inherit; gap: 0.5rem; }
.book-contents a { margin: 0.1rem 0; }
.book-contents a .dots { flex: 1; border-bottom: 1px dotted #777; margin-bottom: 0.3rem; }
.book-contents a.part { font-weight: 700; margin-top: 0.6rem; }
.book-contents a.section { padding-left: 1.5rem; }
h1, h2, h3, dt, p.case { break-after: avoid; }
figure, img, tr, .error-message, .sd-card { break-inside: avoid; }
div.cell_output img, figure img { max-height: 210mm; }
div.cell_output img, figure img { width: auto !important; max-width: 100% !important; }
.sd-row { display: flex; flex-wrap: wrap; }
.sd-row > .sd-col { width: 50%; flex: 0 0 50%; }
pre, pre * { white-space: pre-wrap !important; overflow: visible !important; }
pre, pre * { overflow-wrap: anywhere; }
div.highlight pre, div.cell_output pre { font-size: 10px !important; orphans: 3; widows: 3; }
div.highlight, div.cell_output .output, .pst-scrollable-table-container, div.math
  { overflow: visible !important; max-width: 100%; }
table { width: auto; max-width: 100%; font-size: 0.85em; }
table.dataframe { font-size: 0.75em; }
td, th { overflow-wrap: break-word; white-space: normal !important; }
td, th { padding: 0.15rem 0.4rem !important; }
table.dataframe th { overflow-wrap: normal; }
td code, td .pre { white-space: normal !important; overflow-wrap: break-word !important; }
a.headerlink, button { display: none !important; }
div.highlight, .cell_input, div.cell, details { break-inside: auto; }
.short { break-inside: avoid; }
p.solution { font-weight: 700; break-after: avoid; margin: 0.5rem 0; }
"""


def main() -> int:
    browser = next(filter(None, map(which, BROWSERS)), None)
    if browser is None:
        print(
            "make pdf needs Chromium: install it (on Debian: apt install chromium).",
            file=sys.stderr,
        )
        return 1
    pages = reading_order()
    print(f"putting {len(pages)} pages together", flush=True)
    book, headings = single_page(pages)
    (HTML / SINGLE).write_text(str(book), encoding="utf-8")
    try:
        print(f"printing {len(pages)} pages, to see where each heading falls", flush=True)
        print_pdf(browser)
        print("printing them again, with the numbers of pages", flush=True)
        write_page_numbers(book, page_of_each_heading(headings))
        (HTML / SINGLE).write_text(str(book), encoding="utf-8")
        print_pdf(browser)
    finally:
        (HTML / SINGLE).unlink()
    print(f"Printed: {PDF.relative_to(ROOT)}")
    return 0


def reading_order() -> list[str]:
    toc = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    documents = re.findall(r"(?:root|file): (\S+)", toc)
    return [document.removesuffix(".ipynb") + ".html" for document in documents]


def single_page(pages: list[str]) -> tuple[BeautifulSoup, list[str]]:
    """Return all pages as one, and the ids of the headings that the contents list."""
    first = BeautifulSoup((HTML / pages[0]).read_text(encoding="utf-8"), "html.parser")
    chapter = next(page for page in pages if "/chapters/" in page)
    mathematics = BeautifulSoup((HTML / chapter).read_text(encoding="utf-8"), "html.parser")
    book = BeautifulSoup("<!DOCTYPE html><html lang='en' data-theme='light'></html>", "html.parser")
    head, body = book.new_tag("head"), book.new_tag("body")
    book.html.extend([head, body])
    head.append(book.new_tag("meta", charset="utf-8"))
    title = book.new_tag("title")
    title.string = first.h1.find(string=True)
    head.append(title)
    for link in mathematics.find_all("link", rel="stylesheet"):
        head.append(book.new_tag("link", rel="stylesheet", href=rebased(link["href"], chapter)))
    for script in mathematics.find_all("script"):
        if "MathJax" in script.get_text():
            head.append(script)
        elif "mathjax" in script.get("src", ""):
            head.append(book.new_tag("script", src=rebased(script["src"], chapter), defer=True))
    style = book.new_tag("style")
    style.string = STYLE
    head.append(style)

    # The foot of every page says of which version, commit and day the book is.
    edition = first.find(class_="extra_footer").get_text().strip().split(". ")[0]
    front = f"<section class='title-page'><h1>{escape(title.string)}</h1>"
    front += f"<p>{escape(edition)}</p></section>"
    body.append(BeautifulSoup(front, "html.parser"))
    contents = book.new_tag("nav", attrs={"class": "page book-contents"})
    contents.append(BeautifulSoup("<h1>Contents</h1>", "html.parser"))
    body.append(contents)

    headings = []
    for page in pages:
        article = BeautifulSoup((HTML / page).read_text(encoding="utf-8"), "html.parser").article
        adapt(article, page, pages)
        wrapper = book.new_tag(
            "div", id=name_of(page), attrs={"class": "page bd-content bd-article"}
        )
        wrapper.append(article)
        body.append(wrapper)
        for heading in article.find_all(["h1", "h2"]):
            if heading.name == "h2" and "/chapters/" not in page:
                continue
            for mark in heading.find_all("a", class_="headerlink"):
                mark.decompose()
            heading["id"] = f"heading-{len(headings)}"
            kind = "part" if heading.name == "h1" else "section"
            entry = f"<a class='{kind}' href='#{heading['id']}'><span>{escape(heading.get_text())}"
            entry += "</span><span class='dots'></span><span class='number'></span></a>"
            contents.append(BeautifulSoup(entry, "html.parser"))
            headings.append(heading["id"])
    return book, headings


def adapt(article: Tag, page: str, pages: list[str]) -> None:
    """Make a page's content stand in the single page: own ids, links inside, nothing folded."""
    prefix = name_of(page)
    for idle in article.find_all(class_=["live", "prev-next-footer", "toctree-wrapper"]):
        idle.decompose()
    for tag in article.find_all(id=True):
        tag["id"] = f"{prefix}--{tag['id']}"
    for image in article.find_all("img"):
        image["src"] = rebased(image["src"], page)
        image.attrs.pop("loading", None)
    for details in article.find_all("details"):
        unfold(details)
    for downloads in article.find_all(id=f"{prefix}--take-it-along"):
        downloads.decompose()
    for link in article.find_all("a", href=True):
        parts = urlsplit(link["href"])
        if parts.netloc:
            continue
        target = rebased(parts.path, page) if parts.path else page
        if unquote(target) in pages:
            name = name_of(target)
            link["href"] = f"#{name}--{parts.fragment}" if parts.fragment else f"#{name}"
        else:  # a file that the printed book does not hold
            link.unwrap()


def unfold(details: Tag) -> None:
    """Leave what was folded; of what one clicks, leave what says that it is a solution."""
    summary = details.find("summary")
    if summary is not None:
        text = summary.get_text(" ", strip=True)
        if solution := re.search(r"solution\b.*?(?= Hide|$)", text):
            label = BeautifulSoup(
                f"<p class='solution'>{escape(solution[0].capitalize())}</p>", "html.parser"
            )
            summary.replace_with(label)
        else:
            summary.decompose()
    details.name = "div"


def rebased(address: str, page: str) -> str:
    """Return an address on a page as seen from the site's root."""
    parts: list[str] = []
    for part in (PurePosixPath(page).parent / address).parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def name_of(page: str) -> str:
    return re.sub(r"\W", "-", page.removesuffix(".html"))


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


def print_pdf(browser: str) -> None:
    from playwright.sync_api import sync_playwright

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(HTML)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    style = "width:100%;text-align:center;font-size:9px"
    number = f"<div style='{style}'><span class=pageNumber></span></div>"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": WIDTH, "height": 1000}, color_scheme="light")
        page.emulate_media(media="print")
        page.goto(
            f"http://127.0.0.1:{server.server_port}/{SINGLE}", wait_until="load", timeout=120_000
        )
        page.evaluate("MathJax.startup.promise.then(() => true)")
        page.evaluate(KEEP_TOGETHER, HEIGHT / 4)
        page.evaluate(FIT_TABLES, WIDTH)
        cut = page.evaluate(CUT_OFF, WIDTH)
        if cut:
            raise SystemExit("Cut off in print:\n" + "\n".join(cut))
        page.pdf(
            path=PDF, format="A4", margin=MARGINS, print_background=True, tagged=True, outline=True,
            display_header_footer=True, header_template="<div></div>", footer_template=number,
        )  # fmt: skip
        chromium.close()
    server.shutdown()


# Code and tables go over to the next page where they are long, and stay on one where short.
KEEP_TOGETHER = """height => {
  for (const block of document.querySelectorAll("div.highlight, .cell_input, table")) {
    if (block.getBoundingClientRect().height < height) block.classList.add("short");
  }
}"""

# Tables that are wider than the paper become smaller, down to 60 per cent.
FIT_TABLES = """width => {
  for (const table of document.querySelectorAll("table")) {
    const right = table.getBoundingClientRect().right;
    if (right > width) table.style.zoom = Math.max(0.6, 0.98 * width / right);
  }
}"""

# What reaches over the right edge of the paper.
CUT_OFF = """width => [...document.querySelectorAll("pre, img, table, mjx-container, p, li")]
  .filter(e => e.getClientRects().length && e.getBoundingClientRect().right > width + 1)
  .map(e => `${e.tagName} ${Math.round(e.getBoundingClientRect().right)} px of ${width}: `
    + (e.alt || e.textContent).trim().slice(0, 80))"""


def page_of_each_heading(headings: list[str]) -> dict[str, int]:
    """Return the page number of each heading, from the targets of the contents' links."""
    from pypdf import PdfReader

    reader = PdfReader(PDF)
    targets = reader.named_destinations
    return {
        heading: reader.get_destination_page_number(targets[name]) + 1
        for heading in headings
        for name in (heading, "/" + heading)
        if name in targets
    }


def write_page_numbers(book: BeautifulSoup, numbers: dict[str, int]) -> None:
    for link in book.find(class_="book-contents").find_all("a"):
        link.find(class_="number").string = str(numbers[link["href"][1:]])


if __name__ == "__main__":
    sys.exit(main())
