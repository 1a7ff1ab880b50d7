r"""Stored records: frozen msgspec structs as canonical JSON.

The bytes of a record depend on its content alone: fields and keys sorted, no white space, UTF-8.
File names that are not UTF-8 travel as lone surrogates (PEP 383), written as `\udcXX` escapes.
"""

from __future__ import annotations

import json
from _thread import allocate_lock
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from packer.digest import Digest

T = TypeVar("T")
_learning = allocate_lock()
_known: set[Any] = set()


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of everything that is stored or passed between steps."""


def decodable(kind: type[T]) -> type[T]:
    """`kind`, which any thread may decode into from now on.

    msgspec learns what a struct has when one is first decoded, and lets other threads see what it
    has learnt by half: they end by SIGSEGV (msgspec 0.22, `StructInfo`).
    """
    if kind not in _known:
        with _learning:
            msgspec.json.Decoder(kind)
            _known.add(kind)
    return kind


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
            return msgspec.json.decode(data, type=decodable(kind), dec_hook=_decode_hook)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            # It is not JSON, or what Python alone takes for it.
            pass
    return msgspec.convert(json.loads(data), decodable(kind), dec_hook=_decode_hook)


def _encode_hook(value: Any) -> Any:
    if isinstance(value, str):
        return str(value)
    raise NotImplementedError(type(value))


def _decode_hook(kind: type[Any], value: Any) -> Any:
    if issubclass(kind, Digest):
        return _digest(value)
    raise NotImplementedError(kind)


@lru_cache(maxsize=256)
def _digest(value: str) -> Digest:
    """One object for each: thousands of inputs of a run have the same."""
    return Digest(value)
