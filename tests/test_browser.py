"""The built book in headless Chromium, served from loopback, as a reader sees it."""

import doctest
import os
import re
from pathlib import Path

import axe_playwright_python
import nbformat
import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import expect

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


@pytest.fixture(scope="module", params=CHAPTERS)
def chapter(browser, site, request):
    """A chapter, opened once for all tests that change only its size and what is unfolded."""
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.path = request.param
    page.goto(f"{site}/{page.path}")
    page.evaluate("window.MathJax.startup.promise.then(() => true)")
    yield page
    context.close()


@pytest.mark.parametrize("path", PAGES)
def test_at_every_width_in_the_light_and_in_the_dark(open_page, path):
    """On a large screen and on a phone, with everything unfolded."""
    page = open_page(path, color_scheme="light", viewport={"width": 1440, "height": 900})
    keep_picture(page, path, "1440-light")
    unfold(page)
    for width in (1440, 768, 360):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, width
    keep_picture(page, path, "360-light")
    page.emulate_media(color_scheme="dark")
    unfold(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.complaints == []
    assert page.foreign == []
    assert barriers(page) == []
    keep_picture(page, path, "360-dark")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1440, "height": 800})
    unfold(page)
    assert barriers(page) == []


def unfold(page):
    """Open all that is folded. It fades in; half faded in, text has too little contrast."""
    page.evaluate("document.querySelectorAll('article details').forEach(d => (d.open = true))")
    page.evaluate("window.dispatchEvent(new Event('resize'))")
    page.evaluate("Promise.all(document.getAnimations().map(motion => motion.finished))")


def barriers(page):
    """Return what axe-core finds against WCAG 2.2 A and AA, a line a place.

    The contrast of one text takes axe milliseconds, and a page has thousands of a few kinds: those
    in the same colour and size on the same grounds. One of each kind is looked at.
    """
    page.evaluate(AXE.read_text(encoding="utf-8"))
    return page.evaluate(
        """async rules => {
            const grounds = new Map([[null, ""]]);
            const ground = element => {
                if (!grounds.has(element)) {
                    const style = getComputedStyle(element);
                    const own = ["backgroundColor", "backgroundImage", "opacity", "filter",
                        "position", "zIndex"].map(name => style[name]);
                    grounds.set(element, [ground(element.parentElement), ...own].join());
                }
                return grounds.get(element);
            };
            const kinds = new Map();
            for (const element of document.body.querySelectorAll("*")) {
                const {color, fontSize, fontWeight, textShadow} = getComputedStyle(element);
                const isSeen = element.checkVisibility() && element.getClientRects().length;
                const hasText = [...element.childNodes].some(node => node.data?.trim())
                    || element.matches("input, select, textarea, button");
                const kind = [color, fontSize, fontWeight, textShadow, ground(element)].join();
                if (isSeen && hasText && !kinds.has(kind)) kinds.set(kind, element);
            }
            const found = [
                await axe.run({runOnly: rules, rules: {"color-contrast": {enabled: false}}}),
                await axe.run({include: [...kinds.values()]}, {runOnly: ["color-contrast"]}),
            ];
            return found.flatMap(({violations}) => violations).flatMap(({id, nodes}) =>
                nodes.map(node => `${id}: ${node.target} ${node.failureSummary}`));
        }""",
        RULES,
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_barriers_are_found(open_page, scheme):
    """One pale word, cell or paragraph among many; else "none found" would say nothing."""
    page = open_page(CHAPTERS[0], color_scheme=scheme)
    unfold(page)
    places = ["article pre span.k", "article td p", "article section > p", "footer p"]
    for number, place in enumerate(places):
        page.locator(place).last.evaluate(
            "(e, number) => { e.id = `pale-${number}`; e.style = 'color: #888; background: #999' }",
            number,
        )
    page.locator("article img:visible").first.evaluate("image => image.removeAttribute('alt')")
    found = "\n".join(barriers(page))
    assert sorted(re.findall(r"color-contrast: .*#pale-(\d)", found)) == ["0", "1", "2", "3"]
    assert "image-alt" in found


def keep_picture(page, path, name):
    if SCREENSHOTS is not None:
        file = SCREENSHOTS / f"{path.removesuffix('.html').replace('/', '-')}-{name}.png"
        page.screenshot(path=file, full_page=True)


def test_weight_of_a_chapter(chapter):
    """All that the page asks for, uncompressed, without mathematics: below 800 kB.

    About a hundred of them are the typefaces, which all pages share.
    """
    urls = chapter.evaluate(
        """[...performance.getEntriesByType('resource').map(entry => entry.name),
            ...[...document.images].filter(image => image.getClientRects().length)
                .map(image => image.src)]"""
    )
    names = [chapter.path, *(re.sub(r"^https?://[^/]*/|[?#].*", "", url) for url in urls)]
    files = [HTML / name for name in dict.fromkeys(names) if "mathjax" not in name.lower()]
    sizes = {file.name: file.stat().st_size for file in files if file.is_file()}
    assert len(sizes) > 10
    assert sum(sizes.values()) < 800_000, sizes


def test_mathematics_is_rendered_without_a_network(chapter):
    chapter.wait_for_selector("mjx-container")
    assert chapter.locator("mjx-container").count() > 3
    assert chapter.locator(".math:not(:has(mjx-container))").all_inner_texts() == []
    assert chapter.locator("mjx-merror").count() == 0
    assert chapter.locator("mjx-mtext[style*='red']").count() == 0, "a macro that does not exist"


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


@pytest.fixture(scope="module")
def search_page(browser, site):
    page = browser.new_page()
    page.goto(f"{site}/search.html")
    yield page
    page.close()


def search(page, query):
    """Search, and return the pages that were found, the best first."""
    field = page.locator("article input[name=q], main input[name=q]").first
    if not field.is_visible():
        field = page.locator("input[name=q]:visible").first
    field.fill(query)
    field.press("Enter")
    # Results are appended one by one.
    page.locator(
        "#search-results .search-summary", has_text=re.compile("^Search finished")
    ).wait_for()
    return page.locator("#search-results li a").evaluate_all(
        "all => all.map(a => new URL(a.href).pathname.slice(1))"
    )


@pytest.mark.parametrize(("query", "stem"), list(questions_and_old_code()))
def test_search_finds_the_chapter(search_page, query, stem):
    pages = search(search_page, query)
    assert f"book/chapters/{stem}.html" in pages
    found = search_page.locator(f"#search-results li:has(a[href$='chapters/{stem}.html'])").first
    quoted = found.locator(".context").inner_text().strip(".")
    html = BeautifulSoup((HTML / f"book/chapters/{stem}.html").read_text("utf-8"), "html.parser")
    idle = ".headerlink, script, style, pre, .cell, .math, .install, .without, .live, table, nav"
    for mark in html.select(idle):
        mark.decompose()
    assert len(quoted) > 60
    prose = " ".join(html.article.get_text().split())
    assert " ".join(quoted.split()) in prose, "an excerpt that is no prose"


OLD = "cannot import name 'GMM' from 'sklearn.mixture'"


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("SVCCA", "book/chapters/cca.html"),
        ("percentile gamma", "book/chapters/gamma_glm.html"),
        ("install", "book/welcome.html"),
        ("purity", "book/chapters/agreement.html"),
        ("kmodes number of clusters", "book/chapters/categorical.html"),
        (f"ImportError: {OLD} (/usr/lib/python3/site-packages/sklearn/mixture/__init__.py)", ""),
        ("ModuleNotFoundError: No module named 'sklearn.cross_validation'", ""),
    ],
)
def test_search_leads_to_the_right_page_first(search_page, query, first):
    assert search(search_page, query)[0] == (first or "book/errors.html")


