"""What this machine knows of a run beside the store: whether its supervisor lives."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from dispatcher import diagnosis
from dispatcher.liveness import is_held
from dispatcher.places import Places
from dispatcher.run import Failure, Manifest
from dispatcher.target import Sight
from packer import disk
from packer.record import decode

_LOG_TAIL = 8192
_ROOM = 1 << 16
"""Bytes: with fewer, nothing that a supervisor does or says can be relied on to be written."""


class LocalView:
    """Looks at one run of this machine."""

    def __init__(self, run_id: str, places: Places) -> None:
        self._run_id, self._folder = run_id, places.supervisor(run_id)

    def look(self, indexes: Collection[int]) -> Sight:
        """Only the store knows of indexes, and any may have ended."""
        return Sight(ended=frozenset(indexes), lost=self._lost())

    def settle(self, indexes: Collection[int]) -> dict[int, Manifest]:
        """What became of indexes whose manifest the store did not take."""
        # One look at the folder: there may be many indexes, and none of them is there as a rule.
        try:
            names = set(os.listdir(self._folder))
        except FileNotFoundError:
            return {}
        kept = [index for index in indexes if f"{index}.json" in names]
        return {
            index: decode((self._folder / f"{index}.json").read_bytes(), Manifest) for index in kept
        }

    def close(self) -> None:
        """Nothing is open."""

    def _lost(self) -> Failure | None:
        """Why no supervisor looks after the run; None while one does.

        The supervisor holds a lock that ends with it, however it ends.
        """
        held = is_held(self._folder / "lock")
        if held:
            return None
        if held is None:
            return diagnosis.of_supervisor(self._run_id, "it was never started on this machine")
        log = _tail(self._folder / "supervisor.log")
        full = not log and disk.free(self._folder) < _ROOM
        return diagnosis.of_supervisor(self._run_id, log, str(self._folder) if full else "")


def _tail(path: Path) -> str:
    try:
        return path.read_bytes()[-_LOG_TAIL:].decode(errors="replace")
    except FileNotFoundError:
        return ""
