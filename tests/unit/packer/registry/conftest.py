"""Real registries, and images to push to them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from packer.images.layout import Layout
from packer.registry.access import Access
from packer.registry.client import Client
from packer.registry.reference import Repository
from packer.registry.registry import Registry
from tests.faults.proxy import Proxy
from tests.registries.certificates import Identity, for_loopback, self_signed
from tests.registries.process import RegistryProcess, available
from tests.registries.token_server import TokenServer, User

Log = Callable[[str, str], None]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if {"server", "serve"} & set(getattr(item, "fixturenames", ())) and not available():
            item.add_marker(pytest.mark.skip(reason="docker-registry is not installed"))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryProcess]:
    """A registry that wants no login; tests share it, each with repositories of its own."""
    with RegistryProcess(tmp_path_factory.mktemp("registry")) as started:
        yield started


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., RegistryProcess]]:
    """Start a registry of the test's own, with the options of `RegistryProcess`."""
    with ExitStack() as stack:

        def start(**options: Any) -> RegistryProcess:
            folder = options.pop("folder", None) or tmp_path / f"registry-{uuid.uuid4().hex[:6]}"
            return stack.enter_context(RegistryProcess(folder, **options))

        yield start


@pytest.fixture
def proxy(server: RegistryProcess) -> Iterator[Proxy]:
    """What fails between us and that registry."""
    with Proxy(("127.0.0.1", server.port)) as started:
        yield started


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    """For a registry on this machine that speaks TLS."""
    return for_loopback(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    """What tokens are signed with."""
    return self_signed(tmp_path_factory.mktemp("token"))


@pytest.fixture
def tokens(signer: Identity) -> Iterator[TokenServer]:
    users = {
        "ann": User("pass", {"*": "pull,push"}, identity_token="refresh"),
        "bob": User("word", {"*": "pull"}),
    }
    with TokenServer(signer, users) as server:
        yield server


@pytest.fixture
def log_in(monkeypatch: pytest.MonkeyPatch) -> Log:
    def log_in(user: str, password: str) -> None:
        monkeypatch.setenv("SENDOFF_REGISTRY_USERNAME", user)
        monkeypatch.setenv("SENDOFF_REGISTRY_PASSWORD", password)

    return log_in


@pytest.fixture
def path() -> str:
    """A repository that nobody else uses."""
    return f"tests/{uuid.uuid4().hex[:12]}"


@pytest.fixture
def access() -> Access:
    return Access(patience=5.0)


@pytest.fixture
def repository(proxy: Proxy, path: str) -> Repository:
    return Repository(host=f"127.0.0.1:{proxy.port}", path=path)


@pytest.fixture
def client(repository: Repository, access: Access) -> Client:
    return Client(repository, access, writes=True)


@pytest.fixture
def registry(repository: Repository, access: Access, tmp_path: Path) -> Registry:
    return Registry(repository, access, tmp_path / "cache")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "layout")


@pytest.fixture(autouse=True)
def no_login(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty docker configuration; returns its folder."""
    folder = tmp_path / "docker"
    folder.mkdir()
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    monkeypatch.setenv("HOME", str(tmp_path))
    return folder


def helper(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """A credential helper called `tests`, first on PATH."""
    program = folder / "docker-credential-tests"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
