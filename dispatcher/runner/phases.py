"""Where the seconds of an attempt go, as far as whoever runs it knows."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_DIGITS = 4


class Phases:
    """A clock for one attempt. What came before it is told, and nothing is made up."""

    def __init__(self, before: Mapping[str, float], placed: float) -> None:
        """`before` has `queued` and `pulling`, where they are known.

        `placed` is when the attempt had its place, by this machine's monotonic clock; 0 where
        nobody knows.
        """
        self._seconds = dict(before)
        self._placed = placed
        self._ended = 0.0

    def start(self) -> None:
        """The command starts now, or it turns out that it never will."""
        self._began = time.monotonic()
        if self._placed:
            self._seconds["starting"] = max(0.0, self._began - self._placed)

    def end(self, wall: float) -> None:
        """The command has run for so many seconds."""
        self._seconds["running"] = wall
        self._ended = self._began + wall

    def forget(self) -> None:
        """What was told was of an earlier attempt."""
        self._seconds.pop("queued", None)
        self._seconds.pop("pulling", None)

    def record(self) -> dict[str, float]:
        """The phases so far; that of storing the results ends now."""
        if self._ended:
            self._seconds["uploading"] = time.monotonic() - self._ended
        return {name: round(seconds, _DIGITS) for name, seconds in self._seconds.items()}
