"""BLAS on one thread, where starting others costs more than they save."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any

import scipy.linalg  # noqa: F401  (its BLAS must be loaded to be among those that are looked for)
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

# The number is the whole process's. Of two threads that set it at once, the one that leaves last
# would put back what it found, which is the limit of the other: one at a time sets it.
_held = Lock()


@contextmanager
def one_thread() -> Iterator[None]:
    """Return a context in which BLAS works on one thread, unless another thread lifts that."""
    if not _held.acquire(blocking=False):
        yield
        return
    try:
        with _pools().limit(limits=1, user_api="blas"):
            yield
    finally:
        _held.release()


@cache
def _pools() -> Any:
    return ThreadpoolController()
