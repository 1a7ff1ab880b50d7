"""The first thing in which what was done again is not what it was."""

from __future__ import annotations

from packer.record import Record


class Difference(Record, frozen=True):
    """A kind of thing, and how it was and is."""

    what: str
    """"tree", "lock", "base", "environment", "request", "driver", "gpu", "machine", "seed" …"""
    was: str
    now: str
    detail: str = ""
    """For people: which file, or why it matters."""
