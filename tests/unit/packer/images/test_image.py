from __future__ import annotations

import json
from pathlib import Path

from packer.digest import Digest
from packer.images import image
from packer.images.image import Image
from packer.images.layout import Layout
from packer.layers.layer import Layer
from packer.record import encode

LAYERS = tuple(
    Layer(digest=Digest.of(b"blob" + name), diff_id=Digest.of(name), size=100 + number)
    for number, name in enumerate((b"environment", b"runner", b"code"))
)
IMAGE = Image(
    layers=LAYERS,
    platform="linux/amd64",
    python="3.11.7",
    command=("python", "train.py", "--lr", "3e-4"),
    environment={"B": "2", "A": "1=1", "PATH": "/mine"},
    labels={"snapshot": str(Digest.of(b"snapshot")), "request": '{"gpu":"h100"}'},
)


def pretty(data: bytes) -> str:
    return json.dumps(json.loads(data), indent=1) + "\n"


def test_the_config_is_fixed(golden):
    golden("image-config.json", pretty(image.config(IMAGE)))


def test_the_manifest_is_fixed(golden):
    golden("image-manifest.json", pretty(image.manifest(IMAGE, image.config(IMAGE))))


def test_the_bytes_are_canonical():
    config = image.config(IMAGE)
    assert config == encode(json.loads(config))


def test_an_image_without_a_command_has_none():
    bare = Image(layers=LAYERS, platform="linux/arm64/v8", python="3.12.1")
    config = json.loads(image.config(bare))
    assert "Cmd" not in config["config"]
    assert (config["architecture"], config["variant"]) == ("arm64", "v8")


def test_writing_returns_what_names_the_manifest(tmp_path: Path):
    layout = Layout(tmp_path)
    written = image.write(IMAGE, layout)
    manifest = layout.read(written.digest)
    assert written.size == len(manifest)
    assert layout.has(Digest(json.loads(manifest)["config"]["digest"]))
    assert image.write(IMAGE, layout) == written
