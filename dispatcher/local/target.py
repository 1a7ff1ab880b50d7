"""The local target: checks a request against this machine and starts its supervisor."""

from __future__ import annotations

import fcntl
import os
import time
from typing import Self

from dispatcher.errors import SecretMissing, StoreNotHere
from dispatcher.local.post import Post
from dispatcher.local.preparation import Preparation
from dispatcher.local.supervision import SUPERVISION
from dispatcher.local.view import LocalView
from dispatcher.places import Places
from dispatcher.request import Request
from dispatcher.run import Run
from dispatcher.runner.address import is_s3
from packer import disk

IDLE = 30.0
"""Seconds for which a supervisor waits for the next run."""
# A reader of the lock holds it for microseconds.
_LOCK_TRIES = 50
_LOCK_PAUSE = 0.002


class LocalTarget:
    """Runs as processes of this machine."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._last: tuple[Request, Preparation] | None = None

    def admit(self, request: Request) -> None:
        """Refuse what can never run here; what GPUs there are, the command sees for itself.

        Raises:
            SecretMissing, StoreNotHere
        """
        if is_s3(self._places.store):
            raise StoreNotHere(self._places.store)
        missing = [name for name in request.secrets if name not in os.environ]
        if missing:
            raise SecretMissing(missing)

    def check(self, request: Request) -> None:
        """Refuse what can't run here.

        Raises:
            BlobMissing, BlobAltered, ImageUnusable, PythonNotHere, and what `admit` raises.
        """
        self.admit(request)
        self.preparation(request).check()

    def preparation(self, request: Request) -> Preparation:
        """The images of a request; those asked for last are remembered."""
        if self._last is None or self._last[0] != request:
            self._last = request, Preparation(request, self._places)
        return self._last[1]

    def claim(self, run_id: str) -> LocalClaim | None:
        """Take the right to start a run; None where a supervisor looks after it."""
        folder = self._places.supervisor(run_id)
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        for _ in range(_LOCK_TRIES):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(_LOCK_PAUSE)
            else:
                return LocalClaim(lock, self, self._places)
        os.close(lock)
        return None

    def started(self, run_id: str) -> bool:
        """Whether there has ever been a supervisor."""
        try:
            return (self._places.supervisor(run_id) / "lock").stat().st_size > 0
        except FileNotFoundError:
            return False

    def begun(self, run_id: str) -> bool:
        """As `started`: its supervisor is all of it."""
        return self.started(run_id)

    def prepared(self, run_id: str) -> bool:
        """Whether its images had been unpacked when it was started."""
        return self._places.plan(run_id).exists()

    def view(self, run: Run) -> LocalView:
        """A look at a run of this machine."""
        return LocalView(run.id, self._places)

    def cancel(self, run: Run, index: int | None) -> None:
        """The supervisor sees for itself what the store was told."""


class LocalClaim:
    """The lock on a run, held until this process lets go and the supervisor has ended."""

    def __init__(self, lock: int, target: LocalTarget, places: Places) -> None:
        self._lock, self._target, self._places = lock, target, places

    def start(self, run: Run) -> None:
        """Start the supervisor, which takes the lock over."""
        plan = self._target.preparation(run.request).plan()
        if plan:
            disk.replace(self._places.plan(run.id), plan.encode())
        places = self._places
        post = Post(
            run=run.id,
            places=(str(places.layout), places.store, str(places.cache), str(places.state)),
            root=plan.first_root if plan else "",
            protected=tuple(plan.protected) if plan else (),
            lasting=IDLE if plan and SUPERVISION.lasting else 0.0,
            variables=dict(os.environb),
        )
        SUPERVISION.start(post, self._lock, places.supervisor(run.id) / "supervisor.log")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._lock)
