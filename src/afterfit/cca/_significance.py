"""The four classical tests of independence, for all canonical roots from each one on.

Root k (from 0) is tested after the k roots before it have been taken out: n, p and q all shrink
by k, so that the quantity n - 1 - (p + q + 1) / 2 of Bartlett and Rao stays what it was.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from afterfit.cca._roy import largest_root_tail

Array = NDArray[np.float64]

COLUMNS = (
    *("correlation", "wilks", "wilks_f", "wilks_df1", "wilks_df2", "wilks_pvalue"),
    *("bartlett_chi2", "bartlett_df", "bartlett_pvalue"),
    *("pillai", "pillai_f", "pillai_df1", "pillai_df2", "pillai_pvalue"),
    *("hotelling_lawley", "hotelling_lawley_f", "hotelling_lawley_df1"),
    *("hotelling_lawley_df2", "hotelling_lawley_pvalue", "roy", "roy_pvalue"),
)


def significance_table(correlations: Array, n_samples: int, p: int, q: int) -> pd.DataFrame:
    """Return one row a root: the tests that it and all later roots are zero."""
    rows = [
        _test_of_remaining(correlations[k:], n_samples - k, p - k, q - k)
        for k in range(len(correlations))
    ]
    index = pd.RangeIndex(1, len(rows) + 1, name="root")
    return pd.DataFrame(rows, index=index, columns=list(COLUMNS))


def _test_of_remaining(rho: Array, n_samples: int, p: int, q: int) -> dict[str, float]:
    squares = rho**2
    with np.errstate(divide="ignore"):  # a correlation of 1: lambda is 0, the others infinite
        log_wilks = float(np.log1p(-squares).sum())
        odds = squares / (1.0 - squares)
    return {
        "correlation": float(rho[0]),
        **_wilks(log_wilks, n_samples, p, q),
        **_pillai(float(squares.sum()), n_samples, p, q),
        **_hotelling_lawley(float(odds.sum()), n_samples, p, q),
        "roy": float(odds[0]),
        "roy_pvalue": largest_root_tail(float(squares[0]), *_roy_parameters(n_samples, p, q)),
    }


def _wilks(log_wilks: float, n_samples: int, p: int, q: int) -> dict[str, float]:
    # Rao (1973), section 8c.5; Bartlett (1938). SAS's CANCORR prints the same F.
    weight = n_samples - 1 - (p + q + 1) / 2
    spread = p**2 + q**2 - 5
    power = np.sqrt((p**2 * q**2 - 4) / spread) if spread > 0 else 1.0
    df1 = p * q
    df2 = weight * power - df1 / 2 + 1
    f = float(np.expm1(-log_wilks / power)) * df2 / df1
    chi2 = -weight * log_wilks
    return {
        "wilks": float(np.exp(log_wilks)),
        **_f_test("wilks", f, df1, df2),
        "bartlett_chi2": chi2,
        "bartlett_df": df1,
        "bartlett_pvalue": float(special.chdtrc(df1, chi2)),
    }


def _pillai(trace: float, n_samples: int, p: int, q: int) -> dict[str, float]:
    s, m, n = _roy_parameters(n_samples, p, q)
    df1 = s * (2 * m + s + 1)
    df2 = s * (2 * n + s + 1)
    f = df2 / df1 * trace / (s - trace) if trace < s else np.inf
    return {"pillai": trace, **_f_test("pillai", f, df1, df2)}


def _hotelling_lawley(trace: float, n_samples: int, p: int, q: int) -> dict[str, float]:
    # McKeon (1974), as SAS does; where it has no positive degrees, the older approximation; and
    # where that has none either, no test.
    s, m, n = _roy_parameters(n_samples, p, q)
    name = "hotelling_lawley"
    if n > 0:
        upper = (p + 2 * n) * (q + 2 * n)
        lower = 2 * (2 * n + 1) * (n - 1)  # McKeon's b is upper / lower
        df1 = float(p * q)
        df2 = 4 + (df1 + 2) * lower / (upper - lower)
        f = df2 / df1 * trace * 2 * n / (df2 - 2)
    else:
        df1 = s * (2 * m + s + 1)
        df2 = 2 * (s * n + 1)
        f = df2 / df1 * trace / s
        if df2 <= 0:
            f = df1 = df2 = np.nan
    return {name: trace, **_f_test(name, f, df1, df2)}


def _f_test(name: str, f: float, df1: float, df2: float) -> dict[str, float]:
    return {
        f"{name}_f": f,
        f"{name}_df1": df1,
        f"{name}_df2": df2,
        f"{name}_pvalue": float(special.fdtrc(df1, df2, f)),
    }


def _roy_parameters(n_samples: int, p: int, q: int) -> tuple[int, float, float]:
    return min(p, q), (abs(p - q) - 1) / 2, (n_samples - p - q - 2) / 2
