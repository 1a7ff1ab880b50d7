"""The command's output, kept in the store while it runs."""

from __future__ import annotations

import codecs
import json
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Protocol

    from .store import DirectoryStore

    class Chunks(Protocol):
        """Where lines go."""

        def write(self, line: bytes) -> None:
            """Take a line, in the order of lines.

            Raises:
                OSError: it is lost.
            """


CHUNK = 4 << 20
"""Bytes of a chunk of the log, about."""
_TAIL = 64 << 10


class Log:
    """Writes chunks of JSON lines `[seconds, "out" or "err", text]`.

    Seconds count from the command's start. Bytes that are not UTF-8 become lone surrogates
    (PEP 383), so that nothing is lost. A store that fails does not disturb the command:
    `problem` then says what is missing.
    """

    def __init__(self, chunks: Chunks, limit: int, mirror: Mapping[str, int] | None = None) -> None:
        """`mirror` has the descriptors that "out" and "err" are also written to as they are."""
        self._chunks = chunks
        self._left = limit
        self._limit = limit
        self._mirror = dict(mirror or {})
        decoder = codecs.getincrementaldecoder("utf-8")
        self._decoders = {stream: decoder("surrogateescape") for stream in ("out", "err")}
        self._tails = {"out": "", "err": ""}
        self._begun = False
        """Whether the last line has no end yet."""
        self.problem = ""
        """Why the log in the store is not whole; empty where it is."""
        self.cut = ""
        """That the log went over its limit; empty where it did not."""

    def write(self, stream: str, data: bytes, seconds: float, *, last: bool = False) -> None:
        """Keep the next bytes of a stream; `last` ends it."""
        if stream in self._mirror:
            self._show(stream, data)
        text = self._decoders[stream].decode(data, last)
        if not text:
            return
        self._tails[stream] = (self._tails[stream] + text)[-_TAIL:]
        self._begun = not text.endswith("\n")
        self._keep(stream, text, seconds)

    def remark(self, text: str, seconds: float) -> None:
        """Put a line of the runner's own into the log, on a line of its own; it is in no tail."""
        line = "\n" * self._begun + f"sendoff: {text}\n"
        self._begun = False
        if "err" in self._mirror:
            self._show("err", line.encode())
        self._keep("err", line, seconds)

    def _keep(self, stream: str, text: str, seconds: float) -> None:
        line = json.dumps([round(seconds, 3), stream, text]).encode() + b"\n"
        self._left -= len(line)
        if self._left < 0:
            self.cut = f"only the first {self._limit / 1e6:.0f} MB of the log were kept"
        elif not self.problem:
            try:
                self._chunks.write(line)
            except OSError as error:
                self.problem = f"the log could not be stored: {error}"

    def tail(self, stream: str) -> str:
        """The last 64 thousand characters of a stream."""
        return self._tails[stream]

    def _show(self, stream: str, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._mirror[stream], view) :]
        except OSError:
            # Whoever was reading it is gone; the store has it all the same.
            del self._mirror[stream]


class AppendedChunks:
    """Chunks in a store that can append: each line is there at once."""

    def __init__(self, store: DirectoryStore, key: Callable[[int], str]) -> None:
        """`key` gives a chunk's key."""
        self._store, self._key = store, key
        self._chunk = self._size = 0

    def write(self, line: bytes) -> None:
        """Take a line."""
        if self._size and self._size + len(line) > CHUNK:
            self._chunk, self._size = self._chunk + 1, 0
        self._size += len(line)
        self._store.append(self._key(self._chunk), line)
