"""Layers that go to a real registry while they are made of wheels."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from packer.environment.lock import Lock, WheelPin
from packer.images.descriptor import Descriptor
from packer.images.layout import Layout
from packer.layers.environment_image import build_layers
from packer.layers.layer import Layer
from packer.layers.shared_layers import NOTHING_SHARED, SharedLayers
from packer.progress import SILENT
from packer.registry.access import Access
from packer.registry.blob_stream import PIECE
from packer.registry.client import Client
from packer.registry.errors import RegistryAuth
from packer.registry.registry import Registry
from packer.wheels.errors import WheelCorrupt, WheelHashMismatch
from tests.faults.faults import Answer, CutRequest, Fault
from tests.faults.proxy import Proxy
from tests.interpreters import running

DATA = os.urandom(PIECE + 2_000_000)

MakeWheel = Callable[..., tuple[WheelPin, Path]]


class Desk:
    """A machine with a wheel that is worth sharing, and one that is not."""

    def __init__(self, root: Path, registry: Registry, make_wheel: MakeWheel) -> None:
        self.root, self.registry = root, registry
        self.layout = Layout(root / "layout")
        self.large = make_wheel({"large/data.bin": DATA, "large/__init__.py": "x = 1\n"})
        self.small = make_wheel({"small.py": "x = 1\n"}, name="small")
        self.interpreter = running(root)

    def build(self) -> list[Layer]:
        """The layers, the largest first; all of them have arrived."""
        with self.registry.layers(self.layout.root, ()) as shared:
            layers = self.made(self.layout, self.root / "memory", shared)
            shared.settle(SILENT)
        return layers

    def made(
        self, layout: Layout, memory: Path, shared: SharedLayers = NOTHING_SHARED
    ) -> list[Layer]:
        """The layers, the largest first."""
        wheels = (self.large, self.small)
        lock = Lock(
            python=self.interpreter.version,
            platform="linux/amd64",
            wheels=tuple(pin for pin, _ in wheels),
        )
        paths = {pin.sha256: path for pin, path in wheels}
        layers = build_layers(
            lock,
            {},
            lambda _: (each for each in paths.items()),
            self.interpreter,
            layout,
            memory,
            SILENT,
            shared=shared,
        )
        return sorted(layers, key=lambda layer: -layer.size)

    def move(self) -> Client:
        """From now on images go to another repository; its client."""
        there = self.registry.repository
        there = replace(there, path=there.path + "/elsewhere")
        access = Access(patience=5.0)
        self.registry = Registry(there, access, self.root / "cache")
        return Client(there, access)


@pytest.fixture
def desk(tmp_path: Path, registry: Registry, make_wheel: MakeWheel) -> Desk:
    return Desk(tmp_path / "desk", registry, make_wheel)


def names(client: Client, layer: Layer, folder: Path) -> list[str]:
    """The files of a layer as the registry has it."""
    blob = Descriptor(digest=layer.digest, size=layer.size, media_type=layer.media_type)
    file = folder / layer.digest.hex
    file.write_bytes(b"".join(client.blob(blob)))
    with tarfile.open(file) as archive:
        return [each.name for each in archive if each.isfile()]


def test_a_large_layer_is_in_the_registry_alone(
    desk: Desk, client: Client, proxy: Proxy, tmp_path: Path
) -> None:
    large, small = desk.build()
    assert not desk.layout.has(large.digest)
    assert desk.layout.has(small.digest)
    assert any(each.endswith("large/data.bin") for each in names(client, large, tmp_path))
    assert client.has_blob(small.digest)
    sent = sum(each.up for each in proxy.seen("PATCH"))
    assert large.size < sent < large.size + 10_000


def test_the_same_without_a_registry_has_the_same_bytes(desk: Desk, tmp_path: Path) -> None:
    layout = Layout(tmp_path / "other")
    assert desk.made(layout, tmp_path / "memory") == desk.build()
    assert len([*(layout.root / "blobs" / "sha256").iterdir()]) == 2


def test_one_whose_bytes_are_known_is_sent_again(desk: Desk) -> None:
    large, small = desk.build()
    other = desk.move()
    assert desk.build() == [large, small]
    assert not desk.layout.has(large.digest)
    assert other.has_blob(large.digest)


def test_a_wheel_that_was_altered_since_is_noticed(desk: Desk) -> None:
    large, _ = desk.build()
    file = desk.large[1]
    data = bytearray(file.read_bytes())
    data[data.index(DATA[:1000])] ^= 1
    file.write_bytes(data)
    other = desk.move()
    with pytest.raises((WheelCorrupt, WheelHashMismatch)):
        desk.build()
    assert not other.has_blob(large.digest)


@pytest.mark.parametrize(
    ("fault", "skip"), [(CutRequest(1_000_000), 1), (Answer(400), 0)], ids=["cut", "refused"]
)
def test_what_is_lost_on_its_way_is_made_once_more(
    desk: Desk, client: Client, proxy: Proxy, fault: Fault, skip: int
) -> None:
    proxy.on("PATCH", "", fault, skip=skip)
    large, _ = desk.build()
    assert desk.layout.has(large.digest)
    assert client.has_blob(large.digest)


def test_a_layer_that_did_not_arrive_is_not_remembered(desk: Desk, proxy: Proxy) -> None:
    proxy.on("PUT", "", Answer(403), times=1_000)
    with pytest.raises(RegistryAuth):
        desk.build()
    proxy.heal()
    large, _ = desk.build()
    assert large.size > len(DATA)
