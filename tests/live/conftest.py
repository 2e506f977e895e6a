"""A stand-in for the engine that a test may question, in the built book."""

import json
from pathlib import Path

import pytest

SITE = Path(__file__).parents[2] / "_build/html"
STANDIN = Path(__file__).with_name("standin.js")


@pytest.fixture
def open_form(browser, site):
    """Open a page with a form; what the page complains of and asks for is kept."""
    contexts = []

    def open_it(
        stem="agreement", answers=None, engine=True, path="book/chapters/{}.html", **options
    ):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.complaints, page.requests = [], []
        page.on("console", lambda m: m.type == "error" and page.complaints.append(m.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("request", lambda request: page.requests.append(request.url))
        text = STANDIN.read_text("utf-8") if engine else "window.afterfitEngine = null;"
        page.route(
            "**/_static/live/engine.js*",
            lambda route: route.fulfill(body=text, content_type="text/javascript"),
        )
        page.add_init_script(f"window.standin = {json.dumps(answers or {})};")
        page.goto(f"{site}/{path.format(stem)}")
        page.form = page.locator(f"#live-{stem}")
        return page

    yield open_it
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def plain_page(browser, site):
    page = browser.new_page()
    page.goto(f"{site}/book/live.html")
    yield page
    page.close()
