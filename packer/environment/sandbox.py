"""The sandbox whose environment is packed, and what for."""

from __future__ import annotations

from pathlib import Path

from packer.environment.cuda import CudaWish
from packer.environment.interpreter import Interpreter
from packer.images.base import Base
from packer.record import Record


class Sandbox(Record, frozen=True):
    """Where an experiment lives on this machine."""

    interpreter: Interpreter
    project: Path
    cache: Path
    """What packing remembers."""
    platform: str = ""
    """OCI platform that the environment is for; empty for the sandbox's own."""
    base: Base | None = None
    """The image that it is for, where what has no wheel can be built; None for none."""
    builder: str = ""
    """See `packer.building.choice`."""
    build_apt: tuple[str, ...] = ()
    """Debian packages that building takes."""
    build_cache: str = ""
    """Repository where builders share what they have done; empty for none."""
    cuda: CudaWish = CudaWish()
    """Which CUDA it is for."""
