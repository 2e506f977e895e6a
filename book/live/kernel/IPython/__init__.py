# ruff: noqa: N999
"""As much of IPython as a chapter asks for; the kernel of the page is `afterfit_live`."""

from types import SimpleNamespace

from IPython.display import display

__all__ = ["display", "get_ipython"]

version_info = (9, 0, 0, "")


def get_ipython():
    """Return what `afterfit.runs.book_style` and matplotlib ask of a notebook's shell."""
    import afterfit_live

    events = SimpleNamespace(register=lambda *_: None)
    return SimpleNamespace(display_formatter=afterfit_live.display, events=events)
