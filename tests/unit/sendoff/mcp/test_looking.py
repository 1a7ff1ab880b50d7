"""What the tools tell of runs that a store has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import jsonschema

import sendoff
from dispatcher.runner.keys import RunKeys
from sendoff.command_line import run
from sendoff.mcp import answers, bounds, looking, questions, schema
from sendoff.mcp.desk import Desk
from sendoff.mcp.tools import TOOLS
from sendoff.mcp.waiting import Watch
from sendoff.session import Session

if TYPE_CHECKING:
    import pytest


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


def pages(desk: Desk, name: str, question: questions.Question) -> Iterator[dict]:
    """The answers of a tool, called again and again as `next` says."""
    (tool,) = (each for each in TOOLS if each.name == name)
    while question:
        found = schema.written(tool.call(desk, question))
        yield found
        again = [step["arguments"] for step in found["next"] if step["tool"] == name]
        question = schema.read(again[0], tool.question) if again else None


def test_a_file_is_read_to_its_end_whatever_is_in_it(work: ModuleType) -> None:
    desk = Desk(Path(work.__file__ or "").parent)
    text = "x" + "é€𝄞" * 3000
    (desk.project / "utf8.txt").write_text(text, "utf-8")
    (desk.project / "latin1.txt").write_bytes(b"\xe9" * 20_000)
    run = sendoff.ship(["sh", "-c", "mkdir out && cp utf8.txt latin1.txt out"]).wait()

    def read(path: str) -> list[str]:
        parts = []
        for page in pages(desk, "results", questions.Results(run=run.id, read=path)):
            parts.append(page["content"]["text"])
            if not page["content"]["more"]:
                break
        return parts

    parts = read("out/utf8.txt")
    assert "".join(parts) == text
    assert len(parts) == 4
    assert "".join(read("out/latin1.txt")) == "\ufffd" * 20_000


def test_the_next_page_is_of_the_same_list(
    work: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(Path(work.__file__ or "").parent)
    ours = [sendoff.ship("true", group="ours").wait().id for _ in range(2)]
    sendoff.ship("false", group="ours").wait()
    wave = sendoff.ship_many([f"echo value: {value}" for value in (2, 3, 1)]).wait()
    asked = questions.Runs(group="ours", state="succeeded", limit=1)
    found = [row["run"] for page in pages(desk, "runs", asked) for row in page["runs"]]
    assert found == ours[::-1]

    monkeypatch.setattr(bounds, "ROWS", 1)
    sorting = questions.Compare(runs=(wave.id,), metrics=("value",), sort="-value", best="max")
    compared = list(pages(desk, "compare", sorting))
    assert [row["run"] for page in compared for row in page["rows"]] == [
        f"{wave.id}/{number}" for number in (1, 0, 2)
    ]
    assert {page["best"] for page in compared} == {f"{wave.id}/1"}


def test_an_index_is_told_of_by_itself(work: ModuleType) -> None:
    desk = Desk(Path(work.__file__ or "").parent)
    run = sendoff.ship_many(["true", "sleep 300"])
    run.wait_for(0)
    name = f"{run.id}/0"
    told = [
        looking.run(desk, questions.Run(run=name)),
        looking.files(desk, questions.Results(run=name)),
        Watch(desk, questions.Wait(runs=(name,))).look(),
    ]
    whole = looking.run(desk, questions.Run(run=run.id))
    other = looking.run(desk, questions.Run(run=f"{run.id}/1"))
    ended = looking.cancel(desk, questions.Cancel(runs=(f"{run.id}/1",)))
    run.wait()
    assert [each.run for each in ended.runs] == ended.next[0].arguments["runs"] == [f"{run.id}/1"]
    for answer in told:
        assert answer
        assert [(step.tool, *step.arguments.values()) for step in answer.next] == [
            ("results", name),
            ("compare", [name]),
        ]
    assert [answer.state for answer in (*told[:2], whole, other)] == [
        "succeeded", "succeeded", "running", "running",
    ]  # fmt: skip
    assert [step.arguments for step in whole.next] == [{"runs": [run.id]}] * 2
    assert [step.arguments for step in other.next] == [{"runs": [f"{run.id}/1"]}] * 2
