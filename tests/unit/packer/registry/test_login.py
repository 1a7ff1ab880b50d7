"""Logins from variables, docker's configuration, and credential helpers."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

from packer.registry import login
from packer.registry.access import Access
from packer.registry.errors import LoginUnreadable
from packer.registry.login import Login, Logins
from tests.unit.packer.registry.conftest import helper


def configure(folder: Path, **content: object) -> None:
    (folder / "config.json").write_text(json.dumps(content))


def test_variables_that_the_configuration_names(monkeypatch: pytest.MonkeyPatch) -> None:
    access = Access(username="MY_USER", password="MY_TOKEN")
    assert login.named(access) is None
    monkeypatch.setenv("MY_USER", "ann")
    assert login.named(access) is None
    monkeypatch.setenv("MY_TOKEN", "secret")
    assert login.named(access) == Login(source="MY_TOKEN", username="ann", password="secret")


def test_dockers_configuration(no_login: Path) -> None:
    auth = base64.b64encode(b"ann:se:cret").decode()
    configure(
        no_login,
        auths={
            "registry.example.com:5000": {"auth": auth},
            "https://other.example.com/v1/": {"auth": auth},
            "https://index.docker.io/v1/": {"identitytoken": "refresh"},
            "empty.example.com": {},
        },
    )
    found = login.of_docker("registry.example.com:5000")
    assert found
    assert (found.username, found.password) == ("ann", "se:cret")
    assert found.source == str(no_login / "config.json")
    assert login.of_docker("other.example.com") == found
    assert login.of_docker("docker.io") == Login(source=found.source, token="refresh")
    assert login.of_docker("empty.example.com") is None
    assert login.of_docker("unknown.example.com") is None


def test_a_credential_helper(no_login: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper(
        no_login,
        monkeypatch,
        'read host; echo "$host" >>"$HOME/asked"\n'
        'case "$host" in\n'
        'token*) echo \'{"Username":"<token>","Secret":"refresh"}\';;\n'
        '*) echo \'{"Username":"ann","Secret":"pass"}\';;\n'
        "esac",
    )
    configure(
        no_login, credHelpers={"a.example.com": "tests", "token.example.com": "tests"}, auths={}
    )
    found = login.of_docker("a.example.com")
    assert found
    assert (found.username, found.password) == ("ann", "pass")
    token = login.of_docker("token.example.com")
    assert token
    assert token.token == "refresh"
    assert login.of_docker("other.example.com") is None
    assert (no_login.parent / "asked").read_text().split() == ["a.example.com", "token.example.com"]


def test_docker_is_asked_once_and_again_after_a_refusal(
    no_login: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper(
        no_login,
        monkeypatch,
        'cat >/dev/null; echo x >>"$HOME/asked"\n'
        'echo "{\\"Username\\":\\"ann\\",\\"Secret\\":\\"$(wc -l <"$HOME/asked")\\"}"',
    )
    configure(no_login, credsStore="tests")
    logins = Logins("a.example.com", Access())
    first = logins.current()
    assert first
    assert first.password == "1"
    assert logins.current() == first
    second = logins.renewed(first)
    assert second
    assert second.password == "2"
    # Another thread whose request with the first one was refused.
    assert logins.renewed(first) == second
    monkeypatch.setenv("SENDOFF_REGISTRY_USERNAME", "bob")
    monkeypatch.setenv("SENDOFF_REGISTRY_PASSWORD", "word")
    named = logins.current()
    assert named == Login(source="SENDOFF_REGISTRY_PASSWORD", username="bob", password="word")
    assert logins.renewed(named) == named
    assert Logins("a.example.com", None).current() != named


@pytest.mark.parametrize("script", ["exit 1", "echo broken", "echo >&2 no keyring; exit 2"])
def test_a_broken_helper(no_login: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    helper(no_login, monkeypatch, script)
    configure(no_login, credsStore="tests")
    with pytest.raises(LoginUnreadable):
        login.of_docker("a.example.com")


def test_a_helper_that_is_not_installed(no_login: Path) -> None:
    configure(no_login, credsStore="nowhere-to-be-found")
    with pytest.raises(LoginUnreadable) as caught:
        login.of_docker("a.example.com")
    assert "nowhere-to-be-found" in caught.value.evidence()


def test_a_login_does_not_show_itself() -> None:
    shown = repr(Login(source="X", username="ann", password="secret", token="refresh"))
    assert "secret" not in shown
    assert "refresh" not in shown


def test_docker_is_not_loaded_where_it_has_no_configuration() -> None:
    code = (
        "import sys; from packer.registry import login; assert login.of_docker('x.io') is None;"
        "assert 'docker' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
