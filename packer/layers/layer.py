"""One image layer: a tar of sorted entries in gzip members, written and hashed in one pass."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from packer import memory
from packer.digest import Digest
from packer.digester import Digester
from packer.images.descriptor import Descriptor
from packer.layers import gzip, tar
from packer.record import Record

MEDIA_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"

LAYOUT_VERSION = 4
"""Part of every cache key and image label: bytes of the same inputs change only with it."""

_FLUSH = 1 << 20
_DIRECT = 1 << 18


class Layer(Record, frozen=True):
    """A layer's descriptor: `digest` and `size` of the blob, `diff_id` of the tar inside it."""

    digest: Digest
    diff_id: Digest
    size: int
    media_type: str = MEDIA_TYPE

    @property
    def descriptor(self) -> Descriptor:
        """What an image's manifest says of it."""
        return Descriptor(digest=self.digest, size=self.size, media_type=self.media_type)


class Sink(Protocol):
    """Where a layer's bytes go."""

    def write(self, data: bytes | memoryview, /) -> object:
        """Take the next bytes."""


class _Stream:
    """Gathers small pieces, and hands large ones on without a copy."""

    def __init__(self, sink: Sink | None, digest: Digest | None = None) -> None:
        """`digest`: what it is known to be, so that nothing is hashed."""
        self._sink, self._known = sink, digest
        self._gathered: list[bytes | memoryview] = []
        self._waiting = 0
        self._digester = Digester()

    def write(self, piece: bytes | memoryview) -> None:
        if self._known:
            return
        if len(piece) < _DIRECT:
            self._gathered.append(piece)
            self._waiting += len(piece)
            if self._waiting >= _FLUSH:
                self._flush()
        else:
            self._flush()
            self._pass(bytes(piece))

    def finish(self) -> Digest:
        if self._known:
            return self._known
        self._flush()
        return self._digester.finish()

    @property
    def size(self) -> int:
        return self._digester.size

    def _flush(self) -> None:
        if self._gathered:
            self._pass(b"".join(self._gathered))
            self._gathered.clear()
            self._waiting = 0

    def _pass(self, data: bytes) -> None:
        self._digester.update(data)
        if self._sink:
            self._sink.write(data)


class LayerWriter:
    """Writes entries in the order given; the caller sorts them. Parent directories are added.

    Tar headers, padding and small files gather into stored members; a file with a deflate stream
    of its own becomes a spliced member.
    """

    def __init__(self, sink: Sink, diff_id: Digest | None = None) -> None:
        """`diff_id`: the diffID, where it is known: then no stream need be inflated."""
        memory.keep()
        self.wants_plain = diff_id is None
        self._plain = _Stream(None, diff_id)
        self._blob = _Stream(sink)
        self._pending = bytearray()
        self._directories: set[str] = {""}

    def directory(self, path: str, *, is_open: bool = False) -> None:
        """A directory, and those above it, each once. Paths are relative, without a slash.

        `is_open`: anyone may write to it, but not to those above it.
        """
        missing = []
        while path not in self._directories:
            missing.append(path)
            path = path.rpartition("/")[0]
        for directory in reversed(missing):
            self._directories.add(directory)
            self._pending += tar.directory(directory, is_open=is_open and directory == missing[0])

    def symlink(self, path: str, target: str) -> None:
        """A symbolic link."""
        self.directory(path.rpartition("/")[0])
        self._pending += tar.symlink(path, target)

    def file(self, path: str, data: bytes, *, executable: bool = False) -> None:
        """A file with this content, stored."""
        self.stored(path, len(data), (data,), executable=executable)

    def stored(
        self, path: str, size: int, pieces: Iterable[bytes], *, executable: bool = False
    ) -> None:
        """A file of `size` bytes in pieces, stored."""
        self._start(path, size, executable=executable)
        for piece in pieces:
            self._pending += piece
            if len(self._pending) >= _FLUSH:
                self._flush()
        self._pending += tar.padding(size)

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
        self._blob.write(gzip.HEADER)
        for compressed, plain in streams:
            self._blob.write(compressed)
            self._plain.write(plain)
        self._blob.write(gzip.trailer(crc, size))
        self._pending += tar.padding(size)

    def packed(
        self, path: str, size: int, pieces: Iterable[bytes], *, executable: bool = False
    ) -> None:
        """A file of `size` bytes, each piece compressed into a member of its own."""
        self._start(path, size, executable=executable)
        self._flush()
        for piece in pieces:
            self._plain.write(piece)
            for part in gzip.packed(piece):
                self._blob.write(part)
        self._pending += tar.padding(size)

    def finish(self) -> Layer:
        """End the archive and say what was written."""
        self._pending += tar.END
        self._flush()
        return Layer(digest=self._blob.finish(), diff_id=self._plain.finish(), size=self._blob.size)

    def _start(self, path: str, size: int, *, executable: bool) -> None:
        self.directory(path.rpartition("/")[0])
        self._pending += tar.file(path, size, executable=executable)

    def _flush(self) -> None:
        if not self._pending:
            return
        data = bytes(self._pending)
        self._pending.clear()
        self._plain.write(data)
        for piece in gzip.stored(data):
            self._blob.write(piece)
