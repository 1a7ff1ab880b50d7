"""`@sendoff.remote` on the local target: real programs, real processes, real files in the store."""

from __future__ import annotations

import json

from tests.e2e.functions.conftest import Workbench

TRAIN = """
import numpy, os, sys, sendoff

class Odd(Exception):
    def __init__(self, a, b):
        super().__init__(f"{a} and {b}")

@sendoff.remote(timeout="2m")
def fit(lr, seeds=(1, 2), *, scale=1.0):
    "Fit."
    print("fitting", lr)
    open("weights.txt", "w").write(str(lr))
    return {"loss": lr * scale, "shape": seeds}

@sendoff.remote
def arrays(x, y=None):
    return {"sum": x + (0 if y is None else y), "mean": x.mean(), "of": [x[:2], "text"]}

@sendoff.remote
def fails(kind):
    if kind == "value": raise ValueError("a bad value", 3)
    if kind == "odd": raise Odd(1, 2)
    if kind == "exit": sys.exit(7)
    if kind == "kill": os.kill(os.getpid(), 9)
    if kind == "unpicklable": return (n for n in [1])
    return kind
"""


def test_a_function_is_called_here_and_there(bench: Workbench) -> None:
    bench.write("train.py", TRAIN)
    out = bench.program("""
from train import fit
import sendoff
assert fit(0.5) == {"loss": 0.5, "shape": (1, 2)}
assert fit.__name__ == "fit" and fit.__doc__ == "Fit."
assert fit.remote(0.5, scale=2.0) == {"loss": 1.0, "shape": (1, 2)}
run = fit.options(name="other").spawn(3e-4, seeds=(7,))
assert run.value() == {"loss": 3e-4, "shape": (7,)} and run.state == "succeeded"
again = sendoff.get(run.id)
assert again.value() == run.value() and again.metrics["loss"] == 3e-4
assert run.logs() == "fitting 0.0003\\n"
assert run.id.startswith("other-")
print(run.id)
""")
    run = out.split()[-1]
    shown = bench.json("show", run)
    (index,) = shown["indexes"]
    assert index["command"][:4] == ["python", "-m", "sendoff.call", "train:fit"]
    assert index["command"][4] == "0.0003"
    assert index["command"][5].startswith("seeds=@.sendoff/seeds-")
    files = {file["path"] for file in index["files"]}
    assert files == {"weights.txt", "result.json", "result.types.json"}
    bench.done("get", run, "result.json", "-o", "got")
    assert json.loads((bench.project / "got/result.json").read_text()) == {
        "loss": 3e-4,
        "shape": [7],
    }


def test_a_map_keeps_its_order_and_what_succeeded(bench: Workbench) -> None:
    bench.write("train.py", TRAIN)
    bench.program("""
import sendoff
from train import fit, fails, Odd
assert [each["loss"] for each in fit.map([3, 1, 2], kwargs={"scale": 2})] == [6, 2, 4]
assert [each["shape"] for each in fit.starmap([(1, "a"), (2, "b")])] == ["a", "b"]
assert [each["shape"] for each in fit.map([1, 2], ["x", "y"])] == ["x", "y"]

kinds = ["fine", "value", "odd", "exit", "kill", "unpicklable", "well"]
found = fails.map(kinds, return_exceptions=True)
first, value, odd, left, killed, generator, last = found
assert (first, last) == ("fine", "well")
assert type(value) is ValueError and value.args == ("a bad value", 3)
assert "train.py" in str(value.__cause__) and "in fails" in str(value.__cause__)
assert isinstance(odd, sendoff.RemoteError) and "Odd" in odd.type and odd.message == "1 and 2"
assert "in fails" in odd.traceback
assert isinstance(left, sendoff.CallFailed) and "exit code 7" in str(left)
assert isinstance(killed, sendoff.CallFailed) and "SIGKILL" in str(killed)
assert isinstance(generator, sendoff.ResultUnpicklable) and "generator" in generator.result_repr
assert [state.state for state in found.run].count("failed") == 5
assert dict(found.as_completed())[6] == "well"

seen = []
try:
    for each in sendoff.get(found.run.id).values():
        seen.append(each)
except ValueError as error:
    assert seen == ["fine"] and found.run.id in error.__notes__[0]
else:
    raise AssertionError("it did not raise")
""")


