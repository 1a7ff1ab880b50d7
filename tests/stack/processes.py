"""Server processes: started in sessions of their own, and never mistaken for another's."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# Field 22 of /proc/PID/stat counted after the program's name (proc(5)); state is field 3.
_STATE, _STARTED = 0, 19


@dataclass(frozen=True)
class Process:
    """A process and when it started, in clock ticks since boot: ids are used again, pairs not."""

    pid: int
    started: int

    @classmethod
    def of(cls, pid: int) -> Process:
        """Raises ProcessLookupError where there is none."""
        fields = _fields(pid)
        if fields is None:
            raise ProcessLookupError(pid)
        return cls(pid, int(fields[_STARTED]))

    @property
    def alive(self) -> bool:
        """Whether it still runs; one that ended and nobody waited for does not."""
        fields = _fields(self.pid)
        if fields is None or int(fields[_STARTED]) != self.started:
            return False
        if fields[_STATE] not in "ZX":
            return True
        _reap(self.pid)
        return _others(self.pid)

    def send(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        if self.alive:
            os.kill(self.pid, number)

    def end(self, *, patience: float = 0) -> None:
        """Ask it to end, kill it after `patience` seconds, and return once it is gone."""
        if patience:
            self.send(signal.SIGTERM)
            # A stopped process can't take the hint.
            self.send(signal.SIGCONT)
            if until(lambda: not self.alive, patience):
                return
        self.send(signal.SIGKILL)
        until(lambda: not self.alive, 30)


def start(command: Sequence[str], *, env: Mapping[str, str], log: Path, cwd: Path) -> Process:
    """Start a server that outlives us, all its output appended to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        started = subprocess.Popen(
            command,
            env={**os.environ, **env},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    # It is followed by its id from here on: whoever ends it need not be who started it.
    started.returncode = 0
    return Process.of(started.pid)


def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait for `condition` as long as `seconds`; whether it came true."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def _fields(pid: int) -> list[str] | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(")")[2].split()


def _others(pid: int) -> bool:
    """Whether an ended process has threads left, which hold its files and ports."""
    try:
        return len([*Path(f"/proc/{pid}/task").iterdir()]) > 1
    except (FileNotFoundError, ProcessLookupError):
        return False


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return
