"""Files of an environment on this machine: where they are, and what they hold."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from packer import disk
from packer.environment.sweep import Stamp, is_settled, stamp_of
from packer.errors import DistUnresolvable
from packer.progress import Progress
from packer.record import Record
from packer.wheels.errors import FileAltered

_CHUNK = 1 << 20
_NOWHERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
"""Of links that lead to nothing, or to themselves: Python overlooks them as well."""


class Root(Record, frozen=True):
    """A directory of this machine and what it is called below `image_paths.PREFIX`."""

    source: str
    path: str


class InstalledFile(Record, frozen=True):
    """One regular file (or link to one) as it is on the disk."""

    path: str
    """Below `image_paths.PREFIX`."""
    source: str
    size: int
    stamp: Stamp
    executable: bool
    sha256: str = ""
    """Hex; empty until it was read."""


class Tree:
    """The files below several roots, bytecode left out; what an earlier root has, wins."""

    def __init__(self, roots: Iterable[Root]) -> None:
        """Look at all of them.

        Raises:
            DistUnresolvable: a directory may not be read.
        """
        self.files: dict[str, InstalledFile] = {}
        """By path."""
        self.directories: dict[str, Stamp | None] = {}
        """Each directory of this machine that was listed, as it was before; None: not there."""
        for root in roots:
            self._scan(root.source, root.path, frozenset())

    def _scan(self, folder: str, path: str, above: frozenset[str]) -> None:
        # Links to directories are followed, but not in a circle.
        real = os.path.realpath(folder)
        if real in above:
            return
        try:
            status = os.stat(folder)  # noqa: PTH116 (a string, 10,000 times)
            with os.scandir(folder) as entries:
                found = list(entries)
        except (FileNotFoundError, NotADirectoryError):
            self.directories[folder] = None
            return
        except OSError as error:
            raise _unreadable(path, folder, error) from error
        self.directories[folder] = stamp_of(status)
        for entry in found:
            below = f"{path}/{entry.name}" if path else entry.name
            try:
                is_directory, looked = entry.is_dir(), None
                if not is_directory and entry.is_file():
                    looked = entry.stat()
            except OSError as error:
                if error.errno in _NOWHERE:
                    continue
                # Looking at what is no link takes nothing but leave to enter the directory.
                at_fault = entry.path if entry.is_symlink() else folder
                raise _unreadable(below, at_fault, error) from error
            if looked:
                self.files.setdefault(below, _found(below, entry.path, looked))
            elif is_directory and entry.name != "__pycache__":
                self._scan(entry.path, below, above | {real})


def look(source: str, path: str) -> InstalledFile | None:
    """One file; None where there is none."""
    try:
        status = Path(source).stat()
    except (OSError, ValueError):
        return None
    return _found(path, source, status)


def is_bytecode(path: str) -> bool:
    """Whether a file is made from its source at any time, and so is no content of its own."""
    return path.endswith((".pyc", ".pyo")) and "__pycache__/" in path


def _found(path: str, source: str, status: os.stat_result) -> InstalledFile:
    return InstalledFile(
        path=path,
        source=source,
        size=status.st_size,
        stamp=stamp_of(status),
        executable=bool(status.st_mode & 0o111),
    )


def _unreadable(path: str, source: str, error: OSError) -> DistUnresolvable:
    reason = error.strerror or str(error)
    remedy = f"chmod -R u+rX '{source}', or install its distribution anew"
    return DistUnresolvable(path, reason, source, remedy)


class Hashes:
    """sha256 of files, remembered by path, size, mtime and inode."""

    def __init__(self, memory: Path) -> None:
        self._memory = memory
        self._known = self._load()

    def of(self, files: Iterable[InstalledFile], progress: Progress) -> list[InstalledFile]:
        """`files` with their sha256, read where they are not known."""
        import time
        from concurrent.futures import ThreadPoolExecutor

        wanted = list(files)
        now = time.time_ns()
        fresh = [file for file in wanted if self._lookup(file) is None]
        if fresh:
            progress.start("reading installed files", sum(file.size for file in fresh))
            # Hashing and reading release the interpreter's lock; more threads only wait.
            with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
                read = list(pool.map(lambda file: _hash(file, progress), fresh))
            self._learn(zip(fresh, read, strict=True), now)
            progress.done(f"{len(fresh)} files")
            seen = dict(zip((file.source for file in fresh), read, strict=True))
        else:
            seen = {}
        return [
            msgspec.structs.replace(file, sha256=seen.get(file.source) or self._lookup(file) or "")
            for file in wanted
        ]

    def _lookup(self, file: InstalledFile) -> str | None:
        known = self._known.get(file.source)
        return known[-1] if known and tuple(known[:-1]) == file.stamp else None

    def _learn(self, read: Iterable[tuple[InstalledFile, str]], now: int) -> None:
        for file, sha256 in read:
            if is_settled(file.stamp, now):
                self._known[file.source] = [*file.stamp, sha256]
        disk.replace(self._memory, msgspec.json.encode(self._storable()))

    def _storable(self) -> Mapping[str, Any]:
        # Names that are not UTF-8 have no place in JSON; their files are read each time.
        return {path: fact for path, fact in self._known.items() if path.isprintable()}

    def _load(self) -> dict[str, list[Any]]:
        try:
            return msgspec.json.decode(self._memory.read_bytes(), type=dict[str, list[Any]])
        except (OSError, ValueError):
            return {}


def _hash(file: InstalledFile, progress: Progress) -> str:
    digest, read = hashlib.sha256(), 0
    try:
        with Path(file.source).open("rb", buffering=0) as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
                read += len(chunk)
    except OSError as error:
        raise _unreadable(file.path, file.source, error) from error
    if read != file.size:
        raise FileAltered(file.source)
    progress.advance(file.size)
    return digest.hexdigest()