def test_arrays_lie_in_the_store_as_npz(bench: Workbench) -> None:
    bench.write("train.py", TRAIN)
    run = bench.program("""
import numpy
from train import arrays
x = numpy.arange(6.0).reshape(2, 3)
run = arrays.spawn(x, y=x.astype("float32"))
value = run.value()
assert (value["sum"] == 2 * x).all() and type(value["mean"]) is numpy.float64
assert value["of"][0].dtype == x.dtype and value["of"][1] == "text"
print(run.id)
""").strip()
    bench.done("get", run, "-o", "got")
    assert {path.name for path in (bench.project / "got").iterdir()} == {"result.npz"}
    bench.program("""
import numpy
found = numpy.load("got/result.npz")
assert found["sum"].shape == (2, 3)
""")


def test_many_inputs_share_what_was_loaded_and_nothing_else(bench: Workbench) -> None:
    bench.write("data.txt", "as packed")
    bench.write(
        "many.py",
        """
import os, random, sendoff
import numpy
LOADED, COUNT = os.getpid(), []
print("loading")
@sendoff.remote
def one(n):
    COUNT.append(n)
    before = open("data.txt").read()
    if n % 5 == 0:
        open("data.txt", "w").write(f"changed by {n}")
        open(f"made-{n}.txt", "w").write("")
    there = [name for name in os.listdir() if name.startswith("made")]
    print("in", n)
    return [LOADED, os.getpid(), len(COUNT), before, there, numpy.random.rand(), random.random(),
            int(os.environ["SENDOFF_INDEX"])]
@sendoff.remote
def late(n):
    import later
    return later.__file__ == os.path.join(os.getcwd(), "later.py")
""",
    )
    bench.write("later.py", "")
    bench.program("""
import many, sendoff
calls = many.one.options(max_parallel=2).map(range(24))
found = list(calls)
assert len({each[0] for each in found}) == 2, "two workers have loaded the module"
assert len({each[1] for each in found}) == 24, "each call has a process of its own"
assert {each[2] for each in found} == {1}
assert {each[3] for each in found} == {"as packed"}
assert [each[4] for each in found] == [[f"made-{n}.txt"] if n % 5 == 0 else [] for n in range(24)]
assert len({each[5] for each in found}) == len({each[6] for each in found}) == 24
assert [each[7] for each in found] == list(range(24))
assert calls.run[7].logs().splitlines()[-1] == "in 7"
assert {f.path for f in calls.run[5].files} == {"result.json", "data.txt", "made-5.txt"}
assert {f.path for f in calls.run[6].files} == {"result.json"}
fresh = list(many.one.options(max_parallel=2, env={"SENDOFF_FRESH": "1"}).map(range(5)))
assert len({each[0] for each in fresh}) == 5
assert all(many.late.options(max_parallel=1).map(range(3)))
""")


def test_a_worker_outlives_what_its_calls_do(bench: Workbench) -> None:
    bench.write(
        "rough.py",
        """
import os, subprocess, sys, time, sendoff
@sendoff.remote(max_parallel=1, grace="1s")
def one(n):
    if n == 2: os._exit(9)
    if n == 3: os.kill(os.getpid(), 11)
    if n == 4: subprocess.Popen(["sleep", "600"], start_new_session=True)
    if n == 5: os.kill(os.getppid(), 0)
    if n == 6: time.sleep(600)
    return n
@sendoff.remote(max_parallel=1)
def waits(n):
    print("on", flush=True)
    time.sleep(600 if n < 2 else 0)
    return n
""",
    )
    bench.program("""
import rough, sendoff
found = list(rough.one.options(timeout="2s").map(range(8), return_exceptions=True))
assert [n for n in found if isinstance(n, int)] == [0, 1, 4, 5, 7], found
assert isinstance(found[6], sendoff.CallTimedOut) and isinstance(found[6], TimeoutError)
assert "SIGSEGV" in str(found[3])

waiting = rough.waits.map(range(3), return_exceptions=True)
next(event for event in waiting.run[0].events() if "on" in event.text)
waiting.run[0].cancel()
next(event for event in waiting.run[1].events() if "on" in event.text)
waiting.run[1].cancel()
first, second, third = waiting
assert isinstance(first, sendoff.CallCancelled) and isinstance(second, sendoff.CallCancelled)
assert third == 2
all_of_them = rough.waits.map([0, 1])
all_of_them.cancel()
assert all_of_them.run.wait().state == "cancelled"
""")


