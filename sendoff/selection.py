"""The runs and indexes that a command line names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dispatcher.run import State
from sendoff import fetching, reference
from sendoff.handle import Index, Run
from sendoff.session import Session


class Selection:
    """A run, and those of its indexes that were meant."""

    def __init__(self, found: reference.Reference, session: Session) -> None:
        self.run = Run(found.run, session, reused=found.reused)
        self.indexes: tuple[Index, ...] = tuple(self.run[number] for number in found.indexes)
        self._whole = found.index is None

    @property
    def name(self) -> str:
        """As it was named, with the whole id."""
        return self.run.id if self._whole else f"{self.run.id}/{self.indexes[0].number}"

    @property
    def state(self) -> State:
        """That of the run; where one of its indexes was meant, that of it."""
        return self.run.state if self._whole else self.indexes[0].state

    def cancel(self) -> None:
        """Ask for the end of what was meant."""
        if self._whole:
            self.run.cancel()
        else:
            for index in self.indexes:
                index.cancel()

    def fetch(self, directory: Path, patterns: Sequence[str]) -> list[tuple[str, Path]]:
        """Fetch files into `directory`, of each of several indexes into a folder below it.

        Raises:
            ResultUnknown, ResultAltered
        """
        found = fetching.fetch(self.indexes, directory, patterns)
        return [(index.name, path) for index, path in found]


def select(names: Sequence[str], project: Path | None = None) -> tuple[Selection, ...]:
    """What `names` mean in the store of a project's configuration, by default of that here.

    Raises:
        RunUnknown, RunAmbiguous, IndexUnknown
    """
    session = Session.open(project or Path())
    runs = session.runs()
    return tuple(Selection(reference.find(name, runs), session) for name in names)


def wait(chosen: Sequence[Selection], timeout: float | None) -> None:
    """Return when all that was chosen has ended, or after `timeout` seconds."""
    from dispatcher import dispatch

    if not chosen:
        return
    wanted: dict[str, set[int]] = {}
    for selection in chosen:
        wanted.setdefault(selection.run.id, set()).update(
            index.number for index in selection.indexes
        )
    places = chosen[0].run.places
    names = [selection.run.id for selection in chosen]
    found = dispatch.wait(list(wanted), places, timeout, wanted)
    # Of an order for which an earlier run answers, the status is that run's.
    for asked, status in zip(wanted, found, strict=True):
        for name, selection in zip(names, chosen, strict=True):
            if name == asked:
                selection.run.take(status)
                if status.final:
                    selection.run.attach()
