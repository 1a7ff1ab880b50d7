"""How a run is named: RUN, RUN/INDEX, a prefix that only one run has, or @last.

`@last` is the newest run, `@last-1` the one before it, and so on; `@last/3` has an index too.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from msgspec.structs import replace

from dispatcher.run import Run
from packer.record import Record
from sendoff.errors import IndexUnknown, RunAmbiguous, RunUnknown
from sendoff.nearest import nearest

if TYPE_CHECKING:
    from dispatcher.store import Runs

_SHOWN = 6
"""Matches of a prefix that are looked at closely."""
_LAST = re.compile(r"@last(?:-(\d+))?")


class Reference(Record, frozen=True):
    """A run, and one of its indexes where one was named."""

    run: Run
    index: int | None = None
    reused: bool = False
    """Whether that was the name of an order for which this earlier run answers."""

    @property
    def indexes(self) -> tuple[int, ...]:
        """The index that was named, or all."""
        if self.index is not None:
            return (self.index,)
        return tuple(range(len(self.run.request.inputs)))


def index_name(run: Run, index: int) -> str:
    """How an index is named to people: without "/INDEX" where the run has only one."""
    return f"{run.id}/{index}" if len(run.request.inputs) > 1 else run.id


def find(name: str, runs: Runs) -> Reference:
    """What `name` refers to among `runs`. Of a whole id nothing but that run is read.

    Raises:
        RunUnknown, RunAmbiguous, IndexUnknown
    """
    run_name, slash, index = name.partition("/")
    found = _find_run(run_name, runs)
    if not slash:
        return found
    count = len(found.run.request.inputs)
    if not (index.isascii() and index.isdigit()) or int(index) >= count:
        raise IndexUnknown(found.run.id, index, count)
    return replace(found, index=int(index))


def _find_run(name: str, runs: Runs) -> Reference:
    if last := _LAST.fullmatch(name):
        newest = next(islice(runs.recent(), int(last[1] or 0), None), None)
        if newest is None:
            raise RunUnknown(name)
        return Reference(run=newest)
    whole = _whole(name, runs)
    if whole:
        return whole
    matches = runs.ids(name) if name else []
    # A folder without a record is no run.
    read = [(each, _whole(each, runs)) for each in matches[:_SHOWN]]
    named = [each for each, reference in read if reference]
    found = [reference for _, reference in read if reference]
    if len(found) > 1:
        raise RunAmbiguous(name, named + matches[_SHOWN:])
    if not found:
        near = nearest(name, set(runs.ids()).difference(matches))
        raise RunUnknown(name, near if _has_record(near, runs) else "")
    return found[0]


def _has_record(name: str, runs: Runs) -> bool:
    from dispatcher.errors import RecordUnreadable

    try:
        return _whole(name, runs) is not None
    except RecordUnreadable:
        return True


def _whole(name: str, runs: Runs) -> Reference | None:
    """The run of exactly this id, or the one that answers for it."""
    from dispatcher.errors import RunUnknown as NotStored

    try:
        run = runs.known(name)
    except NotStored:
        return None
    return Reference(run=run, reused=run.id != name)
