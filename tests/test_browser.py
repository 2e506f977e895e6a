"""The built book in headless Chromium, served from loopback, as a reader sees it."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

HTML = Path(__file__).parents[1] / "_build/html"
PAGES = sorted(
    path.relative_to(HTML).as_posix()
    for folder in ("book", "book/chapters", "book/api")
    for path in (HTML / folder).glob("*.html")
)
CHAPTERS = [page for page in PAGES if "/chapters/" in page]

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


@pytest.fixture(scope="session")
def browser(browser_path):
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=flags)
        yield browser
        browser.close()


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
        page.goto(f"{site}/{path}", wait_until="networkidle")
        return page

    yield open_it
    for context in contexts:
        context.close()


@pytest.mark.parametrize("path", PAGES)
def test_no_error_and_no_foreign_request(open_page, path):
    page = open_page(path)
    assert page.complaints == []
    assert page.foreign == []


@pytest.mark.parametrize("path", CHAPTERS)
def test_mathematics_is_rendered_without_a_network(open_page, path):
    page = open_page(path)
    page.wait_for_selector("mjx-container")
    assert page.locator("mjx-container").count() > 3
    assert page.locator("mjx-merror").count() == 0


@pytest.mark.parametrize("width", [360, 768])
@pytest.mark.parametrize("path", PAGES)
def test_no_page_scrolls_sideways(open_page, path, width):
    page = open_page(path, viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(
    ("query", "chapter"),
    [("how pure are my clusters", "agreement"), ("linear_assignment", "agreement")],
)
def test_search_finds_the_chapter(open_page, query, chapter):
    page = open_page(f"search.html?q={query.replace(' ', '+')}")
    page.wait_for_selector("#search-results li a", timeout=10_000)
    links = page.locator("#search-results li a").evaluate_all("all => all.map(a => a.href)")
    assert any(f"chapters/{chapter}.html" in link for link in links[:5]), links


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
    for image in page.locator(".cell_output img").all():
        natural = image.evaluate("i => i.naturalWidth")
        shown = image.evaluate("i => i.clientWidth")
        # 11 points (the smallest text of the book's style) are 14.7 pixels at natural size.
        assert 14.7 * shown / natural >= 8, image.get_attribute("alt")
