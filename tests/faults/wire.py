"""HTTP/1.1 as the proxy sees it: heads that are parsed, bodies that pass through in pieces.

Bodies are handed on with their framing (RFC 9112, section 6), so what arrives is what was sent.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

_CHUNK = 1 << 17
_LONGEST_HEAD = 1 << 18


class Ended(ConnectionError):
    """The other side closed the connection."""


@dataclass(frozen=True)
class Head:
    """A request's or an answer's first line and headers."""

    start: str
    headers: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        """The header's value, empty where there is none."""
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(found)

    def without(self, name: str) -> Head:
        kept = [(key, value) for key, value in self.headers if key.lower() != name.lower()]
        return Head(self.start, tuple(kept))

    def __bytes__(self) -> bytes:
        lines = [self.start, *(f"{key}: {value}" for key, value in self.headers)]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class Reader:
    """Reads heads and bodies from one end of a connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = bytearray()

    def head(self) -> Head:
        """The next head.

        Raises:
            Ended: the connection closed before it was whole.
        """
        while b"\r\n\r\n" not in self._buffer:
            if len(self._buffer) > _LONGEST_HEAD:
                raise Ended("a head without an end")
            self._more()
        text, _, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        self._buffer = bytearray(rest)
        start, *lines = text.decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        return Head(start, tuple((key, value.strip()) for key, _, value in pairs))

    def body(self, head: Head, *, to_the_end: bool = False) -> Iterator[tuple[bytes, int]]:
        """Pieces of the body as they lie on the wire, and how many bytes of content each has.

        A body without a length is empty, or, with `to_the_end`, all until the connection closes.
        """
        if "chunked" in head.get("Transfer-Encoding").lower():
            yield from self._chunks()
        elif head.get("Content-Length"):
            yield from (
                (piece, len(piece)) for piece in self._exactly(int(head.get("Content-Length")))
            )
        elif to_the_end:
            yield from ((piece, len(piece)) for piece in self.rest())

    def rest(self) -> Iterator[bytes]:
        """Everything until the connection closes."""
        while True:
            try:
                yield self._take(_CHUNK)
            except Ended:
                return

    def _chunks(self) -> Iterator[tuple[bytes, int]]:
        while True:
            line = self._line()
            yield line, 0
            size = int(line.split(b";")[0], 16)
            if not size:
                while (trailer := self._line()) != b"\r\n":
                    yield trailer, 0
                yield trailer, 0
                return
            yield from ((piece, len(piece)) for piece in self._exactly(size))
            yield self._line(), 0

    def _exactly(self, size: int) -> Iterator[bytes]:
        while size:
            piece = self._take(min(size, _CHUNK))
            size -= len(piece)
            yield piece

    def _line(self) -> bytes:
        while b"\n" not in self._buffer:
            self._more()
        end = self._buffer.index(b"\n") + 1
        return self._take(end)

    def _take(self, most: int) -> bytes:
        if not self._buffer:
            self._more()
        piece = bytes(self._buffer[:most])
        del self._buffer[: len(piece)]
        return piece

    def _more(self) -> None:
        data = self._connection.recv(_CHUNK)
        if not data:
            raise Ended("the connection was closed")
        self._buffer += data


def has_no_body(method: str, status: int) -> bool:
    """Whether an answer ends with its head, whatever the head says (RFC 9112, section 6.3)."""
    return method == "HEAD" or status in (204, 304) or 100 <= status < 200


def close(connection: socket.socket) -> None:
    """End a connection that another thread may be waiting on."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