# --- what the script adds ---


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (f"ImportError: {OLD} (/usr/lib/sklearn/__init__.py)", 1),
        (OLD, 1),
        ("No module named", 2),
        ("nothing like it", 0),
    ],
)
def test_messages_are_filtered(open_page, message, shown):
    page = open_page("book/errors.html")
    everything = page.locator(".error-message:visible").count()
    page.get_by_label("Your message").fill(message)
    found = page.locator(".error-message:visible").count()
    assert found == shown or (shown == 2 and 2 <= found < everything)
    assert page.locator("form.filter [role=status]").inner_text().startswith(f"{found} of")
    page.get_by_label("Your message").fill("")
    assert page.locator(".error-message:visible").count() == everything


@pytest.mark.parametrize("width", [1440, 360])
def test_a_term_explains_itself(open_page, width):
    page = open_page(CHAPTERS[0], viewport={"width": width, "height": 800})
    term = page.locator("article a[data-definition]").first
    box = page.locator("#afterfit-definition")
    assert not box.is_visible()
    for appear in (term.hover, term.focus):
        appear()
        assert box.inner_text() == term.get_attribute("data-definition")
        assert term.get_attribute("aria-describedby") == "afterfit-definition"
        place = box.bounding_box()
        assert place["x"] >= 0
        assert place["x"] + place["width"] <= width
        page.keyboard.press("Escape")
        assert not box.is_visible()
        page.mouse.move(0, 0)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_benchmarks_can_be_sorted(open_page):
    page = open_page("book/speed.html")
    table = page.locator("table.sortable")
    place = table.locator("th").all_inner_texts().index("times ours") + 1

    def ratios():
        cells = table.locator(f"tbody td:nth-child({place})").all_inner_texts()
        return [float(cell.replace(",", "")) for cell in cells]

    before = ratios()
    head = table.locator("th", has_text="times ours")
    for order, expected in (("ascending", sorted(before)), ("descending", sorted(before)[::-1])):
        head.locator("button").press("Enter")
        assert head.get_attribute("aria-sort") == order
        assert ratios() == expected
    assert page.locator("details.folded[open]").count() == 0, "the others are folded"


