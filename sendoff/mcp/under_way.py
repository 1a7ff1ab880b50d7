"""What takes longer than a call of a tool may: one call begins it, a later one has its result."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from typing import Any, TypeVar

T = TypeVar("T")


class UnderWay:
    """Work in threads of its own, which ends with the process."""

    def __init__(self) -> None:
        self._begun: dict[Hashable, Future[Any]] = {}
        self._use = threading.Lock()

    def result(self, key: Hashable, work: Callable[[], T], seconds: float) -> T | None:
        """What `work` returns, or raises; None where it goes on after so many seconds.

        Whoever asks again with the same key waits for the same work. What has ended and was told
        is forgotten.
        """
        with self._use:
            begun = self._begun.get(key)
            if begun is None:
                begun = self._begun[key] = _begin(work)
        try:
            result: T = begun.result(seconds)
        except NotYet:
            if not begun.done():
                return None
            raise
        finally:
            if begun.done():
                self._begun.pop(key, None)
        return result


def _begin(work: Callable[[], T]) -> Future[T]:
    future: Future[T] = Future()

    def do() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 (it is raised where the result is asked for)
            future.set_exception(error)

    threading.Thread(target=do, name="under way", daemon=True).start()
    return future
