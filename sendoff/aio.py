"""The waiting verbs for `async` code: none of them blocks the event loop.

    run = await aio.spawn(train, 3e-4)
    loss = await aio.value(run)
    async for number, value in aio.as_completed(train.map(rates)): ...

Who stops awaiting leaves the run as it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    from sendoff.functions.function import Function
    from sendoff.functions.mapped import Mapped
    from sendoff.handle import Run
    from sendoff.run_group import RunGroup

R = TypeVar("R")
_PERIOD, _LONG_PERIOD, _GROWTH = 0.02, 1.0, 1.2


async def spawn(function: Function[..., Any], /, *args: Any, **kwargs: Any) -> Run:
    """As `Function.spawn`."""
    return await asyncio.to_thread(function.spawn, *args, **kwargs)


async def remote(function: Function[..., R], /, *args: Any, **kwargs: Any) -> R:
    """As `Function.remote`."""
    found: R = await value(await spawn(function, *args, **kwargs))
    return found


async def wait(runs: Run | RunGroup) -> None:
    """Return once the run, or all of a group, have ended.

    `async with asyncio.timeout(50):` around it waits no longer than that.
    """
    from sendoff.run_group import RunGroup

    left, pause = list(runs) if isinstance(runs, RunGroup) else [runs], _PERIOD
    while left := await asyncio.to_thread(_going_on, left):
        await asyncio.sleep(pause)
        pause = min(pause * _GROWTH, _LONG_PERIOD)


def _going_on(runs: list[Run]) -> list[Run]:
    return [run for run in runs if not run.status.final]


async def value(run: Run) -> Any:
    """As `Run.value`."""
    await wait(run)
    return _here(await asyncio.to_thread(_there, run.value))


async def as_completed(mapped: Mapped[R]) -> AsyncIterator[tuple[int, R]]:
    """As `Mapped.as_completed`."""
    told: set[int] = set()
    pause = _PERIOD
    while len(told) < len(mapped):
        status = await asyncio.to_thread(lambda: mapped.run.status)
        ended = [each.index for each in status.indexes if each.final and each.index not in told]
        for number in ended:
            told.add(number)
            yield number, _here(await asyncio.to_thread(_there, mapped.value, number))
        pause = _PERIOD if ended else min(pause * _GROWTH, _LONG_PERIOD)
        if len(told) < len(mapped):
            await asyncio.sleep(pause)


def _there(call: Callable[..., R], *args: Any) -> R | _Raised:
    """Make a call in a thread, and hand over what it raises as a value.

    The future between thread and loop would make a `concurrent.futures.CancelledError` of a
    function the cancellation of whoever awaits it.
    """
    try:
        return call(*args)
    except Exception as error:  # noqa: BLE001 (it is raised in the loop)
        return _Raised(error)


def _here(outcome: R | _Raised) -> R:
    if isinstance(outcome, _Raised):
        raise outcome.error
    return outcome


class _Raised(NamedTuple):
    error: Exception
