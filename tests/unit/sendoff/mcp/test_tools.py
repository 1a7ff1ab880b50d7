"""The tools as agents see them: a change here is a change of the interface."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from types import ModuleType

import anyio
import jsonschema
import mcp_types
import pytest

import sendoff
from dispatcher.run import Failure
from packer import disk
from packer.errors import BlobMissing
from sendoff.errors import Internal, Misuse
from sendoff.mcp import answers, problems, questions, schema, server
from sendoff.mcp.answers import Step
from sendoff.mcp.desk import Desk
from sendoff.mcp.server import described
from sendoff.mcp.tools import TOOLS
from sendoff.session import Session
from tests import tokens
from tests.e2e.desk import until


def test_the_tools_and_their_schemas(golden) -> None:
    listed = [tool.model_dump(by_alias=True, exclude_none=True) for tool in described()]
    golden("mcp/tools.json", json.dumps(listed, indent=1, ensure_ascii=False) + "\n")


def test_every_schema_is_one_and_an_object() -> None:
    for tool in described():
        for each in (tool.input_schema, tool.output_schema):
            assert each
            assert each["type"] == "object"
            jsonschema.Draft202012Validator.check_schema(each)


def test_what_is_asked_for_is_said() -> None:
    """An agent has nothing but descriptions to go by."""
    for tool in described():
        assert tool.description
        for name, field in tool.input_schema["properties"].items():
            told = "description" in json.dumps(field) or "enum" in json.dumps(field)
            assert told or name == "command", (tool.name, name)
    submit = next(tool for tool in described() if tool.name == "submit")
    assert set(submit.input_schema["required"]) == {"command", "timeout"}


def test_the_tools_stay_cheap_to_carry() -> None:
    """What they take is in every conversation; what they answer, clients keep to themselves."""
    taken = (json.dumps(schema.of(tool.question), separators=(",", ":")) for tool in TOOLS)
    said = (tool.description for tool in TOOLS)
    assert tokens.count("\n".join([*taken, *said])) < 4_500


def test_arguments_are_read_or_refused_by_name() -> None:
    found = schema.read({"command": "true", "timeout": "1m"}, questions.Submit)
    assert (found.command, found.timeout, found.project) == ("true", "1m", ".")
    with pytest.raises(Misuse, match=r"unknown field `gpus`"):
        schema.read({"command": "true", "timeout": "1m", "gpus": 1}, questions.Submit)
    with pytest.raises(Misuse, match=r"\$.runs"):
        schema.read({"runs": []}, questions.Wait)


def test_answers_are_what_json_can_say() -> None:
    answer = answers.Files(
        run="a\udcff",
        state="succeeded",
        files=(),
        files_in_all=0,
        next=(Step(tool="run", arguments={"x": float("nan"), "y": (1, "\udce9")}),),
    )
    written = schema.written(answer)
    assert written["run"] == "a\ufffd"
    assert written["next"][0]["arguments"] == {"x": "nan", "y": [1, "\ufffd"]}
    jsonschema.validate(written, schema.of(answers.Files))
    json.dumps(written, allow_nan=False).encode()


def test_a_failure_says_whose_move_it_is() -> None:
    found = schema.written(problems.of(BlobMissing("sha256:…", "/layout"), "submit"))
    assert {"code", "phase", "blame", "retryable", "message", "fix", "next"} <= found.keys()
    assert (found["code"], found["blame"]) == ("DIGEST_GONE", "config")
    assert found["next"][0]["tool"] == "check"
    assert problems.of(Internal(ValueError("x")), "runs").blame == "infra"
    assert [step.tool for step in problems.of(Misuse("x"), "compare").next] == ["compare"]
    assert set(Failure.__struct_fields__) - {"evidence"} <= set(answers.Problem.__struct_fields__)


def test_what_the_system_refuses_is_no_fault_of_ours(work: ModuleType) -> None:
    project = Path(work.__file__ or "").parent
    run = sendoff.ship(["sh", "-c", "echo > out.txt"])
    run.wait()
    (project / "taken").touch()
    (tool,) = (each for each in TOOLS if each.name == "results")
    told = anyio.run(server._called, Desk(project), tool, {"run": run.id, "into": "taken"})
    assert told.is_error
    assert told.structured_content["code"] == "FOLDER_UNUSABLE"
    assert "report it" not in told.structured_content["fix"]


@pytest.mark.parametrize(
    ("name", "arguments", "again"),
    [("runs", {}, True), ("reproduce", {"reference": "train-abcdef"}, False)],
)
def test_a_tool_that_took_too_long_may_be_called_again_unless_it_begins_a_run(
    work: ModuleType, monkeypatch: pytest.MonkeyPatch, name: str, arguments: dict, again: bool
) -> None:
    monkeypatch.setattr(server, "PATIENCE", 0.5)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("SENDOFF_STORE_PATIENCE", "1s")
    # It takes connections, and never answers.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("SENDOFF_STORE", f"http://127.0.0.1:{silent.getsockname()[1]}/bucket")
        told = called(Path(work.__file__ or "").parent, name, arguments)
    assert (told["code"], told["blame"], told["retryable"]) == ("TOOL_TIMEOUT", "infra", again)
    assert ("call it again" in told["fix"]) is again


def test_a_submission_that_took_too_long_may_have_begun_a_run(
    work: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Path(work.__file__ or "").parent
    session = Session.open(project)
    session.places.state.mkdir(parents=True)
    asked = {"command": "true", "timeout": "1m", "idempotency_key": "k"}
    # As another client here has it that submits as well.
    with disk.locked(session.places.state / "orders.lock"), monkeypatch.context() as hurried:
        hurried.setattr(server, "PATIENCE", 0.5)
        told = called(project, "submit", asked)
    assert (told["code"], told["blame"], told["retryable"]) == ("TOOL_TIMEOUT", "infra", False)
    assert [step["tool"] for step in told["next"]] == ["runs"]
    (begun,) = until(session.runs().all)
    assert called(project, "submit", asked)["run"] == begun.id
    sendoff.get(begun.id).wait()
    assert session.runs().ids() == [begun.id]


def called(project: Path, name: str, arguments: dict) -> dict:
    """What a tool answers."""
    (tool,) = (each for each in TOOLS if each.name == name)
    return anyio.run(server._called, Desk(project), tool, arguments).structured_content


def test_the_next_calls_that_problems_name_exist() -> None:
    names = {tool.name for tool in TOOLS}
    assert {step.tool for step in problems._NEXT.values()} <= names
    assert isinstance(described()[0], mcp_types.Tool)
