"""Has any of many files changed? One look at each, by several processes at once.

The cheapest correct way there is: a directory's mtime tells what came and went, but only a file's
own tells that it was written in place. A look takes 1.5 µs of kernel time and as much of Python's,
so above `ALONE` paths other processes look while this one goes on with other work.

A file's ctime is left out: uv makes hard links, and another environment with the same package
changes the ctime of this one's files.
"""

from __future__ import annotations

import os
import sys
from array import array
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

from packer import disk, process
from packer.environment import sweep_worker
from packer.environment.directory_watch import WATCHES

ALONE = 4_000
"""Paths looked at in this process, in about 10 ms: another one needs longer to start."""

_WORKERS = 4
_NEVER = (-2, -2, -2)
"""A stamp that no file has: what may have changed unseen is looked at anew."""

_SECOND = 1_000_000_000
_TICK = 20_000_000

Stamp = tuple[int, int, int]
"""mtime in nanoseconds, size, inode."""


def stamp_of(status: os.stat_result) -> Stamp:
    """The part of a file's status that changes with its content."""
    return status.st_mtime_ns, status.st_size, status.st_ino


def stamp(path: Path) -> Stamp | None:
    """The stamp of one file; None where there is none."""
    try:
        return stamp_of(path.stat())
    except OSError:
        return None


def remember(marks: Path, seen: Mapping[str, Stamp | None], now: int) -> None:
    """Write down what was `seen` (path → stamp, None where there was nothing) at time `now`.

    Raises:
        DiskFull: there is no room for it.
    """
    facts = array("q")
    for stamp in seen.values():
        if stamp is None:
            facts.extend(sweep_worker.GONE)
        else:
            facts.extend(stamp if is_settled(stamp, now) else _NEVER)
    disk.replace(marks, sweep_worker.pack([os.fsencode(path) for path in seen], facts))


class Sweep:
    """A look under way. `unchanged` waits for its end."""

    def __init__(self, marks: Path) -> None:
        """Begin.

        Raises:
            OSError, ValueError: there are no marks.
        """
        self._marks = str(marks)
        self._count = sweep_worker.count(self._marks)
        self._answer: bool | None = None
        self._helpers: list[process.Background] = []
        if self._count > ALONE and not WATCHES.quiet(self._marks):
            self._helpers = self._start()

    def unchanged(self) -> bool:
        """Whether everything is as it was when the marks were made."""
        if self._answer is None:
            self._answer = not self._helpers and WATCHES.quiet(self._marks)
            if not self._answer:
                self._answer = self._look()
                if self._answer and self._count > ALONE:
                    WATCHES.want(self._marks)
        return self._answer

    def _look(self) -> bool:
        if self._helpers:
            # All are waited for, so that none is left behind.
            statuses = [helper.status() for helper in self._helpers]
            return not any(statuses)
        try:
            return sweep_worker.unchanged(self._marks, 0, self._count)
        except OSError:
            # Another process has looked anew meanwhile, and put marks of its own in their place.
            return False

    def _start(self) -> list[process.Background]:
        workers = min(_WORKERS, os.cpu_count() or 1)
        bounds = [self._count * number // workers for number in range(workers + 1)]
        command = [sys.executable, "-I", "-S", "-B", sweep_worker.__file__, self._marks]
        return [
            process.Background([*command, str(first), str(last)])
            for first, last in pairwise(bounds)
        ]


def is_settled(stamp: Stamp, now: int) -> bool:
    """Whether any change after time `now` gives another stamp.

    File systems count time in ticks of the kernel, some in whole seconds.
    """
    return now - stamp[0] >= (_TICK if stamp[0] % _SECOND else _SECOND)
