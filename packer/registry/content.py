"""Where the bytes of a blob come from that goes to a registry."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from packer.digest import Digest
from packer.images.descriptor import Descriptor
from packer.registry.client import Client

_PIECE = 1 << 18


class Content(Protocol):
    """Where a blob's bytes come from, any part of them and as often as needed."""

    @property
    def blob(self) -> Descriptor:
        """What it is."""

    def span(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes from `start` to `end`."""

    def check(self) -> None:
        """Raise an error if the bytes are not those that the digest names."""


class FileContent:
    """A blob in a file."""

    def __init__(self, blob: Descriptor, path: Path, check: Callable[[Digest], object]) -> None:
        self.blob, self._path, self._check = blob, path, check

    def span(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes from `start` to `end`."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            self.check()
            raise
        try:
            while start < end and (piece := os.pread(descriptor, min(_PIECE, end - start), start)):
                start += len(piece)
                yield piece
        finally:
            os.close(descriptor)

    def check(self) -> None:
        """Raise an error if the file was altered."""
        self._check(self.blob.digest)


class RemoteContent:
    """A blob in another repository."""

    def __init__(self, blob: Descriptor, client: Client) -> None:
        self.blob, self._client = blob, client

    def span(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes from `start` to `end`."""
        return self._client.span(self.blob, start, end)

    def check(self) -> None:
        """Raise an error if the other registry gives altered bytes."""
        for _ in self._client.blob(self.blob):
            pass


class BytesContent:
    """A blob in memory."""

    def __init__(self, data: bytes, media_type: str) -> None:
        self.blob = Descriptor(digest=Digest.of(data), size=len(data), media_type=media_type)
        self._data = data

    def span(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes from `start` to `end`."""
        yield self._data[start:end]

    def check(self) -> None:
        """Nothing alters them."""
