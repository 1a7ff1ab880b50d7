"""Runs of a store, the newest first, each as it is now."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from dispatcher.store import Unreadable
from sendoff import cost
from sendoff.handle import Run
from sendoff.session import Session

LOOKED_AT = 1_000
"""Of so many of the newest those of a group or in a state are shown."""
_PAGE = 20


def newest(
    session: Session,
    unreadable: Unreadable,
    *,
    group: str | None = None,
    state: str = "",
    most: int | None = LOOKED_AT,
) -> Iterator[Run]:
    """Those of a group and in a state, among `most` of the newest; each is looked at once.

    `unreadable` is told of records that can't be read, and are passed over.
    """
    records = islice(session.runs().recent(unreadable), most)
    runs = (Run(run, session) for run in records if group is None or run.request.group == group)
    return (run for run in cost.frozen(runs, _PAGE) if not state or run.state == state)
