"""Forks that know what other forks have written to."""

from __future__ import annotations

import mmap
import os
import resource
from collections.abc import Callable

from sendoff.warm.written_pages import WrittenPages

_PAGES = 4000
_FEW = _PAGES // 4
"""More than what the interpreter itself writes to in a fork of a large test process."""


def _in_fork(what: Callable[[], int]) -> int:
    """What it comes to in a fork of this process."""
    read, write = os.pipe()
    if not os.fork():
        try:
            os.write(write, b"%d" % what())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as answer:
        return int(answer.read())


def _faults(what: Callable[[], object]) -> int:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    what()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def _write(memory: bytearray, value: int = 1) -> None:
    for place in range(0, len(memory), mmap.PAGESIZE):
        memory[place] = value


def test_a_fork_has_copies_of_what_others_wrote() -> None:
    memory = bytearray(_PAGES * mmap.PAGESIZE)
    _write(memory)
    pages = WrittenPages()

    def first() -> int:
        faults = _faults(lambda: _write(memory))
        pages.mark()
        return faults

    def second() -> int:
        pages.copy()
        return _faults(lambda: _write(memory))

    assert _in_fork(first) >= _PAGES
    assert _in_fork(second) < _FEW


def test_copies_have_what_was_there() -> None:
    memory = bytearray(_PAGES * mmap.PAGESIZE)
    pages = WrittenPages()

    def first() -> int:
        _write(memory, 7)
        pages.mark()
        return 0

    def second() -> int:
        pages.copy()
        return sum(memory[:: mmap.PAGESIZE])

    _in_fork(first)
    _write(memory, 1)
    assert _in_fork(second) == _PAGES


def test_what_nobody_wrote_to_stays_shared() -> None:
    memory = bytearray(_PAGES * mmap.PAGESIZE)
    _write(memory)
    pages = WrittenPages()

    def first() -> int:
        pages.mark()
        return 0

    def second() -> int:
        return _faults(pages.copy)

    _in_fork(first)
    assert _in_fork(second) < _FEW
