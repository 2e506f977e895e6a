"""What the book needs beyond Jupyter Book, a file for each thing.

What pages show: `cards` and `errors` (from the chapters), `benchmarks` with its figures and the
recorded `simulation`, `data`, `environment`, `bibliography`, figures that are `moving`, and
`take_along` at a chapter's end.
Around them: `site` (version, links to the repository), `search_engines`, `downloads`. What comes
last: `finish` (the written pages), `styles`, `slim_svg`. `chapters` and `tables` serve the others.
"""

import re
import zlib
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

from afterfit_book import (
    benchmarks,
    bibliography,
    cards,
    chapters,
    data,
    downloads,
    environment,
    errors,
    finish,
    moving,
    search_engines,
    simulation,
    site,
    take_along,
)

PARTS = (
    benchmarks,
    bibliography,
    cards,
    chapters,
    data,
    downloads,
    environment,
    errors,
    finish,
    moving,
    search_engines,
    simulation,
    site,
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


def skip_requests(
    app: Sphinx, what: str, name: str, member: object, skip: bool, options: object
) -> bool | None:
    """Leave out the methods that scikit-learn gives every estimator for metadata routing."""
    return True if re.fullmatch(r"set_\w+_request|get_metadata_routing", name) else None


def fingerprint() -> int:
    """Return a number of these files: pages made by older ones are redone when it changes."""
    content = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    return zlib.crc32(content)


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("config-inited", without_thebe, priority=0)
    app.connect("autodoc-skip-member", skip_requests)
    for part in PARTS:
        part.setup(app)
    return {
        "env_version": fingerprint(),
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
