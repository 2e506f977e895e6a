"""The data of the chapters: seven bundled tables, or the reader's own file.

Each bundled set states its source, licence and reference once; the book's page on the data is
generated from that. A reader's file is read as R, pandas and Excel write it: what is certain is
found out and said in a `TableWarning`, what is not is refused with the way out.
"""

from afterfit.datasets._bundled import Dataset, describe, names
from afterfit.datasets._cells import TableWarning
from afterfit.datasets._load import load_table

__all__ = ["Dataset", "TableWarning", "describe", "load_table", "names"]
