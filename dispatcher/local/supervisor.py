"""Looks after one run from its start to its last commit: a process of its own.

`python -m dispatcher.local.supervisor RUN LAYOUT STORE CACHE STATE`, where standard input holds the
run's lock. That lock is what tells others that the run is looked after; it ends with this process,
however that ends.

A run whose images are ready has a plan already, and needs nothing here but the standard library.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections import deque

from dispatcher.local import environment
from dispatcher.local.leftovers import incomplete, sweep
from dispatcher.local.plan import Plan
from dispatcher.local.runner_process import RunnerProcess
from dispatcher.local.workspace import Workspace, remove
from dispatcher.runner import kernel
from dispatcher.runner.assignment import Assignment
from dispatcher.runner.exit_status import NOT_STORED
from dispatcher.runner.keys import RunKeys
from dispatcher.runner.store import DirectoryStore
from dispatcher.runner.watch import Signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dispatcher.local.failures import Failures

# How soon a cancellation by another process is noticed.
_PERIOD = 0.1
_LOCK = 0


class Supervisor:
    """Starts the indexes of a run, some at once, and sees to it that each gets a manifest."""

    def __init__(
        self,
        run: str,
        plan: Plan,
        work: str,
        failures: Failures,
        *,
        since: float,
        unpacking: float,
    ) -> None:
        """Indexes wait `since` then, by the monotonic clock, after so many seconds of unpacking."""
        self._plan, self._work, self._failures = plan, work, failures
        self._keys = RunKeys(run)
        self._store = DirectoryStore(plan.settings["store"])
        self._waiting = deque(range(len(plan.inputs)))
        self._running: dict[int, RunnerProcess] = {}
        self._retries = dict.fromkeys(self._waiting, plan.retries)
        self._since = dict.fromkeys(self._waiting, (since, unpacking))

    def work(self) -> None:
        """Return when nothing is left to do."""
        kernel.adopt_orphans()
        signals = Signals()
        poll = select.poll()
        poll.register(signals.fd, select.POLLIN)
        while self._running or self._waiting:
            self._heed_cancellation()
            while self._waiting and len(self._running) < self._plan.parallel:
                self._start(self._waiting.popleft())
            if poll.poll(_PERIOD * 1000):
                self._heed(signals.read())
        if os.path.isdir(self._work) and not os.listdir(self._work):
            os.rmdir(self._work)

    def _start(self, index: int) -> None:
        placed = time.monotonic()
        since, unpacking = self._since[index]
        attempt = self._last_attempt(index) + 1
        asked = self._plan.inputs[index]
        found = self._plan.images[asked["digest"]]
        workspace = Workspace(self._folder(index, attempt))
        try:
            if os.path.isdir(workspace.root):
                remove(workspace.root)
            workspace.fill(found["layers"], found["root"])
        except OSError as error:
            remove(workspace.root)
            self._failures.unprepared(index, error, self._work)
            return
        assignment = Assignment(
            run=self._keys.run,
            index=index,
            attempt=attempt,
            workspace=workspace.directory,
            output_dir=workspace.outputs,
            placed=placed,
            before={"queued": placed - since, "pulling": unpacking},
            **asked,
            **self._plan.settings,
        )
        process = RunnerProcess(assignment, found["root"], self._variables(found, workspace.root))
        self._running[process.pid] = process

    def _variables(self, found: dict[str, Any], root: str) -> dict[str, str]:
        names = self._plan.secrets
        secrets = {name: os.environ[name] for name in names if name in os.environ}
        return environment.variables(
            os.environ,
            found["variables"],
            {**self._plan.environment, **secrets},
            environment=found["root"],
            attempt=root,
        )

    def _heed(self, numbers: list[int]) -> None:
        if signal.SIGTERM in numbers:
            self._waiting.clear()
            for process in self._running.values():
                process.end()
        while self._running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            if pid in self._running:
                process = self._running.pop(pid)
                process.close()
                self._ended(process, os.waitstatus_to_exitcode(status))

    def _heed_cancellation(self) -> None:
        everything = self._store.has(self._keys.cancel)
        for index in list(self._waiting):
            if everything or self._store.has(self._keys.cancel_index(index)):
                self._waiting.remove(index)
                self._failures.cancelled(index)
        for process in self._running.values():
            if everything or self._store.has(self._keys.cancel_index(process.index)):
                process.end()

    def _ended(self, process: RunnerProcess, status: int) -> None:
        if status < 0:
            self._kill_orphans()
        index, attempt = process.index, process.attempt
        folder = self._folder(index, attempt)
        if not self._store.has(self._keys.manifest(index)):
            if self._retries[index] > 0 and not process.asked_to_end:
                self._retries[index] -= 1
                self._waiting.append(index)
                self._since[index] = time.monotonic(), 0.0
            else:
                useful = status == NOT_STORED
                self._failures.runner_ended(index, attempt, status, folder if useful else "")
        if status != NOT_STORED and not incomplete(self._store, self._keys, index):
            remove(folder)

    def _kill_orphans(self) -> None:
        """End what a killed runner has left; the system made it ours."""
        while True:
            found = set(kernel.descendants(os.getpid()))
            for pid in self._running:
                found -= {pid, *kernel.descendants(pid)}
            if not found:
                return
            for pid in found:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            time.sleep(_PERIOD / 20)

    def _last_attempt(self, index: int) -> int:
        names = self._store.names(f"{self._keys.prefix}{index}/")
        return max((int(name) for name in names if name.isdigit()), default=0)

    def _folder(self, index: int, attempt: int) -> str:
        return f"{self._work}/{index}-{attempt}"


def main(run: str, *places: str) -> None:
    """Look after one run."""
    from dispatcher.local.failures import Failures

    began, unpacking = time.monotonic(), 0.0
    # Says that there has been a supervisor, and which.
    os.write(_LOCK, b"%d\n" % os.getpid())
    failures = Failures(run, places)
    state = places[-1]
    plan = Plan.read(f"{state}/runs/{run}/plan.json")
    if plan is None:
        plan = failures.prepare()
        unpacking = time.monotonic() - began
    if plan is None:
        return
    from dispatcher.local.protection import protect

    protect(plan.protected)
    work = f"{state}/work/{run}"
    Supervisor(run, plan, work, failures, since=began + unpacking, unpacking=unpacking).work()
    sweep(state, DirectoryStore(plan.settings["store"]))


if __name__ == "__main__":
    main(*sys.argv[1:])
