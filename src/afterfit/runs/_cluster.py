"""Where runs are done: a Dask cluster that was named, or worker processes of this machine."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any

from afterfit.runs import _execute

# Seconds to wait for the first worker of a scheduler that was named.
PATIENCE = 60.0


@contextmanager
def client_of(
    scheduler: Any, n_workers: int, n_runs: int, dashboard: str | None, say: Callable[[str], None]
) -> Iterator[Any]:
    """Give a Dask client: of the scheduler that was named, or of a cluster made for the sweep."""
    import dask
    from distributed import Client

    quiet = {"distributed.admin.large-graph-warning-threshold": "1 TB"}  # files travel on purpose
    with dask.config.set(quiet), _silent("distributed.client"):
        if isinstance(scheduler, Client):
            _check_workers(scheduler)
            yield scheduler
        elif scheduler is not None:
            with _connected(scheduler) as client:
                _check_workers(client)
                say(f"{len(client.nthreads())} workers at {scheduler}")
                yield client
        else:
            with (
                _warm(n_runs > 1) as warmed,
                _local_cluster(n_workers, dashboard) as cluster,
                Client(cluster, set_as_default=False) as client,
            ):
                if dashboard is not None:
                    say(f"dashboard: {cluster.dashboard_link}")
                warmed()
                yield client


def _warm(is_worth_it: bool) -> AbstractContextManager[Callable[[], None]]:
    """Give the workers of this machine one warm process to take their kernels from."""
    from afterfit.runs._kernels import shared

    return shared() if is_worth_it else nullcontext(lambda: None)


@contextmanager
def _silent(name: str) -> Iterator[None]:
    """Keep a logger quiet: that a scheduler is gone is said once, in a sentence."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _connected(address: str) -> Any:
    from distributed import Client

    try:
        return Client(address, set_as_default=False, timeout=PATIENCE / 4)
    except (OSError, ValueError, TimeoutError) as error:
        reason = str(error)  # the error itself would keep a half-made client alive
    raise ConnectionError(f"no scheduler answers at {address!r} ({reason}).")


def _local_cluster(n_workers: int, dashboard: str | None) -> Any:
    """Return worker processes on this machine, one thread each, reached by loopback only."""
    import dask
    from distributed import LocalCluster

    settings: dict[str, list[str]] = {"distributed.worker.http.routes": []}
    if dashboard is None:
        settings["distributed.scheduler.http.routes"] = []
    with dask.config.set(settings), ThreadPoolExecutor(1, initializer=_deaf) as thread:
        making = thread.submit(
            LocalCluster,
            n_workers=n_workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            # The port of a server without pages, if there is to be no dashboard.
            scheduler_kwargs={
                "dashboard": dashboard is not None,
                "dashboard_address": dashboard or "127.0.0.1:0",
            },
            memory_limit=0,  # what needs memory is the kernels, which are not its processes
            silence_logs=logging.CRITICAL,
        )
        try:
            return making.result()
        except KeyboardInterrupt:
            with suppress(RuntimeError):  # its workers may have been stopped, too
                making.result().close()  # only what is whole can be closed
            raise


def _deaf() -> None:
    """Keep Ctrl-C from this thread and from all that it starts: it is for the client, which then
    stops the workers in order."""
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # it would let Ctrl-C in again, were it started later
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _check_workers(client: Any) -> None:
    """Wait for a worker, and refuse workers with another version of the package."""
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError:
        raise ConnectionError(
            f"the scheduler {client.scheduler.address!r} has no worker, after {PATIENCE:g} s."
        ) from None
    ours = _execute.package_digest()
    theirs = client.run(_execute.package_digest, on_error="return")
    other = {address: digest for address, digest in theirs.items() if digest != ours}
    if other:
        address, digest = next(iter(other.items()))
        raise ConnectionError(
            f"{len(other)} of {len(theirs)} workers have another afterfit ({address} has {digest}, "
            f"here is {ours}); install the same everywhere."
        )


def n_processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
