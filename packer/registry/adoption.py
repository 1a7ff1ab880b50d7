"""Images that are put into a repository without being packed: their layers are in registries."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from packer.images import image
from packer.images.base import Base
from packer.images.descriptor import CONFIG, MANIFEST, Descriptor
from packer.images.image import Image
from packer.images.layout import Layout
from packer.layers.layer import Layer
from packer.registry.pull import for_push, kept
from packer.registry.push_request import BaseLayer, PushRequest
from packer.registry.reference import Repository


def request(
    found: Base, repository: Repository, cache: Path, tag: str, base: Base | None = None
) -> PushRequest:
    """The push that has an image in `repository`, named `tag`.

    Its manifest and config are kept below `cache`, as everything is that was read. Where it is
    stacked upon `base`, its other layers are in `repository`.
    """
    lower = base or found
    above = tuple(
        BaseLayer(
            layer=Descriptor(digest=layer.digest, size=layer.size, media_type=layer.media_type),
            source=repository,
        )
        for layer in found.layers[len(lower.layers) :]
    )
    return PushRequest(
        layout=kept(cache),
        images=(found.digest,),
        base=(*for_push(lower), *above),
        tags={tag: found.digest},
    )


def stacked(base: Base, layers: Sequence[Layer], repository: Repository, cache: Path) -> Base:
    """An image of `base` with `layers` above it; manifest and config are written below `cache`.

    Raises:
        DiskFull
    """
    made = Image(
        layers=tuple(layers), platform=base.platform, python=base.python_version, base=base
    )
    written = image.write(made, Layout(kept(cache)))
    return replace(
        base,
        digest=written.digest,
        repository=str(repository),
        layers=(*base.layers, *layers),
    )


def rebased(made: Base, base: Base, manifest: bytes, cache: Path) -> Base:
    """`made` with the layers of `base` in the place of its lowest, which hold the same files.

    `manifest` is its own; the other is written below `cache`, and has the same config.

    Raises:
        DiskFull
    """
    layers = (*base.layers, *made.layers[len(base.layers) :])
    content = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": json.loads(manifest)["config"] | {"mediaType": CONFIG},
        "layers": [layer.descriptor.as_oci() for layer in layers],
    }
    digest = Layout(kept(cache)).write(json.dumps(content, sort_keys=True).encode())
    return replace(made, digest=digest, layers=layers)
