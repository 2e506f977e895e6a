"""Kernels of runs: forked from a warm process where that can be, else started as ever.

A forked kernel has its imports behind it (a first kernel alone is not worth that). It is a process
of its own all the same, with its own streams, folder and environment, is waited for and killed like
any other, and ends with whoever asked for it. Jupyter has a place for this: a provisioner.
"""

from __future__ import annotations

import atexit
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty
from typing import IO, Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import LocalProvisioner

from afterfit.runs import _warm

# Many runs share a machine, and sums are added in the same order on all of them.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
}

# The debugger's remark about frozen modules would stand in the output of the first cell.
QUIET = {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}

# Where processes that share a warm one find its socket; "" if there is to be none.
ADDRESS = "AFTERFIT_WARM"

# Operating systems allow about 100 characters for the path of a socket (unix(7)).
MAX_SOCKET_PATH = 80

# Seconds in which a warm process has imported all it imports, or has answered.
PATIENCE = 60.0

# Seconds between two looks whether a kernel has ended.
_INTERVAL = 0.01


def environment() -> dict[str, str]:
    """Return the variables of a kernel's process."""
    return {**os.environ, **ONE_THREAD, **QUIET}


# --- the warm process, seen from outside ---


class Warm:
    """A warm process, and the socket that it serves. It ends with this one, however that ends."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="afterfit-")
        self.address = f"{self._folder.name}/warm"
        self.process = subprocess.Popen(
            [sys.executable, _warm.__file__, self.address],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment(),
            start_new_session=True,
        )

    def wait(self) -> None:
        """Wait until it is warm, or has found that it cannot serve."""
        end = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < end:
            with socket.socket(socket.AF_UNIX) as connection, suppress(OSError):
                connection.connect(self.address)
                return
            time.sleep(_INTERVAL)

    def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()
        self._folder.cleanup()


@contextmanager
def shared() -> Iterator[Callable[[], None]]:
    """Let all processes that are started meanwhile share a warm one; give what waits for it."""
    if not _can_fork() or ADDRESS in os.environ:
        yield lambda: None
        return
    warm = Warm()
    os.environ[ADDRESS] = warm.address
    try:
        yield warm.wait
    finally:
        del os.environ[ADDRESS]
        warm.stop()


def _can_fork() -> bool:
    return sys.platform.startswith("linux")  # macOS and fork do not go together


_own: list[Warm] = []  # the warm process that this process has started, if it has
_asked = itertools.count()
_starting = threading.Lock()


def address() -> str | None:
    """Return the socket of a warm process: one that is shared, or this process's own, which is
    started with its second kernel; None without one."""
    if ADDRESS in os.environ:
        return os.environ[ADDRESS] or None
    with _starting:
        if not _can_fork() or next(_asked) == 0:
            return None
        if _own and _own[0].process.poll() is not None:
            _own.pop().stop()  # it was killed
        if not _own:
            _own.append(Warm())
            atexit.register(_own[0].stop)
    return _own[0].address


class ForkedKernel:
    """A kernel's process, with what `subprocess.Popen` has of one that it started."""

    stdin = stdout = stderr = None

    def __init__(self, connection: socket.socket, pid: int, status: bytes) -> None:
        self.connection, self.pid = connection, pid
        self.returncode = int(status) if status else None

    def poll(self) -> int | None:
        with suppress(BlockingIOError):
            self._read(socket.MSG_DONTWAIT)
        return self.returncode

    def wait(self) -> int | None:
        self._read(0)
        return self.returncode

    def _read(self, flags: int) -> None:
        if self.returncode is None:
            said = self.connection.recv(64, flags)
            self.connection.close()
            # Without a word: the warm process is gone, and its kernels with it.
            self.returncode = int(said) if said else -signal.SIGKILL
            if not said:
                self.send_signal(signal.SIGKILL)

    def send_signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


