"""Failures that the runner can't tell of itself: those before it, around it, and of it."""

from __future__ import annotations

import re
import signal
from typing import Literal

import msgspec

from dispatcher import store_endings
from dispatcher.run import Failure
from dispatcher.runner import exit_status
from packer import disk
from packer.errors import SendoffError

Blame = Literal["user", "infra", "capacity", "config"]

_BY_CODE: dict[str, Blame] = {
    "QUOTA": "capacity",
    "BUDGET_RUNS": "capacity",
    "BUDGET_GPU_HOURS": "capacity",
    "REGISTRY_AUTH": "config",
    "CLUSTER_AUTH": "config",
    "FORBIDDEN": "config",
    "BUDGET_TIMEOUT": "user",
    "CONFLICT": "user",
    "CUDA_UNFIT": "user",
    "GPU_EXPRESSION": "user",
    "GPU_IMPOSSIBLE": "user",
    "GPU_UNKNOWN": "user",
    "INPUT_CHANGED": "user",
    "TREE_CHANGED": "user",
}
_BY_PHASE: dict[str, Blame] = {
    "usage": "user",
    "reference": "user",
    "snapshot": "user",
    "environment": "user",
    "inputs": "user",
    "results": "user",
    "reproduction": "user",
    "build": "user",
    "schedule": "capacity",
    "storage": "infra",
    "image": "infra",
    "store": "infra",
    "dispatch": "infra",
    "internal": "infra",
}
_NO_ROOM = re.compile(r"No space left on device|Disk quota exceeded")
_REASONS = {
    exit_status.COMMITTED: ("RUNNER_FAILED", "the runner ended without a result"),
    exit_status.INTERNAL: ("RUNNER_FAILED", "the runner failed"),
    exit_status.NOT_STORED: ("UPLOAD_INCOMPLETE", "the store took no manifest"),
    exit_status.INTERRUPTED: ("INTERRUPTED", "the attempt was ended from outside"),
}


def blame(error: SendoffError) -> Blame:
    """Whose move it is: what may pass by itself is the infrastructure's, unless its code says."""
    if error.code in _BY_CODE:
        return _BY_CODE[error.code]
    return "infra" if error.retryable else _BY_PHASE.get(error.phase, "config")


def of_error(error: SendoffError) -> Failure:
    """The failure of a run that an error of ours kept from starting."""
    return Failure(
        code=error.code,
        phase=error.phase,
        blame=blame(error),
        retryable=error.retryable,
        message=str(error),
        evidence=tuple(error.evidence().splitlines()),
        fix=error.fix(),
    )


def of_start(error: Exception) -> Failure:
    """The failure of a run that could not be started."""
    if isinstance(error, SendoffError):
        return of_error(error)
    full = isinstance(error, OSError) and disk.is_full(error)
    return Failure(
        code="DISK_FULL" if full else "START_FAILED",
        phase="storage" if full else "dispatch",
        blame="infra",
        retryable=True,
        message="it could not be started",
        evidence=(f"{type(error).__name__}: {error}",),
    )


def of_runner(run: str, status: int, kept: str, memory: int = 0) -> Failure:
    """The failure of an attempt whose runner ended without a commit.

    `status` is the runner's exit status, negative for the signal that killed it. `kept` is where
    the attempt's files are, where they are of use; `memory` its limit in bytes, 0 for none.
    """
    if status == -signal.SIGKILL and memory:
        return Failure(
            code="RUNNER_LOST",
            phase="run",
            blame="infra",
            retryable=True,
            message=f"the runner was killed, and its memory is limited to {memory} bytes",
            evidence=("whether it was killed for memory, nobody has said",),
            fix=f"give it more: sendoff rerun {run} --failed --memory …",
        )
    if status < 0:
        code, message = "RUNNER_LOST", f"the runner was killed by signal {-status}"
    else:
        code, message = _REASONS.get(status, ("RUNNER_FAILED", f"the runner exited with {status}"))
    return Failure(
        code=code,
        phase="results" if code == "UPLOAD_INCOMPLETE" else "run",
        blame="infra",
        retryable=True,
        message=message,
        evidence=(f"its files are in {kept}",) if kept else (),
        fix=f"send it off again: sendoff rerun {run} --failed",
    )


def of_workspace(error: OSError, folder: str) -> Failure:
    """The failure of an attempt for which no working directory could be made."""
    full = disk.is_full(error)
    return Failure(
        code="DISK_FULL" if full else "WORKSPACE_FAILED",
        phase="storage",
        blame="infra",
        retryable=True,
        message=f"no working directory could be made in {folder}",
        evidence=(str(error),),
        fix="make room, or put it elsewhere: export SENDOFF_STATE=DIR" if full else "",
    )


def of_supervisor(run: str, log: str, full: str = "") -> Failure:
    """The failure of a run whose supervisor is gone; `log` is the end of what it wrote.

    `full` is the folder of its state where the disk has no room, not even for a log.
    """
    if full or _NO_ROOM.search(log):
        return Failure(
            code="DISK_FULL",
            phase="storage",
            blame="infra",
            retryable=True,
            message="the process that looked after the run is gone, and a disk was full",
            evidence=(f"no room in {full}",) if full else tuple(log.strip().splitlines()[-20:]),
            fix="make room, or put its state elsewhere (export SENDOFF_STATE=DIR), and send it "
            f"off again: sendoff rerun {run} --failed",
        )
    return Failure(
        code="SUPERVISOR_LOST",
        phase="run",
        blame="infra",
        retryable=True,
        message="the process that looked after the run is gone",
        evidence=tuple(log.strip().splitlines()[-20:]),
        fix=f"send it off again: sendoff rerun {run} --failed",
    )


def of_packing(run: str) -> Failure:
    """The failure of an order whose packing ended without a word."""
    return Failure(
        code="PACKING_LOST",
        phase="packing",
        blame="infra",
        retryable=True,
        message="the process that packed its images is gone",
        fix=f"send it off again; what had been packed is kept (sendoff show {run})",
    )


def of_unstarted(run: str) -> Failure:
    """The failure of indexes whose container was made, and nobody lives to start it."""
    return Failure(
        code="CONTAINER_LOST",
        phase="run",
        blame="infra",
        retryable=True,
        message="the run's containers were made and never started",
        evidence=("whoever sent it off ended before that",),
        fix=f"send it off again: sendoff rerun {run} --failed",
    )


def of_container(run: str, exit_code: int | None, *, out_of_memory: bool, said: str) -> Failure:
    """The failure of indexes whose container ended without a commit.

    `exit_code` is None where there is no container any more.
    """
    if out_of_memory:
        return Failure(
            code="OOM_HOST",
            phase="run",
            blame="user",
            retryable=False,
            message="the container used more memory than it was given",
            evidence=tuple(said.splitlines()),
            fix=f"give it more: sendoff rerun {run} --failed --memory …",
        )
    if exit_code is None:
        return Failure(
            code="CONTAINER_LOST",
            phase="run",
            blame="infra",
            retryable=True,
            message="the run's containers are gone from the engine",
            fix=f"send it off again: sendoff rerun {run} --failed",
        )
    failure = of_runner(run, exit_code, "")
    if ending := store_endings.of(exit_code, said, run):
        told = msgspec.structs.asdict(ending)
        failure = msgspec.structs.replace(failure, **told, retryable=ending.blame == "infra")
    return msgspec.structs.replace(failure, evidence=tuple(said.splitlines())) if said else failure
