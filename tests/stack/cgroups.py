"""A control group for everything that pods and containers start, in every hierarchy there is."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.stack.processes import until

ROOT = Path("/sys/fs/cgroup")


def prepare(name: str) -> None:
    """Make the group in every hierarchy; the kubelet refuses a root that it doesn't find."""
    for group in _groups(name):
        group.mkdir(exist_ok=True)
        for given in ("cpuset.cpus", "cpuset.mems"):
            # A new group of cgroup v1 may use no CPU until it is told which.
            if (group / given).exists() and (group.parent / given).exists():
                (group / given).write_text((group.parent / given).read_text())


def end(name: str) -> bool:
    """Kill every process below the group and remove it; whether it is gone."""
    until(lambda: not _kill(name), 20)
    for group in _groups(name):
        for directory, _, _ in sorted(os.walk(group), reverse=True):
            try:
                Path(directory).rmdir()
            except OSError:
                continue
    return not any(group.exists() for group in _groups(name))


def _groups(name: str) -> list[Path]:
    if (ROOT / "cgroup.controllers").exists():
        return [ROOT / name]
    return [each / name for each in sorted(ROOT.iterdir()) if each.is_dir()]


def _kill(name: str) -> bool:
    """Kill what is found now; whether there was anything."""
    found = False
    for group in _groups(name):
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
