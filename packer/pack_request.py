"""What is packed, and where to."""

from __future__ import annotations

from pathlib import Path

from packer.building.image_settings import ImageSettings
from packer.environment.cuda import CudaWish
from packer.images.base import Base
from packer.project.snapshot import DEFAULT_LIMIT
from packer.record import Record


class Command(Record, frozen=True):
    """What one run image runs. All commands of a pack share their layers."""

    arguments: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    request: str = ""
    """Canonical JSON of what was asked for, kept as a label; nothing of this machine in it."""


class PackRequest(Record, frozen=True):
    """What to pack, and where to."""

    project: Path
    layout: Path
    """Directory of the OCI image layout."""
    cache: Path
    """Directory for what can be made again."""
    python: str | None = None
    """The sandbox's interpreter, a path or a name; None for the one a shell would start."""
    platform: str = ""
    """OCI platform to pack for; empty for the sandbox's own."""
    cuda: CudaWish = CudaWish()
    """Which CUDA the environment is for."""
    commands: tuple[Command, ...] = (Command(),)
    """One run image for each."""
    runner: dict[str, bytes] = {}
    """Files that every run image has besides: absolute in-image path → content."""
    base: Base | None = None
    """The base image to lay all upon; None for an image without an operating system."""
    libraries: bytes = b""
    """Pins of what the runner imports (see `packer.layers.library_layers`), for images with a
    base."""
    builder: str = ""
    """Who builds what: see `packer.building.choice`."""
    image: ImageSettings = ImageSettings()
    """What was done to `base` besides, and what building sources takes."""
    limit: int = DEFAULT_LIMIT
    """Bytes that the project's files may have together."""
