"""What the page makes of a run's outputs: nothing that acts or loads, all that is to be seen."""

import json
from pathlib import Path

import axe_playwright_python
import numpy as np
import pytest
from bs4 import BeautifulSoup

from afterfit import _dark

ROOT = Path(__file__).parents[2]
SITE = ROOT / "_build/html"
STEMS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.md"))
AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("layout", [".3f", ".0f", ",.1f", ".0%", ".1%", ","])
def test_numbers_are_written_as_python_does(plain_page, layout):
    numbers = [0.5, 1.5, 2.5, 0.125, 0.375, -0.0625, 1e6 / 3, 0.0005, 1234567.5, -2.675, 1e-9, 7]
    numbers += [round(0.05 * k, 2) for k in range(1, 200)] + [k / 8 for k in range(-40, 40)]
    if layout == ",":
        numbers = [0, 7, 999, 1000, 123456789, -4321]
    found = plain_page.evaluate("([n, f]) => n.map(x => Live.formatted(x, f))", [numbers, layout])
    assert found == [format(number, layout) for number in numbers]


# --- what outputs may hold ---

TABLE = (
    '<table class="dataframe journal"><thead><tr><th scope="col" style="text-align: right">a</th>'
    '</tr></thead><tbody><tr><td colspan="2" style="text-align: right">1 &lt; 2</td></tr></tbody>'
    "</table>"
)


def cleaned(page, html):
    return page.evaluate(
        "html => { const box = document.createElement('div'); box.append(Live.clean(html)); "
        "return box.innerHTML; }",
        html,
    )


def test_a_table_is_kept_as_it_is(plain_page):
    kept = cleaned(plain_page, TABLE)
    assert kept.replace("text-align: right;", "text-align: right") == TABLE


@pytest.mark.parametrize(
    ("html", "kept"),
    [
        ("a<script>document.title = 'ran'</script>b", "ab"),
        ('<p onclick="x()" id="q">a</p>', "<p>a</p>"),
        ('<a href="https://example.org/">a</a>', "a"),
        ('<img src="https://example.org/a.png">a', "a"),
        ('<div style="background: url(https://example.org/a.png); color: red">a</div>',
         '<div style="color: red;">a</div>'),
        ("<style>* { color: red }</style>a", "a"),
        ("<iframe src='x.html'>b</iframe>a", "a"),
        ('<form action="x"><button>b</button>a</form>', "a"),
        ("<marquee>a</marquee>", "a"),
        ('<svg><script>1</script><foreignObject><p>b</p></foreignObject><g></g></svg>',
         "<svg><g></g></svg>"),
        ('<svg><use href="https://example.org/a.svg#b"></use></svg>', "<svg><use></use></svg>"),
        ('<svg><image xlink:href="https://example.org/a.png"></image></svg>',
         "<svg><image></image></svg>"),
        ('<svg><path d="M0 0" fill="url(https://example.org/a)" onload="x()"></path></svg>',
         '<svg><path d="M0 0"></path></svg>'),
        ('<svg><a xlink:href="javascript:x()"><path d="M0 0"></path></a></svg>',
         '<svg><path d="M0 0"></path></svg>'),
        ('<svg><set attributeName="href" to="x"></set></svg>', "<svg></svg>"),
    ],
)  # fmt: skip
def test_what_acts_or_loads_is_left_out(plain_page, html, kept):
    assert cleaned(plain_page, html) == kept


def figures(stem):
    """Return the figures of the chapter's `data` cells, as they were executed."""
    executed = json.loads((ROOT / f"book/chapters/{stem}.ipynb").read_text("utf-8"))
    return [
        "".join(output["data"]["image/svg+xml"])
        for cell in executed["cells"]
        if "data" in cell["metadata"].get("tags", [])
        for output in cell.get("outputs", [])
        if "image/svg+xml" in output.get("data", {})
    ]


@pytest.mark.parametrize("stem", STEMS)
def test_figures_look_the_same(open_form, stem):
    """A figure of matplotlib, cleaned, is the same picture as the file in an <img>, dot by dot."""
    page = open_form(stem)
    for figure in figures(stem):
        page.evaluate(
            """svg => {
                const frame = document.createElement("div"), image = new Image();
                frame.id = "frame";
                frame.style = "position: fixed; inset: 0; width: 520px; height: 360px; "
                    + "z-index: 9999; background: white";
                frame.className = "live-result";
                image.src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
                image.style = "display: block; width: 520px; height: 360px";
                const figure = document.createElement("figure");
                figure.style = "margin: 0; padding: 0";
                figure.append(Live.clean(svg.slice(svg.indexOf("<svg"))));
                figure.firstChild.style = "display: block; width: 520px; height: 360px";
                document.getElementById("frame")?.remove();
                document.body.append(frame);
                window.pictures = [image, figure];
                return image.decode();
            }""",
            figure,
        )
        shots = []
        for number in range(2):
            page.evaluate(
                "n => document.getElementById('frame').replaceChildren(pictures[n])", number
            )
            shots.append(page.locator("#frame").screenshot())
        assert shots[0] == shots[1]
    assert page.complaints == []


