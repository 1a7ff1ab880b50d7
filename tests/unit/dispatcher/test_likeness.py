from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from dispatcher import likeness
from dispatcher.likeness import Side
from dispatcher.referral import Ended
from dispatcher.request import Input, Request, Resources
from dispatcher.run import Manifest, OutputFile
from packer.digest import Digest

IMAGE = Digest.of(b"image")
H100 = {"name": "NVIDIA H100", "driver": "550.54"}


def side(
    *, files: dict[str, str] | None = None, metrics: dict[str, float] | None = None, **more: Any
) -> Side:
    hardware = {"python": "3.11.7", "cpu": "x", "cpus": 2, **more.pop("hardware", {})}
    manifest = Manifest(
        run="r",
        index=0,
        attempt=1,
        digest=IMAGE,
        command=("true",),
        state=more.pop("state", "succeeded"),
        exit_code=more.pop("exit_code", 0),
        files=tuple(
            OutputFile(path=path, size=1, sha256=sha) for path, sha in (files or {}).items()
        ),
        hardware=hardware,
    )
    ended = Ended(
        index=0,
        results=IMAGE,
        manifest=manifest,
        metrics=metrics or {},
        printed=more.pop("printed", ""),
    )
    request = Request(inputs=(Input(command=("true",), digest=IMAGE),), repository="/r", **more)
    return Side(request=request, ended=ended)


def test_identity_is_of_what_was_run() -> None:
    assert likeness.identity(side(), side()) is None
    other = likeness.identity(side(), side(resources=Resources(gpu="h100")))
    assert other is not None
    assert (other.what, other.now) == ("gpu", "h100")
    assert likeness.identity(side(), side(environment={"A": "1"})) is not None


def test_the_first_file_that_differs_is_named() -> None:
    was = side(files={"a": "1", "b": "2", "c": "3"})
    assert likeness.bitwise(was, was) is None
    found = likeness.bitwise(was, side(files={"a": "1", "c": "4"}))
    assert found is not None
    assert (found.what, found.detail, found.now) == ("outputs", "b", "no such file")


def test_without_files_what_was_printed_counts() -> None:
    assert likeness.bitwise(side(printed="1"), side(printed="1")) is None
    assert likeness.bitwise(side(printed="1"), side(printed="2")) is not None
    assert likeness.bitwise(side(), side()) is not None, "nothing was looked at"


def test_another_end_is_another_result() -> None:
    found = likeness.bitwise(side(files={"a": "1"}), side(state="failed", exit_code=3))
    assert found is not None
    assert found.what == "exit"


def test_metrics_are_judged_but_for_those_that_tell_how_fast_it_went() -> None:
    was = side(metrics={"loss": 1.0, "train_seconds": 1.0, "steps_per_sec": 9.0})
    now = side(metrics={"loss": 1.005, "train_seconds": 2.0, "steps_per_sec": 1.0})
    for rtol, holds in ((0.01, True), (0.001, False)):
        measured = likeness.compare_metrics(was, now, rtol)
        assert (likeness.statistical(was, now, measured) is None) is holds
    missing = likeness.compare_metrics(was, side(), 1.0)
    assert likeness.statistical(was, side(), missing) is not None
    assert likeness.statistical(side(), side(), ()) is not None, "nothing was measured"


def test_the_cause_is_the_first_that_differs() -> None:
    was = side(hardware={"gpus": [H100]})
    driver = side(hardware={"gpus": [{**H100, "driver": "560.1"}], "cpu": "y"})
    assert likeness.cause(was, driver).what == "driver"
    gpu = side(hardware={"gpus": [{**H100, "name": "NVIDIA A40"}]})
    assert likeness.cause(was, gpu).was == "1 × NVIDIA H100"
    assert likeness.cause(was, side(hardware={"python": "3.11.9"})).what == "environment"
    assert likeness.cause(side(), side(hardware={"cpus": 4})).what == "machine"
    assert likeness.cause(was, was).what == "seed"
    assert "--deterministic" in likeness.cause(was, was).detail


def test_what_is_not_at_hand_is_no_likeness() -> None:
    bare = replace(side(), ended=Ended(index=0, results=IMAGE))
    assert likeness.bitwise(bare, side()) is not None
