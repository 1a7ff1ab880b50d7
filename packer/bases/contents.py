"""What is in an image of a layout: its manifest and config, and the entries of its layers."""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import IO, Any, NamedTuple

from packer.digest import Digest
from packer.errors import LayoutDamaged
from packer.images.layout import Layout
from packer.record import Record

_PIECE = 1 << 20


class ImageContents(Record, frozen=True):
    """An image, as its manifest and config tell it."""

    digest: Digest
    manifest: dict[str, Any]
    config: dict[str, Any]

    @property
    def layers(self) -> tuple[Digest, ...]:
        """The blobs of its layers, the lowest first."""
        return tuple(Digest(each["digest"]) for each in self.manifest["layers"])

    @property
    def diff_ids(self) -> tuple[str, ...]:
        """The digests of what is in them, uncompressed."""
        return tuple(self.config["rootfs"]["diff_ids"])

    @property
    def size(self) -> int:
        """Bytes of all layers as they are stored and sent."""
        return sum(each["size"] for each in self.manifest["layers"])

    @property
    def labels(self) -> dict[str, str]:
        """The labels of its config."""
        return (self.config.get("config") or {}).get("Labels") or {}


class LayerEntry(NamedTuple):
    """One entry of a layer, as far as two may differ."""

    kind: str
    mode: int
    owner: tuple[int, int]
    """Numeric user and group."""
    modified: int
    """Seconds since 1970."""
    target: str
    """Of a link."""
    content: str
    """Hex sha256 of a file; empty for anything else."""


def read(layout: Layout, digest: Digest) -> ImageContents:
    """The image that `digest` names.

    Raises:
        BlobMissing, BlobAltered
        LayoutDamaged: it is no image manifest.
    """
    data = layout.read(digest)
    try:
        manifest = json.loads(data)
        config = json.loads(layout.read(Digest(manifest["config"]["digest"])))
        found = ImageContents(digest=digest, manifest=manifest, config=config)
        alike = len(found.layers) == len(found.diff_ids)
    except (ValueError, KeyError, TypeError) as error:
        raise LayoutDamaged(str(layout.path(digest)), str(error)) from error
    if not alike:
        raise LayoutDamaged(str(layout.path(digest)), "layers and config disagree")
    return found


def entries(layout: Layout, layer: Digest) -> dict[str, LayerEntry]:
    """Path → entry of one layer. Paths are relative, without a slash at either end."""
    found = {}
    for member, stream in _members(layout, layer):
        found[member.name.strip("/").removeprefix("./")] = LayerEntry(
            kind=_KINDS.get(member.type, member.type.decode("latin-1")),
            mode=member.mode & 0o7777,
            owner=(member.uid, member.gid),
            modified=int(member.mtime),
            target=member.linkname,
            content=_hash(stream) if stream else "",
        )
    return found


def files(layout: Layout, image: ImageContents, wanted: Callable[[str], bool]) -> dict[str, bytes]:
    """The content of those regular files that are wanted by their path; the topmost layer wins."""
    found: dict[str, bytes] = {}
    for layer in image.layers:
        for member, stream in _members(layout, layer):
            path = member.name.strip("/").removeprefix("./")
            if stream and wanted(path):
                found[path] = stream.read()
    return found


_KINDS = {
    tarfile.REGTYPE: "file",
    tarfile.DIRTYPE: "directory",
    tarfile.SYMTYPE: "symbolic link",
    tarfile.LNKTYPE: "hard link",
}


def _members(layout: Layout, layer: Digest) -> Iterator[tuple[tarfile.TarInfo, IO[bytes] | None]]:
    igzip = import_module("isal.igzip")
    path = layout.path(layer)
    try:
        with (
            igzip.IGzipFile(str(path), "rb") as plain,
            tarfile.open(fileobj=plain, mode="r|") as archive,
        ):
            for member in archive:
                yield member, archive.extractfile(member) if member.isreg() else None
    except (OSError, EOFError, tarfile.TarError) as error:
        raise LayoutDamaged(str(path), str(error)) from error


def _hash(stream: IO[bytes]) -> str:
    hashed = hashlib.sha256()
    while piece := stream.read(_PIECE):
        hashed.update(piece)
    return hashed.hexdigest()
