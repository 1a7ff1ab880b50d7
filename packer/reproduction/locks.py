"""The lock of an environment, attached to its image, where anyone finds it who has the digest."""

from __future__ import annotations

from pathlib import Path

from packer import disk
from packer.digest import Digest
from packer.environment import pylock
from packer.environment.lock import Lock, essence
from packer.images.shelf import Shelf
from packer.packed import Packed
from packer.record import encode
from packer.registry.artifact import Artifact
from packer.reproduction.errors import LockMissing, RecordDamaged
from packer.reproduction.recorded import RecordedImage

KIND = "application/vnd.sendoff.lock.v1+toml"
"""A `pylock.toml` (PEP 751) of sendoff's."""


def attach(packed: Packed, shelf: Shelf, cache: Path) -> None:
    """Have the lock of an environment refer to its image; a mark in `cache` spares the asking.

    Raises:
        As `Shelf`.
    """
    mark = cache / "locks" / Digest.of(encode([shelf.place, packed.environment])).hex
    if mark.exists():
        return
    document = Artifact(kind=KIND, data=pylock.write(packed.lock).encode(), name="pylock.toml")
    shelf.attach_all({packed.environment: [document]})
    disk.replace(mark, b"")


def find(image: RecordedImage, shelf: Shelf) -> Lock:
    """The lock that an image's environment was made from, with where its wheels can be had.

    Raises:
        LockMissing: nothing that is attached is that lock.
        RecordDamaged: what is attached is no lock at all.
        As `Shelf`.
    """
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
