"""The catalogue of base images: which there are, and what each is made from.

It is `catalogue.toml` of a folder that also holds the Dockerfiles: `base-images/` of a checkout,
and package data of an installed sendoff.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from packer.bases.errors import BaseNotInCatalogue, CatalogueMalformed
from packer.digest import Digest
from packer.record import Record, decodable

T = TypeVar("T")

FILE = "catalogue.toml"

_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
_MINOR = re.compile(r"3\.[0-9]{1,2}")
_VERSION = re.compile(r"3\.[0-9]{1,2}\.[0-9]{1,2}")
_NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_SNAPSHOT = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9.+-]+")


class Root(Record, frozen=True, forbid_unknown_fields=True):
    """The image of a distribution."""

    image: str
    """By a tag, which says what it is: "docker.io/library/debian:bookworm-slim"."""
    digest: Digest
    """What the tag stood for when it was pinned; this is what is built from."""
    snapshot: str = ""
    """Moment of snapshot.debian.org that packages come from, such as "20261015T000000Z"; empty for
    the sources that the root has."""
    glibc: str = ""
    """The version of its C library, such as "2.36"; empty where images do not tell it."""


class Python(Record, frozen=True, forbid_unknown_fields=True):
    """Where one Python minor comes from."""

    root: str
    version: str
    """In full, such as "3.11.2"."""
    packages: tuple[str, ...] = ()
    """Packages of the distribution."""
    uv: str = ""
    """The version of uv that installs it, where the distribution has none."""


class Entry(Record, frozen=True, forbid_unknown_fields=True):
    """One base."""

    folder: str
    about: str
    pythons: tuple[str, ...]
    """Minors, such as "3.11"."""
    on: str = ""
    """The base it is built upon; empty for the root itself."""
    cuda: str = ""
    """The CUDA line it brings, such as "12.9"; empty where wheels bring it, or nothing does."""
    driver: str = ""
    """The oldest NVIDIA driver; empty where none is needed."""


class Catalogue(Record, frozen=True, forbid_unknown_fields=True):
    """All of it, valid: what one entry names is there."""

    roots: dict[str, Root]
    pythons: dict[str, Python]
    bases: dict[str, Entry]

    def base(self, name: str) -> Entry:
        """The entry of that name.

        Raises:
            BaseNotInCatalogue
        """
        if name not in self.bases:
            raise BaseNotInCatalogue(name, tuple(self.bases))
        return self.bases[name]

    def with_cuda(self, major: str) -> tuple[str, ...]:
        """Bases that bring a line of this CUDA major."""
        lines = {name: entry.cuda for name, entry in self.bases.items() if entry.cuda}
        return tuple(name for name, line in lines.items() if line.partition(".")[0] == major)


def home() -> Path:
    """The folder of the catalogue that comes with sendoff."""
    package = Path(__file__).parents[1]
    installed = package / "base-images"
    return installed if installed.is_dir() else package.parent / "base-images"


def load(folder: Path) -> Catalogue:
    """The catalogue in `folder`.

    Raises:
        CatalogueMalformed: it cannot be read, or an entry has no meaning; it is named.
    """
    path = folder / FILE
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogueMalformed(str(path), "", str(error)) from error
    catalogue = parse(text, str(path))
    for name, entry in catalogue.bases.items():
        if not (folder / entry.folder / "Dockerfile").is_file():
            problem = f"there is no {entry.folder}/Dockerfile beside the catalogue"
            raise CatalogueMalformed(str(path), f"bases.{name}", problem)
    return catalogue


def parse(text: str, path: str = FILE) -> Catalogue:
    """The catalogue that `text` is; `path` is for words alone.

    Raises:
        CatalogueMalformed
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CatalogueMalformed(path, "", str(error)) from error
    if unknown := sorted(content.keys() - {"roots", "pythons", "bases"}):
        raise CatalogueMalformed(path, unknown[0], "nothing of that name belongs here")
    catalogue = Catalogue(
        roots=_table(content, "roots", Root, path),
        pythons=_table(content, "pythons", Python, path),
        bases=_table(content, "bases", Entry, path),
    )
    for place, problem in _problems(catalogue):
        raise CatalogueMalformed(path, place, problem)
    return catalogue


