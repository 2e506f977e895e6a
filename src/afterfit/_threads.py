"""BLAS on one thread, where starting others costs more than they save."""

from __future__ import annotations

from functools import cache
from typing import Any

import scipy.linalg  # noqa: F401  (its BLAS must be loaded to be among those that are looked for)
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]


@cache
def _pools() -> Any:
    return ThreadpoolController()


def one_thread() -> Any:
    """Return a context in which BLAS works on one thread."""
    return _pools().limit(limits=1, user_api="blas")
