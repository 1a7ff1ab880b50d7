"""Git's glob patterns as regular expressions over raw bytes (git's wildmatch.c).

Own code, because what is packed must be what git would have: pathspec 1.1 reads `[[:digit:]]` as a
set of letters, fails on `[z-a]`, lets `[!a]` match a slash, and matches text, where a name may be
any bytes. The tests compare whole trees and random patterns with git's own verdict.
"""

from __future__ import annotations

import re
import string

_NEVER = b"(?!)"
_CLASSES = {
    "alnum": string.ascii_letters + string.digits,
    "alpha": string.ascii_letters,
    "blank": " \t",
    "cntrl": "".join(map(chr, (*range(32), 127))),
    "digit": string.digits,
    "graph": "".join(map(chr, range(33, 127))),
    "lower": string.ascii_lowercase,
    "print": "".join(map(chr, range(32, 127))),
    "punct": string.punctuation,
    "space": string.whitespace,
    "upper": string.ascii_uppercase,
    "xdigit": string.hexdigits,
}


class _Malformed(Exception):
    """The pattern can match nothing."""


def translate(glob: bytes) -> bytes:
    """A regular expression, without anchors, that matches what `glob` does against a whole path.

    `*`, `?` and `[…]` never match a slash; `**` between slashes, or at an end, does.
    """
    try:
        return _translate(glob)
    except _Malformed:
        return _NEVER


def _translate(glob: bytes) -> bytes:
    out, at = bytearray(), 0
    while at < len(glob):
        byte = glob[at : at + 1]
        if byte == b"*":
            piece, at = _stars(glob, at)
        elif byte == b"?":
            piece, at = b"[^/]", at + 1
        elif byte == b"[":
            members, at = _bracket(glob, at + 1)
            piece = _set(members - {ord("/")})
        else:
            literal, at = _literal(glob, at)
            piece = re.escape(bytes([literal]))
        out += piece
    return bytes(out)


def _literal(glob: bytes, at: int) -> tuple[int, int]:
    if glob[at : at + 1] == b"\\":
        at += 1
    if at >= len(glob):
        raise _Malformed
    return glob[at], at + 1


def _stars(glob: bytes, start: int) -> tuple[bytes, int]:
    end = start
    while glob[end : end + 1] == b"*":
        end += 1
    bounded = (start == 0 or glob[start - 1 : start] == b"/") and (
        end == len(glob) or glob[end : end + 1] == b"/" or glob[end : end + 2] == b"\\/"
    )
    if end - start == 1 or not bounded:
        return b"[^/]*", end
    if glob[end : end + 1] == b"/":
        return b"(?:.*/)?", end + 1
    return b".*", end


def _bracket(glob: bytes, at: int) -> tuple[set[int], int]:
    """The bytes that `[…]` matches, and where it ends; `at` is behind the opening bracket."""
    negated = glob[at : at + 1] in (b"!", b"^")
    at += negated
    members: set[int] = set()
    previous = -1
    first = True
    while first or glob[at : at + 1] != b"]":
        first = False
        if glob[at : at + 1] == b"-" and previous >= 0 and glob[at + 1 : at + 2] not in (b"", b"]"):
            last, at = _literal(glob, at + 1)
            members.update(range(previous, last + 1))
            previous = -1
        elif glob[at : at + 2] == b"[:" and (end := glob.find(b"]", at + 2)) > 0:
            named, at = _named(glob, at, end)
            members.update(named)
            previous = -1 if len(named) != 1 or glob[at - 1 : at] == b"]" else ord("[")
        else:
            previous, at = _literal(glob, at)
            members.add(previous)
    return (set(range(256)) - members if negated else members), at + 1


def _named(glob: bytes, at: int, end: int) -> tuple[set[int], int]:
    """The members of `[:name:]`; where the colon is missing the bracket stands for itself."""
    if glob[end - 1 : end] != b":" or end - 1 < at + 2:
        return {ord("[")}, at + 1
    name = glob[at + 2 : end - 1].decode(errors="replace")
    if name not in _CLASSES:
        raise _Malformed
    return set(map(ord, _CLASSES[name])), end + 1


def _set(members: set[int]) -> bytes:
    if not members:
        return _NEVER
    return b"[" + b"".join(b"\\x%02x" % byte for byte in sorted(members)) + b"]"
