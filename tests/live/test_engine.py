"""What the engine of `make live` promises beyond its numbers, in headless Chromium.

The first part runs always, on the worker's own files; the rest only where `make live` has put the
engine into the built book, and says so elsewhere.
"""

import io
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
HTML = ROOT / "_build/html"
ENGINE = HTML / "_static/live/engine.js"
HAS_ENGINE = ENGINE.exists() and "AFTERFIT_LIVE =" in ENGINE.read_text(encoding="utf-8")[:99]
FETCHED = ROOT / "_build/live/fetched"

sys.path[:0] = [str(ROOT / "book/live"), str(ROOT / "book/_ext")]

import browser as live  # noqa: E402
from afterfit_book import policy  # noqa: E402

pytestmark = pytest.mark.browser
needs_engine = pytest.mark.skipif(
    not HAS_ENGINE, reason="no engine in the built book: run `make live`"
)

CSV = "group,found,size\n" + "".join(f"{'ab'[i % 2]},{i % 3},{i}\n" for i in range(60))


# --- the worker's own files, without an engine ----------------------------------------------------


@pytest.fixture(scope="module")
def scripts(browser):
    """A page with wasi.js, and a host over a memory of its own."""
    page = browser.new_page()
    page.goto("about:blank")
    page.add_script_tag(path=ROOT / "book/live/static/live/wasi.js")
    page.evaluate(
        """() => {
            const {Wasi, file, put} = AfterfitWasi, root = new Map(), out = [];
            put(root, "/a/b/told.txt", file(new TextEncoder().encode("one two")));
            put(root, "/work", new Map());
            const write = (fd, bytes) => out.push([fd, new TextDecoder().decode(bytes)]);
            const wasi = new Wasi({args: [], env: {}, preopens: {"/": root}, write});
            const calls = wasi.imports().wasi_snapshot_preview1;
            wasi.memory = new WebAssembly.Memory({initial: 1});
            const text = (at, words) => {
                const bytes = new TextEncoder().encode(words);
                new Uint8Array(wasi.memory.buffer).set(bytes, at);
                return bytes.length;
            };
            const number = (at) => new DataView(wasi.memory.buffer).getUint32(at, true);
            const vector = (at, to, length) => {
                new DataView(wasi.memory.buffer).setUint32(at, to, true);
                new DataView(wasi.memory.buffer).setUint32(at + 4, length, true);
            };
            const READ = 2n, WRITE = 64n;
            const open = (path, flags = 0, rights = READ) => {
                const code = calls.path_open(3, 0, 0, text(0, path), flags, rights, 0n, 0, 100);
                return code ? -code : number(100);
            };
            const say = (fd, words) => {
                vector(200, 300, text(300, words)); return calls.fd_write(fd, 200, 1, 104);
            };
            const read = (fd) => {
                vector(200, 400, 100); const code = calls.fd_read(fd, 200, 1, 104);
                return code || new TextDecoder().decode(
                    new Uint8Array(wasi.memory.buffer).slice(400, 400 + number(104)));
            };
            globalThis.host = {calls, open, write: say, read, text, out, root, WRITE};
        }"""
    )
    yield page
    page.close()


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("host.read(host.open('a/b/told.txt'))", "one two"),
        ("host.read(host.open('work/../a/./b/told.txt'))", "one two"),
        ("host.open('a/none.txt')", -44),  # not there
        ("host.open('a/b/told.txt/more')", -54),  # no directory
        ("host.open('a/b/told.txt', 0, host.WRITE)", -69),  # not to be written
        ("host.open('a', 2) > 3", True),
        ("host.write(1, 'said'), host.out.at(-1)", [1, "said"]),
        ("host.calls.sock_recv(), host.calls.sock_send(), host.calls.sock_accept()", 58),
        ("host.calls.fd_read(99, 0, 0, 0)", 8),  # no such file
    ],
)
def test_python_sees_the_files_that_it_is_given(scripts, script, expected):
    assert scripts.evaluate(script) == expected


def test_what_is_written_is_read_again_and_goes(scripts):
    found = scripts.evaluate(
        """() => {
            const fd = host.open('work/new.csv', 1, host.WRITE), written = [];
            for (let i = 0; i < 3; i++) written.push(host.write(fd, 'line ' + i + ';'));
            const text = host.read(host.open('work/new.csv'));
            const again = host.open('work/new.csv', 1 | 4, host.WRITE);
            const gone = host.calls.path_unlink_file(3, 0, host.text(0, 'work/new.csv'));
            return [written, text, again, gone, host.open('work/new.csv')];
        }"""
    )
    assert found == [[0, 0, 0], "line 0;line 1;line 2;", -20, 0, -44]


def test_the_book_has_no_engine_until_one_is_made(scripts):
    scripts.add_script_tag(path=ROOT / "book/live/static/live/engine.js")
    assert scripts.evaluate("window.afterfitEngine") is None


# --- the engine -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served():
    with live.serve(HTML) as address:
        yield address


@pytest.fixture(scope="module")
def page(browser, served):
    page = live.open_engine(browser, served)
    yield page
    page.context.close()


def put(page, name, content):
    data = list(content.encode() if isinstance(content, str) else content)
    return page.evaluate(
        """async ([name, data]) => {
            await afterfitEngine.load(); return afterfitEngine.putFile(name, new Uint8Array(data));
        }""",
        [name, data],
    )


