"""Keeps a store that is far away informed of an attempt, beside the command.

A thread of its own opens the store, says that the attempt has started, sends the log a chunk at a
time, and looks now and then whether somebody wants the attempt to end. Nothing of it holds the
command up.
"""

from __future__ import annotations

import threading
import time

from .backlog import Backlog
from .ledger import encode
from .log import CHUNK
from .store import Exists

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .keys import RunKeys
    from .link import Link
    from .store import Store

# How old the log in the store may get, beside what a request takes. At first somebody watches.
_SHORTEST, _PERIOD = 0.25, 2.0
# The command comes first: the client's import would slow its start.
_HEAD_START = 0.5
_LOOK, _LONGEST_LOOK, _GROWTH = 3.0, 15.0, 1.5


class Courier:
    """Runs from `start` to `close`. `want_end` is called once if the attempt is to end."""

    def __init__(
        self, link: Link, keys: RunKeys, index: int, attempt: int, backlog: Backlog
    ) -> None:
        self._link, self._keys, self._index = link, keys, index
        self.attempt = attempt
        """The attempt's number: the next one that is free, once it was announced."""
        self.announced = threading.Event()
        """Set when the store knows of the attempt, and when it never will."""
        self.lost = False
        """Whether another attempt has committed already."""
        self.problem = ""
        """Why what was to be stored is not there; empty where all of it is."""
        self.failure: Exception | None = None
        """What has ended the thread before its time."""
        self._backlog = backlog
        self._lines: list[bytes] = []
        self._size = self._chunk = 0
        self._dropped = ""
        self._hurried = self._closing = self._numbered = False
        self._period = _SHORTEST
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)

    def start(self, record: dict[str, Any], want_end: Callable[[], None]) -> None:
        """Begin; `record` is what is told of the attempt."""
        self._record, self._want_end = record, want_end
        self._thread.start()

    def write(self, line: bytes) -> None:
        """Take a line of the log."""
        with self._changed:
            first = not self._lines
            self._lines.append(line)
            self._size += len(line)
            if self._size >= CHUNK:
                self._seal()
            if first:
                self._changed.notify()

    def settle(self, seconds: float) -> None:
        """The command has ended: announce it now if it was not, and wait so long for that."""
        self._hurry()
        self.announced.wait(seconds)

    def close(self) -> None:
        """Send what is left, as long as the store allows, and end."""
        self._hurry(closing=True)
        self._thread.join()

    def _hurry(self, *, closing: bool = False) -> None:
        with self._changed:
            self._hurried, self._closing = True, closing
            self._changed.notify()

    def _seal(self) -> None:
        """Let the lines so far be a chunk. The lock is held."""
        lines, self._lines, self._size = self._lines, [], 0
        if not lines:
            return
        try:
            self._backlog.add(b"".join(lines))
        except OSError as error:
            self._dropped = f"the store was away, and there was no room for the log: {error}"

    def _run(self) -> None:
        try:
            with self._changed:
                self._changed.wait_for(lambda: self._lines or self._hurried, _HEAD_START)
            store = self._link.store()
            if self._announce(store):
                self._carry(store)
        except Exception as failure:  # noqa: BLE001 (the main thread raises it)
            self.failure = failure
        finally:
            self.announced.set()

    def _announce(self, store: Store) -> bool:
        """Say that the attempt started; False where the store was away until its end."""
        while True:
            try:
                self._take_number(store)
                self.lost = store.has(self._keys.manifest(self._index))
            except OSError as error:
                if self._closing_after(_PERIOD):
                    self.problem = str(error)
                    return False
            else:
                self.announced.set()
                if self.lost:
                    self._want_end()
                return True

    def _take_number(self, store: Store) -> None:
        while not self._numbered:
            key = self._keys.started(self._index, self.attempt)
            record = encode({**self._record, "attempt": self.attempt})
            try:
                store.put_new(key, record)
            except Exists:
                # An earlier call may have got through, though its answer was lost until its end.
                if store.get(key) != record:
                    self.attempt += 1
                    continue
            self._numbered = True

    def _carry(self, store: Store) -> None:
        look, pause, sent = time.monotonic() + _LOOK, _LOOK, 0.0
        while True:
            with self._changed:
                now = time.monotonic()
                rest = sent + self._period - now
                wait = min(rest if rest > 0 else self._period, look - now)
                self._changed.wait_for(lambda: self._due(sent), max(0.0, wait))  # noqa: B023
                closing = self._closing
                if self._due(sent):
                    self._seal()
                    sent = time.monotonic()
                    self._period = min(self._period * _GROWTH, _PERIOD)
            problem = self._send(store)
            if closing:
                self.problem = problem or self._dropped
                return
            # The store was waited for already, but it may also refuse at once.
            if problem and self._closing_after(_PERIOD):
                continue
            if time.monotonic() >= look:
                self._look(store)
                pause = min(pause * _GROWTH, _LONGEST_LOOK)
                look = time.monotonic() + pause

    def _closing_after(self, seconds: float) -> bool:
        """Whether the end has come within so many seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._closing, seconds)

    def _due(self, sent: float) -> bool:
        """Whether there is something to send now. The lock is held."""
        old = bool(self._lines) and time.monotonic() >= sent + self._period
        return self._closing or bool(self._backlog) or old

    def _send(self, store: Store) -> str:
        """Send the chunks that wait; returns what went wrong."""
        while self._backlog:
            key = self._keys.log(self._index, self.attempt, self._chunk)
            try:
                store.put(key, self._backlog.first())
            except OSError as error:
                return f"the log could not be stored: {error}"
            with self._changed:
                self._backlog.drop()
            self._chunk += 1
        return ""

    def _look(self, store: Store) -> None:
        """End the attempt if somebody wants that."""
        try:
            wanted = (self._keys.cancel, self._keys.cancel_index(self._index))
            if any(store.has(key) for key in wanted):
                self._want_end()
        except OSError:
            # The end will show whether the store is still there.
            return
