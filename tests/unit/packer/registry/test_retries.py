"""How long one thing is tried."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

from packer.registry.answer import Interrupted
from packer.registry.retries import LONGEST_WAIT, Patience


class Failing:
    """Fails so many times, then gives 7."""

    def __init__(self, times: int, wait: float = 0.0) -> None:
        self.left, self.wait, self.made = times, wait, 0

    def __call__(self) -> int:
        self.made += 1
        if self.left:
            self.left -= 1
            raise Interrupted("not yet", wait=self.wait)
        return 7


def test_what_works_is_done_once() -> None:
    work = Failing(0)
    assert Patience(5)(work) == 7
    assert work.made == 1


def test_what_fails_is_done_again_after_the_time_that_was_asked_for() -> None:
    work = Failing(2, wait=0.3)
    began = time.monotonic()
    assert Patience(5)(work) == 7
    assert work.made == 3
    assert 0.6 <= time.monotonic() - began < 3


def test_no_wait_goes_past_the_deadline() -> None:
    work = Failing(99, wait=LONGEST_WAIT * 10)
    began = time.monotonic()
    with pytest.raises(Interrupted):
        Patience(LONGEST_WAIT - 1)(work)
    assert work.made == 1
    assert time.monotonic() - began < 5


def test_the_deadline_holds() -> None:
    began = time.monotonic()
    with pytest.raises(Interrupted):
        Patience(0.5)(Failing(10**9))
    assert time.monotonic() - began < 1


def test_other_errors_are_not_tried_again() -> None:
    def work() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        Patience(5)(work)


def test_waiting_ends_at_once_when_it_is_ended() -> None:
    patience = Patience(60)
    work = Failing(10**9, wait=19)
    failed: list[Exception] = []

    def wait() -> None:
        try:
            patience(work)
        except Interrupted as error:
            failed.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    began = time.monotonic()
    patience.end()
    thread.join(10)
    assert failed
    assert time.monotonic() - began < 5


def test_nothing_is_loaded_for_what_works() -> None:
    code = (
        "import sys; from packer.registry.retries import Patience; Patience(1)(int);"
        "assert 'tenacity' not in sys.modules and 'urllib3' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
