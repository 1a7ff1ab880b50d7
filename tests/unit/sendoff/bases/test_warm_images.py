"""What nodes get ahead of time is what runs stand on: found on a real registry."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from packer.building import extension
from packer.building.image_settings import ImageSettings
from packer.images.base import Base
from packer.images.layout import Layout
from packer.registry.access import Access
from packer.registry.push_request import PushRequest
from packer.registry.reference import Repository
from packer.registry.registry import Registry
from sendoff.bases.warm_images import Asked, Stock, stocks
from sendoff.registries import PLATFORM
from sendoff.session import Session
from tests.registries.images import make_image, make_layer
from tests.registries.process import RegistryProcess, available

MINOR = ".".join(platform.python_version_tuple()[:2])
LARGE = 1 << 20
FILE = ImageSettings(apt=("file",))
pytestmark = pytest.mark.skipif(not available(), reason="docker-registry is not installed")


class Site:
    """A registry with bases below a prefix, as operators push them, and one for runs."""

    def __init__(self, server: RegistryProcess, folder: Path) -> None:
        self.host, self.folder = server.host, folder
        self.layout = Layout(folder / "layout")
        self.own = self.registry("team/runs")
        self.cpu, self.cuda = self._base("cpu"), self._base("cuda-runtime")

    def registry(self, path: str) -> Registry:
        place = Repository(host=self.host, path=path)
        return Registry(place, Access(patience=5.0), self.folder / "registry")

    def session(self, **flags: Any) -> Session:
        """Of a project that names no base."""
        known = {"registry": f"{self.host}/team/runs", "bases": f"{self.host}/base"}
        return Session.open(self.folder, {**known, "python": sys.executable, **flags})

    def environment(self, base: Base, name: str) -> None:
        """An environment upon a base, with one layer that is worth having."""
        self._stacked(base, f"env-{name}")

    def extended(self, base: Base, steps: ImageSettings) -> Base:
        """What BuildKit has made of a base for a project with these steps."""
        return self._stacked(base, extension.tag(base, steps))

    def _stacked(self, base: Base, tag: str) -> Base:
        layer = make_layer(self.layout, 2 * LARGE)
        image = make_image(self.layout, layer)
        self.own.push(PushRequest(layout=self.layout.root, images=(image,)))
        return self.own.stack(base, [layer], tag)

    def _base(self, name: str) -> Base:
        there = self.registry(f"base/{name}")
        image = make_image(self.layout, minor=MINOR)
        there.push(PushRequest(layout=self.layout.root, images=(image,), tags={MINOR: image}))
        return there.base(f"{there.repository}:{MINOR}", PLATFORM)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryProcess]:
    with RegistryProcess(tmp_path_factory.mktemp("registry")) as started:
        yield started


@pytest.fixture
def site(server: RegistryProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    for name in ("BASE", "BASES", "GPU", "REGISTRY", "IMAGE"):
        monkeypatch.delenv(f"SENDOFF_{name}", raising=False)
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "DOCKER_CONFIG"):
        monkeypatch.setenv(name, str(tmp_path / name))
    return Site(server, tmp_path)


def only(session: Session, gpu: str, top: int = 0) -> Stock:
    """What there is for the one base of one class."""
    ((stock,),) = stocks(session, Asked(classes=(gpu,), top=top)).values()
    return stock


def test_each_class_gets_the_base_that_its_runs_stand_on(site: Site) -> None:
    """Whatever class the session itself names."""
    for settings in ({}, {"gpu": "h100"}, {"gpu": "cpu"}):
        found = stocks(site.session(**settings), Asked(classes=("h100:2", "cpu", "mi300x")))
        digests = {name: [each.base.digest for each in some] for name, some in found.items()}
        assert digests == {
            "h100:2": [site.cuda.digest],
            "cpu": [site.cpu.digest],
            "mi300x": [site.cpu.digest],
        }
    assert found["h100:2"][0].title == "cuda-runtime"
    assert site.own.has(site.cuda.digest), "in the repository that runs are pulled from"


def test_bases_that_are_named_are_for_every_class(site: Site) -> None:
    asked = Asked(classes=("h100", "cpu"), bases=("cuda-runtime", "cpu", "cpu"))
    found = stocks(site.session(), asked)
    assert found["h100"] == found["cpu"]
    assert [each.base.digest for each in found["cpu"]] == [site.cuda.digest, site.cpu.digest]
    named = site.session(base="cpu")
    assert only(named, "h100").base.digest == site.cpu.digest, "as runs have it"


def test_layers_are_those_of_environments_on_the_base_of_the_class(site: Site) -> None:
    site.environment(site.cuda, "one")
    for _ in range(2):
        site.environment(site.cpu, "other")
    stock = only(site.session(), "h100", top=8)
    assert stock.shared
    assert stock.shared.title == "cuda-runtime+1"
    shared = site.own.base(f"{site.own.repository}@{stock.shared.digest}", PLATFORM)
    assert shared.layers[: len(site.cuda.layers)] == site.cuda.layers
    assert stock.images == (stock.base, stock.shared)


def test_a_project_with_steps_gets_its_base_with_them(site: Site) -> None:
    """Its environments stand on that, and on no other."""
    session = site.session(image={"apt": list(FILE.apt)})
    plain = only(session, "h100", top=8)
    assert (plain.base.digest, plain.complete) == (site.cuda.digest, False)
    made = site.extended(site.cuda, FILE)
    site.environment(made, "upon-it")
    stock = only(session, "h100", top=8)
    assert (stock.base.digest, stock.complete) == (made.digest, True)
    assert stock.shared, "the environment that stands on it"
    assert not only(session, "cpu").complete
    assert only(site.session(), "h100").base.digest == site.cuda.digest
