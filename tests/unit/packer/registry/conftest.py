"""Real registries, and images to push to them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from packer.images.layout import Layout
from packer.registry import login
from packer.registry.access import Access
from packer.registry.client import Client
from packer.registry.reference import Repository
from packer.registry.registry import Registry
from tests.faults.proxy import Proxy
from tests.registries.process import RegistryProcess, available


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
def no_login(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """An empty docker configuration; returns its folder."""
    folder = tmp_path / "docker"
    folder.mkdir()
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    monkeypatch.setenv("HOME", str(tmp_path))
    login.of_docker.cache_clear()
    yield folder
    login.of_docker.cache_clear()
