"""What every test must leave behind as it found it, and the browser that some tests need."""

import os
import shutil
import sys
import threading
from functools import partial
from pathlib import Path

# As make has it; read when NumPy is imported. Threads of two processes on the same cores wait for
# each other most of their time.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "JUPYTER_PREFER_ENV_PATH": "1"}

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import settings

# The same examples on every machine, however slow it is; a test that needs more asks for them.
settings.register_profile("house", deadline=None, derandomize=True, max_examples=40)
settings.load_profile("house")

# What takes longest starts first: at the end no core waits for another.
LONGEST = ("test_pipeline", "test_chapters", "test_site", "test_browser")

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
NO_BROWSER = (
    "The browser tests were skipped: there is no Chromium on this machine. "
    "Install it (on Debian: apt install chromium) and run `make test` again."
)


def pytest_collection_modifyitems(items):
    order = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))


@pytest.fixture(autouse=True)
def _global_random_state_is_left_alone():
    before = np.random.get_state()  # noqa: NPY002  (watching the legacy state is the point)
    yield
    after = np.random.get_state()  # noqa: NPY002
    assert before[2:] == after[2:], "the test moved NumPy's global random state"
    assert np.array_equal(before[1], after[1]), "the test moved NumPy's global random state"


@pytest.fixture(autouse=True)
def _no_figure_stays_open():
    yield
    open_figures = plt.get_fignums()
    plt.close("all")
    assert not open_figures, f"the test left {len(open_figures)} figure(s) open"


class _NarrowNumpy:
    """NumPy as on a machine of 32 bits, such as WebAssembly: int64 neither counts nor repeats."""

    intp = np.int32

    def __getattr__(self, name):
        return getattr(np, name)

    @staticmethod
    def bincount(x, *args, **kwargs):
        return np.bincount(_checked_index(x), *args, **kwargs)

    @staticmethod
    def repeat(a, repeats, *args, **kwargs):
        return np.repeat(a, _checked_index(repeats), *args, **kwargs)


def _checked_index(index):
    dtype = np.asarray(index).dtype
    if np.ndim(index) and not np.can_cast(dtype, np.int32):
        raise TypeError(f"Cannot cast array data from {dtype} to int32 according to 'safe'")
    return index


@pytest.fixture
def narrow_indices(monkeypatch):
    """Give all of the package's loaded modules a NumPy whose indices have 32 bits."""
    for name, module in list(sys.modules.items()):
        if name.startswith("afterfit.") and getattr(module, "np", None) is np:
            monkeypatch.setattr(module, "np", _NarrowNumpy())


def find_browser():
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@pytest.fixture(scope="session")
def browser_path():
    """The system's Chromium; where CI runs, its absence is a failure and no reason to skip."""
    path = find_browser()
    if path is None and os.environ.get("CI"):
        pytest.fail("CI is set and there is no Chromium: the browser tests must run here.")
    if path is None:
        pytest.skip(NO_BROWSER)
    return path


@pytest.fixture(scope="session")
def browser(browser_path):
    """The one browser of a test process: playwright's loop runs until the session ends."""
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=flags)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site():
    """The address of the built book, served from loopback."""
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    class QuietHandler(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = partial(QuietHandler, directory=str(Path(__file__).parents[1] / "_build/html"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def warm_process():
    """One warm process for the kernels of all tests that ask for it; None where there is none."""
    from afterfit.runs import _kernels

    if not sys.platform.startswith("linux"):
        yield None
        return
    warm = _kernels.Warm()
    warm.wait()
    yield warm
    warm.stop()


@pytest.fixture
def warm(warm_process, monkeypatch):
    """Fork the kernels of a test, and of the programs that it starts, from a warm process."""
    if warm_process is not None:
        monkeypatch.setenv("AFTERFIT_WARM", warm_process.address)


def pytest_terminal_summary(terminalreporter):
    if find_browser() is None:
        terminalreporter.write_line(NO_BROWSER, yellow=True)
