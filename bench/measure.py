"""Timing that can be trusted on a shared machine: both sides in turn, medians, ratios by pair."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

RUNS = 20


class Timing(NamedTuple):
    """Seconds of each counted run, in order."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


class Row(NamedTuple):
    """One line of the table: what was measured, the goal, and whether it was met."""

    what: str
    figure: str
    peer: str
    goal: str
    met: bool


def time_once(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def alone(
    work: Callable[[], object],
    *,
    before: Callable[[], object] | None = None,
    runs: int = RUNS,
    warmup: int = 2,
) -> Timing:
    """Time `work` over `runs` runs; `before` (a change, a clean-up) is not counted."""
    return _in_turn([(before, work)], runs, warmup)[0]


def paired(
    ours: tuple[Callable[[], object] | None, Callable[[], object]],
    peer: tuple[Callable[[], object] | None, Callable[[], object]],
    *,
    runs: int = RUNS,
    warmup: int = 1,
    settled: bool = False,
) -> tuple[Timing, Timing]:
    """Time two sides in turn, A B A B …; each is (what is not counted before, what is counted).

    `settled`: each counted run comes straight after one of its own side that is not. The host of
    a virtual machine takes back the memory of whoever is idle, so that the quick side would pay
    for the time that the slow one takes.
    """
    sides = [ours, peer]
    first, second = _in_turn([_again(*each) for each in sides] if settled else sides, runs, warmup)
    return first, second


def ratio(ours: Timing, peer: Timing) -> float:
    """How many times as fast as the peer: the median of the ratios pair by pair."""
    return statistics.median(b / a for a, b in zip(ours.seconds, peer.seconds, strict=True))


def command(arguments: Sequence[str], **options: object) -> Callable[[], object]:
    """A whole process, its output thrown away; fails loudly."""

    def work() -> None:
        subprocess.run(arguments, check=True, capture_output=True, **options)  # type: ignore[call-overload]

    return work


def shell(script: str) -> Callable[[], object]:
    """A pipeline of standard tools, as a person would type it."""
    return command(["bash", "-euo", "pipefail", "-c", script])


def ms(seconds: float) -> str:
    """Milliseconds below one second, seconds above."""
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def limit(what: str, timing: Timing, seconds: float) -> Row:
    """A row whose goal is a time."""
    return Row(what, ms(timing.median), "", f"≤ {ms(seconds)}", timing.median <= seconds)


def times(what: str, ours: Timing, peer: Timing, name: str, goal: float) -> Row:
    """A row whose goal is a ratio against the other tool in the same run."""
    factor = ratio(ours, peer)
    return Row(
        what,
        f"{ms(ours.median)}, {factor:.1f} ×",
        f"{name}: {ms(peer.median)}",
        f"≥ {goal:g} ×",
        factor >= goal,
    )


def _again(
    before: Callable[[], object] | None, work: Callable[[], object]
) -> tuple[Callable[[], object], Callable[[], object]]:
    """The same side, its work done once more as a part of what is not counted."""

    def settle() -> None:
        for step in (before, work, before):
            if step:
                step()

    return settle, work


def _in_turn(
    sides: list[tuple[Callable[[], object] | None, Callable[[], object]]], runs: int, warmup: int
) -> list[Timing]:
    seconds: list[list[float]] = [[] for _ in sides]
    for turn in range(warmup + runs):
        for kept, (before, work) in zip(seconds, sides, strict=True):
            if before:
                before()
            taken = time_once(work)
            if turn >= warmup:
                kept.append(taken)
    return [Timing(tuple(kept)) for kept in seconds]
