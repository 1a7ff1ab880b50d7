"""What `sendoff doctor` finds on this machine, and where servers should be and are not."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from sendoff.checks.check import Check
from sendoff.checks.checkup import checkup
from sendoff.command_line import run
from sendoff.session import Session


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    # Of a socket that is not there docker's client leaves its own unclosed.
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(**flags: object) -> dict[str, Check]:
    session = Session.open(Path(), {"python": sys.executable, **flags})
    return {f"{each.area} {each.what}": each for each in checkup(session)}


def test_the_default_needs_nothing_but_this_machine(home: Path) -> None:
    checks = found()
    assert list(checks) == [
        "sandbox python",
        "disk cache",
        "disk state",
        "disk registry",
        "disk store",
        "disk hard links",
    ]
    assert all(each.state != "problem" for each in checks.values())
    assert str(home) in checks["disk cache"].said
    assert not list(home.rglob("*doctor*"))


def test_a_folder_that_is_a_file(home: Path) -> None:
    (home / "file").write_text("")
    check = found(store="file")["disk store"]
    assert check.state == "problem"
    assert check.fix == "export SENDOFF_STORE=DIR"


def test_a_cache_that_can_not_be_written_to_keeps_no_other_check_back(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "file").write_text("")
    monkeypatch.setenv("SENDOFF_CACHE", str(home / "file" / "cache"))
    checks = found()
    bad = {name for name, each in checks.items() if each.state == "problem"}
    assert bad == {"sandbox python", "disk cache", "disk hard links"}
    for name in bad:
        assert str(home / "file") in checks[name].said
        assert "export SENDOFF_CACHE=DIR" in checks[name].fix
    assert checks["disk store"].state != "problem"
    assert run(["doctor", "--python", sys.executable]) == 1
    assert len(capsys.readouterr().out.splitlines()) == len(checks)


def test_each_check_of_an_area_is_told_before_the_next_is_made(home: Path) -> None:
    checks = checkup(Session.open(Path(), {"python": sys.executable}))
    assert [next(checks).what for _ in range(2)] == ["python", "cache"]
    assert not (home / ".local").exists()


def test_no_interpreter() -> None:
    check = found(python="/no/python")["sandbox python"]
    assert check.state == "problem"
    assert "no Python interpreter at /no/python" in check.said


@pytest.mark.parametrize("target", ["docker", "kubernetes"])
def test_targets_elsewhere_need_servers(target: str) -> None:
    checks = found(target=target)
    assert checks["registry push"].state == "problem"
    assert "SENDOFF_REGISTRY" in checks["registry push"].fix
    assert "SENDOFF_BASE" in checks["base image"].fix
    if target == "kubernetes":
        assert "SENDOFF_STORE" in checks["store bucket"].fix
        assert "KUBECONFIG" in checks["cluster kubeconfig"].fix
    else:
        assert "DOCKER_HOST" in checks["engine docker"].fix


def test_an_address_that_pods_would_look_for_on_themselves(monkeypatch) -> None:
    monkeypatch.setattr("sendoff.checks.remote._PATIENCE", 0.1)
    flags = {"store": "http://127.0.0.1:1/bucket", "store_in_cluster": "http://10.0.0.1:1/bucket"}
    checks = found(target="docker", registry="localhost:1/runs", store=flags["store"])
    assert checks["store as runs see it"].state == "poor"
    assert found(target="docker", registry="localhost:1/runs", **flags)[
        "store as runs see it"
    ] == Check(area="store", what="as runs see it", said="http://10.0.0.1:1/bucket")


def test_the_command_exits_with_one_where_there_is_a_problem(
    capsys: pytest.CaptureFixture[str],
) -> None:
    python = ["--python", sys.executable]
    assert run(["doctor", *python]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith(("ok ", "poor ")) for line in lines)
    assert run(["doctor", "--target", "kubernetes", "--json", *python]) == 1
    document = json.loads(capsys.readouterr().out)
    assert not document["ok"]
    problems = [each for each in document["checks"] if each["state"] == "problem"]
    assert {each["area"] for each in problems} == {"registry", "base", "store", "cluster"}
    assert all(each["said"] and each["fix"] for each in problems)
