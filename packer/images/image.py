"""Image configs and manifests: pure functions of what an image is made of.

OCI image-spec, config.md and manifest.md. Canonical JSON, no times: the bytes depend on the image
alone.
"""

from __future__ import annotations

import json
from typing import Any

from packer.digest import Digest
from packer.image_paths import PREFIX, SYSTEM_PATH, WORKSPACE
from packer.images import descriptor
from packer.images.descriptor import Descriptor
from packer.images.layout import Layout
from packer.layers.layer import LAYOUT_VERSION, Layer
from packer.record import Record

EPOCH = "1970-01-01T00:00:00Z"

LABEL = "io.sendoff."
"""What all our labels begin with."""


class Image(Record, frozen=True):
    """An image, before it has a digest."""

    layers: tuple[Layer, ...]
    """The lowest first."""
    platform: str
    """OCI platform: "linux/amd64"."""
    python: str
    """The full version of the Python it is for."""
    base: str = "empty"
    """What brings operating system and interpreter: a digest, or "empty" for nothing."""
    command: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    """Variables besides those that every image has."""
    labels: dict[str, str] = {}
    """Further labels, without `LABEL`."""


def config(image: Image) -> bytes:
    """The image config."""
    system, architecture, *variant = image.platform.split("/")
    settings: dict[str, Any] = {
        "Env": _environment(image.environment),
        "WorkingDir": WORKSPACE,
        "Labels": _labels(image),
    }
    if image.command:
        settings["Cmd"] = list(image.command)
    content: dict[str, Any] = {
        "created": EPOCH,
        "os": system,
        "architecture": architecture,
        "config": settings,
        "rootfs": {"type": "layers", "diff_ids": [str(layer.diff_id) for layer in image.layers]},
    }
    if variant:
        content["variant"] = variant[0]
    return _canonical(content)


def manifest(image: Image, config: bytes) -> bytes:
    """The image manifest, for this config."""
    described = Descriptor(digest=Digest.of(config), size=len(config), media_type=descriptor.CONFIG)
    return _canonical(
        {
            "schemaVersion": 2,
            "mediaType": descriptor.MANIFEST,
            "config": described.as_oci(),
            "layers": [
                {"mediaType": layer.media_type, "digest": str(layer.digest), "size": layer.size}
                for layer in image.layers
            ],
        }
    )


def write(image: Image, layout: Layout) -> Descriptor:
    """Store the image's config and manifest beside its layers.

    Raises:
        DiskFull
    """
    configured = config(image)
    manifested = manifest(image, configured)
    layout.write(configured)
    return Descriptor(
        digest=layout.write(manifested), size=len(manifested), media_type=descriptor.MANIFEST
    )


def _environment(further: dict[str, str]) -> list[str]:
    own = {"PATH": f"{PREFIX}/bin:{SYSTEM_PATH}", "VIRTUAL_ENV": PREFIX}
    return [f"{name}={value}" for name, value in {**own, **dict(sorted(further.items()))}.items()]


def _labels(image: Image) -> dict[str, str]:
    own = {"base": image.base, "python": image.python, "layout-version": str(LAYOUT_VERSION)}
    return {LABEL + name: value for name, value in {**own, **image.labels}.items()}


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
