"""Functions on the cluster: a map with arrays, an exception, and the end of one that goes on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.e2e import sandboxes
from tests.e2e.cluster.desk import Desk, Gate
from tests.e2e.desk import PATIENCE

WORK = """
import os, socket, sendoff, numpy

LOADED = os.getpid()

@sendoff.remote(timeout="5m")
def scaled(data, factor):
    if factor == 3:
        raise ValueError(f"no {factor}")
    return {"product": data * factor, "loaded": LOADED, "process": os.getpid()}

@sendoff.remote(grace="1s")
def waits(host, port):
    socket.create_connection((host, port)).recv(1)
"""
MAP = """
import numpy, sendoff
from work import scaled

data = numpy.arange(200_000.0)
calls = scaled.options(per_pod=4).map([data] * 4, range(1, 5), return_exceptions=True)
found = list(calls)
assert type(found[2]) is ValueError and "in scaled" in str(found[2].__cause__)
for factor, each in zip((1, 2, 4), (found[0], found[1], found[3])):
    assert (each["product"] == data * factor).all()
    assert each["loaded"] == found[0]["loaded"], "the pod has loaded it once"
assert len({each["process"] for each in (found[0], found[1], found[3])}) == 3
assert [index.state for index in sendoff.get(calls.run.id)].count("failed") == 1
assert len({each.data[0].sha256 for each in calls.run.record.request.inputs}) == 1
"""
CANCEL = """
import sys, sendoff
from work import waits
calls = waits.map([sys.argv[1]] * 2, [int(sys.argv[2])] * 2, return_exceptions=True)
print(calls.run.id, flush=True)
sys.stdin.readline()
calls.cancel()
assert all(isinstance(each, sendoff.CallCancelled) for each in calls)
"""


def _program(desk: Desk, text: str, *arguments: str) -> subprocess.Popen[str]:
    python = sandboxes.with_packages(Path(__file__).with_name("numpy.txt")) / "bin/python"
    return subprocess.Popen(
        [sys.executable, "-c", text, *arguments],
        cwd=desk.project,
        env={**desk.env, "SENDOFF_PYTHON": str(python), "SENDOFF_WARM": "0"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_map_with_arrays_and_an_exception(desk: Desk) -> None:
    desk.write("work.py", WORK)
    with _program(desk, MAP) as program:
        out, err = program.communicate(timeout=PATIENCE)
    assert program.returncode == 0, f"{out}\n{err}"


def test_calls_that_go_on_are_cancelled(desk: Desk, gate: Gate) -> None:
    desk.write("work.py", WORK)
    with _program(desk, CANCEL, *gate.address) as program:
        gate.wait_for(2)
        out, err = program.communicate("\n", timeout=PATIENCE)
    assert program.returncode == 0, f"{out}\n{err}"
