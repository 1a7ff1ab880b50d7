"""What became of each installed distribution, for `sendoff pack --explain`."""

from __future__ import annotations

from typing import Literal

from packer.record import Record


class Arrival(Record, frozen=True):
    """One distribution."""

    name: str
    version: str
    how: Literal["wheel", "files", "editable", "left out"]
    why: str = ""
    """A few words; empty for a wheel of an index."""


class EnvironmentReport(Record, frozen=True):
    """All of them, sorted by name, and what a person should know besides."""

    arrivals: tuple[Arrival, ...] = ()
    warnings: tuple[str, ...] = ()
    built: dict[str, str] = {}
    """Distributions whose wheel was built for this image, and what from."""
