"""Trying again: as long as the server asks for, else at random and longer each time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_delay
from tenacity.wait import wait_random_exponential

from dispatcher.kubernetes.answers import Transient

T = TypeVar("T")

_LONGEST = 10.0
_JITTER = wait_random_exponential(multiplier=0.1, max=_LONGEST)


def again(attempt: Callable[[], T], first: Transient, patience: float, *, sent_ok: bool) -> T:
    """The result of a further attempt, after `first`, within `patience` seconds in all.

    With `sent_ok` false, an attempt whose request may have been carried out is the last.

    Raises:
        Transient: the last failure.
    """
    failures = [first]

    def step() -> T:
        if failures:
            raise failures.pop()
        return attempt()

    def may_help(error: BaseException) -> bool:
        return isinstance(error, Transient) and (sent_ok or not error.sent)

    def pause(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, Transient) else 0.0
        # More than is left would only end the attempts sooner.
        left = max(0.0, patience - (state.seconds_since_start or 0.0))
        return min(max(asked, _JITTER(state)), max(left / 2, 0.05))

    retrying = Retrying(
        retry=retry_if_exception(may_help),
        stop=stop_after_delay(patience),
        wait=pause,
        reraise=True,
    )
    return retrying(step)
