"""The waiting verbs in an event loop that does other work meanwhile."""

from __future__ import annotations

import asyncio
import concurrent.futures

import pytest

import sendoff
from sendoff import aio
from sendoff.run_group import RunGroup


def test_the_loop_goes_on_while_a_call_is_awaited(work) -> None:
    async def main() -> tuple[int, int]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0.01)

        ticking = asyncio.create_task(tick())
        value = await aio.remote(sendoff.remote(work.late), 5, 0.5)
        ticking.cancel()
        return value, ticks

    value, ticks = asyncio.run(main())
    assert value == 5
    assert ticks > 10


def test_who_stops_awaiting_leaves_the_run_as_it_is(work) -> None:
    async def main() -> None:
        run = await aio.spawn(sendoff.remote(work.late), 1, 0.7)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await aio.wait(run)
        assert await aio.value(run) == 1

    asyncio.run(main())


def test_results_come_once_each_and_an_exception_in_its_place(work) -> None:
    mapped = sendoff.remote(work.picky).map(range(4), return_exceptions=True)

    async def main() -> list[tuple[int, object]]:
        return [pair async for pair in aio.as_completed(mapped)]

    pairs = asyncio.run(main())
    assert sorted(number for number, _ in pairs) == [0, 1, 2, 3]
    assert isinstance(dict(pairs)[1], ValueError)


def test_a_group_is_waited_for_and_an_empty_one_at_once(work) -> None:
    late = sendoff.remote(work.late)
    group = RunGroup([late.spawn(1, 0), late.spawn(2, 0.2)])
    asyncio.run(aio.wait(group))
    assert group.state == "succeeded"
    asyncio.run(aio.wait(RunGroup([])))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("stop", sendoff.RemoteError),
        ("async stop", sendoff.RemoteError),
        ("cancelled", concurrent.futures.CancelledError),
    ],
)
def test_exceptions_that_no_future_takes_are_raised_all_the_same(work, name, expected) -> None:
    raises = sendoff.remote(work.raises)

    async def all_of(mapped) -> list[object]:
        return [pair async for pair in aio.as_completed(mapped)]

    async def main() -> None:
        async with asyncio.timeout(30):
            with pytest.raises(expected):
                await aio.remote(raises, name)
            with pytest.raises(expected):
                await all_of(raises.map([name]))

    asyncio.run(main())


def test_arguments_may_have_any_name(work) -> None:
    assert asyncio.run(aio.remote(sendoff.remote(work.named), function=3)) == 3
