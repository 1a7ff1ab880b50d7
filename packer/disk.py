"""Files that appear whole or not at all, and what a full disk is called."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedWriter, FileIO
from pathlib import Path

from packer.errors import DiskFull

_BUFFER = 1 << 20
_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def room(what: str, where: Path) -> Iterator[None]:
    """Do something that writes `what` below `where`.

    Raises:
        DiskFull: the file system has no room, or a quota is used up.
    """
    try:
        yield
    except OSError as error:
        if not is_full(error):
            raise
        raise full(what, where) from error


def is_full(error: OSError) -> bool:
    """Whether the file system has no room, or a quota is used up."""
    return error.errno in _FULL


def full(what: str, where: Path) -> DiskFull:
    """The error that there is no room for `what` below `where`, which need not exist."""
    return DiskFull(what, str(where), free(where))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock that the file `path` stands for; other processes wait for it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


class Incoming:
    """A directory of files being written, on the file system where they will stay.

    Each is locked by its writer for as long as that lives, so that what a killed one left can be
    told from what another process is writing now.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._folder = str(root)

    @contextmanager
    def file(self) -> Iterator[tuple[BufferedWriter[FileIO], Path]]:
        """A new file and its name; the file goes unless it was renamed."""
        name, descriptor = self._create()
        path = Path(name)
        raw = FileIO(descriptor, "wb")
        stream = BufferedWriter(raw, _BUFFER)
        try:
            yield stream, path
            stream.close()
        finally:
            # After an error the buffer is not wanted, and writing it would fail again.
            raw.close()
            path.unlink(missing_ok=True)

    def put(self, data: bytes, path: str) -> None:
        """Make `data` the file `path`, in one step."""
        temporary, descriptor = self._create()
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
            os.rename(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
        finally:
            os.close(descriptor)

    def sweep(self) -> None:
        """Remove what killed writers left."""
        for path in self.root.iterdir():
            self._remove_if_left(path)

    def _create(self) -> tuple[str, int]:
        while True:
            path = f"{self._folder}/{os.getpid()}-{os.urandom(6).hex()}"
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # A sweep may have come between the two calls and taken the file for a left one.
            if os.fstat(descriptor).st_nlink:
                return path, descriptor
            os.close(descriptor)

    def _remove_if_left(self, path: Path) -> None:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)
        except BlockingIOError:
            pass
        finally:
            os.close(descriptor)


def replace(path: Path, data: bytes) -> None:
    """Make `data` the content of `path`; readers see the old content or the new, never a part.

    Raises:
        DiskFull: there is no room for it; the old content stays.
    """
    incoming = Incoming(path.parent / ".incoming")
    with room(path.name, path.parent):
        incoming.root.mkdir(parents=True, exist_ok=True)
        incoming.sweep()
        incoming.put(data, str(path))


def free(where: Path) -> int:
    """Bytes that may still be written below `where`, which need not exist."""
    while not where.exists():
        where = where.parent
    state = os.statvfs(where)
    return state.f_bavail * state.f_frsize
