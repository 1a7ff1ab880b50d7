"""Things that are brought side by side."""

from __future__ import annotations

import threading
import time

import pytest

from packer.wheels.delivery import Delivery, GivenUp

LONG = 30.0


def test_each_is_handed_on_as_soon_as_it_is_there() -> None:
    slow = threading.Event()

    def bring(item: str) -> None:
        if item == "slow":
            assert slow.wait(LONG)

    came = Delivery(["slow", "a", "b"], 2).each(bring)
    assert {next(came), next(came)} == {"a", "b"}
    slow.set()
    assert list(came) == ["slow"]


def test_no_more_than_so_many_are_under_way() -> None:
    lock, under_way, most = threading.Lock(), 0, 0

    def bring(_: int) -> None:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        time.sleep(0.01)
        with lock:
            under_way -= 1

    assert sorted(Delivery(range(20), 3).each(bring)) == list(range(20))
    assert most == 3


def test_the_first_failure_ends_what_is_under_way_and_begins_nothing_more() -> None:
    begun: list[str] = []
    ended = threading.Event()
    delivery = Delivery(["endless", "bad", "more"], 2)

    def bring(item: str) -> None:
        begun.append(item)
        if item == "bad":
            raise ValueError(item)
        try:
            while True:
                time.sleep(0.001)
                delivery.check()
        except GivenUp:
            ended.set()
            raise

    with pytest.raises(ValueError, match="bad"):
        list(delivery.each(bring))
    assert ended.is_set()
    assert sorted(begun) == ["bad", "endless"]


def test_who_goes_away_is_brought_nothing_more() -> None:
    delivery, ended = Delivery(["a", "endless"], 2), threading.Event()

    def bring(item: str) -> None:
        try:
            while item == "endless":
                time.sleep(0.001)
                delivery.check()
        except GivenUp:
            ended.set()
            raise

    came = delivery.each(bring)
    assert next(came) == "a"
    came.close()
    assert ended.wait(LONG)


def test_what_says_nothing_keeps_nobody_after_a_failure() -> None:
    stuck = threading.Event()

    def bring(item: str) -> None:
        if item == "bad":
            raise ValueError(item)
        stuck.wait(LONG)

    began = time.monotonic()
    with pytest.raises(ValueError, match="bad"):
        list(Delivery(["stuck", "bad"], 2).each(bring))
    assert time.monotonic() - began < LONG / 2
    stuck.set()
