"""The fork that is there before its command comes."""

from __future__ import annotations

import os
import signal

from tests.unit.sendoff.warm.warmth import Warmth, commands, forks, state, until


def test_it_becomes_the_next_command(warmth: Warmth) -> None:
    server, standby = warmth.standing_by()
    command = warmth.start()
    until(lambda: commands(server) == [standby])
    warmth.let_go()
    assert command.wait(60) == 0
    until(lambda: forks(server) and standby not in forks(server))


def test_commands_that_come_meanwhile_are_forked_for(warmth: Warmth) -> None:
    server, standby = warmth.standing_by()
    started = [warmth.start() for _ in range(3)]
    until(lambda: len(commands(server)) == 3)
    assert standby in commands(server)
    while any(state(each.pid) not in "XZ" for each in started):
        if warmth.settings.exists():
            warmth.let_go()
    assert [each.wait(60) for each in started] == [0, 0, 0]
    until(lambda: len(forks(server)) == 1 and not commands(server))


def test_it_ends_with_the_warm_process(warmth: Warmth) -> None:
    server, standby = warmth.standing_by()
    os.kill(server, signal.SIGKILL)
    until(lambda: state(standby) in "XZ")
    assert warmth.run("ps").returncode == 0


def test_without_it_commands_are_still_served(warmth: Warmth) -> None:
    server, standby = warmth.standing_by()
    os.kill(standby, signal.SIGKILL)
    until(lambda: not forks(server))
    command = warmth.start()
    until(lambda: len(commands(server)) == 1)
    warmth.let_go()
    assert command.wait(60) == 0
