"""Work that outlives the call that began it."""

import threading

import pytest

from sendoff.mcp.under_way import UnderWay


def test_what_ends_in_time_is_the_result() -> None:
    assert UnderWay().result("key", lambda: 7, 10) == 7


def test_a_later_call_has_the_result_of_the_same_work() -> None:
    gate, began = threading.Event(), []

    def work() -> str:
        began.append(True)
        gate.wait(10)
        return "done"

    under_way = UnderWay()
    assert under_way.result("key", work, 0.01) is None
    assert under_way.result("key", work, 0.01) is None
    gate.set()
    assert under_way.result("key", work, 10) == "done"
    assert began == [True]
    # It was told, and the next who asks has it done anew.
    assert under_way.result("key", work, 10) == "done"
    assert began == [True, True]


def test_others_are_not_held_up() -> None:
    gate, under_way = threading.Event(), UnderWay()
    assert under_way.result("slow", lambda: gate.wait(10), 0.01) is None
    assert under_way.result("quick", lambda: 1, 10) == 1
    gate.set()


def test_what_it_raises_is_raised_where_the_result_is_asked_for() -> None:
    under_way = UnderWay()

    def work() -> None:
        raise LookupError("gone")

    for _ in range(2):
        with pytest.raises(LookupError, match="gone"):
            under_way.result("key", work, 10)


def test_a_time_out_of_the_work_itself_is_no_waiting() -> None:
    def work() -> None:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        UnderWay().result("key", work, 10)
