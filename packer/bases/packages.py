"""The packages of an image: dpkg's own database, and wheels that were laid beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from packer.bases import contents
from packer.bases.contents import ImageContents
from packer.images.layout import Layout
from packer.record import Record

STATUS = "var/lib/dpkg/status"
_RELEASES = ("usr/lib/os-release", "etc/os-release")
_DIST_INFO = re.compile(r"(?:.*/)?([^/-]+)-([^/-]+)\.dist-info/METADATA")
# Those that Python's own ensurepip or a system's site-packages have are Debian packages.
_OF_DEBIAN = "dist-packages/"


class Package(Record, frozen=True):
    """One package and the version of it."""

    name: str
    version: str
    kind: str = "deb"
    """ "deb", "pypi", or "generic"."""
    architecture: str = ""
    source: str = ""
    """The Debian source package, where that has another name: "glibc"."""


class Packages(Record, frozen=True):
    """All of an image."""

    distribution: str
    """As os-release has it: "debian-12"."""
    packages: tuple[Package, ...]


def of_image(layout: Layout, image: ImageContents, python: Package | None = None) -> Packages:
    """What is installed in an image; `python`: an interpreter that is no package of dpkg.

    Raises:
        LayoutDamaged
    """
    found = contents.files(layout, image, _wanted)
    release = next((found[path] for path in _RELEASES if path in found), b"")
    listed = [*of_dpkg(found.get(STATUS, b"").decode(errors="replace")), *_wheels(found)]
    if python:
        listed.append(python)
    listed.sort(key=lambda each: (each.kind, each.name, each.version))
    return Packages(distribution=_distribution(release.decode()), packages=tuple(listed))


def stanzas(text: str) -> Iterator[dict[str, str]]:
    """The first lines of the fields of each stanza (deb822(5))."""
    for stanza in re.split(r"\n\s*\n", text):
        yield dict(re.findall(r"^([A-Za-z0-9-]+):[ \t]*(.*)$", stanza, re.MULTILINE))


def of_dpkg(status: str) -> Iterator[Package]:
    """What is installed by dpkg's status file."""
    for fields in stanzas(status):
        if fields.get("Status", "").endswith(" installed") and "Package" in fields:
            source = fields.get("Source", "").partition(" ")[0]
            yield Package(
                name=fields["Package"],
                version=fields.get("Version", ""),
                architecture=fields.get("Architecture", ""),
                source="" if source == fields["Package"] else source,
            )


def _wanted(path: str) -> bool:
    return path == STATUS or path in _RELEASES or bool(_wheel(path))


def _wheel(path: str) -> re.Match[str] | None:
    return None if _OF_DEBIAN in path else _DIST_INFO.fullmatch(path)


def _wheels(found: Mapping[str, bytes]) -> Iterator[Package]:
    for path in found:
        if wheel := _wheel(path):
            yield Package(name=wheel[1].replace("_", "-").lower(), version=wheel[2], kind="pypi")


def _distribution(release: str) -> str:
    fields = {
        name: value.strip('"')
        for name, _, value in (line.partition("=") for line in release.splitlines())
    }
    return "-".join(filter(None, (fields.get("ID", ""), fields.get("VERSION_ID", ""))))
