"""Data from outside the project as this machine has it: read, and named by its sha256."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from dispatcher.input_errors import (
    InputChanged,
    InputDestinationInvalid,
    InputMissing,
    InputUnreadable,
)
from dispatcher.request import Data
from dispatcher.runner.data import TREE
from packer.image_paths import WORKSPACE
from packer.project import file_cache
from packer.project.file_cache import Directory, FileCache, Known
from packer.record import Record, encode

EXECUTABLE, PLAIN = 0o555, 0o444
"""The modes that files have where they are put."""


class SourceFile(Record, frozen=True):
    """One file to be sent."""

    source: Path
    path: str
    """Relative to its folder; empty where it is given by itself."""
    size: int
    sha256: str
    executable: bool


class Source(Record, frozen=True):
    """Something that was read, and what a request says of it."""

    data: Data
    files: tuple[SourceFile, ...]
    listing: bytes = b""
    """Of a folder."""


def read(source: Path, destination: str, cache: Path) -> Source:
    """Hash a file or folder; what is remembered in the directory `cache` is not read again.

    Links are followed. `destination` is relative to the working directory, or below /workspace.

    Raises:
        InputMissing, InputUnreadable, InputChanged, InputDestinationInvalid
    """
    path = _destination(destination)
    source = Path(os.path.abspath(source))  # noqa: PTH100 (a link is the user's own choice of name)
    reader = _Reader(FileCache(cache / "inputs", source))
    if source.is_dir():
        files = tuple(reader.folder(source))
        listing = _listing(files)
        sha256, size = hashlib.sha256(listing).hexdigest(), sum(file.size for file in files)
        data = Data(sha256=sha256, size=size, path=path, kind="tree")
    elif source.exists():
        files, listing = (reader.file(source, ""),), b""
        only = files[0]
        data = Data(sha256=only.sha256, size=only.size, path=path, executable=only.executable)
    else:
        raise InputMissing(str(source))
    reader.remember()
    return Source(data=data, files=files, listing=listing)


def given(source: Path, destination: str) -> Source:
    """A file that was made to be sent: it stays as it is until then, and is not remembered."""
    with source.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        size = os.fstat(stream.fileno()).st_size
    file = SourceFile(source=source, path="", size=size, sha256=digest, executable=False)
    data = Data(sha256=digest, size=size, path=_destination(destination))
    return Source(data=data, files=(file,))


class _Reader:
    """Reads files, or remembers what they held."""

    def __init__(self, cache: FileCache) -> None:
        self._cache = cache
        self._found: dict[bytes, dict[bytes, Known | str]] = {}

    def folder(self, root: Path) -> Iterator[SourceFile]:
        """Every file below a folder, in the order of paths."""
        found = [self.file(path, relative) for path, relative in _walk(root, "", ())]
        yield from sorted(found, key=lambda file: os.fsencode(file.path))

    def file(self, source: Path, path: str) -> SourceFile:
        """One file, verified to have stayed the same while it was read."""
        try:
            status = source.stat()
            if not stat.S_ISREG(status.st_mode):
                raise InputUnreadable(str(source), "it is neither a file nor a folder")
            known = self._known(source, status)
        except OSError as error:
            raise InputUnreadable(str(source), error.strerror or str(error)) from error
        folder, name = os.fsencode(source.parent), os.fsencode(source.name)
        self._found.setdefault(folder, {})[name] = known
        return SourceFile(
            source=source,
            path=path,
            size=status.st_size,
            sha256=known.head.decode(),
            executable=bool(status.st_mode & stat.S_IXUSR),
        )

    def remember(self) -> None:
        """Keep what was read for the next time."""
        self._cache.save({folder: Directory(b"", names) for folder, names in self._found.items()})

    def _known(self, source: Path, status: os.stat_result) -> Known:
        folder = self._cache.directories.get(os.fsencode(source.parent))
        known = folder.names.get(os.fsencode(source.name)) if folder else None
        if isinstance(known, Known) and known.matches(status):
            return known
        began = time.time_ns()
        with source.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            after = os.fstat(stream.fileno())
        if not file_cache.same(status, after):
            raise InputChanged(str(source))
        return file_cache.known(after, digest.encode(), began)


def _destination(text: str) -> str:
    path = PurePosixPath(text)
    if path.is_relative_to(WORKSPACE):
        path = path.relative_to(WORKSPACE)
    if path.is_absolute() or not path.parts or ".." in path.parts or "\0" in text:
        raise InputDestinationInvalid(text)
    return str(path)


def _listing(files: Sequence[SourceFile]) -> bytes:
    return encode(
        {
            "format": TREE,
            "files": [
                {
                    "path": file.path,
                    "size": file.size,
                    "sha256": file.sha256,
                    "mode": EXECUTABLE if file.executable else PLAIN,
                }
                for file in files
            ],
        }
    )


def _walk(root: Path, below: str, above: tuple[str, ...]) -> Iterator[tuple[Path, str]]:
    """Files below a folder and their paths in it; `above` are the real folders on the way."""
    real = os.path.realpath(root)
    if real in above:
        raise InputUnreadable(str(root), "it is a link to a folder that it is in")
    try:
        entries = sorted(os.scandir(root), key=lambda entry: entry.name)
    except OSError as error:
        raise InputUnreadable(str(root), error.strerror or str(error)) from error
    for entry in entries:
        path = f"{below}/{entry.name}" if below else entry.name
        if entry.is_dir():
            yield from _walk(Path(entry.path), path, (*above, real))
        else:
            yield Path(entry.path), path
