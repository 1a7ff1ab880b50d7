"""Functions for a sandbox of another Python than the one that sends them off."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e import sandboxes
from tests.e2e.functions.conftest import Workbench


@pytest.fixture
def other(tmp_path: Path) -> str:
    """An interpreter of another minor that is on this machine."""
    found = sandboxes.another_minor(tmp_path / "interpreters")
    return f"{sandboxes.of_another(found, tmp_path / 'other')}/bin/python"


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
