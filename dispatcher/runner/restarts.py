"""Starts of a container whose engine starts it again: its file system stays, as in no pod."""

from __future__ import annotations

import os

from .working_copy import remove

_STARTS = "starts"
"""A file with one byte for each start."""


def earlier(scratch: str) -> int:
    """How often it was started before this time, which counts from now on.

    What those before have left is removed, so that each finds an empty folder.

    Raises:
        OSError: nothing can be written there.
    """
    starts = f"{scratch}/{_STARTS}"
    counting = os.open(starts, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        before = os.fstat(counting).st_size
        if before:
            # First: they may have left no room to count.
            _clear(scratch)
        os.write(counting, b".")
    finally:
        os.close(counting)
    return before


def _clear(scratch: str) -> None:
    for name in os.listdir(scratch):
        if name != _STARTS:
            remove(f"{scratch}/{name}")
