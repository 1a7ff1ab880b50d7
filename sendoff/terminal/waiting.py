"""What a run waits for before it starts, told on standard error: a line for each cause."""

from __future__ import annotations

import time
from collections import Counter

from dispatcher.status import IndexStatus, RunStatus
from sendoff.quantities import show_duration
from sendoff.terminal.console import Console, visible

_PASSING = frozenset({"QUEUED", "STARTING", "PACKING"})
"""Causes that nobody need do anything about."""


class Waiting:
    """Tells of one run. One that starts at once is not spoken of."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self._said = ""

    def index(self, status: IndexStatus) -> None:
        """Look at the only index of a run."""
        ran = status.state == "running" or status.exit_code is not None
        if ran and self._said and not status.waiting:
            self._say(f"started after {show_duration(time.monotonic() - self._began)}")
            self._said = ""
        elif status.waiting and not status.final:
            self._tell(f"{status.state}: {status.waiting.message}", status)

    def run(self, status: RunStatus) -> None:
        """Look at a run of several: what most of those that wait are waiting for."""
        waiting = [each for each in status.indexes if each.waiting and not each.final]
        if not waiting:
            return
        (message, _), *_ = Counter(
            each.waiting.message for each in waiting if each.waiting
        ).most_common(1)
        one = next(each for each in waiting if each.waiting and each.waiting.message == message)
        self._tell(f"{len(waiting)} of {len(status.indexes)} wait: {message}", one, message)

    def _tell(self, words: str, status: IndexStatus, cause: str = "") -> None:
        cause = cause or words
        if cause == self._said or not status.waiting:
            return
        self._said = cause
        parts = [words, *status.waiting.evidence[-1:]]
        if status.waiting.code not in _PASSING:
            parts.append(status.waiting.fix)
        self._say("; ".join(filter(None, parts)))

    def _say(self, words: str) -> None:
        self._console.say(visible(words), "faint")
