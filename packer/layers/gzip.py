"""Gzip members whose bytes do not depend on a zlib version (RFC 1952, RFC 1951).

A gzip file may be a sequence of members. A member here is *stored* (deflate blocks of type 0),
*spliced* (a raw deflate stream made elsewhere, such as a member of a wheel, wrapped as it is) or
*packed* (compressed here, with the pinned libdeflate).
"""

from __future__ import annotations

import struct
import zlib

import deflate

HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
"""No name, no time, unknown system: the same ten bytes in front of every member."""

_STORED_LIMIT = 0xFFFF
_LEVEL = 1
_LITTLE = 5 << 10
_TRAILER = struct.Struct("<II")
_BLOCK = struct.Struct("<BHH")


def crc32(data: bytes | memoryview) -> int:
    """The CRC-32 that `trailer` wants."""
    # zlib's keeps the interpreter's lock for little: letting it go costs more than the work.
    return zlib.crc32(data) if len(data) < _LITTLE else int(deflate.crc32(data))


def trailer(crc: int, size: int) -> bytes:
    """What ends a member of `size` plain bytes with this CRC-32."""
    return _TRAILER.pack(crc, size & 0xFFFFFFFF)


def stored(data: bytes) -> list[bytes | memoryview]:
    """`data` as one stored member, in pieces to be written in order (no copy of `data`)."""
    view = memoryview(data)
    pieces: list[bytes | memoryview] = [HEADER]
    for start in range(0, len(data) or 1, _STORED_LIMIT):
        block = view[start : start + _STORED_LIMIT]
        last = start + _STORED_LIMIT >= len(data)
        pieces.append(_BLOCK.pack(last, len(block), len(block) ^ 0xFFFF))
        pieces.append(block)
    pieces.append(trailer(crc32(data), len(data)))
    return pieces


def compress(data: bytes | memoryview) -> bytes:
    """`data` as a raw deflate stream.

    libdeflate makes the same bytes on every CPU, and its version is pinned. Level 1: bytecode
    becomes 6 % larger than with level 6, in half the time.
    """
    return bytes(deflate.deflate_compress(data, _LEVEL))


def packed(data: bytes) -> list[bytes]:
    """`data` as one compressed member, in pieces to be written in order."""
    return [HEADER, compress(data), trailer(crc32(data), len(data))]
