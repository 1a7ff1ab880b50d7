"""Runs that were ordered and whose images are still being packed, so that they have an id at once.

`runs/<run>/order.json` is written before packing begins. What becomes of it is either `run.json`,
and from then on the run is one like any other; or `answer.json`, which names an earlier run of the
same request; or `refusal.json`, which says why there is none (`refusal`).
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dispatcher import diagnosis, refusal
from dispatcher.liveness import is_held
from dispatcher.places import Places
from dispatcher.run import UNPACKED, Failure, Run, now
from dispatcher.status import IndexStatus
from dispatcher.store import Answer, Missing, RunKeys, Runs
from packer.errors import SendoffError
from packer.record import Record, decode, encode

LONGEST = timedelta(days=1)
"""After which nobody is believed to pack any more, where nobody here can tell."""


class Step(Record, frozen=True):
    """`runs/<run>/packing.json`: what its packing is busy with. For people; replaced at will."""

    said: str


def packed(run: Run) -> bool:
    """Whether the images of a run are known."""
    return run.environment != UNPACKED


def answer(run_id: str, earlier: str, runs: Runs) -> None:
    """Note that the run `earlier` answers for an order, and that nothing is run for it."""
    runs.store.put(RunKeys(run_id).answer, encode(Answer(run=earlier, at=now())))


def tell(run_id: str, runs: Runs, said: str) -> None:
    """Say what packing is busy with; where that can't be kept, nothing is lost."""
    with suppress(SendoffError, OSError):
        runs.store.put(RunKeys(run_id).packing, encode(Step(said=said)))


def statuses(run: Run, runs: Runs, *, lost: bool) -> tuple[IndexStatus, ...]:
    """How the indexes of an order are that has not become a run.

    `lost` is what `is_lost` said before the run's record was looked for.
    """
    count = len(run.request.inputs)
    refused = refusal.read(run.id, runs)
    if refused is None and lost:
        gone = diagnosis.of_packing(run.id)
        return tuple(IndexStatus(index=each, state="lost", failure=gone) for each in range(count))
    if refused:
        return tuple(refusal.status(each, refused) for each in range(count))
    waiting = Failure(
        code="PACKING",
        phase="packing",
        blame="infra",
        retryable=True,
        message=": ".join(filter(None, ("its images are being packed", _said(run.id, runs)))),
    )
    return tuple(IndexStatus(index=each, state="queued", waiting=waiting) for each in range(count))


def _said(run_id: str, runs: Runs) -> str:
    try:
        return decode(runs.store.get(RunKeys(run_id).packing), Step).said
    except Missing:
        return ""


def is_lost(run: Run, places: Places) -> bool:
    """Whether nobody packs for this order any more, as far as this machine can tell.

    Whoever packs holds a lock, which ends with it. On another machine only time tells.
    """
    held = is_held(_lock(places, run.id))
    if held is None:
        return datetime.now(UTC) - datetime.fromisoformat(run.created) > LONGEST
    return not held


@contextmanager
def held(run_id: str, places: Places) -> Iterator[int]:
    """A descriptor of the lock of an order, held until the last process that has it lets go."""
    path = _lock(places, run_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield lock
    finally:
        os.close(lock)


def _lock(places: Places, run_id: str) -> Path:
    return places.packing(run_id) / "lock"
