"""Chapters as runs: checked parameters in, typed records out; once, or a thousand times.

A chapter states its parameters in one cell and checks them in the next (`check_parameters`). What
it finds it records (`record`): the prose of the book refers to a record by its name, and whoever
collects runs reads the same values back, typed (`read_records`). `sweep` runs a chapter for each
row of a grid of parameters, here or on a Dask cluster; `report` makes a page of one run.
"""

from afterfit.runs._files import write_rows
from afterfit.runs._parameters import ParameterError, check_parameters
from afterfit.runs._records import read_records, record
from afterfit.runs._report import report
from afterfit.runs._style import book_style
from afterfit.runs._sweep import sweep

__all__ = [
    "ParameterError",
    "book_style",
    "check_parameters",
    "read_records",
    "record",
    "report",
    "sweep",
    "write_rows",
]
