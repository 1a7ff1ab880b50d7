"""The builds of an environment for another platform or CUDA line, as they were found."""

from __future__ import annotations

from packer.environment.lock import WheelPin
from packer.record import Record


class Builds(Record, frozen=True):
    """What arrives in place of, or besides, what is installed."""

    pins: dict[str, WheelPin] = {}
    """Name → the wheel that was found for the target."""
    dropped: dict[str, str] = {}
    """Installed names that stay out → why."""
    source: str = ""
    """The sandbox's OCI platform; empty where nothing is retargeted."""
    line: str = ""
    """The CUDA line; empty for none."""
    warnings: tuple[str, ...] = ()
