"""Looks after one run from its start to its last commit: a process of its own.

`python -m dispatcher.local.supervisor RUN LAYOUT STORE CACHE STATE`, where standard input holds the
run's lock. That lock is what tells others that the run is looked after; it ends with this process,
however that ends.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections import deque
from pathlib import Path

from dispatcher import diagnosis
from dispatcher.local.preparation import Preparation
from dispatcher.local.runner_process import RunnerProcess
from dispatcher.places import Places
from dispatcher.run import Failure, Manifest, Run, State
from dispatcher.runner import attempt as runner
from dispatcher.runner import kernel
from dispatcher.runner.watch import Signals
from dispatcher.store import Runs
from packer import record
from packer.errors import SendoffError

# How soon a cancellation by another process is noticed.
_PERIOD = 0.1
_LOCK = 0


class Supervisor:
    """Starts the indexes of a run, some at once, and sees to it that each gets a manifest."""

    def __init__(self, run: Run, places: Places) -> None:
        self._run, self._places = run, places
        self._runs = Runs.at(places)
        self._preparation = Preparation(run, places)
        self._waiting = deque(range(len(run.request.inputs)))
        self._running: dict[int, RunnerProcess] = {}
        self._retries = dict.fromkeys(self._waiting, run.request.retries)
        self._parallel = run.request.max_parallel or len(os.sched_getaffinity(0))
        self._stopping = False

    def work(self) -> None:
        """Return when nothing is left to do."""
        kernel.adopt_orphans()
        self._signals = Signals()
        try:
            self._preparation.prepare()
        except SendoffError as error:
            for index in self._waiting:
                self._fail(index, 0, diagnosis.of_error(error))
            return
        poll = select.poll()
        poll.register(self._signals.fd, select.POLLIN)
        while self._running or self._waiting:
            self._heed_cancellation()
            while self._waiting and len(self._running) < self._parallel:
                self._start(self._waiting.popleft())
            if poll.poll(_PERIOD * 1000):
                self._heed(self._signals.read())
        self._preparation.clean()

    def _start(self, index: int) -> None:
        attempt = max(self._runs.attempts(self._run.id, index), default=0) + 1
        try:
            process = self._preparation.start(index, attempt)
        except SendoffError as error:
            self._fail(index, attempt, diagnosis.of_error(error))
        else:
            self._running[process.pid] = process

    def _heed(self, numbers: list[int]) -> None:
        if signal.SIGTERM in numbers:
            self._stopping = True
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
        for index in list(self._waiting):
            if self._runs.cancelled(self._run.id, index):
                self._waiting.remove(index)
                self._commit(index, 0, "cancelled", None)
        for process in self._running.values():
            if self._runs.cancelled(self._run.id, process.index):
                process.end()

    def _ended(self, process: RunnerProcess, status: int) -> None:
        if status < 0:
            self._kill_orphans()
        index, attempt = process.index, process.attempt
        manifest = self._runs.manifest(self._run.id, index)
        if manifest is None and not self._stopping:
            if self._retries[index] > 0 and not process.asked_to_end:
                self._retries[index] -= 1
                self._waiting.append(index)
            else:
                kept = str(self._preparation.folder(index, attempt))
                useful = status == runner.NOT_STORED
                self._fail(index, attempt, diagnosis.of_runner(status, kept if useful else ""))
        if status != runner.NOT_STORED and not _is_incomplete(manifest):
            self._preparation.clean_attempt(index, attempt)

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

    def _fail(self, index: int, attempt: int, failure: Failure) -> None:
        self._commit(index, attempt, "failed", failure)

    def _commit(self, index: int, attempt: int, state: State, failure: Failure | None) -> None:
        asked = self._run.request.inputs[index]
        now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
        manifest = Manifest(
            run=self._run.id,
            index=index,
            attempt=attempt,
            digest=asked.digest,
            command=asked.command,
            state=state,
            exit_code=None,
            failure=failure,
            ended=now,
        )
        try:
            self._runs.commit(manifest)
        except OSError:
            path = self._places.supervisor(self._run.id) / f"{index}.json"
            path.write_bytes(record.encode(manifest))


def _is_incomplete(manifest: Manifest | None) -> bool:
    warnings = manifest.warnings if manifest else ()
    return any(warning.startswith("UPLOAD_INCOMPLETE") for warning in warnings)


def main(run_id: str, layout: str, store: str, cache: str, state: str) -> None:
    """Look after one run."""
    # Says that there has been a supervisor, and which.
    os.write(_LOCK, b"%d\n" % os.getpid())
    where = Places(layout=Path(layout), store=Path(store), cache=Path(cache), state=Path(state))
    Supervisor(Runs.at(where).run(run_id), where).work()


if __name__ == "__main__":
    main(*sys.argv[1:])
