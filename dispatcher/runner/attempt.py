"""One attempt from its start to its commit."""

from __future__ import annotations

import json
import os
import time

from . import kernel
from .command import Command, NotFound
from .keys import RunKeys
from .log import Log
from .outputs import Tree
from .store import DirectoryStore, Exists

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .assignment import Assignment
    from .outcome import Ending
    from .results import Results
    from .usage import Sampler
    from .watch import Watch

COMMITTED = 0
"""There is a manifest of this attempt, whatever the command's own end."""
INTERNAL = 70
"""The runner itself failed; nothing was committed."""
NOT_STORED = 74
"""The store took no manifest; nothing was committed."""
INTERRUPTED = 75
"""Somebody ended the attempt from outside without cancelling the run; nothing was committed."""
LOST = 76
"""Another attempt has committed, or has this number."""

_MANIFEST = "sendoff.manifest/1"
_RETRIES = 5


class Attempt:
    """Runs the command of an assignment in its workspace. The working directory is changed."""

    def __init__(self, assignment: Assignment, lifeline: int) -> None:
        self._assignment, self._lifeline = assignment, lifeline
        self._keys = RunKeys(assignment.run)
        self._store = DirectoryStore(assignment.store)
        self._log = Log(
            self._store, self._keys, assignment.index, assignment.attempt, assignment.log_limit
        )

    def run(self) -> int:
        """The runner's exit status."""
        assignment = self._assignment
        os.chdir(assignment.workspace)
        os.makedirs(assignment.output_dir, exist_ok=True)
        kernel.adopt_orphans()
        before = Tree(assignment.workspace)
        self._began = time.time()
        try:
            self._announce()
        except Exists:
            return LOST
        except OSError:
            # The manifest is what counts; the end will show whether the store has come back.
            self._log.problem = "the store took no record of the attempt's start"
        return self._run(before)

    def _announce(self) -> None:
        record = {
            "run": self._assignment.run,
            "index": self._assignment.index,
            "attempt": self._assignment.attempt,
            "digest": self._assignment.digest,
            "started": _time(self._began),
            "host": os.uname().nodename,
            "pid": os.getpid(),
        }
        key = self._keys.started(self._assignment.index, self._assignment.attempt)
        self._store.put_new(key, _json(record))

    def _run(self, before: Tree) -> int:
        from .memory import MemoryWatch
        from .watch import Signals, Watch

        assignment = self._assignment
        name = f"sendoff-{assignment.run}-{assignment.index}-{assignment.attempt}"
        memory = MemoryWatch(name, assignment.memory)
        signals = Signals()
        environment = self._environment()
        try:
            with memory:
                command = Command(assignment.command, environment)
        except NotFound as missing:
            return self._not_found(missing)
        watch = Watch(command, self._log, signals, assignment.grace)
        if self._lifeline >= 0:
            watch.hold(self._lifeline)
        # From here on imports cost nothing: the command is starting beside them.
        from . import gpu, hardware, outcome, results, usage

        machine = hardware.facts()
        gpus = gpu.Gpus(environment.get("CUDA_VISIBLE_DEVICES")) if gpu.present() else None
        sampler = usage.Sampler()
        watch.run(assignment.timeout, sampler.sample)
        used = gpus.finish() if gpus else (None, None)
        ending = outcome.Ending(
            status=watch.status or 0,
            stopped=watch.stopped,
            killed=watch.killed,
            errors=self._log.tail("err"),
            memory_kills=memory.killed(),
        )
        memory.close()
        record = {
            **self._how(ending),
            "usage": _usage(watch, sampler, used),
            "hardware": {**machine, "gpus": gpus.facts} if gpus and gpus.facts else machine,
            **self._times(watch.wall),
        }
        kept = results.Results(self._store, self._keys, assignment)
        return self._finish(record, before, kept)

    def _how(self, ending: Ending) -> dict[str, Any]:
        failure = ending.failure(self._assignment.timeout, self._assignment.grace)
        if failure:
            state = "timed-out" if failure["code"] == "TIMEOUT" else "failed"
        elif ending.stopped:
            state = "cancelled" if self._cancelled() else "interrupted"
        else:
            state = "succeeded"
        return {
            "state": state,
            "exit_code": ending.exit_code,
            "signal": ending.signal,
            "core_dumped": ending.core_dumped,
            "failure": failure,
        }

    def _cancelled(self) -> bool:
        wanted = (self._keys.cancel, self._keys.cancel_index(self._assignment.index))
        return any(self._store.has(key) for key in wanted)

    def _not_found(self, missing: NotFound) -> int:
        from . import hardware, outcome

        record = {
            "state": "failed",
            "exit_code": 127,
            "failure": outcome.not_found(missing.name, missing.reason, missing.path),
            "hardware": hardware.facts(),
            **self._times(0),
        }
        return self._commit(record)

    def _finish(self, record: dict[str, Any], before: Tree, results: Results) -> int:
        """Store what the command wrote, then the manifest."""
        from . import outcome, outputs

        assignment = self._assignment
        found = outputs.find(
            assignment.workspace, before, assignment.output_dir, assignment.outputs
        )
        results.keep(found)
        record["files"] = results.files
        record["warnings"] = found.warnings + ([f"LOG_CUT: {self._log.cut}"] * bool(self._log.cut))
        problems = results.problems + ([self._log.problem] if self._log.problem else [])
        if problems:
            incomplete = outcome.upload_incomplete(problems, assignment.workspace)
            record["warnings"].append(f"UPLOAD_INCOMPLETE: {'; '.join(problems)}")
            if not record["failure"]:
                record.update(failure=incomplete)
            if record["state"] == "succeeded":
                record.update(state="failed")
        return self._commit(record)

    def _commit(self, record: dict[str, Any]) -> int:
        if record["state"] == "interrupted":
            return self._leave({**record, "state": "failed"})
        try:
            return self._put_manifest(self._manifest(record))
        except Exists:
            return LOST

    def _leave(self, record: dict[str, Any]) -> int:
        """Keep what an interrupted attempt came to, for whoever decides what becomes of it."""
        key = self._keys.interrupted(self._assignment.index, self._assignment.attempt)
        try:
            self._store.put(key, self._manifest(record))
        except OSError:
            return NOT_STORED
        return INTERRUPTED

    def _put_manifest(self, manifest: bytes) -> int:
        key = self._keys.manifest(self._assignment.index)
        for attempt in range(_RETRIES):
            try:
                self._store.put_new(key, manifest)
            except OSError:
                time.sleep(0.1 * 2**attempt)
            else:
                return COMMITTED
        return NOT_STORED

    def _manifest(self, record: dict[str, Any]) -> bytes:
        return _json(
            {
                **{name: value for name, value in record.items() if value not in (None, "", False)},
                "format": _MANIFEST,
                "run": self._assignment.run,
                "index": self._assignment.index,
                "attempt": self._assignment.attempt,
                "digest": self._assignment.digest,
                "command": self._assignment.command,
                "exit_code": record.get("exit_code"),
            }
        )

    def _times(self, wall: float) -> dict[str, str]:
        # Both from one reading of the clock, so that a clock set meanwhile changes no duration.
        return {"started": _time(self._began), "ended": _time(self._began + wall)}

    def _environment(self) -> dict[str, str]:
        """The runner's own, and what tells the command where it is."""
        site = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + "/site"
        paths = [os.environ.get("PYTHONPATH", ""), site]
        return {
            # Else `logs -f` would show a page at a time, and a killed command lose the last one.
            "PYTHONUNBUFFERED": "1",
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "PWD": self._assignment.workspace,
            "SENDOFF_RUN": self._assignment.run,
            "SENDOFF_INDEX": str(self._assignment.index),
            "SENDOFF_ATTEMPT": str(self._assignment.attempt),
            "SENDOFF_OUTPUT_DIR": self._assignment.output_dir,
        }


def _usage(
    watch: Watch, sampler: Sampler, gpu: tuple[float | None, int | None]
) -> dict[str, float | int | None]:
    cpu, memory = sampler.totals()
    return {
        "wall": round(watch.wall, 4),
        "cpu": round(cpu, 4),
        "memory_peak": memory,
        "gpu_busy": gpu[0],
        "gpu_memory_peak": gpu[1],
    }


def _time(seconds: float) -> str:
    """UTC, ISO 8601 with milliseconds."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds % 1 * 1000):03}Z"


def _json(record: dict[str, Any]) -> bytes:
    return json.dumps(record, sort_keys=True, separators=(",", ":")).encode()
