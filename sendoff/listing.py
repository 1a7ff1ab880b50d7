"""Runs of a store, the newest first, each as it is now."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from sendoff.handle import Run
from sendoff.session import Session

LOOKED_AT = 1_000
"""Of so many of the newest those of a group or in a state are shown."""
_AT_ONCE = 8
_PAGE = 20


def newest(
    session: Session, *, group: str | None = None, state: str = "", most: int | None = LOOKED_AT
) -> Iterator[Run]:
    """Those of a group and in a state, among `most` of the newest; each is looked at once."""
    records = islice(session.runs().recent(), most)
    runs = (Run(run, session) for run in records if group is None or run.request.group == group)
    return (run for run in _seen(runs) if not state or run.state == state)


def _seen(runs: Iterator[Run]) -> Iterator[Run]:
    """Each as it is now; a store and a cluster far away are asked about several at once."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        while some := list(islice(runs, _PAGE)):
            yield from pool.map(lambda run: run.freeze(), some)
