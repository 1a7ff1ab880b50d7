"""A source on this machine: fetched, and proved to be what was recorded."""

from __future__ import annotations

import shutil
from pathlib import Path

from msgspec.structs import replace

from packer import process
from packer.building.errors import SourceUnusable
from packer.building.source import Source
from packer.digest import Digest
from packer.environment.lock import WheelPin
from packer.process import ProgramFailed
from packer.wheels import candidates
from packer.wheels.errors import WheelHashMismatch, WheelUnavailable
from packer.wheels.wheelhouse import Wheelhouse


def identified(source: Source, house: Wheelhouse) -> Source:
    """`source` with the hash of its archive as it is now, where none is known; it is kept.

    Raises:
        SourceUnusable: it cannot be fetched.
        DiskFull
    """
    if source.identity:
        return source
    return replace(source, sha256=_adopted(source, house).sha256)


def fetch(source: Source, house: Wheelhouse, folder: Path) -> Path:
    """Its archive, or the tree of its commit, below `folder`, which is made.

    Raises:
        SourceUnusable: it cannot be had.
        WheelHashMismatch: its archive is not what was recorded.
        DiskFull
    """
    folder.mkdir(parents=True)
    if source.commit:
        return _cloned(source, folder)
    shutil.copyfile(archive(source, house), folder / source.filename)
    return folder / source.filename


def archive(source: Source, house: Wheelhouse) -> Path:
    """Its archive, kept with the wheels; not to be changed.

    Raises:
        As `fetch`.
    """
    pin = _pin(source)
    if not (house.has(pin) and Digest.of_file(house.path(pin)).hex == pin.sha256):
        pin = _adopted(source, house)
    if source.sha256 and pin.sha256 != source.sha256:
        house.path(pin).unlink()
        raise WheelHashMismatch(source.filename, source.sha256, pin.sha256, source.url)
    return house.path(pin)


def _adopted(source: Source, house: Wheelhouse) -> WheelPin:
    try:
        return house.adopt(_pin(source), source.url)
    except WheelUnavailable as error:
        raise SourceUnusable(str(source), "it could not be fetched", error.why()) from error


def _pin(source: Source) -> WheelPin:
    return WheelPin(
        name=source.name,
        version=source.version,
        filename=source.filename,
        sha256=source.sha256,
        size=0,
    )


def _cloned(source: Source, folder: Path) -> Path:
    """The tree of a commit, without the repository around it."""
    place = folder / "tree"
    quiet = {"GIT_TERMINAL_PROMPT": "0"}
    try:
        process.run(["git", "clone", "--quiet", "--no-checkout", source.url, str(place)], env=quiet)
        process.run(["git", "checkout", "--quiet", source.commit], cwd=place, env=quiet)
        modules = ["git", "submodule", "update", "--quiet", "--init", "--recursive"]
        process.run(modules, cwd=place, env=quiet)
    except ProgramFailed as error:
        said = candidates.without_logins(error.evidence())
        raise SourceUnusable(str(source), "its commit cannot be had", said) from error
    shutil.rmtree(place / ".git")
    return place
