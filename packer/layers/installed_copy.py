"""A wheel's file as the sandbox has it installed: its plain content, without inflating."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

LARGE = 1 << 20
"""Bytes from which on one is worth looking for."""

_CHUNK = 1 << 20


class InstalledCopy(NamedTuple):
    """A file that may be what a wheel's member holds: whoever reads it checks that."""

    path: str

    @classmethod
    def find(cls, path: str, size: int) -> InstalledCopy | None:
        """The file at `path`; None where it has another size, or would come from a disk.

        Inflating takes no longer than a disk, and what is read next is not pushed out of memory.
        """
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            if os.fstat(descriptor).st_size == size and _is_in_memory(descriptor, size):
                return cls(path)
        finally:
            os.close(descriptor)
        return None

    def pieces(self) -> Iterator[bytes]:
        """Its content; less of it where it can't be read any more."""
        try:
            with Path(self.path).open("rb", buffering=0) as stream:
                while piece := stream.read(_CHUNK):
                    yield piece
        except OSError:
            return


def _is_in_memory(descriptor: int, size: int) -> bool:
    """Whether the beginning, middle and end can be read at once (preadv2(2), RWF_NOWAIT).

    No other platform than Linux tells, and there not every file system.
    """
    at_once = getattr(os, "RWF_NOWAIT", None)
    if at_once is None:
        return False
    try:
        for place in (0, size // 2, size - 1):
            os.preadv(descriptor, [bytearray(1)], place, at_once)
    except OSError:
        return False
    return True
