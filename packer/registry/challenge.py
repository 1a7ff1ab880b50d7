"""What a registry answers to who has not shown a login (RFC 9110, section 11.6.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from packer.record import Record

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - a grammar
_PARAMETER = re.compile(rf'\s*({_TOKEN})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|({_TOKEN}))\s*')
_SCHEME = re.compile(rf"\s*({_TOKEN})(?:\s+|\s*(?=,)|\Z)")
_COMMA = re.compile(r"\s*,[\s,]*")


class Challenge(Record, frozen=True):
    """One way to prove who we are."""

    scheme: str
    """In lower case: "basic", "bearer"."""
    parameters: dict[str, str] = {}
    """Names in lower case."""


def parse(header: str) -> tuple[Challenge, ...]:
    """The challenges of a WWW-Authenticate header, in order; what breaks its grammar ends it."""
    return tuple(_challenges(header))


def _challenges(header: str) -> Iterator[Challenge]:
    position = 0
    while scheme := _SCHEME.match(header, position):
        parameters: dict[str, str] = {}
        position = scheme.end()
        while parameter := _PARAMETER.match(header, position):
            name, quoted, plain = parameter.groups()
            value = plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
            parameters[name.lower()] = value
            position = parameter.end()
            comma = _COMMA.match(header, position)
            if not comma:
                break
            position = comma.end()
        yield Challenge(scheme=scheme[1].lower(), parameters=parameters)
        if comma := _COMMA.match(header, position):
            position = comma.end()
        if position >= len(header):
            return
