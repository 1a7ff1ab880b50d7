"""Hashing on a thread of its own, so that inflating and hashing use two cores."""

from __future__ import annotations

import hashlib
from collections import deque
from typing import TYPE_CHECKING

from packer.digest import Digest

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

_IN_PLACE = 4 << 20
"""Bytes that are hashed sooner than a thread for them is there, and its work handed over."""

_IN_FLIGHT = 4


class Digester:
    """The sha256 of a sequence of pieces.

    The first megabytes are hashed in place, all that follow in a thread. At most four pieces wait
    for it, so the memory in use is bounded. The thread ends when the digester is no longer
    referenced.
    """

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._thread: ThreadPoolExecutor | None = None
        self._waiting: deque[Future[None]] = deque()
        self.size = 0

    def update(self, piece: bytes) -> None:
        """Add the next bytes. They must not change afterwards: they are not copied."""
        self.size += len(piece)
        if self.size <= _IN_PLACE:
            self._hash.update(piece)
            return
        if self._thread is None:
            from concurrent.futures import ThreadPoolExecutor

            self._thread = ThreadPoolExecutor(1, thread_name_prefix="sha256")
        if len(self._waiting) >= _IN_FLIGHT:
            self._waiting.popleft().result()
        self._waiting.append(self._thread.submit(self._hash.update, piece))

    def finish(self) -> Digest:
        """The digest of all bytes."""
        while self._waiting:
            self._waiting.popleft().result()
        if self._thread:
            self._thread.shutdown()
        return Digest.from_hex(self._hash.hexdigest())
