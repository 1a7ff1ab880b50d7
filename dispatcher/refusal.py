"""Why nothing was started for a run or an order: `runs/<run>/refusal.json`.

It is one word among others: where a target has the run after all, or the store anything of an
attempt, those count.
"""

from __future__ import annotations

from typing import Literal

from msgspec.structs import replace

from dispatcher.run import Failure, now
from dispatcher.status import IndexStatus
from dispatcher.store import Missing, RunKeys, Runs
from packer.record import Record, decode, encode

REFUSAL_FORMAT = "sendoff.refusal/1"


class Refusal(Record, frozen=True, tag_field="format", tag=REFUSAL_FORMAT):
    """`runs/<run>/refusal.json`: why nothing was started."""

    run: str
    at: str
    state: Literal["failed", "cancelled"]
    failure: Failure | None = None
    withdrawn: bool = False
    """Whether it was started after all, by the same key."""


def write(
    run_id: str, runs: Runs, state: Literal["failed", "cancelled"], failure: Failure | None
) -> None:
    """Note that nothing was started."""
    _put(Refusal(run=run_id, at=now(), state=state, failure=failure), runs)


def withdraw(run_id: str, runs: Runs) -> None:
    """Note that it was started after all, where there is word of the opposite."""
    if found := read(run_id, runs):
        _put(replace(found, withdrawn=True), runs)


def read(run_id: str, runs: Runs) -> Refusal | None:
    """Why nothing was started; None where that is not known."""
    try:
        found = decode(runs.store.get(RunKeys(run_id).refusal), Refusal)
    except Missing:
        return None
    return None if found.withdrawn else found


def status(index: int, refusal: Refusal) -> IndexStatus:
    """How an index is for which nothing was started."""
    return IndexStatus(index=index, state=refusal.state, ended=refusal.at, failure=refusal.failure)


def explains(status: IndexStatus) -> bool:
    """Whether nothing was ever started for an index: what failed otherwise has a manifest."""
    return status.state == "failed" and status.manifest is None


def _put(refusal: Refusal, runs: Runs) -> None:
    runs.store.put(RunKeys(refusal.run).refusal, encode(refusal))
