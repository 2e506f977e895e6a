"""A page in one file: nothing is loaded, and no script runs but those that are put there."""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Sequence
from html import escape

from afterfit._dark import dark_figure

# Where a page shows the figures for the dark: never on paper.
DARK = "screen and (prefers-color-scheme: dark)"

STYLE = """
:root { color-scheme: light dark; }
body { max-width: 54rem; margin: 2rem auto; padding: 0 1rem; line-height: 1.55;
  overflow-wrap: break-word;
  font-family: system-ui, -apple-system, "Segoe UI", "Liberation Sans", sans-serif; }
pre, code, samp { font-family: ui-monospace, "Liberation Mono", monospace; font-size: .9em; }
pre { overflow-x: auto; }
"""


def in_both_lights(svg: bytes) -> tuple[str, str]:
    """Return the address of a figure as it is, and of the same for a dark page, or "".

    Only matplotlib's figures are drawn again: what the colours of others mean is not known.
    """
    light = address(svg, "svg+xml")
    if b"Matplotlib" not in svg[:3000]:
        return light, ""
    return light, address(dark_figure(svg.decode()).encode(), "svg+xml")


def address(content: bytes, kind: str) -> str:
    """Return an image as the address that holds all of it."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def unpacking(script: str) -> str:
    """Return a script that unpacks another and adds it to the page, in a third of its bytes."""
    packed = base64.b64encode(gzip.compress(script.encode(), mtime=0)).decode()
    return f"""(async () => {{
  const bytes = Uint8Array.from(atob("{packed}"), character => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const script = document.createElement("script");
  script.textContent = await new Response(stream).text();
  document.head.append(script);
}})();"""


def document(
    title: str,
    body: str,
    *,
    style: str = "",
    scripts: Sequence[str] = (),
    unpacked: Sequence[str] = (),
) -> str:
    """Return a page of its own. `body` is markup; `title` is text.

    The page's content security policy names its scripts by their hashes, those too that its own
    scripts unpack: another one, wherever it came from, does not run, and nothing is fetched from
    anywhere.
    """
    hashes = " ".join(f"'sha256-{_sha256(script)}'" for script in (*scripts, *unpacked))
    policy = (
        "default-src 'none'; img-src data:; font-src data:; style-src 'unsafe-inline'; "
        f"script-src {hashes or chr(39) + 'none' + chr(39)}; base-uri 'none'; form-action 'none'"
    )
    inlined = "\n".join(f"<script>{script}</script>" for script in scripts)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{STYLE}{style}</style>
</head>
<body>
<main>
{body}
</main>
{inlined}
</body>
</html>
"""


def _sha256(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
