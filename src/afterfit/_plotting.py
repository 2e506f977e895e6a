"""matplotlib, for the functions that draw: an extra of the package, `plot`."""

from __future__ import annotations

from typing import Any

# Points beyond this number are drawn as a picture inside the figure: a file of millions of points
# is too large for any page.
MAX_VECTORS = 2_000


def pyplot() -> Any:
    """Return matplotlib's pyplot, or say how to get it."""
    try:
        import matplotlib.pyplot as plt
    except ModuleNotFoundError as missing:
        if missing.name != "matplotlib":
            raise
        raise ModuleNotFoundError(
            "Drawing needs matplotlib, which is not installed: `pip install matplotlib`, or "
            "install afterfit with its extra [plot]. Numbers do not need it.",
            name="matplotlib",
        ) from None
    return plt
