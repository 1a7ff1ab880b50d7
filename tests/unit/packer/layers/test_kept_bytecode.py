"""A layer made a second time, as for a repository that has never had it."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from packer.layers.shared_layers import WORTH_SHARING
from tests.unit.packer.layers.layer_bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "bench")


@pytest.fixture
def wheel(make_wheel):
    sources = {f"foo/module{number}.py": f"x = {number}\n" * 20 for number in range(100)}
    return make_wheel({**sources, "foo/data.bin": os.urandom(WORTH_SHARING)})


def vanish(bench: Bench, layer) -> bytes:
    path = bench.layout.path(layer.digest)
    data = path.read_bytes()
    path.unlink()
    return data


def kept(bench: Bench) -> Path:
    (path,) = (bench.root / "memory").glob("*.bytecode")
    return path


def test_nothing_is_compiled_again(bench: Bench, wheel):
    (layer,) = bench.build([wheel])
    data = vanish(bench, layer)
    bench.interpreter = msgspec.structs.replace(bench.interpreter, executable="/no/such/python")
    assert bench.build([wheel]) == (layer,)
    assert bench.layout.path(layer.digest).read_bytes() == data


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[: len(data) // 2],
        lambda data: data[:-100] + bytes(100),
        lambda data: data.replace(b"[", b"{", 1),
        lambda _: b"",
    ],
)
def test_what_is_kept_need_not_be_true(bench: Bench, wheel, damage):
    (layer,) = bench.build([wheel])
    data, place = vanish(bench, layer), kept(bench)
    was = place.read_bytes()
    place.write_bytes(damage(was))
    assert bench.build([wheel]) == (layer,)
    assert bench.layout.path(layer.digest).read_bytes() == data
    assert place.read_bytes() == was


def test_that_of_another_layer_is_not_taken(bench: Bench, wheel, make_wheel):
    (layer,) = bench.build([wheel])
    other = make_wheel({"bar.py": "y = 1\n", "bar.bin": os.urandom(WORTH_SHARING)}, name="bar")
    before = kept(bench)
    (second,) = bench.build([other])
    (place,) = {*(bench.root / "memory").glob("*.bytecode")} - {before}
    place.write_bytes(before.read_bytes())
    data = vanish(bench, second)
    assert bench.build([other]) == (second,) != (layer,)
    assert bench.layout.path(second.digest).read_bytes() == data


def test_that_of_small_layers_is_not_kept(bench: Bench, make_wheel):
    bench.build([make_wheel({"foo.py": "x = 1\n"})])
    assert not list((bench.root / "memory").glob("*.bytecode"))
