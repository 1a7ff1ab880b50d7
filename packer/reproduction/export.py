"""What a run image was packed from, as a folder that needs no sendoff.

tree/         the project's files
editable/     source of editable installs outside the project, where there are any
files/        the environment's files that came without a wheel, where there are any
pylock.toml   every wheel with its sha256 (PEP 751)
requirements.txt   the same for pip
*.whl         wheels that no index has, where they are on this machine
Dockerfile    puts all of it together on a base
command.json  what is run, with what variables, and what was asked for
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from msgspec.structs import replace

from packer import disk
from packer.environment import pylock
from packer.environment.lock import Lock, WheelPin
from packer.errors import SendoffError
from packer.images.image import NO_BASE
from packer.images.shelf import Shelf
from packer.progress import SILENT, Progress
from packer.record import Record
from packer.reproduction import bases, dockerfile, locks, loose_files, trees
from packer.reproduction.dockerfile import Recipe
from packer.reproduction.rebuild import own_variables
from packer.reproduction.recorded import RecordedImage
from packer.wheels.wheelhouse import Wheelhouse

_OFFICIAL = "python:{version}-slim"
"""What stands in for the base of an image that has none."""


class FolderTaken(SendoffError):
    """The folder to export to has something in it."""

    code, phase, exit_code = "FOLDER_TAKEN", "export", 2

    def __init__(self, folder: str) -> None:
        super().__init__(folder)
        self.folder = folder

    def what(self) -> str:
        return f"{self.folder} is not empty"

    def why(self) -> str:
        return "what is in it would be mixed with what is written; nothing was"

    def fix(self) -> str:
        return "name a folder that is not there yet"


class Exported(Record, frozen=True):
    """What was written."""

    folder: str
    files: int
    """Of the project."""
    packages: int
    base: str
    """What the Dockerfile begins with."""
    missing: tuple[str, ...] = ()
    """Wheels that no index has, and this machine neither."""


def export(
    image: RecordedImage,
    shelf: Shelf,
    folder: Path,
    *,
    base: str = "",
    house: Wheelhouse,
    progress: Progress = SILENT,
) -> Exported:
    """Write all that `image` was packed from into `folder`, which is made.

    `base` names its base image, where anybody knows a name; else the digest stands alone.

    Raises:
        FolderTaken: nothing was written.
        LockMissing, RecordDamaged, DiskFull; and as `Shelf`.
    """
    with disk.room("what it was packed from", folder):
        return _export(image, shelf, folder, base=base, house=house, progress=progress)


def _export(
    image: RecordedImage,
    shelf: Shelf,
    folder: Path,
    *,
    base: str,
    house: Wheelhouse,
    progress: Progress,
) -> Exported:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FolderTaken(str(folder))
    lock = locks.find(image, shelf)
    folder.mkdir(parents=True, exist_ok=True)
    source = trees.read(image, shelf, folder, progress)
    loose_files.find(lock, source.environment, shelf, folder / "files")
    (folder / "pylock.toml").write_text(pylock.write(lock), encoding="utf-8")
    (folder / "requirements.txt").write_text(requirements(lock), encoding="utf-8")
    kept, missing = _wheels(lock, house, folder)
    recipe = replace(
        _recipe(image, lock, shelf, base),
        wheels=bool(kept),
        files=bool(loose_files.pinned(lock)),
        editables=bool(source.editables),
    )
    (folder / "Dockerfile").write_text(dockerfile.render(recipe), encoding="utf-8")
    (folder / "command.json").write_text(_command(image, recipe), encoding="utf-8")
    return Exported(
        folder=str(folder),
        files=source.project.snapshot.files,
        packages=len(lock.wheels) + len(lock.files),
        base=recipe.base,
        missing=tuple(pin.filename for pin in missing),
    )


def requirements(lock: Lock) -> str:
    """The lock's wheels as pip reads them, each with its sha256. Pure."""
    lines = []
    for pin in lock.wheels:
        place = f"{pin.name} @ {pin.url}" if pin.url else f"./{pin.filename}"
        lines.append(f"{place} --hash=sha256:{pin.sha256}")
    return "".join(f"{line}\n" for line in lines)


def _wheels(lock: Lock, house: Wheelhouse, folder: Path) -> tuple[list[WheelPin], list[WheelPin]]:
    """Copy those that no index has beside the lock, which names them so; copied, and missing."""
    local = [pin for pin in lock.wheels if not pin.url]
    kept = [pin for pin in local if house.has(pin)]
    for pin in kept:
        shutil.copyfile(house.path(pin), folder / pin.filename)
    return kept, [pin for pin in local if pin not in kept]


def _recipe(image: RecordedImage, lock: Lock, shelf: Shelf, base: str) -> Recipe:
    below = bases.below(image, lock, shelf)
    if below is None or image.base == NO_BASE:
        named, python = _OFFICIAL.format(version=image.labels["python"]), "python3"
    else:
        named, python = base or f"{shelf.place}@{image.base}", below.python
    return Recipe(
        digest=image.digest,
        base=named,
        python=python,
        command=image.command,
        variables=own_variables(image, below),
        user=below.user if below else "",
        removed=lock.removed,
    )


def _command(image: RecordedImage, recipe: Recipe) -> str:
    told = {
        "digest": image.digest,
        "command": image.command,
        "variables": recipe.variables,
        "request": image.request,
        "base": recipe.base,
        "python": image.labels["python"],
        "platform": image.platform,
    }
    return json.dumps(told, indent=2, sort_keys=True) + "\n"
