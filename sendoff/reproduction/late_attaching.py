"""Telling images of runs whose end nobody waited for, once anybody sees that they have ended.

A process of its own does it: whoever looks at runs neither waits for a registry nor fails with it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from packer.errors import SendoffError
from sendoff.reproduction.told import Told

if TYPE_CHECKING:
    from sendoff.handle import Run
    from sendoff.session import Session

MOST = 20
"""Runs that are told of at a time; the next who looks goes on."""


def of_seen(runs: Iterable[Run]) -> None:
    """Have the images told of those of `runs` that were seen to have ended, unless they know."""
    from sendoff.reproduction import attaching

    with suppress(SendoffError, OSError):
        due = [
            run
            for run in runs
            if run.seen_ended
            and attaching.within_reach(run.record, run.session)
            and Told(run.session).due(run.id)
        ]
        if due:
            _start(due[0].session, [run.id for run in due[:MOST]])


def of_newest(session: Session) -> None:
    """Have the images told of the newest runs that have ended; now and then, not each time."""
    with suppress(SendoffError, OSError):
        if Told(session).may_look():
            _start(session, [])


def main(project: str, *names: str) -> None:
    """Tell the images of these runs of the store of a project, or of the newest."""
    from sendoff.session import Session

    with suppress(SendoffError, OSError):
        session = Session.open(Path(project))
        told = Told(session)
        with told.alone() as alone:
            if alone:
                _tell(names or _newest(session, told), session, told)


def _start(session: Session, names: list[str]) -> None:
    from packer import process

    nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    try:
        process.detach_main(
            "sendoff.reproduction.late_attaching",
            str(session.project),
            *names,
            log=Path(os.devnull),
            stdin=nothing,
        )
    finally:
        os.close(nothing)


def _newest(session: Session, told: Told) -> Iterator[str]:
    recent = islice(session.runs().recent(), MOST)
    return (run.id for run in recent if told.due(run.id))


def _tell(names: Iterable[str], session: Session, told: Told) -> None:
    """One after the other, until one fails: the others would likely fail as well."""
    for name in names:
        if why := _why_not(name, session):
            told.note_failure(name, why)
            return


def _why_not(name: str, session: Session) -> str:
    from dispatcher import dispatch
    from sendoff.reproduction import attaching

    try:
        if not dispatch.status(name, session.places).final:
            return ""
        return attaching.attach(session.runs().known(name), session)
    except (SendoffError, OSError) as error:
        return str(error)
