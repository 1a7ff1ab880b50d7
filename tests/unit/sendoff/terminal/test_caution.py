"""When warnings of packing are said, and when they are not said again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from packer.environment.environment_report import EnvironmentReport
from sendoff.session import Session
from sendoff.terminal import caution
from sendoff.terminal.console import Console


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    for name in ("DATA", "STATE", "CONFIG", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    (tmp_path / "project").mkdir()
    return Session.open(tmp_path / "project")


def said(session: Session, capsys, *warnings: str, without_index: bool = False) -> list[str]:
    report = EnvironmentReport(warnings=warnings, without_index=without_index)
    caution.say(report, session, Console())
    out, err = capsys.readouterr()
    assert not out
    return err.splitlines()


def test_a_set_of_warnings_is_said_once(session: Session, capsys) -> None:
    assert said(session, capsys) == []
    assert said(session, capsys, "a", "b\n") == ["warning: a", "warning: b\\n"]
    assert said(session, capsys, "a", "b\n") == []
    assert said(session, capsys, "a") == ["warning: a"]
    assert said(session, capsys, "a", "b\n") == ["warning: a", "warning: b\\n"]


def test_it_is_said_again_the_next_day_and_in_another_project(session: Session, capsys) -> None:
    assert said(session, capsys, "a")
    other = session.project.parent / "other"
    other.mkdir()
    assert said(Session.open(other), capsys, "a")
    for place in (session.settings.state / "cautions").glob("[!.]*"):
        os.utime(place, (1, 1))
    assert said(session, capsys, "a")


def test_that_there_is_no_index_is_said_each_time(session: Session, capsys) -> None:
    for _ in range(2):
        assert said(session, capsys, "no index", without_index=True) == ["warning: no index"]


def test_many_are_not_all_said(session: Session, capsys) -> None:
    lines = said(session, capsys, *map(str, range(7)))
    assert lines[5:] == ["warning: and 2 more, see sendoff pack --explain"]


def test_what_a_quiet_console_has_not_said_is_said_later(session: Session, capsys) -> None:
    caution.say(EnvironmentReport(warnings=("a",)), session, Console(quiet=True))
    assert said(session, capsys, "a") == ["warning: a"]


def test_who_may_not_keep_it_is_told_each_time(session: Session, capsys) -> None:
    session.settings.state.parent.mkdir(parents=True, exist_ok=True)
    session.settings.state.write_text("in the way")
    assert said(session, capsys, "a") == said(session, capsys, "a") == ["warning: a"]
