"""Locks between processes: they end with whoever holds them, even if it is killed."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path


@contextmanager
def locked(path: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold the lock file `path`, alone or `shared`, waiting for it as long as it takes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def occupied(room: Path, *, alone: bool) -> Iterator[None]:
    """Be in `room`, with others who don't ask to be `alone` there.

    Who waits to be alone holds the door, so nobody enters before it and it can't wait for ever.
    """
    with ExitStack() as inside:
        with locked(room.with_suffix(".door")):
            inside.enter_context(locked(room, shared=not alone))
        yield
