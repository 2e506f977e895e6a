"""The kernel inside the page: runs a chapter's cells, and tells the page what they show.

The page gets one line of JSON for each thing that happens: `cell` (which one runs), `output`,
`stream`, `record`, `traceback`, `end`, `answer`. IPython and matplotlib_inline are stand-ins beside
this file: as much of them as chapters ask for.
"""

import ast
import copy
import gc
import io
import json
import os
import sys
import traceback
import warnings
from contextlib import contextmanager, redirect_stderr, redirect_stdout

# What `afterfit.runs.record` writes before the MIME type of what it keeps.
RECORD = "application/papermill.record/"

# Which cells answer for a reader's table; the others are the book's own.
WANTED = {"parameters", "injected-parameters", "setup", "data"}

# Imports that wait until what they name is used (PEP 810): those of these packages' heads, which
# take names from all their parts for others to find there, and of what chapters hardly ever use.
HEADS = ("scipy.", "sklearn.", "statsmodels.", "joblib", "narwhals", "afterfit.")
SELDOM = (
    "numpy.f2py",
    "pandas.io.pytables",
    "pandas.io.stata",
    "scipy.optimize._highspy",
    "narwhals",
    "pyparsing",
    "PIL",
    "fontTools",
    "asyncio",
)

# How a value is shown, by MIME type, where it knows how.
WAYS = {"text/html": "_repr_html_", "image/svg+xml": "_repr_svg_", "text/latex": "_repr_latex_"}


# What pandas reads by pyarrow, which is not to be had here.
NO_ARROW = (
    "Python in this page reads no Parquet or Feather files. Save the table as CSV, or run the "
    "command below in a terminal."
)


class Formatter:
    """How values of a type are shown in one format, as IPython's formatters keep it."""

    def __init__(self):
        self.by_type = {}

    def for_type(self, kind, function):
        self.by_type[kind] = function

    def of(self, value):
        """Return the function for a value's type or the nearest above it, or None."""
        return next((self.by_type[k] for k in type(value).__mro__ if k in self.by_type), None)


class Display:
    """What a run changes of how things are shown; a new one for each run."""

    def __init__(self):
        self.formatters = {mime: Formatter() for mime in WAYS}
        self.figure = {}  # what savefig is given
        self.cell = None


display = Display()


def run(cells):
    """Run the cells that answer for a table, in a namespace of their own.

    The page has put a cell of the chosen parameters where papermill puts it.
    """
    global display
    display = Display()
    main = sys.modules["__main__"] = type(sys)("__main__")
    namespace = main.__dict__ | {"__builtins__": __builtins__, "In": [""]}
    main.__dict__.update(namespace)
    before = files()
    wanted = [place for place, cell in enumerate(cells) if WANTED & set(cell["tags"])]
    error = None
    with as_found(), redirect_stdout(Stream("stdout")), redirect_stderr(Stream("stderr")):
        for count, place in enumerate(wanted):
            tell("cell", cell=place, done=count, total=len(wanted))
            display.cell = place
            try:
                run_cell(cells[place]["source"], f"cell {place + 1}", main.__dict__)
            except BaseException as raised:  # a chapter may raise anything, and the page goes on
                error = sentence(raised)
                tell("traceback", text="".join(traceback.format_exception(raised)))
                break
    written = [name for name, stamp in files().items() if before.get(name) != stamp]
    tell("end", error=error, written=written)


