"""Reading zip archives as what they are: a table of members and their raw streams.

`zipfile` hides the compressed bytes, and what it accepts differs between Python versions; a layer
must not. Section numbers are those of PKWARE's APPNOTE.TXT 6.3.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, Self

zlib: Any
try:  # ISA-L inflates twice as fast, to the same bytes.
    zlib = import_module("isal.isal_zlib")
except ImportError:
    zlib = import_module("zlib")

STORED, DEFLATED = 0, 8

_END = struct.Struct("<4s4H2LH")  # 4.3.16
_END64 = struct.Struct("<4sQ2H2L4Q")  # 4.3.14
_END64_LOCATOR = struct.Struct("<4sLQL")  # 4.3.15
_CENTRAL = struct.Struct("<4s6H3L5H2L")  # 4.3.12
_LOCAL = struct.Struct("<4s5H3L2H")  # 4.3.7
_COMMENT_LIMIT = 0xFFFF
_WHOLE = 0xFFFFFFFF
"""This value in a 32-bit field says that the number is in the ZIP64 extra field."""
_ENCRYPTED, _UTF8 = 0x1, 0x800
_LOCAL_EXTRA_GUESS = 64
_CHUNK = 1 << 18


class ZipDamaged(Exception):
    """The archive cannot be read; the argument says why."""


class Member(NamedTuple):
    """One entry of the central directory."""

    name: str
    method: int
    crc: int
    compressed_size: int
    size: int
    mode: int
    """Unix mode; 0 where the archive has none."""
    offset: int
    """Of the local header."""

    @property
    def is_directory(self) -> bool:
        """Whether it stands for a directory, and so has no content."""
        return self.name.endswith("/")

    @property
    def executable(self) -> bool:
        """Whether any execute bit is set, as uv has it; pip wants the kind of a file as well."""
        return bool(self.mode & 0o111)


class ZipArchive:
    """An open archive. Reads go by position, so several threads may read at once.

    Raises:
        ZipDamaged: from every method, where the bytes are not those of a sound archive.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._size = os.fstat(self._descriptor).st_size
            self.members = tuple(self._central_directory())
        except BaseException:
            os.close(self._descriptor)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def content(self, member: Member) -> bytes:
        """The member's plain bytes, checked against its size and CRC."""
        return b"".join([plain for _, plain in self.streams(member)])

    def streams(
        self, member: Member, plain_pieces: Iterator[bytes] | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        """Pairs of the next piece of the raw stream and the next piece of plain content.

        Size and CRC are checked at the end: what was yielded is good once the iteration ends.
        `plain_pieces` are the plain content, where it is at hand: then nothing is inflated, nor
        seen where the raw stream ends.
        """
        checked = crc = 0
        beside = plain_pieces and self._beside(member, plain_pieces)
        for raw, plain in beside or self._inflated(member):
            crc = zlib.crc32(plain, crc)
            checked += len(plain)
            if checked > member.size:
                raise ZipDamaged(f"{member.name} is longer than {member.size} bytes")
            yield raw, plain
        if checked != member.size:
            raise ZipDamaged(f"{member.name} has {checked} bytes instead of {member.size}")
        if crc != member.crc:
            raise ZipDamaged(f"the content of {member.name} does not match its CRC")

    def raw_streams(self, member: Member) -> Iterator[tuple[bytes, bytes]]:
        """The raw stream alone, as `streams` has it. Nothing is checked."""
        return ((raw, b"") for raw in self._raw(member))

    def _beside(
        self, member: Member, plain_pieces: Iterator[bytes]
    ) -> Iterator[tuple[bytes, bytes]]:
        for raw in self._raw(member):
            yield raw, b""
        for plain in plain_pieces:
            yield b"", plain

    def _inflated(self, member: Member) -> Iterator[tuple[bytes, bytes]]:
        if member.method == STORED:
            for raw in self._raw(member):
                yield raw, raw
            return
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        for raw in self._raw(member):
            yield raw, b""
            plain = self._inflate(inflater, raw, member)
            while plain:
                yield b"", plain
                if inflater.eof:
                    break
                plain = self._inflate(inflater, inflater.unconsumed_tail, member)
        # What follows the stream's end would be read as a gzip trailer once spliced.
        if not inflater.eof or inflater.unused_data:
            raise ZipDamaged(f"the deflate stream of {member.name} does not end with its bytes")

    @staticmethod
    def _inflate(inflater: Any, raw: bytes, member: Member) -> bytes:
        try:
            plain: bytes = inflater.decompress(raw, _CHUNK * 4)
        except zlib.error as error:
            raise ZipDamaged(f"the content of {member.name} is damaged: {error}") from error
        return plain

    def _raw(self, member: Member) -> Iterator[bytes]:
        """The member's bytes as they are in the archive, in pieces."""
        first = _LOCAL.size + len(member.name) + _LOCAL_EXTRA_GUESS
        block = self._read(member.offset, min(first + member.compressed_size, _CHUNK))
        if len(block) < _LOCAL.size or block[:4] != b"PK\x03\x04":
            raise ZipDamaged(f"{member.name} has no local header")
        # Sizes and CRC are those of the central directory: a member with a data descriptor
        # (4.3.9) has zeros here, and what follows its data is not needed.
        name_length, extra_length = struct.unpack_from("<HH", block, 26)
        position = _LOCAL.size + name_length + extra_length
        piece = block[position : position + member.compressed_size]
        position += member.offset + len(piece)
        left = member.compressed_size - len(piece)
        if piece:
            yield piece
        while left:
            piece = self._read(position, min(left, _CHUNK))
            if not piece:
                raise ZipDamaged(f"{member.name} is cut short")
            yield piece
            position += len(piece)
            left -= len(piece)

    def _read(self, offset: int, size: int) -> bytes:
        return os.pread(self._descriptor, size, offset)

    def _central_directory(self) -> Iterator[Member]:
        count, size, offset, before = self._end()
        table = self._read(offset + before, size)
        position = 0
        for _ in range(count):
            start = position + _CENTRAL.size
            if table[position : position + 4] != b"PK\x01\x02" or start > len(table):
                raise ZipDamaged("its table of contents is damaged")
            fields = _CENTRAL.unpack_from(table, position)
            position = start + fields[10] + fields[11] + fields[12]
            if position > len(table):
                raise ZipDamaged("its table of contents is cut short")
            yield _member(fields, table[start:position], before)

    def _end(self) -> tuple[int, int, int, int]:
        """Count, size and offset of the table, and how many bytes precede the archive."""
        tail_offset = max(0, self._size - _END.size - _COMMENT_LIMIT)
        tail = self._read(tail_offset, self._size - tail_offset)
        at = tail.rfind(b"PK\x05\x06")
        if at < 0 or at + _END.size > len(tail):
            raise ZipDamaged("it is not a zip archive, or is cut short")
        _, _, _, _, count, size, offset, _ = _END.unpack_from(tail, at)
        end = tail_offset + at
        locator = self._read(max(0, end - _END64_LOCATOR.size), _END64_LOCATOR.size)
        if locator[:4] == b"PK\x06\x07":
            end -= _END64_LOCATOR.size + _END64.size
            record = self._read(end, _END64.size)
            if record[:4] != b"PK\x06\x06":
                raise ZipDamaged("its ZIP64 record is damaged")
            count, size, offset = _END64.unpack(record)[7:]
        before = end - size - offset
        if before < 0:
            raise ZipDamaged("its table of contents is cut short")
        return count, size, offset, before


def _member(fields: tuple[int, ...], rest: bytes, before: int) -> Member:
    flags, method = fields[3], fields[4]
    crc, compressed_size, size, name_length = fields[7:11]
    # Without the flag a name is CP437 (appendix D), as zipfile and every installer have it.
    name = _decoded(rest[:name_length], "utf-8" if flags & _UTF8 else "cp437")
    if flags & _ENCRYPTED:
        raise ZipDamaged(f"{name} is encrypted")
    if method not in (STORED, DEFLATED):
        raise ZipDamaged(f"{name} is compressed by method {method}; wheels have 0 and 8")
    extra = rest[name_length : name_length + fields[11]]
    size, compressed_size, offset = _long_sizes(extra, size, compressed_size, fields[16])
    mode = fields[15] >> 16
    return Member(name, method, crc, compressed_size, size, mode, offset + before)


def _decoded(name: bytes, encoding: str) -> str:
    try:
        return name.decode(encoding)
    except UnicodeDecodeError:
        raise ZipDamaged(f"the name {name!r} is not {encoding}") from None


def _long_sizes(extra: bytes, *sizes: int) -> list[int]:
    """Sizes and offset, with those of the ZIP64 extra field (4.5.3) where they are in it."""
    if _WHOLE not in sizes:
        return list(sizes)
    position = 0
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, position)
        position += 4
        if kind == 1:
            numbers = iter(struct.unpack_from(f"<{length // 8}Q", extra, position))
            try:
                return [next(numbers) if size == _WHOLE else size for size in sizes]
            except StopIteration:
                break
        position += length
    raise ZipDamaged("a ZIP64 field is missing or cut short")
