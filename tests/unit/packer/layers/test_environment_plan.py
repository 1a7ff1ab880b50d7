from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from packer.environment.lock import FilesPin, Lock, PinnedFile, WheelPin
from packer.layers.environment_plan import BUCKETS, SINGLE_LAYERS, plan

FILE = PinnedFile(path="a", size=1, sha256="0" * 64)


def wheel(number: int, size: int) -> WheelPin:
    return WheelPin(name=f"p{number}", version="1", filename="f", sha256="0" * 64, size=size)


def lock(*sizes: int, **more) -> Lock:
    wheels = tuple(wheel(number, size) for number, size in enumerate(sizes))
    return Lock(python="3.11.7", platform="linux/amd64", wheels=wheels, **more)


@given(st.lists(st.integers(0, 10**9), max_size=200))
def test_every_wheel_is_in_one_layer_and_there_are_at_most_thirty(sizes):
    layers = plan(lock(*sizes, overlay=(FILE,)))
    assert len(layers) <= SINGLE_LAYERS + BUCKETS + 1 == 30
    found = [pin for layer in layers for pin in layer.wheels]
    assert sorted(pin.name for pin in found) == sorted(f"p{n}" for n in range(len(sizes)))
    assert all(layer.wheels or layer.files or layer.overlay for layer in layers)


def test_a_small_environment_has_a_layer_for_each_wheel():
    assert [layer.wheels[0].size for layer in plan(lock(5, 50, 1))] == [50, 5, 1]


def test_a_changed_wheel_changes_one_layer():
    before, after = set(plan(lock(*range(100)))), set(plan(lock(*range(99), 99)))
    assert before == after
    smaller = lock(*range(100))
    changed = [*smaller.wheels]
    changed[3] = WheelPin(name="p3", version="2", filename="f", sha256="1" * 64, size=3)
    other = Lock(python="3.11.7", platform="linux/amd64", wheels=tuple(changed))
    assert len(before - set(plan(other))) == 1


def test_files_and_overlay_come_last():
    pin = FilesPin(name="local", version="1", files=(FILE,), origin="src")
    layers = plan(lock(1, files=(pin,), overlay=(FILE,)))
    assert layers[-1].files == (pin,)
    assert layers[-1].overlay == (FILE,)
    assert layers[-1].what == "local"
    assert layers[-1].size == 2


def test_an_empty_environment():
    assert plan(lock()) == ()
