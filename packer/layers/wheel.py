"""A wheel as the tree of files that installing it makes (PyPA, binary-distribution-format)."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import posixpath
from collections.abc import Iterable

from packer import image_paths
from packer.environment.lock import WheelPin
from packer.layers import scripts
from packer.layers.tree import MadeFile, TreeFile, WheelFile
from packer.layers.zip_archive import Member, ZipArchive, ZipDamaged
from packer.wheels.errors import WheelCorrupt

_NOT_OURS = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"})
"""Files of a `.dist-info` that say how it was installed; a wheel's own are not believed."""

_INSTALLER = b"sendoff\n"


def tree(pin: WheelPin, archive: ZipArchive, minor: str, removed: Iterable[str] = ()) -> _Files:
    """What the wheel puts below the prefix for Python `minor`, by path; without `removed`.

    Raises:
        WheelCorrupt: it is not a wheel, or holds what no wheel may.
    """
    try:
        return _Installation(pin, archive, minor).files(frozenset(removed))
    except (ZipDamaged, ValueError) as error:
        raise WheelCorrupt(pin.filename, str(error)) from error


_Files = dict[str, TreeFile]


class _Installation:
    def __init__(self, pin: WheelPin, archive: ZipArchive, minor: str) -> None:
        self._archive = archive
        self._members = _by_name(archive.members)
        self._info = _dist_info(self._members)
        site = image_paths.site_packages(minor)
        self._site = site
        self._schemes = {
            "purelib": site,
            "platlib": site,
            "headers": image_paths.headers(minor, pin.name),
            "data": "",
        }
        self._check_version()

    def files(self, removed: frozenset[str]) -> _Files:
        files: _Files = {}
        hashes = self._hashes()
        record: list[tuple[str, str, int | str]] = []
        for name, member in self._members.items():
            file = self._placed(name, member)
            if file is None or file.path in removed:
                continue
            if file.path in files:
                raise ValueError(f"two of its members are {file.path}")
            files[file.path] = file
            known = hashes.get(name) if isinstance(file, WheelFile) else None
            record.append((file.path, known or _hash(file.content()), _size(file)))
        for made in self._made():
            if made.path not in removed:
                files[made.path] = made
                record = [row for row in record if row[0] != made.path]
                record.append((made.path, _hash(made.data), len(made.data)))
        files |= self._record(record)
        _refuse_nested(files)
        return files

    def _placed(self, name: str, member: Member) -> TreeFile | None:
        top, _, rest = name.partition("/")
        if (top == self._info and rest in _NOT_OURS) or _is_bytecode_cache(name):
            return None
        if not (top.endswith(".data") and rest):
            return WheelFile(f"{self._site}/{name}", self._archive, member, member.executable)
        scheme, _, rest = rest.partition("/")
        if scheme == "scripts":
            return self._script(rest, member)
        if scheme not in self._schemes or not rest:
            raise ValueError(f"{name} belongs to no scheme of the specification")
        path = posixpath.join(self._schemes[scheme], rest)
        return WheelFile(path, self._archive, member, member.executable)

    def _script(self, name: str, member: Member) -> TreeFile:
        path = f"bin/{name}"
        content = self._archive.content(member)
        placed = scripts.placed(content)
        if placed is content:
            return WheelFile(path, self._archive, member, executable=True)
        return MadeFile(path, placed, executable=True)

    def _made(self) -> Iterable[MadeFile]:
        for name, program in scripts.launchers(self._text("entry_points.txt")).items():
            yield MadeFile(f"bin/{_safe(name)}", program, executable=True)
        yield MadeFile(f"{self._site}/{self._info}/INSTALLER", _INSTALLER)

    def _record(self, rows: list[tuple[str, str, int | str]]) -> _Files:
        """The RECORD of what is in the tree; bytecode is not in it, as it can be made anew."""
        path = f"{self._site}/{self._info}/RECORD"
        text = io.StringIO(newline="")
        lines = csv.writer(text, lineterminator="\n")
        for row_path, digest, size in sorted([*rows, (path, "", "")]):
            # Rooted, so that nobody asks for the working directory.
            below = posixpath.relpath(f"/{row_path}", f"/{self._site}")
            lines.writerow((below, digest, size))
        return {path: MadeFile(path, text.getvalue().encode("utf-8", "surrogateescape"))}

    def _hashes(self) -> dict[str, str]:
        """Member name → its hash by the wheel's own RECORD; the wheel as a whole is verified."""
        rows = csv.reader(io.StringIO(self._text("RECORD"), newline=""))
        return {
            row[0]: row[1].rstrip("=")
            for row in rows
            if len(row) > 1 and row[1].startswith("sha256=")
        }

    def _check_version(self) -> None:
        for line in self._text("WHEEL").splitlines():
            field, _, value = line.partition(":")
            if field.strip().lower() == "wheel-version":
                if value.strip().split(".")[0] != "1":
                    raise ValueError(f"its format {value.strip()} is not known")
                return
        raise ValueError("it has no WHEEL file with a Wheel-Version")

    def _text(self, name: str) -> str:
        member = self._members.get(f"{self._info}/{name}")
        return self._archive.content(member).decode("utf-8-sig") if member else ""


def _by_name(members: Iterable[Member]) -> dict[str, Member]:
    """Files by their normalized names; directories are implied by what is in them."""
    found: dict[str, Member] = {}
    for member in members:
        if member.is_directory:
            continue
        name = _safe(member.name)
        if name in found:
            raise ValueError(f"{name} is in it twice")
        found[name] = member
    return found


def _safe(name: str) -> str:
    """`name` without empty and `.` parts.

    Raises:
        ValueError: it would leave the directory it is meant for.
    """
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts or not parts or "\0" in name:
        raise ValueError(f"the path {name!r} leaves the environment")
    return "/".join(parts)


def _is_bytecode_cache(name: str) -> bool:
    """Some wheels ship what their builder's Python left; it names times that no file here has."""
    return name.endswith(".pyc") and name.rpartition("/")[0].endswith("__pycache__")


def _refuse_nested(files: _Files) -> None:
    folders = {path.rpartition("/")[0] for path in files}
    while parents := {path.rpartition("/")[0] for path in folders} - folders:
        folders |= parents
    for path in sorted(folders & files.keys()):
        raise ValueError(f"{path} is both a file and a directory in it")


def _dist_info(members: Iterable[str]) -> str:
    tops = {name.partition("/")[0] for name in members if "/" in name}
    found = sorted(top for top in tops if top.endswith(".dist-info"))
    if len(found) != 1:
        raise ValueError(f"it has {len(found)} .dist-info directories instead of one")
    return found[0]


def _hash(data: bytes) -> str:
    digest = hashlib.sha256(data).digest()
    return "sha256=" + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _size(file: TreeFile) -> int:
    return file.member.size if isinstance(file, WheelFile) else len(file.content())
