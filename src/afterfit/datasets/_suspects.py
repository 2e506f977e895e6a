"""What in a table looks as if it were not meant: codes for missing values, a row of totals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from afterfit.datasets._cells import Reading

# Numbers that people write where a value is missing.
CODES = tuple(sign * (10**k - 1) for k in range(2, 6) for sign in (-1, 1))

# The first text of a row that adds up the others.
TOTALS = frozenset(("total", "totals", "grand total", "sum", "summe", "gesamt", "somme", "suma"))


def warn_of_suspects(table: pd.DataFrame, last: pd.Series[Any], reading: Reading) -> None:
    """Note codes such as -999 in a table's numbers, and a last row "Total"."""
    for name in table.select_dtypes("number"):
        values = table[name].to_numpy(dtype=np.float64, na_value=np.nan)
        for code in CODES:
            count = _stands_apart(values, code)
            if count:
                reading.found.append(
                    f"{count} cell(s) of {name!r} are {code}, far from all others: if that means "
                    f"missing, pass `missing`: [{code}]"
                )
    texts = [cell for cell in last if isinstance(cell, str)]
    if texts and texts[0].strip().casefold() in TOTALS:
        reading.found.append(
            f"the last row begins with {texts[0]!r}: if it adds up the others, delete that line"
        )


def _stands_apart(values: NDArray[np.float64], code: int) -> int:
    """Return how often a code occurs, if it lies beyond the rest by more than their range."""
    is_code = values == code
    rest = values[~is_code & np.isfinite(values)]
    if not is_code.any() or rest.size < 2:
        return 0
    low, high = rest.min(), rest.max()
    beyond = max(low - code, code - high)
    return int(is_code.sum()) if beyond > high - low else 0
