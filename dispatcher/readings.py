"""One number that an experiment reported."""

from __future__ import annotations

from packer.record import Record


class Point(Record, frozen=True):
    """One value and where it stands: "metrics.jsonl:12", "stdout:40"."""

    value: float
    source: str
    step: float | None = None
    """The step or epoch it was reported for, where its line says."""


Reading = tuple[str, Point]
"""A metric's name and one value of it."""
