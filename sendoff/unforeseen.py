"""What to tell of an error that is none of ours: what the system refuses, or a fault of sendoff."""

from __future__ import annotations

import errno
import os
import shlex
from contextlib import suppress
from pathlib import Path

from packer import disk
from packer.errors import DiskFull, SendoffError
from sendoff.errors import FolderUnusable, Internal

_NO_FOLDER = (errno.EEXIST, errno.ENOTDIR)
_REFUSALS = (
    *_NO_FOLDER,
    errno.EACCES,
    errno.EISDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.ENOENT,
    errno.EPERM,
    errno.EROFS,
)


def told(error: Exception) -> SendoffError:
    """The error in our form."""
    return (_refused(error) if isinstance(error, OSError) else None) or Internal(error)


def _refused(error: OSError) -> SendoffError | None:
    name = error.filename2 or error.filename
    # A descriptor has no name to tell.
    path = Path(os.fsdecode(name)) if isinstance(name, (str, bytes)) and name else None
    if disk.is_full(error):
        return disk.full(path.name, path.parent) if path else DiskFull("what was to be written")
    if path and error.errno in _REFUSALS:
        place = _place(path, error.errno)
        return FolderUnusable(str(place), _reason(error, place), _remedy(path, place))
    if error.errno == errno.ENOENT and not path and _is_gone():
        return FolderUnusable(
            "the current directory", "it was removed", "go to one that is there: cd DIR"
        )
    return None


def _place(path: Path, number: int) -> Path:
    """What there is of the path: who may do what there, decides what can be made below it."""
    if number == errno.ENOENT:
        return path
    return next((each for each in (path, *path.parents) if os.path.lexists(each)), path)


def _reason(error: OSError, place: Path) -> str:
    if error.errno in _NO_FOLDER and not place.is_dir():
        return "it is no folder"
    return error.strerror or str(error)


def _is_gone() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def _remedy(path: Path, place: Path) -> str:
    """The settings that would put it elsewhere; where there is none, how to see what is there."""
    names = []
    with suppress(OSError, SendoffError):
        names = [name for name, folder in _folders().items() if _meet(path.absolute(), folder)]
    if names:
        return "put it elsewhere: export " + " ".join(f"SENDOFF_{name}=DIR" for name in names)
    return f"name another place, or see whose it is: ls -ld {shlex.quote(str(place))}"


def _folders() -> dict[str, Path]:
    """The folders that sendoff writes to, by the variable that says where each is."""
    from sendoff.session import Session

    settings = Session.open(Path()).settings
    places = {"CACHE": str(settings.cache), "STATE": str(settings.state)}
    places |= {"REGISTRY": settings.registry, "STORE": settings.store}
    return {name: Path(place) for name, place in places.items() if place.startswith("/")}


def _meet(path: Path, folder: Path) -> bool:
    """Whether one of them is, or lies below, the other."""
    return path.is_relative_to(folder) or folder.is_relative_to(path)
