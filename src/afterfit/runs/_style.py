"""How the figures of the book are drawn."""

from __future__ import annotations

from afterfit._plotting import pyplot
from afterfit.runs._records import notebook_display


def book_style() -> None:
    """Draw figures as the book does: sharp, legible on a phone, the same on every build.

    Sets matplotlib's style to ``afterfit.book`` (a palette that readers who confuse red and green
    can tell apart) and, in a notebook, its format to SVG without a date.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> with plt.rc_context():
    ...     book_style()
    ...     plt.rcParams["svg.hashsalt"]
    'afterfit'
    """
    plt = pyplot()

    plt.style.use("afterfit.book")
    if notebook_display() is not None:
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        # Without a date, and with the size that the style says.
        set_matplotlib_formats("svg", metadata={"Date": None}, bbox_inches=None)
