"""The store as a directory: the few calls that an object store (`s3_store`) has too.

A key appears whole or not at all, except for one that is appended to.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO, TypeVar

    T = TypeVar("T")

_INCOMING = ".incoming"


class Exists(Exception):
    """The key is there already (S3: 412 on `If-None-Match: *`)."""


class Missing(Exception):
    """There is no such key."""


class Upload:
    """A value written piece by piece; it is there after `commit`, and not before."""

    piece = 1 << 20
    """Bytes that are best written at once."""

    def __init__(self, temporary: str, path: str) -> None:
        self._temporary, self._path = temporary, path
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._descriptor = _in_folder(temporary, os.open, temporary, flags, 0o666)

    def write(self, data: bytes) -> None:
        """Take the next bytes.

        Raises:
            OSError: among others, no room.
        """
        _write(self._descriptor, data)

    def commit(self) -> None:
        """Give the value its key, replacing what was there."""
        self._close()
        _in_folder(self._path, os.rename, self._temporary, self._path)

    def leave(self) -> None:
        """Leave nothing behind: what can be resumed far away is begun anew here."""
        self.abandon()

    def abandon(self) -> None:
        """Leave nothing behind."""
        self._close()
        if os.path.exists(self._temporary):
            os.unlink(self._temporary)

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class DirectoryStore:
    """Keys are paths below `root`, "/"-separated. Any number of processes may use it at once.

    Raises:
        OSError: from every call.
    """

    appends = True
    """Whether there is `append`."""
    parallel = 1
    """Calls that are best made at once."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._incoming = f"{root}/{_INCOMING}"

    def put_new(self, key: str, data: bytes) -> None:
        """Store `data` unless the key exists.

        Raises:
            Exists: it does; nothing is changed.
        """
        temporary, path = self._temporary(data), self.path(key)
        try:
            _in_folder(path, os.link, temporary, path)
        except FileExistsError:
            raise Exists(key) from None
        finally:
            os.unlink(temporary)

    def put(self, key: str, data: bytes) -> None:
        """Store `data`, replacing what was there."""
        upload = self.upload(key)
        try:
            upload.write(data)
            upload.commit()
        except BaseException:
            upload.abandon()
            raise

    def append(self, key: str, data: bytes) -> None:
        """Add to the end of a value; a reader may see a part of `data`."""
        path = self.path(key)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        descriptor = _in_folder(path, os.open, path, flags, 0o666)
        try:
            _write(descriptor, data)
        finally:
            os.close(descriptor)

    def give_up_at(self, moment: float | None) -> None:
        """For stores that are far away: a directory answers at once."""

    def bear(self, span: float | None) -> None:
        """For stores that are far away, as well."""

    def upload(self, key: str, size: int = 0, *, resumed: bool = False) -> Upload:  # noqa: ARG002
        """Store a value too large for memory.

        `size` and `resumed` matter to stores that are far away.
        """
        temporary = f"{self._incoming}/{os.getpid()}-{os.urandom(6).hex()}"
        return Upload(temporary, self.path(key))

    def get(self, key: str, start: int = 0) -> bytes:
        """The value from byte `start` on.

        Raises:
            Missing
        """
        with self.open(key, start) as stream:
            return stream.read()

    def open(self, key: str, start: int = 0) -> BinaryIO:
        """The value from byte `start` on, as a stream.

        Raises:
            Missing
        """
        try:
            stream = open(self.path(key), "rb")  # noqa: SIM115 (the caller closes it)
        except (FileNotFoundError, NotADirectoryError):
            raise Missing(key) from None
        if start:
            stream.seek(start)
        return stream

    def has(self, key: str) -> bool:
        """Whether the key exists."""
        return os.path.exists(self.path(key))

    def size(self, key: str) -> int | None:
        """How many bytes the value has; None where there is no such key."""
        try:
            return os.stat(self.path(key)).st_size
        except (FileNotFoundError, NotADirectoryError):
            return None

    def names(
        self, prefix: str, *, begin: str = "", after: str = "", most: int | None = None
    ) -> list[str]:
        """What follows `prefix`, up to the next "/", sorted. `prefix` ends in "/".

        Only what begins with `begin`, and comes after `after`; `most` of it at most.
        """
        try:
            found = sorted(os.listdir(self.path(prefix)))
        except (FileNotFoundError, NotADirectoryError):
            return []
        return [name for name in found if name.startswith(begin) and name > after][:most]

    def list(self, prefix: str) -> Iterator[str]:
        """All keys that start with `prefix`, which ends in "/"."""
        for name in self.names(prefix):
            if os.path.isdir(self.path(prefix + name)):
                yield from self.list(f"{prefix}{name}/")
            else:
                yield prefix + name

    def path(self, key: str) -> str:
        """The file that holds the value of a key, where there is one."""
        if key.startswith("/") or ".." in key.split("/") or "\0" in key:
            raise ValueError(f"not a key: {key!r}")
        return f"{self.root}/{key}"

    def _temporary(self, data: bytes) -> str:
        """A file of its own with this content."""
        path = f"{self._incoming}/{os.getpid()}-{os.urandom(6).hex()}"
        upload = Upload(path, path)
        try:
            upload.write(data)
        except BaseException:
            upload.abandon()
            raise
        upload.commit()
        return path


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _in_folder(path: str, call: Callable[..., T], *arguments: object) -> T:
    """Do something that makes `path`, and its folder only where that turns out to be missing."""
    try:
        return call(*arguments)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return call(*arguments)


if TYPE_CHECKING:
    from typing import TypeAlias

    from .s3_store import S3Store

    Store: TypeAlias = DirectoryStore | S3Store
