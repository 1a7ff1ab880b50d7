"""A run that was sent off, as Python sees it: a name, and what can be asked of it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dispatcher import dispatch, logs, orders, results
from dispatcher.run import OutputFile, State
from dispatcher.run import Run as RunRecord
from dispatcher.status import IndexStatus
from packer.digest import Digest
from sendoff import fetching, outcome, reference
from sendoff.errors import Misuse
from sendoff.session import Session

if TYPE_CHECKING:
    from dispatcher.logs import LogEvent
    from dispatcher.metrics import Metric
    from dispatcher.places import Places
    from dispatcher.store import Runs
    from sendoff.functions.mapped import Mapped

_FRESH, _REST = 0.05, 4
"""Seconds for which what was seen is good, and how often as long as the look has taken."""


class Index:
    """One input of a run. Nothing here changes or deletes a result."""

    def __init__(self, run: Run, number: int) -> None:
        one = run.record.request.inputs[number]
        self._run, self._places = run, run.places
        self.number = number
        self.command: tuple[str, ...] = one.command
        self.parameters: dict[str, str] = dict(one.parameters)
        """What a sweep varied."""

    @property
    def name(self) -> str:
        """As the command line names it."""
        return reference.index_name(self._run.record, self.number)

    @property
    def digest(self) -> Digest:
        """The run image; `dispatcher.run.UNPACKED` while it is being packed."""
        return self._run.record.request.inputs[self.number].digest

    @property
    def status(self) -> IndexStatus:
        """What is known of it now."""
        return self._run.status_of(self.number)

    @property
    def state(self) -> State:
        """Such as "running" or "succeeded"."""
        return self.status.state

    @property
    def exit_code(self) -> int | None:
        """As `sendoff run` would exit; None while it has not ended."""
        status = self.status
        return outcome.exit_code(status) if status.final else None

    @property
    def files(self) -> tuple[OutputFile, ...]:
        """What the command wrote; nothing while it has not ended."""
        manifest = self.status.manifest
        return manifest.files if manifest else ()

    @property
    def metrics(self) -> dict[str, float]:
        """The numbers it reported, by name; see `dispatcher.metrics` for where they are found."""
        return {name: metric.value for name, metric in self.measured().items()}

    def measured(self) -> dict[str, Metric]:
        """The metrics with their sources and histories."""
        from dispatcher import metrics

        files = results.openers(self._run.id, self.number, self._places)
        stdout = (event.text for event in self.events(follow=False) if event.stream == "stdout")
        return metrics.collect(files, stdout)

    def results(self, directory: str | Path, *patterns: str) -> list[Path]:
        """Fetch its files (those that match, where patterns are given) and return their paths.

        Raises:
            ResultAltered: what the store has is not what the manifest says.
            ResultUnknown: a pattern matches nothing.
        """
        return results.fetch(self._run.id, self.number, self._places, Path(directory), patterns)

    def value(self, timeout: float | None = None) -> Any:
        """What the function that it called returned, once it has.

        Raises:
            TimeoutError: it has not after `timeout` seconds; it goes on.
            Exception: what the function raised, with the traceback from there as its cause.
            SendoffError: RemoteError where that can't be made again here, ResultUnpicklable,
                CallFailed, CallCancelled, CallTimedOut; Misuse where it called no function.
        """
        from sendoff.functions import returned

        self._run.wait_for(self.number, timeout)
        return returned.value(self)

    @property
    def places(self) -> Places:
        """Where its results are."""
        return self._places

    def logs(self, tail: int | None = None) -> str:
        """What it printed so far, both streams in order; the last `tail` lines of it."""
        return "".join(event.text for event in self.events(follow=False, tail=tail))

    def events(
        self,
        *,
        follow: bool = True,
        tail: int | None = None,
        seen: Callable[[IndexStatus], None] | None = None,
    ) -> Iterator[LogEvent]:
        """What it prints, piece by piece; with `follow` as it comes, until it ends.

        `seen` is told now and then how it is.
        """
        return logs.follow(
            self._run.id, self.number, self._places, follow=follow, tail=tail, seen=seen
        )

    def cancel(self) -> None:
        """Ask for its end; returns at once."""
        dispatch.cancel(self._run.id, self._places, self.number)

    def __repr__(self) -> str:
        return f"<sendoff.Index {self._run.id}/{self.number}>"


class Run:
    """A run: a sequence of indexes, and of one that has only one, that index's shorthand."""

    def __init__(self, record: RunRecord, session: Session, *, reused: bool = False) -> None:
        self._record, self.session = record, session
        self.reused = reused
        """Whether something was asked for anew, and this earlier run answers for it."""
        # Derived from all settings: not for each of many indexes, nor at each look.
        self.places = session.places
        self._last: dispatch.RunStatus | None = None
        self._stale = 0.0
        self._looked = time.monotonic()
        self._attached = False
        self.untold = ""
        """Why its images know nothing of it after its end; empty where they do."""

    @property
    def id(self) -> str:
        """What `sendoff.get` and the command line find it by."""
        return self._record.id

    @cached_property
    def indexes(self) -> tuple[Index, ...]:
        """All of them, in their order."""
        return tuple(Index(self, number) for number in range(len(self)))

    @property
    def record(self) -> RunRecord:
        """What was asked for; digests and all that packing finds out once it is packed."""
        if not orders.packed(self._record) and time.monotonic() >= self._looked + _FRESH:
            self._become(self.session.runs().known(self.id))
            self._looked = time.monotonic()
        return self._record

    def _become(self, record: RunRecord) -> None:
        """What was ordered is this run now; or an earlier one, which answers for it."""
        self.reused = self.reused or record.id != self.id
        self._record = record

    @property
    def warnings(self) -> tuple[str, ...]:
        """What packing warned of, each a sentence; nothing while it is being packed."""
        return self.record.warnings

    @property
    def packed(self) -> bool:
        """Whether its images are packed, and it is a run like any other."""
        return orders.packed(self.record)

    @property
    def status(self) -> dispatch.RunStatus:
        """What is known of it now."""
        last = self._last
        if last is None or (not last.final and time.monotonic() >= self._stale):
            began = time.monotonic()
            last = self.take(dispatch.status(self._record, self.places), began)
        return last

    @property
    def seen_ended(self) -> bool:
        """Whether it was seen to have ended, and to have come to something; nobody looks now."""
        last = self._last
        return last is not None and last.final and any(each.manifest for each in last.indexes)

    def take(self, status: dispatch.RunStatus, began: float | None = None) -> dispatch.RunStatus:
        """Keep what was found out elsewhere, beginning at that moment of the monotonic clock.

        It is not asked again at once: of many indexes it takes a while, and all are asked for it.
        """
        if status.run != self.id:
            self._become(self.session.runs().run(status.run))
        now = time.monotonic()
        cost = 0.0 if began is None else now - began
        self._last, self._stale = status, now + max(_FRESH, _REST * cost)
        return status

    def freeze(self) -> Run:
        """Look once more, and never again: all that is told of it afterwards is of one moment."""
        self.take(dispatch.status(self._record, self.places))
        self._stale = math.inf
        return self

    def status_of(self, number: int) -> IndexStatus:
        """What is known of one index now; of one that was seen to end, without another look."""
        if self._last and self._last.indexes[number].final:
            return self._last.indexes[number]
        return self.status.indexes[number]

    @property
    def state(self) -> State:
        """That of its indexes; the worst where all have ended."""
        return self.status.state

    @property
    def digest(self) -> Digest:
        """The run image of its only index."""
        return self._only().digest

    @property
    def digests(self) -> tuple[Digest, ...]:
        """The run image of each index."""
        return tuple(index.digest for index in self)

    @property
    def exit_code(self) -> int | None:
        """That of its only index; None while it has not ended."""
        return self._only().exit_code

    @property
    def metrics(self) -> dict[str, float]:
        """Those of its only index."""
        return self._only().metrics

    @property
    def prepared(self) -> bool:
        """Whether the target had its images ready, so that it began at once."""
        return dispatch.prepared(self.record, self.places)

    def wait(self, timeout: float | None = None) -> Run:
        """Return the run itself once it has ended.

        Raises:
            TimeoutError: it has not after `timeout` seconds; it goes on.
        """
        status = self._last
        if status is None or not status.final:
            (status,) = dispatch.wait([self.id], self.places, timeout)
            self.take(status)
        if not status.final:
            raise TimeoutError(f"run {self.id} is {status.state} after {timeout} s")
        self.attach()
        return self

    def attach(self) -> None:
        """Have the images told of the run, which has ended, unless that was done."""
        if not self._attached:
            from sendoff.reproduction import attaching

            self._attached = True
            self.untold = attaching.attach(self.record, self.session)

    def wait_for(self, number: int, timeout: float | None = None) -> None:
        """Return once one index has ended.

        Raises:
            TimeoutError: it has not after `timeout` seconds; it goes on.
        """
        if self._last and self._last.indexes[number].final:
            return
        (status,) = dispatch.wait([self.id], self.places, timeout, {self.id: {number}})
        self.take(status)
        state = status.indexes[number].state
        if not status.indexes[number].final:
            raise TimeoutError(f"{self[number].name} is {state} after {timeout} s")

    def value(self, timeout: float | None = None) -> Any:
        """What the function of its only index returned, once it has; see `Index.value`."""
        return self._only().value(timeout)

    def values(self, *, return_exceptions: bool = False) -> Mapped[Any]:
        """What the functions of all its indexes returned, as `sendoff.Function.map` has them."""
        from sendoff.functions.mapped import Mapped

        return Mapped(self, return_exceptions=return_exceptions)

    def as_ended(self, seen: Callable[[dispatch.RunStatus], None] | None = None) -> Iterator[Index]:
        """Each index once it has ended, in the order in which they end.

        `seen` is told how the run is, whenever that has changed.
        """
        left = set(range(len(self)))
        for status in dispatch.changes(self.id, self.places):
            self.take(status)
            if seen:
                seen(status)
            for number in sorted(left):
                if status.indexes[number].final:
                    left.discard(number)
                    yield self[number]

    def results(self, directory: str | Path, *patterns: str) -> list[Path]:
        """Fetch the files: of an only index into `directory`, else each into a folder below.

        Raises:
            ResultAltered: what the store has is not what the manifest says.
            ResultUnknown: a pattern matches nothing in any index.
        """
        return [path for _, path in fetching.fetch(self.indexes, Path(directory), patterns)]

    def logs(self, tail: int | None = None) -> str:
        """What its only index printed so far."""
        return self._only().logs(tail)

    def events(self, *, follow: bool = True, tail: int | None = None) -> Iterator[LogEvent]:
        """What its only index prints, piece by piece; with `follow` until it ends."""
        return self._only().events(follow=follow, tail=tail)

    def cancel(self) -> None:
        """Ask for its end; returns at once."""
        dispatch.cancel(self.id, self.places)

    def _only(self) -> Index:
        if len(self) > 1:
            raise Misuse(
                f"run {self.id} has {len(self)} indexes",
                "this is asked of one of them",
                "take run[0], run[1], … or loop over the run",
            )
        return self.indexes[0]

    def __len__(self) -> int:
        return len(self._record.request.inputs)

    def __getitem__(self, number: int) -> Index:
        return self.indexes[number]

    def __iter__(self) -> Iterator[Index]:
        return iter(self.indexes)

    def __repr__(self) -> str:
        return f"<sendoff.Run {self.id}>"


def get(name: str, *, project: str | Path = ".") -> Run:
    """The run called `name`: its id, a prefix that no other run has, or "@last".

    Raises:
        RunUnknown, RunAmbiguous
        Misuse: it names one index of a run.
    """
    session = Session.open(Path(project))
    return named(name, session, session.runs())


def named(name: str, session: Session, runs: Runs) -> Run:
    """As `get`, among the runs of a session's store."""
    found = reference.find(name, runs)
    if found.index is not None:
        run, _, index = name.partition("/")
        raise Misuse(f"{name} is one index of a run", fix=f"sendoff.get({run!r})[{index}]")
    return Run(found.run, session, reused=found.reused)
