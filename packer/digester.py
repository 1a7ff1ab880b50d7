"""Hashing on a thread of its own where a core is idle, so that inflating and hashing use two."""

from __future__ import annotations

import hashlib
import os
import threading
from collections import deque
from typing import TYPE_CHECKING
from weakref import finalize

from packer.digest import Digest

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

_IN_PLACE = 4 << 20
"""Bytes that are hashed sooner than a thread for them is there, and its work handed over."""

_IN_FLIGHT = 4

_CORES = os.cpu_count() or 1

_AT_WORK: dict[int, int] = {}
"""The digesters that have not finished, by id, and the threads that give them pieces."""


class Digester:
    """The sha256 of a sequence of pieces, all from the thread that made it.

    The first megabytes are hashed in place. What follows is hashed in a thread while fewer threads
    than there are cores have digesters: handing over costs, and wins nothing where all have work.
    At most four pieces wait for it, so the memory in use is bounded. The thread ends when the
    digester is no longer referenced.
    """

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._thread: ThreadPoolExecutor | None = None
        self._waiting: deque[Future[None]] = deque()
        self.size = 0
        _AT_WORK[id(self)] = threading.get_ident()
        finalize(self, _AT_WORK.pop, id(self), None)

    def update(self, piece: bytes) -> None:
        """Add the next bytes. They must not change afterwards: they are not copied."""
        self.size += len(piece)
        if self.size <= _IN_PLACE or len(set(_AT_WORK.values())) >= _CORES:
            self._wait(0)
            self._hash.update(piece)
        else:
            self._wait(_IN_FLIGHT - 1)
            self._waiting.append(self._worker().submit(self._hash.update, piece))

    def finish(self) -> Digest:
        """The digest of all bytes."""
        self._wait(0)
        _AT_WORK.pop(id(self), None)
        if self._thread:
            self._thread.shutdown()
        return Digest.from_hex(self._hash.hexdigest())

    def _wait(self, left: int) -> None:
        while len(self._waiting) > left:
            self._waiting.popleft().result()

    def _worker(self) -> ThreadPoolExecutor:
        if self._thread is None:
            from concurrent.futures import ThreadPoolExecutor

            self._thread = ThreadPoolExecutor(1, thread_name_prefix="sha256")
        return self._thread
