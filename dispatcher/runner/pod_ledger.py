"""The records of an attempt in a pod: the store is far away, and not there yet at the start."""

from __future__ import annotations

import os
import time

from .backlog import Backlog
from .courier import Courier
from .keys import RunKeys
from .ledger import Ledger
from .log import Log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .assignment import Assignment
    from .link import Link
    from .store import Store


class PodLedger(Ledger):
    """As `Ledger`, but that an attempt's number is settled while the command runs already.

    A store that is away at the end is waited for, `patience` seconds each time that it is; then
    every call fails. What was asked to end has so long for all of it.
    """

    tries = 1
    kept = False

    def __init__(self, link: Link, assignment: Assignment, patience: float, scratch: str) -> None:
        self._link, self._patience = link, patience
        self.keys = RunKeys(assignment.run)
        self.index, self.attempt = assignment.index, assignment.attempt
        self.problem = ""
        backlog = Backlog(f"{scratch}/log/{self.index}-{self.attempt}")
        self._courier = Courier(link, self.keys, self.index, self.attempt, backlog)
        self.log = Log(self._courier, assignment.log_limit, {"out": 1, "err": 2})
        self.lifeline, self._life = os.pipe()
        """Its end says that somebody wants the end of the attempt."""

    @property
    def store(self) -> Store:
        """Where everything is kept; waits until it is open."""
        return self._link.store()

    def announce(self, record: dict[str, Any]) -> None:
        """Say that the attempt starts, as soon as the store is there."""
        about = {"node": os.environ.get("SENDOFF_NODE", "")}
        self._courier.start({**record, **about}, self._end_life)

    def ended(self, *, pressed: bool = False) -> None:
        """The command has ended: from here on the store is waited for."""
        self.store.bear(self._patience)
        # Whoever wants the pod's end does not wait for ever.
        self.store.give_up_at(time.monotonic() + self._patience if pressed else None)
        self._courier.settle(self._patience)
        self.attempt = self._courier.attempt

    def close_log(self) -> None:
        """Send the rest of the log, and say in `log.problem` if that was not possible.

        Raises:
            Exception: what ended the courier, where that was no fault of the store.
        """
        self._courier.close()
        if self._courier.failure:
            raise self._courier.failure
        self.log.problem = self.log.problem or self._courier.problem

    def close(self) -> None:
        """Let go of everything after the commit."""
        self._end_life()
        os.close(self.lifeline)
        self.store.bear(None)
        self.store.give_up_at(None)

    def lost(self) -> bool:
        """Whether another attempt had committed when this one was announced."""
        return self._courier.lost

    def cancelled(self) -> bool:
        """Whether somebody asked for the end; not if the store can't say."""
        try:
            return super().cancelled()
        except OSError:
            return False

    def _end_life(self) -> None:
        # Called by the courier, and by the main thread after the courier has ended.
        life, self._life = self._life, -1
        if life >= 0:
            os.close(life)
