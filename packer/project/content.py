"""Reading a file once, and noticing when it changes meanwhile."""

from __future__ import annotations

import hashlib
import os
import stat
import time

from packer.project import file_cache, listing
from packer.project.file_cache import Known
from packer.record import Record

_CHUNK = 1 << 20
_KEY_MARK = b"PRIVATE KEY-----"
_KEY_NAMES = (b".pem", b".key")


class Content(Record, frozen=True):
    """What one reading of a file found."""

    size: int
    """Bytes."""
    head: bytes
    known: Known
    is_private_key: bool


def read(path: bytes) -> Content | None:
    """Read the file at `path` to its end; None where it changed meanwhile.

    Raises:
        OSError: it cannot be read, is gone, or has become a link.
    """
    began = time.time_ns()
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        before = os.fstat(descriptor)
        first = os.read(descriptor, _CHUNK)
        sha256 = hashlib.sha256(first)
        size, data = len(first), first
        while data and size < before.st_size + 1:
            data = os.read(descriptor, _CHUNK)
            sha256.update(data)
            size += len(data)
        after = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    if size != before.st_size or not file_cache.same(before, after):
        return None
    executable = bool(before.st_mode & stat.S_IXUSR)
    head = listing.file_head(size, sha256.hexdigest(), executable=executable)
    return Content(
        size=size,
        head=head,
        known=file_cache.known(before, head, began),
        is_private_key=_is_private_key(path, first),
    )


def _is_private_key(path: bytes, start: bytes) -> bool:
    if _KEY_MARK not in start:
        return False
    return start.startswith(b"-----BEGIN ") or path.endswith(_KEY_NAMES)
