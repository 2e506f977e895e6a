"""The built book in headless Chromium, served from loopback, as a reader sees it."""

import doctest
import os
import re
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import axe_playwright_python
import nbformat
import pytest
from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[1]
HTML = ROOT / "_build/html"
PAGES = sorted(
    path.relative_to(HTML).as_posix()
    for path in HTML.rglob("*.html")
    if path != HTML / "index.html" and "_static" not in path.parts  # index.html only redirects
)
CHAPTERS = [page for page in PAGES if "/chapters/" in page]
STEMS = [Path(page).stem for page in CHAPTERS]

AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]  # WCAG 2.2, levels A and AA

# Where CI keeps what the pages looked like.
SCREENSHOTS = ROOT / "_build/screenshots" if os.environ.get("CI") else None

pytestmark = pytest.mark.browser


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="session")
def site():
    """The address of the built book."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(HTML)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def open_page(browser, site):
    """Open a page, and collect what it complains of and what it asks of other hosts."""
    contexts = []

    def open_it(path, **options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.complaints, page.foreign = [], []
        page.on("console", lambda m: m.type == "error" and page.complaints.append(m.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on(
            "request",
            lambda request: (
                request.url.startswith((site, "data:", "blob:")) or page.foreign.append(request.url)
            ),
        )
        page.goto(f"{site}/{path}", wait_until="load")
        page.evaluate("window.MathJax?.startup?.promise?.then(() => true)")
        return page

    yield open_it
    for context in contexts:
        context.close()


@pytest.mark.parametrize("path", PAGES)
def test_in_the_light_at_every_width(open_page, path):
    page = open_page(path, color_scheme="light", viewport={"width": 1440, "height": 900})
    assert page.complaints == []
    assert page.foreign == []
    keep_picture(page, path, "1440-light")
    unfold(page)
    assert barriers(page) == []
    for width in (1440, 768, 360):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, width
    keep_picture(page, path, "360-light")


@pytest.mark.parametrize("path", PAGES)
def test_in_the_dark_on_a_phone_with_everything_unfolded(open_page, path):
    page = open_page(path, color_scheme="dark", viewport={"width": 360, "height": 800})
    unfold(page)
    assert page.complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert barriers(page) == []
    keep_picture(page, path, "360-dark")


def unfold(page):
    """Open all that is folded. It fades in; half faded in, text has too little contrast."""
    page.evaluate("document.querySelectorAll('article details').forEach(d => (d.open = true))")
    page.evaluate("window.dispatchEvent(new Event('resize'))")
    page.evaluate("Promise.all(document.getAnimations().map(motion => motion.finished))")


def barriers(page):
    """Return what axe-core finds against WCAG 2.2 A and AA, a line a place.

    Code is thousands of coloured words of a few kinds, and the contrast of each takes a while: one
    of each kind keeps its colour meanwhile.
    """
    page.evaluate(AXE.read_text(encoding="utf-8"))
    return page.evaluate(
        """async rules => {
            const seen = new Set();
            const repeats = word => {
                const block = word.closest("pre, dt.sig").parentElement;
                const [text, back] = [getComputedStyle(word), getComputedStyle(block)];
                const kind = [text.color, text.font, back.backgroundColor].join();
                return seen.has(kind) || !seen.add(kind);
            };
            const words = [...document.querySelectorAll("pre span, dt.sig span")];
            const plain = words
                .filter(word => !word.children.length && repeats(word))
                .map(word => [word, document.createTextNode(word.textContent)]);
            plain.forEach(([word, text]) => word.replaceWith(text));
            const options = {runOnly: rules, resultTypes: ["violations"]};
            const found = await axe.run(document, options);
            plain.forEach(([word, text]) => text.replaceWith(word));
            return found.violations.flatMap(violation => violation.nodes.map(
                node => `${violation.id}: ${node.target} ${node.failureSummary}`));
        }""",
        RULES,
    )


def keep_picture(page, path, name):
    if SCREENSHOTS is not None:
        file = SCREENSHOTS / f"{path.removesuffix('.html').replace('/', '-')}-{name}.png"
        page.screenshot(path=file, full_page=True)


@pytest.mark.parametrize("path", CHAPTERS)
def test_weight_of_a_chapter(open_page, path):
    """All that the page asks for, uncompressed, without mathematics: below 700 kB.

    About a hundred of them are the typefaces, which all pages share.
    """
    page = open_page(path)
    urls = page.evaluate(
        """[...performance.getEntriesByType('resource').map(entry => entry.name),
            ...[...document.images].filter(image => image.getClientRects().length)
                .map(image => image.src)]"""
    )
    names = [path, *(re.sub(r"^https?://[^/]*/|[?#].*", "", url) for url in urls)]
    files = [HTML / name for name in dict.fromkeys(names) if "mathjax" not in name.lower()]
    sizes = {file.name: file.stat().st_size for file in files if file.is_file()}
    assert len(sizes) > 10
    assert sum(sizes.values()) < 700_000, sizes


@pytest.mark.parametrize("path", CHAPTERS)
def test_mathematics_is_rendered_without_a_network(open_page, path):
    page = open_page(path)
    page.wait_for_selector("mjx-container")
    assert page.locator("mjx-container").count() > 3
    assert page.locator(".math:not(:has(mjx-container))").all_inner_texts() == []
    assert page.locator("mjx-merror").count() == 0
    assert page.locator("mjx-mtext[style*='red']").count() == 0, "a macro that does not exist"


def questions_and_old_code():
    """For each chapter its question, the first old name and the first error message."""
    for stem in STEMS:
        text = (ROOT / f"notebooks/{stem}.md").read_text(encoding="utf-8")
        question = re.search(r"^# (.+)$", text, flags=re.MULTILINE)[1]
        section = text.split("## What has changed")[1]
        old, message = re.search(r"^\| `(.+?)` \| `(.+?)` \|", section, flags=re.MULTILINE).groups()
        name = re.findall(r"[A-Za-z_]\w{2,}", old)[-1]
        for query in (question.replace("`", ""), name, message):
            yield pytest.param(query, stem, id=f"{stem}: {query[:40]}")


@pytest.mark.parametrize(("query", "stem"), list(questions_and_old_code()))
def test_search_finds_the_chapter(open_page, query, stem):
    page = open_page("search.html")
    field = page.locator("article input[name=q], main input[name=q]").first
    if not field.is_visible():
        field = page.locator("input[name=q]:visible").first
    field.fill(query)
    field.press("Enter")
    page.wait_for_function(  # results are appended one by one
        """/^Search finished/.test(
            document.querySelector("#search-results .search-summary")?.textContent)"""
    )
    links = page.locator("#search-results li a").evaluate_all("all => all.map(a => a.href)")
    assert any(f"chapters/{stem}.html" in link for link in links), links
    found = page.locator(f"#search-results li:has(a[href$='chapters/{stem}.html'])").first
    quoted = found.locator(".context").inner_text().strip(".")
    html = BeautifulSoup((HTML / f"book/chapters/{stem}.html").read_text("utf-8"), "html.parser")
    for mark in html.select(".headerlink"):
        mark.decompose()
    assert len(quoted) > 100
    assert " ".join(quoted.split()) in " ".join(html.article.get_text().split())


@pytest.mark.parametrize("stem", STEMS)
def test_copy_buttons_copy_exactly_the_code(open_page, stem):
    page = open_page(
        f"book/chapters/{stem}.html", permissions=["clipboard-read", "clipboard-write"]
    )
    page.evaluate("document.querySelectorAll('details').forEach(d => (d.open = true))")
    executed = nbformat.read(ROOT / f"book/chapters/{stem}.ipynb", as_version=4)
    expected = [
        cell.source
        for cell in executed.cells
        if cell.cell_type == "code"
        and not {"remove-cell", "remove-input"} & set(cell.metadata.get("tags", []))
    ]
    copied = []
    for button in page.locator(".cell_input button.copybtn").all():
        button.dispatch_event("click")
        copied.append(page.evaluate("navigator.clipboard.readText()").rstrip("\n"))
    assert copied == expected
    assert page.locator(".cell_output button.copybtn").count() == 0, "an output is no code"


@pytest.mark.parametrize("path", [page for page in PAGES if "/api/" in page])
def test_copy_buttons_of_examples_leave_out_prompts_and_results(open_page, path):
    page = open_page(path, permissions=["clipboard-read", "clipboard-write"])
    parser = doctest.DocTestParser()
    for block in page.locator("div.highlight:has(button.copybtn)").all():
        text = block.locator("pre").inner_text() + "\n"
        examples = parser.get_examples(text)
        block.locator("button.copybtn").dispatch_event("click")
        copied = page.evaluate("navigator.clipboard.readText()")
        code = "".join(example.source for example in examples) or text
        assert copied == code.rstrip("\n")


@pytest.mark.parametrize(
    ("path", "places"),
    [
        (
            CHAPTERS[0],
            ["#main-content", "Toggle hidden", "Download", "copybtn", "theme-switch", "notebooks/"],
        ),
        ("book/welcome.html", ["search", "SUMMARY", "sd-stretched-link", "errors.html"]),
    ],
)
def test_keyboard_alone_reaches_everything_and_shows_where_it_is(open_page, path, places):
    page = open_page(path)
    page.add_style_tag(content="* { transition: none !important; }")
    stops, unseen = [], []
    for _ in range(400):
        page.keyboard.press("Tab")
        stop, is_seen = page.evaluate(
            """(e => [
                [e.tagName, e.id, e.className, e.ariaLabel, e.getAttribute("href")].join(" "),
                [[e], [e, "::after"], [e.firstElementChild ?? e]].some(part => {
                    const style = getComputedStyle(...part);
                    return style.outlineStyle !== "none" || style.boxShadow !== "none";
                })
            ])(document.activeElement)"""
        )
        if stop.startswith("BODY") and stops:
            break
        stops.append(stop)
        if not is_seen:
            unseen.append(stop)
    seen = " ".join(stops)
    for place in places:
        assert place in seen, f"no stop at {place}: {seen}"
    assert unseen == []


@pytest.mark.parametrize("path", CHAPTERS[:1])
def test_a_copy_button_with_the_focus_is_seen(open_page, path):
    page = open_page(path)
    page.locator("button.copybtn").first.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    page.wait_for_function("getComputedStyle(document.activeElement).opacity === '1'")


@pytest.mark.parametrize("path", CHAPTERS)
def test_solutions_open_by_keyboard(open_page, path):
    page = open_page(path)
    summary = page.locator("details summary").last
    summary.focus()
    page.keyboard.press("Enter")
    assert summary.evaluate("s => s.closest('details').open")


@pytest.mark.parametrize("path", CHAPTERS)
def test_figures_are_legible_on_a_phone(open_page, path):
    page = open_page(path, viewport={"width": 360, "height": 800})
    for image in page.locator(".cell_output img.in-the-light").all():
        image.evaluate("i => { i.loading = 'eager'; return i.decode(); }")
        natural = image.evaluate("i => i.naturalWidth")
        shown = image.evaluate("i => i.clientWidth")
        # 11 points (the smallest text of the book's style) are 14.7 pixels at natural size.
        assert 14.7 * shown / natural >= 8, image.get_attribute("alt")
