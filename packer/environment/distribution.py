"""One installed distribution, as its own metadata directory tells it.

Recording installed projects: packaging.python.org/specifications/recording-installed-packages.
"""

from __future__ import annotations

import csv
import json
import re
from base64 import urlsafe_b64decode
from binascii import Error as NotBase64
from pathlib import Path
from typing import Any

from packer.record import Record

INSTALLERS_OWN = frozenset(
    {
        "INSTALLER",
        "RECORD",
        "RECORD.jws",
        "RECORD.p7s",
        "REQUESTED",
        "direct_url.json",
        "uv_build.json",
        "uv_cache.json",
    }
)
"""Files of a metadata directory that the installer wrote: of this machine, not of the wheel."""

_DIST_INFO, _EGG_INFO = ".dist-info", ".egg-info"


class Recorded(Record, frozen=True):
    """One line of RECORD."""

    path: str
    """As written: relative to the site directory."""
    sha256: str = ""
    """Hex; empty where RECORD has none."""
    size: int = -1


class Distribution(Record, frozen=True):
    """What one metadata directory in a site directory says."""

    name: str
    """Normalized (PEP 503)."""
    version: str
    site: str
    """The directory that it is importable from."""
    metadata: str
    """The `.dist-info` or `.egg-info`, relative to `site`."""
    record: tuple[Recorded, ...] = ()
    has_record: bool = False
    tags: tuple[str, ...] = ()
    """The wheel's tags, such as "cp311-cp311-manylinux_2_17_x86_64"."""
    requires: tuple[str, ...] = ()
    """Requires-Dist, each as written."""
    installer: str = ""
    requested: bool = False
    """Asked for by name. Only pip tells: uv marks every distribution so."""
    source: dict[str, Any] = {}
    """`direct_url.json` (PEP 610); empty for a distribution from an index."""
    top_level: tuple[str, ...] = ()
    """Importable names, where there is no list of files to go by."""
    scripts: tuple[str, ...] = ()
    """Names of the console and GUI scripts that its entry points ask for."""

    @property
    def is_legacy(self) -> bool:
        """Whether it is an `.egg-info` of before wheels."""
        return self.metadata.endswith(_EGG_INFO)

    @property
    def is_editable(self) -> bool:
        """Whether the source is used in place (PEP 660)."""
        return bool(self.source.get("dir_info", {}).get("editable"))


def normalized(name: str) -> str:
    """`name` as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def is_metadata(name: str) -> bool:
    """Whether an entry of a site directory describes a distribution."""
    return name.endswith((_DIST_INFO, _EGG_INFO)) and not name.startswith("~")


def read(site: Path, metadata: str) -> Distribution | None:
    """The distribution that `site`/`metadata` describes; None where it names none.

    A half-removed installation leaves such a directory; Python's own tools overlook it as well.
    """
    folder = site / metadata
    legacy = metadata.endswith(_EGG_INFO)
    text = _text(folder if folder.is_file() else folder / ("PKG-INFO" if legacy else "METADATA"))
    headers = _headers(text)
    name, version = _first(headers, "name"), _first(headers, "version")
    if not name or not version:
        return None
    installer = _text(folder / "INSTALLER").strip()
    listing = _text(folder / "RECORD")
    files = parse_record(listing) or _legacy_files(site, metadata)
    return Distribution(
        name=normalized(name),
        version=version,
        site=str(site),
        metadata=metadata,
        record=files,
        has_record=bool(listing),
        tags=_tags(_text(folder / "WHEEL")),
        requires=tuple(value for key, value in headers if key == "requires-dist"),
        installer=installer,
        requested=installer == "pip" and (folder / "REQUESTED").exists(),
        source=_direct_url(_text(folder / "direct_url.json"), installer),
        top_level=() if files else _top_level(folder, name),
        scripts=_scripts(_text(folder / "entry_points.txt")),
    )


def parse_record(listing: str) -> tuple[Recorded, ...]:
    """The lines of a RECORD file."""
    rows = []
    for row in csv.reader(listing.splitlines()):
        if not row or not row[0]:
            continue
        path, digest, size = (*row, "", "")[:3]
        rows.append(
            Recorded(path=path, sha256=_hex(digest), size=int(size) if size.isdecimal() else -1)
        )
    return tuple(rows)


def _tags(text: str) -> tuple[str, ...]:
    return tuple(sorted(value for key, value in _headers(text) if key == "tag"))


def _hex(digest: str) -> str:
    algorithm, _, value = digest.partition("=")
    if algorithm != "sha256":
        return ""
    try:
        return urlsafe_b64decode(value + "=" * (-len(value) % 4)).hex()
    except (NotBase64, ValueError):
        return ""


def _headers(text: str) -> list[tuple[str, str]]:
    """The header fields up to the first empty line, keys in lower case, folded lines left out."""
    found = []
    for line in text.splitlines():
        if not line:
            break
        key, separator, value = line.partition(":")
        if separator and not line[0].isspace():
            found.append((key.strip().lower(), value.strip()))
    return found


def _first(headers: list[tuple[str, str]], key: str) -> str:
    return next((value for name, value in headers if name == key), "")


def _direct_url(text: str, installer: str) -> dict[str, Any]:
    # Conda builds leave the path of the machine that built the package.
    if not text or installer == "conda":
        return {}
    try:
        source = json.loads(text)
    except ValueError:
        return {}
    return source if isinstance(source, dict) else {}


def _legacy_files(site: Path, metadata: str) -> tuple[Recorded, ...]:
    """What an installation without RECORD says of its files, in the ways there were before it."""
    folder = site / metadata
    installed = _text(folder / "installed-files.txt").splitlines()
    if installed:
        return tuple(Recorded(path=f"{metadata}/{line}") for line in installed if line)
    return ()


def _top_level(folder: Path, name: str) -> tuple[str, ...]:
    listed = _text(folder / "top_level.txt").split()
    return tuple(listed) or (normalized(name).replace("-", "_"),)


def _scripts(text: str) -> tuple[str, ...]:
    """Names in the two groups that installers make launchers for (entry points specification)."""
    found, wanted = [], False
    for line in text.splitlines():
        if line.startswith("["):
            wanted = line.strip() in {"[console_scripts]", "[gui_scripts]"}
        elif wanted and "=" in line and not line.startswith(("#", ";")):
            found.append(line.partition("=")[0].strip())
    return tuple(sorted(found))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""
