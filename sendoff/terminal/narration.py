"""Progress of long steps, told on standard error."""

from __future__ import annotations

import sys
import threading
import time

from sendoff.quantities import show_duration, show_size
from sendoff.terminal.console import Console, is_terminal

_WORTH_TELLING = 1.0
"""Seconds from which a step is worth a line of its own."""
_REFRESH = 0.1


class Narrator:
    """Tells of steps that take longer than a second; on a terminal, also while they last.

    A `packer.progress.Progress`.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = is_terminal(sys.stderr) and not console.quiet
        self._lock = threading.Lock()
        self._what, self._total, self._amount = "", 0, 0
        self._started = self._drawn = 0.0

    def start(self, what: str, total: int = 0) -> None:
        """A step begins."""
        with self._lock:
            self._what, self._total, self._amount = what, total, 0
            self._started = time.monotonic()
            self._draw()

    def advance(self, amount: int) -> None:
        """More bytes of it are done."""
        with self._lock:
            self._amount += amount
            if time.monotonic() - self._drawn >= _REFRESH:
                self._draw()

    def done(self, note: str = "") -> None:
        """It ended."""
        with self._lock:
            self._erase()
            took = time.monotonic() - self._started
            if took >= _WORTH_TELLING:
                facts = [show_size(self._amount)] if self._amount else []
                line = f"{self._what}: {note}" if note else self._what
                self._console.say(f"{line} ({', '.join([*facts, show_duration(took)])})", "faint")

    def clear(self) -> None:
        """Leave no half-told step on the screen; after an interruption."""
        with self._lock:
            self._erase()

    def _draw(self) -> None:
        if self._live:
            self._drawn = time.monotonic()
            amount = f" {show_size(self._amount)}" if self._amount else ""
            total = f" of {show_size(self._total)}" if self._total else ""
            sys.stderr.write(f"\r\x1b[K{self._what} …{amount}{total}")
            sys.stderr.flush()

    def _erase(self) -> None:
        if self._live and self._drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._drawn = 0.0
