"""The numbers your fitted model does not hand you: statistics after the fit."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

_SUBMODULES = (
    "agreement",
    "boundary",
    "categorical",
    "cca",
    "datasets",
    "gamma_glm",
    "mixture",
    "runs",
)

__all__ = [*_SUBMODULES]


def __getattr__(name: str) -> ModuleType | str:
    # Submodules load on first use, so that `import afterfit` costs nothing.
    if name in _SUBMODULES:
        return import_module(f"{__name__}.{name}")
    if name == "__version__":
        from importlib.metadata import version  # slow to import, and seldom asked for

        return version("afterfit")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_SUBMODULES, "__version__"])
