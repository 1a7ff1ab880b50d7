"""Packages and commands upon a base: made once for all who share a registry."""

from __future__ import annotations

import gzip
import os
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from packer.building import extension
from packer.building.errors import BuildSecretMissing
from packer.building.image_settings import ImageSettings
from packer.buildkit import address
from packer.buildkit.build import Build
from packer.buildkit.builder import Builder
from packer.buildkit.errors import BuildFailed, PackageUnknown
from packer.images.base import Base
from packer.images.descriptor import INDEX, MANIFEST
from packer.registry.access import Access
from packer.registry.reference import Repository
from packer.registry.registry import Registry
from tests.registries.process import RegistryProcess
from tests.stack.stack import Stack


@pytest.fixture
def registry(stack: Stack, tmp_path: Path) -> Registry:
    name = f"{stack.known['registry']['address']}/extended-{os.urandom(4).hex()}/runs"
    return Registry(Repository.parse(name), Access(), tmp_path / "cache")


@pytest.fixture
def base(stack: Stack, registry: Registry) -> Base:
    return registry.base(stack.known["images"]["base"], "linux/amd64")


def test_it_is_a_base_with_more_in_it(
    base: Base, builder: Builder, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "hidden-by-heart")
    steps = ImageSettings(
        apt=("hello",), run=('printf "%s" "${#TOKEN}" > /etc/length',), secrets=("TOKEN",)
    )
    made = extension.extended(base, steps, builder, registry)
    assert made.layers[: len(base.layers)] == base.layers
    assert (made.user, made.python, made.labels) == (base.user, base.python, base.labels)
    check = f"FROM {made.repository}@{made.digest}\nRUN hello && test $(cat /etc/length) = 15\n"
    builder.build(Build(dockerfile=check))
    nobody = Builder(address.parse("unix:///nowhere"), Path("/nowhere"))
    assert extension.extended(base, steps, nobody, registry) == made


@pytest.mark.usefixtures("cli")
@pytest.mark.parametrize("elsewhere", [False, True])
def test_the_engine_s_own_builder_keeps_the_layers_of_the_base(
    base: Base,
    registry: Registry,
    stack: Stack,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    elsewhere: bool,
) -> None:
    """The stack's engine is too old for secrets of steps, and its steps have no network."""
    monkeypatch.setenv("DOCKER_HOST", stack.known["docker"]["host"])
    engine = Builder(address.parse("docker"), tmp_path / "engine")
    mark = os.urandom(8).hex()
    steps = ImageSettings(run=(f"echo {mark} > /etc/mark",))
    with RegistryProcess(tmp_path / "second") as second:
        if elsewhere:
            name = Repository.parse(f"{second.host}/extended/runs")
            registry = Registry(name, Access(), tmp_path / "cache")
        made = extension.extended(base, steps, engine, registry)
        assert made.layers[: len(base.layers)] == base.layers
        assert len(made.layers) == len(base.layers) + 1
        assert (
            replace(made, digest=base.digest, layers=base.layers, repository=base.repository)
            == base
        )
        image = f"{made.repository}@{made.digest}"
        engine.build(Build(dockerfile=f"FROM {image}\nRUN test $(cat /etc/mark) = {mark}\n"))
        assert extension.extended(base, steps, engine, registry) == made


def test_a_secret_is_in_nothing_that_is_pushed(
    base: Base,
    builder: Builder,
    registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("TOKEN", "hidden-by-heart")
    cache = f"{registry.repository.host}/cache-{os.urandom(4).hex()}"
    steps = ImageSettings(
        run=('printf "%s" "${#TOKEN}" > /etc/length; echo marked > /etc/mark',),
        secrets=("TOKEN",),
        cache=cache,
    )
    made = extension.extended(base, steps, builder, registry)
    known = {each.digest for each in base.layers}
    left = Registry(Repository.parse(cache), Access(), tmp_path / "left")
    (tag,) = left.tags()
    for reference in (f"{made.repository}@{made.digest}", f"{cache}:{tag}"):
        pushed = [data for digest, data in _pushed(reference) if digest not in known]
        assert any(b"marked\n" in data for data in pushed)
        assert not any(b"hidden-by-heart" in data for data in pushed)


def _pushed(reference: str) -> Iterator[tuple[str, bytes]]:
    """Everything that a manifest names, itself first: digests, and the bytes, unpacked."""
    host, _, rest = reference.partition("/")
    name, at, digest = rest.partition("@")
    name, _, target = (name, at, digest) if at else rest.rpartition(":")
    url = f"http://{host}/v2/{name}"
    known = {"Accept": f"{MANIFEST}, {INDEX}"}
    asked = urllib.request.Request(f"{url}/manifests/{target}", headers=known)  # noqa: S310
    with urllib.request.urlopen(asked) as answer:  # noqa: S310 (the stack's registry)
        manifest = answer.read()
    yield target, manifest
    for blob in set(re.findall(r'"digest": ?"(sha256:[0-9a-f]{64})"', manifest.decode())):
        with urllib.request.urlopen(f"{url}/blobs/{blob}") as answer:  # noqa: S310
            data = answer.read()
        yield blob, gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data


@pytest.mark.parametrize(
    ("steps", "kind"),
    [
        (ImageSettings(apt=("no-such-package",)), PackageUnknown),
        (ImageSettings(run=("echo so it goes; exit 7",)), BuildFailed),
        (ImageSettings(run=("true",), secrets=("NO_SUCH_SECRET",)), BuildSecretMissing),
    ],
)
def test_what_fails_leaves_nothing_in_the_registry(
    base: Base,
    builder: Builder,
    registry: Registry,
    steps: ImageSettings,
    kind: type[Exception],
) -> None:
    with pytest.raises(kind):
        extension.extended(base, steps, builder, registry)
    assert registry.has(extension.tag(base, steps)) is None