@pytest.mark.parametrize("seed", range(3))
def test_colours_in_the_dark_are_those_of_the_book_s_figures(plain_page, seed):
    """Within one of 255 steps of what the book's own figures are recoloured by, in Python."""
    rng = np.random.default_rng(seed)
    colours = np.vstack(
        [rng.integers(0, 256, (60, 3)), np.repeat(rng.integers(0, 256, (9, 1)), 3, 1)]
    )
    expected = [_dark.dark_colour(_dark.as_hex(colour / 255)) for colour in colours]
    found = plain_page.evaluate("all => all.map(Live.darkColour)", colours.tolist())
    parts = np.array([[_dark.as_rgb(one) for one in found], [_dark.as_rgb(e) for e in expected]])
    assert np.abs(parts[0] - parts[1]).max() < 1.5 / 255


def test_the_palette_in_the_dark_is_the_book_s(plain_page):
    for light, dark in _dark.PALETTE.items():
        parts = [round(255 * float(part)) for part in _dark.as_rgb(light)]
        assert plain_page.evaluate("Live.darkColour", parts) == dark


@pytest.mark.parametrize("way", ['fill="#f6e2d3"', 'style="fill: #f6e2d3"'])
def test_a_colour_is_for_both_lights_however_it_is_written(plain_page, way):
    """Patterns of hatched areas have it as an attribute, all else of matplotlib as a style."""
    found = plain_page.evaluate(
        """html => ["light", "dark"].map(scheme => {
            const box = document.createElement("div");
            box.style.colorScheme = scheme;
            box.append(Live.clean(html));
            document.body.append(box);
            const fill = getComputedStyle(box.querySelector("rect")).fill;
            box.remove();
            return fill;
        })""",
        f"<svg><rect {way}></rect></svg>",
    )
    dark = [round(255 * float(part)) for part in _dark.as_rgb(_dark.dark_colour("#f6e2d3"))]
    assert found == ["rgb(246, 226, 211)", f"rgb({', '.join(map(str, dark))})"]


def test_two_figures_do_not_share_names(plain_page):
    """Names within a figure are its own: clip paths of two figures may be called the same."""
    inner = '<clipPath id="c"></clipPath><g clip-path="url(#c)"></g><use xlink:href="#c"></use>'
    svg = f"<svg>{inner}</svg>"
    one, other = cleaned(plain_page, svg), cleaned(plain_page, svg)
    assert one != other
    for found in (one, other):
        tree = BeautifulSoup(found, "html.parser")
        name = tree.clippath["id"]
        assert tree.g["clip-path"] == f"url(#{name})"
        assert tree.use["href"] == f"#{name}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1300, 360])
def test_no_barriers_with_a_result(open_form, scheme, width):
    outputs = [{"data": {"text/html": TABLE}}, {"data": {"image/svg+xml": figures("agreement")[0]}},
               {"name": "stderr", "text": "TableWarning: a sentence"}]  # fmt: skip
    page = open_form(
        answers={"outputs": outputs, "rows": "a\n1\n"},
        color_scheme=scheme,
        viewport={"width": width, "height": 800},
    )
    page.form.locator(".live-command summary").click()
    page.form.locator(".live-run").click()
    page.form.get_by_text("Done in").wait_for()
    page.evaluate(AXE.read_text(encoding="utf-8"))
    violations = page.evaluate(
        "async rules => (await axe.run('.live', {runOnly: rules, resultTypes: ['violations']}))"
        ".violations.flatMap(v => v.nodes.map(n => `${v.id}: ${n.target} ${n.failureSummary}`))",
        RULES,
    )
    assert violations == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


# --- the policy of the pages ---


def test_the_policy_admits_nothing_that_is_not_the_book_s(open_form):
    page = open_form()
    page.evaluate(
        """() => {
            window.refused = [];
            document.addEventListener("securitypolicyviolation", (violation) =>
                refused.push(violation.effectiveDirective));
            const inline = document.createElement("script");
            inline.textContent = "window.ran = true";
            const image = new Image();
            image.src = "https://example.org/a.png";
            const button = document.createElement("button");
            button.setAttribute("onclick", "window.ran = true");
            document.body.append(inline, image, button);
            button.click();
            fetch("https://example.org/").catch(() => {});
        }"""
    )
    expected = {"script-src-elem", "img-src", "script-src-attr", "connect-src"}
    for _ in range(100):  # a policy that forbids eval forbids waiting for a function, too
        if expected <= set(page.evaluate("refused")):
            break
        page.wait_for_timeout(50)
    assert expected <= set(page.evaluate("refused"))
    assert not page.evaluate("window.ran")


def test_every_page_has_a_policy_and_its_buttons_work(open_form):
    for path in SITE.rglob("*.html"):
        if "_static" not in path.relative_to(SITE).parts and path != SITE / "index.html":
            assert "Content-Security-Policy" in path.read_text("utf-8"), path
    page = open_form()
    page.evaluate("document.documentElement.requestFullscreen = () => { window.asked = true; }")
    page.locator("button[onclick='toggleFullScreen()']").first.evaluate("button => button.click()")
    assert page.evaluate("window.asked")
    assert page.complaints == []
