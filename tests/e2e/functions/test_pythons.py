"""Functions for a sandbox of another Python than the one that sends them off."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dispatcher.errors import PythonNotHere
from dispatcher.local import host_python
from tests.e2e.functions.conftest import Workbench
from tests.e2e.sandboxes import TOOLS

OTHERS = [minor for minor in ("3.12", "3.13", "3.11") if minor != f"3.{sys.version_info[1]}"]


@pytest.fixture
def other(tmp_path: Path) -> str:
    """An interpreter of another minor that is on this machine."""
    for minor in OTHERS:
        try:
            found = host_python.find(f"{minor}.0", tmp_path / "interpreters")
        except PythonNotHere:
            continue
        make = [TOOLS / "uv", "venv", "-q", "--offline", "--python", found.executable]
        subprocess.run([*make, tmp_path / "other"], check=True)
        return f"{tmp_path}/other/bin/python"
    pytest.skip("there is no other minor of Python on this machine")


def test_a_pickle_for_another_python_is_refused_before_anything_is_packed(
    bench: Workbench, other: str, tmp_path: Path
) -> None:
    bench.write("plain.py", "def same(n): return n\n")
    bench.env["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    bench.program(
        """
import os, pathlib, sendoff, plain
cache = pathlib.Path(os.environ["XDG_CACHE_HOME"]) / "sendoff"
def refused(call):
    try: call()
    except sendoff.SendoffError as error: return error
    raise AssertionError("it was not refused")
for error in (
    refused(lambda: sendoff.remote(lambda n: n).remote(1)),
    refused(lambda: sendoff.remote(plain.same).remote({1, 2})),
):
    assert error.code == "FUNCTION_REFUSED", error
    assert "pickle" in error.why()
left = sorted(each.name for each in cache.iterdir())
assert left == ["interpreters"], left
assert sendoff.remote(plain.same).remote(3) == 3
""",
        SENDOFF_PYTHON=other,
        # Where the `local` target finds it: the home of version managers is another one here.
        PATH=f"{bench.env['PATH']}:{Path(other).resolve().parent}",
    )
