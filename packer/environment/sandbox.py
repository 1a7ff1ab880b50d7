"""The sandbox whose environment is packed, and what for."""

from __future__ import annotations

from pathlib import Path

from packer.environment.cuda import CudaWish
from packer.environment.interpreter import Interpreter
from packer.record import Record


class Sandbox(Record, frozen=True):
    """Where an experiment lives on this machine."""

    interpreter: Interpreter
    project: Path
    cache: Path
    """What packing remembers."""
    platform: str = ""
    """OCI platform that the environment is for; empty for the sandbox's own."""
    cuda: CudaWish = CudaWish()
    """Which CUDA it is for."""
