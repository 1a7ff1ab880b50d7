"""Results of a map, with real runs."""

from __future__ import annotations

import pytest

import sendoff


def test_results_keep_the_order_of_the_inputs_and_can_be_asked_for_again(work) -> None:
    seconds = [0.6, 0.0, 0.0]
    mapped = sendoff.remote(work.late).options(max_parallel=3).map(range(3), seconds)
    assert len(mapped) == 3
    assert list(mapped) == [0, 1, 2]
    assert list(mapped) == [0, 1, 2]
    assert dict(mapped.as_completed()) == {0: 0, 1: 1, 2: 2}


def test_what_ends_first_comes_first(work) -> None:
    mapped = sendoff.remote(work.late).options(max_parallel=2).map(range(2), [1.0, 0.0])
    assert [number for number, _ in mapped.as_completed()] == [1, 0]


def test_an_exception_is_raised_in_its_turn_and_the_others_are_kept(work) -> None:
    mapped = sendoff.remote(work.picky).map(range(3))
    results = iter(mapped)
    assert next(results) == 0
    with pytest.raises(ValueError, match="one"):
        next(results)
    assert mapped.value(2) == 2


def test_exceptions_stand_where_results_would(work) -> None:
    zero, one, two = sendoff.remote(work.picky).map(range(3), return_exceptions=True)
    assert (zero, two) == (0, 2)
    assert isinstance(one, ValueError)
    assert one.args == ("one", 1)


def test_cancelling_keeps_what_has_ended(work) -> None:
    mapped = (
        sendoff.remote(work.late)
        .options(max_parallel=1)
        .map(range(3), [0, 60, 60], return_exceptions=True)
    )
    assert mapped.value(0) == 0
    mapped.cancel()
    first, *others = mapped
    assert first == 0
    assert all(isinstance(each, sendoff.CallCancelled) for each in others)


@pytest.mark.usefixtures("work")
def test_of_a_command_there_are_no_values() -> None:
    mapped = sendoff.ship(["true"]).values(return_exceptions=True)
    (found,) = mapped
    assert isinstance(found, sendoff.SendoffError)
    assert "returns nothing" in str(found)
