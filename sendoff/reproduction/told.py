"""Which runs' images were told of their end, as far as this machine knows.

`told/<hash of the store's address>/` below the state directory: an empty file for each such run, so
that nobody asks store or registry again. It may be deleted at any time.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sendoff.session import Session

AGAIN = 600.0
"""Seconds until a run is tried again of which telling failed, or the newest are looked at again."""
_PAUSE = 60.0
"""Seconds until any is tried again after one failed: their registry is likely the same."""


class Told:
    """What is known of the runs of a session's store. What can't be noted is found out again."""

    def __init__(self, session: Session) -> None:
        self._folder = session.places.of_store("told")
        self._failed = self._folder / "failed"
        self._looked = self._folder / "looked"

    def note(self, run_id: str) -> None:
        """Its images know of it."""
        self._touch(self._run(run_id))

    def note_failure(self, run_id: str, why: str) -> None:
        """Its images could not be told."""
        with suppress(OSError):
            self._failed.mkdir(parents=True, exist_ok=True)
            (self._failed / run_id).write_text(f"{why}\n", errors="replace")
            os.utime(self._failed)

    def due(self, run_id: str) -> bool:
        """Whether its images may have to be told, and somebody may try now."""
        if self._run(run_id).exists():
            return False
        return not _young(self._failed / run_id, AGAIN) and not _young(self._failed, _PAUSE)

    def may_look(self) -> bool:
        """Whether nobody has looked at the newest runs lately; from now on somebody has."""
        if _young(self._looked, AGAIN):
            return False
        self._touch(self._looked)
        return True

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Whether nobody else is about to tell; nobody begins in here."""
        self._folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            yield _taken(lock)
        finally:
            os.close(lock)

    def _run(self, run_id: str) -> Path:
        return self._folder / "runs" / run_id

    def _touch(self, path: Path) -> None:
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()


def _taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _young(path: Path, seconds: float) -> bool:
    try:
        return time.time() < path.stat().st_mtime + seconds
    except OSError:
        return False
