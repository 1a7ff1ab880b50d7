"""Trying again what may get through, for a while."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from packer.registry.answer import Interrupted

if TYPE_CHECKING:
    import tenacity

T = TypeVar("T")

LONGEST_WAIT = 20.0
"""Seconds between two attempts at most, whatever a registry asks for."""


class Patience:
    """How long one thing is tried, and what ends all waiting at once."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._ended = threading.Event()

    @property
    def ended(self) -> bool:
        """Whether nothing is to be waited for any more."""
        return self._ended.is_set()

    def end(self) -> None:
        """Let everybody who waits for a next attempt give up now."""
        self._ended.set()

    def __call__(self, attempt: Callable[[], T]) -> T:
        """The result of `attempt`, which is made again while it is interrupted.

        Raises:
            Interrupted: no attempt got through before the time was over.
        """
        try:
            return attempt()
        except Interrupted as first:
            return self._again(attempt, first)

    def _again(self, attempt: Callable[[], T], first: Interrupted) -> T:
        # Most commands never come here, and the import costs as much as a push.
        import tenacity

        failed = [first]

        def next_attempt() -> T:
            if failed:
                raise failed.pop()
            return attempt()

        retrying = tenacity.Retrying(
            stop=tenacity.stop_any(
                tenacity.stop_before_delay(self.seconds),
                tenacity.stop_when_event_set(self._ended),
            ),
            wait=_wait,
            retry=tenacity.retry_if_exception_type(Interrupted),
            sleep=tenacity.sleep_using_event(self._ended),
            reraise=True,
        )
        return retrying(next_attempt)


def _wait(state: tenacity.RetryCallState) -> float:
    import random

    growing = min(5.0, 0.05 * 2.0 ** min(state.attempt_number, 10)) * random.uniform(0.5, 1)  # noqa: S311 - spreads load
    error = state.outcome.exception() if state.outcome else None
    asked = error.wait if isinstance(error, Interrupted) else 0.0
    return min(LONGEST_WAIT, max(asked, growing))
