"""What runs have used, kept on this machine: of a run that has ended, it is found out once.

`spent/<hash of the store's address>.json` below the state directory. It may be deleted at any time.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from dispatcher.places import Places
from packer import disk
from packer.errors import DiskFull
from packer.record import Record, decode, encode


class Spending(Record, frozen=True):
    """What one run has used."""

    group: str
    gpu_hours: float | None = None
    """None while more may come of it."""


class Ledger(Record, frozen=True, tag_field="format", tag="sendoff.spent/1"):
    """What is known of the runs of one store."""

    store: str
    runs: dict[str, Spending] = {}
    """By id."""


def read(places: Places) -> Ledger:
    """What is known of the runs of the store in use; nothing where nobody looked yet."""
    try:
        found = decode(_place(places).read_bytes(), Ledger)
    except (OSError, ValueError):
        # Written by another sendoff, or damaged: the runs themselves say it all.
        return Ledger(store=places.store)
    return found if found.store == places.store else Ledger(store=places.store)


def write(ledger: Ledger, places: Places) -> None:
    """Keep that; who may not write does not."""
    with suppress(OSError, DiskFull):
        path = _place(places)
        path.parent.mkdir(parents=True, exist_ok=True)
        disk.replace(path, encode(ledger))


def _place(places: Places) -> Path:
    return places.of_store("spent").with_suffix(".json")
