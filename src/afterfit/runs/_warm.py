"""A warm process: it has imported what notebooks import, and forks a kernel whenever asked.

A program of its own, which needs nothing of this package: `python _warm.py ADDRESS` serves a socket
there, once it is warm, until its standard input ends. Each connection asks for one kernel: the
request and its standard streams come in, then go out its process id and, at its end, its exit
status. A kernel whose connection is closed is killed.
"""

from __future__ import annotations

import array
import gc
import importlib.util
import json
import os
import random
import re
import selectors
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

# What every kernel imports.
KERNEL = (
    "ipykernel.kernelapp",
    "ipykernel.debugger",
    "ipykernel.zmqshell",
    "IPython.core.completerlib",
    "IPython.extensions.storemagic",
    "encodings.idna",
    "sqlite3",
    "tornado.platform.asyncio",
    "tornado.queues",
)

# What notebooks import; what is not installed is left out.
LIBRARIES = (
    "matplotlib.pyplot",
    "numpy.random",
    "pandas",
    "pyarrow.parquet",
    "scipy.optimize",
    "scipy.stats",
    "sklearn.cluster",
    "sklearn.cross_decomposition",
    "sklearn.datasets",
    "sklearn.decomposition",
    "sklearn.discriminant_analysis",
    "sklearn.linear_model",
    "sklearn.mixture",
    "sklearn.model_selection",
    "statsmodels.api",
    "statsmodels.formula.api",
    "kmodes.kmodes",
    "kneed",
    "afterfit.agreement",
    "afterfit.boundary",
    "afterfit.categorical",
    "afterfit.cca",
    "afterfit.gamma_glm",
    "afterfit.mixture",
    "afterfit.runs",
)

# Variables that are read when these are imported: a kernel with others must start by itself. (Not
# the seed of hashes: Dask sets one for its workers, and their kernels have the warm process's.)
READ_AT_IMPORT = re.compile(
    r"PYTHON(?!HASHSEED)|LD_|MPL|OMP_|OPENBLAS|GOTO|BLIS|MKL|VECLIB|NUMEXPR|KMP_|SCIPY|SKLEARN|NUMPY|NPY_|PANDAS"
    r"|IPYTHON|JUPYTER|PYDEVD|HOME$|XDG_|TMPDIR$|LANG|LC_"
)

# What a kernel sets for matplotlib before it is imported.
BACKEND = ("MPLBACKEND", "module://matplotlib_inline.backend_inline")

# Threads of which a fork needs nothing: they tidy up, for pyarrow's allocator and for polars (which
# statsmodels imports where it is installed). The names are as short as Linux keeps them.
FORKED_WELL = {"jemalloc_bg_thd", "polars-ooc-clea"}

MAX_REQUEST = 2**22


def main(address: str) -> None:
    del sys.path[0]  # the folder of this file is no place to import from
    os.environ.setdefault(*BACKEND)
    before = dict(os.environ)
    import_all(KERNEL)
    set_by_kernels = {k: v for k, v in os.environ.items() if before.get(k) != v}
    import_all(LIBRARIES)
    as_in_a_kernel()
    gc.collect()
    gc.freeze()  # shared with all kernels, and never touched by their collectors
    # Other threads, and what they hold, would not survive a fork.
    if threads() - FORKED_WELL:
        return
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(128)
        Server(listener, relevant(before), set_by_kernels).serve()


def import_all(names: tuple[str, ...]) -> None:
    for name in names:
        with suppress(ImportError):
            importlib.import_module(name)


def as_in_a_kernel() -> None:
    """Undo what pandas sets where it is imported before there is a kernel: a terminal's width."""
    with suppress(ImportError):
        importlib.import_module("pandas").set_option("display.max_columns", 20)


def threads() -> set[str]:
    """Return the names of this process's threads but its main one."""
    tasks = Path("/proc/self/task")
    others = {each.name for each in tasks.iterdir()} - {str(os.getpid())}
    return {(tasks / each / "comm").read_text().strip() for each in others}


