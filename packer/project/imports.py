"""Which modules a project's Python files import, as their text tells."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from packer import disk
from packer.project import listing
from packer.project.snapshot import Snapshot

_SUFFIXES = (b".py", b".ipynb")
# A notebook has each line of a cell in quotes.
_STATEMENT = re.compile(rb"(?:^|[;:\"'])[ \t]*(import|from)[ \t]+(\w[^#;\n]*)", re.MULTILINE)
_CALL = re.compile(rb"(?:import_module|__import__)\(\s*[\"'](\w+)")
_FIRST = re.compile(rb"\s*(\w+)")


def of(taken: Snapshot, project: Path, cache: Path) -> frozenset[str]:
    """First names of the modules that the Python files of `taken`, which is of `project`, import.

    Rather one too many than one too few: what stands in a docstring counts as well. A file that
    was read once is known by its content. `cache` is a directory for what is remembered.

    Raises:
        DiskFull
    """
    name = hashlib.sha256(os.fsencode(project.resolve())).hexdigest()[:32]
    memory = cache / "imports" / name
    known = _load(memory)
    files = _python_files(taken.listing)
    now = {
        sha256: known[sha256] if sha256 in known else _read(project, path)
        for sha256, path in files.items()
    }
    if now != known:
        disk.replace(memory, msgspec.msgpack.encode(now))
    return frozenset(name for names in now.values() for name in names)


def _python_files(text: bytes) -> dict[bytes, bytes]:
    """Their content's sha256 → path."""
    heads = (record.split(b" ", 3) for record in listing.records(text))
    return {head[2]: head[3] for head in heads if head[0] in b"fx" and head[3].endswith(_SUFFIXES)}


def _read(project: Path, path: bytes) -> list[str]:
    try:
        text = (project / os.fsdecode(path)).read_bytes()
    except OSError:
        # It went since; the next snapshot will say so.
        return []
    return sorted({name.decode(errors="replace") for name in _names(text)})


def _names(text: bytes) -> Iterator[bytes]:
    joined = text.replace(b"\r\n", b"\n").replace(b"\\\n", b" ")
    for word, what in _STATEMENT.findall(joined):
        for part in what.split(b",") if word == b"import" else [what]:
            if first := _FIRST.match(part):
                yield first[1]
    yield from _CALL.findall(text)


def _load(memory: Path) -> dict[bytes, list[str]]:
    try:
        return msgspec.msgpack.decode(memory.read_bytes(), type=dict[bytes, list[str]])
    except (OSError, msgspec.MsgspecError):
        return {}
