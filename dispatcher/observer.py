"""What can be seen of one run from any process."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cached_property
from typing import Self

from dispatcher import diagnosis, manifest_copies, orders, refusal, targets
from dispatcher import status as states
from dispatcher.errors import RecordNewer, RecordUnreadable, RunUnknown
from dispatcher.places import Places
from dispatcher.run import Manifest, Run
from dispatcher.status import IndexStatus, RunStatus, Started
from dispatcher.store import Runs
from dispatcher.target import View
from packer.errors import SendoffError

_MANY = 16
"""Manifests that are worth asking for at the same time."""
_FEW = 64
"""Indexes that are looked for in the store before their target is asked."""


class Observer:
    """Looks at a run. What has ended stays as it is; all else is looked at afresh each time.

    Of what has ended the store says all, so that its target need not be there any more.

    Raises:
        RunUnknown: the store has no such run, which was asked for by its id or is not packed yet.
    """

    def __init__(self, run: str | Run, places: Places) -> None:
        """`run`: its id, or its record, which is not read again once its images are packed."""
        self.runs = Runs.at(places)
        self.run = self._known(run)
        self._places = places
        self._final: dict[int, IndexStatus] = {}
        self._looked = self._copied = False

    def all(self) -> RunStatus:
        """The run and all its indexes."""
        indexes = self.some(range(len(self.run.request.inputs)))
        status = states.of_run(self.run.id, indexes)
        if status.final and not self._copied:
            self._copied = True
            manifest_copies.write(self.runs, [each.manifest for each in indexes])
        return status

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
        asked = list(indexes)
        if ordered := self._ordered():
            return [ordered[index] for index in asked]
        left = self._left(asked)
        if not self._looked and left:
            self._looked = True
            left = self._at_first(left)
        fresh = self._look(left) if left else {}
        return [self._final.get(index) or fresh[index] for index in asked]

    def close(self) -> None:
        """Look no more."""
        if "_view" in vars(self):
            self._view.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _known(self, run: str | Run) -> Run:
        if isinstance(run, str):
            return self.runs.known(run)
        return run if orders.packed(run) else self.runs.known(run.id)

    def _ordered(self) -> tuple[IndexStatus, ...]:
        """How the indexes are while, or because, there is no more than an order; else nothing."""
        if orders.packed(self.run):
            return ()
        # Looked at first: whoever packs writes the run's record before it goes.
        lost = orders.is_lost(self.run, self._places)
        self.run = self.runs.known(self.run.id)
        if orders.packed(self.run):
            return ()
        return orders.statuses(self.run, self.runs, lost=lost)

    @cached_property
    def _view(self) -> View:
        return targets.of(self.run, self._places).view(self.run)

    def _left(self, indexes: Iterable[int]) -> list[int]:
        return [index for index in indexes if index not in self._final]

    def _at_first(self, indexes: list[int]) -> list[int]:
        """Note what can be known without the target; the indexes that are left."""
        if len(indexes) <= _FEW:
            return self._without_target(indexes)
        manifests = manifest_copies.read(self.runs, self.run.id, len(self.run.request.inputs))
        for index, manifest in manifests.items():
            self._final[index] = states.of_index(index, manifest, None, None)
        self._copied = bool(manifests)
        return self._left(indexes)

    def _without_target(self, indexes: list[int]) -> list[int]:
        """Note what the store knows the end of; the indexes that are left."""
        for index, manifest in self._manifests(indexes).items():
            self._final[index] = states.of_index(index, manifest, None, None)
        return self._left(indexes)

    def _look(self, indexes: list[int]) -> dict[int, IndexStatus]:
        # First what the target sees, then what there is: in the other order the last commit of
        # a supervisor that is just ending could be missed.
        try:
            sight = self._view.look(indexes)
        except SendoffError:
            if self._without_target(indexes):
                raise
            return {}
        manifests = self._manifests(
            [index for index in indexes if index in sight.ended or index in sight.likely]
        )
        indexes = self._left(indexes)
        lacking = [index for index in indexes if index in sight.ended and index not in manifests]
        if lacking:
            manifests |= self._view.settle(lacking)
        unseen = [index for index in indexes if index not in manifests and index not in sight.seen]
        started = self._started(unseen)
        gone = sight.ended if sight.lost else frozenset()
        refused = self._refused(gone - manifests.keys() - started.keys() - sight.begun)
        known = {*manifests, *started, *sight.seen, *gone}
        found = {
            index: states.of_index(
                index,
                manifests.get(index),
                started.get(index),
                sight.lost if index in gone else None,
                sight.seen.get(index),
            )
            if index in known
            else states.queued(index)
            for index in indexes
        }
        found |= refused
        self._final |= {index: status for index, status in found.items() if status.final}
        return found

    def _refused(self, indexes: Collection[int]) -> dict[int, IndexStatus]:
        """These indexes, of which nobody has anything, if that is because the run was refused."""
        why = refusal.read(self.run.id, self.runs) if indexes else None
        return {index: refusal.status(index, why) for index in indexes} if why else {}

    def _manifests(self, indexes: Collection[int]) -> dict[int, Manifest]:
        """The manifests that the store has of these indexes; of a damaged one, the end is noted."""

        def get(index: int) -> Manifest | None:
            try:
                return self.runs.manifest(self.run.id, index)
            except RecordNewer:
                raise
            except RecordUnreadable as error:
                # One of thousands keeps nobody from the others.
                self._final[index] = states.of_index(index, None, None, diagnosis.of_error(error))
                return None

        if len(indexes) > _FEW:
            # One question tells of which indexes there is anything.
            begun = self.runs.begun(self.run.id)
            indexes = [index for index in indexes if index in begun]
        return self.runs.of_each(list(indexes), get, many=_MANY)

    def _started(self, indexes: Collection[int]) -> dict[int, Started]:
        """What the store says of the latest attempts at indexes that nobody looks after."""
        if not indexes:
            return {}
        begun = self.runs.begun(self.run.id)
        found = {index: self._latest(index) for index in indexes if index in begun}
        return {index: started for index, started in found.items() if started}

    def _latest(self, index: int) -> Started | None:
        for attempt in reversed(self.runs.attempts(self.run.id, index)):
            if found := self.runs.started(self.run.id, index, attempt):
                return found
        return None
