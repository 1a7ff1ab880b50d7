"""Functions on the cluster: maps with arrays, exceptions, closures, and what outlives a process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.e2e import sandboxes
from tests.e2e.cluster.desk import Desk, Gate
from tests.e2e.desk import PATIENCE

WORK = """
import hashlib, os, socket, sendoff, numpy

LOADED = os.getpid()

@sendoff.remote(timeout="5m")
def scaled(data, factor):
    if factor == 3:
        raise ValueError(f"no {factor}")
    return {"product": data * factor, "loaded": LOADED, "process": os.getpid()}

@sendoff.remote(grace="1s")
def waits(host, port):
    socket.create_connection((host, port)).recv(1)

@sendoff.remote(timeout="5m")
def weighs(data):
    return [data.nbytes, hashlib.sha256(data).hexdigest()]
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
LARGE = """
import hashlib, numpy, sendoff
from work import weighs

SIZE = 50_000_000
given = [numpy.random.default_rng(n).bytes(SIZE) for n in range(2)]
arrays = [numpy.frombuffer(each, "uint8") for each in given]
calls = weighs.map(arrays)
found = list(calls)
assert found == [[SIZE, hashlib.sha256(each).hexdigest()] for each in given], found
for each in calls.run.record.request.inputs:
    (one,) = each.data
    print(f"inputs/sha256/{one.sha256}")
    assert one.size >= SIZE
"""
BY_VALUE = """
import os, sys, sendoff

class Point:
    def __init__(self, x, run):
        self.x, self.run = x, run

def make(factor):
    @sendoff.remote(timeout="5m")
    def times(n, plus=0):
        return Point(n * factor + plus, os.environ["SENDOFF_RUN"])
    return times

times = make(6)
found = times.options(gpu="h100").remote(7)
assert type(found) is Point and found.x == 42
assert [each.x for each in times.starmap([(1, 2), (3, 4)])] == [8, 22]
print(found.run)
"""
LEAVES = """
import socket, sys, sendoff

class Point:
    def __init__(self, x):
        self.x = x

@sendoff.remote(timeout="5m")
def waits(host, port):
    socket.create_connection((host, port)).recv(1)
    return {Point(4): {1, 2}}

print(waits.spawn(sys.argv[1], int(sys.argv[2])).id)
"""
AWAITS = """
import asyncio, sys, sendoff
from sendoff import aio

async def main():
    run = sendoff.get(sys.argv[1])
    assert not run.status.final
    awaited = asyncio.create_task(aio.value(run))
    await asyncio.sleep(0.5)
    assert not awaited.done()
    print("awaiting", flush=True)
    ((point, found),) = (await awaited).items()
    assert (type(point).__name__, point.x, found) == ("Point", 4, {1, 2})
asyncio.run(main())
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


def _printed(desk: Desk, text: str, *arguments: str) -> str:
    """What a program that succeeds prints."""
    with _program(desk, text, *arguments) as program:
        out, err = program.communicate(timeout=PATIENCE)
    assert program.returncode == 0, f"{out}\n{err}"
    return out


def test_a_map_with_arrays_and_an_exception(desk: Desk) -> None:
    desk.write("work.py", WORK)
    _printed(desk, MAP)


def test_calls_that_go_on_are_cancelled(desk: Desk, gate: Gate) -> None:
    desk.write("work.py", WORK)
    with _program(desk, CANCEL, *gate.address) as program:
        gate.wait_for(2)
        out, err = program.communicate("\n", timeout=PATIENCE)
    assert program.returncode == 0, f"{out}\n{err}"


def test_large_arguments_of_a_map_arrive(desk: Desk) -> None:
    desk.write("work.py", WORK)
    keys = _printed(desk, LARGE).split()
    assert len(set(keys)) == 2
    assert set(keys) <= set(desk.site.objects().keys("inputs/"))


def test_a_closure_goes_by_value_to_a_gpu_and_to_several_pods(desk: Desk) -> None:
    desk.write("README", "An experiment.")
    run = _printed(desk, BY_VALUE).strip()
    index = desk.index(run)
    assert index["command"][:3] == ["python", "-m", "sendoff.call"]
    assert index["command"][3].startswith("@.sendoff/function-")
    assert [file["path"] for file in index["files"]] == ["result.pkl"]
    (pod,) = desk.site.of_run("pods", run)
    (container,) = pod["spec"]["containers"]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert desk.json("show", run)["request"]["resources"]["gpu"] == "h100"


def test_another_process_awaits_a_value_that_only_a_pickle_carries(desk: Desk, gate: Gate) -> None:
    desk.write("README", "An experiment.")
    run = _printed(desk, LEAVES, *gate.address).strip()
    with _program(desk, AWAITS, run) as program:
        assert program.stdout
        assert program.stdout.readline() == "awaiting\n"
        gate.wait_for(1)
        gate.open()
        out, err = program.communicate(timeout=PATIENCE)
    assert program.returncode == 0, f"{out}\n{err}"
    assert [file["path"] for file in desk.index(run)["files"]] == ["result.pkl"]