def columns(name, options):
    """Tell the columns of a table, as `load_table` reads it, or the sentence that refuses it."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    from afterfit.datasets import load_table

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # said when the chapter runs
        try:
            table = load_table(name, **options)
        except Exception as raised:
            tell("answer", value={"error": sentence(raised)})
            return
    kinds = [
        "number" if is_numeric_dtype(kind) and not is_bool_dtype(kind) else "text"
        for kind in table.dtypes
    ]
    found = [{"name": str(n), "kind": k} for n, k in zip(table.columns, kinds, strict=True)]
    tell("answer", value=found)


def start(modules):
    """Import what the chapters share, and tell the progress."""
    os.chdir("/work")
    # The library has lost its docstrings, as with -OO: none are written from others either.
    sys.flags = copy.replace(sys.flags, optimize=2)
    sys.set_lazy_imports_filter(waits)
    sys.set_lazy_imports("all")
    gc.set_threshold(100_000)  # a tenth of the time of imports went into looking for garbage
    for count, module in enumerate(modules):
        tell("imports", done=count, total=len(modules), text=module)
        __import__(module)
    tell("imports", done=len(modules), total=len(modules), text="")
    tell("answer", value=None)


def waits(importer, name, _):
    """Return whether an import waits until what it names is used."""
    is_head = importer.startswith(HEADS) and hasattr(sys.modules[importer], "__path__")
    return is_head or name.startswith(SELDOM)


def show(data, metadata=None):
    """Tell what a cell shows, or keeps for the prose."""
    record = (metadata or {}).get("scrapbook")
    if record:
        kept = {mime.removeprefix(RECORD): text for mime, text in data.items()}
        tell("record", name=record["name"], data=kept)
    else:
        tell("output", cell=display.cell, data=data)


def bundle(value):
    """Return what a value looks like, by MIME type."""
    data = {}
    for mime, method in WAYS.items():
        function = display.formatters[mime].of(value)
        if function is not None:
            shown = function(value)
        elif isinstance(value, type):
            continue
        else:
            shown = getattr(value, method, lambda: None)()
        if shown is not None:
            data[mime] = shown
    data["text/plain"] = repr(value)
    return data


def run_cell(source, name, namespace):
    """Run a cell; show its last value, unless a semicolon ends it, then its figures."""
    namespace["In"].append(source)
    tree = ast.parse(source, name)
    last = None
    if tree.body and isinstance(tree.body[-1], ast.Expr) and not source.rstrip().endswith(";"):
        last = ast.Expression(tree.body.pop().value)
    exec(compile(tree, name, "exec"), namespace)
    if last is not None:
        value = eval(compile(last, name, "eval"), namespace)
        if value is not None:
            show(bundle(value))
    show_figures()


def show_figures():
    plt = sys.modules.get("matplotlib.pyplot")
    if plt is None:
        return
    for number in plt.get_fignums():
        out = io.StringIO()
        plt.figure(number).savefig(out, format="svg", **{"bbox_inches": "tight"} | display.figure)
        show({"image/svg+xml": out.getvalue()})
    plt.close("all")


@contextmanager
def as_found():
    """Leave the settings of matplotlib, pandas and warnings as a run found them."""
    import matplotlib as mpl
    import matplotlib.pyplot as plt
    import pandas as pd

    with mpl.rc_context(), warnings.catch_warnings():
        warnings.showwarning = say_warning
        try:
            yield
        finally:
            plt.close("all")
            pd.reset_option("^display")


def say_warning(message, category, *_, **__):
    print(f"{category.__name__}: {message}", file=sys.stderr)


def sentence(error):
    """Return what an error says; its type where that says more."""
    text = str(error)
    if isinstance(error, ImportError) and "pyarrow" in text:
        return NO_ARROW
    if text and isinstance(error, ValueError | TypeError | FileNotFoundError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def files():
    """Return what is in the folder of the reader's files: name -> what changes when written."""
    with os.scandir(".") as entries:
        return {entry.name: (entry.inode(), entry.stat().st_size) for entry in entries}


class Stream(io.TextIOBase):
    """Standard output or error while cells run."""

    def __init__(self, name):
        self.name = name

    def writable(self):
        return True

    def write(self, text):
        if text:
            tell("stream", cell=display.cell, name=self.name, text=text)
        return len(text)


def tell(kind, **fields):
    data = (json.dumps({"kind": kind, **fields}, default=str) + "\n").encode()
    while data:
        data = data[os.write(1, data) :]