def test_pip_is_told_where_the_site_is(open_page, site):
    page = open_page("book/welcome.html")
    wheel = page.locator(".install a").evaluate("a => a.href")
    assert wheel.startswith(f"{site}/downloads/")
    assert page.locator(".install pre").inner_text() == f'pip install "afterfit[plot] @ {wheel}"'
    assert page.request.get(wheel).ok


def test_lines_are_as_long_as_one_reads_with_ease(chapter):
    """66 to 75 characters a line on a wide screen; a few lines are shorter or longer."""
    chapter.set_viewport_size({"width": 1440, "height": 900})
    lines = chapter.evaluate(
        """[...document.querySelectorAll("article section > p")]
            .filter(p => p.getClientRects().length && !p.querySelector("mjx-container, code"))
            .map(p => [p.textContent.length, Math.round(p.getBoundingClientRect().height
                / parseFloat(getComputedStyle(p).lineHeight))])
            .filter(([, lines]) => lines > 2)"""
    )
    assert 62 <= sum(n for n, _ in lines) / sum(count - 0.35 for _, count in lines) <= 77


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_figures_are_drawn_for_the_light_and_for_the_dark(open_page, scheme):
    page = open_page(CHAPTERS[0], color_scheme=scheme)
    shown = page.locator("article img:visible")
    assert shown.count() > 2
    sources = shown.evaluate_all("all => all.map(image => image.src)")
    assert all(source.endswith("-dark.svg") == (scheme == "dark") for source in sources)
    assert page.locator("article img").evaluate_all(
        "all => all.every(image => getComputedStyle(image).filter === 'none')"
    )


def test_text_and_code_are_set_in_the_book_s_own_faces(open_page):
    page = open_page(CHAPTERS[0])
    faces = page.evaluate(
        """document.fonts.ready.then(() => [...document.fonts]
            .filter(face => face.status === "loaded")
            .map(face => face.family.replaceAll('"', "")))"""
    )
    assert {"Inter", "JetBrains Mono"} <= set(faces)
    code = page.locator(".cell_input pre").first.evaluate(
        "pre => [getComputedStyle(pre).fontSize, getComputedStyle(pre).lineHeight]"
    )
    assert code == ["14px", "21px"]


def test_what_was_printed_wraps(chapter):
    chapter.set_viewport_size({"width": 360, "height": 800})
    chapter.evaluate("document.querySelectorAll('article details').forEach(d => (d.open = true))")
    wide = chapter.locator(".cell_output pre").evaluate_all(
        "all => all.filter(pre => pre.scrollWidth > pre.clientWidth + 1).map(p => p.textContent)"
    )
    assert wide == []


def test_copy_buttons_copy_exactly_the_code(chapter):
    executed = nbformat.read(ROOT / Path(chapter.path).with_suffix(".ipynb"), as_version=4)
    expected = [
        cell.source
        for cell in executed.cells
        if cell.cell_type == "code"
        and not {"remove-cell", "remove-input"} & set(cell.metadata.get("tags", []))
    ]
    copied = []
    for button in chapter.locator(".cell_input button.copybtn").all():
        button.dispatch_event("click")
        copied.append(chapter.evaluate("navigator.clipboard.readText()").rstrip("\n"))
    assert copied == expected
    assert chapter.locator(".cell_output button.copybtn").count() == 0, "an output is no code"


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
    expect(page.locator("button.copybtn").first).to_have_css("opacity", "1")


def test_solutions_open_by_keyboard(chapter):
    summary = chapter.locator(".cell details summary").last
    summary.evaluate("s => (s.closest('details').open = false)")
    summary.focus()
    chapter.keyboard.press("Enter")
    assert summary.evaluate("s => s.closest('details').open")


def test_figures_are_legible_on_a_phone(chapter):
    chapter.set_viewport_size({"width": 360, "height": 800})
    for image in chapter.locator(".cell_output img.in-the-light").all():
        image.evaluate("i => { i.loading = 'eager'; return i.decode(); }")
        natural = image.evaluate("i => i.naturalWidth")
        shown = image.evaluate("i => i.clientWidth")
        # 11 points (the smallest text of the book's style) are 14.7 pixels at natural size.
        assert 14.7 * shown / natural >= 8, image.get_attribute("alt")
