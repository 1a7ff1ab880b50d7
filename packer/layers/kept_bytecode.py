"""Bytecode of layers that were made, compressed as it is in them.

A layer that is made a second time, for a repository that has never had it, needs no compiler then.
The file is one line of JSON, the size, CRC-32 and compressed size of each .pyc by its path, and
after it their raw deflate streams.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from packer import disk
from packer.layers.layer import LayerWriter
from packer.layers.tree import CompressedFile, TreeFile
from packer.record import decode, encode


class KeptFile(NamedTuple):
    """A .pyc as a layer had it."""

    path: str
    size: int
    crc: int
    stream: bytes
    """It as a raw deflate stream."""

    def content(self) -> bytes:
        """All its bytes."""
        return zlib.decompress(self.stream, -zlib.MAX_WBITS)

    def checksum(self) -> tuple[int, int]:
        """Size and CRC-32 of its bytes."""
        return self.size, self.crc

    def write(self, writer: LayerWriter, path: str) -> None:
        """Add it to a layer, as `path`."""
        plain = self.content() if writer.wants_plain else b""
        writer.spliced(path, self.size, self.crc, ((self.stream, plain),))


class KeptBytecode(NamedTuple):
    """That of one layer, in the file `place`."""

    place: Path

    def files(self) -> Sequence[TreeFile]:
        """What is kept, which only the layer proves right; nothing where that can't be read."""
        try:
            line, _, streams = self.place.read_bytes().partition(b"\n")
            told = decode(line, dict[str, tuple[int, int, int]])
        except (OSError, ValueError, msgspec.ValidationError):
            return ()
        kept, at = [], 0
        for path, (size, crc, length) in told.items():
            kept.append(KeptFile(path, size, crc, streams[at : at + length]))
            at += length
        return kept

    def keep(self, files: Sequence[CompressedFile]) -> None:
        """Keep it for the next time.

        Raises:
            DiskFull
        """
        # As the canonical JSON has them.
        files = sorted(files, key=lambda file: file.path)
        told = {file.path: (*file.checksum(), len(file.stream)) for file in files}
        pieces = (encode(told), b"\n", *(file.stream for file in files))
        disk.replace(self.place, b"".join(pieces))
