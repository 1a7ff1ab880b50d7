"""Tar headers that depend on nothing but name, size, mode and kind.

POSIX ustar headers with mtime 0, uid and gid 0 and no owner names. Names are raw bytes; one longer
than 100 bytes is preceded by a GNU `L` (link target: `K`) record, which Go's archive/tar, GNU tar
and libarchive read, and which, unlike PAX, holds names that are not UTF-8.
"""

from __future__ import annotations

import os

BLOCK = 512
END = bytes(2 * BLOCK)
"""Two zero blocks end an archive."""

_REGULAR, _SYMLINK, _DIRECTORY = b"0", b"2", b"5"
_NAME_FIELD = 100
_OCTAL_SIZE_LIMIT = 8**11
_REST = b"ustar\x0000" + bytes(64) + b"0000000\x000000000\0" + bytes(167)
"""Of every header: magic, no owner's names, no device, no prefix."""
_CONSTANT = sum(_REST) + 8 * ord(" ")
"""What is in every checksum: the checksum's own field counts as blanks."""


def padding(size: int) -> bytes:
    """Zeros from the end of `size` bytes of content to the next block."""
    return bytes(-size % BLOCK)


def file(path: str, size: int, *, executable: bool = False) -> bytes:
    """The header of a regular file; its content and `padding` follow."""
    return _entry(_REGULAR, os.fsencode(path), size, 0o755 if executable else 0o644)


def directory(path: str, *, is_open: bool = False) -> bytes:
    """The header of a directory, mode 0755, or 0777 for one that is open to all."""
    return _entry(_DIRECTORY, os.fsencode(path) + b"/", 0, 0o777 if is_open else 0o755)


def symlink(path: str, target: str) -> bytes:
    """The header of a symbolic link."""
    return _entry(_SYMLINK, os.fsencode(path), 0, 0o777, os.fsencode(target))


def _entry(kind: bytes, name: bytes, size: int, mode: int, link: bytes = b"") -> bytes:
    long = b""
    if len(link) > _NAME_FIELD:
        long += _long(b"K", link)
    if len(name) > _NAME_FIELD:
        long += _long(b"L", name)
    return long + _header(kind, name[:_NAME_FIELD], size, mode, link[:_NAME_FIELD])


def _long(kind: bytes, value: bytes) -> bytes:
    value += b"\0"
    return _header(kind, b"././@LongLink", len(value), 0) + value + padding(len(value))


def _header(kind: bytes, name: bytes, size: int, mode: int, link: bytes = b"") -> bytes:
    # Beyond 8 GiB GNU base-256: the first bit set, then the number, big-endian.
    octal = size < _OCTAL_SIZE_LIMIT
    length = b"%011o\0" % size if octal else b"\x80" + size.to_bytes(11, "big")
    head = b"%s%07o\x000000000\x000000000\0%s00000000000\0" % (
        name.ljust(_NAME_FIELD, b"\0"),
        mode,
        length,
    )
    checksum = sum(name) + sum(link) + sum(head[_NAME_FIELD:]) + ord(kind) + _CONSTANT
    return b"%s%06o\0 %s%s%s" % (head, checksum, kind, link.ljust(_NAME_FIELD, b"\0"), _REST)
