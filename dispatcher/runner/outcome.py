"""How an attempt ended, told apart from its wait status, its log and the kernel's counters.

A failure is `{code, phase, blame, retryable, message, evidence[], fix}`, as in the manifest.
"""

from __future__ import annotations

import os
import re
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_EVIDENCE_LINES = 20
_TRACEBACK = "Traceback (most recent call last):"
_GPU_MEMORY = re.compile(
    r"CUDA out of memory|CUDA_ERROR_OUT_OF_MEMORY|cudaErrorMemoryAllocation|HIP out of memory"
    r"|hipErrorOutOfMemory|OutOfMemoryError: (?:CUDA|HIP)|CUDNN_STATUS_ALLOC_FAILED"
    r"|CUBLAS_STATUS_ALLOC_FAILED|RESOURCE_EXHAUSTED: Out of memory|CUDA error: out of memory"
)
_HOST_MEMORY = re.compile(
    r"^(?:[\w.]+\.)?_?(?:Array)?MemoryError\b|std::bad_alloc|Cannot allocate memory"
    r"|DefaultCPUAllocator: can't allocate memory",
    re.MULTILINE,
)
_DISK_FULL = re.compile(r"No space left on device|Disk quota exceeded")
# What a parent says when the kernel killed its child.
_CHILD_KILLED = re.compile(
    r"killed by signal: Killed|BrokenProcessPool|TerminatedWorkerError|SIGKILL|\bOOM\b"
)
_SHELL_KILLED = 128 + signal.SIGKILL


class Ending:
    """What is known of an attempt's end; everything else is derived from it."""

    def __init__(
        self,
        *,
        status: int,
        stopped: str,
        killed: bool,
        errors: str,
        memory_kills: tuple[int, int],
        alone: bool = False,
    ) -> None:
        self.exit_code: int | None = None
        self.signal = ""
        if os.WIFSIGNALED(status):
            self.signal = _signal_name(os.WTERMSIG(status))
        else:
            self.exit_code = os.WEXITSTATUS(status)
        self.core_dumped = os.WIFSIGNALED(status) and os.WCOREDUMP(status)
        self.stopped, self.killed = stopped, killed
        self.errors = errors
        """The end of standard error."""
        self.memory_kills = memory_kills
        """Kills for memory in the command's control group, and on the whole machine."""
        self.alone = alone
        """Whether nobody else's processes are in that group."""

    def failure(self, timeout: float, grace: float) -> dict[str, Any] | None:
        """Why it failed; None where it succeeded."""
        if self.stopped == "timeout":
            return self._timeout(timeout, grace)
        if self.stopped:
            return None
        if self.exit_code == 0:
            # A shell or a pool of workers may not have noticed what it lost.
            return self._killed_unnoticed()
        return self._out_of_memory() or self._full() or self._crash() or self._exit()

    def _timeout(self, timeout: float, grace: float) -> dict[str, Any]:
        how = f"had to be killed {grace:g} s later" if self.killed else "it ended when asked to"
        return failed(
            "TIMEOUT",
            f"the command was still running after {timeout:g} s",
            evidence=[f"SIGTERM after {timeout:g} s; {how}"],
            fix="give it more time: --timeout",
        )

    def _out_of_memory(self) -> dict[str, Any] | None:
        found = _GPU_MEMORY.search(self.errors)
        if found:
            return failed(
                "OOM_GPU",
                "the GPU's memory was used up",
                evidence=[_line_of(self.errors, found.start())],
                fix="a smaller batch, or a GPU class with more memory: --gpu",
            )
        evidence = self._host_memory()
        return _host_memory_used_up(evidence) if evidence else None

    def _killed_unnoticed(self) -> dict[str, Any] | None:
        if not self.alone or self.memory_kills[0] <= 0:
            return None
        return _host_memory_used_up([*self._host_memory(), "the command itself exited with 0"])

    def _full(self) -> dict[str, Any] | None:
        found = _DISK_FULL.search(self.errors[-8192:])
        if not found:
            return None
        return {
            **failed(
                "DISK_FULL",
                "there was no room left for what the command wrote",
                evidence=[_line_of(self.errors[-8192:], found.start())],
                fix="write less, or ask for more room where it runs",
            ),
            "blame": "capacity",
        }

    def _host_memory(self) -> list[str]:
        group, machine = self.memory_kills
        killed = self.signal == "SIGKILL" or self.exit_code == _SHELL_KILLED
        told = _CHILD_KILLED.search(self.errors)
        if group > 0:
            return [f"the kernel killed {group} of its processes for memory"]
        if machine > 0 and (killed or told):
            return [f"killed, while the kernel killed {machine} processes for memory"]
        found = _HOST_MEMORY.search(self.errors[-8192:])
        return [_line_of(self.errors[-8192:], found.start())] if found else []

    def _crash(self) -> dict[str, Any] | None:
        if not self.signal:
            return None
        if self.core_dumped:
            return failed(
                "CORE_DUMP",
                f"the command crashed with {self.signal} and left a core dump",
                evidence=self._last_words(),
                fix="python -X faulthandler shows where",
            )
        return failed(
            "SIGNAL",
            f"the command was ended by {self.signal}",
            evidence=self._last_words(),
            fix="python -X faulthandler shows where" if self.signal != "SIGKILL" else "",
        )

    def _exit(self) -> dict[str, Any]:
        return failed(
            "EXIT_NONZERO",
            f"the command exited with {self.exit_code}",
            evidence=self._last_words(),
        )

    def _last_words(self) -> list[str]:
        """The last traceback, or the last lines of standard error."""
        start = self.errors.rfind(_TRACEBACK)
        lines = self.errors[max(start, 0) :].rstrip().splitlines()
        if start >= 0 and len(lines) > _EVIDENCE_LINES:
            return [_TRACEBACK, "  …", *lines[2 - _EVIDENCE_LINES :]]
        return lines[-_EVIDENCE_LINES:]


