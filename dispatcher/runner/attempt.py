"""One attempt from its start to its commit."""

from __future__ import annotations

import os
import time

from . import kernel
from .command import Command, NotFound
from .exit_status import LOST
from .outputs import Tree, emptied
from .phases import Phases
from .store import Exists

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from .assignment import Assignment
    from .calls import Calls
    from .gpu import Gpus
    from .ledger import Ledger
    from .outcome import Ending
    from .results import Results
    from .usage import Sampler
    from .watch import Signals, Watch
    from .watchdog import Watchdog

_MANIFEST = "sendoff.manifest/1"


class Attempt:
    """Runs the command of an assignment in its workspace. The working directory is changed."""

    def __init__(
        self,
        assignment: Assignment,
        ledger: Ledger,
        *,
        lifeline: int = -1,
        signals: Signals | None = None,
        environment: Mapping[str, str] | None = None,
        alone: bool = False,
        calls: Calls | None = None,
    ) -> None:
        """`lifeline` is a pipe whose end ends the command; `signals` those that are passed on.

        `environment` is what the command's own is made from, else that of this process. `alone`
        says that nothing but the command and this process is in the control group. `calls` starts
        the command where others of the same kind follow.
        """
        self._assignment, self._ledger, self._lifeline = assignment, ledger, lifeline
        self._signals, self._alone, self._calls = signals, alone, calls
        self._base = os.environ if environment is None else environment
        self._phases = Phases(assignment.before, assignment.placed)
        self._watchdog: Watchdog | None = None
        self.state = ""
        """As in the manifest, once the command has ended."""
        self._before: Tree | None = None

    def run(self) -> int:
        """The runner's exit status."""
        assignment = self._assignment
        os.chdir(assignment.workspace)
        os.makedirs(assignment.output_dir, exist_ok=True)
        kernel.adopt_orphans()
        before = self._before = Tree(assignment.workspace)
        self._began = time.time()
        try:
            self._ledger.announce(self._started())
        except Exists:
            return LOST
        return self._run(before)

    def clean(self) -> bool:
        """Whether the workspace is as it was before; what is beside it is emptied then."""
        folders = (self._assignment.output_dir, self._returned)
        if self._before is None or self._assignment.data or not self._before.same():
            return False
        return all(map(emptied, folders))

    def refuse(self, state: str, failure: dict[str, Any] | None) -> int:
        """Commit a state instead of starting the command; the runner's exit status."""
        from . import hardware

        self._began = time.time()
        self._phases.start()
        try:
            self._ledger.announce(self._started())
        except Exists:
            return LOST
        self._ledger.ended()
        self._ledger.close_log()
        record = {"failure": failure, "hardware": hardware.facts(), **self._times(0)}
        return self._commit({"state": state, **record})

    def _started(self) -> dict[str, Any]:
        return {
            "run": self._assignment.run,
            "index": self._assignment.index,
            "attempt": self._assignment.attempt,
            "digest": self._assignment.digest,
            "started": _time(self._began),
            "host": os.uname().nodename,
            "pid": os.getpid(),
        }

    def _run(self, before: Tree) -> int:
        from .memory import MemoryWatch
        from .watch import Signals, Watch

        assignment, log = self._assignment, self._ledger.log
        name = f"sendoff-{assignment.run}-{assignment.index}-{assignment.attempt}"
        memory = MemoryWatch(name, assignment.memory, alone=self._alone)
        signals = self._signals or Signals()
        environment = self._environment()
        self._phases.start()
        try:
            with memory:
                command = self._start(environment, limited=memory.limited)
        except NotFound as missing:
            return self._not_found(missing)
        watch = Watch(command, log, signals, assignment.grace)
        if self._calls:
            watch.spare(self._calls.spared)
        if self._lifeline >= 0:
            watch.hold(self._lifeline)
        # From here on imports cost nothing: the command is starting beside them.
        from . import gpu, hardware, outcome, results, usage

        machine = hardware.facts()
        share, _ = assignment.idle_limit or (0, 0)
        visible = environment.get("CUDA_VISIBLE_DEVICES")
        gpus = gpu.Gpus(visible, share) if gpu.present() else None
        sampler = usage.Sampler(watch.processes)
        watch.run(assignment.timeout, self._look(sampler, watch, gpus))
        self._phases.end(watch.wall)
        self._ledger.ended(pressed=watch.stopped in ("signal", "orphaned"))
        used = gpus.finish() if gpus else {}
        ending = outcome.Ending(
            status=watch.status or 0,
            stopped=watch.stopped,
            killed=watch.killed,
            errors=log.tail("err"),
            # The kernel takes its time to tell, and of one that succeeded nobody asks.
            memory_kills=memory.killed() if watch.status or memory.alone else (0, 0),
            alone=memory.alone,
        )
        memory.close()
        record = {
            **self._how(ending),
            "usage": {"wall": round(watch.wall, 4), **sampler.totals(), **used},
            "hardware": {**machine, "gpus": gpus.facts} if gpus and gpus.facts else machine,
            **self._times(watch.wall),
        }
        return self._finish(record, before, results.Results(self._ledger, assignment))

    def _look(self, sampler: Sampler, watch: Watch, gpus: Gpus | None) -> Callable[[], float]:
        """What is looked at while the command runs."""
        if gpus is None or not self._assignment.idle_limit:
            return sampler.sample
        from .watchdog import Watchdog

        seconds = self._assignment.idle_limit[1]
        self._watchdog = Watchdog(gpus, seconds, watch, self._ledger.log)
        return self._watchdog.beside(sampler.sample)

    def _start(self, environment: dict[str, str], *, limited: bool) -> Command:
        # What is forked would not be in the group that was made for this command.
        start = Command if limited or self._calls is None else self._calls.start
        return start(self._assignment.command, environment)

    def _how(self, ending: Ending) -> dict[str, Any]:
        failure = ending.failure(self._assignment.timeout, self._assignment.grace)
        if self._watchdog and ending.stopped == "idle":
            failure = self._watchdog.failure(self._assignment.grace, killed=ending.killed)
        if failure:
            state = "timed-out" if failure["code"] == "TIMEOUT" else "failed"
        elif ending.stopped:
            state = "cancelled" if self._ledger.cancelled() else "interrupted"
        else:
            state = "succeeded"
        return {
            "state": state,
            "exit_code": ending.exit_code,
            "signal": ending.signal,
            "core_dumped": ending.core_dumped,
            "failure": failure,
        }

    def _not_found(self, missing: NotFound) -> int:
        from . import hardware, start_failure

        command = self._assignment.command
        self._ledger.ended()
        record = {
            "state": "failed",
            "exit_code": 127,
            "failure": start_failure.of(command, missing.reason, missing.path),
            "hardware": hardware.facts(),
            **self._times(0),
        }
        self._ledger.close_log()
        return self._commit(record)

    def _finish(self, record: dict[str, Any], before: Tree, results: Results) -> int:
        """Store what the command wrote, then the manifest."""
        from . import outcome, outputs

        if self._ledger.lost():
            return LOST
        assignment, log = self._assignment, self._ledger.log
        found = outputs.find(
            before, assignment.output_dir, assignment.outputs, results.file_limit, self._returned
        )
        results.keep(found)
        self._ledger.close_log()
        record["files"] = results.files
        record["warnings"] = found.warnings + ([f"LOG_CUT: {log.cut}"] * bool(log.cut))
        problems = results.problems + ([log.problem] if log.problem else [])
        if problems:
            kept = assignment.workspace if self._ledger.kept else ""
            incomplete = outcome.upload_incomplete(problems, kept, results.exceeded)
            record["warnings"].append(f"UPLOAD_INCOMPLETE: {'; '.join(problems)}")
            if not record["failure"]:
                record.update(failure=incomplete)
            if record["state"] == "succeeded":
                record.update(state="failed")
        return self._commit(record)

    def _commit(self, record: dict[str, Any]) -> int:
        self.state = record["state"]
        if self.state == "interrupted":
            return self._ledger.leave(self._manifest({**record, "state": "failed"}))
        return self._ledger.commit(self._manifest(record))

    def _manifest(self, record: dict[str, Any]) -> dict[str, Any]:
        if self._ledger.attempt != self._assignment.attempt:
            self._phases.forget()
        return {
            **{name: value for name, value in record.items() if value not in (None, "", False)},
            "format": _MANIFEST,
            "run": self._assignment.run,
            "index": self._assignment.index,
            "attempt": self._ledger.attempt,
            "digest": self._assignment.digest,
            "command": self._assignment.command,
            "exit_code": record.get("exit_code"),
            "phases": self._phases.record(),
        }

    def _times(self, wall: float) -> dict[str, str]:
        # Both from one reading of the clock, so that a clock set meanwhile changes no duration.
        return {"started": _time(self._began), "ended": _time(self._began + wall)}

    @property
    def _returned(self) -> str:
        """Where a call leaves what it returns."""
        return os.path.join(os.path.dirname(self._assignment.output_dir), "call")

    def _environment(self) -> dict[str, str]:
        """What the command's environment holds: the base, and what tells it where it is."""
        site = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + "/site"
        paths = [self._base.get("PYTHONPATH", ""), site]
        return {
            # Else `logs -f` would show a page at a time, and a killed command lose the last one.
            "PYTHONUNBUFFERED": "1",
            **self._base,
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "PWD": self._assignment.workspace,
            "SENDOFF_RUN": self._assignment.run,
            "SENDOFF_INDEX": str(self._assignment.index),
            "SENDOFF_ATTEMPT": str(self._assignment.attempt),
            "SENDOFF_OUTPUT_DIR": self._assignment.output_dir,
            "SENDOFF_CALL_DIR": self._returned,
        }


def _time(seconds: float) -> str:
    """UTC, ISO 8601 with milliseconds."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds % 1 * 1000):03}Z"
