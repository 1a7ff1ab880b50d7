"""Arguments that are larger than anybody wants in memory twice."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

import pytest

from tests.e2e.functions.conftest import Workbench

MEGABYTE = 1_000_000
SIZES = [160 * MEGABYTE]
if os.environ.get("SENDOFF_TEST_LARGE"):
    # It writes 6 GB.
    SIZES.append(2_000 * MEGABYTE)
ROOM = 96 * MEGABYTE
"""What each process may take beside the array, interpreter and NumPy included."""
LARGE = """
import os, sendoff

def peak(process):
    with open(f"/proc/{process}/status") as stream:
        fields = dict(line.split(":", 1) for line in stream)
    return int(fields["VmHWM"].split()[0]) * 1024, int(fields["PPid"])

@sendoff.remote(max_parallel=1, timeout="10m")
def mean(data, n):
    value = float(data[::4096].mean()) + n
    call, runner = peak(os.getpid())
    # The first call is the runner's child, as every command is.
    of_runner, supervisor = peak(runner)
    return {"mean": value, "call": call, "runner": of_runner, "supervisor": peak(supervisor)[0]}
"""
SEND = """
import json, numpy, os, pathlib, sys, time, large
size = int(sys.argv[1])
data = numpy.full(size, 7, "uint8")
before, _ = large.peak(os.getpid())
began = time.monotonic()
calls = large.mean.map([data] * 2, range(2))
first, second = list(calls)
seconds = time.monotonic() - began
assert (first["mean"], second["mean"]) == (7.0, 8.0)
record = calls.run.record.request
assert len({each.data[0].sha256 for each in record.inputs}) == 1
store = pathlib.Path(calls.run.places.store)
(kept,) = (store / "inputs/sha256").iterdir()
assert size <= kept.stat().st_size < size + 10_000
for name in ("run.json", "0/manifest.json", "1/manifest.json"):
    assert os.path.getsize(store / "runs" / calls.run.id / name) < 10_000
found = {**first, "ours": large.peak(os.getpid())[0] - before, "seconds": seconds}
print(json.dumps(found))
"""


@pytest.mark.parametrize("size", SIZES)
def test_large_arguments_go_through_the_store_once_in_bounded_memory(
    bench: Workbench, size: int, record_property: Callable[[str, object], None]
) -> None:
    bench.write("large.py", LARGE)
    bench.write("send.py", SEND)
    found = json.loads(bench.ran("send.py", str(size)))
    for name, number in found.items():
        record_property(name, number)
    assert found["ours"] < ROOM
    assert found["runner"] < ROOM
    assert found["supervisor"] < ROOM
    assert found["call"] < size + ROOM
