"""Chunks of a log that wait for the store: in memory, and on disk when it is away for long."""

from __future__ import annotations

import os
from collections import deque

_IN_MEMORY = 16 << 20


class Backlog:
    """First in, first out. `folder` is made when it is needed."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._waiting: deque[bytes | str] = deque()
        self._held = self._count = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, chunk: bytes) -> None:
        """Take a chunk.

        Raises:
            OSError: there is no room for it.
        """
        if self._held + len(chunk) <= _IN_MEMORY:
            self._held += len(chunk)
            self._waiting.append(chunk)
            return
        os.makedirs(self._folder, exist_ok=True)
        path = f"{self._folder}/{self._count:06}"
        self._count += 1
        with open(path, "wb") as stream:
            stream.write(chunk)
        self._waiting.append(path)

    def first(self) -> bytes:
        """The chunk that has waited longest."""
        chunk = self._waiting[0]
        if isinstance(chunk, bytes):
            return chunk
        with open(chunk, "rb") as stream:
            return stream.read()

    def drop(self) -> None:
        """Let go of it."""
        chunk = self._waiting.popleft()
        if isinstance(chunk, bytes):
            self._held -= len(chunk)
        else:
            os.unlink(chunk)
