"""The runs and indexes that a command line names."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from dispatcher.errors import ResultUnknown
from sendoff import reference
from sendoff.handle import Index, Run
from sendoff.session import Session

_LOOK = 0.25
"""Seconds between looks where single indexes are waited for."""


class Selection:
    """A run, and those of its indexes that were meant."""

    def __init__(self, found: reference.Reference, session: Session) -> None:
        self.run = Run(found.run, session)
        self.indexes: tuple[Index, ...] = tuple(self.run[number] for number in found.indexes)
        self._whole = found.index is None

    def cancel(self) -> None:
        """Ask for the end of what was meant."""
        if self._whole:
            self.run.cancel()
        else:
            for index in self.indexes:
                index.cancel()

    def fetch(self, directory: Path, patterns: Sequence[str]) -> list[tuple[str, Path]]:
        """Fetch files into `directory`, of each of several indexes into a folder below it.

        A pattern has to match in one of the indexes at least.

        Raises:
            ResultUnknown, ResultAltered
        """
        if len(self.indexes) == 1:
            (index,) = self.indexes
            return [(index.name, path) for path in index.results(directory, *patterns)]
        fetched: list[tuple[str, Path]] = []
        missing: ResultUnknown | None = None
        for index in self.indexes:
            try:
                paths = index.results(directory / str(index.number), *patterns)
            except ResultUnknown as error:
                missing = error
            else:
                fetched += [(index.name, path) for path in paths]
        if missing and not fetched:
            raise missing
        return fetched


def select(names: Sequence[str]) -> tuple[Selection, ...]:
    """What `names` mean in the store of the current directory's configuration.

    Raises:
        RunUnknown, RunAmbiguous, IndexUnknown
    """
    session = Session.open(Path())
    runs = session.runs()
    return tuple(Selection(reference.find(name, runs), session) for name in names)


def wait(chosen: Sequence[Selection], timeout: float | None) -> None:
    """Return when all that was chosen has ended, or after `timeout` seconds."""
    from dispatcher import dispatch

    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
        left = [
            selection
            for selection in chosen
            if not all(index.status.final for index in selection.indexes)
        ]
        remaining = _LOOK if deadline is None else min(_LOOK, deadline - time.monotonic())
        if not left or remaining <= 0:
            return
        places = left[0].run.session.places
        dispatch.wait([selection.run.id for selection in left], places, remaining)
