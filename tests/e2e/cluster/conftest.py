"""A namespace with the least Role, a repository and a store of the tests' own on the stack."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.buildkit import docker_cli
from tests.e2e import sandboxes
from tests.e2e.cluster.desk import Desk, Gate, Site
from tests.e2e.cluster.foundry import Foundry
from tests.e2e.desk import environment as desk_environment
from tests.e2e.sandboxes import EXAMPLE
from tests.stack.stack import Stack
from tests.stack.tenancy import tenancy


@pytest.fixture(scope="session")
def site(stack: Stack) -> Iterator[Site]:
    """Where `researcher` may do what dispatcher/kubernetes/rights.py says, and nothing else."""
    with tenancy(stack, "e2e") as name:
        yield Site(stack, name)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sandbox without packages."""
    return sandboxes.empty(tmp_path_factory.mktemp("plain") / "venv")


@pytest.fixture(scope="session")
def science() -> Path:
    """A sandbox with scikit-learn."""
    return sandboxes.example()


@pytest.fixture
def desk(tmp_path: Path, site: Site, plain: Path, cache: Path) -> Iterator[Desk]:
    """A project in a sandbox without packages."""
    made = Desk(tmp_path, site, environment(plain, cache))
    yield made
    made.clear()


@pytest.fixture(scope="module")
def lab(
    tmp_path_factory: pytest.TempPathFactory, site: Site, science: Path, cache: Path
) -> Iterator[Desk]:
    """The example with scikit-learn, on a desk of its own."""
    made = Desk(tmp_path_factory.mktemp("lab"), site, environment(science, cache))
    shutil.copytree(EXAMPLE, made.project, dirs_exist_ok=True)
    yield made
    made.clear()


@pytest.fixture(scope="module")
def foundry(site: Site, plain: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Foundry]:
    home = tmp_path_factory.mktemp("foundry")
    with pytest.MonkeyPatch.context() as patch:
        docker_cli(home / "cli", patch)
        desk = Desk(home, site, environment(plain, home / "cache"))
        root = desk.env.pop("SENDOFF_BASE")
        bases = f"{site.registry.rpartition('/')[0]}/bases"
        desk.env |= {
            "SENDOFF_BASES": bases,
            "SENDOFF_BUILDER": site.stack.known["buildkitd"]["address"],
        }
        desk.write("README", "An experiment.")
        yield Foundry(desk, root, bases)
    desk.clear()


@pytest.fixture
def gate(site: Site) -> Iterator[Gate]:
    made = Gate(site.gateway)
    yield made
    made.close()


def environment(sandbox: Path, cache: Path) -> dict[str, str]:
    """What a shell with this sandbox active has, and a cache."""
    return desk_environment(sandbox, XDG_CACHE_HOME=str(cache))
