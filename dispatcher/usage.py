"""What runs took of the hardware they were sent to, added up by GPU class. Pure.

A GPU is held from the moment at which an index has its place until its results are stored: while
its image is pulled, its inputs are fetched and its results are sent, it waits for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache

from dispatcher.errors import GpuExpressionInvalid
from dispatcher.gpu_expression import CPU, Wanted, parse
from dispatcher.request import Request
from dispatcher.run import Manifest, Phases
from dispatcher.status import IndexStatus
from packer.record import Record

HOUR = 3600.0
_PHASES = Phases.__struct_fields__
_NONE = Wanted(name=CPU, count=0)
_WORD = re.compile(r"[a-z0-9]+")


class Held(Record, frozen=True):
    """What one index, or one attempt at it, had for how long."""

    gpu: str
    """The GPU class, or "cpu"; where nobody knows which of several it was, all that would do."""
    count: int
    """GPUs."""
    phases: Phases
    busy: float | None = None
    """The share of the command's time in which its GPUs were busy; None where nobody knows."""

    @property
    def gpu_seconds(self) -> float:
        """GPUs times seconds."""
        return self.count * self.phases.held


class ClassUsage(Record, frozen=True):
    """What all indexes of one GPU class had together."""

    gpu: str
    indexes: int
    """Attempts that were ended from outside count as well, where they left word."""
    phases: Phases
    """Seconds, added up over the indexes."""
    gpu_seconds: float
    measured: float = 0
    """Those of them of which it is known how busy the GPUs were."""
    busy: float = 0
    """GPU-seconds, of the measured ones, in which the GPUs were busy."""

    @property
    def gpu_hours(self) -> float:
        """As prices have it."""
        return self.gpu_seconds / HOUR

    @property
    def busy_share(self) -> float | None:
        """The busy share of what the GPUs were held for; None where nothing was measured."""
        return self.busy / self.measured if self.measured else None


def of_manifest(request: Request, manifest: Manifest) -> Held:
    """What an index that has ended had."""
    phases = manifest.phases
    if phases.running is None and manifest.usage.wall:
        # A record of a sendoff that knew no phases.
        phases = Phases(running=manifest.usage.wall)
    wanted = _class_of(request, manifest)
    if request.target == "local" and manifest.hardware:
        # That target takes any words for a class, and gives what the machine has.
        wanted = _at_most(wanted, len(manifest.hardware.get("gpus", ())))
    return Held(gpu=wanted.name, count=wanted.count, phases=phases, busy=manifest.usage.gpu_busy)


def of_running(request: Request, started: str, now: float) -> Held:
    """What an index has had so far whose attempt started then, at `now` seconds since the epoch."""
    wanted = _class_of(request, None)
    since = max(0.0, now - datetime.fromisoformat(started).timestamp()) if started else 0.0
    return Held(gpu=wanted.name, count=wanted.count, phases=Phases(running=since))


def of_statuses(request: Request, indexes: Iterable[IndexStatus], now: float) -> Iterator[Held]:
    """What the indexes of a run had, those that go on included; not those that never started."""
    for index in indexes:
        if index.manifest:
            yield of_manifest(request, index.manifest)
        elif index.state == "running":
            yield of_running(request, index.started, now)


def by_class(held: Iterable[Held]) -> tuple[ClassUsage, ...]:
    """All of it by GPU class, sorted by name."""
    sums: dict[str, _Sum] = {}
    for each in held:
        sums.setdefault(each.gpu, _Sum()).add(each)
    return tuple(sums[name].usage(name) for name in sorted(sums))


def gpu_hours(held: Iterable[Held]) -> float:
    """All GPU-hours together, whatever the class."""
    return sum(each.gpu_seconds for each in held) / HOUR


class _Sum:
    """One class, added up."""

    def __init__(self) -> None:
        self._indexes = 0
        self._phases: dict[str, float] = {}
        self._held = self._measured = self._busy = 0.0

    def add(self, held: Held) -> None:
        self._indexes += 1
        for name in _PHASES:
            seconds = getattr(held.phases, name)
            # What nobody knows of any stays unknown.
            if seconds is not None:
                self._phases[name] = self._phases.get(name, 0.0) + seconds
        self._held += held.gpu_seconds
        if held.busy is not None:
            self._measured += held.gpu_seconds
            self._busy += held.count * held.busy * (held.phases.running or 0.0)

    def usage(self, name: str) -> ClassUsage:
        return ClassUsage(
            gpu=name,
            indexes=self._indexes,
            phases=Phases(**self._phases),
            gpu_seconds=self._held,
            measured=self._measured,
            busy=self._busy,
        )


def _class_of(request: Request, manifest: Manifest | None) -> Wanted:
    """The class that an index had: of several that would do, the one whose GPUs it saw."""
    asked = request.resources.gpu
    wanted = _parsed(asked)
    if len(wanted) == 1:
        return wanted[0]
    gpus = manifest.hardware.get("gpus", ()) if manifest else ()
    seen = _words(str(gpus[0].get("name", ""))) if gpus else frozenset()
    fitting = [each for each in wanted if _words(each.name) <= seen]
    if fitting:
        return max(fitting, key=lambda each: len(_words(each.name)))
    return Wanted(name=",".join(each.name for each in wanted), count=wanted[0].count)


def _at_most(wanted: Wanted, gpus: int) -> Wanted:
    return Wanted(name=wanted.name, count=min(wanted.count, gpus)) if gpus else _NONE


@lru_cache
def _parsed(asked: str) -> tuple[Wanted, ...]:
    try:
        return parse(asked) or (_NONE,)
    except GpuExpressionInvalid:
        # The local target takes any words.
        return (Wanted(name=asked),)


def _words(name: str) -> frozenset[str]:
    """The parts of a class's or a product's name: "NVIDIA A100-SXM4-80GB" is an a100-80gb."""
    return frozenset(_WORD.findall(name.lower()))
