"""What `run_tests.py` puts beside the tests in the page's Python: runs one file, and tells.

A library that is not there is a stand-in while tests are collected: a test that uses it is skipped
with its name, the others of the file run.
"""

import importlib.abc
import importlib.machinery
import json
import os
import sys
import types

import hypothesis
import pytest

# What a line begins with that says what became of a test.
TOLD = "TOLD "


class Missing(type):
    """The type of what a library that is not there would have: nothing is one of it."""

    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Missing(cls.__name__, (), {})

    def __call__(cls, *_, **__):
        pytest.skip(f"no {cls.__name__} in WebAssembly", allow_module_level=True)


class Absent(types.ModuleType):
    """A library that is not there."""

    __path__ = ()

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Missing(self.__name__, (), {})


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def __init__(self, names):
        self.names = names

    def find_spec(self, name, *_):
        top = name.partition(".")[0]
        return importlib.machinery.ModuleSpec(name, self) if top in self.names else None

    def create_module(self, spec):
        return Absent(spec.name)

    def exec_module(self, module):
        pass


class Plugin:
    def __init__(self, finder):
        self.finder = finder

    def pytest_collection_finish(self):
        # Other libraries ask whether these are loaded.
        sys.meta_path.remove(self.finder)
        for name in [name for name in sys.modules if isinstance(sys.modules[name], Absent)]:
            del sys.modules[name]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        # pandas asks for some of them on its own.
        report = yield
        missing = isinstance(call.excinfo and call.excinfo.value, ImportError)
        named = [name for name in self.finder.names if missing and name in str(call.excinfo.value)]
        if named:
            report.outcome = "skipped"
            report.longrepr = (str(item.path), 0, f"no {named[0]} in WebAssembly")
        return report

    def pytest_collectreport(self, report):
        if report.outcome != "passed":
            tell(report, "collect")

    def pytest_runtest_logreport(self, report):
        if report.when == "call" or report.outcome != "passed":
            tell(report, report.when)


def tell(report, when):
    why = "" if report.outcome == "passed" else str(report.longrepr)[-2000:]
    told = [report.nodeid.removeprefix("house/"), when, report.outcome, why]
    print(TOLD + json.dumps(told), file=sys.__stdout__, flush=True)


def run(file, absent, deselected):
    os.getuid = lambda: 0  # whose temporary folders pytest asks for: there are no users
    # Later releases of Hypothesis let parametrised methods of a class be; the profile of the house
    # is made of this one.
    executors = [hypothesis.HealthCheck.differing_executors]
    hypothesis.settings.register_profile("wasm", suppress_health_check=executors)
    hypothesis.settings.load_profile("wasm")
    finder = Finder(absent)
    sys.meta_path.insert(0, finder)
    without = ("cacheprovider", "faulthandler")
    pytest.main(
        [
            "-q",
            "--no-header",
            "--rootdir=/house",
            "--capture=sys",
            *(f"-pno:{name}" for name in without),
            *(f"--deselect={name}" for name in deselected),
            f"/house/{file}",
        ],
        plugins=[Plugin(finder)],
    )
