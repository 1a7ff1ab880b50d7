"""The sandbox whose environment is packed, and what for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from packer.environment.cuda import CudaWish
from packer.environment.interpreter import Interpreter
from packer.images.base import Base
from packer.record import Record

if TYPE_CHECKING:
    from packer.project.snapshot import Snapshot


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
    taken: Callable[[], Snapshot] | None = None
    """Gives the project's snapshot, where it is taken anyway."""

    def imports(self) -> frozenset[str]:
        """First names of the modules that the project imports.

        Raises:
            As `packer.project.snapshot.take`.
        """
        from packer.project import imports, snapshot

        taken = self.taken() if self.taken else snapshot.take(self.project, cache=self.cache)
        return imports.of(taken, self.project, self.cache)
