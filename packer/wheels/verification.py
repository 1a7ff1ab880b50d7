"""Whether a file on this machine is the wheel that is pinned.

Hashing gigabytes costs as much as making layers of them. So a file that was hashed has a stamp
beside it, and is believed for as long as it is the one that was hashed, as a project's files are
(`packer.project.file_cache`).
"""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import msgspec

from packer.digest import Digest
from packer.environment.lock import WheelPin
from packer.project import file_cache
from packer.project.file_cache import Known
from packer.wheels.errors import WheelHashMismatch

_WORTH = 1 << 20
"""Bytes from which on a file has a stamp: what is smaller is hashed as quickly."""


def verify(pin: WheelPin, path: Path) -> None:
    """See to it that the file at `path` is the wheel.

    Raises:
        WheelHashMismatch
    """
    stamp = _stamp(path)
    if not (stamp and stamp.head == bytes.fromhex(pin.sha256) and stamp.matches(path.stat())):
        _hash(pin, path)


def require(pin: WheelPin, path: Path) -> None:
    """As `verify`, but believing no stamp; a file that is another goes, so that the next who asks
    has it fetched anew.

    Raises:
        WheelHashMismatch
    """
    try:
        _hash(pin, path)
    except WheelHashMismatch:
        path.unlink(missing_ok=True)
        raise


def hashed(path: Path, sha256: bytes) -> None:
    """The file was hashed while it was written. (That nobody wrote to it since is its caller's.)"""
    stat = path.stat()
    times = (stat.st_mtime_ns, stat.st_ctime_ns)
    _keep(path, Known(stat.st_size, *times, stat.st_ino, sha256))


def _hash(pin: WheelPin, path: Path) -> None:
    begun, stat = time.time_ns(), path.stat()
    actual = Digest.of_file(path).hex
    if actual != pin.sha256:
        raise WheelHashMismatch(pin.filename, pin.sha256, actual, str(path))
    _keep(path, file_cache.known(stat, bytes.fromhex(actual), begun))


def _keep(path: Path, stamp: Known) -> None:
    # One that is cut short says nothing.
    if stamp.size >= _WORTH:
        with suppress(OSError):
            _beside(path).write_bytes(msgspec.msgpack.encode(stamp))


def _stamp(path: Path) -> Known | None:
    try:
        return msgspec.msgpack.decode(_beside(path).read_bytes(), type=Known)
    except (OSError, msgspec.MsgspecError):
        return None


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.verified")
