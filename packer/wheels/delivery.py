"""Things brought here several at once, each handed on as soon as it is there."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")

_PATIENCE = 1.0
"""Seconds for what is under way to end by itself after a failure."""


class GivenUp(Exception):
    """Nobody waits for it any more."""


class Delivery(Generic[T]):
    """Items that a bounded number of threads bring, which end with the process: a server that says
    nothing keeps nobody who pressed Ctrl-C.
    """

    def __init__(self, items: Iterable[T], at_once: int) -> None:
        self._waiting = deque(items)
        self._at_once = min(at_once, len(self._waiting))
        self._arrived: SimpleQueue[tuple[T, Exception | None]] = SimpleQueue()
        self._over = False

    def check(self) -> None:
        """To be called by what brings an item, at each piece of it.

        Raises:
            GivenUp: another failed, or whoever iterates has gone.
        """
        if self._over:
            raise GivenUp

    def each(self, bring: Callable[[T], object]) -> Iterator[T]:
        """The items as they are there, the first begun first.

        Raises:
            What the first one that failed raised.
        """
        threads = [
            threading.Thread(target=self._work, args=(bring,), name="delivery", daemon=True)
            for _ in range(self._at_once)
        ]
        expected = len(self._waiting)
        try:
            for thread in threads:
                thread.start()
            for _ in range(expected):
                item, error = self._arrived.get()
                if error:
                    _await(threads)
                    raise error
                yield item
        finally:
            self._over = True

    def _work(self, bring: Callable[[T], object]) -> None:
        while not self._over:
            try:
                item = self._waiting.popleft()
            except IndexError:
                return
            try:
                bring(item)
            except Exception as error:  # noqa: BLE001 (raised again by whoever iterates)
                # First the error: whoever is told that it is over gives up with one of its own.
                self._arrived.put((item, error))
                self._over = True
            else:
                self._arrived.put((item, None))


def _await(threads: Iterable[threading.Thread]) -> None:
    """Have what is under way leave nothing behind, where it can be told soon."""
    end = time.monotonic() + _PATIENCE
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
