"""Doing several things at once, where the first failure ends them all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar, cast

from packer.registry.retries import Patience

T = TypeVar("T")
R = TypeVar("R")


class Crew:
    """Works in a bounded number of threads, the caller's own among them: one thing alone costs
    no thread. Nobody waits for another attempt once one of them failed.
    """

    def __init__(self, size: int, patiences: Iterable[Patience]) -> None:
        self._size, self._patiences = size, tuple(patiences)

    def each(self, work: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """What `work` gives for each item, in their order.

        Raises:
            What the first one that failed raised.
        """
        shift = _Shift(work, list(items), self._end)
        threads = [
            threading.Thread(target=shift.work, name="registry", daemon=True)
            for _ in range(min(self._size, len(shift.items)) - 1)
        ]
        for thread in threads:
            thread.start()
        try:
            shift.work()
        except BaseException:
            # Ctrl-C: the others end by themselves, and nobody waits for them.
            shift.fail()
            raise
        for thread in threads:
            thread.join()
        if shift.error:
            raise shift.error
        return cast("list[R]", shift.results)

    def _end(self) -> None:
        for patience in self._patiences:
            patience.end()


class _Shift(Generic[T, R]):
    """Items that several threads take one by one."""

    def __init__(self, work: Callable[[T], R], items: list[T], ended: Callable[[], object]) -> None:
        self._work, self.items, self._ended = work, items, ended
        self.results: list[R | None] = [None] * len(items)
        self.error: Exception | None = None
        self._next = iter(range(len(items)))
        self._lock = threading.Lock()
        self._stop = False

    def work(self) -> None:
        """Until there is nothing left, or something failed."""
        while (index := self._take()) is not None:
            try:
                self.results[index] = self._work(self.items[index])
            except Exception as error:  # noqa: BLE001 - raised again by the caller's thread
                self.fail(error)

    def fail(self, error: Exception | None = None) -> None:
        """Take nothing more, and let nobody wait."""
        with self._lock:
            self._stop = True
            self.error = self.error or error
        self._ended()

    def _take(self) -> int | None:
        with self._lock:
            return None if self._stop else next(self._next, None)
