"""What is pushed, and what that took."""

from __future__ import annotations

from pathlib import Path

from packer.digest import Digest
from packer.images.descriptor import Descriptor
from packer.record import Record
from packer.registry.reference import Repository


class BaseLayer(Record, frozen=True):
    """A layer that comes from a base image and is in no layout of ours."""

    layer: Descriptor
    source: Repository


class PushRequest(Record, frozen=True):
    """What to push."""

    layout: Path
    images: tuple[Digest, ...]
    """Manifests of run images."""
    environment: Digest | None = None
    """Manifest of the environment image they share."""
    base: tuple[BaseLayer, ...] = ()
    """Layers of theirs that the layout need not hold."""
    tags: dict[str, Digest] = {}
    """Names for some of the images."""


class Pushed(Record, frozen=True):
    """What it took. Blobs are told by their digests."""

    repository: Repository
    images: tuple[Digest, ...]
    sent: int
    """Bytes of blobs and manifests that went to the registry."""
    uploaded: tuple[Digest, ...] = ()
    mounted: tuple[Digest, ...] = ()
    """Taken by the registry from another repository of its own."""
    present: tuple[Digest, ...] = ()
    """There already, or known to be."""
    manifests: tuple[Digest, ...] = ()
    """Manifests that were put."""
    seconds: float = 0.0
