"""Reading a layer: gzip members, and in them a tar, as a stream with little memory.

It is strict on purpose. Entries are regular files, directories and symbolic links; names stay
below the folder; nothing is written twice or through a link. Anything else is refused.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from packer.layers.confinement import inside, leads_out
from packer.layers.tar import BLOCK

_PIECE = 1 << 17
_GZIP = 31
_REGULAR, _DIRECTORY, _SYMLINK = (b"0", b"\0"), b"5", b"2"
_LONG_NAME, _LONG_LINK, _PAX = b"L", b"K", b"x"
# Longest name that is believed; PATH_MAX is 4096.
_NAME_LIMIT = 1 << 16


class Refused(Exception):
    """An entry that must not be unpacked: its name and the reason."""

    def __init__(self, entry: str, reason: str) -> None:
        super().__init__(entry, reason)
        self.entry, self.reason = entry, reason


def inflate(stream: BinaryIO, seen: Callable[[bytes], object]) -> Iterator[bytes]:
    """The plain bytes of a sequence of gzip members; `seen` gets the compressed ones.

    Raises:
        Refused: it is no gzip, or cut short.
    """
    member = zlib.decompressobj(_GZIP)
    started = False
    try:
        while piece := stream.read(_PIECE):
            seen(piece)
            while piece:
                started = True
                plain = member.decompress(piece)
                if plain:
                    yield plain
                if not member.eof:
                    break
                piece = member.unused_data
                member, started = zlib.decompressobj(_GZIP), False
    except zlib.error as error:
        raise Refused("", f"is no gzip: {error}") from None
    if started:
        raise Refused("", "ends in the middle")


class _Source:
    """Exact numbers of bytes from an iterator of pieces."""

    def __init__(self, pieces: Iterator[bytes], seen: Callable[[bytes], object]) -> None:
        self._pieces, self._seen = pieces, seen
        self._buffer = memoryview(b"")

    def take(self, size: int) -> Iterator[memoryview]:
        while size:
            if not self._buffer:
                piece = next(self._pieces, None)
                if piece is None:
                    raise Refused("", "ends in the middle")
                self._seen(piece)
                self._buffer = memoryview(piece)
            part = self._buffer[:size]
            self._buffer = self._buffer[len(part) :]
            size -= len(part)
            yield part

    def read(self, size: int) -> bytes:
        first = self._buffer[:size]
        if len(first) == size:
            self._buffer = self._buffer[size:]
            return bytes(first)
        return b"".join(self.take(size))

    def drain(self) -> None:
        """Read to the end, so that all of it was seen."""
        for piece in self._pieces:
            self._seen(piece)


class _Entry(NamedTuple):
    name: str
    kind: bytes
    target: str
    size: int
    mode: int


class Unpacker:
    """Writes the entries of one tar below `root`, which is new and empty.

    Files get mode 0444 or 0555: they are shared by all that is put together from them.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self._folders = {""}

    def unpack(self, pieces: Iterator[bytes], seen: Callable[[bytes], object]) -> None:
        """Write everything; `seen` gets the bytes of the tar.

        Raises:
            Refused: an entry must not be unpacked, or the tar is malformed.
            OSError: the file system did not take it.
        """
        source = _Source(pieces, seen)
        long: dict[bytes, str] = {}
        while (header := source.read(BLOCK)) != bytes(BLOCK):
            kind = header[156:157]
            size = _number(header[124:136])
            _check(header)
            if kind in (_LONG_NAME, _LONG_LINK, _PAX):
                long.update(_extension(kind, _content(source, size)))
                continue
            name = long.get(_LONG_NAME) or _name(header)
            target = long.get(_LONG_LINK) or os.fsdecode(header[157:257].rstrip(b"\0"))
            long.clear()
            self._entry(_Entry(name, kind, target, size, _number(header[100:108])), source)
        source.drain()

    def _entry(self, entry: _Entry, source: _Source) -> None:
        path = _inside(entry.name)
        if entry.kind == _DIRECTORY:
            self._folder(path, entry.name)
            return
        if not path:
            raise Refused(entry.name, "has no name")
        self._folder(path.rpartition("/")[0], entry.name)
        full = f"{self._root}/{path}"
        try:
            if entry.kind in _REGULAR:
                self._file(full, source, entry.size, executable=bool(entry.mode & 0o111))
            elif entry.kind == _SYMLINK:
                _check_link(path, entry.target)
                os.symlink(entry.target, full)
            else:
                raise Refused(entry.name, f"is of the kind {entry.kind.decode('latin-1')!r}")
        except (FileExistsError, IsADirectoryError):
            raise Refused(entry.name, "comes twice") from None

    def _folder(self, path: str, name: str) -> None:
        if path in self._folders:
            return
        self._folder(path.rpartition("/")[0], name)
        try:
            os.mkdir(f"{self._root}/{path}", 0o755)
        except FileExistsError:
            # Only what this object made is in its set: the name is a file's or a link's.
            raise Refused(name, "is below something that is no folder") from None
        self._folders.add(path)

    def _file(self, path: str, source: _Source, size: int, *, executable: bool) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
        try:
            for piece in source.take(size):
                _write(descriptor, piece)
            # Independent of the umask.
            os.fchmod(descriptor, 0o555 if executable else 0o444)
        finally:
            os.close(descriptor)
        # The same time everywhere, as in a container made from these layers.
        os.utime(path, (0, 0))
        source.read(-size % BLOCK)


def _write(descriptor: int, data: memoryview) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _content(source: _Source, size: int) -> bytes:
    if size > _NAME_LIMIT:
        raise Refused("", "has a name too long to be one")
    data = source.read(size)
    source.read(-size % BLOCK)
    return data


def _extension(kind: bytes, data: bytes) -> dict[bytes, str]:
    if kind != _PAX:
        return {kind: os.fsdecode(data.rstrip(b"\0"))}
    names = {b"path": _LONG_NAME, b"linkpath": _LONG_LINK}
    found = {}
    while data:
        digits = data.partition(b" ")[0]
        length = int(digits) if digits.isdigit() else 0
        if not 0 < length <= len(data):
            raise Refused("", "has a malformed header: this is no tar")
        key, _, value = data[:length].partition(b" ")[2].partition(b"=")
        if key in names:
            found[names[key]] = os.fsdecode(value.rstrip(b"\n"))
        elif key == b"size":
            raise Refused("", "is larger than this reader takes")
        data = data[length:]
    return found


def _name(header: bytes) -> str:
    name = header[:100].rstrip(b"\0")
    prefix = header[345:500].rstrip(b"\0")
    return os.fsdecode(prefix + b"/" + name if prefix else name)


def _inside(name: str) -> str:
    path = inside(name)
    if path is None:
        raise Refused(name, "would leave the image's folder")
    return path


def _check_link(path: str, target: str) -> None:
    if leads_out(path, target):
        raise Refused(path, f"is a link out of the image's folder, to {target!r}")


def _number(field: bytes) -> int:
    if field[0] & 0x80:
        return int.from_bytes(field[1:], "big")
    try:
        return int(field.strip(b" \0") or b"0", 8)
    except ValueError:
        raise Refused("", "has a malformed header: this is no tar") from None


def _check(header: bytes) -> None:
    total = sum(header) - sum(header[148:156]) + 8 * 0x20
    if total != _number(header[148:156]):
        raise Refused("", "has a wrong checksum: this is no tar")
