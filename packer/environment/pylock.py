"""The lock as a `pylock.toml` (PEP 751): wheels as packages, the rest under `[tool.sendoff]`.

Any tool that reads the format installs the wheels. The text depends on the lock alone.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote_from_bytes, unquote_to_bytes

import msgspec
from packaging.pylock import Package, PackageWheel, Pylock, PylockValidationError
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from packer.environment.lock import FilesPin, Lock, PinnedFile, Recipe, WheelPin
from packer.record import decodable

_TABLES = frozenset({"packages", "tool", "sendoff", "files"})
"""Keys whose values are written as tables of their own; all others are written in line."""


def write(lock: Lock) -> str:
    """The text of `lock`."""
    document = Pylock(
        lock_version=Version("1.0"),
        created_by="sendoff",
        requires_python=SpecifierSet(f"=={lock.minor}.*"),
        packages=[_package(pin) for pin in lock.wheels],
        tool={"sendoff": _own(lock)},
    )
    document.validate()
    return "".join(_table(document.to_dict(), ()))


def read(text: str) -> Lock:
    """The lock that `write` made `text` of.

    Raises:
        ValueError: it is not such a text.
    """
    try:
        document = Pylock.from_dict(tomllib.loads(text))
        own = (document.tool or {})["sendoff"]
        return Lock(
            python=own["python"],
            platform=own["platform"],
            wheels=tuple(_wheel(package) for package in document.packages),
            files=tuple(_files_pin(entry) for entry in own.get("files", ())),
            overlay=tuple(_pinned(entry) for entry in own.get("overlay", ())),
            removed=tuple(map(_path, own.get("removed", ()))),
        )
    except (KeyError, TypeError, AttributeError, PylockValidationError) as error:
        raise ValueError(f"not a lock of sendoff: {error!r}") from error


def _package(pin: WheelPin) -> Package:
    # PEP 440 knows several spellings of a version, and packaging writes one.
    own: dict[str, Any] = {}
    if str(Version(pin.version)) != pin.version:
        own["version"] = pin.version
    if pin.built:
        own["built"] = msgspec.to_builtins(pin.built)
    return Package(
        name=canonicalize_name(pin.name),
        version=Version(pin.version),
        wheels=[
            PackageWheel(
                name=pin.filename,
                url=pin.url or None,
                # A wheel that was a file is looked for beside the lock.
                path=None if pin.url else pin.filename,
                size=pin.size,
                hashes={"sha256": pin.sha256},
            )
        ],
        tool={"sendoff": own} if own else None,
    )


def _wheel(package: Package) -> WheelPin:
    (wheel,) = package.wheels or ()
    own = (package.tool or {}).get("sendoff", {})
    return WheelPin(
        name=package.name,
        version=own.get("version", str(package.version)),
        filename=wheel.name or wheel.path or "",
        sha256=wheel.hashes["sha256"],
        size=wheel.size or 0,
        url=wheel.url or "",
        built=msgspec.convert(own["built"], decodable(Recipe)) if "built" in own else None,
    )


def _own(lock: Lock) -> dict[str, Any]:
    found: dict[str, Any] = {"python": lock.python, "platform": lock.platform}
    if lock.removed:
        found["removed"] = [_text(path) for path in lock.removed]
    if lock.files:
        found["files"] = [
            {
                "name": pin.name,
                "version": pin.version,
                "origin": pin.origin,
                "contents": list(map(_entry, pin.files)),
            }
            for pin in lock.files
        ]
    if lock.overlay:
        found["overlay"] = list(map(_entry, lock.overlay))
    return found


def _files_pin(entry: Mapping[str, Any]) -> FilesPin:
    return FilesPin(
        name=entry["name"],
        version=entry["version"],
        origin=entry["origin"],
        files=tuple(map(_pinned, entry["contents"])),
    )


def _entry(file: PinnedFile) -> dict[str, Any]:
    return {**msgspec.to_builtins(file), "path": _text(file.path)}


def _pinned(entry: Mapping[str, Any]) -> PinnedFile:
    return msgspec.convert({**entry, "path": _path(entry["path"])}, decodable(PinnedFile))


def _text(path: str) -> str:
    """A path as TOML can hold it: one that is not UTF-8, or looks so, quoted after `raw:`."""
    plain = path.isprintable() and not path.startswith("raw:")
    return path if plain else "raw:" + quote_from_bytes(os.fsencode(path))


def _path(text: str) -> str:
    raw = text.removeprefix("raw:")
    return text if raw == text else os.fsdecode(unquote_to_bytes(raw))


def _table(table: Mapping[str, Any], name: tuple[str, ...]) -> Iterator[str]:
    """A table's own values, then the tables in it (TOML 1.0, "Table", "Array of Tables")."""
    for key, value in table.items():
        if key not in _TABLES or value == []:
            yield f"{key} = {_value(value)}\n"
    for key, value in table.items():
        path = ".".join((*name, key))
        if key in _TABLES and isinstance(value, list):
            for each in value:
                yield f"\n[[{path}]]\n"
                yield from _table(each, (*name, key))
        elif key in _TABLES:
            if set(value) - _TABLES:
                yield f"\n[{path}]\n"
            yield from _table(value, (*name, key))


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[\n" + "".join(f"    {_value(each)},\n" for each in value) + "]"
    # A JSON string without surrogates is a TOML basic string, but for DEL (TOML 1.0, "String").
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
