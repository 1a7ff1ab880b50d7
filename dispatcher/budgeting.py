"""The budget of a group, kept on our side: whatever sends a run off goes through here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dispatcher import budget
from dispatcher.budget import Share
from dispatcher.observer import Observer
from dispatcher.places import Places
from dispatcher.request import Request
from dispatcher.run import Run
from dispatcher.store import Runs
from packer import disk

_AT_ONCE = 8

_ended: dict[tuple[str, str], Share] = {}
"""Of runs that have ended, by store and id: they change no more."""


def used(request: Request, places: Places, *, but: str = "") -> Share:
    """What the runs of a request's group take together.

    Without the run `but`, and without one that is of this very request, by its idempotency key.
    """
    from concurrent.futures import ThreadPoolExecutor

    def look(run: Run) -> Share:
        place = places.store, run.id
        if place not in _ended:
            with Observer(run.id, places) as observer:
                status = observer.all()
            found = budget.share(run.request, status.indexes)
            if not status.final:
                return found
            _ended[place] = found
        return _ended[place]

    key = request.idempotency_key
    some = [
        run
        for run in Runs.at(places).recent()
        if run.request.group == request.group
        and run.id != but
        and not (key and run.request.idempotency_key == key)
    ]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return budget.total(pool.map(look, some))


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
