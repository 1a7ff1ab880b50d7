"""The store as a directory: the few calls that an object store has too.

A key appears whole or not at all, except for one that is appended to.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

_INCOMING = ".incoming"


class Exists(Exception):
    """The key is there already (S3: 412 on `If-None-Match: *`)."""


class Missing(Exception):
    """There is no such key."""


class Upload:
    """A value written piece by piece; it is there after `commit`, and not before."""

    def __init__(self, temporary: str, path: str) -> None:
        self._temporary, self._path = temporary, path
        self._stream = open(temporary, "wb", buffering=0)  # noqa: SIM115 (closed by commit or abandon)

    def write(self, data: bytes) -> None:
        """Take the next bytes.

        Raises:
            OSError: among others, no room.
        """
        view = memoryview(data)
        while view:
            view = view[self._stream.write(view) :]

    def commit(self) -> None:
        """Give the value its key, replacing what was there."""
        self._stream.close()
        os.rename(self._temporary, self._path)

    def abandon(self) -> None:
        """Leave nothing behind."""
        self._stream.close()
        if os.path.exists(self._temporary):
            os.unlink(self._temporary)


class DirectoryStore:
    """Keys are paths below `root`, "/"-separated. Any number of processes may use it at once."""

    def __init__(self, root: str) -> None:
        self.root = root

    def put_new(self, key: str, data: bytes) -> None:
        """Store `data` unless the key exists.

        Raises:
            Exists: it does; nothing is changed.
        """
        temporary, path = self._temporary(data), self._path(key)
        try:
            self._beside(path)
            os.link(temporary, path)
        except FileExistsError:
            raise Exists(key) from None
        finally:
            os.unlink(temporary)

    def put(self, key: str, data: bytes) -> None:
        """Store `data`, replacing what was there."""
        temporary, path = self._temporary(data), self._path(key)
        self._beside(path)
        os.rename(temporary, path)

    def append(self, key: str, data: bytes) -> None:
        """Add to the end of a value; a reader may see a part of `data`."""
        path = self._path(key)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        try:
            descriptor = os.open(path, flags, 0o666)
        except FileNotFoundError:
            self._beside(path)
            descriptor = os.open(path, flags, 0o666)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
        finally:
            os.close(descriptor)

    def upload(self, key: str) -> Upload:
        """Store a value too large for memory."""
        path = self._path(key)
        self._beside(path)
        return Upload(self._incoming(), path)

    def get(self, key: str, start: int = 0) -> bytes:
        """The value from byte `start` on.

        Raises:
            Missing
        """
        with self.open(key) as stream:
            if start:
                stream.seek(start)
            return stream.read()

    def open(self, key: str) -> BinaryIO:
        """The value as a stream.

        Raises:
            Missing
        """
        try:
            return open(self._path(key), "rb")
        except (FileNotFoundError, NotADirectoryError):
            raise Missing(key) from None

    def has(self, key: str) -> bool:
        """Whether the key exists."""
        return os.path.exists(self._path(key))

    def names(self, prefix: str) -> list[str]:
        """What follows `prefix`, up to the next "/", sorted. `prefix` ends in "/"."""
        try:
            return sorted(os.listdir(self._path(prefix)))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def list(self, prefix: str) -> Iterator[str]:
        """All keys that start with `prefix`, which ends in "/"."""
        for name in self.names(prefix):
            if os.path.isdir(self._path(prefix + name)):
                yield from self.list(f"{prefix}{name}/")
            else:
                yield prefix + name

    def _path(self, key: str) -> str:
        if key.startswith("/") or ".." in key.split("/") or "\0" in key:
            raise ValueError(f"not a key: {key!r}")
        return f"{self.root}/{key}"

    def _beside(self, path: str) -> None:
        os.makedirs(os.path.dirname(path), exist_ok=True)

    def _temporary(self, data: bytes) -> str:
        upload = Upload(path := self._incoming(), path)
        try:
            upload.write(data)
            upload.commit()
        except BaseException:
            upload.abandon()
            raise
        return path

    def _incoming(self) -> str:
        folder = f"{self.root}/{_INCOMING}"
        os.makedirs(folder, exist_ok=True)
        return f"{folder}/{os.getpid()}-{os.urandom(6).hex()}"
