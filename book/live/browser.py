"""Python in a page of headless Chromium, from Python: for tests and measurements.

`serve` serves a folder on loopback, `engine` opens a page with the engine that lies there.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

# Runs cells and returns what the engine promises, with each thing shown and when.
RUN = """async (cells) => {
    const start = performance.now(), shown = [];
    await afterfitEngine.load();
    const loaded = performance.now() - start;
    const found = await afterfitEngine.run(
        cells, (one) => shown.push({...one, at: performance.now() - start}));
    const rows = found.rows && Object.fromEntries(Object.entries(found.rows).map(
        ([name, bytes]) => [name, new TextDecoder().decode(bytes)]));
    return {...found, rows, shown, loaded, all: performance.now() - start};
}"""


# What each address was asked for.
ASKED: dict[str, list[str]] = {}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        address = f"http://127.0.0.1:{self.server.server_address[1]}"
        ASKED.setdefault(address, []).append(self.path)


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def asked(address: str) -> list[str]:
    """Return the paths that were asked for at an address, in order, also from workers."""
    return ASKED.setdefault(address, [])


def open_engine(browser: Any, address: str) -> Any:
    """Return a page, empty but for the engine; what it asked for is in `page.requested`."""
    page = browser.new_page()
    page.requested, page.complaints = [], []
    page.on("request", lambda request: page.requested.append(request.url))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.goto(f"{address}/_static/live/licences/fzstd.txt")  # any page of the same origin
    page.add_script_tag(url=f"{address}/_static/live/engine.js")
    return page


def cells_of(stem: str, **parameters: Any) -> list[dict[str, Any]]:
    """Return a chapter's code cells, with the parameters where papermill puts them."""
    text = (ROOT / f"notebooks/{stem}.ipynb").read_text(encoding="utf-8")
    cells = []
    for cell in json.loads(text)["cells"]:
        if cell["cell_type"] != "code":
            continue
        tags = cell["metadata"].get("tags", [])
        cells.append({"source": "".join(cell["source"]), "tags": tags})
        if "parameters" in tags:
            lines = [f"{name} = {value!r}" for name, value in parameters.items()]
            source = "\n".join(["# Parameters", *lines])
            cells.append({"source": source, "tags": ["injected-parameters"]})
    return cells
