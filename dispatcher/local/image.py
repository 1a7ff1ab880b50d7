"""A run image as the local target sees it: verified manifest and config from a layout."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from dispatcher.errors import ImageUnusable
from packer.digest import Digest
from packer.images.image import LABEL, NO_BASE
from packer.images.layout import Layout
from packer.record import Record

PYTHON_LABEL, BASE_LABEL = f"{LABEL}python", f"{LABEL}base"


class StoredLayer(Record, frozen=True):
    """One layer: its blob and the tar in it."""

    digest: Digest
    diff_id: Digest
    size: int


class Image(Record, frozen=True):
    """What running an image takes."""

    digest: Digest
    python: str
    """The full version of the Python it was packed from."""
    layers: tuple[StoredLayer, ...]
    environment: dict[str, str]
    """`Env` of the config: paths in it are in-image paths."""

    @property
    def minor(self) -> str:
        """The Python minor: "3.11"."""
        return ".".join(self.python.split(".")[:2])


def read(layout: Layout, digest: Digest) -> Image:
    """The image with this manifest digest.

    Raises:
        BlobMissing, BlobAltered: of manifest or config.
        ImageUnusable: it was not made for this target.
    """
    manifest = json.loads(layout.read(digest))
    config = json.loads(layout.read(Digest(manifest["config"]["digest"])))
    settings: dict[str, Any] = config.get("config", {})
    labels: dict[str, str] = settings.get("Labels") or {}
    if labels.get(BASE_LABEL, NO_BASE) != NO_BASE or PYTHON_LABEL not in labels:
        raise ImageUnusable(
            digest.short,
            "it has an operating system of its own; the local target runs images without one",
            "send it to another target: --target docker",
        )
    pairs = (entry.partition("=") for entry in settings.get("Env") or ())
    return Image(
        digest=digest,
        python=labels[PYTHON_LABEL],
        layers=_layers(
            tuple((layer["digest"], layer["size"]) for layer in manifest["layers"]),
            tuple(config["rootfs"]["diff_ids"]),
        ),
        environment={name: value for name, _, value in pairs},
    )


@lru_cache(maxsize=4)
def _layers(
    blobs: tuple[tuple[str, int], ...], diff_ids: tuple[str, ...]
) -> tuple[StoredLayer, ...]:
    # A map's thousands of images have the same ones.
    return tuple(
        StoredLayer(digest=Digest(digest), diff_id=Digest(diff_id), size=size)
        for (digest, size), diff_id in zip(blobs, diff_ids, strict=True)
    )
