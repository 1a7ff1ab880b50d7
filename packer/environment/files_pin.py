"""A distribution as files: those of the sandbox, and what an installer would make anew."""

from __future__ import annotations

import csv
import hashlib
import io
import posixpath
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from packer.environment import programs
from packer.environment.environment import Installed
from packer.environment.installed_files import InstalledFile
from packer.environment.lock import FilesPin, PinnedFile
from packer.errors import DistUnresolvable
from packer.layers import scripts
from packer.record import Record
from packer.wheels.wheel_match import is_installers

_INSTALLER = b"sendoff\n"


class Content(Record, frozen=True):
    """A file to be pinned and where its bytes are."""

    path: str
    source: str | bytes
    """A path of this machine, or the bytes."""
    size: int
    sha256: str
    executable: bool = False

    @property
    def pinned(self) -> PinnedFile:
        """The machine-independent half."""
        return PinnedFile(
            path=self.path, size=self.size, sha256=self.sha256, executable=self.executable
        )


def installed_content(file: InstalledFile) -> Content:
    """A file of the sandbox as it arrives: a program of `bin/` starts the image's interpreter."""
    if file.path.startswith("bin/"):
        program = Path(file.source).read_bytes()
        moved = programs.relocated(program)
        if moved != program:
            return made_content(file.path, moved, executable=True)
    return Content(
        path=file.path,
        source=file.source,
        size=file.size,
        sha256=file.sha256,
        executable=file.executable,
    )


def made_content(path: str, data: bytes, *, executable: bool = False) -> Content:
    """A file made here."""
    sha256 = hashlib.sha256(data).hexdigest()
    return Content(path=path, source=data, size=len(data), sha256=sha256, executable=executable)


def contents(
    installed: Installed, packages: str, replaced: Mapping[str, bytes] | None = None
) -> tuple[Content, ...]:
    """All that arrives of a distribution without a wheel, sorted by path.

    `replaced` gives files another content (an editable's `.pth`). Launchers, INSTALLER and RECORD
    are made, so that they tell nothing of this machine or of who installed.
    """
    found = installed.distribution
    launchers = {f"bin/{name}" for name in found.scripts}
    replaced = replaced or {}
    files = {
        file.path: installed_content(file)
        for file in installed.files
        if not is_installers(file.path) and file.path not in launchers and file.path not in replaced
    }
    files.update((path, made_content(path, data)) for path, data in replaced.items())
    files.update((made.path, made) for made in _launchers(installed))
    if not found.is_legacy:
        info = f"{packages}/{found.metadata}"
        files[f"{info}/INSTALLER"] = made_content(f"{info}/INSTALLER", _INSTALLER)
        files[f"{info}/RECORD"] = _record(files.values(), packages, f"{info}/RECORD")
    return tuple(files[path] for path in sorted(files))


def pin(installed: Installed, files: Iterable[Content], origin: str) -> FilesPin:
    """The lock's entry for a distribution that arrives as `files`."""
    return FilesPin(
        name=installed.distribution.name,
        version=installed.distribution.version,
        files=tuple(file.pinned for file in files),
        origin=origin,
    )


def _launchers(installed: Installed) -> Iterator[Content]:
    found = installed.distribution
    text = Path(found.site, found.metadata, "entry_points.txt")
    present = {file.path for file in installed.files}
    try:
        made = scripts.launchers(text.read_text()) if found.scripts else {}
    except ValueError as error:
        remedy = f"install it anew: python -m pip install --force-reinstall {found.name}"
        raise DistUnresolvable(
            found.name, "its entry points are malformed", str(error), remedy
        ) from error
    for name, program in made.items():
        # One deleted by hand stays deleted.
        if f"bin/{name}" in present:
            yield made_content(f"bin/{name}", program, executable=True)


def _record(files: Iterable[Content], packages: str, path: str) -> Content:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    rows: list[tuple[str, str, int | str]] = [
        (posixpath.relpath(file.path, packages), _digest(file), file.size) for file in files
    ]
    rows.append((posixpath.relpath(path, packages), "", ""))
    rows.sort(key=lambda row: row[0])
    writer.writerows(rows)
    return made_content(path, text.getvalue().encode("utf-8", "surrogateescape"))


def _digest(file: Content) -> str:
    raw = urlsafe_b64encode(bytes.fromhex(file.sha256))
    return "sha256=" + raw.decode().rstrip("=")
