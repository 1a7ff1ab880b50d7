"""The main process of a pod: works through the inputs of one completion index of a Job.

`$SENDOFF_POD_CONFIG` is the folder of a mounted Secret, see `pod_assignment`. The exit status is
one of those in `exit_status`; the Job's podFailurePolicy tells them apart.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time

from .exit_status import (
    COMMITTED,
    INTERNAL,
    INTERRUPTED,
    LOST,
    NOT_STORED,
    UNSUCCESSFUL,
    UNUSABLE,
)
from .image import EDITABLE, WORKSPACE, placed
from .pod_assignment import CREDENTIALS, PodAssignment
from .store_faults import StoreFault
from .watch import Signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .assignment import Assignment
    from .attempt import Attempt
    from .data import Data
    from .link import Link

CONFIG = "SENDOFF_POD_CONFIG"
# What is the runner's business, and none of the command's.
_PRIVATE = frozenset({CONFIG, "SENDOFF_FAILURES", "SENDOFF_IGNORED_FAILURES"})


def main() -> int:
    """Do what the pod is there for."""
    # Before anything else: process 1 of a container is sent no signal that it does not handle.
    signals = Signals()
    folder = os.environ.get(CONFIG, "")
    try:
        assignment = PodAssignment.read(folder)
    except (OSError, ValueError, TypeError) as error:
        _say(f"{folder}: {error}")
        return UNUSABLE
    from .link import Link

    link = Link(assignment.store, f"{folder}/{CREDENTIALS}")
    return Pod(assignment, link, signals).run()


class Pod:
    """One pod's share of a run, one input after the other."""

    def __init__(self, assignment: PodAssignment, link: Link, signals: Signals) -> None:
        self._assignment, self._link, self._signals = assignment, link, signals
        self._completion = int(os.environ.get("JOB_COMPLETION_INDEX") or 0)
        failures = ("SENDOFF_FAILURES", "SENDOFF_IGNORED_FAILURES")
        self._attempt = 1 + sum(int(os.environ.get(name) or 0) for name in failures)
        self._data: Data | None = None

    def run(self) -> int:
        """The exit status."""
        indexes = self._assignment.indexes(self._completion)
        worst = COMMITTED
        for index in indexes:
            if signal.SIGTERM in self._signals.read():
                return INTERRUPTED
            try:
                status, state = self._one(index)
                if status == LOST:
                    status, state = COMMITTED, self._committed(index)
            except StoreFault as fault:
                _say(str(fault))
                return NOT_STORED
            if status == COMMITTED and state != "succeeded":
                status = UNSUCCESSFUL
            if status not in {COMMITTED, UNSUCCESSFUL, UNUSABLE}:
                return status
            worst = max(worst, status)
        return worst

    def _one(self, index: int) -> tuple[int, str]:
        """Exit status and state of an input."""
        from .working_copy import remove

        # The first attempt starts at once; whether it was needed shows while it runs.
        if self._attempt > 1 and self._committed(index):
            return LOST, ""
        root = f"{self._assignment.scratch}/work/{index}-{self._attempt}"
        try:
            self._prepare(root)
        except OSError as error:
            _say(f"no working directory could be made: {error}")
            return INTERNAL, ""
        try:
            return self._work(index, root)
        finally:
            os.chdir("/")
            if self._assignment.per_pod > 1:
                remove(root)

    def _prepare(self, root: str) -> None:
        """Make the writable copy of the code."""
        from .working_copy import copy

        for part in (WORKSPACE, EDITABLE):
            os.makedirs(root + part, exist_ok=True)
            if os.path.isdir(self._assignment.image + part):
                copy(self._assignment.image + part, root + part)
        for name in ("home", "tmp"):
            os.makedirs(f"{self._assignment.scratch}/{name}", exist_ok=True)

    def _work(self, index: int, root: str) -> tuple[int, str]:
        from .attempt import Attempt
        from .pod_ledger import PodLedger

        told, assignment = self._assignment, self._attempt_at(index, root)
        ledger = PodLedger(self._link, assignment, told.patience, told.scratch)
        attempt = Attempt(
            assignment,
            ledger,
            lifeline=ledger.lifeline,
            signals=self._signals,
            environment=self._environment(root),
            alone=True,
        )
        status = self._give_data(assignment.workspace, attempt) or attempt.run()
        ledger.close()
        if status == NOT_STORED:
            _say(f"the store took no manifest: {ledger.problem}")
        return status, attempt.state

    def _attempt_at(self, index: int, root: str) -> Assignment:
        from .assignment import Assignment

        told = self._assignment
        return Assignment(
            run=told.run,
            index=index,
            attempt=self._attempt,
            digest=told.inputs[index]["digest"],
            command=told.inputs[index]["command"],
            store="",
            workspace=root + WORKSPACE,
            output_dir=root + "/outputs",
            outputs=told.outputs,
            timeout=told.timeout,
            grace=told.grace,
        )

    def _give_data(self, workspace: str, attempt: Attempt) -> int:
        """Put the run's data into a working directory; 0, or the exit status if that fails."""
        if not self._assignment.data:
            return 0
        from .data import Data, DataUnusable, Stopped
        from .outcome import data_unusable

        try:
            if self._data is None:
                data = Data(
                    self._assignment.data, self._link.store(), f"{self._assignment.scratch}/inputs"
                )
                self._link.store().give_up_at(time.monotonic() + self._assignment.patience)
                data.fetch(lambda: signal.SIGTERM in self._signals.read())
                self._data = data
            self._data.place(workspace)
        except Stopped:
            return INTERRUPTED
        except DataUnusable as error:
            _say(str(error))
            return attempt.refuse(data_unusable(str(error))) or UNUSABLE
        finally:
            self._link.store().give_up_at(None)
        return 0

    def _environment(self, root: str) -> dict[str, str]:
        """The container's variables and the request's, with the image's paths made the copy's."""
        told = self._assignment
        inherited = {name: text for name, text in os.environ.items() if name not in _PRIVATE}
        inherited["HOME"] = f"{told.scratch}/home"
        inherited["TMPDIR"] = f"{told.scratch}/tmp"  # noqa: S108 (the pod's own)
        places = {WORKSPACE: root, EDITABLE: root}
        values = {**inherited, **told.environment}
        return {
            **{name: placed(text, places) for name, text in values.items()},
            "SENDOFF_ROOT": root,
        }

    def _committed(self, index: int) -> str:
        """The state that an index was committed with; empty where it was not."""
        from .keys import RunKeys
        from .store import Missing

        try:
            data = self._link.store().get(RunKeys(self._assignment.run).manifest(index))
        except Missing:
            return ""
        return str(json.loads(data)["state"])


def _say(text: str) -> None:
    """Tell whoever reads the pod's log."""
    sys.stderr.write(f"sendoff: {text}\n")
    sys.stderr.flush()
