"""Looks after one run from its start to its last commit, in a process of its own.

That process holds the run's lock, which tells others that the run is looked after; the lock ends
with it, however it ends.

A run whose images are ready has a plan already, and needs nothing here but the standard library.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections import deque

from dispatcher.local import environment
from dispatcher.local.launch import launch
from dispatcher.local.leftovers import incomplete
from dispatcher.local.plan import Plan
from dispatcher.local.runner_process import RunnerProcess
from dispatcher.local.workspace import Workspace, remove
from dispatcher.runner import kernel
from dispatcher.runner.assignment import Assignment
from dispatcher.runner.exit_status import NOT_STORED
from dispatcher.runner.keys import RunKeys, numbers
from dispatcher.runner.store import DirectoryStore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dispatcher.local.failures import Failures
    from dispatcher.runner.watch import Signals

# How soon a cancellation by another process is noticed.
_PERIOD = 0.1


class Supervisor:
    """Starts the indexes of a run, some at once, and sees to it that each gets a manifest."""

    def __init__(
        self,
        run: str,
        plan: Plan,
        work: str,
        failures: Failures,
        signals: Signals,
        *,
        since: float,
        unpacking: float,
    ) -> None:
        """Indexes wait `since` then, by the monotonic clock, after so many seconds of unpacking."""
        self._plan, self._work, self._failures = plan, work, failures
        self._signals = signals
        self._keys = RunKeys(run)
        self._store = DirectoryStore(plan.settings["store"])
        self._waiting = deque(range(len(plan.inputs)))
        self._running: dict[int, RunnerProcess] = {}
        self._idle: list[RunnerProcess] = []
        self._leaving: set[int] = set()
        self._several = len(plan.inputs) > plan.parallel
        self._lasting = False
        self._looked = 0.0
        self._poll = select.poll()
        self._retries = dict.fromkeys(self._waiting, plan.retries)
        self._since = dict.fromkeys(self._waiting, (since, unpacking))

    def employ(self, runner: RunnerProcess) -> None:
        """Give work to a runner that is there before the run is."""
        self._idle.append(self._engaged(runner, self._folder(0, 1)))

    def work(self, *, lasting: bool) -> RunnerProcess | None:
        """Return when nothing is left to do: `lasting`, with a runner that can do another run."""
        # What one keeps loaded for many calls may be large.
        self._lasting = lasting and not self._several
        kernel.adopt_orphans()
        self._poll.register(self._signals.fd, select.POLLIN)
        # A runner that was there before may have ended before there was anybody to hear of it.
        self._heed([])
        while self._running or self._waiting:
            self._heed_cancellation()
            while self._waiting and len(self._running) < self._plan.parallel:
                self._start(self._waiting.popleft())
            ready = {descriptor for descriptor, _ in self._poll.poll(_PERIOD * 1000)}
            self._hear(ready)
            if self._signals.fd in ready:
                self._heed(self._signals.read())
        lasting_one = self._idle.pop() if self._lasting and self._idle else None
        for process in self._idle:
            remove(process.folder)
            self._let_go(process)
        self._wait_for_leaving()
        if os.path.isdir(self._work) and not os.listdir(self._work):
            os.rmdir(self._work)
        return lasting_one

    def _start(self, index: int) -> None:
        placed = time.monotonic()
        since, unpacking = self._since[index]
        attempt = self._last_attempt(index) + 1
        asked = self._plan.inputs[index]
        found = self._plan.images[asked["digest"]]
        idle = self._take_idle(found["root"])
        workspace = Workspace(idle.folder if idle else self._folder(index, attempt))
        try:
            if idle is None or not idle.clean:
                if os.path.isdir(workspace.root):
                    remove(workspace.root)
                workspace.fill(found["layers"], found["root"])
        except OSError as error:
            if idle:
                self._idle.append(idle)
            remove(workspace.root)
            self._failures.unprepared(index, error, self._work)
            return
        variables = self._variables(found, workspace.root)
        root = found["root"]
        process = idle or self._engaged(RunnerProcess(root, launch(root)), workspace.root)
        self._running[process.pid] = process
        process.give(
            Assignment(
                run=self._keys.run,
                index=index,
                attempt=attempt,
                workspace=workspace.directory,
                output_dir=workspace.outputs,
                environment=variables,
                several=self._several,
                placed=placed,
                before={"queued": placed - since, "pulling": unpacking},
                **asked,
                **self._plan.settings,
            )
        )

    def _engaged(self, runner: RunnerProcess, folder: str) -> RunnerProcess:
        runner.begin(folder)
        self._poll.register(runner.fd, select.POLLIN)
        return runner

    def _take_idle(self, environment: str) -> RunnerProcess | None:
        """A runner of that environment that has nothing to do."""
        for process in self._idle:
            if process.environment == environment:
                self._idle.remove(process)
                return process
        return None

    def _hear(self, ready: set[int]) -> None:
        """Note attempts that have ended; of runners that have, their exit tells."""
        for process in [each for each in self._running.values() if each.fd in ready]:
            status = process.answer()
            if status is None:
                continue
            del self._running[process.pid]
            kept = self._ended(process, status)
            if kept or process.asked_to_end or not (self._waiting or self._lasting):
                if not kept:
                    remove(process.folder)
                self._let_go(process)
            else:
                self._idle.append(process)

    def _let_go(self, process: RunnerProcess) -> None:
        """Have a runner end that has nothing to do."""
        self._close(process)
        self._leaving.add(process.pid)

    def _close(self, process: RunnerProcess) -> None:
        self._poll.unregister(process.fd)
        process.close()

    def _wait_for_leaving(self) -> None:
        while self._leaving:
            try:
                self._leaving.discard(os.waitpid(-1, 0)[0])
            except ChildProcessError:
                return

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
        while self._running or self._leaving or self._idle:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            self._leaving.discard(pid)
            for process in [each for each in self._idle if each.pid == pid]:
                self._idle.remove(process)
                self._close(process)
                remove(process.folder)
            if pid in self._running:
                process = self._running.pop(pid)
                self._close(process)
                self._ended(process, os.waitstatus_to_exitcode(status))

    def _heed_cancellation(self) -> None:
        if time.monotonic() < self._looked + _PERIOD:
            return
        self._looked = time.monotonic()
        everything = self._store.has(self._keys.cancel)
        # Many may be waiting, and few of those have anything in the store.
        begun = set(self._store.names(self._keys.prefix)) if self._waiting else set()
        for index in list(self._waiting):
            asked = str(index) in begun and self._store.has(self._keys.cancel_index(index))
            if everything or asked:
                self._waiting.remove(index)
                self._failures.cancelled(index)
        for process in self._running.values():
            if everything or self._store.has(self._keys.cancel_index(process.index)):
                process.end()

    def _is_cancelled(self, index: int) -> bool:
        return any(map(self._store.has, (self._keys.cancel, self._keys.cancel_index(index))))

    def _ended(self, process: RunnerProcess, status: int) -> bool:
        """See to it that the attempt has a manifest; whether its files stay where they are."""
        if status < 0:
            self._kill_orphans()
        index, attempt = process.index, process.attempt
        folder = process.folder
        if not self._store.has(self._keys.manifest(index)):
            if self._retries[index] > 0 and not process.asked_to_end:
                self._retries[index] -= 1
                self._waiting.append(index)
                self._since[index] = time.monotonic(), 0.0
            elif status == -signal.SIGTERM and process.asked_to_end and self._is_cancelled(index):
                # It was asked before it could pass that on.
                self._failures.cancelled(index, attempt)
            else:
                useful = status == NOT_STORED
                self._failures.runner_ended(index, attempt, status, folder if useful else "")
        if status == NOT_STORED or incomplete(self._store, self._keys, index):
            return True
        if not process.clean:
            remove(folder)
        return False

    def _kill_orphans(self) -> None:
        """End what a killed runner has left; the system made it ours."""
        while True:
            found = set(kernel.descendants(os.getpid()))
            for pid in (*self._running, *self._leaving, *(each.pid for each in self._idle)):
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
        return max(numbers(self._store.names(self._keys.index(index))), default=0)

    def _folder(self, index: int, attempt: int) -> str:
        return f"{self._work}/{index}-{attempt}"
