"""The four classical tests of independence, for all canonical roots from each one on.

Root k (from 0) is tested after the k roots before it have been taken out: n, p and q all shrink
by k, so that the quantity n - 1 - (p + q + 1) / 2 of Bartlett and Rao stays what it was.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from afterfit.cca._roy import largest_root_tail

# Of floats or integers, one a root.
Array = NDArray[Any]


def significance_table(correlations: Array, n_samples: int, p: int, q: int) -> pd.DataFrame:
    """Return one row a root: the tests that it and all later roots are zero."""
    k = np.arange(len(correlations))
    sizes = n_samples - k, p - k, q - k
    squares = correlations**2
    with np.errstate(divide="ignore"):  # a correlation of 1: lambda is 0, the others infinite
        log_wilks = from_each_root_on(np.log1p(-squares))
        odds = squares / (1.0 - squares)
        columns = {
            "correlation": correlations,
            **_wilks(log_wilks, *sizes),
            **_pillai(from_each_root_on(squares), *sizes),
            **_hotelling_lawley(from_each_root_on(odds), *sizes),
            "roy": odds,
            "roy_pvalue": list(map(largest_root_tail, squares, *_roy_parameters(*sizes))),
        }
    return pd.DataFrame(columns, index=pd.RangeIndex(1, len(k) + 1, name="root"))


def from_each_root_on(terms: Array) -> Array:
    """Return the sum of each term and those after it."""
    return np.asarray(np.cumsum(terms[::-1])[::-1])


def _wilks(log_wilks: Array, n_samples: Array, p: Array, q: Array) -> dict[str, Array]:
    # Rao (1973), section 8c.5; Bartlett (1938). SAS's CANCORR prints the same F.
    weight = n_samples - 1 - (p + q + 1) / 2
    df1 = p * q
    spread = p**2.0 + q**2.0 - 5.0
    power = np.sqrt(np.divide(df1**2.0 - 4.0, spread, out=np.ones_like(weight), where=spread > 0.0))
    df2 = weight * power - df1 / 2 + 1
    f = np.expm1(-log_wilks / power) * df2 / df1
    chi2 = -weight * log_wilks
    return {
        "wilks": np.exp(log_wilks),
        **_f_test("wilks", f, df1, df2),
        "bartlett_chi2": chi2,
        "bartlett_df": df1,
        "bartlett_pvalue": special.chdtrc(df1, chi2),
    }


def _pillai(trace: Array, n_samples: Array, p: Array, q: Array) -> dict[str, Array]:
    s, _, n = _roy_parameters(n_samples, p, q)
    df1, df2 = p * q, s * (2 * n + s + 1)
    return {"pillai": trace, **_f_test("pillai", df2 / df1 * trace / (s - trace), df1, df2)}


def _hotelling_lawley(trace: Array, n_samples: Array, p: Array, q: Array) -> dict[str, Array]:
    # McKeon (1974), as SAS does; where it has no positive degrees, the older approximation; and
    # where that has none either, no test.
    s, _, n = _roy_parameters(n_samples, p, q)
    df1 = p * q
    upper = (p + 2 * n) * (q + 2 * n)
    lower = 2 * (2 * n + 1) * (n - 1)  # McKeon's b is upper / lower
    with np.errstate(divide="ignore", invalid="ignore"):  # what is not used
        df2 = np.where(n > 0, 4 + (df1 + 2) * lower / (upper - lower), 2 * (s * n + 1))
        f = df2 / df1 * trace * np.where(n > 0, 2 * n / (df2 - 2), 1 / s)
    f, df1, df2 = (np.where(df2 > 0, value, np.nan) for value in (f, df1, df2))
    return {"hotelling_lawley": trace, **_f_test("hotelling_lawley", f, df1, df2)}


def _f_test(name: str, f: Array, df1: Array, df2: Array) -> dict[str, Array]:
    pvalue = special.fdtrc(df1, df2, f)
    return {f"{name}_f": f, f"{name}_df1": df1, f"{name}_df2": df2, f"{name}_pvalue": pvalue}


def _roy_parameters(n_samples: Array, p: Array, q: Array) -> tuple[Array, Array, Array]:
    return np.minimum(p, q), (np.abs(p - q) - 1) / 2, (n_samples - p - q - 2) / 2
