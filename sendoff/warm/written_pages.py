"""Which pages of memory commands write to, so that the next one has its own copies beforehand.

After a fork the first write to each page copies it. All that a command wrote is known from the
kernel once it has ended, and the next fork copies just that, in a few calls, while nobody waits.
"""

from __future__ import annotations

import mmap
import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress

from packer.libc import libc

_PAGE = mmap.PAGESIZE
_ENTRY = 8
"""Bytes that /proc/self/pagemap has for each page, in the order of this machine."""
_TOP = 7 if sys.byteorder == "little" else 0
"""Which of them has the flags."""
_PRESENT, _OF_FILE, _EXCLUSIVE = 0x80, 0x20, 0x01
_OWN = bytes(
    flags & (_PRESENT | _OF_FILE | _EXCLUSIVE) == _PRESENT | _EXCLUSIVE for flags in range(256)
)
"""By its flags, whether a page is of one process alone and has no file behind it (pagemap.rst)."""
_POPULATE_WRITE = 23
"""MADV_POPULATE_WRITE (madvise(2)): as a write to each page, of what is there already."""
_RUNS = re.compile(rb"\x01+(?:\x00{1,3}\x01+)*")
"""Pages next to each other. A few between them cost less than a further call."""


class WrittenPages:
    """Those of the memory that there is now, which forks of this process mark and copy."""

    def __init__(self) -> None:
        self._spans = tuple(_private())
        # Shared by all forks: each sees what the others have marked.
        self._marks = mmap.mmap(-1, sum(pages for _, pages in self._spans) or 1)

    def mark(self) -> None:
        """Remember what this process has written to."""
        with suppress(OSError), open("/proc/self/pagemap", "rb", buffering=0) as file:
            for first, part in self._parts():
                size = part.stop - part.start
                read = os.pread(file.fileno(), size * _ENTRY, first // _PAGE * _ENTRY)
                own = read[_TOP::_ENTRY].translate(_OWN)
                if len(own) == size:
                    self._marks[part] = _either(own, self._marks[part])

    def copy(self) -> None:
        """Have this process's own copies of what was marked, where the kernel can (Linux 5.14)."""
        for first, part in self._parts():
            for run in _RUNS.finditer(self._marks[part]):
                start, size = first + run.start() * _PAGE, len(run[0]) * _PAGE
                libc().madvise(start, size, _POPULATE_WRITE)

    def _parts(self) -> Iterator[tuple[int, slice]]:
        """The address of each span, and where its marks are."""
        begin = 0
        for first, pages in self._spans:
            yield first, slice(begin, begin + pages)
            begin += pages


def _either(one: bytes, other: bytes) -> bytes:
    both = int.from_bytes(one, "little") | int.from_bytes(other, "little")
    return both.to_bytes(len(one), "little")


def _private() -> Iterator[tuple[int, int]]:
    """Address and pages of each span of writable memory that is not shared (proc(5), maps)."""
    with open("/proc/self/maps", "rb") as file:
        for line in file:
            span, rights, *rest = line.split()
            if rights == b"rw-p" and not rest[-1].startswith(b"[stack"):
                first, end = (int(address, 16) for address in span.split(b"-"))
                yield first, (end - first) // _PAGE
