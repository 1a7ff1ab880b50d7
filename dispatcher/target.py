"""What a target is: where runs go."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, Protocol, Self

from dispatcher.request import Request
from dispatcher.run import Failure, Manifest, Run
from packer.record import Record


class Claim(Protocol):
    """The right to start one run, which one process has at a time."""

    def start(self, run: Run) -> None:
        """Start it; it goes on whatever becomes of this process."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class Seen(Record, frozen=True):
    """An index that has not ended, as its target sees it."""

    state: Literal["queued", "running"]
    attempts: int = 0
    started: str = ""
    waiting: Failure | None = None
    """Why it does not go on, where something is in its way."""


class Sight(Record, frozen=True):
    """One look at some indexes of a run."""

    ended: frozenset[int]
    """Those whose manifest is in the store by now, or will never be."""
    begun: frozenset[int] = frozenset()
    """Those of them that are known to have been started: no refusal is about them."""
    likely: frozenset[int] = frozenset()
    """Those whose manifest may be in the store."""
    seen: dict[int, Seen] = {}
    """What the target knows of those that have none; of others only the store knows."""
    lost: Failure | None = None
    """Why nobody looks after the run any more; None while somebody does."""


class View(Protocol):
    """Looks at one run, each time afresh."""

    def look(self, indexes: Collection[int]) -> Sight:
        """What can be seen of these indexes. Made before the store is asked for their manifests."""

    def settle(self, indexes: Collection[int]) -> dict[int, Manifest]:
        """What became of indexes that have ended and have no manifest, as far as that is known."""

    def close(self) -> None:
        """Look no more."""


class Target(Protocol):
    """Where runs go."""

    def admit(self, request: Request) -> None:
        """Refuse what can never run there, before anything is packed: images need not exist.

        Raises:
            SendoffError
        """

    def check(self, request: Request) -> None:
        """Refuse what can't run there, before anything is written.

        Raises:
            SendoffError
        """

    def claim(self, run_id: str) -> Claim | None:
        """Take the right to start a run; None where it is looked after already."""

    def started(self, run_id: str) -> bool:
        """Whether the run was ever started, and need not be again."""

    def begun(self, run_id: str) -> bool:
        """Whether anything of it ever was: of a run that was refused, some may have been."""

    def prepared(self, run_id: str) -> bool:
        """Whether its images were ready when it was started, so that it began at once."""

    def view(self, run: Run) -> View:
        """A look at a run that was sent there."""

    def cancel(self, run: Run, index: int | None) -> None:
        """End a run, or one index, whose cancellation the store has been told of."""
