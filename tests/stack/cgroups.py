"""The control group below which everything that pods and containers start is found again."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.stack.processes import until

ROOT = Path("/sys/fs/cgroup")
PARENT = "sendoff-stack"


def prepare() -> None:
    """Make the group in every hierarchy; the kubelet refuses a root that it doesn't find."""
    for group in _groups():
        group.mkdir(exist_ok=True)
        for name in ("cpuset.cpus", "cpuset.mems"):
            # A new group of cgroup v1 may use no CPU until it is told which.
            if (group / name).exists() and (group.parent / name).exists():
                (group / name).write_text((group.parent / name).read_text())


def end() -> bool:
    """Kill every process below the group and remove it; whether it is gone."""
    until(lambda: not _kill(), 20)
    for group in _groups():
        for directory, _, _ in sorted(os.walk(group), reverse=True):
            try:
                Path(directory).rmdir()
            except OSError:
                continue
    return not any(group.exists() for group in _groups())


def _groups() -> list[Path]:
    if (ROOT / "cgroup.controllers").exists():
        return [ROOT / PARENT]
    return [each / PARENT for each in sorted(ROOT.iterdir()) if each.is_dir()]


def _kill() -> bool:
    """Kill what is found now; whether there was anything."""
    found = False
    for group in _groups():
        for processes in group.rglob("cgroup.procs"):
            try:
                pids = processes.read_text().split()
            except OSError:
                continue
            for pid in map(int, pids):
                found = True
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
    return found
