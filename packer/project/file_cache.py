"""What is remembered of a project's files between two snapshots, so that few are read again.

A file is taken for unchanged while its size, modification and status-change times and inode are
what they were. A time stamp may lag the clock, so what was changed shortly before it was read could
change again under the same stamps (git calls such a file racy): it is not trusted until read anew.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec

from packer import disk

_FORMAT = 1
_COARSE, _FINE = 2_000_000_000, 50_000_000
"""Nanoseconds that a stamp may lag: on file systems that keep seconds (FAT: two of them), and on
those that keep what the kernel's clock said at its last tick."""


class Known(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A file that was read: its stat, and its record in a listing up to the path."""

    size: int
    """Bytes; -1 where it must be read again."""
    modified: int
    changed: int
    """Nanoseconds since the epoch; no program can set `changed`."""
    inode: int
    head: bytes

    def matches(self, stat: os.stat_result) -> bool:
        """Whether the file is still the one that was read."""
        return (
            self.modified == stat.st_mtime_ns
            and self.changed == stat.st_ctime_ns
            and self.size == stat.st_size
            and self.inode == stat.st_ino
        )


class Directory(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One directory: the rules that held, and what became of each name under them.

    A text is the kind of entry (a letter) and why it stayed out, or the letter alone.
    """

    rules: bytes
    names: dict[bytes, Known | str]


class _Stored(msgspec.Struct, array_like=True, frozen=True):
    format: int
    directories: dict[bytes, Directory]


class FileCache:
    """The memory of one project, a file below `folder`."""

    def __init__(self, folder: Path, project: Path) -> None:
        name = hashlib.sha256(os.fsencode(project)).hexdigest()[:32]
        self._path = folder / name
        self.directories = self._load()

    def save(self, directories: dict[bytes, Directory]) -> None:
        """Replace what is remembered.

        Raises:
            DiskFull
        """
        if directories != self.directories:
            disk.replace(self._path, msgspec.msgpack.encode(_Stored(_FORMAT, directories)))
            self.directories = directories

    def _load(self) -> dict[bytes, Directory]:
        try:
            data = self._path.read_bytes()
            stored = msgspec.msgpack.decode(data, type=_Stored)
        except (FileNotFoundError, msgspec.MsgspecError):
            return {}
        return stored.directories if stored.format == _FORMAT else {}


def same(before: os.stat_result, after: os.stat_result) -> bool:
    """Whether a file was left alone between two looks at it."""
    return (before.st_size, before.st_mtime_ns, before.st_ctime_ns, before.st_ino) == (
        after.st_size,
        after.st_mtime_ns,
        after.st_ctime_ns,
        after.st_ino,
    )


def known(stat: os.stat_result, head: bytes, read_at: int) -> Known:
    """What to remember of a file whose reading began at `read_at` (nanoseconds)."""
    lag = _FINE if stat.st_ctime_ns % 1_000_000 else _COARSE
    racy = max(stat.st_mtime_ns, stat.st_ctime_ns) + lag > read_at
    size = -1 if racy else stat.st_size
    return Known(size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino, head)
