"""What a command takes: time, CPU and memory."""

from __future__ import annotations

import resource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_FIRST, _LONGEST, _GROWTH = 0.05, 1.0, 1.5
# The kernel counts ru_maxrss in KiB.
_MAXRSS_UNIT = 1024


class Sampler:
    """Adds up the resident memory of all processes of the command, at growing intervals.

    Short-lived peaks between samples are missed, except for the largest single process, whose
    peak the kernel remembers.
    """

    def __init__(self, processes: Callable[[], dict[int, int]]) -> None:
        """`processes` are the command's: process id → resident bytes."""
        self._processes = processes
        self._before = resource.getrusage(resource.RUSAGE_CHILDREN)
        self._peak = 0
        self._interval = _FIRST

    def sample(self) -> float:
        """Look once; says in how many seconds to look again."""
        self._peak = max(self._peak, sum(self._processes().values()))
        self._interval = min(self._interval * _GROWTH, _LONGEST)
        return self._interval

    def totals(self) -> dict[str, float | int]:
        """As in the manifest's `usage`: CPU seconds of what has ended, the peak of memory."""
        before, spent = self._before, resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = spent.ru_utime + spent.ru_stime - before.ru_utime - before.ru_stime
        # The kernel's figure is of all children so far: it is the command's where it has grown.
        if spent.ru_maxrss > before.ru_maxrss:
            self._peak = max(self._peak, spent.ru_maxrss * _MAXRSS_UNIT)
        return {"cpu": round(cpu, 4), "memory_peak": self._peak}
