"""An OCI image layout: a directory of blobs named by their digests (image-spec, image-layout.md).

A blob appears by a rename, so its presence means that it was written to its end. It is not synced
to the disk one by one; after a power failure a blob may be cut short, which `has` notices by the
size and every reader by the digest.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BufferedWriter, FileIO
from pathlib import Path
from typing import Any

from packer import disk
from packer.digest import Digest
from packer.errors import BlobAltered, BlobMissing, LayoutDamaged, TagUnknown
from packer.images.descriptor import INDEX, Descriptor

_MARK = b'{"imageLayoutVersion":"1.0.0"}'
_REF_NAME = "org.opencontainers.image.ref.name"


class BlobWriter:
    """Takes the bytes of one blob in order; it is there after `commit`, and not before."""

    def __init__(self, stream: BufferedWriter[FileIO], temporary: Path, layout: Layout) -> None:
        self._stream, self._temporary, self._layout = stream, temporary, layout

    def write(self, data: bytes | memoryview, /) -> None:
        """Take the next bytes."""
        self._stream.write(data)

    def commit(self, digest: Digest) -> None:
        """Give the blob its name. The caller has hashed what it wrote."""
        self._stream.flush()
        self._temporary.replace(self._layout.path(digest))


class Layout:
    """The images below `root`. The directory is made when something is first written."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._blobs = root / "blobs" / "sha256"
        self._folder = str(self._blobs)
        self._incoming = disk.Incoming(root / ".incoming")
        self._ready = False

    def path(self, digest: Digest) -> Path:
        """Where the blob is, or would be."""
        return Path(self._name(digest))

    def _name(self, digest: Digest) -> str:
        # Of a map's thousands of images each has two: paths would take longer than the disk.
        return f"{self._folder}/{digest.hex}"

    def has(self, digest: Digest, size: int | None = None) -> bool:
        """Whether the blob is there, and has `size` bytes where that is known."""
        try:
            found = os.stat(self._name(digest)).st_size
        except FileNotFoundError:
            return False
        return size is None or found == size

    def read(self, digest: Digest) -> bytes:
        """The blob's bytes, verified.

        Raises:
            BlobMissing, BlobAltered
        """
        try:
            with open(self._name(digest), "rb", buffering=0) as stream:
                data = stream.read()
        except FileNotFoundError:
            raise BlobMissing(digest, str(self.root)) from None
        self._compare(digest, Digest.of(data))
        return data

    def verify(self, digest: Digest) -> Path:
        """The path of the blob, after its bytes were compared with its digest.

        Raises:
            BlobMissing, BlobAltered
        """
        path = self.path(digest)
        try:
            actual = Digest.of_file(path)
        except FileNotFoundError:
            raise BlobMissing(digest, str(self.root)) from None
        self._compare(digest, actual)
        return path

    def write(self, data: bytes) -> Digest:
        """Store `data` and name it; nothing is written where it is there already.

        Raises:
            DiskFull
        """
        digest = Digest.of(data)
        if not self.has(digest, len(data)):
            self._prepare()
            with disk.room("a blob of the layout", self.root):
                self._incoming.put(data, self._name(digest))
        return digest

    @contextmanager
    def blob(self) -> Iterator[BlobWriter]:
        """Write a blob piece by piece. Leaving without `commit` leaves nothing behind.

        Raises:
            DiskFull: anything written inside the block found no room.
        """
        self._prepare()
        with disk.room("a blob of the layout", self.root), self._incoming.file() as (stream, path):
            yield BlobWriter(stream, path, self)

    def tag(self, name: str, descriptor: Descriptor) -> None:
        """Name a manifest; what had the name before loses it, and stays addressable by digest."""
        self.tag_all({name: descriptor})

    def tag_all(self, names: Mapping[str, Descriptor]) -> None:
        """Name several manifests at once. What other tools wrote into the index stays.

        Raises:
            LayoutDamaged, DiskFull
        """
        wanted = {name: descriptor.as_oci() for name, descriptor in names.items()}
        if wanted.items() <= _named(self._index()).items():
            return
        self._prepare()
        with disk.locked(self.root / ".lock"):
            others = [entry for entry in self._index() if _name(entry) not in wanted]
            named = [{**entry, "annotations": {_REF_NAME: name}} for name, entry in wanted.items()]
            self._write_index([*others, *named])

    def tags(self) -> dict[str, Digest]:
        """All names and what they stand for.

        Raises:
            LayoutDamaged
        """
        named = _named(self._index())
        return {name: Digest(entry["digest"]) for name, entry in named.items()}

    def manifests(self) -> tuple[Digest, ...]:
        """All that the index names, with a tag and without.

        Raises:
            LayoutDamaged
        """
        return tuple(dict.fromkeys(Digest(entry["digest"]) for entry in self._index()))

    def resolve(self, reference: str) -> Digest:
        """The manifest that a digest or a tag names.

        Raises:
            BlobMissing: the digest is not here.
            TagUnknown: no image has this name.
            LayoutDamaged
        """
        if reference.startswith("sha256:"):
            digest = Digest(reference)
            if not self.has(digest):
                raise BlobMissing(digest, str(self.root))
            return digest
        digest_of = self.tags()
        if reference not in digest_of:
            raise TagUnknown(reference, str(self.root))
        return digest_of[reference]

    def _compare(self, digest: Digest, actual: Digest) -> None:
        if actual != digest:
            raise BlobAltered(digest, actual, str(self.path(digest)))

    def _prepare(self) -> None:
        if self._ready:
            return
        with disk.room("the layout", self.root):
            self._blobs.mkdir(parents=True, exist_ok=True)
            self._incoming.root.mkdir(exist_ok=True)
        if not (self.root / "index.json").exists():
            with disk.locked(self.root / ".lock"):
                if not (self.root / "index.json").exists():
                    self._write_index([])
        if not (self.root / "oci-layout").exists():
            disk.replace(self.root / "oci-layout", _MARK)
        self._incoming.sweep()
        self._ready = True

    def _index(self) -> list[dict[str, Any]]:
        try:
            index = json.loads((self.root / "index.json").read_bytes())
            return list(index["manifests"])
        except FileNotFoundError:
            return []
        except (ValueError, KeyError, TypeError) as error:
            raise LayoutDamaged(str(self.root / "index.json"), str(error)) from error

    def _write_index(self, manifests: list[dict[str, Any]]) -> None:
        index = {
            "schemaVersion": 2,
            "mediaType": INDEX,
            "manifests": sorted(manifests, key=lambda entry: (_name(entry), entry["digest"])),
        }
        disk.replace(self.root / "index.json", json.dumps(index, separators=(",", ":")).encode())


def _name(entry: Mapping[str, Any]) -> str:
    name: str = (entry.get("annotations") or {}).get(_REF_NAME, "")
    return name


def _named(index: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Name → descriptor without annotations."""
    return {
        _name(entry): {key: value for key, value in entry.items() if key != "annotations"}
        for entry in index
        if _name(entry)
    }
