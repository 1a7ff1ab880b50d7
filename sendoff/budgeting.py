"""The budget of a group, kept on our side: every way to send a run off goes through here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dispatcher import budget, dispatch
from dispatcher.budget import Budget, Share
from dispatcher.request import Request
from dispatcher.run import Run
from packer import disk
from sendoff.session import Session

_AT_ONCE = 8

_ended: dict[tuple[str, str], Share] = {}
"""Of runs that have ended, by store and id: they change no more."""


def of(session: Session) -> Budget:
    """The limits in force."""
    settings = session.settings
    return Budget(gpu_hours=settings.budget_gpu_hours, runs=settings.budget_runs)


def used(session: Session, request: Request, *, but: str = "") -> Share:
    """What the runs of a request's group take together.

    Without the run `but`, and without one that is of this very request, by its idempotency key.
    """
    from concurrent.futures import ThreadPoolExecutor

    def look(run: Run) -> Share:
        place = session.settings.store, run.id
        if place not in _ended:
            status = dispatch.status(run.id, session.places)
            found = budget.share(run.request, status.indexes)
            if not status.final:
                return found
            _ended[place] = found
        return _ended[place]

    runs = session.runs().recent()
    key = request.idempotency_key
    some = [
        run
        for run in runs
        if run.request.group == request.group
        and run.id != but
        and not (key and run.request.idempotency_key == key)
    ]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return budget.total(pool.map(look, some))


def check(session: Session, request: Request, *, but: str = "") -> None:
    """Refuse a request that does not fit its group's budget.

    Raises:
        TimeoutNeeded, GpuHoursExhausted, RunsExhausted
    """
    limits = of(session)
    if limits:
        asked = budget.demand(request)
        budget.judge(limits, request.group, used(session, request, but=but), asked)


@contextmanager
def held(session: Session, request: Request, *, but: str = "") -> Iterator[None]:
    """Do what sends a request off, if it fits; of several on this machine, one at a time.

    Raises:
        As `check`.
    """
    if not of(session):
        yield
        return
    session.settings.state.mkdir(parents=True, exist_ok=True)
    with disk.locked(session.settings.state / "budget.lock"):
        check(session, request, but=but)
        yield
