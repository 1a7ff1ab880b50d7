from __future__ import annotations

import io
import sys

import pytest

from sendoff.terminal import narration
from sendoff.terminal.console import Console
from sendoff.terminal.narration import Narrator


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(narration, "time", made)
    return made


def test_a_quick_step_is_not_worth_a_line(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    narrator = Narrator(Console())
    narrator.start("wheels")
    clock.now += 0.9
    narrator.done("3 wheels")
    assert capsys.readouterr().err == ""


def test_a_long_step_says_what_how_much_and_how_long(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    narrator = Narrator(Console())
    narrator.start("fetching wheels", 5_000_000)
    narrator.advance(2_000_000)
    narrator.advance(3_000_000)
    clock.now += 2
    narrator.done("3 wheels")
    assert capsys.readouterr().err == "fetching wheels: 3 wheels (5.0 MB, 2.0 s)\n"


def test_on_a_terminal_it_shows_while_it_lasts_and_clears_up(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    narrator = Narrator(Console())
    narrator.start("fetching", 2000)
    clock.now += 0.2
    narrator.advance(1000)
    narrator.advance(1000)
    assert screen.getvalue().endswith("\r\x1b[Kfetching … 1.0 kB of 2.0 kB")
    narrator.clear()
    assert screen.getvalue().endswith("\r\x1b[K")
    narrator.clear()
    assert screen.getvalue().count("\r\x1b[K") == 3
