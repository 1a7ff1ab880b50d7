"""Layers that were made before: what each was made from → its descriptor.

One small file for each, named by a digest of all that decides the layer's bytes. It is written
after the layer's blob is in the layout, and by a rename.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from packer import disk
from packer.digest import Digest
from packer.environment.interpreter import Interpreter
from packer.image_paths import PREFIX
from packer.images.layout import Layout
from packer.layers.environment_plan import LayerPlan
from packer.layers.kept_bytecode import KeptBytecode
from packer.layers.layer import LAYOUT_VERSION, Layer
from packer.layers.shared_layers import NOTHING_SHARED, SharedLayers
from packer.record import Record, decode, encode

T = TypeVar("T")


class LayerSet(Record, frozen=True):
    """Layers that were made together."""

    of: Digest
    """Of all that they were made from."""
    parts: tuple[tuple[Digest, Layer], ...]
    """What each was made from, and the layer, in their order."""


class LayerMemory:
    """The memory in the directory `root`, for layers that `layout` holds.

    What is known to be `shared`, where images go to, need not be in the layout.
    """

    def __init__(self, root: Path, layout: Layout, shared: SharedLayers = NOTHING_SHARED) -> None:
        self._root, self._layout, self._shared = root, layout, shared

    def recall(self, key: Digest) -> Layer | None:
        """The layer, if it is known and its blob is there with its size."""
        layer = self.identity(key)
        return layer if layer and self.has(layer) else None

    def identity(self, key: Digest) -> Layer | None:
        """What the layer was when it was made, wherever it is now."""
        return self._read(key, Layer)

    def bytecode(self, key: Digest) -> KeptBytecode:
        """Where the layer's bytecode is kept, if it is."""
        return KeptBytecode(self._root / f"{key.hex}.bytecode")

    def remember(self, key: Digest, made: Layer | tuple[Layer, ...] | LayerSet) -> None:
        """Keep it for the next time.

        Raises:
            DiskFull
        """
        disk.replace(self._root / key.hex, encode(made))

    def recall_all(self, key: Digest) -> tuple[Layer, ...] | None:
        """Layers that belong together, if they are known and all are there."""
        layers = self._read(key, tuple[Layer, ...])
        return layers if layers is not None and all(map(self.has, layers)) else None

    def recall_set(self, key: Digest) -> LayerSet | None:
        """What was made last for `key`; not all of it need be there."""
        return self._read(key, LayerSet)

    def has(self, layer: Layer) -> bool:
        """Whether its blob is there with its size."""
        if self._layout.has(layer.digest, layer.size):
            return True
        return layer.digest in self._shared.there()

    def _read(self, key: Digest, kind: type[T]) -> T | None:
        try:
            return decode((self._root / key.hex).read_bytes(), kind)
        except (OSError, ValueError, msgspec.ValidationError):
            return None


def key(plan: LayerPlan, interpreter: Interpreter, prefix: str = PREFIX) -> Digest:
    """What decides the bytes of a layer: content, place, the bytecode's compiler, our version.

    Where a wheel came from does not.
    """
    wheels = [[pin.name, pin.filename, pin.sha256] for pin in plan.wheels]
    files = [pin.files for pin in plan.files]
    compiler = [interpreter.version, interpreter.magic, interpreter.cache_tag]
    content = [wheels, files, plan.overlay, plan.removed]
    return Digest.of(encode([LAYOUT_VERSION, prefix, compiler, *content]))
