"""The command's output, kept in the store while it runs."""

from __future__ import annotations

import codecs
import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .keys import RunKeys
    from .store import DirectoryStore

_CHUNK = 4 << 20
_TAIL = 64 << 10


class Log:
    """Writes chunks of JSON lines `[seconds, "out" or "err", text]`.

    Seconds count from the command's start. Bytes that are not UTF-8 become lone surrogates
    (PEP 383), so that nothing is lost. A store that fails does not disturb the command:
    `problem` then says what is missing.
    """

    def __init__(
        self, store: DirectoryStore, keys: RunKeys, index: int, attempt: int, limit: int
    ) -> None:
        self._store, self._keys, self._index, self._attempt = store, keys, index, attempt
        self._left = limit
        self._limit = limit
        self._chunk = 0
        self._size = 0
        decoder = codecs.getincrementaldecoder("utf-8")
        self._decoders = {stream: decoder("surrogateescape") for stream in ("out", "err")}
        self._tails = {"out": "", "err": ""}
        self.problem = ""
        """Why the log in the store is not whole; empty where it is."""
        self.cut = ""
        """That the log went over its limit; empty where it did not."""

    def write(self, stream: str, data: bytes, seconds: float, *, last: bool = False) -> None:
        """Keep the next bytes of a stream; `last` ends it."""
        text = self._decoders[stream].decode(data, last)
        if not text:
            return
        self._tails[stream] = (self._tails[stream] + text)[-_TAIL:]
        line = json.dumps([round(seconds, 3), stream, text]).encode() + b"\n"
        self._left -= len(line)
        if self._left < 0:
            self.cut = f"only the first {self._limit / 1e6:.0f} MB of the log were kept"
        elif not self.problem:
            self._append(line)

    def tail(self, stream: str) -> str:
        """The last 64 thousand characters of a stream."""
        return self._tails[stream]

    def _append(self, line: bytes) -> None:
        if self._size and self._size + len(line) > _CHUNK:
            self._chunk, self._size = self._chunk + 1, 0
        self._size += len(line)
        try:
            self._store.append(self._keys.log(self._index, self._attempt, self._chunk), line)
        except OSError as error:
            self.problem = f"the log could not be stored: {error}"
