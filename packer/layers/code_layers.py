"""Snapshots → image layers, so that a small change makes one small layer anew.

Entries are spread over layers by what they are alone: large files over two, the others over one or
six, by a hash of the path. A layer is remembered by the records of its entries, and all layers of a
tree together by its listing.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from packer.digest import Digest
from packer.images.layout import Layout
from packer.layers.layer import LAYOUT_VERSION, Layer, LayerWriter
from packer.layers.layer_memory import LayerMemory
from packer.progress import SILENT, Progress
from packer.project import listing
from packer.project.listing import Entry
from packer.project.snapshot import Snapshot
from packer.project.tree_errors import FileUnreadable, TreeChanged
from packer.record import Record, encode

LARGE = 1 << 20
"""Bytes: from here on a file counts as data, which changes seldom and for itself."""

SMALL_TREE = 512 * 1024
"""Bytes of small files, headers included, that go into a single layer."""

_SMALL_LAYERS, _LARGE_LAYERS = 6, 2
_OVERHEAD = 1024
"""Bytes that an entry takes in an archive besides its content: header and padding."""

_CHUNK = 1 << 20
_SHA256 = 64


class Tree(Record, frozen=True):
    """A snapshot, where its files are on this machine, and where they go."""

    snapshot: Snapshot
    source: Path
    target: str
    """An absolute in-image path: `image_paths.WORKSPACE`, or below `image_paths.EDITABLE`."""


class Bucket(Record, frozen=True):
    """The entries of one layer."""

    records: tuple[tuple[int, bytes], ...]
    """The number of the tree, and the record of its listing; in the order of in-image paths."""

    size: int = 0
    """Bytes of all files together."""

    @property
    def digest(self) -> Digest:
        """Of the records."""
        return Digest.of(b"\0".join([b"%d %s" % part for part in self.records]))


def plan(trees: Sequence[tuple[str, bytes]]) -> tuple[Bucket, ...]:
    """Which entries share a layer: a pure function of the trees' targets and listings.

    At most eight layers, none of them empty.
    """
    small: list[list[tuple[int, bytes]]] = [[] for _ in range(_SMALL_LAYERS)]
    large: list[list[tuple[int, bytes]]] = [[] for _ in range(_LARGE_LAYERS)]
    small_sizes, large_sizes, entries = [0] * _SMALL_LAYERS, [0] * _LARGE_LAYERS, 0
    for number, (target, canonical) in enumerate(trees):
        start = zlib.crc32(target.encode())
        for record in listing.records(canonical):
            kind, size, rest = record.split(b" ", 2)
            length = int(size)
            path = rest[length if kind == b"l" else 0 if kind == b"d" else _SHA256 :]
            spread = zlib.crc32(path, start)
            if length >= LARGE:
                large[spread % _LARGE_LAYERS].append((number, record))
                large_sizes[spread % _LARGE_LAYERS] += length
            else:
                small[spread % _SMALL_LAYERS].append((number, record))
                small_sizes[spread % _SMALL_LAYERS] += length
                entries += 1
    if sum(small_sizes) + entries * _OVERHEAD <= SMALL_TREE:
        small = [sorted(itertools.chain(*small), key=_place)]
        small_sizes = [sum(small_sizes)]
    parts = zip((*small, *large), (*small_sizes, *large_sizes), strict=True)
    return tuple(Bucket(records=tuple(records), size=size) for records, size in parts if records)


def build(
    trees: Sequence[Tree], layout: Layout, memory: Path, progress: Progress = SILENT
) -> tuple[Layer, ...]:
    """The layers of the trees, all of them in `layout`. `memory` is a directory.

    Raises:
        TreeChanged: a file is no longer what the snapshot has.
        FileUnreadable, DiskFull
    """
    known = LayerMemory(memory, layout)
    whole = _key([[tree.target, tree.snapshot.digest] for tree in trees])
    layers = known.recall_all(whole)
    if layers is None:
        plans = plan([(tree.target, tree.snapshot.listing) for tree in trees])
        buckets = {_key([[tree.target for tree in trees], each.digest]): each for each in plans}
        found = {key: known.recall(key) for key in buckets}
        missing = {key: buckets[key] for key, layer in found.items() if layer is None}
        writer = _Writer(trees, layout, progress)
        for key, layer in writer.layers(missing):
            known.remember(key, layer)
            found[key] = layer
        layers = tuple(layer for layer in found.values() if layer)
        known.remember_all(whole, layers)
    return layers


class _Writer:
    """Writes layers into the layout."""

    def __init__(self, trees: Sequence[Tree], layout: Layout, progress: Progress) -> None:
        self._trees, self._layout, self._progress = trees, layout, progress

    def layers(self, buckets: Mapping[Digest, Bucket]) -> Iterator[tuple[Digest, Layer]]:
        """A layer with the entries of each bucket, as it gets ready."""
        self._progress.start("code", sum(bucket.size for bucket in buckets.values()))
        for key, bucket in buckets.items():
            yield key, self._layer(bucket)
        self._progress.done(f"{len(buckets)} layers")

    def _layer(self, bucket: Bucket) -> Layer:
        with self._layout.blob() as blob:
            writer = LayerWriter(blob)
            for number, record in bucket.records:
                self._entry(writer, self._trees[number], listing.entry(record))
            layer = writer.finish()
            blob.commit(layer.digest)
        return layer

    def _entry(self, writer: LayerWriter, tree: Tree, entry: Entry) -> None:
        path = f"{tree.target[1:]}/{entry.path}"
        if entry.kind == "symlink":
            writer.symlink(path, entry.target)
        elif entry.kind == "directory":
            writer.directory(path)
        else:
            executable = entry.kind == "executable"
            writer.stored(path, entry.size, _pieces(tree.source, entry), executable=executable)
            self._progress.advance(entry.size)


def _pieces(source: Path, entry: Entry) -> Iterator[bytes]:
    """The file's content in pieces; at their end it is known to be what the snapshot has."""
    sha256, size = hashlib.sha256(), 0
    try:
        descriptor = os.open(f"{source}/{entry.path}", os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise TreeChanged(_shown(entry)) from error
    except OSError as error:
        raise FileUnreadable(_shown(entry), error.strerror or "") from error
    try:
        while size < entry.size and (piece := os.read(descriptor, _CHUNK)):
            sha256.update(piece)
            size += len(piece)
            yield piece
    finally:
        os.close(descriptor)
    if sha256.hexdigest() != entry.sha256:
        raise TreeChanged(_shown(entry))


def _shown(entry: Entry) -> str:
    return listing.shown(os.fsencode(entry.path))


def _place(part: tuple[int, bytes]) -> tuple[int, bytes]:
    """Where an entry stands among those of all trees."""
    number, record = part
    return number, os.fsencode(listing.entry(record).path)


def _key(facts: object) -> Digest:
    return Digest.of(encode(["code", LAYOUT_VERSION, facts]))
