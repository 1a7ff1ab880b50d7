"""One set of expectations, three targets: where each test's runs go is a parameter."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sendoff
from tests.stack.stack import Stack
from tests.stack.tenancy import tenancy

TARGETS = (
    "local",
    pytest.param("docker", marks=pytest.mark.stack),
    pytest.param("kubernetes", marks=pytest.mark.stack),
)
PATIENCE = 120


class Site:
    """A project on a target: write files into it, send commands off."""

    def __init__(self, project: Path, target: str) -> None:
        self.project, self.target = project, target

    def write(self, name: str, text: str) -> None:
        """A file of the project."""
        (self.project / name).write_text(text)

    def ship(self, *command: str, **wishes) -> sendoff.Run:
        """A run of this command, sent off."""
        return sendoff.ship(command, project=self.project, **wishes)

    def script(self, text: str, **wishes) -> sendoff.Run:
        """A run of a Python program, sent off."""
        self.write("main.py", text)
        return self.ship("python", "main.py", **wishes)

    def end(self, run: sendoff.Run) -> sendoff.Run:
        """The run once it has ended."""
        return run.wait(PATIENCE)


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sandbox with one small package."""
    path = tmp_path_factory.mktemp("sandbox") / "venv"
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, path], check=True)
    install = [uv, "pip", "install", "-q", "--compile-bytecode", "--python", str(path)]
    subprocess.run([*install, "six==1.17.0"], check=True)
    return path


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def namespace(stack: Stack) -> Iterator[str]:
    """Where a researcher has the least Role, and runs go that a cluster is to do."""
    with tenancy(stack, "conformance") as name:
        yield name


@pytest.fixture(params=TARGETS)
def site(
    request: pytest.FixtureRequest,
    sandbox: Path,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Site]:
    """The target under test, configured as a user would: by variables."""
    for name in [name for name in os.environ if name.startswith(("SENDOFF_", "XDG_"))]:
        monkeypatch.delenv(name)
    settings = {"HOME": home, "VIRTUAL_ENV": sandbox, "PATH": f"{sandbox}/bin:/usr/bin:/bin"}
    if request.param != "local":
        stack = request.getfixturevalue("stack")
        settings |= _variables(stack.known) | {"SENDOFF_TARGET": request.param}
    if request.param == "kubernetes":
        settings["SENDOFF_NAMESPACE"] = request.getfixturevalue("namespace")
    for name, value in settings.items():
        monkeypatch.setenv(name, str(value))
    project = tmp_path / "project"
    project.mkdir()
    return Site(project, request.param)


def _variables(known: dict[str, Any]) -> dict[str, str]:
    """The stack's servers, as a user would name them."""
    minio = known["minio"]
    return {
        "SENDOFF_REGISTRY": f"{known['registry']['address']}/conformance/runs",
        "SENDOFF_BASE": known["images"]["base"],
        "SENDOFF_STORE": f"{minio['url']}/{minio['bucket']}",
        "SENDOFF_STORE_IN_CLUSTER": f"{minio['url_in_cluster']}/{minio['bucket']}",
        "SENDOFF_STORE_REGION": minio["region"],
        "AWS_ACCESS_KEY_ID": minio["access_key"],
        "AWS_SECRET_ACCESS_KEY": minio["secret_key"],
        "KUBECONFIG": known["kubeconfig"]["researcher"],
        "DOCKER_HOST": known["docker"]["host"],
    }
