"""A project with a module of functions, and a sandbox without packages that they run in."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.e2e import sandboxes

WORK = """
import concurrent.futures, os, sys, time
def square(n): return n * n
def late(n, seconds):
    time.sleep(seconds)
    return n
def picky(n):
    if n == 1:
        raise ValueError("one", n)
    return n
def named(function): return function
def ends(status): os._exit(status)
def writes(names, returned, status=0):
    for name in names: open(name, "w").write('{"loss": 0.1}')
    if status:
        sys.exit(status)
    return returned
class Pair(Exception):
    def __init__(self, a, b): super().__init__(f"{a} and {b}")
class Known(Exception): pass
def raises(name):
    if name == "stop":
        next(iter(()))
    raise {
        "pair": lambda: Pair(1, 2),
        "known": lambda: Known("k"),
        "async stop": StopAsyncIteration,
        "cancelled": concurrent.futures.CancelledError,
    }[name]()
"""


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment."""
    return sandboxes.empty(tmp_path_factory.mktemp("sandbox") / "venv")


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def work(tmp_path: Path, cache: Path, empty: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module `work` of the project that is the current directory."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "work.py").write_text(WORK)
    monkeypatch.chdir(project)
    monkeypatch.setenv("SENDOFF_PYTHON", str(empty / "bin/python"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    for name in ("DATA", "STATE", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.syspath_prepend(str(project))
    monkeypatch.delitem(sys.modules, "work", raising=False)
    return importlib.import_module("work")