@needs_engine
def test_columns_of_files_and_of_bundled_tables(page):
    kinds = {"group": "text", "found": "number", "size": "number"}
    workbook = io.BytesIO()
    pd.read_csv(io.StringIO(CSV)).to_excel(workbook, index=False)
    for name, content in {"C:\\my table.csv": CSV, "x.xlsx": workbook.getvalue()}.items():
        path = put(page, name, content)
        assert path == name.split("\\")[-1]
        found = page.evaluate("(path) => afterfitEngine.columns(path)", path)
        assert {one["name"]: one["kind"] for one in found} == kinds
    found = page.evaluate("afterfitEngine.columns('faithful')")
    assert [one["name"] for one in found] == ["eruptions", "waiting"]
    path = put(page, "x.parquet", b"PAR1")
    refused = page.evaluate("(path) => afterfitEngine.columns(path)", path)
    assert "Save the table as CSV" in refused["error"]
    refused = page.evaluate("afterfitEngine.columns('penguin')")
    assert "name a bundled data set" in refused["error"]


@needs_engine
def test_a_reader_s_table_its_rows_and_a_column_that_is_not_there(page):
    put(page, "my.csv", CSV)
    columns = {"data": "my.csv", "true_column": "group", "pred_column": "found"}
    cells = live.cells_of("agreement", part="data", rows="rows.csv", **columns)
    found = page.evaluate(live.RUN, cells)
    assert found["error"] is None
    assert found["rows"]["rows.csv"].count("\n") == 61
    kinds = [set(one.get("data", {})) for one in found["shown"]]
    assert {"image/svg+xml"} in kinds
    assert all(cells[one["cell"]]["tags"] for one in found["shown"])
    columns["pred_column"] = "fuond"
    refused = page.evaluate(live.RUN, live.cells_of("agreement", part="data", **columns))
    assert refused["error"].startswith("`pred_column` names 'fuond', which 'my.csv' does not have.")
    assert refused["rows"] is None


@needs_engine
def test_each_run_finds_settings_and_names_as_the_first_did(page):
    look = (
        "import matplotlib, pandas as pd\n"
        "print('seen' in globals(), matplotlib.rcParams['lines.linewidth'],"
        " pd.get_option('display.max_rows'))\n"
    )
    change = (
        "seen = 1\nmatplotlib.rcParams['lines.linewidth'] = 9\npd.set_option('display.max_rows', 3)"
    )
    cells = [{"source": look + change, "tags": ["setup"]}, {"source": "1 / 0", "tags": ["book"]}]
    first, second = (page.evaluate(live.RUN, cells) for _ in range(2))
    assert first["error"] is second["error"] is None  # a cell of the book's own does not run
    said = ["".join(one["text"] for one in found["shown"]) for found in (first, second)]
    assert said[0] == said[1]
    assert said[0].startswith("False ")


@needs_engine
def test_parts_come_once_and_from_nowhere_else(browser, tmp_path):
    context = browser.new_context()
    with live.serve(HTML) as address:
        for visit in range(2):
            page = live.open_engine(context, address)
            asked = live.asked(address)
            before = len(asked)
            page.evaluate("afterfitEngine.load()")
            parts = [path for path in asked[before:] if path.endswith(".zst")]
            assert len(parts) == (0 if visit else 3)
            assert all(url.startswith((address, "blob:")) for url in page.requested)
            page.close()
    context.close()


@needs_engine
def test_a_part_that_is_another_is_refused(browser, tmp_path):
    site = tmp_path / "_static/live"
    shutil.copytree(HTML / "_static/live", site)
    (part,) = site.glob("book.pack*.zst")
    part.write_bytes(part.read_bytes()[:-1] + b"?")
    with live.serve(tmp_path) as address:
        page = live.open_engine(browser, address)
        said = page.evaluate("afterfitEngine.load().catch((error) => error.message)")
    page.context.close()
    assert said.startswith("book.pack is not what was published: its sha256 is")


@needs_engine
def test_a_stopped_run_ends_and_the_next_load_starts_anew(browser, served):
    page = live.open_engine(browser, served)
    said = page.evaluate(
        """async () => {
            await afterfitEngine.load();
            const cells = [{source: "while True: pass", tags: ["data"]}];
            const running = afterfitEngine.run(cells).catch((error) => error.message);
            setTimeout(() => afterfitEngine.stop(), 300);
            return running;
        }"""
    )
    assert said == "Stopped."
    after = page.evaluate(live.RUN, [{"source": "print(6 * 7)", "tags": ["data"]}])
    page.context.close()
    assert next(one["text"] for one in after["shown"]) == "42"


@needs_engine
@pytest.mark.skipif(not FETCHED.exists(), reason="`make live` has fetched nothing here")
def test_a_copy_that_is_opened_from_disk(browser, tmp_path):
    """With the policy of the book's pages."""
    site = tmp_path / "_static/live"
    build = ROOT / "book/live/build.py"
    subprocess.run([sys.executable, build, FETCHED, site, "--file-url"], check=True)
    html = '<meta charset="utf-8" /><script src="_static/live/engine.js"></script>'
    (tmp_path / "page.html").write_text(policy.with_policy(html))
    page = browser.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    assert page.evaluate("afterfitEngine.supported()")
    found = page.evaluate(live.RUN, [{"source": "print(6 * 7)", "tags": ["data"]}])
    page.context.close()
    assert next(one["text"] for one in found["shown"]) == "42"
