from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sendoff.cli import COMMANDS
from sendoff.command_line import run
from tests import tokens

if TYPE_CHECKING:
    import pytest

LIMIT = 2_000
"""Tokens."""


def test_the_skill_is_short(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["skill"]) == 0
    text = capsys.readouterr().out
    assert tokens.count(text) < LIMIT
    head = re.match(r"---\nname: sendoff\ndescription: (.+)\n---\n", text)
    assert head
    # What clients of skills take for a description (agentskills.io).
    assert len(head[1]) <= 1024


def test_the_skill_is_written_to_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["skill", str(tmp_path / "skills" / "sendoff")]) == 0
    path = tmp_path / "skills" / "sendoff" / "SKILL.md"
    assert capsys.readouterr().out == f"{path}\n"
    assert path.read_text().startswith("---\nname: sendoff\n")


def test_the_skill_names_commands_that_exist(capsys: pytest.CaptureFixture[str]) -> None:
    run(["skill"])
    text = capsys.readouterr().out
    named = set(re.findall(r"\bsendoff (\w+)", text)) - {"packs"}
    assert named <= set(COMMANDS), named - set(COMMANDS)
    from sendoff.mcp.tools import TOOLS

    (listed,) = re.findall(r"The same verbs: (.*?)\. ", text, re.DOTALL)
    assert re.findall(r"`(\w+)`", listed) == [tool.name for tool in TOOLS]
