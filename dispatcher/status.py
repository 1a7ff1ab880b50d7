"""The state of a run, derived from what is known of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from dispatcher.run import FINAL, Failure, Manifest, State
from dispatcher.target import Seen
from packer.record import Record


class IndexStatus(Record, frozen=True):
    """One index of a run."""

    index: int
    state: State
    attempts: int = 0
    """Started so far."""
    exit_code: int | None = None
    started: str = ""
    ended: str = ""
    failure: Failure | None = None
    waiting: Failure | None = None
    """Why it does not go on; it may yet."""
    manifest: Manifest | None = None

    @property
    def final(self) -> bool:
        """Whether nothing more will become of it."""
        return self.state in FINAL


class RunStatus(Record, frozen=True):
    """A run and all its indexes."""

    run: str
    state: State
    indexes: tuple[IndexStatus, ...]

    @property
    def final(self) -> bool:
        """Whether nothing more will become of it."""
        return self.state in FINAL


class Started(Record, frozen=True):
    """`runs/<run>/<index>/<attempt>/attempt.json`: who runs an attempt, and since when."""

    run: str
    index: int
    attempt: int
    digest: str
    started: str
    host: str
    pid: int
    node: str = ""
    """The node of the cluster, where there is one."""


def of_index(
    index: int,
    manifest: Manifest | None,
    started: Started | None,
    lost: Failure | None,
    seen: Seen | None = None,
) -> IndexStatus:
    """What is known of an index says its state.

    `started` is its latest attempt, and `seen` what its target says of it. `lost` says why nobody
    looks after the run any more; it must have been found out before the manifest was looked for.
    """
    attempts = started.attempt if started else 0
    if manifest:
        return IndexStatus(
            index=index,
            state=manifest.state,
            attempts=max(attempts, manifest.attempt),
            exit_code=manifest.exit_code,
            started=manifest.started,
            ended=manifest.ended,
            failure=manifest.failure,
            manifest=manifest,
        )
    if seen and not lost:
        return IndexStatus(
            index=index,
            state=seen.state,
            attempts=max(attempts, seen.attempts),
            started=seen.started,
            waiting=seen.waiting,
        )
    return IndexStatus(
        index=index,
        state="lost" if lost else "running" if started else "queued",
        attempts=attempts,
        started=started.started if started else "",
        failure=lost,
    )


@lru_cache(maxsize=1 << 14)
def queued(index: int) -> IndexStatus:
    """An index of which nothing is known. One object for each: a run may have thousands."""
    return of_index(index, None, None, None)


def of_run(run: str, indexes: Sequence[IndexStatus]) -> RunStatus:
    """The run's own state: that of its indexes, the worst where they have all ended."""
    state = of_all([index.state for index in indexes])
    return RunStatus(run=run, state=state, indexes=tuple(indexes))


def of_all(states: Sequence[State]) -> State:
    """One state for several: the worst where all have ended."""
    order: tuple[State, ...] = ("failed", "timed-out", "lost", "cancelled", "succeeded")
    if all(state in FINAL for state in states):
        return next((state for state in order if state in states), "succeeded")
    return "queued" if set(states) == {"queued"} else "running"
