"""The files of an image's layers, written below a folder of this machine.

Layers from a registry are somebody's data: only files, folders and links that stay below the
folder are written, nothing is written through a link, and of one path the topmost layer's wins.
"""

from __future__ import annotations

import os
import stat
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import IO

from packer.images.descriptor import Descriptor
from packer.images.shelf import Shelf
from packer.layers.confinement import inside, leads_out
from packer.layers.layer import Layer
from packer.progress import Progress
from packer.reproduction.errors import RecordDamaged

_PIECE = 1 << 20
_IN_MEMORY = 8 << 20

Wanted = Callable[[str], str | None]
"""In-image path without its first slash → path below the folder; None for what is not wanted."""


def unpack(
    layers: Iterable[Layer], shelf: Shelf, folder: Path, wanted: Wanted, progress: Progress
) -> list[list[str]]:
    """Write what is wanted of `layers`, the lowest first; for each, the in-image paths it has.

    Raises:
        RecordDamaged: a layer is no archive, or holds what must not be written.
        As `Shelf`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return [_unpack(layer, shelf, folder, wanted, progress) for layer in layers]


def _unpack(
    layer: Layer, shelf: Shelf, folder: Path, wanted: Wanted, progress: Progress
) -> list[str]:
    seen: list[str] = []
    with _plain(layer, shelf, progress) as plain:
        try:
            with tarfile.open(
                fileobj=plain, mode="r|", encoding="utf-8", errors="surrogateescape"
            ) as archive:
                for member in archive:
                    path = _checked(member.name)
                    seen.append(path)
                    target = wanted(path)
                    if target is not None:
                        _write(archive, member, folder, _checked(target))
        except (OSError, EOFError, tarfile.TarError) as error:
            raise RecordDamaged(f"the layer {layer.digest}", str(error)) from error
    return seen


@contextmanager
def _plain(layer: Layer, shelf: Shelf, progress: Progress) -> Iterator[IO[bytes]]:
    """The tar of a layer, after all of its blob was verified."""
    igzip = import_module("isal.igzip")
    blob = Descriptor(digest=layer.digest, size=layer.size, media_type=layer.media_type)
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as stream:
        for piece in shelf.blob(blob):
            stream.write(piece)
            progress.advance(len(piece))
        stream.seek(0)
        with igzip.IGzipFile(fileobj=stream, mode="rb") as plain:
            yield plain


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path, path: str) -> None:
    full = folder / path
    if member.isdir():
        _folder(folder, path)
        return
    _folder(folder, path.rpartition("/")[0])
    if full.is_symlink() or full.is_file():
        full.unlink()
    if member.issym():
        _check_link(path, member.linkname)
        full.symlink_to(member.linkname)
    elif member.isreg():
        source = archive.extractfile(member)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        mode = 0o755 if member.mode & stat.S_IXUSR else 0o644
        with os.fdopen(os.open(full, flags, mode), "wb") as stream:
            while source and (piece := source.read(_PIECE)):
                stream.write(piece)
    else:
        raise RecordDamaged(path, f"it is of the kind {member.type.decode('latin-1')!r}")


def _folder(folder: Path, path: str) -> None:
    """A directory below `folder`, and those above it; never one beyond a link."""
    at = folder
    for part in filter(None, path.split("/")):
        at /= part
        try:
            at.mkdir()
        except FileExistsError:
            if not stat.S_ISDIR(at.lstat().st_mode):
                raise RecordDamaged(path, f"{part} is in the way, and no folder") from None


def _checked(name: str) -> str:
    path = inside(name)
    if path is None:
        raise RecordDamaged(name, "it would leave the folder")
    return path


def _check_link(path: str, target: str) -> None:
    if leads_out(path, target):
        raise RecordDamaged(path, f"it is a link out of the folder, to {target!r}")
