"""Answers that go on: watches and logs, line by line as they come."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import urllib3

_CHUNK = 1 << 16


class StreamCut(Exception):
    """The answer ended in the middle, or fell silent."""


class Stream:
    """The lines of an answer."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        """Whole lines, without their end; what follows the last one is no line.

        Raises:
            StreamCut
        """
        from urllib3.exceptions import HTTPError

        rest = b""
        while True:
            try:
                data = self._response.read1(_CHUNK)
            except (HTTPError, OSError, ValueError, AttributeError) as error:
                # The last two: it was closed by another thread while it was read.
                raise StreamCut(str(error)) from error
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            yield from lines

    def close(self) -> None:
        """End it, also for another thread that reads it."""
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            self._response.shutdown()
        self._response.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