def relevant(environment: Any) -> dict[str, str]:
    """Return the variables that are read at import, as a kernel has them."""
    return dict([BACKEND]) | {k: v for k, v in environment.items() if READ_AT_IMPORT.match(k)}


class Server:
    """Forks kernels, tells of their ends, and kills those that nobody waits for any more."""

    def __init__(
        self, listener: socket.socket, environment: dict[str, str], set_by_kernels: dict[str, str]
    ) -> None:
        self.listener, self.environment = listener, environment
        self.set_by_kernels = set_by_kernels
        self.kernels: dict[int, socket.socket] = {}
        self.selector = selectors.DefaultSelector()
        self.selector.register(listener, selectors.EVENT_READ, self.accept)
        self.selector.register(sys.stdin, selectors.EVENT_READ, self.end)
        self.woken, wake = socket.socketpair()
        self.woken.setblocking(False)
        wake.setblocking(False)
        self.wake = wake
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake.fileno())  # a kernel's end is an event as any other
        self.selector.register(self.woken, selectors.EVENT_READ, self.reap)

    def serve(self) -> None:
        while True:
            for key, _ in self.selector.select():
                key.data()

    def end(self) -> None:
        for kernel in self.kernels:
            kill(kernel)
        os._exit(0)

    def accept(self) -> None:
        connection, _ = self.listener.accept()
        with suppress(OSError, ValueError, KeyError):
            request, streams = received(connection)
            if relevant(request["env"]) != self.environment:
                connection.sendall(b"0\n")  # not here
            else:
                kernel = os.fork()
                if kernel == 0:
                    self.become_kernel(connection, request, streams)
                connection.sendall(f"{kernel}\n".encode())
                self.kernels[kernel] = connection
                self.selector.register(connection, selectors.EVENT_READ, lambda: kill(kernel))
            for stream in streams:
                os.close(stream)
            if connection in self.kernels.values():
                return
        connection.close()

    def reap(self) -> None:
        with suppress(BlockingIOError):
            self.woken.recv(4096)
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                connection = self.kernels.pop(ended[0])
                self.selector.unregister(connection)
                kill(ended[0])  # what it has left in its group
                with suppress(OSError):
                    connection.sendall(f"{os.waitstatus_to_exitcode(ended[1])}\n".encode())
                connection.close()

    def become_kernel(
        self, connection: socket.socket, request: dict[str, Any], streams: list[int]
    ) -> None:
        """Leave nothing of the server, and run a kernel as a new process would; never return."""
        status = 1
        try:
            os.setsid()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            signal.pthread_sigmask(signal.SIG_SETMASK, request["mask"])
            self.selector.close()
            for each in (self.listener, self.woken, self.wake, connection, *self.kernels.values()):
                each.close()
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
            os.closerange(3, os.sysconf("SC_OPEN_MAX"))
            os.chdir(request["cwd"])
            os.environ.clear()
            os.environ.update(self.set_by_kernels | request["env"])
            time.tzset()
            random.seed()
            sys.modules["numpy"].random.seed()  # the parent's would be that of all its kernels
            status = run_kernel(request["argv"])
        finally:
            os._exit(status)


def received(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Return a request, which ends with a line, and the three streams that came with it."""
    streams = array.array("i")
    text = b""
    connection.settimeout(10)
    while not text.endswith(b"\n") and len(text) < MAX_REQUEST:
        part, extra, _, _ = connection.recvmsg(2**16, socket.CMSG_LEN(3 * streams.itemsize))
        for _, _, content in extra:
            streams.frombytes(content)
        if not part:
            break
        text += part
    connection.settimeout(None)
    return json.loads(text), list(streams)


def run_kernel(argv: list[str]) -> int:
    """Run a kernel to its end, with what a Python does at its own; return the exit status."""
    import atexit
    import threading

    from ipykernel.kernelapp import IPKernelApp

    launcher = importlib.util.find_spec(argv[0])
    sys.argv = [str(launcher and launcher.origin), *argv[1:]]
    try:
        IPKernelApp.launch_instance([*argv[1:], f"--IPKernelApp.parent_handle={os.getppid()}"])
        status = 0
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    return status


def kill(group: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1])
