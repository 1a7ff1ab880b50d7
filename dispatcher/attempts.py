"""What the attempts at a run's indexes had, as the store and the target tell it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dispatcher import usage
from dispatcher.errors import RecordDamaged
from dispatcher.run import Run
from dispatcher.status import IndexStatus
from dispatcher.store import Runs
from dispatcher.usage import Held


def held(run: Run, indexes: Sequence[IndexStatus], runs: Runs, now: float) -> Iterator[Held | None]:
    """What each attempt had, at `now` seconds since the epoch; None for one that left no word."""
    yield from usage.of_statuses(run.request, indexes, now)
    for index in indexes:
        last = index.manifest.attempt if index.manifest else index.attempts
        for attempt in range(1, last):
            try:
                found = runs.interrupted(run.id, index.index, attempt)
            except RecordDamaged:
                found = None
            yield usage.of_manifest(run.request, found) if found else None
