"""What the tools tell of runs that a store has."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import jsonschema

import sendoff
from dispatcher.runner.keys import RunKeys
from sendoff.command_line import run
from sendoff.mcp import answers, looking, questions, schema
from sendoff.mcp.desk import Desk
from sendoff.session import Session


def test_what_can_not_be_read_is_listed_as_that(work: ModuleType, capsys) -> None:
    desk = Desk(Path(work.__file__ or "").parent)
    good = sendoff.ship("true")
    good.wait()
    assert "unreadable" not in listed(desk)
    runs = Session.open(desk.project).runs()
    for number in range(7):
        damaged = f"damaged-{number}"
        runs.store.put(RunKeys(damaged).record, b"{")
    found = listed(desk)
    assert [row["run"] for row in found["runs"]] == [good.id]
    assert len(found["unreadable"]) == 6
    assert found["unreadable"][5] == "and 2 more like that"
    assert run(["ps"]) == 0
    said = capsys.readouterr().err
    assert all(f"warning: {each}" in said for each in found["unreadable"])


def listed(desk: Desk) -> dict:
    written = schema.written(looking.runs(desk, questions.Runs()))
    jsonschema.validate(written, schema.of(answers.Listed))
    return written
