"""How the figures of the book are drawn, and its tables printed."""

from __future__ import annotations

from importlib import resources
from typing import Any

from afterfit._plotting import pyplot
from afterfit.runs._records import notebook_display
from afterfit.runs._tables import table_html

# Inter, under a name of its own: another version may be installed.
TYPEFACE = "Inter Book"


def book_style() -> None:
    """Draw figures and print tables as the book does: legible on a phone, the same on every build.

    Sets matplotlib's style to ``afterfit.book`` (a palette that readers who confuse red and green
    can tell apart), its typeface to Inter, and, in a notebook, its format to SVG without a date. In
    a notebook, tables (pandas' DataFrames) are shown as journals print them.

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
    _use_typeface()
    if notebook_display() is not None:
        import pandas as pd
        from IPython import get_ipython
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        # Without a date, and with the size that the style says.
        set_matplotlib_formats("svg", metadata={"Date": None}, bbox_inches=None)
        html = get_ipython().display_formatter.formatters["text/html"]
        html.for_type(pd.DataFrame, _table_html)


def _use_typeface() -> None:
    """Register the typeface that comes with the package, and set text and formulas in it."""
    import matplotlib as mpl
    from matplotlib import font_manager

    if TYPEFACE not in font_manager.fontManager.get_font_names():
        with resources.as_file(resources.files("afterfit") / "fonts") as folder:
            for path in sorted(folder.glob("*.ttf")):
                font_manager.fontManager.addfont(path)
    mpl.rcParams |= {
        "font.family": TYPEFACE,
        "mathtext.fontset": "custom",
        "mathtext.rm": TYPEFACE,
        "mathtext.it": f"{TYPEFACE}:italic",
        "mathtext.bf": f"{TYPEFACE}:bold",
        "mathtext.bfit": f"{TYPEFACE}:bold",
        "mathtext.sf": TYPEFACE,
        "mathtext.tt": TYPEFACE,
        "mathtext.cal": f"{TYPEFACE}:italic",
        "mathtext.fallback": "stixsans",
    }


def _table_html(frame: Any) -> str | None:
    return table_html(frame) or frame._repr_html_()
