from __future__ import annotations

import json

import pytest

from packer.digest import Digest
from packer.images import base, image
from packer.images.errors import BaseUnusable
from packer.images.image import Image
from packer.layers.layer import MEDIA_TYPE, Layer

DIFF_ID, BLOB = Digest.of(b"plain"), Digest.of(b"packed")


def blobs(labels=None, env=(), user="1000:1000", media_type=MEDIA_TYPE) -> tuple[bytes, bytes]:
    config = {
        "os": "linux",
        "architecture": "amd64",
        "config": {"Env": list(env), "User": user, "Labels": labels},
        "rootfs": {"type": "layers", "diff_ids": [DIFF_ID]},
    }
    layers = [{"digest": BLOB, "size": 7, "mediaType": media_type}]
    return json.dumps({"layers": layers}).encode(), json.dumps(config).encode()


OURS = {base.PYTHON_LABEL: "/usr/bin/python3.11", base.VERSION_LABEL: "3.11.2"}


def test_a_labelled_base():
    manifest, config = blobs(OURS, ["PATH=/usr/bin", "HOME=/home/user"])
    found = base.read("registry.example/base/cpu", manifest, config)
    assert found.digest == Digest.of(manifest)
    assert (found.python, found.python_version, found.minor) == (
        "/usr/bin/python3.11",
        "3.11.2",
        "3.11",
    )
    assert found.layers == (Layer(digest=BLOB, diff_id=DIFF_ID, size=7),)
    assert (found.platform, found.user, found.path) == ("linux/amd64", "1000:1000", "/usr/bin")


def test_an_official_python_image_says_it_in_its_variables():
    docker = "application/vnd.docker.image.rootfs.diff.tar.gzip"
    found = base.read("r/p", *blobs(env=["PYTHON_VERSION=3.12.4"], media_type=docker))
    assert found.python == "/usr/local/bin/python3.12"
    # A manifest of the OCI has layers of its own media types.
    assert found.layers[0].media_type == MEDIA_TYPE


@pytest.mark.parametrize(
    ("manifest", "config"), [blobs(), (b"{}", b"{}"), (b"[", b""), (blobs(OURS)[0], b'{"os":1}')]
)
def test_what_is_no_base_is_refused(manifest: bytes, config: bytes):
    with pytest.raises(BaseUnusable) as caught:
        base.read("r/p", manifest, config)
    assert caught.value.fix()


def test_an_image_lies_on_its_base(golden):
    below = base.read("r/p", *blobs(OURS, ["PATH=/usr/bin", "HOME=/home/user", "A=base"]))
    above = Layer(digest=Digest.of(b"x"), diff_id=Digest.of(b"y"), size=9)
    made = Image(
        layers=(above,),
        platform="linux/amd64",
        python="3.11.7",
        base=below,
        command=("python", "train.py"),
        environment={"A": "1"},
    )
    config = image.config(made)
    golden("image-config-on-base.json", json.dumps(json.loads(config), indent=1) + "\n")
    layers = json.loads(image.manifest(made, config))["layers"]
    assert [layer["digest"] for layer in layers] == [BLOB, above.digest]
