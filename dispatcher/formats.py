"""Reading records whose format has a version: what is newer than this sendoff is said to be so."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from dispatcher.errors import RecordDamaged, RecordNewer, RecordUnreadable
from packer.record import decode

T = TypeVar("T")


def read(what: str, data: bytes, kind: type[T]) -> T:
    """The record of type `kind` in `data`; `what` names it to people.

    Raises:
        RecordNewer: its format, or that of a record in it, is a later one.
        RecordDamaged: it is no JSON.
        RecordUnreadable: it has another shape.
    """
    import msgspec

    try:
        return decode(data, kind)
    except (msgspec.ValidationError, ValueError) as error:
        try:
            content = json.loads(data)
        except ValueError:
            raise RecordDamaged(what, str(error) if data else "it is empty") from error
        newer = _newer(content, kind)
        if newer:
            raise RecordNewer(what, newer) from error
        raise RecordUnreadable(what, str(error)) from error


def _newer(content: Any, kind: type[Any]) -> str:
    """The first format in `content` that is a later one than this version's; empty for none."""
    known = dict(map(_split, _known(kind)))
    for found in _formats(content):
        name, version = _split(found)
        if version > known.get(name, version):
            return f"{found}; this version reads {name}/{known[name]}"
    return ""


def _known(kind: type[Any]) -> list[str]:
    from dispatcher.run import MANIFEST_FORMAT, RUN_FORMAT

    own = getattr(getattr(kind, "__struct_config__", None), "tag", None)
    return [RUN_FORMAT, MANIFEST_FORMAT, *([own] if isinstance(own, str) else [])]


def _split(text: str) -> tuple[str, int]:
    name, _, number = text.rpartition("/")
    return name, int(number) if number.isdigit() else 0


def _formats(content: Any) -> list[str]:
    """The formats of a document and of the records in it."""
    if isinstance(content, list):
        return [each for part in content for each in _formats(part)]
    if not isinstance(content, dict):
        return []
    own = content.get("format")
    inner = [each for part in content.values() for each in _formats(part)]
    return [own, *inner] if isinstance(own, str) else inner
