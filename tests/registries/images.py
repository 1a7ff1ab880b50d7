"""Small images to push, which may be bases of others too."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Mapping

from packer.digest import Digest
from packer.images import image
from packer.images.image import Image
from packer.images.layout import Layout
from packer.layers.layer import Layer, LayerWriter
from packer.registry.registry import Registry


def make_layer(layout: Layout, size: int = 1000) -> Layer:
    """A layer of one file with so many random bytes."""
    with layout.blob() as writer:
        made = LayerWriter(writer)
        made.file(f"workspace/{uuid.uuid4().hex}", os.urandom(size))
        layer = made.finish()
        writer.commit(layer.digest)
    return layer


def make_image(
    layout: Layout,
    *layers: Layer,
    command: str = "true",
    minor: str = "3.11",
    labels: Mapping[str, str] | None = None,
) -> Digest:
    """An image of these layers, or of one of its own, with a Python that it only tells of.

    `labels` are below `io.sendoff.`, as `base.cuda` is.
    """
    made = Image(
        layers=layers or (make_layer(layout),),
        platform="linux/amd64",
        python="3.11.7",
        command=("sh", "-c", command),
        labels={
            "base.python": f"/usr/bin/python{minor}",
            "base.python-version": f"{minor}.2",
            **(labels or {}),
        },
    )
    return image.write(made, layout).digest


def complete(registry: Registry, layout: Layout, image: Digest) -> bool:
    """Whether the registry has the image and everything it names."""
    client = registry._client()
    content = json.loads(client.manifest(image).data)
    assert client.manifest(image).data == layout.read(image)
    return all(
        client.has_blob(Digest(each["digest"])) for each in (content["config"], *content["layers"])
    )
