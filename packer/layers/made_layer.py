"""A layer of a few files that are at hand as bytes."""

from __future__ import annotations

import os

from packer.digest import Digest
from packer.images.layout import Layout
from packer.layers.layer import LAYOUT_VERSION, Layer, LayerWriter
from packer.layers.layer_memory import LayerMemory
from packer.record import Record, encode


class Contents(Record, frozen=True):
    """What is in it, by absolute in-image paths."""

    files: dict[str, bytes] = {}
    """A file that begins with `#!` is executable."""
    links: dict[str, str] = {}
    """Symbolic links and what they name."""
    directories: tuple[str, ...] = ()
    """Those that may be empty."""
    open_directories: tuple[str, ...] = ()
    """Those that anyone may write to."""


def build(contents: Contents, layout: Layout, known: LayerMemory) -> Layer:
    """The layer with these contents.

    Raises:
        DiskFull
    """
    files = {path: Digest.of(data) for path, data in contents.files.items()}
    facts = [files, contents.links, sorted(contents.directories)]
    facts += [sorted(contents.open_directories)]
    key = Digest.of(encode(["made", LAYOUT_VERSION, *facts]))
    layer = known.recall(key)
    if layer is None:
        with layout.blob() as blob:
            writer = LayerWriter(blob)
            _write(contents, writer)
            layer = writer.finish()
            blob.commit(layer.digest)
        known.remember(key, layer)
    return layer


def _write(contents: Contents, writer: LayerWriter) -> None:
    folders = {*contents.directories, *contents.open_directories}
    for path in sorted({*contents.files, *contents.links, *folders}, key=os.fsencode):
        if path in contents.files:
            data = contents.files[path]
            writer.file(path[1:], data, executable=data.startswith(b"#!"))
        elif path in contents.links:
            writer.symlink(path[1:], contents.links[path])
        else:
            writer.directory(path[1:], is_open=path in contents.open_directories)