def test_a_run_is_had_by_id_in_any_process_and_awaited(bench: Workbench) -> None:
    bench.write("train.py", TRAIN)
    ids = bench.program("""
from train import fit
runs = [fit.options(group="wave").spawn(lr) for lr in (1, 2)]
print(*[run.id for run in runs])
""").split()
    bench.program(f"""
import asyncio, sendoff
from sendoff import aio
group = sendoff.group("wave")
assert list(group.ids) == {ids!r}
assert [run.value()["loss"] for run in group.wait()] == [1, 2]
assert sendoff.RunGroup.of({ids!r}).state == "succeeded"
assert sorted(run.id for run in group.as_ended()) == sorted({ids!r})

async def main():
    from train import fit
    run = sendoff.get({ids[0]!r})
    await aio.wait(group)
    assert (await aio.value(run))["loss"] == 1
    first, second = await asyncio.gather(aio.remote(fit, 5), aio.remote(fit, 6))
    assert (first["loss"], second["loss"]) == (5, 6)
    assert {{n: v["loss"] async for n, v in aio.as_completed(fit.map([7, 8]))}} == {{0: 7, 1: 8}}
asyncio.run(main())
""")


def test_a_call_keeps_the_files_it_was_asked_for_and_what_it_returns(bench: Workbench) -> None:
    bench.write(
        "writes.py",
        """
import sendoff
@sendoff.remote(outputs=["*.txt"])
def both(n):
    open("kept.txt", "w").write(str(n))
    open("left.bin", "w").write(str(n))
    return (n, n)
""",
    )
    bench.program("""
from writes import both
run = both.spawn(3)
assert run.value() == (3, 3)
assert run.record.request.outputs == ("*.txt",)
assert {f.path for f in run[0].files} == {"kept.txt", "result.json", "result.types.json"}
run = both.options(outputs=["*.bin"]).spawn(4)
assert run.value() == (4, 4)
assert {f.path for f in run[0].files} == {"left.bin", "result.json", "result.types.json"}
""")


def test_retries_are_for_what_is_around_a_call_and_not_for_what_it_raises(bench: Workbench) -> None:
    bench.write(
        "again.py",
        """
import os, signal, sendoff
@sendoff.remote(retries=1)
def survives(times):
    if int(os.environ["SENDOFF_ATTEMPT"]) <= times:
        os.kill(os.getppid(), signal.SIGKILL)
        signal.pause()
    return int(os.environ["SENDOFF_ATTEMPT"])
@sendoff.remote(retries=1)
def raises():
    raise ValueError(os.environ["SENDOFF_ATTEMPT"])
""",
    )
    bench.program("""
import again, sendoff
run = again.survives.spawn(1)
assert run.value() == 2, "its runner was killed the first time"
assert (run.record.request.retries, run[0].status.attempts) == (1, 2)
try:
    again.survives.remote(2)
except sendoff.CallFailed as error:
    assert "RUNNER_LOST" in str(error), error
else:
    raise AssertionError("it did not raise")
run = again.raises.spawn()
try:
    run.value()
except ValueError as error:
    assert error.args == ("1",)
else:
    raise AssertionError("it did not raise")
assert run[0].status.attempts == 1
""")


def test_another_gpu_class_is_in_the_record_of_the_call_alone(bench: Workbench) -> None:
    bench.write("train.py", TRAIN)
    run = bench.program("""
from train import fit
run = fit.options(gpu="a40").spawn(1)
assert run.value()["loss"] == 1 and run.record.request.resources.gpu == "a40"
assert fit.spawn(1).record.request.resources.gpu == ""
print(run.id)
""").strip()
    assert bench.json("show", run)["request"]["resources"]["gpu"] == "a40"
