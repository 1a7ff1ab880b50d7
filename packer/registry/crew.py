"""Doing several things at once, where the first failure ends them all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Self, TypeVar

from packer.registry.retries import Patience

T = TypeVar("T")
R = TypeVar("R")


class Crew:
    """A bounded number of threads; nobody waits for another attempt once one of them failed."""

    def __init__(self, size: int, patiences: Iterable[Patience]) -> None:
        self._pool = ThreadPoolExecutor(size, thread_name_prefix="registry")
        self._patiences = tuple(patiences)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind:
            self._end()
        self._pool.shutdown(cancel_futures=True)

    def each(self, work: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """What `work` gives for each item, in their order.

        Raises:
            What the first one that failed raised.
        """
        futures: list[Future[R]] = [self._pool.submit(work, item) for item in items]
        done, _ = wait(futures, return_when=FIRST_EXCEPTION)
        for future in done:
            if error := future.exception():
                self._end()
                raise error
        return [future.result() for future in futures]

    def _end(self) -> None:
        for patience in self._patiences:
            patience.end()
