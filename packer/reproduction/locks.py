"""The lock of an environment, attached to its image, where anyone finds it who has the digest."""

from __future__ import annotations

import time
from pathlib import Path

from packer import disk
from packer.digest import Digest
from packer.environment.lock import Lock, essence
from packer.images.shelf import Shelf
from packer.packed import Packed
from packer.record import encode
from packer.registry.artifact import Artifact
from packer.reproduction.errors import LockMissing, RecordDamaged
from packer.reproduction.recorded import RecordedImage

KIND = "application/vnd.sendoff.lock.v1+toml"
"""A `pylock.toml` (PEP 751) of sendoff's."""

_BELIEVED = 86400.0
"""Seconds for which what was attached is believed to be there still."""


def attach(packed: Packed, shelf: Shelf, marks: Path) -> None:
    """Have the lock of an environment refer to its image; a mark below `marks` spares the asking.

    Raises:
        As `Shelf`.
    """
    mark = marks / Digest.of(encode([shelf.place, packed.environment])).hex
    if _is_fresh(mark):
        return
    shelf.attach_all({packed.environment: [document(packed.lock)]})
    disk.replace(mark, b"")


def document(lock: Lock) -> Artifact:
    """The lock as it is attached."""
    from packer.environment import pylock

    return Artifact(kind=KIND, data=pylock.write(lock).encode(), name="pylock.toml")


def _is_fresh(mark: Path) -> bool:
    try:
        return time.time() - mark.stat().st_mtime < _BELIEVED
    except OSError:
        return False


def find(image: RecordedImage, shelf: Shelf) -> Lock:
    """The lock that an image's environment was made from, with where its wheels can be had.

    Raises:
        LockMissing: nothing that is attached is that lock.
        RecordDamaged: what is attached is no lock at all.
        As `Shelf`.
    """
    from packer.environment import pylock

    environment = Digest(image.labels["environment"])
    problem = ""
    for referrer in shelf.referrers(environment, KIND):
        try:
            lock = pylock.read(shelf.document(referrer).decode())
        except ValueError as error:
            problem = str(error)
            continue
        if Digest.of(encode(essence(lock))) == image.labels["lock"]:
            return lock
    if problem:
        raise RecordDamaged(f"the lock of {environment}", problem)
    raise LockMissing(image.digest, shelf.place)
