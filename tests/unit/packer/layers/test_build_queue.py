"""What can be made with the wheels that have come."""

from __future__ import annotations

from queue import Empty

import pytest

from packer.digest import Digest
from packer.environment.lock import FilesPin, PinnedFile, WheelPin
from packer.layers.build_queue import BuildQueue
from packer.layers.environment_plan import LayerPlan


def wheel(name: str, size: int) -> WheelPin:
    return WheelPin(name=name, version="1", filename=f"{name}.whl", sha256=name, size=size)


FILE = PinnedFile(path="f.py", size=1, sha256="f")
FILES = FilesPin(name="f", version="1", origin="local", files=(FILE,))
PLANS = {
    Digest.of(b"small"): LayerPlan(wheels=(wheel("a", 1), wheel("b", 2))),
    Digest.of(b"large"): LayerPlan(wheels=(wheel("c", 9),)),
    Digest.of(b"files"): LayerPlan(files=(FILES,)),
}


def test_what_waits_for_no_wheel_is_ready() -> None:
    queue = BuildQueue(PLANS)
    assert queue.begin() == 1
    assert queue.take() == Digest.of(b"files")


def test_a_layer_is_ready_with_the_last_of_its_wheels() -> None:
    queue = BuildQueue(PLANS)
    assert [queue.arrived("a"), queue.arrived("b")] == [0, 1]
    assert queue.take() == Digest.of(b"small")


def test_the_largest_is_taken_first() -> None:
    queue = BuildQueue(PLANS)
    for sha256 in "abc":
        queue.arrived(sha256)
    assert [queue.take(), queue.take()] == [Digest.of(b"large"), Digest.of(b"small")]


def test_one_that_comes_twice_or_belongs_to_none_changes_nothing() -> None:
    queue = BuildQueue(PLANS)
    assert [queue.arrived("c"), queue.arrived("c"), queue.arrived("z")] == [1, 0, 0]
    queue.take()
    with pytest.raises(Empty):
        queue.take()


def test_a_wheel_of_two_layers_is_there_for_both() -> None:
    shared = wheel("s", 1)
    queue = BuildQueue(
        {
            Digest.of(b"one"): LayerPlan(wheels=(shared,)),
            Digest.of(b"two"): LayerPlan(wheels=(shared, wheel("d", 5))),
        }
    )
    assert [queue.arrived("d"), queue.arrived("s")] == [0, 2]


def test_what_has_not_come_is_told() -> None:
    queue = BuildQueue(PLANS)
    queue.arrived("a")
    assert queue.lacking() == {"b", "c"}
