"""The bases that were built on this machine: their images in a layout, and a record of each."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from packer import disk, record
from packer.bases.errors import BaseNotBuilt
from packer.bases.packages import Package
from packer.digest import Digest
from packer.images.descriptor import MANIFEST, Descriptor
from packer.images.layout import Layout
from packer.record import Record


class BuiltBase(Record, frozen=True):
    """One base as it was built."""

    name: str
    python: str
    """The minor."""
    digest: Digest
    """Of its manifest."""
    size: int
    """Bytes of its layers as they are stored and sent."""
    layers: tuple[Digest, ...]
    distribution: str
    packages: tuple[Package, ...]
    sbom: Digest
    """Its bill of materials, a blob of the layout."""
    provenance: Digest
    """How it came about; likewise."""
    seconds: float = 0.0
    """What the build took, all bases together."""

    @property
    def title(self) -> str:
        """Its name for people: "cpu:3.11"."""
        return f"{self.name}:{self.python}"


class BuiltBases:
    """All of them, below one directory."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.layout = Layout(root / "layout")

    def find(self, name: str, python: str) -> BuiltBase:
        """The record of one.

        Raises:
            BaseNotBuilt
        """
        try:
            found = record.decode(self._path(name, python).read_bytes(), BuiltBase)
        except (OSError, ValueError):
            raise BaseNotBuilt(f"{name}:{python}") from None
        if not self.layout.has(found.digest):
            raise BaseNotBuilt(f"{name}:{python}")
        return found

    def keep(self, built: BuiltBase) -> None:
        """Have a record of an image that is in the layout.

        Raises:
            DiskFull
        """
        data = self.layout.read(built.digest)
        described = Descriptor(digest=built.digest, size=len(data), media_type=MANIFEST)
        self.layout.tag(built.title, described)
        disk.replace(self._path(built.name, built.python), record.encode(built))

    def adopt(self, other: Layout) -> None:
        """Take all blobs of a layout that is given up; each was compared with its digest.

        Raises:
            BlobAltered, DiskFull
        """
        for path in sorted((other.root / "blobs" / "sha256").iterdir()):
            digest = Digest.from_hex(path.name)
            other.verify(digest)
            if not self.layout.has(digest, path.stat().st_size):
                self._take(path, digest)

    def _take(self, path: Path, digest: Digest) -> None:
        with self.layout.blob() as writer, path.open("rb") as stream:
            shutil.copyfileobj(stream, writer, 1 << 20)
            os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            writer.commit(digest)

    def _path(self, name: str, python: str) -> Path:
        return self._root / "records" / f"{name}-{python}.json"
