from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sendoff.command_line import run

if TYPE_CHECKING:
    import pytest


def test_without_the_sdk_the_remedy_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "mcp", None)
    assert run(["mcp", "--json"]) == 125
    told = json.loads(capsys.readouterr().out)
    assert (told["code"], told["fix"]) == (
        "MCP_UNAVAILABLE",
        "python -m pip install 'sendoff[mcp]'",
    )


def test_a_project_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["mcp", "--project", str(tmp_path / "nowhere"), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["code"] == "PROJECT_MISSING"
