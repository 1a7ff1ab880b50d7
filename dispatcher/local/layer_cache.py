"""Unpacked layers, each once, named by the digest of its tar."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from dispatcher.errors import LayerUnsafe
from dispatcher.local.image import StoredLayer
from dispatcher.local.workspace import remove
from packer import disk
from packer.digest import Digest
from packer.errors import BlobAltered, BlobMissing
from packer.images.layout import Layout


class LayerCache:
    """The folders below `root`. One that is there was verified and is whole."""

    def __init__(self, root: Path, layout: Layout) -> None:
        self.root, self._layout = root, layout

    def path(self, layer: StoredLayer) -> Path:
        """Where the layer's files are, or would be."""
        return self.root / layer.diff_id.hex

    def missing(self, layers: Sequence[StoredLayer]) -> list[StoredLayer]:
        """Those not unpacked yet, each once."""
        unique = {layer.diff_id: layer for layer in layers}
        return [layer for layer in unique.values() if not self.path(layer).is_dir()]

    def check(self, layers: Sequence[StoredLayer]) -> None:
        """Notice a blob that is to be unpacked and is gone or cut short.

        The whole of it is compared with its digest when it is unpacked.

        Raises:
            BlobMissing, BlobAltered
        """
        for layer in self.missing(layers):
            if not self._layout.has(layer.digest, layer.size):
                self._layout.verify(layer.digest)

    def unpack(self, layers: Sequence[StoredLayer]) -> None:
        """Unpack what is missing, several at once.

        Raises:
            BlobMissing, BlobAltered: a layer is not what the image says; nothing of it is kept.
            LayerUnsafe: an entry was refused.
            DiskFull
        """
        missing = self.missing(layers)
        if not missing:
            return
        self.root.mkdir(parents=True, exist_ok=True)
        if len(missing) == 1:
            self._unpack(missing[0])
            return
        from concurrent.futures import ThreadPoolExecutor

        largest_first = sorted(missing, key=lambda layer: -layer.size)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for _ in pool.map(self._unpack, largest_first):
                pass

    def _unpack(self, layer: StoredLayer) -> None:
        # Whoever else wants this layer waits here; what is found in the way was left by a killed
        # process, as no living one holds the lock.
        with (
            disk.room(f"the layer {layer.digest.short}", self.root),
            disk.locked(self.root / f".{layer.diff_id.hex}.lock"),
        ):
            if self.path(layer).is_dir():
                return
            temporary = self.root / f".{layer.diff_id.hex}.incoming"
            remove(str(temporary))
            try:
                temporary.mkdir()
                self._write(layer, temporary)
                temporary.rename(self.path(layer))
            finally:
                remove(str(temporary))

    def _write(self, layer: StoredLayer, folder: Path) -> None:
        from dispatcher.local.archive import Refused, Unpacker, inflate

        blob, plain = hashlib.sha256(), hashlib.sha256()
        path = self._layout.path(layer.digest)
        refused = None
        try:
            with path.open("rb", buffering=0) as stream:
                try:
                    pieces = inflate(stream, blob.update)
                    Unpacker(str(folder)).unpack(pieces, plain.update)
                except Refused as reason:
                    refused = reason
                    while piece := stream.read(1 << 20):
                        blob.update(piece)
        except FileNotFoundError:
            raise BlobMissing(layer.digest, str(self._layout.root)) from None
        # An altered blob is called that, whatever the first thing was that it upset.
        actual = Digest.from_hex(blob.hexdigest())
        if actual != layer.digest:
            raise BlobAltered(layer.digest, actual, str(path))
        if refused:
            raise LayerUnsafe(layer.digest.short, refused.entry, refused.reason)
        if Digest.from_hex(plain.hexdigest()) != layer.diff_id:
            raise LayerUnsafe(layer.digest.short, "", "its tar is not the one the config names")
