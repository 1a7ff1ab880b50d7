"""Images that come into a repository without being packed, on a real registry."""

from __future__ import annotations

import gzip
import uuid
from pathlib import Path

import pytest
from msgspec.structs import replace

from packer.images.base import Base
from packer.images.layout import Layout
from packer.layers.layer import Layer
from packer.registry.access import Access
from packer.registry.push_request import PushRequest
from packer.registry.reference import Repository
from packer.registry.registry import Registry
from tests.registries.images import make_image, make_layer

PLATFORM = "linux/amd64"


@pytest.fixture
def elsewhere(repository: Repository, access: Access, layout: Layout, tmp_path: Path) -> Registry:
    """Another repository of the same registry, with an image of two layers as `base:1`."""
    place = Repository(host=repository.host, path=f"bases/{uuid.uuid4().hex[:12]}")
    there = Registry(place, access, tmp_path / "theirs")
    digest = make_image(layout, make_layer(layout), make_layer(layout))
    there.push(PushRequest(layout=layout.root, images=(digest,), tags={"1": digest}))
    return there


@pytest.fixture
def base(registry: Registry, elsewhere: Registry) -> Base:
    return registry.base(f"{elsewhere.repository}:1", PLATFORM)


def test_a_base_is_taken_over_without_sending_its_layers(registry: Registry, base: Base) -> None:
    pushed = registry.adopt(base, "base-1")
    assert {layer.digest for layer in base.layers} <= {*pushed.mounted, *pushed.present}
    assert registry.has(base.digest) == base.digest
    assert registry.has("base-1") == base.digest
    assert registry.adopt(base, "base-1").sent == 0


def test_layers_of_the_repository_are_stacked_upon_it(
    registry: Registry, base: Base, layout: Layout
) -> None:
    above = _in_repository(registry, layout)
    stacked = registry.stack(base, above, "warm-1")
    found = registry.base(f"{registry.repository}@{stacked.digest}", PLATFORM)
    assert found.layers == (*base.layers, *above)
    assert (found.python, found.python_version) == (base.python, base.python_version)
    assert registry.stack(base, above, "warm-1").digest == stacked.digest
    assert "warm-1" in registry.tags()


def test_layers_that_were_compressed_anew_are_those_of_the_base_again(
    registry: Registry, base: Base, layout: Layout
) -> None:
    own = make_layer(layout)
    anew = make_image(layout, *(_compressed_anew(layer, layout) for layer in base.layers), own)
    registry.push(PushRequest(layout=layout.root, images=(anew,), tags={"base-1": anew}))
    made = registry.base(f"{registry.repository}:base-1", PLATFORM)
    assert not {layer.digest for layer in base.layers} & {layer.digest for layer in made.layers}
    rebased = registry.rebase(made, base, "base-1")
    assert rebased.layers == (*base.layers, own)
    assert registry.base(f"{registry.repository}:base-1", PLATFORM) == rebased
    assert replace(rebased, digest=made.digest, layers=made.layers) == made


def _compressed_anew(layer: Layer, layout: Layout) -> Layer:
    """The same files in another blob."""
    data = gzip.compress(gzip.decompress(layout.read(layer.digest)))
    return replace(layer, digest=layout.write(data), size=len(data))


def _in_repository(registry: Registry, layout: Layout) -> tuple[Layer, ...]:
    """Two layers that some environment has brought there."""
    layers = make_layer(layout), make_layer(layout)
    registry.push(PushRequest(layout=layout.root, images=(make_image(layout, *layers),)))
    return layers
