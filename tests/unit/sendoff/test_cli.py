from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys

import click
import pytest

import sendoff
from sendoff.cli import _ELSEWHERE, COMMANDS, root
from sendoff.command_line import run
from sendoff.version import VERSION


def test_each_command_begins_its_help_with_its_line_in_the_list() -> None:
    with click.Context(root) as context:
        for name, line in COMMANDS.items():
            found = root.get_command(context, name)
            assert found is not None
            assert (found.help or "").splitlines()[0] == line
            assert found.name == name


def test_the_version_is_the_distribution_s() -> None:
    assert importlib.metadata.version("sendoff") == VERSION


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["rnu"], "did you mean run?"),
        (["xyzzy"], "fix: sendoff --help"),
        (["run", "--tiemout", "3", "--", "x"], "did you mean --timeout?"),
        (["run", "--gup", "h100", "--", "x"], "did you mean --gpu?"),
        (["kill", "x"], "did you mean cancel?"),
        (["status"], "did you mean ps?"),
        (["ls"], "did you mean ps?"),
        (["comapre"], "did you mean compare?"),
        (["ps", "--state", "foo"], "the states are queued, running"),
        (["ps", "--state", "runing"], "did you mean --state running?"),
        (["init", "--project", "/no/where", "--gpu", "h100"], "/no/where is not a directory"),
        (["doctor", "--project", "/no/where"], "/no/where is not a directory"),
        (["config", "show", "--project", "/no/where"], "/no/where is not a directory"),
        (["pack", "--project", "/no/where"], "/no/where is not a directory"),
        (["run", "--project", "/no/where", "--", "x"], "/no/where is not a directory"),
        (["sweep", "--project", "/no/where", "-p", "a=1,2", "--", "{a}"], "/no/where is not"),
        (["init", "--manifests", "--project", "/no/where"], "/no/where is not a directory"),
        (["logs"], "missing argument 'RUN'"),
        (["logs", "--tail", "x", "r"], "is not a valid integer"),
        (["completion", "tcsh"], "'tcsh' is not one of"),
        (["sweep", "--", "x"], "nothing varies"),
        (["run"], "no command given"),
        (["run", "--"], "no command given"),
    ],
)
def test_bad_usage_exits_with_2_and_says_what_to_do(
    arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith("error: ")
    assert len(err.splitlines()) <= 4
    assert expected in err


def test_the_names_of_other_programs_are_none_of_ours() -> None:
    assert not _ELSEWHERE.keys() & COMMANDS.keys()
    assert set(_ELSEWHERE.values()) <= COMMANDS.keys()


def test_without_a_command_there_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    assert run(["config"]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith("Usage: sendoff [OPTIONS]")


def test_json_is_ours_only_before_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["runn", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["code"] == "USAGE"
    assert run(["runn", "--", "--json"]) == 2
    assert not capsys.readouterr().out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell]) == 0
    assert "_SENDOFF_COMPLETE" in capsys.readouterr().out


def test_names_of_the_package_are_loaded_when_used() -> None:
    assert set(sendoff.__all__) <= set(dir(sendoff))
    assert callable(sendoff.ship)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        sendoff.nothing  # noqa: B018
    code = "import sys, sendoff; sys.exit(bool({'click', 'msgspec', 'packer'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