def data_unusable(reason: str) -> dict[str, Any]:
    """The failure of an attempt that could not be given its data."""
    return {
        **failed(
            "INPUT_UNUSABLE",
            "an input could not be put in place",
            evidence=[reason],
            fix="send it off again with the same --input",
        ),
        "phase": "inputs",
        "blame": "config",
    }


def upload_incomplete(
    problems: list[str], kept: str, exceeded: Sequence[str] = ()
) -> dict[str, Any]:
    """The failure of a command whose results could not all be stored.

    `exceeded` are the settings whose limits kept some out.
    """
    allow = f"allow more, with {' and '.join(exceeded)} in [tool.sendoff], or write less"
    still = f"what is missing is still in {kept}"
    return {
        **failed(
            "UPLOAD_INCOMPLETE",
            "the results could not all be stored",
            evidence=problems,
            fix="; ".join([allow] * bool(exceeded) + [still] * bool(kept)),
        ),
        "phase": "results",
        "blame": "user" if len(exceeded) == len(problems) else "infra",
    }


def _host_memory_used_up(evidence: list[str]) -> dict[str, Any]:
    return failed(
        "OOM_HOST",
        "the machine's memory was used up",
        evidence=evidence,
        fix="use less, run fewer at once (--max-parallel), or ask for more: --memory",
    )


def failed(
    code: str, message: str, *, evidence: list[str] | None = None, fix: str = ""
) -> dict[str, Any]:
    """A failure that is the command's own."""
    return {
        "code": code,
        "phase": "run",
        "blame": "user",
        "retryable": False,
        "message": message,
        "evidence": evidence or [],
        "fix": fix,
    }


def _line_of(text: str, position: int) -> str:
    start = text.rfind("\n", 0, position) + 1
    return text[start:].partition("\n")[0][:500]


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
