"""What a target is: where runs go."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from dispatcher.request import Request
from dispatcher.run import Failure, Manifest, Run


class Claim(Protocol):
    """The right to start one run, which one process has at a time."""

    def start(self, run: Run) -> None:
        """Start it; it goes on whatever becomes of this process."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None: ...


class Target(Protocol):
    """Where runs go."""

    def check(self, request: Request) -> None:
        """Refuse what can't run there, before anything is written.

        Raises:
            SendoffError
        """

    def claim(self, run_id: str) -> Claim | None:
        """Take the right to start a run; None where it is looked after already."""

    def started(self, run_id: str) -> bool:
        """Whether the run was ever started."""

    def prepared(self, run_id: str) -> bool:
        """Whether its images were ready when it was started, so that it began at once."""

    def cancel(self, run_id: str, index: int | None) -> None:
        """End a run or one index, after the wish was stored; returns at once.

        A target whose runs look for the wish themselves has nothing to do.
        """

    def lost(self, run_id: str) -> Failure | None:
        """Why nobody looks after the run any more; None while somebody does."""

    def uncommitted(self, run_id: str, index: int) -> Manifest | None:
        """What became of an index whose manifest the store did not take."""
