"""Layers that others made: what an environment's builder may ask for, and what it tells."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from typing import Protocol

from packer.digest import Digest
from packer.images.descriptor import Descriptor
from packer.layers.layer import Layer

WORTH_SHARING = 4_000_000
"""Bytes that go into a layer, from which on it is asked for alone: smaller ones are soon made."""


class StreamLost(Exception):
    """What was made of a layer has not arrived: it has to be made once more."""


class Blob(Protocol):
    """A layer that is being made; it is there after `commit`, and not before."""

    def write(self, data: bytes | memoryview, /) -> object:
        """Take the next bytes."""

    def commit(self, digest: Digest) -> None:
        """Give it its name. The caller has hashed what it wrote."""


class SharedLayers(Protocol):
    """A place where layers are found by what they were made from (`layer_memory.key`)."""

    def there(self) -> Collection[str]:
        """Digests of blobs that are known to be there, without asking."""

    def environment(self, key: Digest) -> tuple[Layer, ...] | None:
        """All layers of an environment, above its base; None where it is not there."""

    def layers(self, keys: Collection[Digest]) -> dict[Digest, Layer]:
        """Those of single layers that are there."""

    def stream(self) -> AbstractContextManager[Blob] | None:
        """A blob that goes there while it is made, and not into the layout; None: it can't.

        Writing and committing it may raise StreamLost.
        """

    def made(self, key: Digest, layer: Layer, *, shared: bool) -> None:
        """A layer is in the layout or there; `shared`: others may ask for it. Returns at once."""

    def ahead(self, blob: Descriptor) -> None:
        """A blob of the layout that a push will need: it may go there now. Returns at once."""


class NothingShared:
    """No such place."""

    def there(self) -> Collection[str]:
        """None."""
        return ()

    def environment(self, key: Digest) -> tuple[Layer, ...] | None:
        """None."""
        del key
        return None

    def layers(self, keys: Collection[Digest]) -> dict[Digest, Layer]:
        """None."""
        del keys
        return {}

    def stream(self) -> None:
        """It can't."""

    def made(self, key: Digest, layer: Layer, *, shared: bool) -> None:
        """Nobody is told."""

    def ahead(self, blob: Descriptor) -> None:
        """Nobody is told."""


NOTHING_SHARED: SharedLayers = NothingShared()
