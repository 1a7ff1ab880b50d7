"""Image configs and manifests: pure functions of what an image is made of.

OCI image-spec, config.md and manifest.md. Canonical JSON, no times: the bytes depend on the image
alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from packer.digest import Digest
from packer.image_paths import PREFIX, SYSTEM_PATH, WORKSPACE
from packer.images import descriptor
from packer.images.base import Base
from packer.images.descriptor import Descriptor
from packer.images.layout import Layout
from packer.layers.layer import LAYOUT_VERSION, Layer
from packer.record import Record

EPOCH = "1970-01-01T00:00:00Z"

LABEL = "io.sendoff."
"""What all our labels begin with."""

NO_BASE = "empty"
"""What stands for the digest of a base where there is none."""


class Image(Record, frozen=True):
    """An image, before it has a digest."""

    layers: tuple[Layer, ...]
    """Those above the base, the lowest first."""
    platform: str
    """OCI platform: "linux/amd64"."""
    python: str
    """The full version of the Python it is for."""
    base: Base | None = None
    """What brings operating system and interpreter; None leaves both to the target."""
    command: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    """Variables besides those that every image has."""
    labels: dict[str, str] = {}
    """Further labels, without `LABEL`."""

    @property
    def all_layers(self) -> tuple[Layer, ...]:
        """Those of the base, and those above it."""
        return (*(self.base.layers if self.base else ()), *self.layers)


def config(image: Image) -> bytes:
    """The image config."""
    system, architecture, *variant = image.platform.split("/")
    settings: dict[str, Any] = {
        "Env": _environment(image),
        "WorkingDir": WORKSPACE,
        "Labels": _labels(image),
    }
    if image.base and image.base.user:
        settings["User"] = image.base.user
    if image.command:
        settings["Cmd"] = list(image.command)
    diff_ids = [str(layer.diff_id) for layer in image.all_layers]
    content: dict[str, Any] = {
        "created": EPOCH,
        "os": system,
        "architecture": architecture,
        "config": settings,
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
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
            "layers": _described(image.all_layers),
        }
    )


def write(
    image: Image, layout: Layout, ahead: Callable[[Descriptor], object] | None = None
) -> Descriptor:
    """Store the image's config and manifest beside its layers; `ahead` is told of the config.

    Raises:
        DiskFull
    """
    configured = config(image)
    manifested = manifest(image, configured)
    digest = layout.write(configured)
    if ahead:
        ahead(Descriptor(digest=digest, size=len(configured), media_type=descriptor.CONFIG))
    return Descriptor(
        digest=layout.write(manifested), size=len(manifested), media_type=descriptor.MANIFEST
    )


def _environment(image: Image) -> list[str]:
    inherited = image.base.environment if image.base else {}
    path = image.base.path if image.base else SYSTEM_PATH
    own = {"PATH": f"{PREFIX}/bin:{path}", "VIRTUAL_ENV": PREFIX}
    further = dict(sorted({**inherited, **image.environment}.items()))
    if "PATH" not in image.environment:
        further.pop("PATH", None)
    return [f"{name}={value}" for name, value in {**own, **further}.items()]


def _labels(image: Image) -> dict[str, str]:
    base = str(image.base.digest) if image.base else NO_BASE
    own = {"base": base, "python": image.python, "layout-version": str(LAYOUT_VERSION)}
    inherited = image.base.labels if image.base else {}
    return inherited | {LABEL + name: value for name, value in {**own, **image.labels}.items()}


# A map's thousands of images have the same layers.
@lru_cache(maxsize=4)
def _described(layers: tuple[Layer, ...]) -> list[dict[str, Any]]:
    return [layer.descriptor.as_oci() for layer in layers]


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
