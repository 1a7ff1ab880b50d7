"""What a cluster's administrator is given."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from dispatcher.kubernetes import rights
from dispatcher.kubernetes.errors import ApiForbidden, NamespaceMissing
from dispatcher.kubernetes.rights import OPERATOR_RIGHTS, RIGHTS, Right
from sendoff.command_line import run


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    assert run([*arguments, "--json"]) == 0
    items: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["items"]
    return items


def following(fix: str, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What is applied by who follows a remedy, and fills in who is meant."""
    command = fix.partition("sendoff ")[2].partition(" |")[0]
    return printed(capsys, *shlex.split(command.replace("KIND:NAME", "group:vision")))


@pytest.mark.parametrize("right", [*RIGHTS, *OPERATOR_RIGHTS], ids=lambda right: right.name)
def test_who_follows_the_remedy_grants_the_right(
    right: Right, capsys: pytest.CaptureFixture[str]
) -> None:
    fix = rights.remedy(right.resource, "research", everywhere=right.everywhere)
    kind = "ClusterRole" if right.everywhere else "Role"
    made = {each["kind"]: each for each in following(fix, capsys)}
    granted = [
        rule["verbs"] for rule in made[kind]["rules"] if rule["resources"] == [right.resource]
    ]
    assert granted
    assert right.verb in granted[0]
    assert "research" in made[kind]["metadata"].values() or right.everywhere
    assert made[f"{kind}Binding"]["subjects"][0]["name"] == "vision"


def test_a_refusal_names_the_namespace(capsys: pytest.CaptureFixture[str]) -> None:
    for error in (
        NamespaceMissing("research"),
        ApiForbidden("create", "jobs", "research", ""),
        ApiForbidden("list", "daemonsets", "research", ""),
    ):
        for each in following(error.fix(), capsys):
            if each["kind"] == "Role":
                assert each["metadata"]["namespace"] == "research"
    assert "--usage" in ApiForbidden("list", "pods", "", "").fix()


def test_whom_it_is_for_has_to_be_filled_in(capsys: pytest.CaptureFixture[str]) -> None:
    command = NamespaceMissing("research").fix().partition("sendoff ")[2].partition(" |")[0]
    assert run(shlex.split(command)) == 2
    assert "that names nobody" in capsys.readouterr().err


def test_the_namespace_is_the_configured_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def namespace(*arguments: str) -> str:
        name: str = printed(capsys, "init", "--manifests", *arguments)[0]["metadata"]["name"]
        return name

    assert namespace() == "sendoff"
    (tmp_path / "sendoff.toml").write_text('namespace = "of-project"')
    assert namespace() == "of-project"
    monkeypatch.setenv("SENDOFF_NAMESPACE", "of-variable")
    assert namespace() == "of-variable"
    assert namespace("--namespace", "given") == "given"
