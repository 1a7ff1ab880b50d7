"""Telling images of runs that have ended, by whoever sees the end first.

The runner has no right to the registry, and shall have none: the client tells it. It is done once;
where it can't be done the run is what it is, and the next who sees it tries again. Who waits for a
run does it; where nobody has, `late_attaching` does.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dispatcher.run import Run, now
from dispatcher.runner.keys import RunKeys
from packer.errors import SendoffError
from packer.record import encode
from sendoff.reproduction.told import Told
from sendoff.session import Session

if TYPE_CHECKING:
    from packer.images.shelf import Shelf

_PATIENCE = 5.0
"""Seconds for which a registry that does not answer is asked: somebody waits."""


def attach(run: Run, session: Session) -> str:
    """Have the record of a run that has ended refer to its images; why not, or nothing.

    Nothing is done where that was done before, or where the images are not in the session's
    registry.
    """
    from dispatcher import referral
    from dispatcher.store import Runs

    shelf = _shelf(run, session)
    if shelf is None:
        return ""
    try:
        store = Runs.at(session.places).store
        done = RunKeys(run.id).attached
        if not store.has(done):
            told = referral.of_run(run, session.places)
            shelf.attach_all(
                {digest: [referral.artifact(each)] for digest, each in told.items() if each.indexes}
            )
            store.put(done, encode({"at": now()}))
        Told(session).note(run.id)
    except SendoffError as error:
        return f"its image was not told of this run: {error}"
    except OSError as error:
        # Whoever may read a layout or a store need not be one who may write there.
        return f"its image was not told of this run: {error.strerror or error}"
    return ""


def within_reach(run: Run, session: Session) -> bool:
    """Whether a run's images are in a layout, or in the session's own registry."""
    return run.request.repository.startswith("/") or (
        not session.embedded and run.request.repository == session.settings.registry
    )


def _shelf(run: Run, session: Session) -> Shelf | None:
    if not within_reach(run, session):
        return None
    if run.request.repository.startswith("/"):
        from packer.images.layout_shelf import LayoutShelf

        return LayoutShelf(Path(run.request.repository))
    from sendoff import shelves

    return shelves.shelf(session, _PATIENCE)
