"""What the book needs beyond Jupyter Book, a file for each thing.

What pages show: `lead` and `cards` (with their `thumbnails`) on the welcome page, `api`, `errors`,
`surprises`, `benchmarks` with its figures, `data`, `environment`, `bibliography`; in chapters
`install` above the short answer, figures that are `moving`, the recorded `simulation`, `prompts`
of folded cells, the form for the reader's table (`live`, `live_form`), `take_along` at the end.
Around them: `site` (version, links to the repository), `search_engines`, `search_words`,
`downloads`. What comes last: `finish` (the written pages, with `definitions` of terms and a
`policy`), `styles`, and figures in fewer bytes (`slim_svg`). `chapters`, `tables` and `numbers`
serve the others.
"""

import zlib
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

from afterfit_book import (
    api,
    benchmarks,
    bibliography,
    cards,
    chapters,
    data,
    downloads,
    environment,
    errors,
    finish,
    install,
    lead,
    live,
    moving,
    prompts,
    search_engines,
    search_words,
    simulation,
    site,
    surprises,
    take_along,
)

PARTS = (
    api,
    benchmarks,
    bibliography,
    cards,
    chapters,
    data,
    downloads,
    environment,
    errors,
    finish,
    install,
    lead,
    live,
    moving,
    prompts,
    search_engines,
    search_words,
    simulation,
    site,
    surprises,
    take_along,
)


def without_thebe(app: Sphinx, _: Config) -> None:
    """Take out live code cells, which load their script from another host.

    Jupyter Book always adds sphinx-thebe, and has no setting against it.
    """
    for listeners in app.events.listeners.values():
        for listener in list(listeners):
            if listener.handler.__module__ == "sphinx_thebe":
                app.disconnect(listener.id)


def fingerprint() -> int:
    """Return a number of these files: pages made by older ones are redone when it changes."""
    content = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    return zlib.crc32(content)


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("config-inited", without_thebe, priority=0)
    for part in PARTS:
        part.setup(app)
    return {
        "env_version": fingerprint(),
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