def _table(content: dict[str, Any], key: str, kind: type[T], path: str) -> dict[str, T]:
    table = content.get(key)
    if not isinstance(table, dict) or not table:
        raise CatalogueMalformed(path, key, "it has no entries")
    found = {}
    for name, value in table.items():
        try:
            found[name] = msgspec.convert(value, decodable(kind), dec_hook=_digest)
        except (msgspec.ValidationError, ValueError) as error:
            raise CatalogueMalformed(path, f"{key}.{name}", str(error)) from error
    return found


def _digest(kind: type[Any], value: Any) -> Any:
    if issubclass(kind, Digest) and isinstance(value, str):
        return Digest(value)
    raise ValueError(f"{value!r} is no {kind.__name__}")


def _problems(catalogue: Catalogue) -> list[tuple[str, str]]:
    """What has no meaning: where, and why."""
    found = []
    for name, root in catalogue.roots.items():
        if root.snapshot and not _SNAPSHOT.fullmatch(root.snapshot):
            found.append((f"roots.{name}", f"snapshot {root.snapshot!r} is no YYYYMMDDTHHMMSSZ"))
        if root.glibc and not _NUMBERS.fullmatch(root.glibc):
            found.append((f"roots.{name}", f"glibc {root.glibc!r} is no version"))
    for minor, python in catalogue.pythons.items():
        found += [(f"pythons.{minor}", each) for each in _of_python(minor, python, catalogue)]
    for name, entry in catalogue.bases.items():
        found += [(f"bases.{name}", each) for each in _of_entry(name, entry, catalogue)]
    return found


def _of_python(minor: str, python: Python, catalogue: Catalogue) -> list[str]:
    found = []
    if not _MINOR.fullmatch(minor):
        found.append("its name is no minor such as 3.11")
    if not _VERSION.fullmatch(python.version) or not python.version.startswith(f"{minor}."):
        found.append(f"version {python.version!r} is none of {minor}")
    if python.root not in catalogue.roots:
        found.append(f"there is no root {python.root!r}")
    if bool(python.packages) == bool(python.uv):
        found.append("it takes either packages or uv")
    if python.uv and not _NUMBERS.fullmatch(python.uv):
        found.append(f"uv {python.uv!r} is no version")
    found += [f"{each!r} is no package" for each in python.packages if not _PACKAGE.fullmatch(each)]
    return found


def _of_entry(name: str, entry: Entry, catalogue: Catalogue) -> list[str]:
    found = []
    if not _NAME.fullmatch(name) or not _NAME.fullmatch(entry.folder):
        found.append("names and folders have lower-case letters and digits, with . _ - between")
    if not entry.pythons:
        found.append("it has no pythons")
    strange = [each for each in entry.pythons if each not in catalogue.pythons]
    found += [f"there is no Python {each}" for each in strange]
    found += [
        f"{field} {value!r} is no version"
        for field, value in (("cuda", entry.cuda), ("driver", entry.driver))
        if value and not _NUMBERS.fullmatch(value)
    ]
    return found + _of_line(name, entry, catalogue)


def _of_line(name: str, entry: Entry, catalogue: Catalogue) -> list[str]:
    """What is wrong with what it is built upon."""
    seen = {name}
    while entry.on:
        if entry.on not in catalogue.bases:
            return [f"on: there is no base {entry.on!r}"]
        if entry.on in seen:
            return [f"on: it is built upon itself, by way of {entry.on!r}"]
        seen.add(entry.on)
        below = catalogue.bases[entry.on]
        if missing := sorted(set(entry.pythons) - set(below.pythons)):
            return [f"on: {entry.on} has no Python {missing[0]}"]
        entry = below
    return []
