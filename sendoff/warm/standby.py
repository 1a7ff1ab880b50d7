"""A fork of the warm process that is there before its command comes.

A fork takes milliseconds, and so does each page that it writes to first: all of that happens while
nobody waits.
"""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from packer import memory
from sendoff.warm import worker
from sendoff.warm.line import Line
from sendoff.warm.loaded import Loaded
from sendoff.warm.written_pages import WrittenPages

READY, TAKEN, STALE = b"r", b"t", b"s"
"""What it says: it takes the next command, it has, what is loaded is out of date."""

_ROOM = 3 << 20
"""Bytes of memory that is there at the start."""


class Standby:
    """One such fork, as the warm process sees it."""

    def __init__(
        self,
        listener: socket.socket,
        loaded: Loaded,
        pages: WrittenPages,
        facts: bytes,
        alone: Callable[[], object],
    ) -> None:
        """`alone` lets go, in the fork, of what the warm process alone may have."""
        self.descriptor, say = os.pipe2(os.O_CLOEXEC)
        ends, self._lives = os.pipe2(os.O_CLOEXEC)
        if not os.fork():
            try:
                os.close(self.descriptor)
                os.close(self._lives)
                alone()
                _Waiting(listener, loaded, pages, say, ends).become(facts)
            finally:
                # Where the warm process was killed just now: its end is not ours to see to.
                os._exit(1)
        os.close(say)
        os.close(ends)

    def said(self) -> bytes:
        """What there is to be read."""
        return os.read(self.descriptor, 1)

    def close(self) -> None:
        """Forget it: unless it is a command, it ends."""
        os.close(self.descriptor)
        os.close(self._lives)


class _Waiting:
    """The fork itself."""

    def __init__(
        self,
        listener: socket.socket,
        loaded: Loaded,
        pages: WrittenPages,
        say: int,
        ends: int,
    ) -> None:
        self._listener, self._loaded, self._pages = listener, loaded, pages
        self._say, self._ends = say, ends

    def become(self, facts: bytes) -> NoReturn:
        """Wait for a command and be it; end with the warm process."""
        self._pages.copy()
        _make_room()
        os.write(self._say, READY)
        waiting = select.poll()
        waiting.register(self._listener, select.POLLIN)
        waiting.register(self._ends, select.POLLIN)
        while True:
            ready = [descriptor for descriptor, _ in waiting.poll()]
            if self._ends in ready:
                os._exit(0)
            with suppress(BlockingIOError):
                line = Line(self._listener.accept()[0])
                if line.is_own():
                    break
                line.close()
        if not self._loaded.unchanged():
            os.write(self._say, STALE)
            os._exit(0)
        with suppress(BrokenPipeError):  # Another was to take the next command, too late.
            os.write(self._say, TAKEN)
        os.close(self._ends)
        self._listener.close()
        worker.become(line, facts, self._pages)


def _make_room() -> None:
    """Have memory for new objects, which the allocator keeps."""
    memory.keep()
    b"-" * _ROOM
