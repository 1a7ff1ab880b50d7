"""Gzip members whose bytes do not depend on a zlib version (RFC 1952, RFC 1951).

A gzip file may be a sequence of members. A member here is either *stored* (deflate blocks of type
0) or *spliced*: a raw deflate stream made elsewhere, such as a member of a wheel, wrapped as it is.
"""

from __future__ import annotations

import struct

import deflate

HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
"""No name, no time, unknown system: the same ten bytes in front of every member."""

_STORED_LIMIT = 0xFFFF
_TRAILER = struct.Struct("<II")
_BLOCK = struct.Struct("<BHH")


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
    pieces.append(trailer(deflate.crc32(data), len(data)))
    return pieces
