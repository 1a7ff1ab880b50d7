from __future__ import annotations

import io

import msgspec
import pytest

from packer.digest import Digest
from packer.environment.interpreter import Interpreter
from packer.environment.lock import WheelPin
from packer.images.layout import Layout
from packer.layers.environment_plan import LayerPlan
from packer.layers.layer import Layer, LayerWriter
from packer.layers.layer_memory import LayerMemory, LayerSet, key

PIN = WheelPin(name="a", version="1", filename="a-1.whl", sha256="0" * 64, size=1)
PYTHON = Interpreter(
    executable="/python",
    version="3.11.7",
    prefix="/",
    base_executable="/python",
    purelib="/site",
    platlib="/site",
    scripts="/bin",
    cache_tag="cpython-311",
    magic="a70d0d0a",
    platform="linux-x86_64",
)


@pytest.fixture
def layout(tmp_path) -> Layout:
    return Layout(tmp_path / "layout")


def stored(layout: Layout) -> Layer:
    sink = io.BytesIO()
    layer = LayerWriter(sink).finish()
    layout.write(sink.getvalue() or b"x")
    return msgspec.structs.replace(layer, digest=layout.write(b"blob"), size=4)


def test_what_was_remembered_is_recalled(tmp_path, layout):
    memory = LayerMemory(tmp_path / "memory", layout)
    name = key(LayerPlan(wheels=(PIN,)), PYTHON)
    assert memory.recall(name) is None
    layer = stored(layout)
    memory.remember(name, layer)
    assert memory.recall(name) == layer


def test_a_layer_whose_blob_is_gone_or_cut_is_not_known(tmp_path, layout):
    memory = LayerMemory(tmp_path / "memory", layout)
    name = key(LayerPlan(wheels=(PIN,)), PYTHON)
    layer = stored(layout)
    memory.remember(name, layer)
    layout.path(layer.digest).write_bytes(b"blo")
    assert memory.recall(name) is None
    layout.path(layer.digest).unlink()
    assert memory.recall(name) is None


def test_layers_made_together_are_recalled_in_their_order(tmp_path, layout):
    memory = LayerMemory(tmp_path / "memory", layout)
    place, layer = Digest.of(b"place"), stored(layout)
    assert memory.recall_set(place) is None
    parts = tuple((Digest.of(name), layer) for name in (b"b", b"a", b"c"))
    made = LayerSet(of=Digest.of(b"tree"), parts=parts)
    memory.remember(place, made)
    assert memory.recall_set(place) == made


@pytest.mark.parametrize("damage", [b"", b"{", b'{"digest":"x"}', b"\xff"])
def test_a_damaged_entry_is_not_believed(tmp_path, layout, damage):
    memory = LayerMemory(tmp_path / "memory", layout)
    name = key(LayerPlan(wheels=(PIN,)), PYTHON)
    memory.remember(name, stored(layout))
    (tmp_path / "memory" / name.hex).write_bytes(damage)
    assert memory.recall(name) is None


def test_what_the_key_depends_on():
    plan = LayerPlan(wheels=(PIN,))
    change = msgspec.structs.replace
    assert key(plan, PYTHON) == key(LayerPlan(wheels=(change(PIN, url="https://x"),)), PYTHON)
    assert key(plan, PYTHON) == key(plan, change(PYTHON, executable="/other", prefix="/other"))
    others = [
        key(plan, PYTHON),
        key(LayerPlan(wheels=(change(PIN, sha256="1" * 64),)), PYTHON),
        key(change(plan, removed=("x",)), PYTHON),
        key(plan, change(PYTHON, version="3.11.8")),
        key(plan, change(PYTHON, magic="00")),
    ]
    assert len(set(others)) == len(others)
