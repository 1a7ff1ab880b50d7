"""The source in a run image: the project's files, and those of editable installs beside it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from packer import image_paths
from packer.digest import Digest
from packer.images.shelf import Shelf
from packer.layers.code_layers import Tree
from packer.layers.layer import Layer
from packer.progress import SILENT, Progress
from packer.project import listing
from packer.project.snapshot import Snapshot
from packer.record import Record
from packer.reproduction import recorded
from packer.reproduction.recorded import RecordedImage
from packer.reproduction.unpacking import unpack

PROJECT, EDITABLE = "tree", "editable"
"""Folders below which they are written."""

_PLACES = {
    image_paths.WORKSPACE[1:]: PROJECT,
    image_paths.EDITABLE[1:]: EDITABLE,
}


class Source(Record, frozen=True):
    """What an image has above its environment, on this machine's disk."""

    project: Tree
    editables: tuple[Tree, ...]
    """Sorted by their place in the image."""
    runner: tuple[Layer, ...]
    """The layers of the runner and its libraries, as they are in the image."""
    environment: tuple[Layer, ...]
    """The layers below: base and environment."""


def read(image: RecordedImage, shelf: Shelf, folder: Path, progress: Progress = SILENT) -> Source:
    """Write the image's source below `folder`, and tell what it is.

    Raises:
        DigestUnknown: the environment image it was made upon is gone.
        RecordDamaged; and as `Shelf`.
    """
    environment = recorded.read_any(Digest(image.labels["environment"]), shelf).layers
    upper = image.layers[len(environment) :]
    (folder / PROJECT).mkdir(parents=True, exist_ok=True)
    progress.start("the source", sum(layer.size for layer in upper))
    paths = unpack(upper, shelf, folder, _wanted, progress)
    progress.done()
    runner = [
        layer
        for layer, found in zip(upper, paths, strict=True)
        if any(path.startswith(image_paths.RUNNER[1:] + "/") for path in found)
    ]
    editable = folder / EDITABLE
    names = sorted(each.name for each in editable.iterdir()) if editable.is_dir() else []
    return Source(
        project=_tree(folder / PROJECT, image_paths.WORKSPACE),
        editables=tuple(_tree(editable / name, f"{image_paths.EDITABLE}/{name}") for name in names),
        runner=tuple(runner),
        environment=environment,
    )


def _wanted(path: str) -> str | None:
    for place, name in _PLACES.items():
        if path == place or path.startswith(place + "/"):
            return name + path[len(place) :]
    return None


def _tree(folder: Path, target: str) -> Tree:
    """A folder as what was packed: all that is in it, whatever rules say."""
    return Tree(snapshot=_snapshot(folder), source=folder, target=target)


def _snapshot(folder: Path) -> Snapshot:
    heads: dict[bytes, bytes] = {}
    size = 0
    for path in _entries(folder):
        name = os.fsencode(path.relative_to(folder))
        if path.is_symlink():
            heads[name] = listing.link_head(os.fsencode(path.readlink()))
        elif path.is_dir():
            heads[name] = listing.DIRECTORY
        else:
            status = path.stat()
            size += status.st_size
            executable = bool(status.st_mode & stat.S_IXUSR)
            sha256 = Digest.of_file(path).hex
            heads[name] = listing.file_head(status.st_size, sha256, executable=executable)
    canonical = listing.join(heads)
    return Snapshot(digest=Digest.of(canonical), listing=canonical, files=len(heads), size=size)


def _entries(folder: Path) -> Iterator[Path]:
    """Every file and link, and every directory with nothing in it."""
    for path in folder.iterdir():
        if path.is_symlink() or not path.is_dir():
            yield path
        elif inner := list(_entries(path)):
            yield from inner
        else:
            yield path
