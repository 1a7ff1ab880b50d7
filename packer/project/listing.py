r"""The canonical form of a tree: what is in it, in bytes that depend on nothing else.

For each entry, sorted by the raw bytes of the path,

    <kind> <size> <content> <path>\0

where kind is `f` (file), `x` (executable file), `l` (symbolic link) or `d` (directory with nothing
packed in it); size is in bytes; content is the sha256 in hex of a file, the target of a link (of
`size` bytes), and nothing for a directory. Times, owners and all of the mode but the owner's x bit
are left behind. What stands before the path is called the entry's head.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Literal

from packer.record import Record

Kind = Literal["file", "executable", "symlink", "directory"]

DIRECTORY = b"d 0  "
"""The head of an empty directory."""

_SHA256 = 64
_KINDS: dict[bytes, Kind] = {b"f": "file", b"x": "executable", b"l": "symlink", b"d": "directory"}


class Entry(Record, frozen=True):
    """One packed file, link or empty directory."""

    path: str
    """Relative to the tree's root; bytes that are not UTF-8 as lone surrogates (PEP 383)."""
    kind: Kind
    size: int = 0
    sha256: str = ""
    """Of a file's content, in hex."""
    target: str = ""
    """Of a link."""


def file_head(size: int, sha256: str, *, executable: bool) -> bytes:
    """The head of a file."""
    return b"%s %d %s " % (b"x" if executable else b"f", size, sha256.encode())


def link_head(target: bytes) -> bytes:
    """The head of a symbolic link."""
    return b"l %d %s " % (len(target), target)


def join(heads: Mapping[bytes, bytes]) -> bytes:
    """The listing of entries given as path → head."""
    return b"".join([b"%s%s\0" % (heads[path], path) for path in sorted(heads)])


def entries(listing: bytes) -> Iterator[Entry]:
    """The entries of a listing, in its order."""
    return map(entry, records(listing))


def records(listing: bytes) -> list[bytes]:
    """The listing cut in its records, each without its final NUL."""
    return listing.split(b"\0")[:-1]


def entry(record: bytes) -> Entry:
    """The entry that one record describes."""
    letter, size, rest = record.split(b" ", 2)
    kind = _KINDS[letter]
    length = _SHA256 if kind in ("file", "executable") else int(size)
    content, path = os.fsdecode(rest[:length]), os.fsdecode(rest[length + 1 :])
    if kind == "symlink":
        return Entry(path=path, kind=kind, size=int(size), target=content)
    return Entry(path=path, kind=kind, size=int(size), sha256=content)


def shown(path: bytes) -> str:
    """The path as a person may see it: on one line and in valid UTF-8."""
    text = path.decode(errors="backslashreplace")
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
