"""How a run is named: RUN, RUN/INDEX, a prefix that only one run has, or @last.

`@last` is the newest run, `@last-1` the one before it, and so on; `@last/3` has an index too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dispatcher.run import Run
from packer.record import Record
from sendoff.errors import IndexUnknown, RunAmbiguous, RunUnknown
from sendoff.nearest import nearest

_LAST = re.compile(r"@last(?:-(\d+))?")


class Reference(Record, frozen=True):
    """A run, and one of its indexes where one was named."""

    run: Run
    index: int | None = None

    @property
    def indexes(self) -> tuple[int, ...]:
        """The index that was named, or all."""
        if self.index is not None:
            return (self.index,)
        return tuple(range(len(self.run.request.inputs)))


def index_name(run: Run, index: int) -> str:
    """How an index is named to people: without "/INDEX" where the run has only one."""
    return f"{run.id}/{index}" if len(run.request.inputs) > 1 else run.id


def find(name: str, runs: Sequence[Run]) -> Reference:
    """What `name` refers to among `runs`, the newest of which comes first.

    Raises:
        RunUnknown, RunAmbiguous, IndexUnknown
    """
    run_name, slash, index = name.partition("/")
    run = _find_run(run_name, runs)
    if not slash:
        return Reference(run=run)
    count = len(run.request.inputs)
    if not (index.isascii() and index.isdigit()) or int(index) >= count:
        raise IndexUnknown(run.id, index, count)
    return Reference(run=run, index=int(index))


def _find_run(name: str, runs: Sequence[Run]) -> Run:
    if last := _LAST.fullmatch(name):
        place = int(last[1] or 0)
        if place >= len(runs):
            raise RunUnknown(name)
        return runs[place]
    matches = [run for run in runs if run.id == name] or [
        run for run in runs if name and run.id.startswith(name)
    ]
    if not matches:
        raise RunUnknown(name, nearest(name, (run.id for run in runs)))
    if len(matches) > 1:
        raise RunAmbiguous(name, [run.id for run in matches])
    return matches[0]