def forked(command: list[str], options: dict[str, Any]) -> ForkedKernel | None:
    """Return a kernel forked from the warm process; None if it must be started by itself."""
    is_ours = command[:3] == [sys.executable, "-m", "ipykernel_launcher"]
    folder = options.get("cwd") or os.getcwd()
    if not is_ours or Path(folder, "matplotlibrc").exists():
        return None
    where = address()
    if where is None:
        return None
    request = {
        "argv": command[2:],
        "cwd": str(folder),
        "env": options.get("env") or dict(os.environ),
        "mask": [int(each) for each in signal.pthread_sigmask(signal.SIG_BLOCK, [])],
    }
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(where)
        with open(os.devnull, "rb") as nothing:
            streams = [nothing, options.get("stdout") or sys.__stdout__, options.get("stderr")]
            numbers = [_number(stream, default) for default, stream in enumerate(streams)]
            socket.send_fds(connection, [b" "], numbers)
            connection.sendall(json.dumps(request).encode() + b"\n")
        connection.settimeout(PATIENCE)
        pid, _, status = connection.recv(64).partition(b"\n")
        connection.settimeout(None)
        if pid and int(pid):
            return ForkedKernel(connection, int(pid), status)
    except OSError:  # it is gone, or not there yet
        pass
    connection.close()
    return None


def _number(stream: Any, default: int) -> int:
    try:
        return default if stream is None else int(stream.fileno())
    except (OSError, ValueError):  # closed, or no file at all
        return default


# --- jupyter_client's side ---


class Provisioner(LocalProvisioner):  # type: ignore[misc]
    """Jupyter's own provisioner, whose kernels may have been forked."""

    async def launch_kernel(self, cmd: list[str], **options: Any) -> Any:
        self.process = forked(cmd, options)
        if self.process is None:
            return await super().launch_kernel(cmd, **options)
        self.pid = self.pgid = self.process.pid  # it leads a group of its own
        self.cwd = options.get("cwd", os.getcwd())
        return self.connection_info


class Client(AsyncKernelClient):  # type: ignore[misc]
    """Jupyter's own client, which does not wait longer for a kernel than it takes."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until a question was answered and all that came of it was heard.

        The base class waits until nothing was heard for 0.2 seconds.
        """
        end = time.monotonic() + (timeout or float("inf"))
        while time.monotonic() < end:
            asked = self.kernel_info()
            try:
                reply = await self.get_shell_msg(timeout=1)
                while reply["parent_header"].get("msg_id") != asked:
                    reply = await self.get_shell_msg(timeout=1)
                while not _is_idle(await self.get_iopub_msg(timeout=0.2), asked):
                    pass
            except Empty:
                if not await self.is_alive():
                    raise RuntimeError("Kernel died before replying to kernel_info") from None
                continue
            self._handle_kernel_info_reply(reply)
            return
        raise RuntimeError(f"Kernel didn't respond in {timeout:g} seconds")


def _is_idle(message: dict[str, Any], asked: str) -> bool:
    is_about_it = message["parent_header"].get("msg_id") == asked
    return bool(is_about_it and message["content"].get("execution_state") == "idle")


def manager(
    scratch: str, *, log: IO[bytes] | None = None, started: Callable[[int], None] | None = None
) -> type:
    """Return a kernel manager for this Python, with one thread.

    It talks to its kernel by sockets in `scratch`: ports, found free and taken a moment later, are
    taken by another run in between when there are many.
    """

    class KernelManager(AsyncKernelManager):  # type: ignore[misc]
        def __init__(self, **options: Any) -> None:
            if len(scratch) < MAX_SOCKET_PATH and hasattr(socket, "AF_UNIX"):
                options |= {"transport": "ipc", "ip": f"{scratch}/kernel"}
            super().__init__(**options)
            self.client_factory = Client

        def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
            command: list[str] = super().format_kernel_cmd(extra_arguments)
            # "python3" means the Python that has the package, whatever a user has registered.
            return [sys.executable, *command[1:]] if self.kernel_name == "python3" else command

        async def _async_pre_start_kernel(self, **options: Any) -> Any:
            if self.provisioner is None:
                self.provisioner: Any = Provisioner(
                    kernel_id="", kernel_spec=self.kernel_spec, parent=self
                )
            return await super()._async_pre_start_kernel(**options)

        async def _async_start_kernel(self, **options: Any) -> None:
            await super()._async_start_kernel(env=environment(), stderr=log, **options)
            if started is not None:
                started(self.provisioner.pid)

        start_kernel = _async_start_kernel

        async def _async_finish_shutdown(
            self, waittime: float | None = None, pollinterval: float = 0.1, restart: bool = False
        ) -> None:
            await super()._async_finish_shutdown(waittime, _INTERVAL, restart)

    return KernelManager
