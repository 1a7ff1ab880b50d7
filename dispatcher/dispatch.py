"""The one verb: send a run off. And what any process may ask or do afterwards."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import msgspec

from dispatcher import budgeting, diagnosis, idempotency, orders, refusal, reuse, targets
from dispatcher.errors import RunUnknown
from dispatcher.observer import Observer
from dispatcher.places import Places
from dispatcher.run import Run, now
from dispatcher.status import IndexStatus, RunStatus
from dispatcher.store import Exists, RunKeys, Runs
from dispatcher.target import Claim
from packer import disk, record
from packer.errors import SendoffError

# Between looks: a hundredth of the time that was waited so far, within these bounds.
_SHORTEST, _LONGEST = 0.003, 0.05
# And so many times what a look took of a processor, up to a second: of a large run that is some.
_REST, _LONGEST_REST = 19, 1.0

Begun = Callable[[Run], object]
"""Is told of a run whose record is written, just before it is started."""


def submit(run: Run, places: Places, begun: Begun | None = None) -> Run:
    """Send `run` off and return at once; it goes on whatever becomes of this process.

    Returns the run that is under way: `run`, or, where its idempotency key was used for the same
    request before, that earlier one.

    Raises:
        Conflict: the key stands for another request; nothing was changed.
        SendoffError: the target or a budget refused it; nothing was written. Or it could not be
            started: that is kept with the run, which the same key and request start after all.
    """
    with budgeting.held(run, places):
        return _submit(run, places, begun)


def _submit(run: Run, places: Places, begun: Begun | None) -> Run:
    target = targets.of(run, places)
    runs = Runs.at(places)
    known = idempotency.known(run, runs)
    if known and target.started(known.id):
        return known
    target.check(run.request)
    run = idempotency.named_by_key(run, runs)
    claim = target.claim(run.id)
    if claim is None:
        return idempotency.same(run, runs.run(run.id))
    with claim:
        try:
            runs.add(run)
            again = False
        except Exists:
            run, again = idempotency.same(run, runs.run(run.id)), True
            # Whoever wrote the record may have died, or failed, before it came to the start.
            if target.started(run.id):
                return run
        if begun:
            begun(run)
        _start(claim, run, runs, again=again)
    # Whoever cancelled it meanwhile may have found nothing to end. Its runner looks as well.
    with contextlib.suppress(SendoffError):
        if runs.is_cancelled(run.id):
            target.cancel(run, None)
    # After the start, for which nobody waits any longer; without it the run is just not found.
    with contextlib.suppress(SendoffError):
        reuse.mark(run, runs, time.time_ns())
    return run


def _start(claim: Claim, run: Run, runs: Runs, *, again: bool) -> None:
    """Start a run whose record is written.

    Raises:
        What the target raises. Why it was not started is kept, so that nobody waits for it.
    """
    try:
        claim.start(run)
    except Exception as error:
        with contextlib.suppress(SendoffError, OSError):
            refusal.write(run.id, runs, "failed", diagnosis.of_start(error))
        raise
    if again:
        with contextlib.suppress(SendoffError, OSError):
            refusal.withdraw(run.id, runs)


def order(run: Run, places: Places) -> Run:
    """Give `run` its id before its images are packed; whoever packs then calls `submit`.

    Returns what is under way: `run`, or, where its idempotency key was used for the same request
    before, that earlier one. Images and data are not compared: they are not known yet.

    Raises:
        Conflict: the key stands for another request; nothing was changed.
        SendoffError: a budget refused it; nothing was written.
    """
    places.state.mkdir(parents=True, exist_ok=True)
    # The key and the order are two writes; of two clients here, the second waits for both.
    with budgeting.held(run, places), disk.locked(places.state / "orders.lock"):
        return _order(run, places)


def _order(run: Run, places: Places) -> Run:
    runs = Runs.at(places)
    named = idempotency.named_by_key(run, runs)
    if named.id != run.id:
        first = _under_way(named.id, places)
        if first:
            if first.id != named.id:
                # An earlier run answers, whose own request had another name and key.
                first = runs.ordered(named.id)
            sent = idempotency.as_ordered(first.request)
            idempotency.same(run, msgspec.structs.replace(first, request=sent))
            return first
        idempotency.renamed(run, runs)
    runs.order(run)
    return run


def _under_way(run_id: str, places: Places) -> Run | None:
    """The run or the order of this id; None where there is none, or nothing was started for it."""
    try:
        with Observer(run_id, places) as observer:
            status = observer.one(0)
            if status.final and _nothing_begun(observer.run, status, places):
                return None
            return observer.run
    except RunUnknown:
        return None


def _nothing_begun(run: Run, status: IndexStatus, places: Places) -> bool:
    """Whether nothing was ever started, where `status`, that of any index, is a final one.

    One index may have been refused, and others started: the target is asked for those, and no
    further index is looked at, of which there may be thousands.
    """
    if not orders.packed(run):
        return True
    return refusal.explains(status) and not targets.of(run, places).begun(run.id)


def runs(places: Places) -> list[Run]:
    """All runs of the store, the newest first."""
    return Runs.at(places).all()


def status(run: str | Run, places: Places) -> RunStatus:
    """What is known of a run, by its id or its record.

    Raises:
        RunUnknown: as `Observer`.
    """
    with Observer(run, places) as observer:
        return observer.all()


def wait(
    run_ids: Sequence[str],
    places: Places,
    timeout: float | None = None,
    only: Mapping[str, Collection[int]] | None = None,
) -> tuple[RunStatus, ...]:
    """The statuses once all runs have ended, or after `timeout` seconds as they are then.

    `only` names the indexes that are waited for, of runs of which not all are.

    Raises:
        RunUnknown
    """
    with contextlib.ExitStack() as stack:
        observers = [stack.enter_context(Observer(run_id, places)) for run_id in run_ids]
        left = [
            set((only or {}).get(each.run.id) or range(len(each.run.request.inputs)))
            for each in observers
        ]
        began = time.monotonic()
        while True:
            looked = time.thread_time()
            for observer, indexes in zip(observers, left, strict=True):
                if indexes:
                    indexes -= {index.index for index in observer.some(indexes) if index.final}
            took, waited = time.thread_time() - looked, time.monotonic() - began
            if not any(left) or (timeout is not None and waited >= timeout):
                return tuple(observer.all() for observer in observers)
            pause = _pause(waited, took)
            time.sleep(pause if timeout is None else min(pause, timeout - waited))


def changes(run_id: str, places: Places) -> Iterator[RunStatus]:
    """The status of a run, and again whenever it has changed, until the run has ended.

    Raises:
        RunUnknown
    """
    with Observer(run_id, places) as observer:
        began, last = time.monotonic(), None
        while True:
            looked = time.thread_time()
            status = observer.all()
            took = time.thread_time() - looked
            if status != last:
                yield status
            if status.final:
                return
            last = status
            time.sleep(_pause(time.monotonic() - began, took))


def _pause(waited: float, took: float) -> float:
    """Seconds until the next look, where the last took so many of a processor."""
    often = min(max(waited / 100, _SHORTEST), _LONGEST)
    return max(often, min(_REST * took, _LONGEST_REST))


def prepared(run: Run, places: Places) -> bool:
    """Whether the target had the run's images ready, so that it began at once."""
    return targets.of(run, places).prepared(run.id)


def cancel(run_id: str, places: Places, index: int | None = None) -> None:
    """Ask for the end of a run, or of one index; returns at once. One that has ended stays so.

    Raises:
        RunUnknown: there is no such run, or no such index.
    """
    with Observer(run_id, places) as observer:
        if index is not None:
            observer.one(index)
    run, keys = observer.run, RunKeys(run_id)
    key = keys.cancel if index is None else keys.cancel_index(index)
    observer.runs.store.put(key, record.encode({"at": now()}))
    # Whoever packs looks for the mark, but may have sent the run off before there was one.
    run = run if orders.packed(run) else observer.runs.known(run_id)
    if orders.packed(run):
        targets.of(run, places).cancel(run, index)


__all__ = [
    "IndexStatus",
    "RunStatus",
    "cancel",
    "changes",
    "order",
    "runs",
    "status",
    "submit",
    "wait",
]
