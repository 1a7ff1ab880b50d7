"""Which layers an environment has: a pure function of its lock."""

from __future__ import annotations

import hashlib

from packer.environment.lock import FilesPin, Lock, PinnedFile, WheelPin
from packer.record import Record

SINGLE_LAYERS = 24
"""So many of the largest wheels have a layer of their own: updating one changes that alone."""

BUCKETS = 5
"""The other wheels are spread by the hash of their name, so none moves when another comes."""


class LayerPlan(Record, frozen=True):
    """What goes into one layer. Later entries lie over earlier ones."""

    wheels: tuple[WheelPin, ...] = ()
    files: tuple[FilesPin, ...] = ()
    overlay: tuple[PinnedFile, ...] = ()
    removed: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How many bytes go in, as they arrive."""
        files = [file for pin in self.files for file in pin.files]
        wheels = sum(pin.size for pin in self.wheels)
        return wheels + sum(file.size for file in (*files, *self.overlay))

    @property
    def what(self) -> str:
        """For people: the names of what is in it."""
        names = [pin.name for pin in self.wheels] + [pin.name for pin in self.files]
        return ", ".join(names) or "changed files"


def plan(lock: Lock) -> tuple[LayerPlan, ...]:
    """The environment's layers in their order, at most 30, none of them empty.

    The largest wheels first, each alone; then the buckets; last the files that came without a
    wheel and those that were changed after they were installed, which must win over wheels.
    """
    by_size = sorted(lock.wheels, key=lambda pin: (-pin.size, pin.name))
    groups: list[tuple[WheelPin, ...]] = [(pin,) for pin in by_size[:SINGLE_LAYERS]]
    groups += _buckets(by_size[SINGLE_LAYERS:])
    layers = [LayerPlan(wheels=group, removed=lock.removed) for group in groups]
    if lock.files or lock.overlay:
        layers.append(LayerPlan(files=lock.files, overlay=lock.overlay))
    return tuple(layers)


def _buckets(pins: list[WheelPin]) -> list[tuple[WheelPin, ...]]:
    buckets: list[list[WheelPin]] = [[] for _ in range(BUCKETS)]
    for pin in sorted(pins, key=lambda pin: pin.name):
        buckets[hashlib.sha256(pin.name.encode()).digest()[0] % BUCKETS].append(pin)
    return [tuple(bucket) for bucket in buckets if bucket]
