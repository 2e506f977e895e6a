"""The built book, read as files: links and anchors resolve, nothing comes from elsewhere."""

from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup

HTML = Path(__file__).parents[1] / "_build/html"
PAGES = sorted(path.relative_to(HTML).as_posix() for path in HTML.rglob("*.html"))
PAGES = [page for page in PAGES if not page.startswith("_static/")]


@cache
def soup(page):
    return BeautifulSoup((HTML / page).read_text(encoding="utf-8"), "html.parser")


@cache
def anchors(page):
    return {tag["id"] for tag in soup(page).find_all(id=True)}


def test_the_book_is_there():
    assert "index.html" in PAGES
    assert "book/chapters/agreement.html" in PAGES


@pytest.mark.parametrize("page", PAGES)
def test_links_and_anchors_resolve(page):
    for link in soup(page).find_all("a", href=True):
        parts = urlsplit(link["href"])
        if parts.scheme or parts.netloc:
            assert parts.scheme == "https", link
            continue
        target = (HTML / page).parent / unquote(parts.path) if parts.path else HTML / page
        assert target.exists(), f"{page}: {link['href']}"
        if parts.fragment and target.suffix == ".html":
            name = target.resolve().relative_to(HTML.resolve()).as_posix()
            known = unquote(parts.fragment) in anchors(name)
            assert known or parts.fragment.startswith("search"), f"{page}: {link['href']}"


@pytest.mark.parametrize("page", PAGES)
def test_images_have_alternative_text(page):
    for image in soup(page).find_all("img"):
        assert image.get("alt", "").strip(), f"{page}: {image['src']}"
        assert not image["alt"].endswith((".svg", ".png")), f"{page}: a file name is no description"


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_loaded_from_another_host(page):
    loaded = [
        tag[attribute]
        for tag, attribute in (
            *((tag, "src") for tag in soup(page).find_all(src=True)),
            *((tag, "href") for tag in soup(page).find_all("link", href=True)),
        )
    ]
    for address in loaded:
        assert not urlsplit(address).netloc, f"{page}: {address}"


@pytest.mark.parametrize("page", PAGES)
def test_no_markup_is_left_unrendered(page):
    article = soup(page).find("article")
    for code in article.find_all("pre") if article else []:
        code.decompose()
    text = article.get_text() if article else ""
    for mark in ("{glue", "{term}", "{cite", "{numref}", "{doc}", "```"):
        assert mark not in text, f"{page}: {mark}"
    soup.cache_clear()
