"""Waiting for what a command line names, given up by whoever waits."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

import sendoff
from dispatcher import dispatch
from sendoff.command_line import run

if TYPE_CHECKING:
    import pytest


def test_ctrl_c_in_wait_says_that_the_run_goes_on(
    work: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    del work
    begun = sendoff.ship("true")
    begun.wait()

    def pressed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(dispatch, "wait", pressed)
    assert run(["wait", begun.id]) == 130
    assert f"to end it: sendoff cancel {begun.id}" in capsys.readouterr().err
