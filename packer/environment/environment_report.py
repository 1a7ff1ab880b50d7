"""What becomes of each installed distribution, for `sendoff pack --explain`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from packer.record import Record


class Arrival(Record, frozen=True):
    """One distribution."""

    name: str
    version: str
    how: Literal["wheel", "files", "editable", "left out", "no wheel"]
    why: str = ""
    """A few words; empty for a wheel of an index."""
    change: Literal["kept", "changed", "added", "dropped", "no wheel"] = "kept"
    """Against what is installed, where the environment is for another platform or CUDA."""
    was: str = ""
    """The installed version, where it has changed."""
    size: int = 0
    """Bytes as it arrives; 0 where it does not, or nobody told."""


class Retargeted(Record, frozen=True):
    """From what to what an environment was retargeted."""

    source: str
    """OCI platform: "macosx/arm64"."""
    target: str
    cuda: str = ""
    """CUDA line: "12.8"; empty for none."""


class EnvironmentReport(Record, frozen=True):
    """All of them, sorted by name, and what a person should know besides."""

    arrivals: tuple[Arrival, ...] = ()
    warnings: tuple[str, ...] = ()
    built: dict[str, str] = {}
    """Distributions whose wheel was built for this image, and what from."""
    retargeted: Retargeted | None = None
    """None where everything arrives as it is installed."""
    without_index: bool = False
    """Whether an index was out of reach, so that what arrives, and the digest, may be others than
    with all of them."""


PYTHONPATH_STAYS = "PYTHONPATH is set here and not in the image: give it with --env PYTHONPATH=…"
"""The warning of an environment that is looked at where that variable is set."""

Agree = Callable[[EnvironmentReport], object]
"""Raises an error where an environment must not be packed."""
