"""The small `sendoff` of `dispatcher/runner/site`: what a module that a run imports may say."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

import sendoff
import sendoff.aio
import sendoff.joblib

SITE = Path(__file__).parents[4] / "dispatcher/runner/site"


def inside(program: str) -> str:
    """What a program prints that sees the stand-in, as a call does."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(SITE)},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_whatever_is_there_outside_can_be_named_and_is_a_class_where_it_is_one() -> None:
    classes = json.loads(
        inside(
            "import json, sendoff\n"
            f"named = {sendoff.__all__}\n"
            "print(json.dumps({n: isinstance(getattr(sendoff, n), type) for n in named}))"
        )
    )
    assert classes == {name: isinstance(getattr(sendoff, name), type) for name in sendoff.__all__}


@pytest.mark.parametrize("module", [sendoff.aio, sendoff.joblib])
def test_so_can_what_its_modules_have(module) -> None:
    own = inspect.getmembers(module, lambda each: inspect.isfunction(each) or inspect.isclass(each))
    names = {
        name
        for name, each in own
        if each.__module__ == module.__name__ and not name.startswith("_")
    }
    assert names
    inside(f"from sendoff import aio, joblib\nfrom {module.__name__} import {', '.join(names)}")


@pytest.mark.parametrize(
    "called",
    [
        "sendoff.ship(['true'])",
        "sendoff.Run('id')",
        "sendoff.reproduce('id')",
        "sendoff.aio.spawn(print)",
        "sendoff.joblib.SendoffBackend()",
        "sendoff.remote(print).map([1])",
    ],
)
def test_nothing_sends_off(called: str) -> None:
    program = (
        f"import sendoff.aio, sendoff.joblib\ntry: {called}\nexcept RuntimeError as e: print(e)"
    )
    assert "was called inside the run" in inside(program)


def test_a_module_may_register_the_backend_and_annotate_with_what_is_outside() -> None:
    inside("""
import sendoff.joblib
sendoff.joblib.register()
def waits(run: sendoff.Run | None, function: sendoff.Function[..., int]) -> sendoff.Index: ...
assert sendoff.Run is sendoff.Run and not isinstance(1, sendoff.Run)
""")


def test_what_takes_no_attributes_can_be_sent_off_too() -> None:
    inside("""
import math, sendoff
class Model:
    def fit(self, n): return n + 1
assert sendoff.remote(math.factorial)(3) == 6
assert sendoff.remote(timeout="1h")(Model().fit)(1) == 2
assert sendoff.remote(int).options(gpu="a40")("7") == 7
assert sendoff.remote(math.factorial).__name__ == "factorial"
""")


def test_a_class_keeps_its_own_methods() -> None:
    inside("""
import sendoff
@sendoff.remote
class Table:
    def map(self): return "mapped"
    def options(self): return "options"
assert (Table().map(), Table().options()) == ("mapped", "options")
""")
