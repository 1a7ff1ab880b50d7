"""A layer of a few files that are at hand as bytes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from packer.digest import Digest
from packer.images.layout import Layout
from packer.layers.layer import LAYOUT_VERSION, Layer, LayerWriter
from packer.layers.layer_memory import LayerMemory
from packer.record import encode


def build(
    files: Mapping[str, bytes], layout: Layout, known: LayerMemory, directories: Sequence[str] = ()
) -> Layer:
    """The layer with these files (absolute in-image path → content) and empty directories.

    A file that begins with `#!` is executable.

    Raises:
        DiskFull
    """
    facts = {path: Digest.of(data) for path, data in files.items()}
    key = Digest.of(encode(["made", LAYOUT_VERSION, facts, sorted(directories)]))
    layer = known.recall(key)
    if layer is None:
        with layout.blob() as blob:
            writer = LayerWriter(blob)
            for path in sorted({*files, *directories}, key=os.fsencode):
                if path in files:
                    data = files[path]
                    writer.file(path[1:], data, executable=data.startswith(b"#!"))
                else:
                    writer.directory(path[1:])
            layer = writer.finish()
            blob.commit(layer.digest)
        known.remember(key, layer)
    return layer
