"""The source of a distribution that no wheel has: where it is, and what tells it from others."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from packer.record import Record

_COMPILED = (".c", ".cc", ".cpp", ".cxx", ".pyx", ".f", ".f90", ".h", ".hpp")
ARCHIVES = (".tar.gz", ".tgz", ".zip", ".tar.bz2", ".tar.xz")
"""Endings of source archives; sdists of today have the first (PEP 625)."""


class Source(Record, frozen=True):
    """What a wheel is built from."""

    name: str
    version: str
    url: str
    """Of an archive, or of a repository. Without credentials."""
    sha256: str = ""
    """Of an archive."""
    commit: str = ""
    """Of a git repository."""
    subdirectory: str = ""

    @property
    def filename(self) -> str:
        """The archive's name."""
        return posixpath.basename(self.url.partition("#")[0])

    @property
    def identity(self) -> str:
        """What decides its bytes, wherever they are had."""
        return self.sha256 or self.commit

    def __str__(self) -> str:
        return f"git {self.url}@{self.commit[:12]}" if self.commit else self.filename


def of_direct_url(name: str, version: str, source: dict[str, Any]) -> Source | None:
    """The source that `direct_url.json` tells of (PEP 610): a commit, or an archive of source."""
    url = source.get("url", "")
    vcs, archive = source.get("vcs_info") or {}, source.get("archive_info")
    subdirectory = source.get("subdirectory", "")
    if vcs.get("vcs") == "git" and vcs.get("commit_id"):
        return Source(
            name=name,
            version=version,
            url=url,
            commit=vcs["commit_id"],
            subdirectory=subdirectory,
        )
    if archive is None or not url.partition("#")[0].endswith(ARCHIVES):
        return None
    hashes = archive.get("hashes") or {}
    sha256 = hashes.get("sha256") or archive.get("hash", "").removeprefix("sha256=")
    return Source(name=name, version=version, url=url, sha256=sha256, subdirectory=subdirectory)


class BuildSystem(Record, frozen=True):
    """How a source is built (PEP 517, PEP 518)."""

    requires: tuple[str, ...] = ("setuptools>=40.8.0",)
    backend: str = "setuptools.build_meta:__legacy__"
    backend_path: tuple[str, ...] = ()

    @classmethod
    def read(cls, pyproject: bytes | None) -> BuildSystem:
        """What a `pyproject.toml` asks for; what pip takes where there is none.

        Raises:
            ValueError: it is not TOML.
        """
        import tomllib

        table = tomllib.loads((pyproject or b"").decode()).get("build-system", {})
        if "requires" not in table:
            return cls()
        return cls(
            requires=tuple(table["requires"]),
            backend=table.get("build-backend", "setuptools.build_meta:__legacy__"),
            backend_path=tuple(table.get("backend-path", ())),
        )


class Tree(Record, frozen=True):
    """A source as files, before it is built."""

    place: Path
    """An archive, or a directory."""
    names: tuple[str, ...]
    """Of all its files."""
    system: BuildSystem

    @property
    def compiles(self) -> bool:
        """Whether a compiler may be needed."""
        return any(name.endswith(_COMPILED) for name in self.names)


def read(place: Path, subdirectory: str = "") -> Tree:
    """What there is to build in an archive or a directory.

    Raises:
        ValueError: the archive, or its `pyproject.toml`, is not one.
    """
    if place.is_dir():
        files = [str(path.relative_to(place)) for path in place.rglob("*") if path.is_file()]
        text = place / subdirectory / "pyproject.toml"
        return _tree(place, files, text.read_bytes() if text.exists() else None)
    with _readable(place):
        return (_zipped if place.name.endswith(".zip") else _tarred)(place, subdirectory)


def modules(place: Path) -> frozenset[str]:
    """The sha256 of every Python module in an archive, wherever in it.

    Raises:
        ValueError: it is no archive.
    """
    with _readable(place):
        contents = (_zipped_modules if place.name.endswith(".zip") else _tarred_modules)(place)
        return frozenset(hashlib.sha256(each).hexdigest() for each in contents)


@contextmanager
def _readable(place: Path) -> Iterator[None]:
    import tarfile
    import zipfile

    try:
        yield
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError) as error:
        raise ValueError(f"{place.name} is no archive of source: {error}") from error


def _zipped_modules(place: Path) -> Iterator[bytes]:
    import zipfile

    with zipfile.ZipFile(place) as archive:
        for name in archive.namelist():
            if name.endswith(".py"):
                yield archive.read(name)


def _tarred_modules(place: Path) -> Iterator[bytes]:
    import tarfile

    with tarfile.open(place) as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.name.endswith(".py") else None
            if stream:
                yield stream.read()


def _zipped(place: Path, subdirectory: str) -> Tree:
    import zipfile

    with zipfile.ZipFile(place) as archive:
        names = archive.namelist()
        own = _own(names, subdirectory)
        return _tree(place, names, archive.read(own) if own else None)


def _tarred(place: Path, subdirectory: str) -> Tree:
    import tarfile

    with tarfile.open(place) as archive:
        names = archive.getnames()
        own = _own(names, subdirectory)
        stream = archive.extractfile(own) if own else None
        return _tree(place, names, stream.read() if stream else None)


def _own(names: Iterable[str], subdirectory: str) -> str:
    """The `pyproject.toml` at the top of the one folder in an archive."""
    wanted = posixpath.join(subdirectory, "pyproject.toml")
    return next((name for name in names if name.partition("/")[2] == wanted), "")


def _tree(place: Path, names: Iterable[str], pyproject: bytes | None) -> Tree:
    return Tree(place=place, names=tuple(names), system=BuildSystem.read(pyproject))
