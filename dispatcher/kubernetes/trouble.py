"""One thing that is wrong, since when, and how long it may stay so."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from dispatcher.kubernetes.objects import Event
from dispatcher.run import Failure
from packer.record import Record

NEVER = math.inf
"""A grace that does not end."""
_EVIDENCE_LINES = 20
_LINE = 500

Blame = Literal["user", "infra", "capacity", "config"]


class Trouble(Record, frozen=True):
    """A failure, or what will be one if it stays."""

    failure: Failure
    since: float = 0
    """By the cluster's clock, in seconds since the epoch."""
    grace: float = 0
    """Seconds for which it is no reason to give up; 0 where nothing will come of it any more."""

    def over(self, now: float) -> bool:
        """Whether to give up."""
        return now >= self.since + self.grace


def trouble(
    code: str,
    message: str,
    *,
    blame: Blame,
    evidence: Iterable[str] = (),
    fix: str = "",
    phase: str = "schedule",
    retryable: bool | None = None,
    since: float = 0,
    grace: float = 0,
) -> Trouble:
    """A trouble; infrastructure and capacity are worth another try, the rest is not."""
    lines = [line[:_LINE] for text in evidence for line in text.strip().splitlines()]
    failure = Failure(
        code=code,
        phase=phase,
        blame=blame,
        retryable=blame in ("infra", "capacity") if retryable is None else retryable,
        message=message,
        evidence=tuple(lines[-_EVIDENCE_LINES:]),
        fix=fix,
    )
    return Trouble(failure=failure, since=since, grace=grace)


def seconds(timestamp: str | None) -> float:
    """A timestamp of the API, RFC 3339, as seconds since the epoch; 0 where there is none."""
    return datetime.fromisoformat(timestamp).timestamp() if timestamp else 0


def words(events: Iterable[Event], *reasons: str) -> list[str]:
    """What events with one of these reasons say, the latest first, each once."""
    said = (each.message for each in events if each.reason in reasons)
    return list(dict.fromkeys(reversed([*said])))
