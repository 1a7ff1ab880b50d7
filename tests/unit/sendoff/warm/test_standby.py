"""The fork that is there before its command comes."""

from __future__ import annotations

import os
import signal
import time
import venv
from contextlib import suppress
from pathlib import Path

from packer.environment import sweep
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


def test_another_is_made_that_is_told_of_changes(warmth: Warmth) -> None:
    server, standby = warmth.standing_by()
    before = _told_by(standby)
    env = {"VIRTUAL_ENV": str(_large_environment(warmth.home / "venv"))}
    (warmth.project / "train.py").touch()

    def is_watched() -> bool:
        packed = warmth.run("pack", env=env)
        assert packed.returncode == 0, packed.stderr
        time.sleep(0.2)
        return _told_by(server) > before

    # Not before all in it is old enough to be believed.
    until(is_watched)
    # That was after the command's end, when the next fork was there already.
    until(lambda: [_told_by(each) for each in forks(server)] == [before + 1])


def _large_environment(folder: Path) -> Path:
    """One that is watched."""
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    for number in range(sweep.ALONE):
        (packages / f"module{number}.py").touch()
    return folder


def _told_by(process: int) -> int:
    """How many times a process is told of changes by inotify(7)."""
    found = 0
    with suppress(FileNotFoundError):
        for each in Path(f"/proc/{process}/fd").iterdir():
            with suppress(FileNotFoundError):
                found += str(each.readlink()) == "anon_inode:inotify"
    return found
