"""Several runs as one: those that share a group label, or any that are named."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from dispatcher import dispatch
from dispatcher.run import State
from dispatcher.status import of_all
from sendoff.errors import GroupUnknown, Misuse
from sendoff.handle import Run, named
from sendoff.nearest import nearest
from sendoff.session import Session

_PERIOD, _LONG_PERIOD = 0.05, 1.0


class RunGroup:
    """Runs that are waited for, read and cancelled together. Any process may have one."""

    def __init__(self, runs: Iterable[Run], name: str = "") -> None:
        self.runs = tuple(runs)
        self.name = name

    @property
    def ids(self) -> tuple[str, ...]:
        """What `RunGroup.of` finds them by."""
        return tuple(run.id for run in self.runs)

    @classmethod
    def of(cls, ids: Iterable[str], *, project: str | Path = ".") -> RunGroup:
        """The runs with these ids.

        Raises:
            RunUnknown, RunAmbiguous
            Misuse: one of them names one index of a run, or they are a single text.
        """
        if isinstance(ids, str):
            raise Misuse("ids is a single text", fix=f"RunGroup.of([{ids!r}])")
        session = Session.open(Path(project))
        found = session.runs()
        return cls(named(each, session, found) for each in ids)

    @property
    def state(self) -> State:
        """That of its runs; the worst where all have ended."""
        return of_all([run.state for run in self.runs])

    def wait(self, timeout: float | None = None) -> RunGroup:
        """Return the group itself once all have ended.

        Raises:
            TimeoutError: some have not after `timeout` seconds; they go on.
        """
        began, left = time.monotonic(), []
        for runs in self._by_places():
            rest = None if timeout is None else max(0.0, began + timeout - time.monotonic())
            statuses = dispatch.wait([run.id for run in runs], runs[0].places, rest)
            for run, status in zip(runs, statuses, strict=True):
                run.take(status)
        for run in self.runs:
            try:
                run.wait(0)
            except TimeoutError:
                left.append(run.id)
        if left:
            raise TimeoutError(f"{', '.join(left)} go on after {timeout} s")
        return self

    def _by_places(self) -> Iterator[list[Run]]:
        """Those that are in one place: all of them are looked at while they are waited for."""
        left = list(self.runs)
        while left:
            places = left[0].places
            yield [run for run in left if run.places == places]
            left = [run for run in left if run.places != places]

    def as_ended(self) -> Iterator[Run]:
        """Each run once it has ended, in the order in which they end."""
        left, pause = list(self.runs), _PERIOD
        while left:
            ended = [run for run in left if run.status.final]
            left = [run for run in left if run not in ended]
            yield from ended
            if left and not ended:
                time.sleep(pause)
                pause = min(pause * 1.5, _LONG_PERIOD)

    def cancel(self) -> None:
        """Ask for the end of all; returns at once."""
        for run in self.runs:
            if not run.status.final:
                run.cancel()

    def __len__(self) -> int:
        return len(self.runs)

    def __getitem__(self, number: int) -> Run:
        return self.runs[number]

    def __iter__(self) -> Iterator[Run]:
        return iter(self.runs)

    def __repr__(self) -> str:
        return f"<sendoff.RunGroup {self.name or ', '.join(self.ids)}>"


def group(name: str, *, project: str | Path = ".") -> RunGroup:
    """All runs that were sent off with this group label, the oldest first.

    Raises:
        GroupUnknown: there are none.
    """
    session = Session.open(Path(project))
    every = session.runs().all()
    found = [run for run in every if run.request.group == name]
    if not found:
        raise GroupUnknown(name, nearest(name, {run.request.group for run in every} - {""}))
    return RunGroup([Run(run, session) for run in reversed(found)], name)
