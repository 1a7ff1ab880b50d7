"""JSON Schema of what tools take and answer, and the way of values to and from JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from packer.record import Record, decodable
from sendoff.errors import Misuse

T = TypeVar("T", bound=Record)

_ROOT = "#/$defs/{name}"


def of(kind: type[Record]) -> dict[str, Any]:
    """The schema of a record, an object at its root, as MCP wants it."""
    (_,), parts = msgspec.json.schema_components(
        [kind], schema_hook=_plain_kind, ref_template=_ROOT
    )
    root = dict(parts.pop(kind.__name__))
    return {**root, "$defs": dict(parts)} if parts else root


def read(arguments: Mapping[str, Any], kind: type[T]) -> T:
    """The question that a tool's arguments are.

    Raises:
        Misuse: they are none; the words say where.
    """
    try:
        return msgspec.convert(dict(arguments), decodable(kind))
    except msgspec.ValidationError as error:
        raise Misuse(
            "the arguments are not what the tool takes",
            str(error),
            "call it with arguments as its inputSchema has them",
        ) from None


def written(answer: Record) -> dict[str, Any]:
    """An answer as JSON can say it: no lone surrogates, and numbers that are none in words."""
    found: dict[str, Any] = _clean(msgspec.to_builtins(answer, enc_hook=str))
    return found


def _plain_kind(kind: type) -> dict[str, Any]:
    if issubclass(kind, str):
        return {"type": "string"}
    raise NotImplementedError(kind)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode(errors="surrogateescape").decode(errors="replace")
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if isinstance(value, dict):
        return {str(_clean(key)): _clean(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(part) for part in value]
    return value
