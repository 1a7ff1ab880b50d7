"""The steps of a handover, where one side takes its time."""

import socket
import threading
import time

import pytest

from sendoff.warm import line
from sendoff.warm.line import Gone, Line


@pytest.fixture
def ends(monkeypatch):
    monkeypatch.setattr(line, "PATIENCE", 0.05)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Line(ours), Line(theirs)


def test_a_command_that_is_slow_to_say_go_is_still_done(ends):
    command, process = ends
    got_ready = []

    def be_ready() -> None:
        process.say_ready()
        got_ready.append(True)
        process.send_status(7)

    other = threading.Thread(target=be_ready)
    other.start()
    time.sleep(0.3)
    command.say_go()
    assert command.status() == 7
    other.join()
    assert got_ready


def test_a_command_that_goes_its_own_way_is_not_waited_for(ends):
    command, process = ends
    command.close()
    with pytest.raises((Gone, OSError)):
        process.say_ready()


def test_a_process_that_is_not_ready_in_time_is_not_waited_for(ends):
    command, _ = ends
    with pytest.raises(TimeoutError):
        command.say_go()
