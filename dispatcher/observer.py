"""What can be seen of one run from any process."""

from __future__ import annotations

from collections.abc import Iterable

from dispatcher import status as states
from dispatcher.errors import RunUnknown
from dispatcher.places import Places
from dispatcher.status import IndexStatus, RunStatus, Started
from dispatcher.store import Missing, RunKeys, Runs
from dispatcher.targets import target
from packer import record


class Observer:
    """Looks at a run; each look is fresh.

    Raises:
        RunUnknown: the store has no such run.
    """

    def __init__(self, run_id: str, places: Places) -> None:
        self.runs = Runs.at(places)
        self.run = self.runs.run(run_id)
        self._target = target(self.run.request.target, places)

    def all(self) -> RunStatus:
        """The run and all its indexes."""
        indexes = self.some(range(len(self.run.request.inputs)))
        return states.of_run(self.run.id, indexes)

    def one(self, index: int) -> IndexStatus:
        """One index.

        Raises:
            RunUnknown: the run has no such index.
        """
        if not 0 <= index < len(self.run.request.inputs):
            raise RunUnknown(self.run.id, self.runs.store.root, index)
        return self.some((index,))[0]

    def some(self, indexes: Iterable[int]) -> list[IndexStatus]:
        """These indexes, which exist."""
        # First who looks after the run, then what there is: in the other order the last commit of
        # a supervisor that is just ending could be missed.
        lost = self._target.lost(self.run.id)
        found = []
        for index in indexes:
            manifest = self.runs.manifest(self.run.id, index)
            manifest = manifest or self._target.uncommitted(self.run.id, index)
            started = None if manifest else self._started(index)
            found.append(states.of_index(index, manifest, started, lost))
        return found

    def _started(self, index: int) -> Started | None:
        for attempt in reversed(self.runs.attempts(self.run.id, index)):
            try:
                data = self.runs.store.get(RunKeys(self.run.id).started(index, attempt))
            except Missing:
                continue
            return record.decode(data, Started)
        return None
