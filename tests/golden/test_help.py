from __future__ import annotations

import pytest

from sendoff.cli import COMMANDS
from sendoff.command_line import run


@pytest.mark.parametrize("name", ["", *COMMANDS, "config show", "base prewarm", "base status"])
def test_help(name: str, golden, capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert run([*name.split(), "--help"]) == 0
    golden(f"help/{name.replace(' ', '-') or 'sendoff'}.txt", capsys.readouterr().out)
