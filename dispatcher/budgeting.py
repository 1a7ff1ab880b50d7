"""The budget of a group, kept on our side: whatever sends a run off goes through here."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from msgspec.structs import replace

from dispatcher import attempts, budget, idempotency, refusal, spending
from dispatcher.budget import Share
from dispatcher.errors import RecordUnreadable, RunUnknown
from dispatcher.observer import Observer
from dispatcher.places import Places
from dispatcher.request import Request
from dispatcher.run import Run
from dispatcher.spending import Spending
from dispatcher.status import IndexStatus
from dispatcher.store import Runs
from packer import disk

_AT_ONCE = 8


def used(request: Request, places: Places, *, but: str = "") -> Share:
    """What the runs of a request's group take together.

    Without the run `but`, and without the one that the request's idempotency key stands for. Only
    runs that are new or under way are read.
    """
    runs, ledger = Runs.at(places), spending.read(places)
    passed = {but, idempotency.holder(request, runs)}
    names = runs.ids()
    known = {name: ledger.runs[name] for name in names if name in ledger.runs}
    ended = [
        each.gpu_hours
        for name, each in known.items()
        if each.group == request.group and each.gpu_hours is not None and name not in passed
    ]
    unsure = [
        name
        for name in names
        if name not in passed and (name not in known or _may_go_on(known[name], request.group))
    ]
    looked = _looked_at(unsure, request.group, places)
    found = {name: entry for name, (entry, _) in looked.items() if entry}
    if not found.items() <= known.items():
        spending.write(replace(ledger, runs=known | found), places)
    return budget.total([Share(spent=sum(ended)), *(share for _, share in looked.values())])


def _may_go_on(known: Spending, group: str) -> bool:
    return known.group == group and known.gpu_hours is None


Look = tuple[Spending | None, Share]
"""What to keep of a run, and what it takes of its group's budget."""


def _looked_at(names: Sequence[str], group: str, places: Places) -> dict[str, Look]:
    """Each of these runs, as it is now."""
    if not names:
        return {}
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        looked = pool.map(lambda name: _look(name, group, places), names)
        return dict(zip(names, looked, strict=True))


def _look(name: str, group: str, places: Places) -> Look:
    try:
        observer = Observer(name, places)
    except (RunUnknown, RecordUnreadable):
        return None, Share()
    with observer:
        run = observer.run
        if run.id != name:
            # An order for which that run answers, and nothing was run.
            return Spending(group=run.request.group, gpu_hours=0), Share()
        if run.request.group != group:
            return Spending(group=run.request.group), Share()
        now, indexes = time.time(), observer.all().indexes
        held = attempts.held(run, indexes, observer.runs, now)
        share = budget.share(run.request, indexes, filter(None, held), now)
    settled = all(each.final and _is_last(each, run.request) for each in indexes)
    return Spending(group=group, gpu_hours=share.spent if settled else None), share


def _is_last(status: IndexStatus, request: Request) -> bool:
    """Whether an index that has ended will take nothing any more.

    One that is lost may be found again by whoever looks from elsewhere, and one that was refused
    may be started by its key.
    """
    if refusal.explains(status):
        return not request.idempotency_key
    return status.state != "lost"


def check(request: Request, places: Places, *, but: str = "") -> None:
    """Refuse a request that does not fit its group's budget.

    Raises:
        TimeoutNeeded, GpuHoursExhausted, RunsExhausted
    """
    if places.budget:
        asked = budget.demand(request)
        budget.judge(places.budget, request.group, used(request, places, but=but), asked)


@contextmanager
def held(run: Run, places: Places) -> Iterator[None]:
    """Send `run` off in here, if it fits; of several on this machine, one at a time.

    Raises:
        As `check`.
    """
    if not places.budget:
        yield
        return
    places.state.mkdir(parents=True, exist_ok=True)
    with disk.locked(places.state / "budget.lock"):
        check(run.request, places, but=run.id)
        yield
