"""The main process of a pod: works through the inputs of one completion index of a Job.

`$SENDOFF_POD_CONFIG` is the folder of a mounted Secret, see `pod_assignment`. The exit status is
one of those in `exit_status`; the Job's podFailurePolicy tells them apart.
"""

from __future__ import annotations

import os
import signal
import sys

from .exit_status import (
    COMMITTED,
    INTERRUPTED,
    LOST,
    NOT_BEGUN,
    NOT_STORED,
    PERMANENT,
    SPENT,
    UNSUCCESSFUL,
    UNUSABLE,
)
from .pod_assignment import PodAssignment
from .pod_credentials import PodCredentials
from .pod_phases import PodPhases
from .store_faults import StoreFault, told
from .watch import Signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .calls import Calls
    from .data import Data
    from .history import History
    from .link import Link

CONFIG = "SENDOFF_POD_CONFIG"


def main() -> int:
    """Do what the pod is there for."""
    # Before anything else: process 1 of a container is sent no signal that it does not handle.
    signals = Signals()
    phases = PodPhases()
    folder = os.environ.get(CONFIG, "")
    try:
        assignment = PodAssignment.read(folder)
    except (OSError, ValueError, TypeError) as error:
        _say(f"{folder}: {error}")
        return UNUSABLE
    from .link import Link

    link = Link(assignment.store, PodCredentials(folder))
    return Pod(assignment, link, signals, phases).run()


class Pod:
    """One pod's share of a run, one input after the other."""

    def __init__(
        self, assignment: PodAssignment, link: Link, signals: Signals, phases: PodPhases
    ) -> None:
        self._assignment, self._link, self._signals = assignment, link, signals
        self._phases = phases
        self._completion = int(os.environ.get("JOB_COMPLETION_INDEX") or 0)
        failures = ("SENDOFF_FAILURES", "SENDOFF_IGNORED_FAILURES")
        self._attempt = 1 + sum(int(os.environ.get(name) or 0) for name in failures)
        if assignment.restarted:
            from .restarts import earlier

            self._attempt += earlier(assignment.scratch)
        self._calls: Calls | None = None
        self._data: Data | None = None

    def run(self) -> int:
        """The exit status."""
        if len(self._assignment.indexes(self._completion)) > 1:
            from .calls import Calls

            self._calls = Calls()
        try:
            status = self._all()
        finally:
            if self._calls:
                self._calls.close()
        # An engine knows no other status that ends it: what is final is said by the manifests.
        return COMMITTED if self._assignment.restarted and status in PERMANENT else status

    def _all(self) -> int:
        worst = COMMITTED
        for index in self._assignment.indexes(self._completion):
            self._signals.read()
            if signal.SIGTERM in self._signals.seen:
                return INTERRUPTED
            try:
                status, state = self._one(index)
            except StoreFault as fault:
                _say(f"no command was started: {told(fault)}")
                return NOT_BEGUN
            if status == LOST:
                status, state = self._as_committed(index)
            if status == COMMITTED and state != "succeeded":
                status = UNSUCCESSFUL
            if status not in {COMMITTED, UNSUCCESSFUL, UNUSABLE, SPENT}:
                return status
            worst = max(worst, status)
        return worst

    def _one(self, index: int) -> tuple[int, str]:
        """Exit status and state of an input."""
        from .pod_attempt import PodAttempt

        # The first attempt at the first input starts at once; whether anybody wants it shows
        # while it runs.
        first = index == self._assignment.indexes(self._completion)[0]
        folder = os.environ.get(CONFIG, "")
        before, placed = self._phases.of_next(self._assignment, folder, self._attempt)
        number = self._attempt
        if self._attempt > 1:
            if self._history.committed(index):
                return LOST, ""
            attempts = self._history.attempts(index)
            if self._spent(attempts):
                _say("earlier attempts ended without a result, and there may be no further one")
                return SPENT, ""
            if self._assignment.restarted:
                # The container may have been started for other inputs.
                number = 1 + max(attempts, default=0)
        attempt = PodAttempt(
            self._assignment,
            self._link,
            self._signals,
            index,
            number,
            before=before,
            placed=placed,
            calls=self._calls,
        )
        if not first and self._history.cancelled(index):
            return attempt.cancel()
        own = self._assignment.inputs[index].get("data", [])
        if not own and not self._assignment.data:
            return attempt.run(None)
        return attempt.run(lambda workspace: self._give_data(own, workspace))

    def _give_data(self, own: list[dict[str, Any]], workspace: str) -> None:
        """Put the run's data into a working directory, fetched once, and an index's own.

        Raises:
            DataUnusable, Stopped
            OSError: of the store, or there is no room.
        """
        if self._data is None:
            self._data = self._fetched(self._assignment.data)
        self._data.place(workspace)
        if own:
            self._fetched(own).place(workspace)

    def _fetched(self, entries: list[dict[str, Any]]) -> Data:
        from .data import Data

        store = self._link.store()
        data = Data(entries, store, f"{self._assignment.scratch}/inputs")
        store.bear(self._assignment.patience)
        try:
            data.fetch(lambda: signal.SIGTERM in self._signals.read())
        finally:
            store.bear(None)
        return data

    def _spent(self, attempts: list[int]) -> bool:
        """Whether these attempts at an input, disruptions aside, are all there may be."""
        retries = self._assignment.retries
        disrupted = int(os.environ.get("SENDOFF_IGNORED_FAILURES") or 0)
        return retries is not None and len(attempts) - disrupted > retries

    @property
    def _history(self) -> History:
        from .history import History

        return History(self._link.store(), self._assignment.run)

    def _as_committed(self, index: int) -> tuple[int, str]:
        """Exit status and state of an input of which another attempt has committed."""
        try:
            return COMMITTED, self._history.committed(index)
        except StoreFault as fault:
            _say(f"the store took no manifest: {told(fault)}")
            return NOT_STORED, ""


def _say(text: str) -> None:
    """Tell whoever reads the pod's log."""
    sys.stderr.write(f"sendoff: {text}\n")
    sys.stderr.flush()
