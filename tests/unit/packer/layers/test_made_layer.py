from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import msgspec

from packer.images.layout import Layout
from packer.layers import made_layer
from packer.layers.layer_memory import LayerMemory
from packer.layers.made_layer import Contents


def test_files_and_directories_in_order(tmp_path: Path):
    layout = Layout(tmp_path / "layout")
    known = LayerMemory(tmp_path / "memory", layout)
    files = {"/opt/b/run": b"#!/bin/sh\n", "/opt/a.py": b"a"}
    links = {"/opt/b/again": "run"}
    contents = Contents(files=files, links=links, directories=("/opt/c",), open_directories=("/w",))
    layer = made_layer.build(contents, layout, known)
    data = gzip.decompress(layout.read(layer.digest))
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        found = {member.name: member.mode for member in archive}
        assert archive.getmember("opt/b/again").linkname == "run"
    assert found == {
        "opt": 0o755,
        "opt/a.py": 0o644,
        "opt/b": 0o755,
        "opt/b/again": 0o777,
        "opt/b/run": 0o755,
        "opt/c": 0o755,
        "w": 0o777,
    }
    turned = msgspec.structs.replace(contents, files=dict(reversed(files.items())))
    assert made_layer.build(turned, layout, known) == layer
