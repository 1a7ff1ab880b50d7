"""The files of an environment's tree, and how the bytes of each get into a layer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from packer.environment.lock import PinnedFile
from packer.layers import gzip
from packer.layers.installed_copy import InstalledCopy
from packer.layers.layer import LayerWriter
from packer.layers.zip_archive import STORED, Member, ZipArchive
from packer.wheels.errors import FileAltered

_CHUNK = 1 << 20


class TreeFile(Protocol):
    """A file below the environment's prefix."""

    @property
    def path(self) -> str:
        """Relative to `image_paths.PREFIX`."""

    def content(self) -> bytes:
        """All its bytes."""

    def checksum(self) -> tuple[int, int]:
        """Size and CRC-32 of its bytes."""

    def write(self, writer: LayerWriter, path: str) -> None:
        """Add it to a layer, as `path`."""


class MadeFile(NamedTuple):
    """A file made by packing: a launcher, a RECORD."""

    path: str
    data: bytes
    executable: bool = False

    def content(self) -> bytes:
        """All its bytes."""
        return self.data

    def checksum(self) -> tuple[int, int]:
        """Size and CRC-32 of its bytes."""
        return _checksum(self.data)

    def write(self, writer: LayerWriter, path: str) -> None:
        """Add it to a layer, as `path`."""
        writer.file(path, self.data, executable=self.executable)


class WheelFile(NamedTuple):
    """A member of a wheel, as it is."""

    path: str
    archive: ZipArchive
    member: Member
    executable: bool
    installed: InstalledCopy | None = None
    """Its content where the sandbox has it."""

    def content(self) -> bytes:
        """All its bytes."""
        return self.archive.content(self.member)

    def checksum(self) -> tuple[int, int]:
        """Size and CRC-32 of its bytes, which reading them verifies."""
        return self.member.size, self.member.crc

    def write(self, writer: LayerWriter, path: str) -> None:
        """Add it to a layer, as `path`, with the wheel's own compressed bytes."""
        member = self.member
        if member.method == STORED:
            pieces = (plain for _, plain in self.archive.streams(member))
            writer.stored(path, member.size, pieces, executable=self.executable)
        else:
            writer.spliced(
                path,
                member.size,
                member.crc,
                self._streams() if writer.wants_plain else self.archive.raw_streams(member),
                executable=self.executable,
            )

    def _streams(self) -> Iterator[tuple[bytes, bytes]]:
        plain = self.installed.pieces() if self.installed else None
        return self.archive.streams(self.member, plain)


class CompressedFile(NamedTuple):
    """A file made by packing and compressed already: bytecode."""

    path: str
    data: bytes | memoryview
    stream: bytes
    """`data` as a raw deflate stream."""
    crc: int
    """CRC-32 of `data`."""

    def content(self) -> bytes:
        """All its bytes."""
        return bytes(self.data)

    def checksum(self) -> tuple[int, int]:
        """Size and CRC-32 of its bytes."""
        return len(self.data), self.crc

    def write(self, writer: LayerWriter, path: str) -> None:
        """Add it to a layer, as `path`."""
        writer.spliced(path, *self.checksum(), ((self.stream, self.data),))


class SandboxFile(NamedTuple):
    """A file of the sandbox, or made from what it says."""

    pinned: PinnedFile
    source: Path | bytes

    @property
    def path(self) -> str:
        """Relative to `image_paths.PREFIX`."""
        return self.pinned.path

    def content(self) -> bytes:
        """All its bytes."""
        return b"".join(self._pieces())

    def checksum(self) -> tuple[int, int]:
        """Size and CRC-32 of its bytes."""
        return _checksum(self.content())

    def write(self, writer: LayerWriter, path: str) -> None:
        """Add it to a layer, as `path`, compressed."""
        writer.packed(path, self.pinned.size, self._pieces(), executable=self.pinned.executable)

    def _pieces(self) -> Iterator[bytes]:
        """The content in pieces; at their end it is known to be what was pinned."""
        digest = hashlib.sha256()
        for piece in self._read():
            digest.update(piece)
            yield piece
        if digest.hexdigest() != self.pinned.sha256:
            raise FileAltered(str(self.source) if isinstance(self.source, Path) else self.path)

    def _read(self) -> Iterator[bytes]:
        if isinstance(self.source, bytes):
            yield self.source
            return
        with self.source.open("rb", buffering=0) as stream:
            while piece := stream.read(_CHUNK):
                yield piece


def _checksum(data: bytes) -> tuple[int, int]:
    return len(data), gzip.crc32(data)
