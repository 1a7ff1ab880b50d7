"""One attempt at one input of a pod, in a working directory of its own."""

from __future__ import annotations

import os
import sys

from .assignment import Assignment
from .attempt import Attempt
from .exit_status import INTERNAL, INTERRUPTED, NOT_STORED, UNUSABLE
from .image import EDITABLE, WORKSPACE, placed
from .pod_ledger import PodLedger
from .store_faults import StoreFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .calls import Calls
    from .link import Link
    from .pod_assignment import PodAssignment
    from .watch import Signals

# What is the runner's business, and none of the command's.
_PRIVATE = frozenset({"SENDOFF_POD_CONFIG", "SENDOFF_FAILURES", "SENDOFF_IGNORED_FAILURES"})


class PodAttempt:
    """What it comes to is an exit status and a state, as in a manifest.

    Raises:
        StoreFault: the store was away where nothing can be done without it.
    """

    def __init__(
        self,
        told: PodAssignment,
        link: Link,
        signals: Signals,
        index: int,
        number: int,
        *,
        before: dict[str, float],
        placed: float,
        calls: Calls | None = None,
    ) -> None:
        """`before` and `placed` are as in `phases.Phases`."""
        self._told, self._link = told, link
        # Of several inputs all have the same place in turn: what a call has loaded knows it by it.
        self._root = f"{told.scratch}/work/{index}-{number}" if calls is None else told.shared_root
        assignment = Assignment(
            run=told.run,
            index=index,
            attempt=number,
            digest=told.inputs[index]["digest"],
            command=told.inputs[index]["command"],
            store="",
            workspace=self._root + WORKSPACE,
            output_dir=self._root + "/outputs",
            outputs=told.outputs,
            timeout=told.timeout,
            grace=told.grace,
            idle_limit=told.idle_limit,
            before=before,
            placed=placed,
            file_limit=told.file_limit,
            byte_limit=told.byte_limit,
        )
        self._workspace = assignment.workspace
        self._ledger = PodLedger(link, assignment, told.patience, told.scratch)
        self._attempt = Attempt(
            assignment,
            self._ledger,
            lifeline=self._ledger.lifeline,
            signals=signals,
            environment=self._environment(),
            alone=True,
            calls=calls,
        )

    def run(self, give_data: Callable[[str], None] | None) -> tuple[int, str]:
        """Run the command, unless what it needs can't be had."""
        from .working_copy import remove

        try:
            self._prepare()
        except OSError as error:
            _say(f"no working directory could be made: {error}")
            return INTERNAL, ""
        try:
            status = self._given(give_data) if give_data else 0
            if not status:
                self._link.require_credentials()
            return self._end(status or self._attempt.run())
        finally:
            os.chdir("/")
            if self._told.per_pod > 1:
                remove(self._root)

    def cancel(self) -> tuple[int, str]:
        """Commit that it was cancelled before it was started."""
        return self._end(self._attempt.refuse("cancelled", None))

    def _end(self, status: int) -> tuple[int, str]:
        self._ledger.close()
        if status == NOT_STORED:
            _say(f"the store took no manifest: {self._ledger.problem}")
        return status, self._attempt.state

    def _given(self, give_data: Callable[[str], None]) -> int:
        """Put the run's data into the workspace; 0, or the exit status if that fails."""
        from .data import DataUnusable, Stopped
        from .outcome import data_unusable

        try:
            give_data(self._workspace)
        except Stopped:
            return INTERRUPTED
        except DataUnusable as error:
            _say(str(error))
            return self._attempt.refuse("failed", data_unusable(str(error))) or UNUSABLE
        except StoreFault:
            raise
        except OSError as error:
            _say(f"there is no room for the inputs: {error}")
            return INTERNAL
        return 0

    def _prepare(self) -> None:
        """Make the writable copy of the code."""
        from .working_copy import copy

        for part in (WORKSPACE, EDITABLE):
            os.makedirs(self._root + part, exist_ok=True)
            if os.path.isdir(self._told.image + part):
                copy(self._told.image + part, self._root + part)
        for name in ("home", "tmp"):
            os.makedirs(f"{self._told.scratch}/{name}", exist_ok=True)

    def _environment(self) -> dict[str, str]:
        """The container's variables and the request's, with the image's paths made the copy's."""
        inherited = {name: text for name, text in os.environ.items() if name not in _PRIVATE}
        inherited["HOME"] = f"{self._told.scratch}/home"
        inherited["TMPDIR"] = f"{self._told.scratch}/tmp"  # noqa: S108 (the pod's own)
        places = {WORKSPACE: self._root, EDITABLE: self._root}
        values = {**inherited, **self._told.environment}
        return {
            **{name: placed(text, places) for name, text in values.items()},
            "SENDOFF_ROOT": self._root,
        }


def _say(text: str) -> None:
    """Tell whoever reads the pod's log."""
    sys.stderr.write(f"sendoff: {text}\n")
    sys.stderr.flush()
