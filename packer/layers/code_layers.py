"""Snapshots → image layers, so that a small change makes one small layer anew.

Entries are spread over layers by what they are alone: large files over two, the others by a hash of
the path, over one to twenty-four as their size asks for. A layer is remembered by the records of
its entries, and of every place in one file what was made of it last.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from packer.digest import Digest
from packer.images.layout import Layout
from packer.layers.layer import LAYOUT_VERSION, Layer, LayerWriter
from packer.layers.layer_memory import LayerMemory, LayerSet
from packer.layers.shared_layers import NOTHING_SHARED, SharedLayers
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

_STEPS = ((SMALL_TREE, 1), (8 << 20, 6), (16 << 20, 12), (float("inf"), 24))
"""Bytes of small files, headers included, and how many layers up to so many are spread over."""

_LARGE_LAYERS = 2
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

    At most twenty-six layers, none of them empty.
    """
    small: list[tuple[int, int, tuple[int, bytes]]] = []
    large: list[tuple[int, int, tuple[int, bytes]]] = []
    for number, (target, canonical) in enumerate(trees):
        start = zlib.crc32(target.encode())
        for record in listing.records(canonical):
            kind, size, rest = record.split(b" ", 2)
            length = int(size)
            path = rest[length if kind == b"l" else 0 if kind == b"d" else _SHA256 :]
            part = zlib.crc32(path, start), length, (number, record)
            (large if length >= LARGE else small).append(part)
    total = sum(length for _, length, _ in small) + len(small) * _OVERHEAD
    count = next(layers for size, layers in _STEPS if total <= size)
    return (*_spread(small, count), *_spread(large, _LARGE_LAYERS))


def _spread(parts: Iterable[tuple[int, int, tuple[int, bytes]]], count: int) -> Iterator[Bucket]:
    """Buckets, at most `count`, of (hash, bytes, record); each keeps the order of its records."""
    records: list[list[tuple[int, bytes]]] = [[] for _ in range(count)]
    sizes = [0] * count
    for spread, length, record in parts:
        records[spread % count].append(record)
        sizes[spread % count] += length
    for some, size in zip(records, sizes, strict=True):
        if some:
            yield Bucket(records=tuple(some), size=size)


def build(
    trees: Sequence[Tree],
    layout: Layout,
    memory: Path,
    progress: Progress = SILENT,
    shared: SharedLayers = NOTHING_SHARED,
) -> tuple[Layer, ...]:
    """The layers of the trees, all of them in `layout`. `memory` is a directory.

    What is made is told to `shared`, which may send it on while other things are done.

    Raises:
        TreeChanged: a file is no longer what the snapshot has.
        FileUnreadable, DiskFull
    """
    known = LayerMemory(memory, layout)
    place = _key([[tree.target, os.fspath(tree.source)] for tree in trees])
    whole = _key([[tree.target, tree.snapshot.digest] for tree in trees])
    last = known.recall_set(place)
    there = {key: layer for key, layer in last.parts if known.has(layer)} if last else {}
    if last and last.of == whole and len(there) == len(last.parts):
        return tuple(there.values())
    targets = [tree.target for tree in trees]
    plans = plan([(tree.target, tree.snapshot.listing) for tree in trees])
    buckets = {_key([targets, each.digest]): each for each in plans}
    found = {key: there.get(key) or known.recall(key) for key in buckets}
    missing = {key: buckets[key] for key, layer in found.items() if layer is None}
    writer = _Writer(trees, layout, progress)
    for key, layer in writer.layers(missing):
        known.remember(key, layer)
        shared.ahead(layer.descriptor)
        found[key] = layer
    parts = tuple((key, layer) for key, layer in found.items() if layer)
    known.remember(place, LayerSet(of=whole, parts=parts))
    return tuple(layer for _, layer in parts)


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


def _key(facts: object) -> Digest:
    return Digest.of(encode(["code", LAYOUT_VERSION, facts]))
