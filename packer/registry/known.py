"""What is known to be in a repository, so that nobody has to ask: a file for each of them.

It is believed for an hour, much shorter than a registry keeps what nothing refers to. A belief that
was wrong costs one refused manifest, after which all is asked for again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from packer import disk
from packer.digest import Digest
from packer.registry.reference import Repository

LIFETIME = 3600
"""Seconds."""

_LONGEST = 1 << 18
_DIGEST = len("sha256:") + 64


class KnownBlobs:
    """The memory of one repository, shared by all processes of a user; a loss of it costs time.

    Each line of its file is a time in seconds since the epoch and a digest.
    """

    def __init__(self, cache: Path, repository: Repository) -> None:
        name = sha256(str(repository).encode()).hexdigest()[:32]
        self._path = cache / "registry" / "known" / name

    def recall(self) -> set[str]:
        """The digests of all blobs and manifests seen there within the last hour."""
        try:
            lines = self._path.read_text("ascii", "replace").splitlines()
        except FileNotFoundError:
            return set()
        now = time.time()
        fresh = [line for line in lines if _is_fresh(line, now)]
        if len(lines) * 80 > _LONGEST and len(fresh) < len(lines):
            disk.replace(self._path, "".join(f"{line}\n" for line in fresh).encode())
        return {line[-_DIGEST:] for line in fresh}

    def remember(self, digests: Iterable[Digest]) -> None:
        """Note that they are there now."""
        text = "".join(f"{int(time.time())} {digest}\n" for digest in digests)
        if not text:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with disk.room("what is known of the registry", self._path.parent):
            # One write, so that lines of several processes do not mix.
            writing = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            descriptor = os.open(self._path, writing, 0o666)
            try:
                os.write(descriptor, text.encode())
            finally:
                os.close(descriptor)

    def forget(self) -> None:
        """Believe nothing any more."""
        with suppress(FileNotFoundError):
            self._path.unlink()


def _is_fresh(line: str, now: float) -> bool:
    """Whether a line is whole and of the last hour; one from the future is from another clock."""
    when, _, digest = line.partition(" ")
    if not when.isdigit() or len(digest) != _DIGEST:
        return False
    return 0 <= now - int(when) < LIFETIME
