"""A create that may have been done or not: when it is tried again, and when no more."""

from __future__ import annotations

import random
import time

from dispatcher.kubernetes.client import Client, Unanswered

PATIENCE = 60.0
"""Seconds for which a create whose answers get lost is repeated."""
LONGEST_WAIT = 20.0
"""Seconds between two attempts at most, whatever a server asks for."""
_SHORTEST, _LONGEST = 0.1, 5.0
_LAST_LOOK = 5.0
"""Seconds that finding out what was done may take at least, however late it is."""


class Doubt:
    """Paces the attempts at one create. Every attempt is followed by a look at what is there."""

    def __init__(self, client: Client) -> None:
        self._client, self._began = client, time.monotonic()
        self._pause = _SHORTEST

    @property
    def waited(self) -> float:
        """Seconds since the first attempt."""
        return time.monotonic() - self._began

    @property
    def left(self) -> float:
        """Seconds that a look may take."""
        return max(_LAST_LOOK, PATIENCE - self.waited)

    def wait(self, lost: Unanswered) -> None:
        """Wait as long as the server asks, else at random and longer each time."""
        pause = max(lost.retry_after, random.uniform(0, self._pause))  # noqa: S311 - spreads load
        self._pause = min(2 * self._pause, _LONGEST)
        time.sleep(max(0.0, min(pause, LONGEST_WAIT, PATIENCE - self.waited)))

    def judge(self, lost: Unanswered) -> None:
        """Let it be tried again, if there is time.

        Raises:
            ClusterFailing, ClusterUnreachable: time is up; what was answered last.
        """
        if self.waited >= PATIENCE:
            raise lost.final(self._client.host, self.waited) from lost
