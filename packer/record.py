r"""Stored records: frozen msgspec structs as canonical JSON.

The bytes of a record depend on its content alone: fields and keys sorted, no white space, UTF-8.
File names that are not UTF-8 travel as lone surrogates (PEP 383), written as `\udcXX` escapes.
"""

from __future__ import annotations

import json
from typing import Any, TypeVar

import msgspec

from packer.digest import Digest

T = TypeVar("T")


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of everything that is stored or passed between steps."""


def encode(value: Any) -> bytes:
    """The canonical JSON of `value`."""
    return json.dumps(
        msgspec.to_builtins(value, enc_hook=_encode_hook),
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=True,
    ).encode()


def decode(data: bytes | str, kind: type[T]) -> T:
    """The value of type `kind` that `data` holds.

    Raises:
        msgspec.ValidationError: the JSON has another shape.
        ValueError: it is not JSON.
    """
    # Lone surrogates, which msgspec's own parser refuses, are only written as escapes.
    if not (b"\\ud" in data if isinstance(data, bytes) else "\\ud" in data):
        try:
            return msgspec.json.decode(data, type=kind, dec_hook=_decode_hook)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            # It is not JSON, or what Python alone takes for it.
            pass
    return msgspec.convert(json.loads(data), kind, dec_hook=_decode_hook)


def _encode_hook(value: Any) -> Any:
    if isinstance(value, str):
        return str(value)
    raise NotImplementedError(type(value))


def _decode_hook(kind: type[Any], value: Any) -> Any:
    if issubclass(kind, Digest):
        return Digest(value)
    raise NotImplementedError(kind)
