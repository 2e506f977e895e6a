"""Labels in figures that come from the data."""

from __future__ import annotations

from typing import Any


def as_written(label: Any) -> str:
    """Return a label as text that matplotlib shows as it is: dollar signs begin no formula."""
    return str(label).replace("$", r"\$")
