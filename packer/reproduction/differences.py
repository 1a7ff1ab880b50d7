"""In what two images differ: files, packages, base, request. Pure, but for `facts`."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from packer.environment.lock import Lock
from packer.errors import SendoffError
from packer.images.shelf import Shelf
from packer.progress import SILENT, Progress
from packer.project import listing
from packer.record import Record
from packer.reproduction import locks, loose_files, trees
from packer.reproduction.recorded import RecordedImage

Change = Literal["added", "removed", "changed"]


class Facts(Record, frozen=True):
    """What an image is made of, by name."""

    files: dict[str, str]
    """Path → kind and content, as a listing has it."""
    packages: dict[str, str]
    """Name → version, and where that says not all, the sha256 of its wheel."""
    request: dict[str, str]
    """What was asked for, as text; the command and the variables among it."""
    base: str
    python: str
    platform: str
    unknown: tuple[str, ...] = ()
    """What could not be read, and why."""


class Changed(Record, frozen=True):
    """One name that stands for something else."""

    name: str
    how: Change
    was: str = ""
    now: str = ""


def facts(image: RecordedImage, shelf: Shelf, progress: Progress = SILENT) -> Facts:
    """Read what `image` is made of: the layers of its source, and the lock attached to it.

    Raises:
        As `Shelf`; what is gone is told of in the facts.
    """
    unknown = []
    files: dict[str, str] = {}
    packages: dict[str, str] = {}
    try:
        with tempfile.TemporaryDirectory(prefix="sendoff-diff-") as folder:
            source = trees.read(image, shelf, Path(folder), progress)
            for tree in (source.project, *source.editables):
                prefix = "" if tree is source.project else f"{tree.target}/"
                files |= _files(tree.snapshot.listing, prefix)
    except SendoffError as error:
        unknown.append(f"files: {error}")
    try:
        packages = _packages(locks.find(image, shelf))
    except SendoffError as error:
        unknown.append(f"packages: {error}")
    return Facts(
        files=files,
        packages=packages,
        request=_request(image),
        base=image.base,
        python=image.labels.get("python", ""),
        platform=image.platform,
        unknown=tuple(unknown),
    )


def changes(was: Mapping[str, str], now: Mapping[str, str]) -> tuple[Changed, ...]:
    """The names that differ, sorted."""
    found = []
    for name in sorted(was.keys() | now.keys()):
        before, after = was.get(name), now.get(name)
        if before == after:
            continue
        how: Change = "added" if before is None else "removed" if after is None else "changed"
        found.append(Changed(name=name, how=how, was=before or "", now=after or ""))
    return tuple(found)


def _files(canonical: bytes, prefix: str) -> dict[str, str]:
    return {
        prefix + entry.path: f"{entry.kind} {entry.size} {entry.sha256 or entry.target}".rstrip()
        for entry in listing.entries(canonical)
    }


def _packages(lock: Lock) -> dict[str, str]:
    wheels = {pin.name: f"{pin.version} {pin.sha256}" for pin in lock.wheels}
    files = {
        pin.name: f"{pin.version} {_digest(sorted(file.sha256 for file in pin.files))}"
        for pin in lock.files
    }
    own = {pin.path for pin in lock.overlay}
    loose = {
        file.path: file.sha256 for file in loose_files.pinned(lock).values() if file.path in own
    }
    return {**wheels, **files, **loose, **dict.fromkeys(lock.removed, "deleted")}


def _digest(parts: list[str]) -> str:
    from packer.digest import Digest

    return Digest.of("\n".join(parts).encode()).hex


def _request(image: RecordedImage) -> dict[str, str]:
    import json
    import shlex

    asked = {name: json.dumps(value, sort_keys=True) for name, value in image.request.items()}
    variables = {f"${name}": value for name, value in image.variables.items()}
    return {"command": shlex.join(image.command), **asked, **variables}
