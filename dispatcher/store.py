"""Runs as the store keeps them: records in and out of keys."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from msgspec import ValidationError

from dispatcher import formats
from dispatcher.errors import RecordUnreadable, RunUnknown
from dispatcher.places import Places
from dispatcher.run import Manifest, Run
from dispatcher.runner.address import is_s3
from dispatcher.runner.keys import RECENT, RUNS, RunKeys, numbers, of_recent, recent
from dispatcher.runner.store import DirectoryStore, Exists, Missing
from dispatcher.status import Started
from packer.record import Record, decode, encode

if TYPE_CHECKING:
    from dispatcher.runner.store import Store

T = TypeVar("T", bound=Record)

_FIRST_PAGE, _PAGE = 32, 256
"""Runs that are read at a time: mostly the newest few are wanted."""

__all__ = ["DirectoryStore", "Exists", "Missing", "RunKeys", "Runs"]


Unreadable = Callable[[RecordUnreadable], object]
"""Is told of a run's record that can't be read."""


def _passed_over(_: RecordUnreadable) -> None:
    pass


class Order(Record, frozen=True, tag_field="format", tag="sendoff.order/1"):
    """`runs/<run>/order.json`: written once, before anything is packed."""

    run: Run
    """With `UNPACKED` in place of its digests."""


class Answer(Record, frozen=True, tag_field="format", tag="sendoff.answer/1"):
    """`runs/<run>/answer.json`: an order for which an earlier run of the same request answers."""

    run: str
    """That run."""
    at: str


class Runs:
    """The records of all runs in one store. Nothing here ever deletes or replaces one."""

    def __init__(self, store: Store) -> None:
        self.store = store

    @classmethod
    def at(cls, places: Places) -> Runs:
        """The runs of the store in use.

        Raises:
            StoreFailed: it is far away, and can't be used from here.
        """
        if not is_s3(places.store):
            return cls(DirectoryStore(places.store))
        from dispatcher import remote_store

        return cls(remote_store.at(places))

    def is_cancelled(self, run_id: str) -> bool:
        """Whether somebody asked for the end of the whole run."""
        return self.store.has(RunKeys(run_id).cancel)

    def of_each(
        self, indexes: Sequence[int], work: Callable[[int], T | None], *, many: int = 2
    ) -> dict[int, T]:
        """What `work` makes of those indexes of which it makes anything.

        Several at a time, where the store is far away and there are `many`.
        """
        if len(indexes) < many or self.store.parallel == 1:
            made = [work(index) for index in indexes]
        else:
            from concurrent.futures import ThreadPoolExecutor

            with ThreadPoolExecutor(self.store.parallel) as pool:
                made = list(pool.map(work, indexes))
        return {index: one for index, one in zip(indexes, made, strict=True) if one}

    def add(self, run: Run) -> None:
        """Write `run.json`, and the mark that tells how recent the run is.

        Raises:
            Exists: there is a run with this id.
        """
        # The mark first: one without a run is passed over, and no run is without a mark.
        self.store.put(recent(run.id, time.time_ns()), b"")
        self.store.put_new(RunKeys(run.id).record, encode(run))

    def run(self, run_id: str) -> Run:
        """The run with this id.

        Raises:
            RunUnknown
            RecordUnreadable: it is of another format version.
        """
        return self._told(run_id, lambda keys: keys.record, Run)

    def order(self, run: Run) -> None:
        """Write `order.json`, and the mark that tells how recent the run is.

        Raises:
            Exists: there is an order with this id.
        """
        self.store.put(recent(run.id, time.time_ns()), b"")
        self.store.put_new(RunKeys(run.id).order, encode(Order(run=run)))

    def known(self, run_id: str) -> Run:
        """The run with this id, or what was ordered under it, where its images are being packed.

        Where an earlier run answers for what was ordered, it is that run, with its own id.

        Raises:
            RunUnknown
            RecordUnreadable: it is of another format version.
        """
        try:
            return self.run(run_id)
        except RunUnknown:
            order = self.ordered(run_id)
        try:
            data = self.store.get(RunKeys(run_id).answer)
        except Missing:
            return order
        return self.run(formats.read(RunKeys(run_id).answer, data, Answer).run)

    def ordered(self, run_id: str) -> Run:
        """What was ordered under this id, whatever became of it.

        Raises:
            RunUnknown
            RecordUnreadable: it is of another format version.
        """
        return self._told(run_id, lambda keys: keys.order, Order).run

    def _told(self, run_id: str, place: Callable[[RunKeys], str], kind: type[T]) -> T:
        try:
            key = place(RunKeys(run_id))
            data = self.store.get(key)
        except (Missing, ValueError):
            raise RunUnknown(run_id, self.store.root) from None
        return formats.read(key, data, kind)

    def ids(self, begin: str = "") -> list[str]:
        """The ids of all runs, sorted; with `begin` of those that begin so."""
        return self.store.names(RUNS, begin=begin)

    def all(self) -> list[Run]:
        """Every run, the newest first."""
        return list(self.recent())

    def recent(self, unreadable: Unreadable = _passed_over) -> Iterator[Run]:
        """The runs, the newest first; no more are read than are asked for, but for a page.

        Those whose records can't be read are not among them: `unreadable` is told why.
        """
        seen: set[str] = set()
        page, after = _FIRST_PAGE, ""
        while marks := self.store.names(RECENT, after=after, most=page):
            after = marks[-1]
            names = [name for name in map(of_recent, marks) if name not in seen]
            yield from self._read(dict.fromkeys(names), unreadable)
            seen.update(names)
            if len(marks) < page:
                break
            page = _PAGE
        # Those of a sendoff before there were marks.
        unmarked = [name for name in self.ids() if name not in seen]
        left = self._read(unmarked, unreadable)
        yield from sorted(left, key=lambda run: (run.created, run.id), reverse=True)

    def _read(self, names: Iterable[str], unreadable: Unreadable) -> list[Run]:
        """The runs of these ids that can be read, several at a time where that is quicker."""
        if self.store.parallel == 1:
            found = [self._readable(name) for name in names]
        else:
            from concurrent.futures import ThreadPoolExecutor

            with ThreadPoolExecutor(self.store.parallel) as pool:
                found = list(pool.map(self._readable, names))
        for each in found:
            if isinstance(each, RecordUnreadable):
                unreadable(each)
        return [each for each in found if isinstance(each, Run)]

    def _readable(self, name: str) -> Run | RecordUnreadable | None:
        """The run, or why it can't be read; None where a folder has none of its own."""
        try:
            found = self.known(name)
        except RunUnknown:
            return None
        except RecordUnreadable as error:
            return error
        return found if found.id == name else None

    def commit(self, manifest: Manifest) -> bool:
        """Write an index's manifest; False where another attempt has been quicker."""
        try:
            self.store.put_new(RunKeys(manifest.run).manifest(manifest.index), encode(manifest))
        except Exists:
            return False
        return True

    def manifest(self, run_id: str, index: int) -> Manifest | None:
        """What became of an index; None while nothing has.

        Raises:
            RecordUnreadable: it is of another format version.
        """
        key = RunKeys(run_id).manifest(index)
        try:
            data = self.store.get(key)
        except Missing:
            return None
        return formats.read(key, data, Manifest)

    def begun(self, run_id: str) -> set[int]:
        """The indexes of which there is anything, with one question for all of them."""
        return set(numbers(self.store.names(RunKeys(run_id).prefix)))

    def attempts(self, run_id: str, index: int) -> list[int]:
        """The numbers of the attempts that were started, ascending."""
        return numbers(self.store.names(RunKeys(run_id).index(index)))

    def started(self, run_id: str, index: int, attempt: int) -> Started | None:
        """Who runs an attempt and since when; None where its runner has not said so."""
        try:
            return decode(self.store.get(RunKeys(run_id).started(index, attempt)), Started)
        except (Missing, ValueError, ValidationError):
            # Damaged, it says no more than none: its manifest is what counts.
            return None

    def interrupted(self, run_id: str, index: int, attempt: int) -> Manifest | None:
        """What an attempt that was ended from outside had come to; None where it left no word.

        Raises:
            RecordUnreadable: it is of another format version.
        """
        key = RunKeys(run_id).interrupted(index, attempt)
        try:
            data = self.store.get(key)
        except Missing:
            return None
        return formats.read(key, data, Manifest)
