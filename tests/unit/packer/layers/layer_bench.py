"""Layers of an environment, built from wheels at hand and read back."""

from __future__ import annotations

import tarfile
from pathlib import Path

from packer.environment.lock import Lock, WheelPin
from packer.images.layout import Layout
from packer.layers.environment_image import build_layers
from packer.progress import SILENT
from tests.interpreters import running


class Bench:
    """Builds layers from wheels at hand, and reads them back."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.layout = Layout(root / "layout")
        self.fetched: list[tuple[WheelPin, ...]] = []
        self.interpreter = running(root)

    def build(self, wheels, *, sources=None, arriving=iter, **more):
        """`arriving`: how the wheels come, of which it is given the (sha256, path)."""
        pins = tuple(pin for pin, _ in wheels)
        lock = Lock(python=self.interpreter.version, platform="linux/amd64", wheels=pins, **more)

        def fetch(wanted):
            self.fetched.append(wanted)
            yield from arriving([(pin.sha256, path) for pin, path in wheels])

        memory = self.root / "memory"
        return build_layers(
            lock, sources or {}, fetch, self.interpreter, self.layout, memory, SILENT
        )

    def tree(self, layers) -> dict[str, tuple[bytes, int]]:
        found = {}
        for layer in layers:
            with tarfile.open(self.layout.verify(layer.digest)) as archive:
                for member in archive:
                    name = member.name.removeprefix("opt/sendoff/env/")
                    if member.isfile():
                        found[name] = (archive.extractfile(member).read(), member.mode)
        return found

    def blobs(self) -> list[Path]:
        return [path for path in (self.root / "layout").rglob("*") if path.is_file()]
