"""Several things at once."""

from __future__ import annotations

import threading

import pytest

from packer.registry.answer import Interrupted
from packer.registry.crew import Crew
from packer.registry.retries import Patience


def test_results_come_in_the_order_of_their_items() -> None:
    assert Crew(4, ()).each(lambda number: number * 2, range(100)) == list(range(0, 200, 2))
    assert Crew(4, ()).each(str, []) == []


def test_one_thing_alone_takes_no_thread() -> None:
    assert Crew(4, ()).each(lambda _: threading.current_thread(), [1]) == [
        threading.current_thread()
    ]


def test_no_more_at_once_than_the_crew_is_large() -> None:
    together = threading.Barrier(3, timeout=10)
    active, most = 0, 0
    lock = threading.Lock()

    def work(_: int) -> None:
        nonlocal active, most
        with lock:
            active += 1
            most = max(most, active)
        together.wait()
        with lock:
            active -= 1

    Crew(3, ()).each(work, range(9))
    assert most == 3


def test_the_first_failure_ends_all_waiting() -> None:
    patience = Patience(60)
    waiting = threading.Event()

    def work(number: int) -> None:
        if number == 0:
            waiting.wait(10)
            raise KeyError(number)

        def attempt() -> None:
            waiting.set()
            raise Interrupted("not yet", wait=19)

        patience(attempt)

    with pytest.raises(KeyError):
        Crew(2, (patience,)).each(work, [0, 1, 2, 3, 4])
    assert patience.ended


def test_what_ends_the_program_ends_the_crew() -> None:
    patience = Patience(60)

    def work(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Crew(1, (patience,)).each(work, range(3))
    assert patience.ended
