"""What a map returns: its results, in the order of the inputs or as they come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sendoff.functions.progress import Bar

if TYPE_CHECKING:
    from sendoff.handle import Run

R = TypeVar("R")


class Mapped(Generic[R]):
    """The results of one run of several calls. Each may be asked for again, at any time.

    With `return_exceptions`, an exception stands where the result would; without, it is raised when
    its turn comes. Either way the others go on, and their results are kept.
    """

    def __init__(self, run: Run, *, return_exceptions: bool = False) -> None:
        self.run = run
        self._return_exceptions = return_exceptions

    def __iter__(self) -> Iterator[R]:
        """Each result in the order of the inputs, as soon as it is there."""
        arrived: set[int] = set()
        turn = 0
        with Bar(self.run) as bar:
            for index in self.run.as_ended(seen=bar.seen):
                arrived.add(index.number)
                while turn in arrived:
                    yield self.value(turn)
                    turn += 1

    def as_completed(self) -> Iterator[tuple[int, R]]:
        """The number of an input and its result, in the order in which they come."""
        with Bar(self.run) as bar:
            for index in self.run.as_ended(seen=bar.seen):
                yield index.number, self.value(index.number)

    def cancel(self) -> None:
        """End all calls that have not ended; results that are there stay."""
        self.run.cancel()

    def value(self, number: int) -> R:
        """The result of one input, waited for.

        Raises:
            Exception: as `sendoff.Index.value`, unless exceptions are returned.
        """
        value: Any
        try:
            value = self.run[number].value()
        except Exception as error:
            if not self._return_exceptions:
                raise
            value = error
        found: R = value
        return found

    def __len__(self) -> int:
        return len(self.run)

    def __repr__(self) -> str:
        return f"<sendoff.Mapped {self.run.id} of {len(self)}>"
