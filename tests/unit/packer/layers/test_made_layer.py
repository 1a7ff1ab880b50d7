from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

from packer.images.layout import Layout
from packer.layers import made_layer
from packer.layers.layer_memory import LayerMemory


def test_files_and_directories_in_order(tmp_path: Path):
    layout = Layout(tmp_path / "layout")
    known = LayerMemory(tmp_path / "memory", layout)
    files = {"/opt/b/run": b"#!/bin/sh\n", "/opt/a.py": b"a"}
    layer = made_layer.build(files, layout, known, ("/opt/c",))
    data = gzip.decompress(layout.read(layer.digest))
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        found = {member.name: member.mode for member in archive}
    assert found == {
        "opt": 0o755,
        "opt/a.py": 0o644,
        "opt/b": 0o755,
        "opt/b/run": 0o755,
        "opt/c": 0o755,
    }
    assert made_layer.build(dict(reversed(files.items())), layout, known, ("/opt/c",)) == layer
