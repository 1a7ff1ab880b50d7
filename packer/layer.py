"""One image layer: a tar of sorted entries in gzip members, written and hashed in one pass."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Protocol

from packer import gzip, tar
from packer.digest import Digest
from packer.record import Record

MEDIA_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"

LAYOUT_VERSION = 1
"""Part of every cache key and image label: bytes of the same inputs change only with it."""

_FLUSH = 1 << 20


class Layer(Record, frozen=True):
    """A layer's descriptor: `digest` and `size` of the blob, `diff_id` of the tar inside it."""

    digest: Digest
    diff_id: Digest
    size: int
    media_type: str = MEDIA_TYPE


class Sink(Protocol):
    """Where a layer's bytes go."""

    def write(self, data: bytes | memoryview, /) -> object:
        """Take the next bytes."""


class LayerWriter:
    """Writes entries in the order given; the caller sorts them. Parent directories are added.

    Tar headers, padding and small files gather into stored members; a file with a deflate stream
    of its own becomes a spliced member.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._pending = bytearray()
        self._plain = hashlib.sha256()
        self._blob = hashlib.sha256()
        self._size = 0
        self._directories: set[str] = set()

    def directory(self, path: str) -> None:
        """A directory, and those above it, each once. Paths are relative, without a slash."""
        if not path or path in self._directories:
            return
        self.directory(path.rpartition("/")[0])
        self._directories.add(path)
        self._pending += tar.directory(path)

    def symlink(self, path: str, target: str) -> None:
        """A symbolic link."""
        self.directory(path.rpartition("/")[0])
        self._pending += tar.symlink(path, target)

    def file(self, path: str, data: bytes, *, executable: bool = False) -> None:
        """A file with this content, stored."""
        self._start(path, len(data), executable=executable)
        self._pending += data
        self._pending += tar.padding(len(data))
        if len(self._pending) >= _FLUSH:
            self._flush()

    def spliced(
        self,
        path: str,
        size: int,
        crc: int,
        streams: Iterable[tuple[bytes | memoryview, bytes | memoryview]],
        *,
        executable: bool = False,
    ) -> None:
        """A file of `size` bytes with CRC-32 `crc`, from its raw deflate stream.

        `streams` yields pairs: the next piece of the deflate stream and the next piece of the
        plain content (either may be empty; together they must be the whole of both). The content
        is only hashed, for the diffID.
        """
        self._start(path, size, executable=executable)
        self._flush()
        self._emit(gzip.HEADER)
        for compressed, plain in streams:
            self._emit(compressed)
            self._plain.update(plain)
        self._emit(gzip.trailer(crc, size))
        self._pending += tar.padding(size)

    def finish(self) -> Layer:
        """End the archive and say what was written."""
        self._pending += tar.END
        self._flush()
        return Layer(
            digest=Digest.from_hex(self._blob.hexdigest()),
            diff_id=Digest.from_hex(self._plain.hexdigest()),
            size=self._size,
        )

    def _start(self, path: str, size: int, *, executable: bool) -> None:
        self.directory(path.rpartition("/")[0])
        self._pending += tar.file(path, size, executable=executable)

    def _flush(self) -> None:
        if not self._pending:
            return
        data = bytes(self._pending)
        self._pending.clear()
        self._plain.update(data)
        for piece in gzip.stored(data):
            self._emit(piece)

    def _emit(self, data: bytes | memoryview) -> None:
        self._blob.update(data)
        self._size += len(data)
        self._sink.write(data)
