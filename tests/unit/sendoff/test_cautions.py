"""What packing warned of, wherever a program looks."""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import sendoff
from packer.environment.environment_report import (
    PYTHONPATH_STAYS,
    Arrival,
    EnvironmentReport,
    Retargeted,
)
from sendoff import cautions
from sendoff.command_line import run
from sendoff.mcp import looking, questions, schema, submitting
from sendoff.mcp.desk import Desk
from sendoff.mcp.waiting import Watch


@pytest.fixture
def warned(work: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose packing warns of something."""
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    return Path(work.__file__ or "").parent


def document(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert run([*words]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.usefixtures("warned")
def test_every_document_of_the_command_line_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (
        ("pack", "--json"),
        ("pack", "--dry-run", "--json"),
        ("run", "--dry-run", "--json", "--", "true"),
        ("run", "--json", "-d", "--", "true"),
        ("sweep", "-p", "n=1,2", "-d", "--json", "--", "echo", "{n}"),
        ("show", "--json", "@last"),
    ):
        assert document(capsys, *words)["warnings"] == [PYTHONPATH_STAYS], words
    assert run(["show", "@last"]) == 0
    assert f"warning      {PYTHONPATH_STAYS}\n" in capsys.readouterr().out


@pytest.mark.usefixtures("work")
def test_without_warnings_there_are_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    assert document(capsys, "run", "--json", "-d", "--", "true")["warnings"] == []
    assert "warnings" not in document(capsys, "run", "--dry-run", "--json", "--", "true")


@pytest.mark.usefixtures("warned")
def test_a_run_in_python_has_them_wherever_it_is_got() -> None:
    sent = sendoff.ship("true")
    assert sent.warnings == sendoff.get(sent.id).warnings == (PYTHONPATH_STAYS,)
    sent.wait()
    again = sendoff.ship("true", reuse=True)
    assert (again.reused, again.warnings) == (True, (PYTHONPATH_STAYS,))


def test_the_tools_tell_them_once_it_is_packed(warned: Path) -> None:
    desk = Desk(warned)
    question = questions.Submit(command="true", timeout="1m", idempotency_key="k")
    name = submitting.submit(desk, question).run
    watch = Watch(desk, questions.Wait(runs=(name,), seconds=45))
    while (waited := watch.look()) is None:
        time.sleep(watch.pause)
    watch.close()
    assert waited.ended
    told = looking.run(desk, questions.Run(run=name))
    assert waited.runs[0].warnings == told.warnings == (PYTHONPATH_STAYS,)
    again = submitting.submit(desk, question)
    assert (again.run, again.warnings) == (name, told.warnings)
    assert schema.written(told)["warnings"] == [PYTHONPATH_STAYS]


def test_that_an_environment_is_another_is_one_of_them() -> None:
    same = Arrival(name="six", version="1.17.0", how="wheel")
    torch = Arrival(name="torch", version="2.7.0+cu128", how="wheel", change="changed", was="2.7.0")
    change = Retargeted(source="macosx/arm64", target="linux/amd64", cuda="12.8")
    report = EnvironmentReport(arrivals=(same, torch), warnings=("a",), retargeted=change)
    line = "from macosx/arm64 to linux/amd64 with CUDA 12.8: 1 kept, 1 changed"
    said = f"the environment was retargeted {line}; torch 2.7.0 → 2.7.0+cu128"
    assert cautions.of(report) == (said, "a")
    assert cautions.of(EnvironmentReport(arrivals=(same,), retargeted=change)) == ()


def test_of_many_the_first_are_kept() -> None:
    kept = cautions.of(EnvironmentReport(warnings=tuple(map(str, range(1_025)))))
    assert (kept[19], kept[20:]) == ("19", ("and 1,005 more, see sendoff pack --explain",))
